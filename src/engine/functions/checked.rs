//! `+`, `-`, `*` and unary minus on whole numbers that fail instead of wrapping around.
//!
//! DataFusion 55 always wraps: the physical expression has a switch, but nothing in the engine turns it, and constants are
//! folded long before physical rules run. So an analyzer rule that comes after type coercion puts functions in the place of
//! the operators, under the same column names. Decimals, dates and intervals are checked by Arrow already.

use std::fmt::Write;
use std::sync::Arc;

use datafusion::arrow::array::ArrayRef;
use datafusion::arrow::compute::kernels::numeric;
use datafusion::arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::arrow::error::ArrowError;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::Transformed;
use datafusion::common::{DFSchema, Result, internal_err};
use datafusion::error::DataFusionError;
use datafusion::logical_expr::expr::{BinaryExpr, ScalarFunction};
use datafusion::logical_expr::{
    ColumnarValue, Expr, ExprSchemable, LogicalPlan, Operator, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF,
    ScalarUDFImpl, Signature, Volatility,
};
use datafusion::optimizer::AnalyzerRule;
use datafusion::physical_expr_common::datum::apply;

use super::overflow;
use super::rewriting::rewrite_expressions;
use crate::engine::types::type_name;

/// The name of the rule.
pub(super) const NAME: &str = "checked_arithmetic";

/// The operators that are replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Op {
    Add,
    Subtract,
    Multiply,
    Negate,
}

const OPS: [Op; 4] = [Op::Add, Op::Subtract, Op::Multiply, Op::Negate];

impl Op {
    fn name(self) -> &'static str {
        match self {
            Op::Add => "checked_add",
            Op::Subtract => "checked_subtract",
            Op::Multiply => "checked_multiply",
            Op::Negate => "checked_negate",
        }
    }

    fn of(op: &Operator) -> Option<Op> {
        match op {
            Operator::Plus => Some(Op::Add),
            Operator::Minus => Some(Op::Subtract),
            Operator::Multiply => Some(Op::Multiply),
            _ => None,
        }
    }
}

/// A function that stands for an operator.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Checked {
    op: Op,
    signature: Signature,
}

impl Checked {
    fn udf(op: Op) -> Arc<ScalarUDF> {
        Arc::new(ScalarUDF::from(Checked { op, signature: Signature::user_defined(Volatility::Immutable) }))
    }
}

/// The functions of the rule: executors need them, people do not.
pub(super) fn functions() -> impl Iterator<Item = Arc<ScalarUDF>> {
    OPS.into_iter().map(Checked::udf)
}

impl ScalarUDFImpl for Checked {
    fn name(&self) -> &str {
        self.op.name()
    }

    /// The usual name, `checked_add(checked_add(a,b),c)`, in one go. The planner asks for the name of every part of an
    /// expression, and the usual way copies it at every level: a sum of 500 columns took it many seconds.
    fn schema_name(&self, args: &[Expr]) -> Result<String> {
        let mut levels = vec![(self.op, args)];
        while let Some((_, [Expr::ScalarFunction(call), ..])) = levels.last() {
            let Some(op) = OPS.into_iter().find(|op| op.name() == call.func.name()) else { break };
            levels.push((op, &call.args));
        }
        let mut name = String::new();
        levels.iter().for_each(|(op, _)| name.extend([op.name(), "("]));
        let innermost = levels.last().and_then(|(_, args)| args.first());
        if let Some(innermost) = innermost {
            write!(name, "{}", innermost.schema_name())?;
        }
        for (_, args) in levels.iter().rev() {
            for arg in args.iter().skip(1) {
                write!(name, ",{}", arg.schema_name())?;
            }
            name.push(')');
        }
        Ok(name)
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, arg_types: &[DataType]) -> Result<Vec<DataType>> {
        Ok(arg_types.to_vec())
    }

    fn return_type(&self, arg_types: &[DataType]) -> Result<DataType> {
        match arg_types.first() {
            Some(data_type) => Ok(data_type.clone()),
            None => internal_err!("{} without arguments", self.name()),
        }
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs) -> Result<FieldRef> {
        let data_types: Vec<_> = args.arg_fields.iter().map(|field| field.data_type().clone()).collect();
        let nullable = args.arg_fields.iter().any(|field| field.is_nullable());
        Ok(Arc::new(Field::new(self.name(), self.return_type(&data_types)?, nullable)))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let result = match (self.op, args.args.as_slice()) {
            (Op::Add, [left, right]) => apply(left, right, numeric::add),
            (Op::Subtract, [left, right]) => apply(left, right, numeric::sub),
            (Op::Multiply, [left, right]) => apply(left, right, numeric::mul),
            (Op::Negate, [value]) => negate(value),
            _ => return internal_err!("{} with {} arguments", self.name(), args.args.len()),
        };
        result.map_err(|error| explain(error, args.return_field.data_type()))
    }
}

fn negate(value: &ColumnarValue) -> Result<ColumnarValue> {
    match value {
        ColumnarValue::Array(array) => Ok(ColumnarValue::Array(numeric::neg(array)?)),
        ColumnarValue::Scalar(scalar) => {
            let negated: ArrayRef = numeric::neg(&scalar.to_array()?)?;
            Ok(ColumnarValue::Scalar(datafusion::scalar::ScalarValue::try_from_array(&negated, 0)?))
        }
    }
}

/// Arrow says `Overflow happened on: 1 + 2`.
fn explain(error: DataFusionError, returns: &DataType) -> DataFusionError {
    let text = match error.find_root() {
        DataFusionError::ArrowError(error, _) => match &**error {
            ArrowError::ArithmeticOverflow(text) => text.clone(),
            _ => String::new(),
        },
        _ => String::new(),
    };
    if text.is_empty() {
        return error;
    }
    let what = text.rsplit_once(": ").map_or(text.as_str(), |(_, what)| what);
    overflow(format!("{what} does not fit into {}", type_name(returns)))
}

/// The rule; see the module.
#[derive(Debug)]
pub(super) struct CheckedArithmetic {
    functions: [Arc<ScalarUDF>; 4],
}

impl CheckedArithmetic {
    /// The rule, to be added after the built-in ones.
    pub(super) fn new() -> CheckedArithmetic {
        CheckedArithmetic { functions: OPS.map(Checked::udf) }
    }

    fn call(&self, op: Op, args: Vec<Expr>) -> Expr {
        let index = OPS.iter().position(|known| *known == op).unwrap_or_default();
        Expr::ScalarFunction(ScalarFunction { func: Arc::clone(&self.functions[index]), args })
    }

    fn rewrite(&self, expr: Expr, schema: &DFSchema) -> Result<Transformed<Expr>> {
        match expr {
            Expr::BinaryExpr(BinaryExpr { left, op, right }) => match Op::of(&op) {
                Some(checked) if integer(&left, schema) && integer(&right, schema) => {
                    Ok(Transformed::yes(self.call(checked, vec![*left, *right])))
                }
                _ => Ok(Transformed::no(Expr::BinaryExpr(BinaryExpr { left, op, right }))),
            },
            Expr::Negative(value) if integer(&value, schema) => {
                Ok(Transformed::yes(self.call(Op::Negate, vec![*value])))
            }
            other => Ok(Transformed::no(other)),
        }
    }
}

fn integer(expr: &Expr, schema: &DFSchema) -> bool {
    // What was replaced already is one; to ask for its type would go through all of it again.
    if let Expr::ScalarFunction(call) = expr
        && OPS.into_iter().any(|op| op.name() == call.func.name())
    {
        return true;
    }
    expr.get_type(schema).is_ok_and(|data_type| data_type.is_integer())
}

impl AnalyzerRule for CheckedArithmetic {
    fn name(&self) -> &str {
        NAME
    }

    fn analyze(&self, plan: LogicalPlan, _config: &ConfigOptions) -> Result<LogicalPlan> {
        rewrite_expressions(plan, |expr, schema| self.rewrite(expr, schema))
    }
}
