//! `view`: the query itself is stored. It is planned first, so that a view that cannot be read is never made.

use super::{Job, Materialized};
use crate::diag::Result;
use crate::warehouse::View;

pub(super) async fn build(job: &Job<'_>) -> Result<Materialized> {
    super::input::plan(job).await?;
    let view = View {
        sql: job.sql.text.trim().trim_end_matches(';').to_string(),
        node: job.commit.node.clone(),
        invocation_id: job.commit.invocation_id.clone(),
    };
    job.engine.warehouse.put_view(job.relation, &view).await?;
    Ok(Materialized::default())
}
