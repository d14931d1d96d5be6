//! What happens in a run, as messages. The dispatcher is their only source; reporters are functions of them.

use chrono::{DateTime, Utc};

use super::{RunResult, UnitResult};
use crate::diag::Diagnostic;
use crate::node::ResourceType;

/// One unit of work, as reporters know it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnitInfo {
    /// Number within the run, from 1, in the order of starting.
    pub index: usize,
    /// Unique id of the node.
    pub unique_id: String,
    /// Name for people: `mart_totals`, `unique_stg_orders_id`.
    pub name: String,
    /// Type of the node.
    pub resource_type: ResourceType,
    /// `table`, `view`, `incremental`, `seed`, `test`, `snapshot`, `publish`, `operation`.
    pub action: String,
    /// `schema.identifier`, or `destination.table` for a publish; none for tests.
    pub relation: Option<String>,
}

/// A message of a run.
#[derive(Debug, Clone)]
pub enum RunEvent {
    /// The schedule is made; nothing has run.
    Started {
        /// Id of the invocation.
        invocation_id: String,
        /// The verb.
        command: String,
        /// Name of the project.
        project: String,
        /// Name of the target.
        target: String,
        /// How many units will run.
        total: usize,
        /// Units by action, in the order of first appearance: `[("view", 4), ("table", 6)]`.
        counts: Vec<(String, usize)>,
        /// Units at the same time.
        threads: usize,
        /// When.
        at: DateTime<Utc>,
    },
    /// A unit has started.
    UnitStarted {
        /// Which.
        unit: UnitInfo,
        /// When.
        at: DateTime<Utc>,
    },
    /// A running unit has come further. Sent a few times a second.
    UnitProgress {
        /// Number of the unit.
        index: usize,
        /// Rows so far.
        rows: u64,
    },
    /// A unit has ended, or was skipped without starting.
    UnitFinished {
        /// Which.
        unit: UnitInfo,
        /// How.
        result: Box<UnitResult>,
        /// When.
        at: DateTime<Utc>,
    },
    /// Something was found that belongs to no unit.
    Found(Box<Diagnostic>),
    /// A template called `log(..., info=true)` or `print`.
    Log {
        /// The text.
        message: String,
        /// True for `print`: it belongs to stdout.
        print: bool,
    },
    /// The user asked to stop: what runs is finished, nothing else is started.
    Interrupted,
    /// Everything has ended.
    Finished {
        /// All results.
        result: Box<RunResult>,
    },
}
