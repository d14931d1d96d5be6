//! How a node's rows become a relation: one file for each materialization, one line each in [`materialize`].

mod custom;
mod incremental;
mod input;
mod schema_change;
mod seed;
mod snapshot;
mod table;
mod view;

use std::path::PathBuf;
use std::sync::Arc;

use datafusion::logical_expr::LogicalPlan;

use crate::diag::{Diagnostic, Result, SourceFile, codes};
use crate::engine::{Engine, Meter, spilled_bytes};
use crate::node::{Node, Relation, ResourceType};
use crate::stdx::closest;
use crate::warehouse::{Base, Commit, Progress};

pub use custom::by_macro;
pub use incremental::check_strategy;
pub use seed::seed_plan;
pub use snapshot::{check_snapshot, snapshot_schema};

/// Everything that a materialization needs.
pub struct Job<'a> {
    /// The engine.
    pub engine: &'a Engine,
    /// The session of this node.
    pub meter: &'a Meter,
    /// The node.
    pub node: &'a Node,
    /// Where its rows go.
    pub relation: &'a Relation,
    /// Its compiled query; empty for seeds.
    pub sql: &'a Arc<SourceFile>,
    /// The file of a seed.
    pub seed_file: Option<PathBuf>,
    /// Rows so far.
    pub progress: &'a Arc<Progress>,
    /// What goes into the log.
    pub commit: Commit,
    /// Rebuild incremental models from nothing.
    pub full_refresh: bool,
    /// The stretch of time that a microbatch model is built for.
    pub batch: Option<Batch>,
}

/// A stretch of time of a microbatch model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// The column with the time of a row.
    pub column: String,
    /// From when on, in UTC.
    pub start: chrono::NaiveDateTime,
    /// Until when; not part of it.
    pub end: chrono::NaiveDateTime,
}

impl Batch {
    /// The condition that a row of `row` is part of the batch, as SQL.
    pub(crate) fn holds(&self, row: &str) -> String {
        let column = format!("{row}.{}", crate::node::quote(&self.column));
        format!("{column} >= cast('{}' as timestamp) and {column} < cast('{}' as timestamp)", self.start, self.end)
    }
}

/// What a materialization did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Materialized {
    /// Rows that were written; none for a view.
    pub rows: Option<u64>,
    /// Bytes that were written; none for a view.
    pub bytes: Option<u64>,
    /// Version of the table.
    pub version: Option<u64>,
    /// Rows of the table afterwards, if they differ from `rows`.
    pub total_rows: Option<u64>,
    /// Bytes that operators spilled.
    pub spilled: u64,
}

/// The materializations that models can have.
pub const MATERIALIZATIONS: &[&str] = &["table", "view", "incremental", "ephemeral"];

/// Builds the relation of `job.node`.
///
/// # Errors
/// What its query or the warehouse fails with; the relation is as it was then.
pub async fn materialize(job: &Job<'_>) -> Result<Materialized> {
    materialize_as(job.node.materialized(), job).await
}

/// Builds the relation of `job.node` as `materialization`, whatever its own is.
///
/// # Errors
/// As [`materialize`].
pub async fn materialize_as(materialization: &str, job: &Job<'_>) -> Result<Materialized> {
    let mut attempt = 1;
    loop {
        // What somebody else did to it meanwhile counts.
        job.engine.forget(job.relation);
        let done = match (job.node.resource_type, materialization) {
            (ResourceType::Seed, _) => seed::build(job).await,
            (ResourceType::Snapshot, _) => snapshot::build(job).await,
            (_, "table") => table::build(job).await,
            (_, "view") => view::build(job).await,
            (_, "incremental") => incremental::build(job).await,
            (_, other) => Err(unknown(job.node, other)),
        };
        job.engine.forget(job.relation);
        match done {
            Err(error) if error.code == codes::WRITE_CONFLICT && attempt < ATTEMPTS => {
                tracing::warn!("attempt {attempt}: {error}");
                conflict_pause(attempt).await;
                job.progress.reset();
                attempt += 1;
            }
            done => return done,
        }
    }
}

/// How often a relation is built if others write it at the same time.
const ATTEMPTS: u32 = 6;

/// Waits for a moment that differs from writer to writer, so that they do not meet again.
async fn conflict_pause(attempt: u32) {
    let random = u64::from(uuid::Uuid::new_v4().as_bytes()[0]);
    tokio::time::sleep(std::time::Duration::from_millis(u64::from(attempt) * (50 + random))).await;
}

/// C2013 for a materialization that does not exist.
pub fn unknown(node: &Node, name: &str) -> Box<Diagnostic> {
    let span = node.config.span("materialized").cloned().unwrap_or_else(|| node.place());
    let near = closest(name, MATERIALIZATIONS.iter().copied());
    Diagnostic::error(codes::UNKNOWN_MATERIALIZATION, format!("there is no materialization `{name}`"))
        .label(span, "asked for here")
        .maybe_help(near.map(|name| format!("`{name}` exists")))
        .help(format!(
            "c360 has {}; a macro makes others: `{{% materialization {name}, default %}}`",
            MATERIALIZATIONS.join(", ")
        ))
        .of_node(&node.unique_id)
}

/// Replaces the job's relation by the rows of `plan`, which were computed from the version `base` of it.
async fn overwrite(job: &Job<'_>, plan: &LogicalPlan, progress: &Arc<Progress>, base: Base) -> Result<Materialized> {
    let state = &job.meter.state;
    let physical = job.engine.physical(state, plan).await?;
    let rows = Arc::clone(&physical);
    let written = job.engine.warehouse.overwrite_on(base, state, job.relation, rows, progress, &job.commit).await?;
    job.meter.ran(&physical);
    Ok(Materialized { spilled: spilled_bytes(&physical), ..written.into() })
}

impl From<crate::warehouse::Written> for Materialized {
    fn from(written: crate::warehouse::Written) -> Materialized {
        Materialized {
            rows: Some(written.rows),
            bytes: Some(written.bytes),
            version: Some(written.version),
            total_rows: written.total_rows,
            spilled: 0,
        }
    }
}
