//! From a node to SQL that is ready to plan.
//!
//! The template is rendered with everything known, and the queries of ephemeral models are put in front as common table
//! expressions. What comes out remembers where each byte came from, so that a mistake in the SQL can be pointed at in
//! the file that a person wrote.

mod ephemeral;

use std::path::PathBuf;
use std::sync::Arc;

use crate::diag::{Diagnostic, Label, Result, SourceFile, Span, codes};
use crate::jinja::{
    Args, BUILTIN_FOLDER, Interpreter, Macro, NodeContext, Options, Origin, Overrides, RelationValue, SourceMap, Value,
    World, parse_template,
};
use crate::node::{Node, NodeKind, Relation, ResourceType};

use ephemeral::{Cte, Injection};

/// A node's SQL.
#[derive(Debug, Clone)]
pub struct CompiledNode {
    /// Unique id of the node.
    pub unique_id: String,
    /// The SQL, as a file of the artifact folder.
    pub sql: Arc<SourceFile>,
    /// Where the rendered text comes from.
    map: SourceMap,
    /// Queries of ephemeral models, and where they were put.
    injected: Option<Injection>,
    /// A template that nobody wrote, and the place that stands for it.
    made: Option<(Arc<SourceFile>, Span)>,
    /// Warnings that the template raised.
    pub warnings: Vec<Diagnostic>,
}

impl CompiledNode {
    /// `diagnostic` with the places in the SQL replaced by places in the files that people wrote.
    pub fn locate(&self, mut diagnostic: Box<Diagnostic>) -> Box<Diagnostic> {
        let mut labels: Vec<Label> = Vec::new();
        let mut asked = false;
        for label in std::mem::take(&mut diagnostic.labels) {
            if label.span.file != self.sql {
                labels.push(label);
                continue;
            }
            match self.origin(&label.span) {
                Some(origin) => {
                    // What a properties file says is wrong there, and not in the macro that was given it.
                    asked |= !origin.literal || origin.span.file.path.starts_with(BUILTIN_FOLDER);
                    labels.push(Label { span: origin.span, text: label.text });
                    for (name, span) in origin.chain.into_iter().rev() {
                        labels.push(Label { span, text: format!("in macro `{name}`, called here") });
                    }
                }
                None => labels.push(label),
            }
        }
        if let Some((made, place)) = &self.made {
            labels.iter_mut().filter(|label| label.span.file == *made).for_each(|label| label.span = place.clone());
            if asked {
                labels.retain(|label| label.span != *place && !label.span.file.path.starts_with(BUILTIN_FOLDER));
                labels.insert(0, Label { span: place.clone(), text: "asked for here".into() });
            }
        }
        diagnostic.labels = labels;
        diagnostic.of_node(&self.unique_id)
    }

    /// True if `span` is in the query of another node, which was put in front of this one's.
    pub fn is_injected(&self, span: &Span) -> bool {
        let within =
            |injection: &Injection| (injection.at..injection.at + injection.len).contains(&(span.start as usize));
        span.file == self.sql && self.injected.as_ref().is_some_and(within)
    }

    fn origin(&self, span: &Span) -> Option<Origin> {
        let (start, end) = (span.start as usize, span.end as usize);
        let shift = match &self.injected {
            Some(injection) if start >= injection.at + injection.len => injection.len,
            Some(injection) if start >= injection.at => {
                let query = injection.queries.iter().find(|query| query.range.contains(&start))?;
                let (map, skipped) = query.from.as_ref()?;
                let own = |at: usize| at.min(query.range.end) - query.range.start + skipped;
                return map.origin(own(start)..own(end));
            }
            _ => 0,
        };
        self.map.origin(start - shift..end - shift)
    }
}

/// Compiles `node`.
///
/// # Errors
/// What its template, or that of an ephemeral model that it reads, fails with.
pub fn compile(world: &Arc<World>, node: &Node) -> Result<CompiledNode> {
    compile_with(world, node, None)
}

/// Compiles `node` with some names replaced.
///
/// # Errors
/// As [`compile`].
pub fn compile_with(world: &Arc<World>, node: &Node, overrides: Option<Arc<Overrides>>) -> Result<CompiledNode> {
    let (rendered, ephemerals, warnings) = render(world, node, overrides.clone())?;
    let given = overrides.map(|overrides| overrides.ctes.clone()).unwrap_or_default();
    let mut ctes: Vec<Cte> = given.into_iter().map(|(name, query)| Cte { name, query, from: None }).collect();
    ctes.extend(ephemeral::collect(world, ephemerals)?);
    let (text, injected) = ephemeral::inject(rendered.text, ctes);
    Ok(CompiledNode {
        unique_id: node.unique_id.clone(),
        sql: SourceFile::new(format!("compiled/{}", compiled_path(node).display()), text),
        map: rendered.map,
        injected,
        made: node.made_template(),
        warnings,
    })
}

/// Renders the template of `node`: its text, the ephemeral models that it reads, its warnings.
fn render(
    world: &Arc<World>,
    node: &Node,
    overrides: Option<Arc<Overrides>>,
) -> Result<(crate::jinja::Rendered, Vec<String>, Vec<Diagnostic>)> {
    let node = Arc::new(node.clone());
    let file = node.template_file();
    let template = parse_template(&file).map_err(|error| node.placed(error))?;
    let context = NodeContext::with_overrides(world, Arc::clone(&node), overrides);
    let options =
        Options { package: Arc::from(node.package.as_str()), now: world.invocation.started_at, ..Options::default() };
    let mut interpreter = Interpreter::new(&world.environment, &context, options);
    let rendered = interpreter.render(&template).map_err(|error| node.placed(error))?;
    if let Some(failure) = context.take_failure() {
        return Err(node.placed(failure));
    }
    let captured = context.take_captured();
    Ok((rendered, captured.ephemerals, captured.warnings))
}

/// Renders `text`, called `name`, as `node` would see it: a hook, or a call of an operation.
///
/// # Errors
/// What the template fails with.
pub fn render_text(
    world: &Arc<World>,
    node: &Node,
    name: &str,
    text: &str,
    overrides: Overrides,
) -> Result<Arc<SourceFile>> {
    let mut copy = node.clone();
    copy.raw_code = text.to_string();
    copy.file = SourceFile::new(name, text);
    copy.code_start = 0;
    let overrides = Overrides { undeclared: true, ..overrides };
    let (rendered, ephemerals, _) = render(world, &copy, Some(Arc::new(overrides)))?;
    let ctes = ephemeral::collect(world, ephemerals)?;
    Ok(SourceFile::new(name, ephemeral::inject(rendered.text, ctes).0))
}

/// Where a node's SQL stands in the folder `compiled/`, as dbt lays it out.
pub fn compiled_path(node: &Node) -> PathBuf {
    let base = PathBuf::from(&node.package).join(&node.original_path);
    match (&node.kind, node.resource_type) {
        (NodeKind::Test(Some(_)), _) => base.join(&node.path),
        (_, ResourceType::Snapshot) => base.join(format!("{}.sql", node.name)),
        (_, ResourceType::Operation) => PathBuf::from(&node.package).join(&node.path),
        _ => base,
    }
}

/// What a materialization that is a macro has made.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Made {
    /// The relations that it returns.
    pub relations: Vec<Relation>,
    /// Rows that its statement `main` wrote, if they are known.
    pub rows: Option<u64>,
}

/// Runs the materialization `item` for `node`, which builds it.
///
/// # Errors
/// What the macro fails with; C3003 if it runs no statement `main`, or returns no relations.
pub fn run_materialization(world: &Arc<World>, node: &Node, item: &Arc<Macro>, overrides: Overrides) -> Result<Made> {
    let node = Arc::new(node.clone());
    let context = NodeContext::with_overrides(world, Arc::clone(&node), Some(Arc::new(overrides)));
    let options =
        Options { package: Arc::from(node.package.as_str()), now: world.invocation.started_at, ..Options::default() };
    let mut interpreter = Interpreter::new(&world.environment, &context, options);
    let returned = interpreter.call_definition(item, Args::none());
    let returned = returned.map_err(|stop| stop.into_diagnostic().of_node(&node.unique_id))?;
    let wrong = |what: &str| {
        Diagnostic::error(codes::JINJA_RUNTIME, format!("the materialization of `{}` {what}", node.name))
            .label(item.name_span(), "defined here")
            .of_node(&node.unique_id)
    };
    let rows = context.main_rows().ok_or_else(|| {
        wrong("runs no statement `main`")
            .help("the statement that builds the relation is `{% call statement('main') %}`")
    })?;
    let relations = returned_relations(&returned).ok_or_else(|| {
        wrong("does not return the relations that it has made")
            .help("its last line is `{{ return({'relations': [this]}) }}`")
    })?;
    Ok(Made { relations, rows })
}

/// The relations of `{'relations': [...]}`.
fn returned_relations(value: &Value) -> Option<Vec<Relation>> {
    let Value::Dict(cell) = value else { return None };
    let Value::List(list) = cell.get("relations")? else { return None };
    list.to_vec().iter().map(|item| item.as_object::<RelationValue>().map(|item| item.relation().clone())).collect()
}
