//! Events of a run become rows.

use std::sync::{Arc, LazyLock};

use chrono::{DateTime, SecondsFormat, Utc};
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use datafusion::catalog::{MemTable, TableProvider};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::diag::{Diagnostic, Result, codes};
use crate::run::{RunEvent, RunResult, UnitInfo, UnitResult};

/// Characters of a message that are kept.
const MESSAGE: usize = 500;

/// One unit of one run, as the table has it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "the names are those of the columns, which docs/history.md explains")]
pub struct Row {
    pub invocation_id: String,
    pub run_started_at: String,
    pub project: String,
    pub verb: String,
    pub target: String,
    pub c360_version: String,
    pub run_status: String,
    pub run_elapsed: f64,
    pub unique_id: String,
    pub kind: String,
    pub status: String,
    pub started_at: String,
    pub compile_seconds: f64,
    pub execute_seconds: f64,
    pub rows: Option<u64>,
    pub bytes: Option<u64>,
    pub peak_memory: Option<u64>,
    pub spilled: Option<u64>,
    pub failures: Option<u64>,
    pub table_version: Option<u64>,
    pub message: Option<String>,
    pub destination: Option<String>,
}

/// The columns of the table.
pub(super) static SCHEMA: LazyLock<SchemaRef> = LazyLock::new(|| {
    let time = || DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
    let columns = [
        ("invocation_id", DataType::Utf8),
        ("run_started_at", time()),
        ("project", DataType::Utf8),
        ("verb", DataType::Utf8),
        ("target", DataType::Utf8),
        ("c360_version", DataType::Utf8),
        ("run_status", DataType::Utf8),
        ("run_elapsed", DataType::Float64),
        ("unique_id", DataType::Utf8),
        ("kind", DataType::Utf8),
        ("status", DataType::Utf8),
        ("started_at", time()),
        ("compile_seconds", DataType::Float64),
        ("execute_seconds", DataType::Float64),
        ("rows", DataType::Int64),
        ("bytes", DataType::Int64),
        ("peak_memory", DataType::Int64),
        ("spilled", DataType::Int64),
        ("failures", DataType::Int64),
        ("table_version", DataType::Int64),
        ("message", DataType::Utf8),
        ("destination", DataType::Utf8),
    ];
    let fields: Vec<Field> = columns.into_iter().map(|(name, data_type)| Field::new(name, data_type, true)).collect();
    Arc::new(Schema::new(fields))
});

/// A table of runs without rows.
///
/// # Errors
/// C9001 if the table cannot be made.
pub fn empty_runs() -> Result<Arc<dyn TableProvider>> {
    let table = MemTable::try_new(Arc::clone(&SCHEMA), vec![Vec::new()]);
    table
        .map(|table| Arc::new(table) as Arc<dyn TableProvider>)
        .map_err(|error| Diagnostic::error(codes::INTERNAL, format!("a table without runs cannot be made: {error}")))
}

/// Makes rows of the events of one run.
#[derive(Debug, Default)]
pub struct Recorder {
    /// What all rows have.
    run: Row,
    rows: Vec<Row>,
}

impl Recorder {
    /// For a run that starts now.
    pub fn new(project: &str) -> Recorder {
        let run =
            Row { project: project.to_string(), c360_version: env!("CARGO_PKG_VERSION").to_string(), ..Row::default() };
        Recorder { run, rows: Vec::new() }
    }

    /// Listens.
    pub fn event(&mut self, event: &RunEvent) {
        match event {
            RunEvent::Started { invocation_id, command, target, at, .. } => {
                self.run.invocation_id = invocation_id.clone();
                self.run.verb = command.clone();
                self.run.target = target.clone();
                self.run.run_started_at = stamp(*at);
            }
            RunEvent::UnitFinished { unit, result, .. } => self.unit(unit, result),
            _ => {}
        }
    }

    /// The rows of the run, which has ended with `result`.
    pub fn rows(self, result: &RunResult) -> Vec<Row> {
        let status = match () {
            () if result.interrupted => "interrupted",
            () if result.has_failures() => "error",
            () => "success",
        };
        let elapsed = result.elapsed.as_secs_f64();
        let ended = |row| Row { run_status: status.to_string(), run_elapsed: elapsed, ..row };
        self.rows.into_iter().map(ended).collect()
    }

    fn unit(&mut self, unit: &UnitInfo, result: &UnitResult) {
        let kind = match unit.action.as_str() {
            "publish" => "publish",
            "test" | "unit test" => "test",
            "operation" => "operation",
            _ => "build",
        };
        let row = Row {
            unique_id: result.unique_id.clone(),
            kind: kind.to_string(),
            status: result.status.as_str().to_string(),
            started_at: stamp(result.started_at),
            compile_seconds: result.compile_time.as_secs_f64(),
            execute_seconds: result.execute_time.as_secs_f64(),
            rows: result.rows,
            bytes: result.bytes,
            peak_memory: result.peak_memory,
            spilled: result.spilled,
            failures: result.failures,
            table_version: result.response.get("version").and_then(Json::as_u64),
            message: result.message.as_deref().map(short),
            ..self.run.clone()
        };
        let tables = result.response.get("tables").and_then(Json::as_array).filter(|_| kind == "publish");
        match tables {
            Some(tables) => self.rows.extend(tables.iter().map(|table| published(&row, table))),
            None => self.rows.push(row),
        }
    }
}

/// A mart may go to several tables: each is a row.
fn published(row: &Row, table: &Json) -> Row {
    let text = |key: &str| table.get(key).and_then(Json::as_str).unwrap_or_default();
    let number = |key: &str| table.get(key).and_then(Json::as_u64);
    Row {
        status: text("status").to_string(),
        rows: number("rows"),
        bytes: number("bytes"),
        message: table.get("message").and_then(Json::as_str).map(short),
        destination: Some(format!("{}.{}", text("destination"), text("table"))),
        ..row.clone()
    }
}

fn short(message: &str) -> String {
    match message.char_indices().nth(MESSAGE) {
        Some((end, _)) => format!("{}…", &message[..end]),
        None => message.to_string(),
    }
}

fn stamp(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Micros, true)
}
