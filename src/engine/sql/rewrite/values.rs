//! Queries that stand for values, and aggregates with an order.

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    BinaryOperator, CastKind, DataType, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArgumentClause,
    FunctionArguments, GroupByExpr, Ident, Query, Select, SelectItem, SetExpr, TableAlias, TableAliasColumnDef,
    TableFactor, TimezoneInfo, Value, VisitMut, VisitorMut,
};

use super::build::{binary, call, identifier, select_from, string};

/// Aggregates that take an order inside of their parentheses, but not behind them.
const ORDERED: [&str; 4] = ["listagg", "string_agg", "group_concat", "array_agg"];

/// `listagg(x, ',') within group (order by y)`: the order goes into the parentheses.
pub(super) fn order_inside(function: &mut Function) {
    let name = function.name.to_string().to_lowercase();
    if function.within_group.is_empty() || !ORDERED.contains(&name.as_str()) {
        return;
    }
    if let FunctionArguments::List(list) = &mut function.args {
        list.clauses.push(FunctionArgumentClause::OrderBy(std::mem::take(&mut function.within_group)));
    }
}

/// `struct_pack(a := 1)`: names are arguments of their own.
pub(super) fn struct_pack(function: &mut Function) {
    if !function.name.to_string().eq_ignore_ascii_case("struct_pack") {
        return;
    }
    let FunctionArguments::List(list) = &mut function.args else { return };
    if !list.args.iter().all(|arg| matches!(arg, FunctionArg::Named { .. })) {
        return;
    }
    let unnamed = |expr: FunctionArgExpr| FunctionArg::Unnamed(expr);
    let pairs = std::mem::take(&mut list.args).into_iter().flat_map(|arg| match arg {
        FunctionArg::Named { name, arg, .. } => {
            vec![unnamed(FunctionArgExpr::Expr(string(&name.value))), unnamed(arg)]
        }
        arg => vec![arg],
    });
    list.args = pairs.collect();
    function.name = vec![identifier("named_struct")].into();
}

/// `array(select x ..)`: the planner would make an empty list of it.
pub(super) fn array_of_query(expr: &mut Expr) {
    let Expr::Function(function) = expr else { return };
    if !function.name.to_string().eq_ignore_ascii_case("array") {
        return;
    }
    if let FunctionArguments::Subquery(query) = &mut function.args {
        let item = call("array_agg", vec![Expr::Identifier(identifier("item"))]);
        let query = std::mem::replace(query.as_mut(), select_from(Vec::new(), nothing()));
        let query = select_from(vec![SelectItem::UnnamedExpr(item)], derived(query, "items", &["item"]));
        *expr = Expr::Subquery(Box::new(query));
    }
}

/// `date(x)` and `timestamp(x)` are casts.
pub(super) fn cast_call(expr: &mut Expr) {
    let Expr::Function(function) = expr else { return };
    let data_type = match function.name.to_string().to_lowercase().as_str() {
        "date" => DataType::Date,
        "timestamp" | "datetime" => DataType::Timestamp(Some(6), TimezoneInfo::None),
        _ => return,
    };
    let FunctionArguments::List(list) = &mut function.args else { return };
    if let [FunctionArg::Unnamed(FunctionArgExpr::Expr(argument))] = list.args.as_mut_slice() {
        let argument = Box::new(std::mem::replace(argument, Expr::Identifier(identifier(""))));
        *expr = Expr::Cast { kind: CastKind::Cast, expr: argument, data_type, array: false, format: None };
    }
}

/// `exists(..)` in a projection: the planner knows it in WHERE alone. Whether there are rows is told by counting them.
pub(super) fn exists_in_projection(select: &mut Select) {
    for item in &mut select.projection {
        let (SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. }) = item else { continue };
        let _ = expr.visit(&mut Exists { depth: 0 });
    }
}

/// Replaces what is not inside of a further query.
struct Exists {
    depth: usize,
}

impl VisitorMut for Exists {
    type Break = ();

    fn pre_visit_query(&mut self, _query: &mut Query) -> ControlFlow<()> {
        self.depth += 1;
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, _query: &mut Query) -> ControlFlow<()> {
        self.depth -= 1;
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        if let (0, Expr::Exists { subquery, negated }) = (self.depth, &mut *expr) {
            let op = if *negated { BinaryOperator::Eq } else { BinaryOperator::Gt };
            let query = std::mem::replace(subquery.as_mut(), select_from(Vec::new(), nothing()));
            *expr = Expr::Subquery(Box::new(counting(query, op)));
        }
        ControlFlow::Continue(())
    }
}

/// `query` with `count(*) op 0` for its columns. A plain one keeps its FROM and WHERE, so that it may look outside.
fn counting(mut query: Query, op: BinaryOperator) -> Query {
    let zero = Expr::value(Value::Number("0".into(), false));
    let count = SelectItem::UnnamedExpr(binary(count_all(), op, zero));
    let is_bare = query.with.is_none() && query.limit_clause.is_none() && query.fetch.is_none();
    match query.body.as_mut() {
        SetExpr::Select(select) if is_bare && is_plain(select) => {
            select.projection = vec![count];
            query.order_by = None;
            query
        }
        _ => select_from(vec![count], derived(query, "found", &[])),
    }
}

fn is_plain(select: &Select) -> bool {
    let groups = !matches!(&select.group_by, GroupByExpr::Expressions(exprs, modifiers) if exprs.is_empty() && modifiers.is_empty());
    let aggregates = select.projection.iter().any(|item| matches!(item, SelectItem::UnnamedExpr(Expr::Function(_))));
    !groups && !aggregates && select.having.is_none() && select.qualify.is_none() && !select.from.is_empty()
}

fn count_all() -> Expr {
    let mut count = call("count", Vec::new());
    if let Expr::Function(function) = &mut count
        && let FunctionArguments::List(list) = &mut function.args
    {
        list.args.push(FunctionArg::Unnamed(FunctionArgExpr::Wildcard));
    }
    count
}

/// `(query) as name(columns)`
fn derived(query: Query, name: &str, columns: &[&str]) -> TableFactor {
    let column = |name: &&str| TableAliasColumnDef { name: identifier(name), data_type: None };
    TableFactor::Derived {
        lateral: false,
        subquery: Box::new(query),
        alias: Some(TableAlias {
            explicit: true,
            name: Ident::new(name),
            columns: columns.iter().map(column).collect(),
            at: None,
        }),
        sample: None,
    }
}

fn nothing() -> TableFactor {
    TableFactor::UNNEST {
        alias: None,
        array_exprs: Vec::new(),
        with_offset: false,
        with_offset_alias: None,
        with_ordinality: false,
    }
}
