//! `run_results.json`, what the last run did, and `runs.json`, what runs before it did.

use std::collections::HashMap;

use indexmap::IndexMap;
use serde::Deserialize;
use serde_json::{Map, Value as Json};

use super::value::{Text, lenient, nullable};

/// The last run.
#[derive(Debug, Default)]
pub(crate) struct RunResults {
    pub(crate) metadata: Metadata,
    pub(crate) results: Vec<RunResult>,
    pub(crate) elapsed_time: f64,
    pub(crate) args: Map<String, Json>,
    by_id: HashMap<String, usize>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Written {
    #[serde(deserialize_with = "nullable")]
    metadata: Metadata,
    #[serde(deserialize_with = "nullable")]
    results: Vec<RunResult>,
    #[serde(deserialize_with = "nullable")]
    elapsed_time: f64,
    #[serde(deserialize_with = "lenient")]
    args: Map<String, Json>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Metadata {
    pub(crate) generated_at: Text,
    pub(crate) invocation_id: Text,
    pub(crate) invocation_started_at: Text,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct RunResult {
    pub(crate) unique_id: Text,
    pub(crate) status: Text,
    #[serde(deserialize_with = "lenient")]
    pub(crate) timing: Vec<Timing>,
    #[serde(deserialize_with = "nullable")]
    pub(crate) execution_time: f64,
    #[serde(deserialize_with = "lenient")]
    pub(crate) adapter_response: Map<String, Json>,
    pub(crate) message: Text,
    pub(crate) failures: Option<u64>,
    pub(crate) compiled_code: Text,
    pub(crate) relation_name: Text,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Timing {
    pub(crate) started_at: Text,
}

impl<'de> Deserialize<'de> for RunResults {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<RunResults, D::Error> {
        let Written { metadata, results, elapsed_time, args } = Written::deserialize(deserializer)?;
        let by_id = results.iter().enumerate().map(|(at, result)| (result.unique_id.to_string(), at)).collect();
        Ok(RunResults { metadata, results, elapsed_time, args, by_id })
    }
}

impl RunResults {
    /// The result of a node.
    pub(crate) fn of(&self, id: &str) -> Option<&RunResult> {
        self.by_id.get(id).and_then(|at| self.results.get(*at))
    }

    /// The verb, if it is known.
    pub(crate) fn verb(&self) -> &str {
        self.args.get("which").and_then(Json::as_str).unwrap_or_default()
    }

    /// True if nodes were run and not only looked at.
    pub(crate) fn has_run(&self) -> bool {
        !matches!(self.verb(), "compile" | "docs" | "generate" | "show" | "parse" | "list")
    }

    /// When the run started.
    pub(crate) fn started_at(&self) -> &str {
        self.metadata.invocation_started_at.some().unwrap_or(&self.metadata.generated_at)
    }
}

impl RunResult {
    /// When the unit started, if it did.
    pub(crate) fn started_at(&self) -> Option<&str> {
        self.timing.first().and_then(|timing| timing.started_at.some())
    }

    /// A number of the adapter's response.
    pub(crate) fn number(&self, key: &str) -> Option<u64> {
        self.adapter_response.get(key).and_then(Json::as_u64)
    }
}

/// Runs that the warehouse remembers.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct History {
    /// Newest first.
    #[serde(deserialize_with = "nullable")]
    pub(crate) runs: Vec<Run>,
    #[serde(deserialize_with = "nullable")]
    pub(crate) nodes: IndexMap<String, Vec<NodeRun>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Run {
    pub(crate) invocation_id: Text,
    pub(crate) started_at: Text,
    #[serde(deserialize_with = "nullable")]
    pub(crate) elapsed: f64,
    pub(crate) verb: Text,
    pub(crate) target: Text,
    pub(crate) version: Text,
    pub(crate) status: Text,
    #[serde(deserialize_with = "lenient")]
    pub(crate) counts: IndexMap<String, u64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct NodeRun {
    pub(crate) invocation_id: Text,
    pub(crate) started_at: Text,
    pub(crate) status: Text,
    pub(crate) kind: Text,
    pub(crate) duration: Option<f64>,
    pub(crate) rows: Option<u64>,
    pub(crate) bytes: Option<u64>,
    pub(crate) peak_memory: Option<u64>,
    pub(crate) failures: Option<u64>,
    pub(crate) message: Text,
    pub(crate) destination: Text,
}
