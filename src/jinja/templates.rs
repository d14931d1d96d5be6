//! The macros of a project and its packages, and the small renderings that need no node.

use std::sync::Arc;

use serde_json::Value as Json;

use super::blocks::{BlockKind, parse_blocks};
use super::builtin;
use super::calls::calls_of_macro;
use super::context::{NodeContext, World};
use super::env::{BUILTIN_PACKAGE, Environment};
use super::interp::{Interpreter, Options};
use super::stop::fail;
use super::syntax::ast::{Loc, Macro};
use super::value::{Args, Value};
use super::{calls, parse_template};
use crate::diag::{Diagnostic, Diagnostics, Label, Result, SourceFile, Span, codes};
use crate::manifest::MacroInfo;
use crate::node::{RefCall, SourceCall};
use crate::project::{FileKind, Project};

/// The macros of all packages, built-in ones included.
#[derive(Debug)]
pub struct Templates {
    environment: Arc<Environment>,
}

impl Templates {
    /// Reads the macro files of `project` and of its packages.
    pub fn read(project: &Project, diagnostics: &mut Diagnostics) -> Templates {
        let mut environment = Environment::new(project.root.name());
        builtin::add_to(&mut environment);
        for package in project.all() {
            environment.add_package(package.name());
            for file in package.files_of(FileKind::Macro) {
                let blocks = parse_blocks(&file.source, package.name());
                for item in blocks.macros() {
                    if let Some(first) = environment.add_macro(Arc::clone(item)) {
                        diagnostics.push(twice(item, &first));
                    }
                }
                diagnostics.extend(blocks.diagnostics);
            }
        }
        Templates { environment: Arc::new(environment) }
    }

    /// The macros, for interpreters.
    pub fn environment(&self) -> Arc<Environment> {
        Arc::clone(&self.environment)
    }

    /// True if a node of `package` can call the macro `name` (of `namespace`, if one is given).
    pub fn has_macro(&self, name: &str, namespace: Option<&str>, package: &str) -> bool {
        match namespace {
            Some(namespace) => self.environment.get(namespace, name).is_some(),
            None => [package, self.environment.root(), BUILTIN_PACKAGE]
                .into_iter()
                .any(|package| self.environment.get(package, name).is_some()),
        }
    }

    /// Names of the data tests that exist, without `test_`.
    pub fn test_names(&self) -> Vec<String> {
        let packages = self.environment.packages();
        let macros = packages.flat_map(|package| self.environment.macros_of(package));
        let mut names: Vec<String> =
            macros.filter_map(|item| item.name.strip_prefix("test_").map(str::to_string)).collect();
        names.sort();
        names
    }

    /// All macros as artifacts describe them, sorted by unique id.
    pub fn macro_infos(&self) -> Vec<MacroInfo> {
        let packages = self.environment.packages();
        let macros = packages.flat_map(|package| self.environment.macros_of(package));
        let mut infos: Vec<MacroInfo> = macros.map(|item| self.info(item)).collect();
        infos.sort_by(|a, b| a.unique_id.cmp(&b.unique_id));
        infos
    }

    fn info(&self, item: &Macro) -> MacroInfo {
        let mut depends_on: Vec<String> = calls_of_macro(item)
            .iter()
            .filter_map(|call| self.find(&call.name, &item.package))
            .map(|found| format!("macro.{}.{}", found.package, found.name))
            .collect();
        depends_on.sort();
        depends_on.dedup();
        MacroInfo {
            unique_id: format!("macro.{}.{}", item.package, item.name),
            name: item.name.to_string(),
            package: item.package.to_string(),
            original_path: item.file.path.clone(),
            macro_sql: item.raw().to_string(),
            description: String::new(),
            meta: serde_json::Map::new(),
            arguments: Vec::new(),
            depends_on,
        }
    }

    fn find(&self, call: &str, package: &str) -> Option<&Arc<Macro>> {
        match call.split_once('.') {
            Some((namespace, name)) => self.environment.get(namespace, name),
            None => [package, self.environment.root(), BUILTIN_PACKAGE]
                .into_iter()
                .find_map(|package| self.environment.get(package, call)),
        }
    }
}

fn twice(item: &Macro, first: &Macro) -> Box<Diagnostic> {
    Diagnostic::error(codes::DUPLICATE_NODE, format!("two macros are named `{}`", item.name))
        .label(item.name_span(), "this is the second one")
        .label(first.name_span(), "this is the first one")
}

/// The value of a text in a YAML file of `package`; a lone expression keeps its type.
///
/// # Errors
/// What the template fails with, placed in the YAML file.
pub fn render_yaml(world: &Arc<World>, package: &str, text: &str, span: &Span) -> Result<Json> {
    render_text(world, NodeContext::for_yaml(world, package, false), text, span)
}

/// The value of a text in `profiles.yml`, where secrets may be read.
///
/// # Errors
/// What the template fails with, placed in the YAML file.
pub fn render_profile(world: &Arc<World>, text: &str, span: &Span) -> Result<Json> {
    render_text(world, NodeContext::for_yaml(world, "", true), text, span)
}

fn render_text(world: &Arc<World>, context: NodeContext, text: &str, span: &Span) -> Result<Json> {
    let file = SourceFile::new(span.file.path.clone(), text);
    let placed = |error| place_in_yaml(error, &file, span);
    let template = parse_template(&file).map_err(placed)?;
    let options = Options { now: world.invocation.started_at, native: true, map: false, ..Options::default() };
    let mut interpreter = Interpreter::new(&world.environment, &context, options);
    let value = interpreter.render_value(&template).map_err(placed)?;
    match value {
        Value::Undefined(undefined) => Err(placed(undefined.error().into_diagnostic())),
        value => value.to_json().map_err(|stop| placed(stop.into_diagnostic())),
    }
}

/// A template inside of a YAML value is reported at the value: its text may be folded and escaped there.
fn place_in_yaml(mut diagnostic: Box<Diagnostic>, file: &Arc<SourceFile>, span: &Span) -> Box<Diagnostic> {
    let inner: Vec<Label> = std::mem::take(&mut diagnostic.labels);
    for mut label in inner {
        if label.span.file == *file {
            let offset = span.text().find(label.span.text()).filter(|_| !label.span.text().is_empty());
            label.span = match offset {
                Some(at) => {
                    let start = span.start as usize + at;
                    Span::new(&span.file, start..start + label.span.text().len())
                }
                None => span.clone(),
            };
        }
        diagnostic.labels.push(label);
    }
    if diagnostic.labels.is_empty() {
        diagnostic = diagnostic.label(span.clone(), "");
    }
    diagnostic
}

/// A description with its `doc('name')` and `doc('package', 'name')` calls replaced by what `find` gives.
///
/// # Errors
/// What the template or `find` fails with.
pub fn render_description(
    text: &str,
    span: &Span,
    find: &dyn Fn(Option<&str>, &str) -> Result<String>,
) -> Result<String> {
    let file = SourceFile::new(span.file.path.clone(), text);
    let template = parse_template(&file).map_err(|error| place_in_yaml(error, &file, span))?;
    let mut found = std::collections::HashMap::new();
    for call in calls(&template).iter().filter(|call| call.name == "doc") {
        let (package, name) = match call.texts().as_deref() {
            Some([name]) => (None, name.to_string()),
            Some([package, name]) => (Some(package.to_string()), name.to_string()),
            _ => continue,
        };
        let contents = find(package.as_deref(), &name)?;
        found.insert((package, name), contents);
    }
    let doc = Value::function("doc", move |_, args: Args| {
        let texts: Vec<String> = args.positional.iter().filter_map(|arg| arg.as_str().map(str::to_string)).collect();
        let key = match texts.as_slice() {
            [name] => (None, name.clone()),
            [package, name] => (Some(package.clone()), name.clone()),
            _ => return Err(fail("doc() takes the name of a docs block")),
        };
        found.get(&key).map(Value::str).ok_or_else(|| fail("doc() takes literal names"))
    });
    let context = move |name: &str| (name == "doc").then(|| doc.clone());
    let environment = Environment::new("");
    let mut interpreter = Interpreter::new(&environment, &context, Options { map: false, ..Options::default() });
    interpreter.render(&template).map(|rendered| rendered.text).map_err(|error| place_in_yaml(error, &file, span))
}

/// The `ref('x')` and `source('a', 'b')` calls with literal arguments in `text`, placed at `span`. The text is a
/// template or a bare call.
pub fn literal_references(text: &str, span: &Span) -> (Vec<RefCall>, Vec<SourceCall>) {
    let source = if text.contains("{{") { text.to_string() } else { format!("{{{{ {text} }}}}") };
    let file = SourceFile::new(span.file.path.clone(), source);
    let (mut refs, mut sources) = (Vec::new(), Vec::new());
    let Ok(template) = parse_template(&file) else { return (refs, sources) };
    for call in calls(&template) {
        let texts: Vec<&str> = call.args.iter().filter_map(|arg| arg.as_ref().and_then(Json::as_str)).collect();
        let version = call
            .keywords
            .iter()
            .find(|(name, _)| name == "version" || name == "v")
            .and_then(|(_, value)| value.clone());
        match (call.name.as_str(), texts.as_slice()) {
            ("ref", [name]) => {
                refs.push(RefCall { package: None, name: name.to_string(), version, span: Some(span.clone()) });
            }
            ("ref", [package, name]) => refs.push(RefCall {
                package: Some(package.to_string()),
                name: name.to_string(),
                version,
                span: Some(span.clone()),
            }),
            ("source", [source, table]) => sources.push(SourceCall {
                source: source.to_string(),
                table: table.to_string(),
                span: Some(span.clone()),
            }),
            _ => {}
        }
    }
    (refs, sources)
}

/// The docs blocks of a Markdown file: name and text.
pub fn docs_blocks(file: &Arc<SourceFile>, diagnostics: &mut Diagnostics) -> Vec<(String, String)> {
    let blocks = parse_blocks(file, "");
    diagnostics.extend(blocks.diagnostics);
    let docs = blocks.blocks.into_iter().filter(|block| block.kind == BlockKind::Docs);
    docs.map(|block| (block.name.clone(), block.inner_text().to_string())).collect()
}

/// The inside of a `{% snapshot %}` block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SnapshotBlock {
    /// Its name.
    pub name: String,
    /// The text between its tags.
    pub text: String,
    /// Where that text starts in the file, in bytes.
    pub start: usize,
}

/// The snapshots of a file.
pub fn snapshot_blocks(file: &Arc<SourceFile>, diagnostics: &mut Diagnostics) -> Vec<SnapshotBlock> {
    let blocks = parse_blocks(file, "");
    diagnostics.extend(blocks.diagnostics);
    let snapshots = blocks.blocks.iter().filter(|block| block.kind == BlockKind::Snapshot);
    snapshots
        .map(|block| {
            let Loc { start, .. } = block.inner;
            SnapshotBlock { name: block.name.clone(), text: block.inner_text().to_string(), start: start as usize }
        })
        .collect()
}
