//! Lateral items of FROM that the planner parses but cannot run: `cross join unnest(t.list) as u(x)`, which LATERAL VIEW
//! becomes too, and `lateral (select t.a + 1 as b)`.
//!
//! What such an item computes from its left neighbours becomes more columns of them: the left side moves into a subquery
//! `(select *, unnest(t.list) as x from t) as t`. Columns keep the qualifiers that the query knows them by; where they
//! really are is kept beside them (`Column::at`).

use std::ops::ControlFlow;

use arrow::datatypes::DataType;
use datafusion::sql::sqlparser::ast::{
    Expr, GroupByExpr, Join, JoinConstraint, JoinOperator, Query, Select, SelectItem, SetExpr, TableAlias, TableFactor,
    TableWithJoins, Value, ValueWithSpan, visit_expressions,
};

use super::Resolver;
use super::scope::{Column, Scope, Visible};
use crate::engine::sql::rewrite::{call, identifier, reference, select_from, star, take_factor};

/// The alias of a left side of several relations.
const LEFT: &str = "__from";

/// A column that a lateral item computes.
struct Computed {
    name: String,
    expr: Expr,
    data_type: Option<DataType>,
}

impl Resolver<'_> {
    /// Moves the lateral item at `index` of the joins into the left side, if it is one of those kinds. The joins up to
    /// it are gone then, and `scope` has its columns.
    pub(super) fn absorb(&mut self, item: &mut TableWithJoins, index: usize, first: usize, scope: &mut Scope) -> bool {
        let Some(outer) = item.joins.get(index).and_then(|join| is_outer(&join.join_operator)) else { return false };
        let known = scope.relations[first..]
            .iter()
            .all(|relation| !relation.open && relation.columns.iter().all(|column| !column.name.is_empty()));
        let single = scope.relations.len() == first + 1;
        if !known && !single {
            return false;
        }
        let Some(factor) = item.joins.get_mut(index).map(|join| &mut join.relation) else { return false };
        let Some((qualifier, mut computed)) = computed(factor, outer) else { return false };
        self.noticed.rebuilds();
        let own =
            Scope { relations: scope.relations[first..].to_vec(), merged: scope.merged.clone(), ..Scope::default() };
        self.within(own, |resolver| {
            for column in &mut computed {
                let data_type = resolver.expr(&mut column.expr);
                column.data_type = data_type;
            }
        });
        let alias = match &scope.relations[first..] {
            [relation] => relation.qualifier.last().cloned().unwrap_or_else(|| LEFT.to_string()),
            _ => LEFT.to_string(),
        };
        let mut items = if single { vec![star()] } else { Vec::new() };
        let mut taken: Vec<String> = Vec::new();
        for relation in &mut scope.relations[first..] {
            move_columns(relation, &alias, single, &mut taken, &mut items);
        }
        let mut columns = Vec::new();
        for Computed { name, expr, data_type } in computed {
            let actual = free_name(&name, &alias, &mut taken);
            items.push(SelectItem::ExprWithAlias { expr, alias: identifier(&actual) });
            columns.push(Column { at: Some(vec![alias.clone(), actual]), ..Column::new(name, data_type) });
        }
        scope.relations.push(Visible { qualifier, columns, ..Visible::default() });
        wrap(item, index, items, &alias);
        true
    }
}

/// Puts everything left of and including a join into a subquery.
fn wrap(item: &mut TableWithJoins, index: usize, items: Vec<SelectItem>, alias: &str) {
    let rest = item.joins.split_off(index + 1);
    item.joins.truncate(index);
    let joins = std::mem::replace(&mut item.joins, rest);
    let mut query = select_from(items, take_factor(&mut item.relation));
    if let SetExpr::Select(select) = query.body.as_mut()
        && let [from] = select.from.as_mut_slice()
    {
        from.joins = joins;
    }
    let alias = TableAlias { explicit: true, name: identifier(alias), columns: Vec::new(), at: None };
    item.relation =
        TableFactor::Derived { lateral: false, subquery: Box::new(query), alias: Some(alias), sample: None };
}

/// Notes where the columns of a relation are once it is inside of the subquery `alias`.
fn move_columns(
    relation: &mut Visible,
    alias: &str,
    single: bool,
    taken: &mut Vec<String>,
    items: &mut Vec<SelectItem>,
) {
    for column in &mut relation.columns {
        if single {
            taken.push(column.name.clone());
            column.at = (!relation.open).then(|| vec![alias.to_string(), column.name.clone()]);
            continue;
        }
        let hint = relation.qualifier.last().map_or("", String::as_str);
        let actual = free_name(&column.name, hint, taken);
        let expr = match &column.at {
            Some(at) => reference(&at[..at.len() - 1], &at[at.len() - 1]),
            None => reference(&relation.qualifier, &column.name),
        };
        items.push(SelectItem::ExprWithAlias { expr, alias: identifier(&actual) });
        column.at = Some(vec![alias.to_string(), actual]);
    }
}

/// A name that no column of the subquery has yet.
fn free_name(name: &str, hint: &str, taken: &mut Vec<String>) -> String {
    let mut free = name.to_string();
    while taken.contains(&free) {
        free = format!("{hint}_{free}");
        if hint.is_empty() {
            free.push('_');
        }
    }
    taken.push(free.clone());
    free
}

/// Whether rows of the left side without partner stay; `None` if the join has a condition.
fn is_outer(operator: &JoinOperator) -> Option<bool> {
    let always = |constraint: &JoinConstraint| match constraint {
        JoinConstraint::None => true,
        JoinConstraint::On(Expr::Value(ValueWithSpan { value: Value::Boolean(true), .. })) => true,
        JoinConstraint::On(_) | JoinConstraint::Using(_) | JoinConstraint::Natural => false,
    };
    match operator {
        JoinOperator::Join(constraint) | JoinOperator::Inner(constraint) | JoinOperator::CrossJoin(constraint) => {
            always(constraint).then_some(false)
        }
        JoinOperator::Left(constraint) | JoinOperator::LeftOuter(constraint) => always(constraint).then_some(true),
        _ => None,
    }
}

/// Alias and columns of a lateral item that can be computed row by row.
fn computed(factor: &mut TableFactor, outer: bool) -> Option<(Vec<String>, Vec<Computed>)> {
    match factor {
        TableFactor::UNNEST {
            alias: Some(alias),
            array_exprs,
            with_offset: false,
            with_offset_alias: None,
            with_ordinality: false,
        } if array_exprs.iter().any(refers) => {
            let names: Vec<String> = match alias.columns.as_slice() {
                [] => vec![alias.name.value.clone()],
                columns => columns.iter().map(|column| column.name.value.clone()).collect(),
            };
            if names.len() != array_exprs.len() {
                return None;
            }
            let unnest = if outer { "unnest_outer" } else { "unnest" };
            let expr = |expr: &Expr| call(unnest, vec![expr.clone()]);
            let columns = names.into_iter().zip(array_exprs.iter().map(expr));
            let columns = columns.map(|(name, expr)| Computed { name, expr, data_type: None }).collect();
            Some((vec![alias.name.value.clone()], columns))
        }
        TableFactor::Derived { lateral: true, subquery, alias: Some(alias), sample: None } => {
            let mut columns = projected(subquery)?;
            if !alias.columns.is_empty() && alias.columns.len() != columns.len() {
                return None;
            }
            for (column, alias) in columns.iter_mut().zip(&alias.columns) {
                column.name.clone_from(&alias.name.value);
            }
            Some((vec![alias.name.value.clone()], columns))
        }
        _ => None,
    }
}

/// The columns of `select a as b, ..` without any other clause.
fn projected(query: &Query) -> Option<Vec<Computed>> {
    let Query { with: None, body, order_by: None, limit_clause: None, fetch: None, pipe_operators, .. } = query else {
        return None;
    };
    let SetExpr::Select(select) = body.as_ref() else { return None };
    let Select { distinct: None, projection, from, selection: None, having: None, qualify: None, .. } = select.as_ref()
    else {
        return None;
    };
    let grouped = !matches!(&select.group_by, GroupByExpr::Expressions(exprs, _) if exprs.is_empty());
    if !from.is_empty() || !pipe_operators.is_empty() || grouped || !select.lateral_views.is_empty() {
        return None;
    }
    let column = |item: &SelectItem| match item {
        SelectItem::ExprWithAlias { expr, alias } if is_scalar(expr) => {
            Some(Computed { name: alias.value.clone(), expr: expr.clone(), data_type: None })
        }
        _ => None,
    };
    projection.iter().map(column).collect()
}

/// True if an expression has one value a row: no function that may be an aggregate over the (one) row of the item.
fn is_scalar(expr: &Expr) -> bool {
    let found = visit_expressions(expr, |expr| match expr {
        Expr::Function(function) if super::call::is_aggregate(function) => ControlFlow::Break(()),
        Expr::Subquery(_) | Expr::Exists { .. } | Expr::InSubquery { .. } => ControlFlow::Break(()),
        _ => ControlFlow::Continue(()),
    });
    found.is_continue()
}

/// True if an expression mentions a column.
fn refers(expr: &Expr) -> bool {
    let found = visit_expressions(expr, |expr| match expr {
        Expr::Identifier(_) | Expr::CompoundIdentifier(_) => ControlFlow::Break(()),
        _ => ControlFlow::Continue(()),
    });
    found.is_break()
}

/// `from a, unnest(a.x)`: items before a lateral one join it, so that they are its left side.
pub(super) fn join_commas(from: &mut Vec<TableWithJoins>) {
    let lateral = |item: &TableWithJoins| {
        matches!(item.relation, TableFactor::UNNEST { .. } | TableFactor::Derived { lateral: true, .. })
    };
    let Some(last) = from.iter().rposition(lateral).filter(|last| *last > 0) else { return };
    let mut items = from.drain(..=last).collect::<Vec<_>>().into_iter();
    let Some(mut first) = items.next() else { return };
    for item in items {
        let operator = JoinOperator::CrossJoin(JoinConstraint::None);
        first.joins.push(Join { relation: item.relation, global: false, join_operator: operator });
        first.joins.extend(item.joins);
    }
    from.insert(0, first);
}
