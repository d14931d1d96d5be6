//! Decisions at planning time that need the words of the SQL.

use datafusion::arrow::datatypes::DataType;
use datafusion::common::{DFSchema, Result};
use datafusion::logical_expr::expr::{AggregateFunction, AggregateFunctionParams};
use datafusion::logical_expr::planner::{ExprPlanner, PlannerResult, RawAggregateExpr, RawBinaryExpr};
use datafusion::logical_expr::{Expr, ExprSchemable, cast, lit};
use datafusion::sql::sqlparser::ast::BinaryOperator;

/// See [`ExprPlanner`].
///
/// - The difference of two unsigned numbers is signed: `row_number()` and its kin are unsigned here, and in gaps-and-islands
///   queries their difference may well be negative.
/// - `listagg(x)` and `group_concat(x)` without a separator use a comma.
#[derive(Debug)]
pub(super) struct Planner;

impl ExprPlanner for Planner {
    fn plan_binary_op(&self, expr: RawBinaryExpr, schema: &DFSchema) -> Result<PlannerResult<RawBinaryExpr>> {
        if !matches!(expr.op, BinaryOperator::Minus) || !unsigned(&expr.left, schema) || !unsigned(&expr.right, schema)
        {
            return Ok(PlannerResult::Original(expr));
        }
        let signed = |side: Expr| cast(side, DataType::Int64);
        Ok(PlannerResult::Planned(signed(expr.left) - signed(expr.right)))
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

fn unsigned(expr: &Expr, schema: &DFSchema) -> bool {
    expr.get_type(schema).is_ok_and(|data_type| data_type.is_unsigned_integer())
}
