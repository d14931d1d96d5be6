//! Adding rows to the table, and keeping it small.

use std::sync::Arc;

use arrow_json::ReaderBuilder;
use datafusion::arrow::array::RecordBatch;
use datafusion::catalog::{MemTable, TableProvider};
use datafusion::physical_plan::ExecutionPlan;

use super::row::{Row, SCHEMA};
use crate::diag::{Diagnostic, Result, SourceFile, codes};
use crate::engine::{Engine, Meter, execution_error};
use crate::node::Relation;
use crate::warehouse::{Base, Commit, Progress, Stored};

/// Files that the table may have before they are written as one.
pub(super) const MAX_FILES: usize = 50;
/// Runs that are kept.
pub(super) const MAX_RUNS: usize = 1_000;
/// Rows that are kept, if those runs have more: of whole runs, and of the newest one in any case.
pub(super) const MAX_ROWS: usize = 200_000;

/// How often rows are added if others make the table at the same time.
const ATTEMPTS: usize = 5;

/// Where rows are added.
pub struct History<'a> {
    /// The engine.
    pub engine: &'a Engine,
    /// The table.
    pub relation: Relation,
    /// The run that adds them.
    pub invocation_id: &'a str,
}

/// Adds `rows` to the table, which is made if it is not there.
///
/// # Errors
/// C5006 or C5007 if the warehouse refuses. The table is as it was.
pub async fn keep(history: &History<'_>, rows: &[Row]) -> Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    let batch = batch(rows)?;
    let meter = history.engine.meter()?;
    for attempt in 1.. {
        let table = MemTable::try_new(Arc::clone(&SCHEMA), vec![vec![batch.clone()]]);
        let plan = match table {
            // The rows are here: no cluster has to see them.
            Ok(table) => table.scan(&meter.state, None, &[], None).await,
            Err(error) => Err(error),
        };
        let plan = plan.map_err(|error| execution_error(&error))?;
        match history.append(&meter, plan).await {
            Err(error) if error.code == codes::WRITE_CONFLICT && attempt < ATTEMPTS => continue,
            done => {
                done?;
                break;
            }
        }
    }
    history.engine.forget(&history.relation);
    history.compact(&meter).await;
    Ok(())
}

fn batch(rows: &[Row]) -> Result<RecordBatch> {
    let bad = |error: &dyn std::fmt::Display| {
        Diagnostic::error(codes::INTERNAL, format!("the history of runs cannot be written: {error}"))
    };
    let decoder = ReaderBuilder::new(Arc::clone(&SCHEMA)).with_batch_size(rows.len()).build_decoder();
    let mut decoder = decoder.map_err(|error| bad(&error))?;
    decoder.serialize(rows).map_err(|error| bad(&error))?;
    decoder.flush().map_err(|error| bad(&error))?.ok_or_else(|| bad(&"no rows"))
}

impl History<'_> {
    fn commit(&self) -> Commit {
        Commit::new("c360.history", self.invocation_id)
    }

    async fn append(&self, meter: &Meter, plan: Arc<dyn ExecutionPlan>) -> Result<()> {
        let (warehouse, progress) = (&self.engine.warehouse, Arc::new(Progress::default()));
        warehouse.append(&meter.state, &self.relation, plan, &progress, &self.commit()).await.map(drop)
    }

    /// Writes the files of the table as one, if they are many. That this fails (because another run does the same, say)
    /// concerns nobody: the next run tries again.
    async fn compact(&self, meter: &Meter) {
        if let Err(error) = self.try_compact(meter).await {
            tracing::debug!("the history of runs stays in many files: {error}");
        }
    }

    async fn try_compact(&self, meter: &Meter) -> Result<()> {
        let warehouse = &self.engine.warehouse;
        let stored = warehouse.load(&self.relation).await?;
        if stored.as_ref().and_then(Stored::files).is_none_or(|files| files <= MAX_FILES) {
            return Ok(());
        }
        let file = SourceFile::new("history", newest_runs(&self.relation));
        let plan = self.engine.plan(&meter.state, &file).await?;
        let plan = meter.state.create_physical_plan(&plan).await.map_err(|error| execution_error(&error))?;
        let (base, progress) = (Base::of(stored.as_ref()), Arc::new(Progress::default()));
        warehouse.overwrite_on(base, &meter.state, &self.relation, plan, &progress, &self.commit()).await?;
        self.engine.forget(&self.relation);
        warehouse.tidy(&self.relation).await
    }
}

/// The rows that are kept.
fn newest_runs(relation: &Relation) -> String {
    let table = relation.render();
    format!(
        "with runs as (
             select invocation_id, max(run_started_at) as at, count(*) as units from {table} group by invocation_id
         ),
         ranked as (
             select invocation_id, row_number() over (order by at desc, invocation_id) as place,
                    sum(units) over (order by at desc, invocation_id rows unbounded preceding) as total
             from runs
         )
         select * from {table}
         where invocation_id in (
             select invocation_id from ranked where place = 1 or (place <= {MAX_RUNS} and total <= {MAX_ROWS})
         )
         order by run_started_at, invocation_id, started_at"
    )
}
