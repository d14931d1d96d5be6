//! Clauses of queries: joins, set operations, limits, grouping.

use datafusion::sql::sqlparser::ast::{
    Expr, GroupByExpr, GroupByWithModifier, Join, JoinConstraint, JoinOperator, LimitClause, Query, Select,
    SelectFlavor, SetExpr, SetOperator, TopQuantity, Value,
};

use super::build::star;

/// `semi join`, `anti join` of Spark keep the left side; `cross join .. on` is an inner join.
pub(super) fn joins(joins: &mut [Join]) {
    for join in joins {
        let none = JoinOperator::CrossJoin(JoinConstraint::None);
        join.join_operator = match std::mem::replace(&mut join.join_operator, none) {
            JoinOperator::Semi(constraint) => JoinOperator::LeftSemi(constraint),
            JoinOperator::Anti(constraint) => JoinOperator::LeftAnti(constraint),
            JoinOperator::CrossJoin(constraint @ (JoinConstraint::On(_) | JoinConstraint::Using(_))) => {
                JoinOperator::Inner(constraint)
            }
            operator => operator,
        };
    }
}

/// FROM without SELECT shows all columns; the planner would show none.
pub(super) fn from_first(select: &mut Select) {
    if select.flavor == SelectFlavor::FromFirstNoSelect && select.projection.is_empty() {
        select.projection.push(star());
        select.flavor = SelectFlavor::Standard;
    }
}

/// `minus` is `except`.
pub(super) fn minus(body: &mut SetExpr) {
    let mut body = body;
    while let SetExpr::SetOperation { left, op, right, .. } = body {
        if *op == SetOperator::Minus {
            *op = SetOperator::Except;
        }
        minus(right);
        body = left;
    }
}

/// `fetch first n rows only` and `select top n` are `limit n`.
pub(super) fn limits(query: &mut Query) {
    let fetch = query.fetch.take_if(|fetch| !fetch.with_ties && !fetch.percent);
    if let Some(fetch) = fetch {
        limit(query, fetch.quantity.unwrap_or_else(one));
    }
    let SetExpr::Select(select) = query.body.as_mut() else { return };
    let top = select.top.take_if(|top| !top.with_ties && !top.percent);
    let quantity = match top.and_then(|top| top.quantity) {
        Some(TopQuantity::Expr(expr)) => expr,
        Some(TopQuantity::Constant(rows)) => Expr::value(Value::Number(rows.to_string(), false)),
        None => return,
    };
    limit(query, quantity);
}

fn one() -> Expr {
    Expr::value(Value::Number("1".to_string(), false))
}

fn limit(query: &mut Query, rows: Expr) {
    match &mut query.limit_clause {
        Some(LimitClause::LimitOffset { limit: limit @ None, .. }) => *limit = Some(rows),
        Some(_) => {}
        None => {
            query.limit_clause =
                Some(LimitClause::LimitOffset { limit: Some(rows), offset: None, limit_by: Vec::new() })
        }
    }
}

/// `group by a, b with rollup` is `group by rollup(a, b)`; the planner ignores the former.
pub(super) fn group_by_modifiers(select: &mut Select) {
    let GroupByExpr::Expressions(exprs, modifiers) = &mut select.group_by else { return };
    let [modifier] = modifiers.as_slice() else { return };
    let grouping: fn(Vec<Vec<Expr>>) -> Expr = match modifier {
        GroupByWithModifier::Rollup => Expr::Rollup,
        GroupByWithModifier::Cube => Expr::Cube,
        GroupByWithModifier::Totals | GroupByWithModifier::GroupingSets(_) => return,
    };
    let sets = std::mem::take(exprs).into_iter().map(|expr| vec![expr]).collect();
    *exprs = vec![grouping(sets)];
    modifiers.clear();
}
