//! `snapshot`: the history of rows that change in place.
//!
//! The table has a row for each state in which a row of the source was seen, with the time from which and to which it
//! was that. A run compares the source with the rows that are current: what changed ends, and its new state begins;
//! what is new begins; what is gone ends, if `hard_deletes` says so. All of that is one query over the old table and the
//! staged rows of the source, and its result is one Delta commit: a killed run leaves the history as it was.

mod merge;
mod settings;

use std::sync::Arc;

use datafusion::arrow::datatypes::SchemaRef;
use datafusion::execution::SessionState;

use super::input::{rewrite, stage};
use super::{Job, Materialized};
use crate::diag::{Diagnostic, Result, SourceFile, codes};
use crate::engine::Engine;
use crate::node::Node;
use crate::warehouse::{Base, Stored};

use merge::Merge;
use settings::Settings;

/// Says what is wrong with the configuration of a snapshot, before anything runs.
///
/// # Errors
/// C2011 for what is missing or cannot be.
pub fn check_snapshot(node: &Node) -> Result<()> {
    Settings::read(node).map(drop)
}

/// The columns that the table of the snapshot `node` has after its first run, whose query is `sql`.
///
/// # Errors
/// C2011 for its configuration; what planning its query fails with.
pub async fn snapshot_schema(
    engine: &Engine,
    state: &SessionState,
    node: &Node,
    sql: &Arc<SourceFile>,
) -> Result<SchemaRef> {
    let settings = Settings::read(node)?;
    let query = merge::first(&settings, sql.text.trim().trim_end_matches(';'), chrono::NaiveDateTime::default());
    let plan = engine.plan(state, &SourceFile::new(format!("snapshot {}", node.name), query)).await?;
    Ok(Arc::new(plan.schema().as_arrow().clone()))
}

pub(super) async fn build(job: &Job<'_>) -> Result<Materialized> {
    let settings = Settings::read(job.node)?;
    let now = chrono::Utc::now().naive_utc();
    let existing = job.engine.warehouse.load(job.relation).await?;
    let base = Base::of(existing.as_ref());
    match existing {
        None => first(job, &settings, now, base).await,
        Some(Stored::Table(_)) => next(job, &settings, now, base).await,
        Some(Stored::View(_)) => Err(Diagnostic::error(
            codes::WAREHOUSE_ERROR,
            format!("`{}` is a view, and a snapshot cannot take its place", job.relation),
        )
        .help("give the snapshot another `alias`, or drop the view")
        .of_node(&job.node.unique_id)),
    }
}

/// The first run: every row begins.
async fn first(job: &Job<'_>, settings: &Settings, now: chrono::NaiveDateTime, base: Base) -> Result<Materialized> {
    // The query is planned on its own first, so that its mistakes are reported at their places.
    job.engine.plan(&job.meter.state, job.sql).await?;
    let query = job.sql.text.trim().trim_end_matches(';');
    rewrite(job, merge::first(settings, query, now), base).await
}

async fn next(job: &Job<'_>, settings: &Settings, now: chrono::NaiveDateTime, base: Base) -> Result<Materialized> {
    let old = schema(job, job.relation).await?;
    check_target(job, settings, &old)?;
    let staged = stage(job).await?;
    let done = match schema(job, &staged.relation).await {
        Ok(new) => {
            let merge = Merge { settings, target: job.relation, staged: &staged.relation, old: &old, new: &new, now };
            rewrite(job, merge.sql(), base).await
        }
        Err(error) => Err(error),
    };
    staged.drop_quietly(job).await;
    let mut done = done?;
    done.spilled += staged.spilled;
    Ok(done)
}

async fn schema(job: &Job<'_>, relation: &crate::node::Relation) -> Result<SchemaRef> {
    job.engine.schema_of(relation).await?.ok_or_else(|| {
        Diagnostic::error(codes::RELATION_NOT_BUILT, format!("`{relation}` is gone")).of_node(&job.node.unique_id)
    })
}

/// A table that is no snapshot is not made one.
fn check_target(job: &Job<'_>, settings: &Settings, old: &SchemaRef) -> Result<()> {
    let has = |name: &&str| old.fields().iter().any(|field| field.name().eq_ignore_ascii_case(name));
    let missing: Vec<&str> = settings.names.all(settings.hard_deletes).into_iter().filter(|name| !has(name)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    Err(Diagnostic::error(
        codes::SCHEMA_CHANGED,
        format!("`{}` lacks columns of a snapshot: {}", job.relation, missing.join(", ")),
    )
    .help("drop the table to start its history anew, or set `snapshot_meta_column_names` to the names that it has")
    .of_node(&job.node.unique_id))
}
