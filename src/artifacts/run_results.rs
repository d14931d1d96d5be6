//! `run_results.json`, schema v6.

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;
use serde_json::{Map, Value as Json, json};

use super::{Made, Metadata, stamp};
use crate::run::{RunResult, Status, UnitResult};

/// What `run_results.json` says besides the results.
pub type RunMeta = Made;

#[derive(Serialize)]
struct RunResults<'a> {
    metadata: Metadata<'a>,
    results: Vec<Row<'a>>,
    elapsed_time: f64,
    args: &'a Map<String, Json>,
}

#[derive(Serialize)]
struct Row<'a> {
    status: &'static str,
    timing: Vec<Timing>,
    thread_id: &'static str,
    execution_time: f64,
    adapter_response: Map<String, Json>,
    message: Option<&'a str>,
    failures: Option<u64>,
    unique_id: &'a str,
    compiled: bool,
    compiled_code: Option<&'a str>,
    relation_name: Option<&'a str>,
    batch_results: Option<&'a Json>,
}

#[derive(Serialize)]
struct Timing {
    name: &'static str,
    started_at: String,
    completed_at: String,
}

/// `run_results.json` of a run that has ended.
pub fn run_results<'a>(run: &'a RunResult, meta: &'a RunMeta) -> impl Serialize + use<'a> {
    RunResults {
        metadata: Metadata::new("https://schemas.getdbt.com/dbt/run-results/v6.json", meta),
        results: run.results.iter().map(row).collect(),
        elapsed_time: run.elapsed.as_secs_f64(),
        args: &run.args,
    }
}

fn row(result: &UnitResult) -> Row<'_> {
    Row {
        status: result.status.as_str(),
        timing: timing(result),
        thread_id: "Thread-1",
        execution_time: (result.compile_time + result.execute_time).as_secs_f64(),
        adapter_response: response(result),
        message: result.message.as_deref(),
        failures: result.failures,
        unique_id: &result.unique_id,
        compiled: result.compiled_code.is_some(),
        compiled_code: result.compiled_code.as_deref(),
        relation_name: result.relation_name.as_deref(),
        batch_results: result.response.get("batch_results"),
    }
}

fn timing(result: &UnitResult) -> Vec<Timing> {
    if matches!(result.status, Status::Skipped | Status::NoOp) {
        return Vec::new();
    }
    let compiled = later(result.started_at, result.compile_time);
    let executed = later(compiled, result.execute_time);
    let timing = |name, from, to| Timing { name, started_at: stamp(from), completed_at: stamp(to) };
    vec![timing("compile", result.started_at, compiled), timing("execute", compiled, executed)]
}

fn later(at: DateTime<Utc>, by: std::time::Duration) -> DateTime<Utc> {
    TimeDelta::from_std(by).ok().and_then(|by| at.checked_add_signed(by)).unwrap_or(at)
}

/// dbt's `_message`, `code` and `rows_affected`, then what we measured, then what the unit added. Unknown is absent.
fn response(result: &UnitResult) -> Map<String, Json> {
    let mut response = Map::new();
    if matches!(result.status, Status::Skipped | Status::NoOp) {
        return response;
    }
    if let Some(message) = &result.message {
        response.insert("_message".into(), json!(message));
    }
    if result.status == Status::Success {
        response.insert("code".into(), json!("OK"));
    }
    let measured = [
        ("rows_affected", result.rows),
        ("rows", result.rows),
        ("bytes", result.bytes),
        ("peak_memory", result.peak_memory),
        ("spilled", result.spilled),
    ];
    for (key, value) in measured {
        if let Some(value) = value {
            response.insert(key.into(), json!(value));
        }
    }
    let own = result.response.iter().filter(|(key, _)| *key != "batch_results");
    response.extend(own.map(|(key, value)| (key.clone(), value.clone())));
    response
}
