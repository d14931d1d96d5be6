//! Functions that give another value each time, where rows are kept.

use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::logical_expr::{Expr, LogicalPlan, Volatility};

use super::plans::{each, each_expr};
use super::{Warnings, at};
use crate::diag::{Diagnostic, codes};
use crate::engine::sql::function_span;

pub(super) fn look(warnings: &mut Warnings<'_>) {
    if warnings.node.materialized() != "incremental" {
        return;
    }
    let plan = &warnings.planned.plan;
    let mut names: Vec<String> = Vec::new();
    each(plan, &mut |node| {
        each_expr(node, &mut |expr| {
            if let Some(name) = called(expr, Volatility::Volatile)
                && !names.contains(&name)
            {
                names.push(name);
            }
        });
    });
    for name in names {
        warn(warnings, &name, "gives another value each time, so a row depends on the run that made it");
    }
    for name in clocks_in_keys(plan, &warnings.node.config.strings("unique_key")) {
        warn(warnings, &name, "is part of the `unique_key`, so a row that is built again is another row");
    }
}

fn warn(warnings: &mut Warnings<'_>, name: &str, why: &str) {
    let place = function_span(&warnings.planned.compiled.sql, name);
    let diagnostic = Diagnostic::warning(codes::NON_DETERMINISTIC, format!("`{name}` {why}"));
    warnings
        .warn(at(diagnostic, place, "called here").help("take the value from the rows, or hash what tells them apart"));
}

/// The name of the function that `expr` calls, if it is one that changes as `volatility` says.
fn called(expr: &Expr, volatility: Volatility) -> Option<String> {
    match expr {
        Expr::ScalarFunction(call) if call.func.signature().volatility == volatility => {
            Some(call.func.name().to_string())
        }
        _ => None,
    }
}

/// Functions of the clock that the key columns of the result are computed with.
fn clocks_in_keys(plan: &LogicalPlan, keys: &[String]) -> Vec<String> {
    let mut names = Vec::new();
    let mut top = plan;
    while let LogicalPlan::Sort(_) | LogicalPlan::Limit(_) | LogicalPlan::SubqueryAlias(_) = top {
        match top.inputs().first() {
            Some(input) => top = *input,
            None => break,
        }
    }
    let LogicalPlan::Projection(projection) = top else { return names };
    for expr in &projection.expr {
        let Expr::Alias(alias) = expr else { continue };
        if !keys.iter().any(|key| key.eq_ignore_ascii_case(&alias.name)) {
            continue;
        }
        // The closure never fails.
        let _ = alias.expr.apply(|expr| {
            names.extend(called(expr, Volatility::Stable));
            Ok(TreeNodeRecursion::Continue)
        });
    }
    names
}
