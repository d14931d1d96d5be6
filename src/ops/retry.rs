//! `retry`: what failed or was skipped in the invocation before, and nothing else.

use std::collections::HashMap;
use std::path::Path;

use chrono::NaiveDateTime;
use serde_json::{Map, Value as Json};

use crate::diag::{Diagnostic, Result, codes};
use crate::run::{Stretch, parse_time};
use crate::schedule::Mode;
use crate::state::{PreviousResult, PreviousResults};

/// What an earlier invocation left to do.
#[derive(Debug, Clone, Default)]
pub struct Leftover {
    /// Unique ids of what is run again.
    pub nodes: Vec<String>,
    /// Batches of microbatch models that failed, by unique id.
    pub batches: HashMap<String, Vec<Stretch>>,
    /// What it was asked for.
    pub args: Map<String, Json>,
    /// The operation that failed: its macro, and its arguments.
    pub operation: Option<(String, Json)>,
}

/// Statuses of what is run again.
const UNDONE: [&str; 5] = ["error", "fail", "skipped", "partial success", "runtime error"];

/// Reads the `run_results.json` in `folder`.
///
/// # Errors
/// C1009 if there is none, or it cannot be read.
pub fn leftover(folder: &Path) -> Result<Leftover> {
    let path = folder.join("run_results.json");
    let text = std::fs::read_to_string(&path).map_err(|error| {
        Diagnostic::error(codes::FILE_UNREADABLE, format!("`{}` cannot be read: {error}", path.display()))
            .help("retry goes on where an invocation before it stopped: there was none, or its artifacts are elsewhere")
    })?;
    let results = PreviousResults::parse(&text, &path.to_string_lossy())?;
    let undone = results.results.iter().filter(|result| UNDONE.contains(&result.status.as_str()));
    let mut out = Leftover { args: results.args.clone(), ..Leftover::default() };
    if out.text("which") == Some("run-operation") {
        let name = out.text("macro").unwrap_or_default().to_string();
        let has_failed = results.results.iter().any(|result| UNDONE.contains(&result.status.as_str()));
        out.operation = has_failed.then(|| (name, out.args.get("args").cloned().unwrap_or_default()));
        return Ok(out);
    }
    for result in undone.filter(|result| !result.unique_id.starts_with("operation.")) {
        out.nodes.push(result.unique_id.clone());
        let failed = failed_batches(result);
        if result.status == "partial success" && !failed.is_empty() {
            out.batches.insert(result.unique_id.clone(), failed);
        }
    }
    Ok(out)
}

fn failed_batches(result: &PreviousResult) -> Vec<Stretch> {
    let batches = result.batch_results["failed"].as_array().into_iter().flatten();
    let time = |value: &Json| value.as_str().and_then(parse_time);
    batches.filter_map(|batch| Some((time(batch.get(0)?)?, time(batch.get(1)?)?))).collect()
}

impl Leftover {
    /// The verb of the earlier invocation.
    ///
    /// # Errors
    /// C1010 if that was none that runs nodes.
    pub fn mode(&self) -> Result<Mode> {
        let which = self.args.get("which").and_then(Json::as_str).unwrap_or("build");
        Mode::ALL.into_iter().find(|mode| mode.verb() == which).ok_or_else(|| {
            Diagnostic::error(codes::BAD_ARGUMENT, format!("`{which}` cannot be retried"))
                .help("retry repeats build, run, test, seed, snapshot and clone")
        })
    }

    /// A flag of the earlier invocation.
    pub fn flag(&self, name: &str) -> bool {
        self.args.get(name).and_then(Json::as_bool).unwrap_or(false)
    }

    /// A text that the earlier invocation was given.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.args.get(name).and_then(Json::as_str)
    }

    /// A time that the earlier invocation was given.
    pub fn time(&self, name: &str) -> Option<NaiveDateTime> {
        self.text(name).and_then(parse_time)
    }

    /// The stretch of time of an earlier sample.
    pub fn sample(&self) -> Option<Stretch> {
        let sample = self.args.get("sample")?;
        let time = |key: &str| sample[key].as_str().and_then(parse_time);
        time("start").zip(time("end"))
    }

    /// The vars of the earlier invocation.
    pub fn vars(&self) -> Map<String, Json> {
        self.args.get("vars").and_then(Json::as_object).cloned().unwrap_or_default()
    }
}
