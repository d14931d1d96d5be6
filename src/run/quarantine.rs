//! At the end of a run: rejected records go into tables of the warehouse.
//!
//! One table a source, `quarantine.<source>__<table>`. A record is known by its file and line; what an earlier run kept
//! of a file that was read again is replaced, so a file that was mended leaves the quarantine.

use std::collections::BTreeMap;
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray};
use datafusion::datasource::MemTable;
use datafusion::datasource::provider_as_source;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, col, lit};

use super::Quarantined;
use super::executor::RunContext;
use crate::diag::{Diagnostic, Result, codes};
use crate::engine::{Engine, Rejected, execution_error};
use crate::node::Relation;
use crate::warehouse::{Commit, Progress, Stored};

/// Schema of the quarantine tables.
const SCHEMA: &str = "quarantine";

impl RunContext {
    /// Stores what the scans of this run rejected.
    pub(super) async fn store_quarantine(&self) -> (Vec<Quarantined>, Vec<Box<Diagnostic>>) {
        let mut stored = Vec::new();
        let mut failures = Vec::new();
        for (source, rejected) in self.engine.quarantine.take() {
            let name = source.replace('.', "__");
            let relation = Relation::new(&self.world.invocation.target.database, SCHEMA, &name);
            match store(&self.engine, &relation, &source, &rejected, &self.world.invocation.id).await {
                Ok(()) if rejected.records.is_empty() => {}
                Ok(()) => stored.push(Quarantined {
                    source,
                    records: rejected.records.len() as u64,
                    relation: Some(format!("{SCHEMA}.{name}")),
                }),
                Err(diagnostic) => failures.push(diagnostic),
            }
        }
        for (source, records) in self.engine.quarantine.take_dropped() {
            stored.push(Quarantined { source, records, relation: None });
        }
        (stored, failures)
    }
}

async fn store(
    engine: &Engine,
    relation: &Relation,
    source: &str,
    rejected: &Rejected,
    invocation_id: &str,
) -> Result<()> {
    let before = engine.warehouse.load(relation).await?;
    let keeps_old = matches!(before, Some(Stored::Table(_)));
    if rejected.records.is_empty() && !keeps_old {
        return Ok(());
    }
    let meter = engine.meter()?;
    let failed = |error: &datafusion::error::DataFusionError| execution_error(error);
    let batch = batch(rejected, invocation_id)?;
    let table = MemTable::try_new(batch.schema(), vec![vec![batch]]).map_err(|error| failed(&error))?;
    let mut rows = LogicalPlanBuilder::scan("rejected", provider_as_source(Arc::new(table)), None)
        .map_err(|error| failed(&error))?;
    if keeps_old {
        let file = crate::diag::SourceFile::new("quarantine", format!("select * from {}", relation.render()));
        let old = engine.plan(&meter.state, &file).await?;
        let old = still_valid(old, rejected).map_err(|error| failed(&error))?;
        rows = rows.union(old).map_err(|error| failed(&error))?;
    }
    let plan = rows.build().map_err(|error| failed(&error))?;
    let physical = engine.physical(&meter.state, &plan).await?;
    let commit = Commit::new(format!("source {source}"), invocation_id);
    let progress = Arc::new(Progress::default());
    engine.warehouse.overwrite(&meter.state, relation, physical, &progress, &commit).await?;
    engine.forget(relation);
    Ok(())
}

/// The rows of earlier runs that this one does not replace: those of files that were not read whole, but for the records
/// that were met again.
fn still_valid(old: LogicalPlan, rejected: &Rejected) -> datafusion::error::Result<LogicalPlan> {
    let mut rows = LogicalPlanBuilder::from(old);
    let files = rejected.files();
    if !files.is_empty() {
        rows = rows.filter(col("file").in_list(files.iter().map(|file| lit(*file)).collect(), true))?;
    }
    let mut again: BTreeMap<&str, Vec<Expr>> = BTreeMap::new();
    for (file, line) in rejected.records.keys().filter(|(file, _)| !files.contains(&file.as_str())) {
        again.entry(file).or_default().push(lit(*line as i64));
    }
    for (file, lines) in again {
        rows = rows.filter(col("file").not_eq(lit(file)).or(col("line").in_list(lines, true)))?;
    }
    rows.build()
}

/// The rejected records as rows: source, file, line, reason, text, and the run that met them.
fn batch(rejected: &Rejected, invocation_id: &str) -> Result<RecordBatch> {
    let records: Vec<_> = rejected.records.values().collect();
    let text = |value: &dyn Fn(usize) -> String| -> ArrayRef {
        Arc::new(StringArray::from_iter_values((0..records.len()).map(value)))
    };
    let lines = Int64Array::from_iter_values(records.iter().map(|record| record.line as i64));
    let now = chrono::Utc::now().timestamp_micros();
    let times = TimestampMicrosecondArray::from_iter_values(records.iter().map(|_| now)).with_timezone("UTC");
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("source", text(&|row| records[row].source.clone())),
        ("file", text(&|row| records[row].file.clone())),
        ("line", Arc::new(lines)),
        ("reason", text(&|row| records[row].reason.clone())),
        ("text", text(&|row| records[row].text.clone())),
        ("invocation_id", text(&|_| invocation_id.to_string())),
        ("rejected_at", Arc::new(times)),
    ];
    RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, array)| (name, array, true)))
        .map_err(|error| Diagnostic::error(codes::INTERNAL, format!("the quarantine cannot be written: {error}")))
}
