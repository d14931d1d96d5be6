//! How much memory the joins of a plan will hold.
//!
//! A hash join holds one of its sides, and cannot spill it. Where the sides are too large for the pool, joins that merge
//! sorted rows are the way out: sorts spill. They are slower, so that is not done unless it has to be.

use std::sync::Arc;

use datafusion::arrow::datatypes::DataType;
use datafusion::common::JoinType;
use datafusion::execution::memory_pool::MemoryLimit;
use datafusion::execution::{SessionState, SessionStateBuilder};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::joins::HashJoinExec;
use datafusion::physical_plan::statistics::{StatisticsArgs, StatisticsContext};

/// Joins may hold this part of the limit: other operators of the plan, and other nodes, need memory too.
const HELD: usize = 4;

/// What the hash table of a join has for a row, beside the row.
const ENTRY: usize = 16;
/// A text, in memory: its view, and what it says where it is longer than the view.
const TEXT: usize = 32;
/// A list, a struct or a map.
const NESTED: usize = 64;

/// DataFusion's merge of an outer join with a further condition (`a.k = b.k and a.v > b.v`) puts nulls into columns that it
/// declares without.
fn has_filtered_outer_join(plan: &Arc<dyn ExecutionPlan>) -> bool {
    let is_one = plan
        .downcast_ref::<HashJoinExec>()
        .is_some_and(|join| join.filter().is_some() && *join.join_type() != JoinType::Inner);
    is_one || plan.children().into_iter().any(has_filtered_outer_join)
}

/// Bytes that the hash joins of `plan` hold when all of them have read the side that they keep, as far as the numbers of
/// rows are known.
fn held_by_joins(plan: &Arc<dyn ExecutionPlan>) -> usize {
    let below: usize = plan.children().into_iter().map(held_by_joins).sum();
    let Some(join) = plan.downcast_ref::<HashJoinExec>() else { return below };
    let kept = join.left();
    let known = StatisticsContext::new().compute(kept.as_ref(), &StatisticsArgs::new()).ok();
    let rows = known.and_then(|known| known.num_rows.get_value().copied());
    let width: usize = kept.schema().fields().iter().map(|field| width(field.data_type())).sum();
    below.saturating_add(rows.unwrap_or(0).saturating_mul(width + ENTRY))
}

/// The session in which joins merge sorted rows, if `plan` holds more in its joins than [`HELD`] of the memory of `state`.
pub(in crate::engine) fn spilling(state: &SessionState, plan: &Arc<dyn ExecutionPlan>) -> Option<SessionState> {
    let MemoryLimit::Finite(limit) = state.runtime_env().memory_pool.memory_limit() else { return None };
    if held_by_joins(plan) <= limit / HELD || has_filtered_outer_join(plan) {
        return None;
    }
    // With one partition the planner knows hash joins alone.
    let partitions = state.config().target_partitions().max(2);
    let mut config = state.config().clone().with_target_partitions(partitions);
    config.options_mut().optimizer.prefer_hash_join = false;
    Some(SessionStateBuilder::new_from_existing(state.clone()).with_config(config).build())
}

fn width(data_type: &DataType) -> usize {
    match data_type {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => TEXT,
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView => TEXT,
        other => other.primitive_width().unwrap_or(if other.is_nested() { NESTED } else { 1 }),
    }
}
