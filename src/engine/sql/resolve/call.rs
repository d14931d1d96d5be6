//! Functions: arguments, windows, lambdas.

use arrow::datatypes::{DataType, Field};
use datafusion::sql::sqlparser::ast::{
    Expr, Function, FunctionArg, FunctionArgExpr, FunctionArgumentClause, FunctionArgumentList, FunctionArguments,
    LambdaFunction, WindowFrameBound, WindowSpec, WindowType,
};

use super::scope::{Column, Prefer};
use super::{Resolver, types};
use crate::engine::sql::rewrite::string;

/// Aggregates by name: inside them a name means a column of FROM before it means one of the projection.
const AGGREGATES: [&str; 26] = [
    "any_value",
    "approx_distinct",
    "approx_median",
    "approx_percentile_cont",
    "arg_max",
    "arg_min",
    "array_agg",
    "avg",
    "bit_and",
    "bit_or",
    "bool_and",
    "bool_or",
    "count",
    "count_if",
    "first_value",
    "last_value",
    "listagg",
    "max",
    "mean",
    "median",
    "min",
    "mode",
    "percentile_cont",
    "stddev",
    "string_agg",
    "sum",
];

/// Functions that return one of their arguments, or an argument's element.
const SAME_TYPE: [&str; 12] = [
    "any_value",
    "coalesce",
    "first_value",
    "greatest",
    "ifnull",
    "lag",
    "last_value",
    "lead",
    "least",
    "max",
    "min",
    "nvl",
];

/// Functions whose first words may be a unit of time, written as a bare word in some dialects.
const DATE_FUNCTIONS: [&str; 12] = [
    "date_add",
    "date_diff",
    "date_part",
    "date_sub",
    "date_trunc",
    "dateadd",
    "datediff",
    "datepart",
    "datetrunc",
    "timestampadd",
    "timestampdiff",
    "last_day",
];

/// Units of time.
const UNITS: [&str; 22] = [
    "century",
    "day",
    "days",
    "decade",
    "dow",
    "doy",
    "epoch",
    "hour",
    "hours",
    "microsecond",
    "millisecond",
    "minute",
    "minutes",
    "month",
    "months",
    "quarter",
    "second",
    "seconds",
    "week",
    "weeks",
    "year",
    "years",
];

impl Resolver<'_> {
    /// Resolves a call; the type if it follows from those of the arguments.
    pub(super) fn function(&mut self, function: &mut Function) -> Option<DataType> {
        let name = function.name.to_string().to_lowercase();
        if is_aggregate(function) {
            self.preferring(Prefer::Inputs, |r| r.call(function, &name))
        } else {
            self.call(function, &name)
        }
    }

    fn call(&mut self, function: &mut Function, name: &str) -> Option<DataType> {
        if self.subquery_args(function) {
            return None;
        }
        let mut arguments = Vec::new();
        if let FunctionArguments::List(list) = &mut function.args {
            if DATE_FUNCTIONS.contains(&name) {
                self.units(list);
            }
            arguments = self.arguments(list);
        }
        if let Some(filter) = &mut function.filter {
            self.expr(filter);
        }
        self.order_by_exprs(&mut function.within_group);
        if let Some(WindowType::WindowSpec(spec)) = &mut function.over {
            self.window(spec);
        }
        returned(name, function, &arguments)
    }

    fn arguments(&mut self, list: &mut FunctionArgumentList) -> Vec<Option<DataType>> {
        let mut known: Vec<Option<DataType>> = Vec::new();
        for arg in &mut list.args {
            // A lambda's parameters are elements of the lists before it.
            if let Some(Expr::Lambda(lambda)) = argument(arg) {
                let element = known.iter().flatten().find_map(types::element).cloned();
                self.lambda(lambda, element);
                known.push(None);
            } else {
                known.extend(self.args(std::slice::from_mut(arg)));
            }
        }
        for clause in &mut list.clauses {
            match clause {
                FunctionArgumentClause::OrderBy(exprs) => self.order_by_exprs(exprs),
                FunctionArgumentClause::Limit(expr) => {
                    self.expr(expr);
                }
                FunctionArgumentClause::Having(bound) => {
                    self.expr(&mut bound.1);
                }
                _ => {}
            }
        }
        known
    }

    /// Resolves the body of a lambda, whose first parameter is an element of a list.
    pub(super) fn lambda(&mut self, lambda: &mut LambdaFunction, element: Option<DataType>) {
        let before = self.lambdas.len();
        for (index, parameter) in lambda.params.as_ref().iter().enumerate() {
            let data_type = if index == 0 { element.clone() } else { None };
            self.lambdas.push(Column::new(parameter.name.value.clone(), data_type));
        }
        self.expr(&mut lambda.body);
        self.lambdas.truncate(before);
    }

    /// Resolves what is inside `over (..)`.
    pub(super) fn window(&mut self, spec: &mut WindowSpec) {
        self.exprs(&mut spec.partition_by);
        self.order_by_exprs(&mut spec.order_by);
        if let Some(frame) = &mut spec.window_frame {
            for bound in std::iter::once(&mut frame.start_bound).chain(&mut frame.end_bound) {
                if let WindowFrameBound::Preceding(Some(expr)) | WindowFrameBound::Following(Some(expr)) = bound {
                    self.expr(expr);
                }
            }
        }
    }

    /// `datediff(day, a, b)`: a unit that is no column becomes a string.
    fn units(&mut self, list: &mut FunctionArgumentList) {
        for arg in &mut list.args {
            let Some(expr) = argument(arg) else { continue };
            let Expr::Identifier(ident) = &*expr else { continue };
            let unit = ident.value.to_lowercase();
            let plain = ident.quote_style.is_none() && UNITS.contains(&unit.as_str());
            if plain && self.path(std::slice::from_ref(ident)).is_none() {
                *expr = string(&unit);
            }
        }
    }
}

/// True for calls that are, or may be, aggregates or window functions.
pub(super) fn is_aggregate(function: &Function) -> bool {
    function.over.is_some()
        || function.filter.is_some()
        || !function.within_group.is_empty()
        || AGGREGATES.contains(&function.name.to_string().to_lowercase().as_str())
}

fn argument(arg: &mut FunctionArg) -> Option<&mut Expr> {
    match arg {
        FunctionArg::Named { arg: FunctionArgExpr::Expr(expr), .. }
        | FunctionArg::ExprNamed { arg: FunctionArgExpr::Expr(expr), .. }
        | FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => Some(expr),
        _ => None,
    }
}

fn returned(name: &str, function: &Function, arguments: &[Option<DataType>]) -> Option<DataType> {
    let first = || arguments.first().cloned().flatten();
    match name {
        _ if SAME_TYPE.contains(&name) => arguments.iter().flatten().next().cloned(),
        "nullif" | "array_slice" | "array_sort" | "array_distinct" | "array_reverse" | "array_filter" | "filter" => {
            first()
        }
        "array_agg" | "list" | "collect_list" => first().map(types::list_of),
        "make_array" => arguments.iter().flatten().next().cloned().map(types::list_of),
        "unnest" | "unnest_outer" | "explode" | "array_element" | "element_at" | "list_element" => {
            first().as_ref().and_then(types::element).cloned()
        }
        "named_struct" => named_struct(function, arguments),
        "get_field" => {
            let FunctionArguments::List(list) = &function.args else { return None };
            let Some(FunctionArg::Unnamed(FunctionArgExpr::Expr(Expr::Value(key)))) = list.args.get(1) else {
                return None;
            };
            let key = key.clone().into_string()?;
            types::field(&first()?, &key).map(|(_, data_type)| data_type)
        }
        _ => None,
    }
}

/// The struct that `named_struct('a', x, ..)` makes.
fn named_struct(function: &Function, arguments: &[Option<DataType>]) -> Option<DataType> {
    let FunctionArguments::List(list) = &function.args else { return None };
    let mut fields = Vec::new();
    for (pair, types) in list.args.chunks(2).zip(arguments.chunks(2)) {
        let FunctionArg::Unnamed(FunctionArgExpr::Expr(Expr::Value(name))) = &pair[0] else { return None };
        let data_type = types.get(1).cloned().flatten().unwrap_or(DataType::Null);
        fields.push(Field::new(name.clone().into_string()?, data_type, true));
    }
    Some(DataType::Struct(fields.into()))
}
