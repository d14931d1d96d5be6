//! What the last runs did, of whichever artifact knows it: `run_results.json` has the last run, `runs.json` those before.

use std::collections::HashMap;

use serde::Serialize;
use serde_json::Value as Json;

use super::read::{Artifacts, NodeRun};

/// What is known about the last time that a node or test ran.
#[derive(Debug, Default, Clone, PartialEq)]
pub(super) struct Last {
    pub(super) status: String,
    pub(super) at: Option<String>,
    pub(super) seconds: Option<f64>,
    pub(super) rows: Option<u64>,
    pub(super) bytes: Option<u64>,
    pub(super) failures: Option<u64>,
    pub(super) message: Option<String>,
}

/// A run, as the data contract has it.
#[derive(Debug, Clone, Serialize)]
pub(super) struct RunDoc {
    id: String,
    pub(super) at: String,
    seconds: f64,
    verb: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    target: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    version: String,
    status: String,
    counts: Vec<(String, u64)>,
}

/// How often a node was tried, newest first, as the data contract has it.
#[derive(Debug, Clone, Default, Serialize)]
pub(super) struct NodeRunDoc {
    id: String,
    at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<&'static str>,
    status: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    seconds: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rows: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    memory: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    failures: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
}

/// The last publish of a table.
#[derive(Debug, Clone, Default, Serialize, PartialEq)]
pub(super) struct LastPublish {
    at: String,
    status: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    rows: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    seconds: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
}

/// Runs are told at most so often for a node.
const MAX_RUNS: usize = 100;

/// The last time that each node and test ran.
pub(super) struct Results<'a> {
    artifacts: &'a Artifacts,
    last: HashMap<&'a str, Last>,
}

impl<'a> Results<'a> {
    pub(super) fn new(artifacts: &'a Artifacts) -> Results<'a> {
        let mut last: HashMap<&str, Last> = HashMap::new();
        for (id, runs) in artifacts.history.iter().flat_map(|history| &history.nodes) {
            if let Some(run) = runs.iter().find(|run| !is_publish(run)) {
                last.insert(id, Last::of_history(run));
            }
        }
        if let Some(results) = artifacts.run_results.as_ref().filter(|results| results.has_run()) {
            for result in &results.results {
                let found = Last::of_result(result, results.started_at());
                let is_newer = last.get(&*result.unique_id).is_none_or(|known| known.at <= found.at);
                if is_newer {
                    last.insert(&result.unique_id, found);
                }
            }
        }
        Results { artifacts, last }
    }

    /// The last time that a node or test ran.
    pub(super) fn last(&self, id: &str) -> Option<&Last> {
        self.last.get(id)
    }

    /// The runs of the project, newest first. The last one is among them even if the warehouse does not know it.
    pub(super) fn runs(&self) -> Vec<RunDoc> {
        let history = self.artifacts.history.iter().flat_map(|history| &history.runs);
        let mut runs: Vec<RunDoc> = history
            .map(|run| RunDoc {
                id: run.invocation_id.to_string(),
                at: run.started_at.to_string(),
                seconds: rounded(run.elapsed),
                verb: run.verb.to_string(),
                target: run.target.to_string(),
                version: run.version.to_string(),
                status: run.status.to_string(),
                counts: run.counts.iter().map(|(status, count)| (status.clone(), *count)).collect(),
            })
            .collect();
        if let Some(last) = self.last_run().filter(|last| !runs.iter().any(|run| run.id == last.id)) {
            runs.push(last);
        }
        runs.sort_by(|a, b| b.at.cmp(&a.at));
        runs.truncate(MAX_RUNS);
        runs
    }

    fn last_run(&self) -> Option<RunDoc> {
        let results = self.artifacts.run_results.as_ref().filter(|results| results.has_run())?;
        let mut counts: Vec<(String, u64)> = Vec::new();
        for result in &results.results {
            match counts.iter_mut().find(|(status, _)| *status == *result.status) {
                Some((_, count)) => *count += 1,
                None => counts.push((result.status.to_string(), 1)),
            }
        }
        counts.sort();
        let failed = counts.iter().any(|(status, _)| matches!(status.as_str(), "error" | "fail" | "runtime error"));
        Some(RunDoc {
            id: results.metadata.invocation_id.to_string(),
            at: results.started_at().to_string(),
            seconds: rounded(results.elapsed_time),
            verb: results.verb().to_string(),
            target: String::new(),
            version: String::new(),
            status: if failed { "error" } else { "success" }.to_string(),
            counts,
        })
    }

    /// The runs of a node, newest first. Tests have no kind.
    pub(super) fn runs_of(&self, id: &str, is_test: bool) -> Vec<NodeRunDoc> {
        let history = self.artifacts.history.as_ref().and_then(|history| history.nodes.get(id));
        let told = |run: &NodeRun| NodeRunDoc {
            id: run.invocation_id.to_string(),
            at: run.started_at.to_string(),
            kind: (!is_test).then(|| if is_publish(run) { "publish" } else { "build" }),
            status: run.status.to_string(),
            seconds: run.duration.map(rounded),
            rows: run.rows,
            bytes: run.bytes,
            memory: run.peak_memory,
            failures: run.failures,
            message: run.message.some().map(str::to_string),
        };
        let mut runs: Vec<NodeRunDoc> = history.into_iter().flatten().map(told).collect();
        if let Some(last) = self.last_run_of(id, is_test).filter(|last| !runs.iter().any(|run| run.id == last.id)) {
            runs.push(last);
        }
        runs.sort_by(|a, b| b.at.cmp(&a.at));
        runs.truncate(MAX_RUNS);
        runs
    }

    fn last_run_of(&self, id: &str, is_test: bool) -> Option<NodeRunDoc> {
        let results = self.artifacts.run_results.as_ref().filter(|results| results.has_run())?;
        let result = results.of(id)?;
        let last = Last::of_result(result, results.started_at());
        Some(NodeRunDoc {
            id: results.metadata.invocation_id.to_string(),
            at: last.at.unwrap_or_default(),
            kind: (!is_test).then_some("build"),
            status: last.status,
            seconds: last.seconds,
            rows: result.number("rows").or_else(|| result.number("rows_affected")),
            bytes: result.number("bytes"),
            memory: result.number("peak_memory"),
            failures: last.failures,
            message: last.message,
        })
    }

    /// The last publish of `node` to the table `table` of `destination`.
    pub(super) fn publish(&self, node: &str, destination: &str, table: &str) -> Option<LastPublish> {
        self.published_now(node, destination, table).or_else(|| self.published_before(node, destination))
    }

    fn published_now(&self, node: &str, destination: &str, table: &str) -> Option<LastPublish> {
        let results = self.artifacts.run_results.as_ref().filter(|results| results.has_run())?;
        let result = results.of(node)?;
        let publish = result.adapter_response.get("publish")?;
        let tables = publish.get("tables").and_then(Json::as_array);
        let text = |value: &Json, key: &str| value.get(key).and_then(Json::as_str).map(str::to_string);
        let is_it = |row: &&Json| {
            text(row, "destination").as_deref() == Some(destination) && text(row, "table").as_deref() == Some(table)
        };
        let row = tables.and_then(|rows| rows.iter().find(is_it));
        let status = text(publish, "status").unwrap_or_default();
        Some(LastPublish {
            at: result.started_at().unwrap_or(results.started_at()).to_string(),
            status: if status.is_empty() { "success".to_string() } else { status },
            rows: row.and_then(|row| row.get("rows")).and_then(Json::as_u64),
            seconds: publish.get("seconds").and_then(Json::as_f64).map(rounded),
            message: text(publish, "message"),
        })
    }

    fn published_before(&self, node: &str, destination: &str) -> Option<LastPublish> {
        let runs = self.artifacts.history.as_ref()?.nodes.get(node)?;
        let is_it = |run: &&NodeRun| is_publish(run) && run.destination.some().is_none_or(|name| name == destination);
        let run = runs.iter().find(is_it)?;
        Some(LastPublish {
            at: run.started_at.to_string(),
            status: run.status.to_string(),
            rows: run.rows,
            seconds: run.duration.map(rounded),
            message: run.message.some().map(str::to_string),
        })
    }
}

impl Last {
    fn of_history(run: &NodeRun) -> Last {
        Last {
            status: run.status.to_string(),
            at: run.started_at.some().map(str::to_string),
            seconds: run.duration.map(rounded),
            rows: run.rows,
            bytes: run.bytes,
            failures: run.failures,
            message: run.message.some().map(str::to_string),
        }
    }

    fn of_result(result: &super::read::RunResult, started_at: &str) -> Last {
        Last {
            status: result.status.to_string(),
            at: Some(result.started_at().unwrap_or(started_at).to_string()).filter(|at| !at.is_empty()),
            seconds: Some(rounded(result.execution_time)).filter(|_| !result.timing.is_empty()),
            rows: result.number("total_rows").or_else(|| result.number("rows")),
            bytes: result.number("bytes"),
            failures: result.failures,
            message: result.message.some().map(str::to_string),
        }
    }
}

fn is_publish(run: &NodeRun) -> bool {
    &*run.kind == "publish"
}

/// Seconds to the tenth of a millisecond.
fn rounded(seconds: f64) -> f64 {
    if seconds.is_finite() { (seconds * 1e4).round() / 1e4 } else { 0.0 }
}
