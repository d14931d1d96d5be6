//! Decisions at planning time that need the words of the SQL.

use datafusion::arrow::datatypes::DataType;
use datafusion::common::{DFSchema, Result};
use datafusion::logical_expr::expr::{AggregateFunction, AggregateFunctionParams};
use datafusion::logical_expr::planner::{ExprPlanner, PlannerResult, RawAggregateExpr, RawBinaryExpr};
use datafusion::logical_expr::{Expr, ExprSchemable, Operator, binary_expr, cast, lit};
use datafusion::sql::sqlparser::ast::BinaryOperator;

use super::{json, lenient};

/// See [`ExprPlanner`].
///
/// - Unsigned numbers are signed in arithmetic: their difference, and whatever they do with signed ones. `row_number()` and
///   its kin are unsigned here; in gaps-and-islands queries their difference may well be negative, and `row_number() - 1`
///   would be a decimal otherwise.
/// - A boolean beside a whole number is 0 or 1, and beside a text constant that text is a boolean: `regexp_matches(..) > 0`,
///   `is_active = 'true'`.
/// - An interval may be multiplied.
/// - `json -> path` and `json ->> path` look into text.
/// - `listagg(x)` and `group_concat(x)` without a separator use a comma.
#[derive(Debug)]
pub(super) struct Planner;

/// What DataFusion would refuse because of its types; the expression itself if it is none of that.
fn by_types(expr: RawBinaryExpr, left: &DataType, right: &DataType) -> PlannerResult<RawBinaryExpr> {
    use BinaryOperator::{Arrow, Eq, Gt, GtEq, LongArrow, Lt, LtEq, Multiply, NotEq};
    if matches!(expr.op, Arrow | LongArrow) && left.is_string() {
        let function = if expr.op == Arrow { json::extract() } else { json::extract_string() };
        return PlannerResult::Planned(function.call(vec![expr.left, expr.right]));
    }
    if expr.op == Multiply {
        return match (left, right) {
            (DataType::Interval(_), number) if number.is_numeric() => {
                PlannerResult::Planned(lenient::times().call(vec![expr.left, whole(expr.right)]))
            }
            (number, DataType::Interval(_)) if number.is_numeric() => {
                PlannerResult::Planned(lenient::times().call(vec![expr.right, whole(expr.left)]))
            }
            _ => PlannerResult::Original(expr),
        };
    }
    let op = match expr.op {
        Eq => Operator::Eq,
        NotEq => Operator::NotEq,
        Lt => Operator::Lt,
        LtEq => Operator::LtEq,
        Gt => Operator::Gt,
        GtEq => Operator::GtEq,
        _ => return PlannerResult::Original(expr),
    };
    let is_text_constant =
        |side: &Expr, data_type: &DataType| matches!(side, Expr::Literal(..)) && data_type.is_string();
    match (left, right) {
        (DataType::Boolean, other) if other.is_integer() => {
            PlannerResult::Planned(binary_expr(cast(expr.left, DataType::Int64), op, expr.right))
        }
        (other, DataType::Boolean) if other.is_integer() => {
            PlannerResult::Planned(binary_expr(expr.left, op, cast(expr.right, DataType::Int64)))
        }
        (DataType::Boolean, other) if is_text_constant(&expr.right, other) => {
            PlannerResult::Planned(binary_expr(expr.left, op, cast(expr.right, DataType::Boolean)))
        }
        (other, DataType::Boolean) if is_text_constant(&expr.left, other) => {
            PlannerResult::Planned(binary_expr(cast(expr.left, DataType::Boolean), op, expr.right))
        }
        _ => PlannerResult::Original(expr),
    }
}

/// A number as a whole one.
fn whole(expr: Expr) -> Expr {
    cast(expr, DataType::Int64)
}

impl ExprPlanner for Planner {
    fn plan_binary_op(&self, expr: RawBinaryExpr, schema: &DFSchema) -> Result<PlannerResult<RawBinaryExpr>> {
        use BinaryOperator::{Divide, Minus, Modulo, Multiply, Plus};
        let (Ok(left), Ok(right)) = (expr.left.get_type(schema), expr.right.get_type(schema)) else {
            return Ok(PlannerResult::Original(expr));
        };
        let expr = match by_types(expr, &left, &right) {
            PlannerResult::Planned(planned) => return Ok(PlannerResult::Planned(planned)),
            PlannerResult::Original(expr) => expr,
        };
        let unsigned = [&left, &right].into_iter().filter(|side| side.is_unsigned_integer()).count();
        let mixed = unsigned == 1 && left.is_integer() && right.is_integer();
        let op = match expr.op {
            Minus if mixed || unsigned == 2 => Operator::Minus,
            Plus if mixed => Operator::Plus,
            Multiply if mixed => Operator::Multiply,
            Divide if mixed => Operator::Divide,
            Modulo if mixed => Operator::Modulo,
            _ => return Ok(PlannerResult::Original(expr)),
        };
        let signed = |side: Expr| cast(side, DataType::Int64);
        Ok(PlannerResult::Planned(binary_expr(signed(expr.left), op, signed(expr.right))))
    }

    fn plan_aggregate(&self, mut expr: RawAggregateExpr) -> Result<PlannerResult<RawAggregateExpr>> {
        if expr.func.name() != "string_agg" || expr.args.len() != 1 {
            return Ok(PlannerResult::Original(expr));
        }
        expr.args.push(lit(","));
        Ok(PlannerResult::Planned(Expr::AggregateFunction(AggregateFunction {
            func: expr.func,
            params: AggregateFunctionParams {
                args: expr.args,
                distinct: expr.distinct,
                filter: expr.filter,
                order_by: expr.order_by,
                null_treatment: expr.null_treatment,
            },
        })))
    }
}
