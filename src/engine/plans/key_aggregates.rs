//! `select a, min(a) .. group by a`: the smallest value of a group whose rows all have the same one.
//!
//! Nobody writes that by hand, but macros do: a keyword is grouped by in the form in which it is counted and shown in its
//! smallest spelling, and where both forms are the same, nothing is left to compute.

use std::sync::Arc;

use datafusion::common::tree_node::Transformed;
use datafusion::common::{Column, Result};
use datafusion::logical_expr::{Aggregate, Expr, LogicalPlan, Projection};
use datafusion::optimizer::optimizer::ApplyOrder;
use datafusion::optimizer::{OptimizerConfig, OptimizerRule};

/// See the module.
#[derive(Debug)]
pub(super) struct KeyAggregates;

impl OptimizerRule for KeyAggregates {
    fn name(&self) -> &str {
        "key_aggregates"
    }

    fn apply_order(&self) -> Option<ApplyOrder> {
        Some(ApplyOrder::BottomUp)
    }

    fn rewrite(&self, plan: LogicalPlan, _config: &dyn OptimizerConfig) -> Result<Transformed<LogicalPlan>> {
        let LogicalPlan::Aggregate(aggregate) = &plan else { return Ok(Transformed::no(plan)) };
        if aggregate.group_expr.iter().any(|expr| matches!(expr, Expr::GroupingSet(_))) {
            return Ok(Transformed::no(plan));
        }
        let keys: Vec<Option<usize>> =
            aggregate.aggr_expr.iter().map(|expr| key_of(expr, &aggregate.group_expr)).collect();
        if keys.iter().all(Option::is_none) {
            return Ok(Transformed::no(plan));
        }
        without(aggregate, &keys).map(Transformed::yes)
    }
}

/// The key that `expr` is the smallest or largest value of.
fn key_of(expr: &Expr, keys: &[Expr]) -> Option<usize> {
    let plain = |expr: &Expr| expr.clone().unalias();
    let Expr::AggregateFunction(call) = plain(expr) else { return None };
    if !matches!(call.func.name(), "min" | "max") || call.params.filter.is_some() {
        return None;
    }
    let [argument] = call.params.args.as_slice() else { return None };
    keys.iter().position(|key| plain(key) == plain(argument))
}

/// The aggregate without the aggregates that are keys, and a projection that gives them back.
fn without(aggregate: &Aggregate, keys: &[Option<usize>]) -> Result<LogicalPlan> {
    let left = aggregate.aggr_expr.iter().zip(keys).filter(|(_, key)| key.is_none()).map(|(expr, _)| expr.clone());
    let reduced = Aggregate::try_new(Arc::clone(&aggregate.input), aggregate.group_expr.clone(), left.collect())?;
    let column = |at: usize| Expr::Column(Column::from(aggregate.schema.qualified_field(at)));
    let groups = aggregate.group_expr.len();
    let mut columns: Vec<Expr> = (0..groups).map(column).collect();
    for (at, key) in keys.iter().enumerate() {
        let (qualifier, field) = aggregate.schema.qualified_field(groups + at);
        columns.push(match key {
            Some(key) => column(*key).alias_qualified(qualifier.cloned(), field.name()),
            None => column(groups + at),
        });
    }
    Ok(LogicalPlan::Projection(Projection::try_new(columns, Arc::new(LogicalPlan::Aggregate(reduced)))?))
}
