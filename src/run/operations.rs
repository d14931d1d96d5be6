//! `on-run-start` and `on-run-end`: the project's statements around a run.

use std::sync::Arc;
use std::time::Instant;

use chrono::Utc;
use serde_json::{Map, Value as Json, json};

use super::executor::{RunContext, blank_result};
use super::{Status, UnitResult};
use crate::jinja::{Overrides, node_json};
use crate::manifest::{Manifest, NodeId};
use crate::node::{Node, ResourceType};

/// The operations of the manifest that run at `when` (`on-run-start` or `on-run-end`), in order: those of packages
/// first, each in the order of its file.
pub fn operations(manifest: &Manifest, when: &str) -> Vec<NodeId> {
    let is_wanted = |node: &Node| {
        node.resource_type == ResourceType::Operation && node.tags().iter().any(|tag| tag == when)
    };
    let mut found: Vec<NodeId> = manifest.ids().filter(|id| is_wanted(manifest.node(*id))).collect();
    found.sort_by_key(|id| {
        let node = manifest.node(*id);
        let index = node.config.get("index").and_then(Json::as_u64).unwrap_or(0);
        (node.package == manifest.project_name, node.package.clone(), index)
    });
    found
}

impl RunContext {
    /// Runs one operation; `results` are those of the run, for `on-run-end`.
    pub(super) async fn operation(self: &Arc<Self>, id: NodeId, results: &[UnitResult]) -> UnitResult {
        let node = self.manifest.node(id);
        let started = Instant::now();
        let mut result = blank_result(node, Utc::now());
        let overrides = Overrides { names: self.names(results), ..Overrides::default() };
        let ran = match self.engine.meter() {
            Ok(meter) => self.statement(node, &node.name, &node.raw_code, overrides, &meter).await,
            Err(error) => Err(error),
        };
        result.execute_time = started.elapsed();
        match ran {
            Ok(sql) => {
                result.message = Some("OK".into());
                result.compiled_code = Some(sql);
            }
            Err(error) => {
                let error = error.of_node(&node.unique_id);
                result.status = Status::Error;
                result.message = Some(format!("{}: {}", error.code.id, error.message));
                result.failures = Some(1);
                result.diagnostics.push(*error);
            }
        }
        result
    }

    /// What hooks see of the run: `results`, `schemas`, `database_schemas`.
    fn names(&self, results: &[UnitResult]) -> Map<String, Json> {
        let mut schemas: Vec<(String, String)> = Vec::new();
        let mut listed = Vec::new();
        for result in results {
            let Some(node) = self.manifest.find(&result.unique_id) else { continue };
            if let Some(relation) = &node.relation {
                let pair = (relation.database.clone(), relation.schema.clone());
                if !schemas.contains(&pair) && node.resource_type != ResourceType::Test {
                    schemas.push(pair);
                }
            }
            listed.push(json!({
                "node": node_json(node),
                "unique_id": result.unique_id,
                "status": result.status.as_str(),
                "message": result.message,
                "failures": result.failures,
                "execution_time": (result.compile_time + result.execute_time).as_secs_f64(),
                "thread_id": "Thread-1",
                "adapter_response": {"rows_affected": result.rows},
                "timing": [],
            }));
        }
        let names: Vec<&String> = schemas.iter().map(|(_, schema)| schema).collect();
        let mut map = Map::new();
        map.insert("results".into(), Json::Array(listed));
        map.insert("schemas".into(), json!(names));
        map.insert("database_schemas".into(), json!(schemas));
        map
    }
}
