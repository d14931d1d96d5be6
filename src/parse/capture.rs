//! Renders every draft once, without data, to learn what it references and configures.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::diag::{Diagnostic, Result};
use crate::jinja::{Captured, Interpreter, NodeContext, Options, STACK_SIZE, World, parse_template};
use crate::node::{Node, ResourceType};

/// What a draft's template told, and why it stopped if it did.
#[derive(Debug, Default)]
pub(super) struct Seen {
    pub(super) captured: Captured,
    pub(super) error: Option<Box<Diagnostic>>,
}

/// Below this many drafts a second thread is not worth its start.
const DRAFTS_PER_THREAD: usize = 64;

/// Renders the templates of `drafts`, in parallel; results are in the order of the drafts.
pub(super) fn capture_all(world: &Arc<World>, drafts: &[Arc<Node>]) -> Vec<Seen> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let threads = cores.min(drafts.len().div_ceil(DRAFTS_PER_THREAD)).max(1);
    let next = AtomicUsize::new(0);
    let work = || {
        let mut done = Vec::new();
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(node) = drafts.get(index) else { return done };
            done.push((index, capture(world, node)));
        }
    };
    let mut all: Vec<(usize, Seen)> = std::thread::scope(|scope| {
        let spawn = |_| std::thread::Builder::new().stack_size(STACK_SIZE).spawn_scoped(scope, work);
        let handles: Vec<_> = (0..threads).map(spawn).collect();
        handles.into_iter().flatten().flat_map(|handle| handle.join().unwrap_or_default()).collect()
    });
    all.sort_by_key(|(index, _)| *index);
    let mut seen: Vec<Seen> = Vec::new();
    seen.resize_with(drafts.len(), Seen::default);
    for (index, one) in all {
        seen[index] = one;
    }
    seen
}

fn capture(world: &Arc<World>, node: &Arc<Node>) -> Seen {
    if node.resource_type == ResourceType::Seed {
        return Seen::default();
    }
    let context = NodeContext::for_parse(world, Arc::clone(node));
    let error = render(world, node, &context).err();
    let error = error.or_else(|| context.take_failure()).map(|error| node.placed(error));
    Seen { captured: context.take_captured(), error }
}

fn render(world: &Arc<World>, node: &Arc<Node>, context: &NodeContext) -> Result<()> {
    let template = parse_template(&node.template_file())?;
    if template.plain {
        return Ok(());
    }
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
