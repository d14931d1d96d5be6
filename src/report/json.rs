//! JSON lines: one object an event. Field names are stable; new ones may be added.
//!
//! | event | fields besides `event` and `ts` |
//! |---|---|
//! | `started` | `invocation_id command project target total counts threads` |
//! | `unit_started` | `index unique_id name resource_type action relation` |
//! | `unit_progress` | `index rows` |
//! | `unit_finished` | those of `unit_started`, `status message failures rows bytes peak_memory spilled started_at compile_seconds execute_seconds diagnostics response` |
//! | `found` | `diagnostic` |
//! | `log` | `message print` |
//! | `interrupted` | |
//! | `finished` | `invocation_id elapsed_seconds interrupted failed statuses quarantined published` |
//!
//! Bytes and rows are numbers, times are RFC 3339 in UTC, what is not known is null.

use chrono::{DateTime, SecondsFormat, Utc};
use indexmap::IndexMap;
use serde::Serialize;
use serde_json::{Map, Value as Json};

use super::plain::write;
use super::{Out, Reporter};
use crate::diag::{Diagnostic, Diagnostics, Severity};
use crate::run::{RunEvent, RunResult, UnitInfo, UnitResult};

/// Writes an object a line.
pub struct JsonReporter {
    err: Out,
    out: Option<Out>,
    clock: fn() -> DateTime<Utc>,
}

impl JsonReporter {
    /// A reporter on `err`.
    pub fn new(err: Out) -> JsonReporter {
        JsonReporter { err, out: None, clock: Utc::now }
    }

    /// What templates print goes to `out`, besides its event.
    #[must_use]
    pub fn printing_to(mut self, out: Out) -> JsonReporter {
        self.out = Some(out);
        self
    }

    /// Takes the time of events that have none from `clock`.
    #[cfg(test)]
    pub(super) fn with_clock(mut self, clock: fn() -> DateTime<Utc>) -> JsonReporter {
        self.clock = clock;
        self
    }
}

impl Reporter for JsonReporter {
    fn event(&mut self, event: &RunEvent) {
        if let (RunEvent::Log { message, print: true }, Some(out)) = (event, &mut self.out) {
            write(out, &format!("{message}\n"));
        }
        let at = match event {
            RunEvent::Started { at, .. } | RunEvent::UnitStarted { at, .. } | RunEvent::UnitFinished { at, .. } => *at,
            _ => (self.clock)(),
        };
        let line = Line { event: name(event), ts: stamp(at), body: body(event) };
        if let Ok(text) = serde_json::to_string(&line) {
            write(&mut self.err, &format!("{text}\n"));
        }
    }
}

/// An event as it is written.
#[derive(Serialize)]
struct Line<'a> {
    event: &'static str,
    ts: String,
    #[serde(flatten)]
    body: Body<'a>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Body<'a> {
    Started {
        invocation_id: &'a str,
        command: &'a str,
        project: &'a str,
        target: &'a str,
        total: usize,
        counts: IndexMap<&'a str, usize>,
        threads: usize,
    },
    UnitStarted {
        #[serde(flatten)]
        unit: Unit<'a>,
    },
    UnitProgress {
        index: usize,
        rows: u64,
    },
    UnitFinished {
        #[serde(flatten)]
        unit: Unit<'a>,
        #[serde(flatten)]
        result: Outcome<'a>,
    },
    Found {
        diagnostic: Finding<'a>,
    },
    Log {
        message: &'a str,
        print: bool,
    },
    Interrupted {},
    Finished {
        invocation_id: &'a str,
        elapsed_seconds: f64,
        interrupted: bool,
        failed: bool,
        statuses: IndexMap<&'static str, u64>,
        quarantined: Vec<Rejected<'a>>,
        published: Vec<Sent<'a>>,
    },
}

#[derive(Serialize)]
struct Unit<'a> {
    index: usize,
    unique_id: &'a str,
    name: &'a str,
    resource_type: &'static str,
    action: &'a str,
    relation: Option<&'a str>,
}

#[derive(Serialize)]
struct Outcome<'a> {
    status: &'static str,
    message: Option<&'a str>,
    failures: Option<u64>,
    rows: Option<u64>,
    bytes: Option<u64>,
    peak_memory: Option<u64>,
    spilled: Option<u64>,
    started_at: String,
    compile_seconds: f64,
    execute_seconds: f64,
    diagnostics: Vec<Finding<'a>>,
    response: &'a Map<String, Json>,
}

#[derive(Serialize)]
struct Rejected<'a> {
    source: &'a str,
    records: u64,
    relation: Option<&'a str>,
}

#[derive(Serialize)]
struct Sent<'a> {
    table: &'a str,
    rows: u64,
}

#[derive(Serialize)]
struct Finding<'a> {
    code: &'static str,
    severity: &'static str,
    message: &'a str,
    labels: Vec<Place<'a>>,
    notes: &'a [String],
    helps: &'a [String],
    node: Option<&'a str>,
}

#[derive(Serialize)]
struct Place<'a> {
    path: &'a str,
    line: usize,
    column: usize,
    text: &'a str,
}

fn name(event: &RunEvent) -> &'static str {
    match event {
        RunEvent::Started { .. } => "started",
        RunEvent::UnitStarted { .. } => "unit_started",
        RunEvent::UnitProgress { .. } => "unit_progress",
        RunEvent::UnitFinished { .. } => "unit_finished",
        RunEvent::Found(_) => "found",
        RunEvent::Log { .. } => "log",
        RunEvent::Interrupted => "interrupted",
        RunEvent::Finished { .. } => "finished",
    }
}

fn body(event: &RunEvent) -> Body<'_> {
    match event {
        RunEvent::Started { invocation_id, command, project, target, total, counts, threads, .. } => Body::Started {
            invocation_id,
            command,
            project,
            target,
            total: *total,
            counts: counts.iter().map(|(action, count)| (action.as_str(), *count)).collect(),
            threads: *threads,
        },
        RunEvent::UnitStarted { unit, .. } => Body::UnitStarted { unit: Unit::of(unit) },
        RunEvent::UnitProgress { index, rows } => Body::UnitProgress { index: *index, rows: *rows },
        RunEvent::UnitFinished { unit, result, .. } => {
            Body::UnitFinished { unit: Unit::of(unit), result: Outcome::of(result) }
        }
        RunEvent::Found(diagnostic) => Body::Found { diagnostic: Finding::of(diagnostic) },
        RunEvent::Log { message, print } => Body::Log { message, print: *print },
        RunEvent::Interrupted => Body::Interrupted {},
        RunEvent::Finished { result } => finished(result),
    }
}

fn finished(run: &RunResult) -> Body<'_> {
    let mut statuses = IndexMap::new();
    for result in &run.results {
        *statuses.entry(result.status.as_str()).or_default() += 1;
    }
    Body::Finished {
        invocation_id: &run.invocation_id,
        elapsed_seconds: run.elapsed.as_secs_f64(),
        interrupted: run.interrupted,
        failed: run.has_failures(),
        statuses,
        quarantined: run
            .quarantined
            .iter()
            .map(|one| Rejected { source: &one.source, records: one.records, relation: one.relation.as_deref() })
            .collect(),
        published: run.published.iter().map(|(table, rows)| Sent { table, rows: *rows }).collect(),
    }
}

impl<'a> Unit<'a> {
    fn of(unit: &'a UnitInfo) -> Unit<'a> {
        Unit {
            index: unit.index,
            unique_id: &unit.unique_id,
            name: &unit.name,
            resource_type: unit.resource_type.as_str(),
            action: &unit.action,
            relation: unit.relation.as_deref(),
        }
    }
}

impl<'a> Outcome<'a> {
    fn of(result: &'a UnitResult) -> Outcome<'a> {
        Outcome {
            status: result.status.as_str(),
            message: result.message.as_deref(),
            failures: result.failures,
            rows: result.rows,
            bytes: result.bytes,
            peak_memory: result.peak_memory,
            spilled: result.spilled,
            started_at: stamp(result.started_at),
            compile_seconds: result.compile_time.as_secs_f64(),
            execute_seconds: result.execute_time.as_secs_f64(),
            diagnostics: result.diagnostics.iter().map(Finding::of).collect(),
            response: &result.response,
        }
    }
}

impl<'a> Finding<'a> {
    fn of(diagnostic: &'a Diagnostic) -> Finding<'a> {
        let place = |label: &'a crate::diag::Label| {
            let (line, column) = label.span.line_col();
            Place { path: &label.span.file.path, line, column, text: &label.text }
        };
        Finding {
            code: diagnostic.code.id,
            severity: match diagnostic.severity {
                Severity::Error => "error",
                Severity::Warning => "warning",
                Severity::Note => "note",
            },
            message: &diagnostic.message,
            labels: diagnostic.labels.iter().map(place).collect(),
            notes: &diagnostic.notes,
            helps: &diagnostic.helps,
            node: diagnostic.node.as_deref(),
        }
    }
}

/// Findings as events have them: an array.
pub fn findings(diagnostics: &Diagnostics) -> Json {
    let all: Vec<Finding<'_>> = diagnostics.iter().map(Finding::of).collect();
    // Strings and numbers alone: this cannot fail.
    serde_json::to_value(all).unwrap_or_default()
}

fn stamp(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Micros, true)
}
