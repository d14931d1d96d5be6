//! Materializations that are macros: `{% materialization name, default %}` of the project or of a package.
//!
//! The macro builds the relation itself, by statements; it runs the hooks too, if it wants them to run. What is asked of
//! it, as in dbt: that it runs a statement called `main`, and returns the relations that it has made.

use std::sync::Arc;

use super::executor::{Attempt, Outcome, RunContext};
use super::hooks::{When, end_session, listed};
use crate::compile::run_materialization;
use crate::diag::{Diagnostic, Result, SourceFile, codes};
use crate::jinja::{Macro, Overrides, node_json};
use crate::manifest::NodeId;
use crate::materialize::{self, Materialized};
use crate::node::{Node, Relation};
use crate::warehouse::Stored;

impl RunContext {
    /// The macro that builds `node`, unless c360 does.
    pub(super) fn custom_materialization(&self, node: &Node) -> Option<Arc<Macro>> {
        materialize::by_macro(&self.project, &self.world.environment, node).cloned()
    }

    /// Builds the model `id` by the macro `item`.
    pub(super) async fn materialize_by_macro(
        self: &Arc<Self>,
        id: NodeId,
        item: Arc<Macro>,
        sql: &Arc<SourceFile>,
        incremental: bool,
        attempt: &mut Attempt,
    ) -> Result<Outcome> {
        let node = self.manifest.node(id);
        let overrides = names(node, sql, incremental);
        let (world, manifest) = (Arc::clone(&self.world), Arc::clone(&self.manifest));
        let made = tokio::task::spawn_blocking(move || {
            let made = run_materialization(&world, manifest.node(id), &item, overrides);
            (made, end_session(&world))
        });
        let (made, temporary) = made.await.map_err(|error| {
            Diagnostic::error(codes::INTERNAL, format!("a materialization could not be run: {error}"))
        })?;
        attempt.trail.adopt(temporary);
        let made = made?;
        let mut done = Materialized { rows: made.rows, ..Materialized::default() };
        if let Some(relation) = made.relations.first() {
            self.measure(relation, &mut done).await?;
        }
        Ok(Outcome::Built(done))
    }

    /// What the log of the table says that a macro has made.
    async fn measure(&self, relation: &Relation, done: &mut Materialized) -> Result<()> {
        match self.engine.warehouse.load(relation).await? {
            Some(Stored::Table(table)) => {
                done.version = table.version();
                done.total_rows = Stored::Table(table).total_rows();
            }
            _ => done.rows = None,
        }
        Ok(())
    }
}

/// What a materialization sees beside the names of every template.
fn names(node: &Node, sql: &SourceFile, incremental: bool) -> Overrides {
    let mut overrides = Overrides { undeclared: true, ..Overrides::default() };
    let mut model = node_json(node);
    if let Some(model) = model.as_object_mut() {
        model.insert("compiled".into(), true.into());
        model.insert("compiled_code".into(), sql.text.as_str().into());
        model.insert("compiled_sql".into(), sql.text.as_str().into());
    }
    let names = [
        ("model", model),
        ("sql", sql.text.as_str().into()),
        ("compiled_code", sql.text.as_str().into()),
        ("pre_hooks", listed(node, When::Before)),
        ("post_hooks", listed(node, When::After)),
    ];
    overrides.names = names.into_iter().map(|(name, value)| (name.to_string(), value)).collect();
    // It is what it was when the model was compiled, whatever the macro has built since.
    overrides.macros.insert("is_incremental".into(), incremental.into());
    overrides
}
