//! Functions that take more types than DataFusion's, as DuckDB's and Postgres' do.

use std::sync::Arc;

use chrono::DateTime;
use datafusion::arrow::array::timezone::Tz;
use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, Int64Array, IntervalMonthDayNanoArray, StringViewArray, TimestampMicrosecondBuilder,
};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{
    DataType, FieldRef, Int64Type, IntervalMonthDayNano, IntervalMonthDayNanoType, IntervalUnit, TimeUnit,
    TimestampMicrosecondType,
};
use datafusion::common::{Result, exec_err, plan_err};
use datafusion::functions::core::coalesce;
use datafusion::logical_expr::simplify::{ExprSimplifyResult, SimplifyContext};
use datafusion::logical_expr::{
    ColumnarValue, Expr, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

use super::scalar::{Arg, Call, Function, Memo, TIMESTAMP};
use super::{Entry, Kind, overflow};
use crate::engine::types::type_name;

pub(super) const ENTRIES: &[Entry] = &[
    Entry {
        name: "coalesce",
        signature: "coalesce(x, ...)",
        doc: "The first value that is not null. Text beside dates, timestamps and booleans is read as one of them.",
        example: "coalesce(cast(null as date), '2099-01-01')",
        result: "2099-01-01",
        kind: Kind::Scalar(|| ScalarUDF::from(Coalesce { signature: Signature::user_defined(Volatility::Immutable) })),
    },
    Entry {
        name: "at_time_zone",
        signature: "at_time_zone(moment, zone), moment at time zone zone",
        doc: "A moment without a zone is taken for one of that zone; of a moment with a zone it is what a clock shows there.",
        example: "at_time_zone(at_time_zone(timestamp '2020-06-01 12:00:00', 'UTC'), 'Asia/Tokyo')",
        result: "2020-06-01T21:00:00",
        kind: Kind::Scalar(|| {
            Function {
                name: "at_time_zone",
                args: &[Arg::Moment, Arg::Text],
                required: 2,
                variadic: false,
                returns: zoned,
                body: at_zone,
            }
            .udf()
        }),
    },
    Entry {
        name: "len",
        signature: "len(s), len(list)",
        doc: "How many characters a text has, or how many items a list.",
        example: "len('Phim') + len([1, 2])",
        result: "6",
        kind: Kind::Scalar(|| {
            Function {
                name: "len",
                args: &[Arg::Any],
                required: 1,
                variadic: false,
                returns: |_| Ok(DataType::Int64),
                body: len,
            }
            .udf()
        }),
    },
    Entry {
        name: "typeof",
        signature: "typeof(x)",
        doc: "The name of the type of x, as messages and docs spell it.",
        example: "typeof([1.5])",
        result: "double[]",
        kind: Kind::Scalar(|| {
            Function {
                name: "typeof",
                args: &[Arg::Any],
                required: 1,
                variadic: false,
                returns: |_| Ok(DataType::Utf8View),
                body: type_of,
            }
            .udf()
        }),
    },
    Entry {
        name: "multiply_interval",
        signature: "multiply_interval(interval, n), interval * n",
        doc: "The interval n times.",
        example: "interval '1 day' * 3",
        result: "3 days",
        kind: Kind::Scalar(times),
    },
];

/// `interval * n`
pub(super) fn times() -> ScalarUDF {
    Function {
        name: "multiply_interval",
        args: &[Arg::Any, Arg::Integer],
        required: 2,
        variadic: false,
        returns: |_| Ok(DataType::Interval(IntervalUnit::MonthDayNano)),
        body: multiply,
    }
    .udf()
}

/// DataFusion's `coalesce`, which refuses text beside dates. A text constant is the usual case there.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Coalesce {
    signature: Signature,
}

impl ScalarUDFImpl for Coalesce {
    fn name(&self) -> &str {
        "coalesce"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, arg_types: &[DataType]) -> Result<Vec<DataType>> {
        let typed = |given: &&DataType| !given.is_string() && !given.is_null();
        let strict = |given: &DataType| given.is_temporal() || matches!(given, DataType::Boolean);
        if arg_types.iter().any(DataType::is_string) && arg_types.iter().filter(typed).all(strict) {
            let others: Vec<DataType> = arg_types.iter().filter(typed).cloned().collect();
            let common = if others.is_empty() { None } else { coalesce().coerce_types(&others)?.into_iter().next() };
            if let Some(common) = common {
                return Ok(vec![common; arg_types.len()]);
            }
        }
        coalesce().coerce_types(arg_types)
    }

    fn return_type(&self, arg_types: &[DataType]) -> Result<DataType> {
        coalesce().return_type(arg_types)
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs) -> Result<FieldRef> {
        coalesce().return_field_from_args(args)
    }

    fn simplify(&self, args: Vec<Expr>, info: &SimplifyContext) -> Result<ExprSimplifyResult> {
        coalesce().simplify(args, info)
    }

    fn short_circuits(&self) -> bool {
        true
    }

    fn conditional_arguments<'a>(&self, args: &'a [Expr]) -> Option<(Vec<&'a Expr>, Vec<&'a Expr>)> {
        let (first, others) = args.split_first()?;
        Some((vec![first], others.iter().collect()))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        coalesce().invoke_with_args(args)
    }
}

/// The type of `moment at time zone zone`.
fn zoned(args: &ReturnFieldArgs) -> Result<DataType> {
    if let Some(DataType::Timestamp(_, Some(_))) = args.arg_fields.first().map(|field| field.data_type()) {
        return Ok(TIMESTAMP);
    }
    match args.scalar_arguments.get(1).copied().flatten().and_then(|zone| zone.try_as_str().flatten()) {
        Some(zone) => Ok(DataType::Timestamp(TimeUnit::Microsecond, Some(zone.into()))),
        None => plan_err!("at time zone wants a constant zone, such as 'Asia/Ho_Chi_Minh'"),
    }
}

fn at_zone(call: &Call) -> Result<ArrayRef> {
    let moments = call.array(0)?;
    let has_zone = matches!(moments.data_type(), DataType::Timestamp(_, Some(_)));
    let moments = cast(&moments, &TIMESTAMP)?;
    if !has_zone {
        return Ok(cast(&moments, call.returns)?);
    }
    let zones = call.text(1)?;
    let mut memo = Memo::new();
    let mut shown = TimestampMicrosecondBuilder::with_capacity(zones.len());
    for (moment, zone) in moments.as_primitive::<TimestampMicrosecondType>().iter().zip(&zones) {
        let (Some(moment), Some(zone)) = (moment.and_then(DateTime::from_timestamp_micros), zone) else {
            shown.append_null();
            continue;
        };
        let zone = memo.get(zone, |zone| Ok(zone.parse::<Tz>()?))?;
        shown.append_value(moment.with_timezone(zone).naive_local().and_utc().timestamp_micros());
    }
    Ok(Arc::new(shown.finish()))
}

fn len(call: &Call) -> Result<ArrayRef> {
    let input = call.array(0)?;
    let lengths = |items: &mut dyn Iterator<Item = Option<usize>>| -> ArrayRef {
        Arc::new(items.map(|length| length.map(|length| length as i64)).collect::<Int64Array>())
    };
    Ok(match input.data_type() {
        DataType::List(_) => lengths(&mut input.as_list::<i32>().iter().map(|item| item.map(|item| item.len()))),
        DataType::LargeList(_) => lengths(&mut input.as_list::<i64>().iter().map(|item| item.map(|item| item.len()))),
        DataType::FixedSizeList(_, _) => {
            lengths(&mut input.as_fixed_size_list().iter().map(|item| item.map(|item| item.len())))
        }
        other if other.is_nested() => return exec_err!("len wants text or a list, not {}", type_name(other)),
        _ => lengths(&mut call.text(0)?.iter().map(|text| text.map(|text| text.chars().count()))),
    })
}

fn type_of(call: &Call) -> Result<ArrayRef> {
    let name = type_name(&call.args[0].data_type());
    Ok(Arc::new(StringViewArray::from_iter_values(std::iter::repeat_n(name, call.rows))))
}

fn multiply(call: &Call) -> Result<ArrayRef> {
    let intervals = cast(&call.array(0)?, &DataType::Interval(IntervalUnit::MonthDayNano))?;
    let numbers = call.array(1)?;
    let pairs = intervals.as_primitive::<IntervalMonthDayNanoType>().iter().zip(numbers.as_primitive::<Int64Type>());
    let product = |interval: IntervalMonthDayNano, n: i64| {
        let small = i32::try_from(n).ok();
        let months = small.filter(|_| interval.months != 0).map_or(Some(0), |n| interval.months.checked_mul(n));
        let days = small.filter(|_| interval.days != 0).map_or(Some(0), |n| interval.days.checked_mul(n));
        let fits = small.is_some() || (interval.months == 0 && interval.days == 0);
        match (months, days, interval.nanoseconds.checked_mul(n)) {
            (Some(months), Some(days), Some(nanos)) if fits => Ok(IntervalMonthDayNano::new(months, days, nanos)),
            _ => Err(overflow(format!("the interval times {n} does not fit into an interval"))),
        }
    };
    let products: Result<IntervalMonthDayNanoArray> = pairs
        .map(|pair| match pair {
            (Some(interval), Some(n)) => product(interval, n).map(Some),
            _ => Ok(None),
        })
        .collect();
    Ok(Arc::new(products?))
}
