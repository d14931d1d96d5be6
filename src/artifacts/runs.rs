//! `runs.json`: the newest runs of the project, and what became of each node in them.

use std::collections::BTreeMap;

use indexmap::IndexMap;
use serde::Serialize;

/// The file.
#[derive(Debug, Default, Serialize)]
pub struct Runs {
    /// Newest first.
    pub runs: Vec<PastRun>,
    /// By unique id, newest first.
    pub nodes: BTreeMap<String, Vec<NodeRun>>,
}

/// One run.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PastRun {
    /// Its id.
    pub invocation_id: String,
    /// When it started.
    pub started_at: String,
    /// Seconds.
    pub elapsed: f64,
    /// `build`, `run`, ...
    pub verb: String,
    /// Name of the target.
    pub target: String,
    /// Version of the program.
    pub version: String,
    /// `success`, `error` or `interrupted`.
    pub status: String,
    /// Units by how they ended.
    pub counts: IndexMap<String, u64>,
}

/// A node, a test or a publish in one run.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct NodeRun {
    /// Id of the run.
    pub invocation_id: String,
    /// When the unit started.
    pub started_at: String,
    /// How it ended.
    pub status: String,
    /// `build`, `test` or `publish`.
    pub kind: String,
    /// Seconds.
    pub duration: f64,
    /// Rows that were written or published.
    pub rows: Option<u64>,
    /// Bytes that were written.
    pub bytes: Option<u64>,
    /// Bytes that its operators held at most.
    pub peak_memory: Option<u64>,
    /// Rows that a test found.
    pub failures: Option<u64>,
    /// A line for people.
    pub message: Option<String>,
    /// `destination.table` of a publish.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub destination: Option<String>,
}
