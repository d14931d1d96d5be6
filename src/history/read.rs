//! The newest rows of the table, for artifacts.

use datafusion::arrow::array::RecordBatch;
use futures::TryStreamExt;

use super::row::Row;
use crate::diag::{Diagnostic, Result, SourceFile, codes};
use crate::engine::{Engine, execution_error};
use crate::node::Relation;
use crate::warehouse::Stored;

/// True if there is a table of runs under `relation`.
///
/// # Errors
/// C5006 or C5007 if the warehouse cannot be read.
pub async fn present(engine: &Engine, relation: &Relation) -> Result<bool> {
    Ok(matches!(engine.warehouse.load(relation).await?, Some(Stored::Table(_))))
}

/// The rows of the newest `runs` runs of `project`, the newest run first.
///
/// # Errors
/// C5006 or C5007 if the table cannot be read, C5007 if it is not the one that this program writes.
pub async fn newest(engine: &Engine, relation: &Relation, project: &str, runs: usize) -> Result<Vec<Row>> {
    let (table, project) = (relation.render(), project.replace('\'', "''"));
    let sql = format!(
        "select * from {table} where project = '{project}' and invocation_id in (
             select invocation_id from {table} where project = '{project}' group by invocation_id
             order by max(run_started_at) desc, invocation_id limit {runs}
         )
         order by run_started_at desc, invocation_id, started_at, unique_id, destination"
    );
    let meter = engine.meter()?;
    let plan = engine.plan(&meter.state, &SourceFile::new("history", sql)).await?;
    let plan = meter.state.create_physical_plan(&plan).await.map_err(|error| execution_error(&error))?;
    let stream = datafusion::physical_plan::execute_stream(plan, meter.state.task_ctx());
    let stream = stream.map_err(|error| execution_error(&error))?;
    let batches: Vec<RecordBatch> = stream.try_collect().await.map_err(|error| execution_error(&error))?;
    let mut rows = Vec::new();
    for batch in &batches {
        rows.extend(read(batch, relation)?);
    }
    Ok(rows)
}

fn read(batch: &RecordBatch, relation: &Relation) -> Result<Vec<Row>> {
    let bad = |error: &dyn std::fmt::Display| {
        Diagnostic::error(codes::WAREHOUSE_ERROR, format!("`{relation}` is no table of runs: {error}"))
            .help("something else has that name; `history: false` in the profile leaves it alone")
    };
    let mut json = Vec::new();
    let mut writer = arrow_json::ArrayWriter::new(&mut json);
    writer.write(batch).and_then(|()| writer.finish()).map_err(|error| bad(&error))?;
    drop(writer);
    if json.is_empty() {
        return Ok(Vec::new());
    }
    serde_json::from_slice(&json).map_err(|error| bad(&error))
}
