//! What every verb is told: arguments, environment and defaults, resolved.

use std::collections::BTreeMap;
use std::path::PathBuf;

use chrono::{DateTime, NaiveDateTime, Utc};
use serde_json::{Map, Value as Json};

use crate::diag::WarnError;
use crate::select::Criteria;

/// Resolved options; nothing here still has to be looked up.
#[derive(Debug, Clone)]
pub struct Options {
    /// The verb.
    pub command: String,
    /// Folder of the project.
    pub project_dir: PathBuf,
    /// Folders that may hold profiles.yml, in order.
    pub profiles_dirs: Vec<PathBuf>,
    /// Profile and target, if they are not the project's own.
    pub target: Target,
    /// `--vars`.
    pub vars: Map<String, Json>,
    /// Folder for artifacts, if it is not the project's own.
    pub target_path: Option<PathBuf>,
    /// Units at the same time, if that is not the profile's own.
    pub threads: Option<usize>,
    /// Rebuild incremental models from nothing.
    pub full_refresh: bool,
    /// Look for mistakes before a build; none: as the project says.
    pub check: Option<bool>,
    /// Stop at the first failure.
    pub fail_fast: bool,
    /// What is selected.
    pub criteria: Criteria,
    /// Folder with the artifacts of an earlier run.
    pub state: Option<PathBuf>,
    /// Read what is not built here from where the state has it.
    pub defer: bool,
    /// The state to defer to, if it is not `state`.
    pub defer_state: Option<PathBuf>,
    /// Prefer the state to what is built here.
    pub favor_state: bool,
    /// Plan and build everything, and read no row.
    pub empty: bool,
    /// Read of parents with an `event_time` the rows of this stretch alone: from, and until.
    pub sample: Option<(NaiveDateTime, NaiveDateTime)>,
    /// Keep the rows that tests find.
    pub store_failures: bool,
    /// Keep what the operators of each node did.
    pub explain_analyze: bool,
    /// Which warnings are errors.
    pub warn_error: WarnError,
    /// Stretch of time of microbatch models: from, and until.
    pub event_time: (Option<NaiveDateTime>, Option<NaiveDateTime>),
    /// What an earlier invocation left to do: that is run, and nothing is selected.
    pub leftover: Option<super::Leftover>,
    /// Environment.
    pub env: BTreeMap<String, String>,
    /// Now.
    pub started_at: DateTime<Utc>,
    /// Random id of the invocation.
    pub invocation_id: String,
}

/// Which profile and output.
#[derive(Debug, Clone, Default)]
pub struct Target {
    /// `--profile`.
    pub profile: Option<String>,
    /// `--target`.
    pub target: Option<String>,
}
