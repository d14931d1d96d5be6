//! A cross join with a side that is one row, such as the quartiles of all customers beside each of them.
//!
//! The operator collects its left side and copies it row by row for every batch of the right one. With many rows on the
//! left and one on the right that is a batch for each row; the other way round it is a column of constants. DataFusion
//! swaps sides by statistics, which are not there for what is computed; that an aggregate without groups is one row needs
//! none.

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::aggregates::{AggregateExec, AggregateMode};
use datafusion::physical_plan::coalesce_partitions::CoalescePartitionsExec;
use datafusion::physical_plan::joins::CrossJoinExec;
use datafusion::physical_plan::projection::ProjectionExec;

/// See the module.
#[derive(Debug)]
pub(super) struct OneRowJoins;

impl PhysicalOptimizerRule for OneRowJoins {
    fn optimize(&self, plan: Arc<dyn ExecutionPlan>, _config: &ConfigOptions) -> Result<Arc<dyn ExecutionPlan>> {
        plan.transform_up(|node| match node.downcast_ref::<CrossJoinExec>() {
            Some(join) if is_one_row(join.right()) && !is_one_row(join.left()) => {
                Ok(Transformed::yes(join.swap_inputs()?))
            }
            _ => Ok(Transformed::no(node)),
        })
        .data()
    }

    fn name(&self) -> &str {
        "one_row_joins"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

/// True if `plan` gives one row, whatever it reads.
fn is_one_row(plan: &Arc<dyn ExecutionPlan>) -> bool {
    if let Some(aggregate) = plan.downcast_ref::<AggregateExec>() {
        let is_last = matches!(aggregate.mode(), AggregateMode::Final | AggregateMode::Single);
        return is_last && aggregate.group_expr().is_empty();
    }
    let passes =
        plan.downcast_ref::<ProjectionExec>().is_some() || plan.downcast_ref::<CoalescePartitionsExec>().is_some();
    passes && plan.children().first().is_some_and(|child| is_one_row(child))
}
