//! `table`: the rows of the query replace the table.

use super::input::{check_unique, plan, rewrite, stage};
use super::{Job, Materialized, overwrite};
use crate::check::unique_columns;
use crate::diag::Result;
use crate::warehouse::Base;

pub(super) async fn build(job: &Job<'_>) -> Result<Materialized> {
    if !unique_columns(job.node).is_empty() {
        return checked(job).await;
    }
    let plan = plan(job).await?;
    overwrite(job, &plan, job.progress, Base::Any).await
}

/// Rows that have to be unique are all there before they become the table.
async fn checked(job: &Job<'_>) -> Result<Materialized> {
    let staged = stage(job).await?;
    let done = match check_unique(job, &staged).await {
        Ok(()) => rewrite(job, format!("select * from {}", staged.relation.render()), Base::Any).await,
        Err(error) => Err(error),
    };
    staged.drop_quietly(job).await;
    done
}
