//! `table`: the rows of the query replace the table.

use super::{Job, Materialized};
use crate::diag::Result;
use crate::engine::spilled_bytes;

pub(super) async fn build(job: &Job<'_>) -> Result<Materialized> {
    let plan = job.engine.plan(&job.meter.state, job.sql).await?;
    let physical = job.engine.physical(&job.meter.state, &plan).await?;
    let written = job
        .engine
        .warehouse
        .overwrite(&job.meter.state, job.relation, physical.clone(), job.progress, &job.commit)
        .await?;
    Ok(Materialized { spilled: spilled_bytes(&physical), ..written.into() })
}
