//! Comparisons of times that are kept in microseconds, beyond what nanoseconds can hold (the years 1678 to 2261).
//!
//! DataFusion compares a `timestamp` with a text, a date or `now()` as nanoseconds, and `valid_to = '9999-12-31'` overflows.
//! Tables hold microseconds: where one side of a comparison is such a column and the others can be, all of them are compared
//! as microseconds. The rule comes after type coercion and narrows the casts that it has made.

use datafusion::arrow::datatypes::{DataType, TimeUnit};
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::Transformed;
use datafusion::common::{DFSchema, Result};
use datafusion::logical_expr::expr::{Between, BinaryExpr, Cast, InList};
use datafusion::logical_expr::{Expr, ExprSchemable, LogicalPlan, Operator};
use datafusion::optimizer::AnalyzerRule;

use super::rewriting::rewrite_expressions;

/// The name of the rule.
pub(super) const NAME: &str = "far_times";

/// The rule; see the module.
#[derive(Debug)]
pub(super) struct FarTimes;

impl AnalyzerRule for FarTimes {
    fn name(&self) -> &str {
        NAME
    }

    fn analyze(&self, plan: LogicalPlan, _config: &ConfigOptions) -> Result<LogicalPlan> {
        rewrite_expressions(plan, |expr, schema| Ok(narrowed(expr, schema)))
    }
}

/// A comparison with its sides in microseconds, if they can be.
fn narrowed(mut expr: Expr, schema: &DFSchema) -> Transformed<Expr> {
    let mut sides: Vec<&mut Expr> = match &mut expr {
        Expr::BinaryExpr(BinaryExpr { left, op, right }) if compares(op) => vec![&mut **left, &mut **right],
        Expr::Between(Between { expr, low, high, .. }) => vec![&mut **expr, &mut **low, &mut **high],
        Expr::InList(InList { expr, list, .. }) => std::iter::once(&mut **expr).chain(list).collect(),
        _ => return Transformed::no(expr),
    };
    let found: Option<Vec<Side>> = sides.iter().map(|side| Side::of(side, schema)).collect();
    let Some(found) = found.filter(|found| found.contains(&Side::Micros)) else { return Transformed::no(expr) };
    for (side, found) in sides.iter_mut().zip(found) {
        narrow(side, found);
    }
    Transformed::yes(expr)
}

fn compares(op: &Operator) -> bool {
    use Operator::{Eq, Gt, GtEq, IsDistinctFrom, IsNotDistinctFrom, Lt, LtEq, NotEq};
    matches!(op, Eq | NotEq | Lt | LtEq | Gt | GtEq | IsDistinctFrom | IsNotDistinctFrom)
}

/// What a side of a comparison of nanoseconds is.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Side {
    /// Microseconds that were cast.
    Micros,
    /// Something else that was cast.
    Cast,
    /// The time of the query, and its type.
    Now(DataType),
}

impl Side {
    fn of(expr: &Expr, schema: &DFSchema) -> Option<Side> {
        match expr {
            Expr::Cast(Cast { expr, field }) if is_nanos(field.data_type()) => match expr.get_type(schema).ok()? {
                DataType::Timestamp(TimeUnit::Microsecond, _) => Some(Side::Micros),
                DataType::Utf8 | DataType::Utf8View | DataType::LargeUtf8 | DataType::Date32 | DataType::Date64 => {
                    Some(Side::Cast)
                }
                // `now()` in another zone.
                DataType::Timestamp(TimeUnit::Nanosecond, _) => is_now(expr).then_some(Side::Cast),
                _ => None,
            },
            _ if is_now(expr) => Some(Side::Now(expr.get_type(schema).ok()?)),
            _ => None,
        }
    }
}

fn is_now(expr: &Expr) -> bool {
    matches!(expr, Expr::ScalarFunction(call) if call.func.name() == "now")
}

fn is_nanos(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Timestamp(TimeUnit::Nanosecond, _))
}

fn narrow(expr: &mut Expr, side: Side) {
    let micros = |data_type: &DataType| match data_type {
        DataType::Timestamp(_, zone) => DataType::Timestamp(TimeUnit::Microsecond, zone.clone()),
        other => other.clone(),
    };
    *expr = match (std::mem::take(expr), side) {
        (Expr::Cast(Cast { expr, field }), _) => Expr::Cast(Cast::new(expr, micros(field.data_type()))),
        (now, Side::Now(data_type)) => Expr::Cast(Cast::new(Box::new(now), micros(&data_type))),
        (other, _) => other,
    };
}
