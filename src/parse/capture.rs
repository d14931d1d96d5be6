//! Renders every draft once, without data, to learn what it references and configures.

use std::sync::Arc;

use serde_json::Value as Json;

use crate::diag::{Diagnostic, Result, SourceFile, Span};
use crate::jinja::{Captured, Interpreter, NodeContext, Options, STACK_SIZE, Template, World, calls, parse_template};
use crate::node::{Node, ResourceType};
use crate::stdx::in_parallel;

/// What a draft's template told, and why it stopped if it did.
#[derive(Debug, Default)]
pub(super) struct Seen {
    pub(super) captured: Captured,
    pub(super) written: Written,
    pub(super) error: Option<Box<Diagnostic>>,
}

/// Arguments of the template's own `config()` calls that are no literals: where the call stands, name, expression.
#[derive(Debug, Default)]
pub(super) struct Written(Vec<(Span, String, String)>);

impl Written {
    fn read(template: &Template, file: &Arc<SourceFile>) -> Written {
        let mut found = Vec::new();
        for call in calls(template).into_iter().filter(|call| call.name == "config") {
            let span = call.span(file);
            for ((name, literal), place) in call.keywords.iter().zip(&call.keyword_places) {
                if literal.is_none() {
                    found.push((span.clone(), name.clone(), format!("{{{{ {} }}}}", place.span(file).text())));
                }
            }
        }
        Written(found)
    }

    /// The expression behind the setting `key` of the call at `span`, as a template; none if it is a literal.
    pub(super) fn get(&self, key: &str, span: &Span) -> Option<Json> {
        let is_meant =
            |place: &Span| Arc::ptr_eq(&place.file, &span.file) && (place.start, place.end) == (span.start, span.end);
        let found = self.0.iter().find(|(place, name, _)| name == key && is_meant(place));
        found.map(|(.., expression)| Json::String(expression.clone()))
    }
}

/// Below this many drafts a second thread is not worth its start.
const DRAFTS_PER_THREAD: usize = 64;

/// Renders the templates of `drafts`, in parallel; results are in the order of the drafts.
pub(super) fn capture_all(world: &Arc<World>, drafts: &[Arc<Node>]) -> Vec<Seen> {
    in_parallel(drafts, DRAFTS_PER_THREAD, STACK_SIZE, |node| capture(world, node))
}

fn capture(world: &Arc<World>, node: &Arc<Node>) -> Seen {
    if node.resource_type == ResourceType::Seed {
        return Seen::default();
    }
    let context = NodeContext::for_parse(world, Arc::clone(node));
    let mut written = Written::default();
    let error = render(world, node, &context, &mut written).err();
    let error = error.or_else(|| context.take_failure()).map(|error| node.placed(error));
    Seen { captured: context.take_captured(), written, error }
}

fn render(world: &Arc<World>, node: &Arc<Node>, context: &NodeContext, written: &mut Written) -> Result<()> {
    let file = node.template_file();
    let template = parse_template(&file)?;
    if template.plain {
        return Ok(());
    }
    *written = Written::read(&template, &file);
    let options = Options {
        package: Arc::from(node.package.as_str()),
        now: world.invocation.started_at,
        lenient: true,
        map: false,
        limits: crate::jinja::Limits::for_stack(STACK_SIZE),
        ..Options::default()
    };
    Interpreter::new(&world.environment, context, options).render(&template).map(drop)
}
