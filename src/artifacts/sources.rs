//! `sources.json`, schema v3.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;
use serde_json::{Map, Value as Json, json};

use super::{Made, Metadata, stamp};
use crate::diag::Diagnostic;
use crate::node::{Freshness, FreshnessThreshold};

/// How fresh one source was.
#[derive(Debug, Clone)]
pub struct SourceFreshness {
    /// The source.
    pub unique_id: String,
    /// `pass`, `warn`, `error`, or `runtime error` if it could not be looked at.
    pub status: &'static str,
    /// The newest row, if it could be looked at.
    pub age: Option<Age>,
    /// Why it could not.
    pub error: Option<Box<Diagnostic>>,
    /// The thresholds.
    pub freshness: Freshness,
    /// When it was looked at.
    pub started_at: DateTime<Utc>,
    /// How long that took.
    pub took: Duration,
}

/// The time of the newest row, and when that was.
#[derive(Debug, Clone, Copy)]
pub struct Age {
    /// The time of the newest row.
    pub newest: DateTime<Utc>,
    /// When it was asked for.
    pub now: DateTime<Utc>,
}

#[derive(Serialize)]
struct Sources<'a> {
    metadata: Metadata<'a>,
    results: Vec<Map<String, Json>>,
    elapsed_time: f64,
}

/// `sources.json` of what was looked at.
pub fn sources<'a>(results: &[SourceFreshness], elapsed: Duration, made: &'a Made) -> impl Serialize + use<'a> {
    Sources {
        metadata: Metadata::new("https://schemas.getdbt.com/dbt/sources/v3.json", made),
        results: results.iter().map(row).collect(),
        elapsed_time: elapsed.as_secs_f64(),
    }
}

fn row(result: &SourceFreshness) -> Map<String, Json> {
    let mut row = Map::new();
    let mut put = |key: &str, value: Json| row.insert(key.to_string(), value);
    put("unique_id", json!(result.unique_id));
    let Some(age) = result.age else {
        put("error", json!(result.error.as_ref().map(|error| error.message.clone())));
        put("status", json!("runtime error"));
        return row;
    };
    put("max_loaded_at", json!(stamp(age.newest)));
    put("snapshotted_at", json!(stamp(age.now)));
    let seconds = (age.now - age.newest).num_milliseconds() as f64 / 1000.0;
    put("max_loaded_at_time_ago_in_s", json!(seconds));
    put("status", json!(result.status));
    put(
        "criteria",
        json!({
            "warn_after": threshold(result.freshness.warn_after.as_ref()),
            "error_after": threshold(result.freshness.error_after.as_ref()),
            "filter": result.freshness.filter,
        }),
    );
    put("adapter_response", json!({}));
    let end = TimeDelta::from_std(result.took).ok().and_then(|took| result.started_at.checked_add_signed(took));
    let (start, end) = (stamp(result.started_at), stamp(end.unwrap_or(result.started_at)));
    put(
        "timing",
        json!([
            {"name": "compile", "started_at": start, "completed_at": start},
            {"name": "execute", "started_at": start, "completed_at": end},
        ]),
    );
    put("thread_id", json!("Thread-1"));
    put("execution_time", json!(result.took.as_secs_f64()));
    row
}

fn threshold(threshold: Option<&FreshnessThreshold>) -> Json {
    match threshold {
        Some(threshold) => json!({"count": threshold.count, "period": threshold.period}),
        None => json!({"count": null, "period": null}),
    }
}
