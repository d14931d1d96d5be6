//! `table`: the rows of the query replace the table.

use super::{Job, Materialized, overwrite};
use crate::diag::Result;

pub(super) async fn build(job: &Job<'_>) -> Result<Materialized> {
    let plan = job.engine.plan(&job.meter.state, job.sql).await?;
    overwrite(job, &plan, job.progress).await
}
