//! Differences of moments, and moments that are so much later.

use std::sync::Arc;

use chrono::NaiveDate;
use datafusion::arrow::array::{Array, ArrayRef, AsArray, PrimitiveArray, StringViewArray};
use datafusion::arrow::compute::cast;
use datafusion::arrow::compute::kernels::numeric;
use datafusion::arrow::datatypes::{
    DataType, Date32Type, Float64Type, Int64Type, IntervalMonthDayNano, IntervalMonthDayNanoType, IntervalUnit,
    TimestampMicrosecondType,
};
use datafusion::common::{Result, exec_err, plan_err};
use datafusion::logical_expr::{ReturnFieldArgs, ScalarUDF};

use super::super::overflow;
use super::super::scalar::{Arg, Call, Function, TIMESTAMP};
use super::unit::{Unit, last_day as last_day_of};
use crate::engine::types::type_name;

type Micros = PrimitiveArray<TimestampMicrosecondType>;

fn micros(call: &Call, index: usize) -> Result<Micros> {
    Ok(call.array_as(index, &TIMESTAMP)?.as_primitive::<TimestampMicrosecondType>().clone())
}

/// Seconds from 1970-01-01.
pub(super) fn epoch(call: &Call) -> Result<ArrayRef> {
    Ok(Arc::new(micros(call, 0)?.unary::<_, Float64Type>(|micros| micros as f64 / 1e6)))
}

/// Milliseconds from 1970-01-01.
pub(super) fn epoch_ms(call: &Call) -> Result<ArrayRef> {
    Ok(Arc::new(micros(call, 0)?.unary::<_, Int64Type>(|micros| micros.div_euclid(1000))))
}

/// The last day of the month.
pub(super) fn last_day(call: &Call) -> Result<ArrayRef> {
    Ok(Arc::new(micros(call, 0)?.unary_opt::<_, Date32Type>(last_day_of)))
}

/// `date_diff` under a name.
pub(super) fn date_diff(name: &'static str) -> ScalarUDF {
    let body = |call: &Call| match call.args.len() {
        2 => days_between(call),
        _ => between(call, Unit::borders),
    };
    Function { name, args: &[Arg::Any; 3], required: 2, variadic: false, returns: |_| Ok(DataType::Int64), body }.udf()
}

fn days_between(call: &Call) -> Result<ArrayRef> {
    let (end, start) = (moments(call, 0)?, moments(call, 1)?);
    let day = Unit::parse("day");
    let days = end.iter().zip(start.iter()).map(|(end, start)| day?.borders(start?, end?));
    Ok(Arc::new(days.collect::<PrimitiveArray<Int64Type>>()))
}

/// Arguments that were taken as they come: text must spell a moment.
fn moments(call: &Call, index: usize) -> Result<Micros> {
    match call.args[index].data_type() {
        DataType::Date32
        | DataType::Date64
        | DataType::Timestamp(_, _)
        | DataType::Utf8
        | DataType::LargeUtf8
        | DataType::Utf8View
        | DataType::Null => micros(call, index),
        other => exec_err!("{} wants a date or a timestamp, not {}", call.name, type_name(&other)),
    }
}

fn unit(name: &'static str, text: &str) -> Result<Unit> {
    match Unit::parse(text) {
        Some(unit) => Ok(unit),
        None => exec_err!("{name}: `{text}` is not a unit of time; year, quarter, month, week, day, hour, ... are"),
    }
}

fn units(call: &Call) -> Result<StringViewArray> {
    match call.args[0].data_type() {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View | DataType::Null => call.text(0),
        other => exec_err!("{} wants a unit such as 'day' first, not {}", call.name, type_name(&other)),
    }
}

fn between(call: &Call, count: fn(Unit, i64, i64) -> Option<i64>) -> Result<ArrayRef> {
    let (units, start, end) = (units(call)?, moments(call, 1)?, moments(call, 2)?);
    let mut counts = Vec::with_capacity(start.len());
    for ((text, start), end) in units.iter().zip(start.iter()).zip(end.iter()) {
        counts.push(match (text, start, end) {
            (Some(text), Some(start), Some(end)) => count(unit(call.name, text)?, start, end),
            _ => None,
        });
    }
    Ok(Arc::new(PrimitiveArray::<Int64Type>::from(counts)))
}

/// `date_add` under a name.
pub(super) fn date_add(name: &'static str) -> ScalarUDF {
    let body = |call: &Call| match call.args.len() {
        2 => shifted(call, 1),
        _ => units_later(call),
    };
    Function { name, args: &[Arg::Any; 3], required: 2, variadic: false, returns: sum_type, body }.udf()
}

/// `date_sub` under a name.
pub(super) fn date_sub(name: &'static str) -> ScalarUDF {
    let body = |call: &Call| match call.args.len() {
        2 => shifted(call, -1),
        _ => between(call, Unit::whole),
    };
    let returns = |args: &ReturnFieldArgs| match args.arg_fields.len() {
        2 => sum_type(args),
        _ => Ok(DataType::Int64),
    };
    Function { name, args: &[Arg::Any; 3], required: 2, variadic: false, returns, body }.udf()
}

/// Dates stay dates when days, months and the like are added.
fn sum_type(args: &ReturnFieldArgs) -> Result<DataType> {
    let kind = |index: usize| args.arg_fields[index].data_type();
    match args.arg_fields.len() {
        2 => match (kind(0), kind(1)) {
            (DataType::Date32, step) if step.is_integer() || step.is_null() => Ok(DataType::Date32),
            (_, step) if step.is_integer() || step.is_null() || matches!(step, DataType::Interval(_)) => Ok(TIMESTAMP),
            (_, step) => {
                plan_err!("a moment can be moved by a number of days or an interval, not {}", type_name(step))
            }
        },
        _ => {
            let text = args.scalar_arguments[0].and_then(|unit| unit.try_as_str()).flatten();
            let keeps = text.and_then(Unit::parse).is_some_and(Unit::keeps_dates);
            Ok(if keeps && kind(2) == &DataType::Date32 { DataType::Date32 } else { TIMESTAMP })
        }
    }
}

/// `add_months` under a name.
pub(super) fn add_months(name: &'static str) -> ScalarUDF {
    let body = |call: &Call| {
        let step = call.array_as(1, &DataType::Int64)?;
        later(call, 0, std::iter::repeat_n(Some(Unit::Months(1)), call.rows).map(Ok), step.as_primitive())
    };
    Function { name, args: &[Arg::Moment, Arg::Integer], required: 2, variadic: false, returns: like_date, body }.udf()
}

/// `age(end, start)`
pub(super) fn age() -> ScalarUDF {
    let returns = |_: &ReturnFieldArgs| Ok(DataType::Interval(IntervalUnit::MonthDayNano));
    let body = |call: &Call| {
        let (end, start) = (micros(call, 0)?, micros(call, 1)?);
        let mut ages = Vec::with_capacity(end.len());
        for moments in end.iter().zip(start.iter()) {
            ages.push(match moments {
                (Some(end), Some(start)) => Some(age_between(start, end).ok_or_else(|| out_of_range(call.name))?),
                _ => None,
            });
        }
        Ok(Arc::new(PrimitiveArray::<IntervalMonthDayNanoType>::from(ages)) as ArrayRef)
    };
    Function { name: "age", args: &[Arg::Moment; 2], required: 2, variadic: false, returns, body }.udf()
}

/// Whole months first, then whole days, then the rest; all of it negative if `end` is the earlier moment.
fn age_between(start: i64, end: i64) -> Option<IntervalMonthDayNano> {
    let sign = if end < start { -1 } else { 1 };
    let (first, last) = (start.min(end), start.max(end));
    let months = Unit::Months(1).whole(first, last)?;
    let rest = last.checked_sub(Unit::Months(1).plus(first, months)?)?;
    let day = 86_400_000_000;
    Some(IntervalMonthDayNano {
        months: sign * i32::try_from(months).ok()?,
        days: sign * i32::try_from(rest / day).ok()?,
        nanoseconds: i64::from(sign) * (rest % day) * 1000,
    })
}

/// `make_timestamp(year, month, day, hour, minute, seconds)`
pub(super) fn make_timestamp() -> ScalarUDF {
    use Arg::{Double, Integer};
    let body = |call: &Call| {
        let whole = (0..5).map(|index| call.array_as(index, &DataType::Int64)).collect::<Result<Vec<_>>>()?;
        let seconds = call.array_as(5, &DataType::Float64)?;
        let part = |index: usize, row: usize| {
            let part = whole[index].as_primitive::<Int64Type>();
            part.is_valid(row).then(|| part.value(row))
        };
        let mut made = Vec::with_capacity(call.rows);
        for row in 0..call.rows {
            let parts: Option<Vec<i64>> = (0..5).map(|index| part(index, row)).collect();
            let seconds = seconds.as_primitive::<Float64Type>();
            made.push(match parts.filter(|_| seconds.is_valid(row)) {
                Some(parts) => Some(moment_of(&parts, seconds.value(row))?),
                None => None,
            });
        }
        Ok(Arc::new(Micros::from(made)) as ArrayRef)
    };
    let args = &[Integer, Integer, Integer, Integer, Integer, Double];
    Function { name: "make_timestamp", args, required: 6, variadic: false, returns: |_| Ok(TIMESTAMP), body }.udf()
}

/// Microseconds from 1970-01-01 to a moment given as year, month, day, hour and minute, and seconds below 60.
fn moment_of(parts: &[i64], seconds: f64) -> Result<i64> {
    let small = |index: usize| u32::try_from(parts[index]).ok();
    let moment = || {
        let year = i32::try_from(parts[0]).ok()?;
        let day = NaiveDate::from_ymd_opt(year, small(1)?, small(2)?)?;
        let minute = day.and_hms_opt(small(3)?, small(4)?, 0)?.and_utc().timestamp_micros();
        (0.0..60.0).contains(&seconds).then(|| minute + (seconds * 1e6).round() as i64)
    };
    match moment() {
        Some(micros) => Ok(micros),
        None => exec_err!("make_timestamp: {parts:?} and {seconds} seconds are no moment"),
    }
}

/// A date for a date, a timestamp for everything else.
fn like_date(args: &ReturnFieldArgs) -> Result<DataType> {
    Ok(if args.arg_fields[0].data_type() == &DataType::Date32 { DataType::Date32 } else { TIMESTAMP })
}

fn out_of_range(name: &str) -> datafusion::error::DataFusionError {
    overflow(format!("the result of {name} does not fit into timestamp"))
}

fn shifted(call: &Call, sign: i64) -> Result<ArrayRef> {
    let start = moments(call, 0)?;
    let step = call.array(1)?;
    if matches!(step.data_type(), DataType::Interval(_)) {
        let moved = if sign < 0 { numeric::sub(&start, &step)? } else { numeric::add(&start, &step)? };
        return call.cast(moved);
    }
    let days = cast(&step, &DataType::Int64)?;
    let days: PrimitiveArray<Int64Type> = days.as_primitive::<Int64Type>().unary(|days| days.saturating_mul(sign));
    later(call, 0, std::iter::repeat_n(Unit::parse("day"), call.rows).map(Ok), &days)
}

fn units_later(call: &Call) -> Result<ArrayRef> {
    let counts = call.array_as(1, &DataType::Int64)?;
    let units = units(call)?;
    let units = units.iter().map(|text| text.map(|text| unit(call.name, text)).transpose());
    later(call, 2, units, counts.as_primitive())
}

/// The moments of argument `index` plus so many units, row by row.
fn later(
    call: &Call,
    index: usize,
    units: impl Iterator<Item = Result<Option<Unit>>>,
    counts: &PrimitiveArray<Int64Type>,
) -> Result<ArrayRef> {
    let start = moments(call, index)?;
    let mut moved = Vec::with_capacity(start.len());
    for ((unit, count), start) in units.zip(counts).zip(start.iter()) {
        moved.push(match (unit?, count, start) {
            (Some(unit), Some(count), Some(start)) => {
                Some(unit.plus(start, count).ok_or_else(|| out_of_range(call.name))?)
            }
            _ => None,
        });
    }
    call.cast(Arc::new(Micros::from(moved)))
}
