//! Aggregates with `count(distinct ..)` are computed where all rows of a group come together, and not in two phases.
//!
//! In two phases each thread first counts the rows that it reads and hands on what it found; for distinct values that is
//! every value, as lists, of nearly as many groups in each thread. What is handed on is hardly less than the rows, costs more
//! to make and to take apart, and is in memory beside the final counts. So rows are brought to the thread of their group
//! first, and counted once. A few groups of very many rows are counted by a few threads then; that the values of such groups
//! come together in one place holds in two phases as well.

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::aggregates::{AggregateExec, AggregateMode};

/// See the module.
#[derive(Debug)]
pub(super) struct OnePhase;

impl PhysicalOptimizerRule for OnePhase {
    fn optimize(&self, plan: Arc<dyn ExecutionPlan>, _config: &ConfigOptions) -> Result<Arc<dyn ExecutionPlan>> {
        plan.transform_up(|node| {
            let better = node.downcast_ref::<AggregateExec>().map(in_one_phase).transpose()?.flatten();
            Ok(better.map_or(Transformed::no(node), Transformed::yes))
        })
        .data()
    }

    fn name(&self) -> &str {
        "one_phase"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

/// The second phase `last` and the first one as one operator, if that is better.
fn in_one_phase(last: &AggregateExec) -> Result<Option<Arc<dyn ExecutionPlan>>> {
    let Some(first) = last.input().downcast_ref::<AggregateExec>() else { return Ok(None) };
    let two_phases = *last.mode() == AggregateMode::FinalPartitioned && *first.mode() == AggregateMode::Partial;
    let counts_distinct = first.aggr_expr().iter().any(|function| function.is_distinct());
    if !two_phases || !counts_distinct || !first.group_expr().is_single() || first.limit_options().is_some() {
        return Ok(None);
    }
    let whole = AggregateExec::try_new(
        AggregateMode::SinglePartitioned,
        first.group_expr().clone(),
        first.aggr_expr().to_vec(),
        first.filter_expr().to_vec(),
        Arc::clone(first.input()),
        first.input_schema(),
    )?;
    Ok(Some(Arc::new(whole.with_limit_options(last.limit_options()))))
}
