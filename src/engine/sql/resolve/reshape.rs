//! PIVOT and UNPIVOT, which the planner does not know, as the subqueries that they stand for.
//!
//! `t pivot (sum(x) for kind in ('a', 'b'))` groups `t` by the columns that it does not mention, with one filtered
//! aggregate a value. `t unpivot (value for name in (a, b))` unnests two lists, the names and the values of a row,
//! side by side.

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    BinaryOperator, Expr, ExprWithAlias, GroupByExpr, Ident, NullInclusion, PivotValueSource, Query, SelectItem,
    SetExpr, TableAlias, TableFactor, UnaryOperator, Value, ValueWithSpan, visit_expressions,
};

use super::Resolver;
use super::from::aliased;
use super::scope::{Scope, Visible, same};
use crate::engine::sql::rewrite::{and, binary, call, identifier, select_from, star, string, take_factor};

impl Resolver<'_> {
    /// Puts a subquery in the place of a PIVOT or UNPIVOT whose source is known, and resolves that.
    pub(super) fn reshape(&mut self, factor: &mut TableFactor, left: &mut Scope) -> Vec<Visible> {
        let (TableFactor::Pivot { table, alias, .. } | TableFactor::Unpivot { table, alias, .. }) = &mut *factor else {
            return vec![Visible::unknown()];
        };
        let alias = alias.clone();
        self.noticed.rebuilds();
        // The source is resolved on a copy: the subquery around it is resolved as a whole.
        let (read, mut copy) = (self.read.len(), table.clone());
        let source = self.table_factor(&mut copy, left);
        let [source] = source.as_slice() else { return vec![aliased(Visible::unknown(), alias.as_ref())] };
        let Some(query) = subquery(factor, source) else { return vec![aliased(Visible::unknown(), alias.as_ref())] };
        self.read.truncate(read);
        *factor = derived(query, alias);
        self.table_factor(factor, left)
    }
}

fn derived(query: Query, alias: Option<TableAlias>) -> TableFactor {
    TableFactor::Derived { lateral: false, subquery: Box::new(query), alias, sample: None }
}

fn subquery(factor: &mut TableFactor, source: &Visible) -> Option<Query> {
    if source.open || source.columns.iter().any(|column| column.name.is_empty()) {
        return None;
    }
    match factor {
        TableFactor::Pivot {
            table, aggregate_functions, value_column, value_source, default_on_null: None, ..
        } => {
            let PivotValueSource::List(values) = value_source else { return None };
            pivot(table, aggregate_functions, value_column, values, source)
        }
        TableFactor::Unpivot { table, value: Expr::Identifier(value), name, columns, null_inclusion, .. } => {
            let keep_nulls = matches!(null_inclusion, Some(NullInclusion::IncludeNulls));
            unpivot(table, value, name, columns, keep_nulls, source)
        }
        _ => None,
    }
}

/// The columns of `source` that are not in `used`.
fn others<'a>(source: &'a Visible, used: &'a [String]) -> impl Iterator<Item = Ident> + 'a {
    let free = |name: &str| !used.iter().any(|other| same(other, name));
    source.columns.iter().filter(move |column| free(&column.name)).map(|column| identifier(&column.name))
}

fn pivot(
    table: &mut TableFactor,
    aggregates: &[ExprWithAlias],
    value_columns: &[Expr],
    values: &[ExprWithAlias],
    source: &Visible,
) -> Option<Query> {
    let mut used = Vec::new();
    for expr in aggregates.iter().map(|aggregate| &aggregate.expr).chain(value_columns) {
        names(expr, &mut used);
    }
    let keys: Vec<Ident> = others(source, &used).collect();
    let mut items: Vec<SelectItem> = keys.iter().cloned().map(Expr::Identifier).map(SelectItem::UnnamedExpr).collect();
    for value in values {
        let condition = condition(value_columns, &value.expr)?;
        let label = value.alias.as_ref().map_or_else(|| label(&value.expr), |alias| alias.value.clone());
        for aggregate in aggregates {
            let Expr::Function(function) = &aggregate.expr else { return None };
            let mut function = function.clone();
            let filter = function.filter.take().map_or(condition.clone(), |filter| and(*filter, condition.clone()));
            function.filter = Some(Box::new(filter));
            let name = if aggregates.len() == 1 { label.clone() } else { suffixed(&label, aggregate) };
            items.push(SelectItem::ExprWithAlias { expr: Expr::Function(function), alias: identifier(&name) });
        }
    }
    let mut query = select_from(items, take_factor(table));
    if let SetExpr::Select(select) = query.body.as_mut() {
        select.group_by = GroupByExpr::Expressions(keys.into_iter().map(Expr::Identifier).collect(), Vec::new());
    }
    Some(query)
}

fn suffixed(label: &str, aggregate: &ExprWithAlias) -> String {
    match &aggregate.alias {
        Some(alias) => format!("{label}_{}", alias.value),
        None => format!("{label}_{}", aggregate.expr.to_string().to_lowercase()),
    }
}

/// The names of columns in an expression.
fn names(expr: &Expr, used: &mut Vec<String>) {
    let _ = visit_expressions(expr, |expr| {
        match expr {
            Expr::Identifier(ident) => used.push(ident.value.clone()),
            Expr::CompoundIdentifier(idents) => used.extend(idents.last().map(|ident| ident.value.clone())),
            _ => {}
        }
        ControlFlow::<()>::Continue(())
    });
}

/// `columns = value`; a tuple of values for several columns.
fn condition(columns: &[Expr], value: &Expr) -> Option<Expr> {
    let values = match value {
        Expr::Tuple(values) => values.as_slice(),
        value => std::slice::from_ref(value),
    };
    if values.len() != columns.len() || !values.iter().all(is_literal) {
        return None;
    }
    let equal = |(column, value): (&Expr, &Expr)| match value {
        Expr::Value(ValueWithSpan { value: Value::Null, .. }) => Expr::IsNull(Box::new(column.clone())),
        value => binary(column.clone(), BinaryOperator::Eq, value.clone()),
    };
    columns.iter().zip(values).map(equal).reduce(and)
}

fn is_literal(expr: &Expr) -> bool {
    match expr {
        Expr::Value(_) | Expr::TypedString(_) => true,
        Expr::UnaryOp { op: UnaryOperator::Minus | UnaryOperator::Plus, expr } => is_literal(expr),
        Expr::Cast { expr, .. } | Expr::Nested(expr) => is_literal(expr),
        _ => false,
    }
}

/// The name of the column that a value makes.
fn label(value: &Expr) -> String {
    match value {
        Expr::Value(literal) => literal.value.clone().into_string().unwrap_or_else(|| literal.to_string()),
        Expr::TypedString(typed) => typed.value.value.clone().into_string().unwrap_or_else(|| typed.to_string()),
        Expr::Tuple(values) => values.iter().map(label).collect::<Vec<_>>().join("_"),
        Expr::Cast { expr, .. } | Expr::Nested(expr) => label(expr),
        other => other.to_string(),
    }
}

fn unpivot(
    table: &mut TableFactor,
    value: &Ident,
    name: &Ident,
    columns: &[ExprWithAlias],
    keep_nulls: bool,
    source: &Visible,
) -> Option<Query> {
    let mut used = Vec::new();
    let mut labels = Vec::new();
    for column in columns {
        let Expr::Identifier(ident) = &column.expr else { return None };
        let known = source.columns.iter().find(|known| same(&known.name, &ident.value))?;
        used.push(known.name.clone());
        labels.push(string(column.alias.as_ref().map_or(&known.name, |alias| &alias.value)));
    }
    let values = columns.iter().map(|column| column.expr.clone()).collect();
    let unnest = |list: Vec<Expr>| call("unnest", vec![call("make_array", list)]);
    let mut items: Vec<SelectItem> = others(source, &used).map(Expr::Identifier).map(SelectItem::UnnamedExpr).collect();
    items.push(SelectItem::ExprWithAlias { expr: unnest(labels), alias: name.clone() });
    items.push(SelectItem::ExprWithAlias { expr: unnest(values), alias: value.clone() });
    let query = select_from(items, take_factor(table));
    if keep_nulls {
        return Some(query);
    }
    let mut outer = select_from(vec![star()], derived(query, None));
    if let SetExpr::Select(select) = outer.body.as_mut() {
        select.selection = Some(Expr::IsNotNull(Box::new(Expr::Identifier(value.clone()))));
    }
    Some(outer)
}
