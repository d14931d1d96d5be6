//! `year(x)` and its kin.

use datafusion::arrow::array::{ArrayRef, AsArray};
use datafusion::arrow::compute::{DatePart, date_part};
use datafusion::arrow::datatypes::{DataType, Int32Type};
use datafusion::common::{Result, ScalarValue, exec_err, plan_err};
use datafusion::functions::datetime;
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::simplify::{ExprSimplifyResult, SimplifyContext};
use datafusion::logical_expr::{ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility, lit};

use super::super::scalar::TIMESTAMP;
use crate::engine::types::type_name;

/// A part of a date, time or timestamp; text is read as a timestamp.
///
/// `year` becomes `date_part('year', x)` when a query is planned, because the engine can turn a condition on that into a
/// range and skip files.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct Part {
    name: &'static str,
    signature: Signature,
}

impl Part {
    /// The function `name`.
    pub(super) fn new(name: &'static str) -> Part {
        Part { name, signature: Signature::user_defined(Volatility::Immutable) }
    }

    fn compute(&self, values: &ArrayRef) -> Result<ArrayRef> {
        let part = match self.name {
            "year" => DatePart::Year,
            "isoyear" => DatePart::YearISO,
            "quarter" => DatePart::Quarter,
            "month" => DatePart::Month,
            "week" | "weekofyear" => DatePart::Week,
            "day" | "dayofmonth" => DatePart::Day,
            "dayofyear" => DatePart::DayOfYear,
            "dayofweek" => DatePart::DayOfWeekSunday0,
            "isodow" | "weekday" => DatePart::DayOfWeekMonday0,
            "hour" => DatePart::Hour,
            "minute" => DatePart::Minute,
            "second" => DatePart::Second,
            other => return exec_err!("{other} is no part of a date"),
        };
        let parts = date_part(values, part)?;
        if matches!(self.name, "dayofweek" | "isodow") {
            let parts = parts.as_primitive::<Int32Type>().unary::<_, Int32Type>(|day| day + 1);
            return Ok(std::sync::Arc::new(parts));
        }
        Ok(parts)
    }
}

impl ScalarUDFImpl for Part {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, arg_types: &[DataType]) -> Result<Vec<DataType>> {
        use DataType::*;
        match arg_types {
            [Date32 | Date64 | Timestamp(_, _) | Time32(_) | Time64(_)] => Ok(arg_types.to_vec()),
            [Utf8 | LargeUtf8 | Utf8View | Null] => Ok(vec![TIMESTAMP]),
            [other] => plan_err!("{} wants a date or a timestamp, not {}", self.name, type_name(other)),
            _ => plan_err!("{} takes one argument, not {}", self.name, arg_types.len()),
        }
    }

    fn return_type(&self, _arg_types: &[DataType]) -> Result<DataType> {
        Ok(DataType::Int32)
    }

    fn simplify(&self, mut args: Vec<Expr>, _info: &SimplifyContext) -> Result<ExprSimplifyResult> {
        match args.pop() {
            Some(value) if self.name == "year" && args.is_empty() => {
                let func = datetime::date_part();
                let args = vec![lit("year"), value];
                Ok(ExprSimplifyResult::Simplified(Expr::ScalarFunction(ScalarFunction { func, args })))
            }
            last => {
                args.extend(last);
                Ok(ExprSimplifyResult::Original(args))
            }
        }
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        match args.args.as_slice() {
            [ColumnarValue::Array(values)] => Ok(ColumnarValue::Array(self.compute(values)?)),
            [ColumnarValue::Scalar(value)] => {
                let part = self.compute(&value.to_array()?)?;
                Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(&part, 0)?))
            }
            other => exec_err!("{} takes one argument, not {}", self.name, other.len()),
        }
    }
}
