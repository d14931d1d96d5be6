//! New rows of an incremental model, kept beside the target while it is rewritten.

use datafusion::arrow::util::display::array_value_to_string;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::logical_expr::LogicalPlan;
use futures::TryStreamExt;

use super::{Job, Materialized, overwrite};
use crate::check::{keep_contract, unique_columns};
use crate::diag::{Diagnostic, Result, SourceFile, codes};
use crate::engine::{execution_error, spilled_bytes};
use crate::node::{Relation, quote};
use crate::warehouse::{Base, Profiling};

/// Rows that are staged.
pub(super) struct Staged {
    /// Where they are.
    pub(super) relation: Relation,
    /// How many.
    pub(super) rows: u64,
    /// What their query spilled.
    pub(super) spilled: u64,
    /// Whether their query reads the relation that they are for.
    pub(super) reads_target: bool,
}

/// The plan of the node's query, with what its contract promises.
pub(super) async fn plan(job: &Job<'_>) -> Result<LogicalPlan> {
    let plan = job.engine.plan(&job.meter.state, job.sql).await?;
    keep_contract(job.node, plan, &job.meter.state)
}

/// Fails if values are there twice that the contract wants to be unique.
pub(super) async fn check_unique(job: &Job<'_>, staged: &Staged) -> Result<()> {
    for key in unique_columns(job.node) {
        let list = key.iter().map(|name| quote(name)).collect::<Vec<_>>().join(", ");
        let nulls = key.iter().map(|name| format!("{} is not null", quote(name))).collect::<Vec<_>>().join(" and ");
        let from = staged.relation.render();
        let sql = format!("select {list} from {from} where {nulls} group by {list} having count(*) > 1 limit 1");
        if let Some(values) = first_row(job, sql).await? {
            let message = format!("the contract is broken: {} is there twice in {}", values.join(", "), key.join(", "));
            return Err(Diagnostic::error(codes::CONTRACT_BROKEN, message).of_node(&job.node.unique_id));
        }
    }
    Ok(())
}

/// Runs the query into a table of its own, which no other process writes or reads.
pub(super) async fn stage(job: &Job<'_>) -> Result<Staged> {
    job.engine.warehouse.drop_left_behind(job.relation).await;
    let relation = crate::warehouse::staging(job.relation);
    let mut staged = Staged { relation, rows: 0, spilled: 0, reads_target: false };
    match staged.fill(job).await {
        Ok(()) => Ok(staged),
        Err(error) => {
            staged.drop_quietly(job).await;
            Err(error)
        }
    }
}

impl Staged {
    async fn fill(&mut self, job: &Job<'_>) -> Result<()> {
        let plan = plan(job).await?;
        self.reads_target = reads(&plan, job.relation)?;
        let physical = job.engine.physical(&job.meter.state, &plan).await?;
        let warehouse = &job.engine.warehouse;
        // Nobody looks at rows that are on their way.
        let commit = job.commit.clone().profiled(Profiling::Off);
        let state = &job.meter.state;
        let written = warehouse.overwrite(state, &self.relation, physical.clone(), job.progress, &commit).await?;
        job.engine.forget(&self.relation);
        job.meter.ran(&physical);
        (self.rows, self.spilled) = (written.rows, spilled_bytes(&physical));
        Ok(())
    }

    /// Removes the rows; that this fails is no reason for the model to fail.
    pub(super) async fn drop_quietly(&self, job: &Job<'_>) {
        if let Err(error) = job.engine.warehouse.drop_relation(&self.relation).await {
            tracing::warn!("staged rows were left behind: {error}");
        }
        job.engine.forget(&self.relation);
    }
}

/// True if `plan` reads `relation`, itself or in a subquery.
fn reads(plan: &LogicalPlan, relation: &Relation) -> Result<bool> {
    let mut found = false;
    let look = |plan: &LogicalPlan| {
        if let LogicalPlan::TableScan(scan) = plan {
            let schema = scan.table_name.schema().is_none_or(|schema| schema.eq_ignore_ascii_case(&relation.schema));
            found |= schema && scan.table_name.table().eq_ignore_ascii_case(&relation.identifier);
        }
        Ok(if found { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
    };
    plan.apply_with_subqueries(look).map_err(|error| execution_error(&error))?;
    Ok(found)
}

/// Writes the rows of `sql`, computed from the version `base` of the relation, as its new version.
pub(super) async fn rewrite(job: &Job<'_>, sql: String, base: Base) -> Result<Materialized> {
    let file = SourceFile::new(job.sql.path.clone(), sql);
    let plan = job.engine.plan(&job.meter.state, &file).await?;
    overwrite(job, &plan, &Default::default(), base).await
}

/// The values of the first row of a query, as text; none if it has no rows.
pub(super) async fn first_row(job: &Job<'_>, sql: String) -> Result<Option<Vec<String>>> {
    let file = SourceFile::new(job.sql.path.clone(), sql);
    let batches: Vec<_> = job
        .engine
        .query(&job.meter.state, &file)
        .await?
        .try_collect()
        .await
        .map_err(|error| execution_error(&error))?;
    let Some(batch) = batches.iter().find(|batch| batch.num_rows() > 0) else { return Ok(None) };
    let values = batch.columns().iter().map(|column| array_value_to_string(column, 0).unwrap_or_default());
    Ok(Some(values.collect()))
}
