//! Decisions at planning time that need the words of the SQL.

use datafusion::arrow::datatypes::DataType;
use datafusion::common::{DFSchema, Result};
use datafusion::logical_expr::expr::{AggregateFunction, AggregateFunctionParams};
use datafusion::logical_expr::planner::{ExprPlanner, PlannerResult, RawAggregateExpr, RawBinaryExpr};
use datafusion::logical_expr::{Expr, ExprSchemable, Operator, binary_expr, cast, lit};
use datafusion::sql::sqlparser::ast::BinaryOperator;

/// See [`ExprPlanner`].
///
/// - Unsigned numbers are signed in arithmetic: their difference, and whatever they do with signed ones. `row_number()` and
///   its kin are unsigned here; in gaps-and-islands queries their difference may well be negative, and `row_number() - 1`
///   would be a decimal otherwise.
/// - `listagg(x)` and `group_concat(x)` without a separator use a comma.
#[derive(Debug)]
pub(super) struct Planner;

impl ExprPlanner for Planner {
    fn plan_binary_op(&self, expr: RawBinaryExpr, schema: &DFSchema) -> Result<PlannerResult<RawBinaryExpr>> {
        use BinaryOperator::{Divide, Minus, Modulo, Multiply, Plus};
        let (Ok(left), Ok(right)) = (expr.left.get_type(schema), expr.right.get_type(schema)) else {
            return Ok(PlannerResult::Original(expr));
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
