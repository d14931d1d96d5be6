//! Parts of dates, names of them, and calculating with them.

mod arithmetic;
mod part;
mod unit;

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, StringViewBuilder};
use datafusion::arrow::compute::{DatePart, date_part};
use datafusion::arrow::datatypes::{DataType, Int32Type};
use datafusion::common::Result;
use datafusion::logical_expr::ScalarUDF;

use super::scalar::{Arg, Call, Function};
use super::{Entry, Kind};

macro_rules! part {
    ($name:literal, $doc:literal, $moment:literal => $result:literal) => {
        Entry {
            name: $name,
            signature: concat!($name, "(moment)"),
            doc: $doc,
            example: concat!($name, "(", $moment, ")"),
            result: $result,
            kind: Kind::Scalar(|| ScalarUDF::from(part::Part::new($name))),
        }
    };
}

pub(super) const ENTRIES: &[Entry] = &[
    part!("year", "The year of a date or timestamp.", "date '2022-06-09'" => "2022"),
    part!("quarter", "The quarter, 1 to 4.", "date '2022-06-09'" => "2"),
    part!("month", "The month, 1 to 12.", "date '2022-06-09'" => "6"),
    part!("week", "The week of ISO 8601, 1 to 53.", "date '2022-06-09'" => "23"),
    part!("weekofyear", "The same as week.", "date '2022-06-09'" => "23"),
    part!("day", "The day of the month, 1 to 31.", "date '2022-06-09'" => "9"),
    part!("dayofmonth", "The same as day.", "date '2022-06-09'" => "9"),
    part!("dayofyear", "The day of the year, 1 to 366.", "date '2022-06-09'" => "160"),
    part!("dayofweek", "The day of the week, 1 (Sunday) to 7 (Saturday), as in Spark and MySQL.", "date '2022-06-09'" => "5"),
    part!("isodow", "The day of the week, 1 (Monday) to 7 (Sunday).", "date '2022-06-09'" => "4"),
    part!("weekday", "The day of the week, 0 (Monday) to 6 (Sunday), as in Spark and MySQL.", "date '2022-06-09'" => "3"),
    part!("isoyear", "The year to which the week of ISO 8601 belongs.", "date '2022-01-01'" => "2021"),
    part!("hour", "The hour, 0 to 23.", "timestamp '2022-06-09 10:20:30'" => "10"),
    part!("minute", "The minute, 0 to 59.", "timestamp '2022-06-09 10:20:30'" => "20"),
    part!("second", "The whole seconds, 0 to 59.", "timestamp '2022-06-09 10:20:30'" => "30"),
    Entry {
        name: "monthname",
        signature: "monthname(moment)",
        doc: "The English name of the month.",
        example: "monthname(date '2022-06-09')",
        result: "June",
        kind: Kind::Scalar(|| names("monthname", |call| named(call, DatePart::Month, &MONTHS, 1))),
    },
    Entry {
        name: "dayname",
        signature: "dayname(moment)",
        doc: "The English name of the day of the week.",
        example: "dayname(date '2022-06-09')",
        result: "Thursday",
        kind: Kind::Scalar(|| names("dayname", |call| named(call, DatePart::DayOfWeekMonday0, &DAYS, 0))),
    },
    Entry {
        name: "epoch",
        signature: "epoch(moment)",
        doc: "Seconds since 1970-01-01 00:00:00 UTC, with fractions.",
        example: "epoch(timestamp '1970-01-02 00:00:00.5')",
        result: "86400.5",
        kind: Kind::Scalar(|| moment("epoch", |_| Ok(DataType::Float64), arithmetic::epoch)),
    },
    Entry {
        name: "epoch_ms",
        signature: "epoch_ms(moment)",
        doc: "Whole milliseconds since 1970-01-01 00:00:00 UTC.",
        example: "epoch_ms(date '1970-01-02')",
        result: "86400000",
        kind: Kind::Scalar(|| moment("epoch_ms", |_| Ok(DataType::Int64), arithmetic::epoch_ms)),
    },
    Entry {
        name: "last_day",
        signature: "last_day(moment)",
        doc: "The last day of the month.",
        example: "last_day(date '2024-02-09')",
        result: "2024-02-29",
        kind: Kind::Scalar(|| moment("last_day", |_| Ok(DataType::Date32), arithmetic::last_day)),
    },
    Entry {
        name: "date_diff",
        signature: "date_diff(unit, start, end), date_diff(end, start)",
        doc: "With a unit ('day', 'month', ...): how many borders of it lie between start and end, as in DuckDB. With two \
              dates: the days from the second to the first, as in Spark and MySQL.",
        example: "date_diff('month', date '2022-01-31', date '2022-03-01')",
        result: "2",
        kind: Kind::Scalar(|| arithmetic::date_diff("date_diff")),
    },
    Entry {
        name: "datediff",
        signature: "datediff(unit, start, end), datediff(end, start)",
        doc: "The same as date_diff.",
        example: "datediff(date '2022-03-01', date '2022-02-27')",
        result: "2",
        kind: Kind::Scalar(|| arithmetic::date_diff("datediff")),
    },
    Entry {
        name: "date_add",
        signature: "date_add(moment, days), date_add(moment, interval), date_add(unit, n, moment)",
        doc: "The moment plus so many days, an interval, or n units ('day', 'month', ...). The end of a month stays in its \
              month: January 31 plus a month is the last of February.",
        example: "date_add(date '2022-02-27', 2)",
        result: "2022-03-01",
        kind: Kind::Scalar(|| arithmetic::date_add("date_add")),
    },
    Entry {
        name: "dateadd",
        signature: "dateadd(unit, n, moment), dateadd(moment, days)",
        doc: "The same as date_add.",
        example: "dateadd('month', 1, date '2022-01-31')",
        result: "2022-02-28",
        kind: Kind::Scalar(|| arithmetic::date_add("dateadd")),
    },
    Entry {
        name: "add_months",
        signature: "add_months(moment, n)",
        doc: "The moment n months later, or earlier if n is negative.",
        example: "add_months(date '2022-01-31', 1)",
        result: "2022-02-28",
        kind: Kind::Scalar(|| arithmetic::add_months("add_months")),
    },
    Entry {
        name: "age",
        signature: "age(end, start)",
        doc: "The years, months, days and time from start to end, as in Postgres: as many whole months as fit, then days.",
        example: "age(timestamp '2024-03-01 12:00:00', timestamp '2022-01-31')",
        result: "25 mons 1 days 12 hours",
        kind: Kind::Scalar(arithmetic::age),
    },
    Entry {
        name: "make_timestamp",
        signature: "make_timestamp(year, month, day, hour, minute, seconds)",
        doc: "The timestamp of these parts; seconds may have a fraction. Parts that are no moment are an error.",
        example: "make_timestamp(2022, 6, 9, 10, 20, 30.5)",
        result: "2022-06-09T10:20:30.500",
        kind: Kind::Scalar(arithmetic::make_timestamp),
    },
    Entry {
        name: "date_sub",
        signature: "date_sub(moment, days), date_sub(moment, interval), date_sub(unit, start, end)",
        doc: "The moment minus so many days or an interval, as in Spark and MySQL. With a unit and two moments: how many \
              whole units lie between them, as in DuckDB.",
        example: "date_sub(date '2022-03-01', 1)",
        result: "2022-02-28",
        kind: Kind::Scalar(|| arithmetic::date_sub("date_sub")),
    },
];

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

const DAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

fn moment(name: &'static str, returns: super::scalar::Returns, body: super::scalar::Body) -> ScalarUDF {
    Function { name, args: &[Arg::Moment], required: 1, variadic: false, returns, body }.udf()
}

fn names(name: &'static str, body: super::scalar::Body) -> ScalarUDF {
    moment(name, |_| Ok(DataType::Utf8View), body)
}

fn named(call: &Call, part: DatePart, names: &[&str], first: i32) -> Result<ArrayRef> {
    let numbers = date_part(&call.array(0)?, part)?;
    let mut builder = StringViewBuilder::with_capacity(numbers.len());
    for number in numbers.as_primitive::<Int32Type>() {
        let name = number.and_then(|number| usize::try_from(number - first).ok()).and_then(|index| names.get(index));
        builder.append_option(name);
    }
    Ok(Arc::new(builder.finish()))
}
