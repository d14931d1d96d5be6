//! `clone`: what another state has built, under the names that nodes have here.
//!
//! A table is copied, rows and all: a Delta table that named files of another one would break as soon as that one is
//! vacuumed. A view becomes a view of the other one. What is there already stays, unless everything is built anew.

use std::sync::Arc;

use serde_json::json;

use super::executor::{Attempt, RunContext};
use crate::diag::{Diagnostic, Result, SourceFile, codes};
use crate::manifest::NodeId;
use crate::materialize::{Job, Materialized, materialize_as};
use crate::node::ResourceType;
use crate::warehouse::{Progress, Stored};

impl RunContext {
    /// Takes over one node; none if there is nothing to do.
    pub(super) async fn clone_node(
        self: &Arc<Self>,
        id: NodeId,
        attempt: &mut Attempt,
        progress: &Arc<Progress>,
    ) -> Result<Option<Materialized>> {
        let node = self.manifest.node(id);
        let (Some(own), Some(other)) = (&node.relation, self.clones.get(&node.unique_id)) else { return Ok(None) };
        let warehouse = &self.engine.warehouse;
        if own.is(other) || (!self.full_refresh && warehouse.load(own).await?.is_some()) {
            return Ok(None);
        }
        let kind = match warehouse.load(other).await? {
            Some(Stored::Table(_)) => "table",
            Some(Stored::View(_)) => "view",
            None => {
                return Err(Diagnostic::error(codes::RELATION_NOT_BUILT, format!("there is no `{other}` to clone"))
                    .help("the state names it, and nothing has built it, or it is in another warehouse"));
            }
        };
        // A plain copy, whatever builds the node.
        let mut copy = node.clone();
        copy.resource_type = ResourceType::Model;
        copy.columns.clear();
        copy.config.replace("contract", json!({}));
        let sql = SourceFile::new(format!("clone of {other}"), format!("select * from {}", other.render()));
        let job = Job {
            engine: &self.engine,
            meter: attempt.meter.insert(self.engine.meter()?),
            node: &copy,
            relation: own,
            sql: &sql,
            seed_file: None,
            progress,
            commit: self.commit(node),
            full_refresh: true,
            batch: None,
        };
        materialize_as(kind, &job).await.map(Some)
    }
}
