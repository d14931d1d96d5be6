//! `on-run-start` and `on-run-end`: the project's statements around a run.

use std::sync::Arc;
use std::time::Instant;

use chrono::Utc;
use serde_json::{Map, Value as Json, json};

use super::executor::{RunContext, blank_result};
use super::{Status, UnitResult};
use crate::jinja::{Overrides, node_json};
use crate::manifest::NodeId;
use crate::node::ResourceType;
use crate::statement::Trail;

impl RunContext {
    /// The behaviour flag `skip_nodes_if_on_run_start_fails` of the project; off unless it is set.
    pub(super) fn skips_after_failed_start(&self) -> bool {
        let flag = self.project.root.config.flags.get("skip_nodes_if_on_run_start_fails");
        flag.and_then(|flag| flag.to_json().as_bool()).unwrap_or(false)
    }

    /// Runs one operation; `results` are those of the run, for `on-run-end`.
    pub(super) async fn operation(self: &Arc<Self>, id: NodeId, results: &[UnitResult]) -> UnitResult {
        let node = self.manifest.node(id);
        let started = Instant::now();
        let mut result = blank_result(node, Utc::now());
        let overrides = Overrides { names: self.names(results), ..Overrides::default() };
        let ran = match self.engine.meter() {
            Ok(meter) => {
                let trail = Trail::default();
                let ran = self.statement(node, &node.name, &node.raw_code, overrides, (&meter, &trail)).await;
                trail.drop_temporary(&self.engine).await;
                ran
            }
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
            // dbt tells of operations that failed alone, as it did before they had results.
            if node.resource_type == ResourceType::Operation && result.status == Status::Success {
                continue;
            }
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
