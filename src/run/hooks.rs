//! Hooks: statements before and after a node (`pre_hook`, `post_hook`).
//!
//! dbt runs hooks that want no transaction outside of it: first before the node, last after it. There is no transaction
//! here, and the order stays.

use std::sync::Arc;

use serde_json::{Map, Value as Json, json};

use super::executor::RunContext;
use crate::compile::render_text;
use crate::diag::{Diagnostic, Result, codes};
use crate::engine::Meter;
use crate::jinja::{Overrides, World};
use crate::node::{Node, Relation, plain};
use crate::statement::{Executor, Trail, drain};
use crate::warehouse::{Commit, Profiling};

/// When a hook runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum When {
    /// Before its node.
    Before,
    /// After it.
    After,
}

impl When {
    fn key(self) -> &'static str {
        match self {
            When::Before => "pre_hook",
            When::After => "post_hook",
        }
    }
}

/// One hook: its template, and whether it belongs to the node's transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Hook {
    sql: String,
    transaction: bool,
}

/// The hooks of `node`, in the order in which they run.
fn hooks(node: &Node, when: When) -> Vec<Hook> {
    let listed = match node.config.get(when.key()) {
        Some(Json::Array(items)) => items.clone(),
        Some(other) => vec![other.clone()],
        None => Vec::new(),
    };
    let mut hooks: Vec<Hook> = listed.iter().map(hook).collect();
    hooks.sort_by_key(|hook| hook.transaction == (when == When::Before));
    hooks
}

/// A hook as it is written: text, `{sql: ..., transaction: ...}`, or such an object as text.
fn hook(value: &Json) -> Hook {
    let parsed = value.as_str().filter(|text| text.trim_start().starts_with('{'));
    let parsed: Option<Json> = parsed.and_then(|text| serde_json::from_str(text).ok());
    match parsed.as_ref().unwrap_or(value) {
        Json::Object(parts) => Hook {
            sql: parts.get("sql").map(plain).unwrap_or_default(),
            transaction: parts.get("transaction").and_then(Json::as_bool).unwrap_or(true),
        },
        _ => Hook { sql: plain(value), transaction: true },
    }
}

impl RunContext {
    /// Runs the hooks of `node`. `incremental` is what `is_incremental()` said when the node was compiled: the first
    /// run of a model is no incremental one, also when its table is there.
    pub(super) async fn hooks(
        self: &Arc<Self>,
        node: &Node,
        when: When,
        incremental: bool,
        (meter, trail): (&Meter, &Trail),
    ) -> Result<()> {
        let mut macros = Map::new();
        macros.insert("is_incremental".into(), json!(incremental));
        for hook in hooks(node, when) {
            let name = format!("{} of {}", when.key(), node.name);
            let overrides = Overrides { macros: macros.clone(), ..Overrides::default() };
            self.statement(node, &name, &hook.sql, overrides, (meter, trail)).await?;
        }
        Ok(())
    }

    /// Renders `text` as `node` sees it, and runs the statements that it says.
    pub(super) async fn statement(
        self: &Arc<Self>,
        node: &Node,
        name: &str,
        text: &str,
        overrides: Overrides,
        (meter, trail): (&Meter, &Trail),
    ) -> Result<String> {
        let world = Arc::clone(&self.world);
        let (owned, title, template) = (node.clone(), name.to_string(), text.to_string());
        let rendered = tokio::task::spawn_blocking(move || {
            let rendered = render_text(&world, &owned, &title, &template, overrides);
            (rendered, end_session(&world))
        });
        let (rendered, temporary) = rendered.await.map_err(|error| {
            Diagnostic::error(codes::INTERNAL, format!("a template could not be rendered: {error}"))
        })?;
        trail.adopt(temporary);
        let rendered = rendered?;
        let commit = Commit::new(&node.unique_id, &self.world.invocation.id).profiled(Profiling::AsBefore);
        let executor = Executor { engine: &self.engine, meter, commit, trail };
        if let Some(rows) = executor.run(name, &rendered.text).await? {
            drain(rows).await?;
        }
        Ok(rendered.text.clone())
    }
}

/// The temporary tables of the template that this thread has rendered.
pub(super) fn end_session(world: &World) -> Vec<Relation> {
    world.adapter.as_ref().map(|adapter| adapter.end_session()).unwrap_or_default()
}

/// The hooks of `node` as a materialization gets them.
pub(super) fn listed(node: &Node, when: When) -> Json {
    let list = hooks(node, when).into_iter().enumerate();
    list.map(|(index, hook)| json!({"sql": hook.sql, "transaction": hook.transaction, "index": index})).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hooks_are_text_or_objects() {
        let plain = Hook { sql: "select 1".into(), transaction: true };
        assert_eq!(hook(&json!("select 1")), plain);
        assert_eq!(hook(&json!({"sql": "select 1"})), plain);
        let outside = Hook { sql: "vacuum".into(), transaction: false };
        assert_eq!(hook(&json!({"sql": "vacuum", "transaction": false})), outside);
        assert_eq!(hook(&json!("{\"sql\": \"vacuum\", \"transaction\": false}")), outside);
        assert_eq!(hook(&json!("{{ log_it() }}")).sql, "{{ log_it() }}");
    }
}
