//! One invocation of the program, as a value: nothing below the engine asks the clock or the environment itself.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDateTime, Utc};
use serde_json::{Map, Value as Json};

use super::Target;

/// What templates may know of the invocation.
#[derive(Debug, Clone)]
pub struct Invocation {
    /// Name of the profile.
    pub profile_name: String,
    /// The output that runs.
    pub target: Target,
    /// `--vars`.
    pub vars: Map<String, Json>,
    /// Environment variables.
    pub env: BTreeMap<String, String>,
    /// When it started.
    pub started_at: DateTime<Utc>,
    /// A random id.
    pub id: String,
    /// The verb.
    pub command: String,
    /// Flags by their names in templates (`FULL_REFRESH`).
    pub flags: Map<String, Json>,
    /// `--sample`: the stretch of time whose rows are read of parents with an `event_time`, in UTC.
    pub sample: Option<(NaiveDateTime, NaiveDateTime)>,
}

impl Invocation {
    /// The flag called `name`.
    pub fn flag(&self, name: &str) -> bool {
        self.flags.get(name).and_then(Json::as_bool).unwrap_or(false)
    }
}
