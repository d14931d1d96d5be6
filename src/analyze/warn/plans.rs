//! Walks over plans. A common table expression that is read twice is in the plan twice, so a plan can be much bigger than
//! its text: what is shared is visited once.

use std::collections::HashSet;
use std::sync::Arc;

use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::logical_expr::{Expr, LogicalPlan};

/// Calls `f` for every node of `plan`, those of subqueries included.
pub(super) fn each(plan: &LogicalPlan, f: &mut dyn FnMut(&LogicalPlan)) {
    walk(plan, &mut HashSet::new(), f);
}

fn walk(plan: &LogicalPlan, seen: &mut HashSet<usize>, f: &mut dyn FnMut(&LogicalPlan)) {
    f(plan);
    // The closures never fail.
    let _ = plan.apply_expressions(|expr| {
        expr.apply(|expr| {
            let subquery = match expr {
                Expr::ScalarSubquery(subquery) => Some(subquery),
                Expr::InSubquery(within) => Some(&within.subquery),
                Expr::Exists(exists) => Some(&exists.subquery),
                _ => None,
            };
            if let Some(subquery) = subquery
                && seen.insert(Arc::as_ptr(&subquery.subquery) as usize)
            {
                walk(&subquery.subquery, seen, f);
            }
            Ok(TreeNodeRecursion::Continue)
        })
    });
    for input in plan.inputs() {
        if seen.insert(std::ptr::from_ref(input) as usize) {
            walk(input, seen, f);
        }
    }
}

/// Calls `f` for every expression of one node, and for every one inside of it.
pub(super) fn each_expr(plan: &LogicalPlan, f: &mut dyn FnMut(&Expr)) {
    let _ = plan.apply_expressions(|expr| {
        expr.apply(|expr| {
            f(expr);
            Ok(TreeNodeRecursion::Continue)
        })
    });
}
