//! How a run ended.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::{Map, Value as Json};

use crate::diag::Diagnostic;

/// How a unit ended, in dbt's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// A node was built.
    Success,
    /// A node failed.
    Error,
    /// A node did not run because something above it failed.
    Skipped,
    /// A node did not need to run.
    NoOp,
    /// A test passed.
    Pass,
    /// A test failed.
    Fail,
    /// A test found rows and its severity is warn.
    Warn,
    /// Some batches of a microbatch model succeeded.
    PartialSuccess,
}

impl Status {
    /// The word in `run_results.json`.
    pub fn as_str(self) -> &'static str {
        match self {
            Status::Success => "success",
            Status::Error => "error",
            Status::Skipped => "skipped",
            Status::NoOp => "no-op",
            Status::Pass => "pass",
            Status::Fail => "fail",
            Status::Warn => "warn",
            Status::PartialSuccess => "partial success",
        }
    }

    /// True if the run as a whole has failed because of it.
    pub fn is_failure(self) -> bool {
        matches!(self, Status::Error | Status::Fail | Status::PartialSuccess)
    }
}

/// Rejected records of one source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quarantined {
    /// `source.table`.
    pub source: String,
    /// How many.
    pub records: u64,
    /// The relation that keeps them; none if the source drops them.
    pub relation: Option<String>,
}

/// How one unit ended.
#[derive(Debug, Clone)]
pub struct UnitResult {
    /// Unique id of the node.
    pub unique_id: String,
    /// How.
    pub status: Status,
    /// One line for people; for failures the first line of the diagnostic.
    pub message: Option<String>,
    /// Rows that a test found.
    pub failures: Option<u64>,
    /// Rows that were written or published.
    pub rows: Option<u64>,
    /// Bytes that were written.
    pub bytes: Option<u64>,
    /// Most memory that the unit's operators held at a time, in bytes.
    pub peak_memory: Option<u64>,
    /// Bytes that were spilled to disk.
    pub spilled: Option<u64>,
    /// When it started.
    pub started_at: DateTime<Utc>,
    /// How long it took to compile.
    pub compile_time: Duration,
    /// How long it took to execute.
    pub execute_time: Duration,
    /// What went wrong or is worth knowing.
    pub diagnostics: Vec<Diagnostic>,
    /// The SQL that ran, if it was compiled.
    pub compiled_code: Option<String>,
    /// The relation's name in SQL.
    pub relation_name: Option<String>,
    /// More for `adapter_response`, such as the publish of a mart.
    pub response: Map<String, Json>,
}

impl UnitResult {
    /// The result of a unit that starts now and of which nothing is known but how it ends.
    pub fn new(unique_id: &str, status: Status) -> UnitResult {
        UnitResult {
            unique_id: unique_id.to_string(),
            status,
            message: None,
            failures: None,
            rows: None,
            bytes: None,
            peak_memory: None,
            spilled: None,
            started_at: Utc::now(),
            compile_time: Duration::ZERO,
            execute_time: Duration::ZERO,
            diagnostics: Vec::new(),
            compiled_code: None,
            relation_name: None,
            response: Map::new(),
        }
    }
}

/// How a whole run ended.
#[derive(Debug, Clone)]
pub struct RunResult {
    /// Results of nodes and tests, in the order in which they ended. A publish is part of its model's result.
    pub results: Vec<UnitResult>,
    /// Rejected records by source.
    pub quarantined: Vec<Quarantined>,
    /// Marts that reached a destination: `destination.table` and rows.
    pub published: Vec<(String, u64)>,
    /// How long it took.
    pub elapsed: Duration,
    /// True if the user interrupted it.
    pub interrupted: bool,
    /// The verb and its settings, for `run_results.json`.
    pub args: Map<String, Json>,
    /// Id of the invocation.
    pub invocation_id: String,
}

impl RunResult {
    /// The result of a run that did not start.
    pub fn nothing(invocation_id: &str) -> RunResult {
        RunResult {
            results: Vec::new(),
            quarantined: Vec::new(),
            published: Vec::new(),
            elapsed: Duration::ZERO,
            interrupted: false,
            args: Map::new(),
            invocation_id: invocation_id.to_string(),
        }
    }

    /// True if a node or test failed.
    pub fn has_failures(&self) -> bool {
        self.results.iter().any(|result| result.status.is_failure())
    }
}
