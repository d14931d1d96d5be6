//! Dates and timestamps from text: strictly with a format, or softly, where what cannot be read is null.
//!
//! `try_to_date(s)` without a format reads what Spark's `cast(s as date)` reads. After white space and control characters
//! at both ends (every character up to U+0020) are dropped, the text is
//!
//! ```text
//! [+-] year [- month [- day [ (space or T) anything ]]]
//! ```
//!
//! where the year has 4 to 7 digits, month and day have 1 or 2, all of them ASCII. A month or day that is missing is 1.
//! So `2022`, `2022-6`, ` 2022-06-01 `, `2022-06-01T10:00Z` and `2022-06-01 garbage` are dates; `2022/06/01`, `22-06-01`,
//! `2022-06-01garbage`, `2022-06-31` and `2022-06-01 ` with digits of another script are null. (The regular expression that
//! ports of Spark jobs use, `^([0-9]{4,7})-([0-9]{1,2})(-([0-9]{1,2})([ T].*)?)?$`, does not take a year alone, nor a sign.)
//!
//! Formats are those of C's strftime, as in DuckDB and Python: `%Y %m %d %H %M %S %f %y %b %B %a %j %p %I %z ...`. What a
//! format does not say is that of 1900-01-01 00:00:00.

mod lenient;

use std::fmt::Write;
use std::sync::Arc;

use chrono::format::{Item, Parsed, StrftimeItems, parse};
use chrono::{DateTime, NaiveDateTime, TimeDelta};
use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, Date32Builder, StringViewArray, StringViewBuilder, TimestampMicrosecondBuilder,
};
use datafusion::arrow::datatypes::{DataType, TimestampMicrosecondType};
use datafusion::common::{Result, exec_err};

use self::lenient::{days_from_civil, lenient_date};
use super::scalar::{Arg, Call, Function, Memo, TIMESTAMP};
use super::{Entry, Kind};

pub(super) const ENTRIES: &[Entry] = &[
    Entry {
        name: "try_to_date",
        signature: "try_to_date(s[, format, ...])",
        doc: "The date that the text spells, or null. Without a format: year[-month[-day[ or T and anything]]], as Spark's \
              cast reads it. With formats: the first that fits.",
        example: "try_to_date(' 2022-6-1T10:00 ')",
        result: "2022-06-01",
        kind: Kind::Scalar(|| {
            Function {
                name: "try_to_date",
                args: &[Arg::Text, Arg::Text],
                required: 1,
                variadic: true,
                returns: |_| Ok(DataType::Date32),
                body: try_to_date,
            }
            .udf()
        }),
    },
    Entry {
        name: "try_to_timestamp",
        signature: "try_to_timestamp(s[, format, ...])",
        doc: "The timestamp that the text spells, or null. Without a format: year-month-day, then a time or nothing, then \
              an offset or nothing. With formats: the first that fits.",
        example: "try_to_timestamp('2022-06-01 10:00')",
        result: "2022-06-01T10:00:00",
        kind: Kind::Scalar(|| {
            Function {
                name: "try_to_timestamp",
                args: &[Arg::Text, Arg::Text],
                required: 1,
                variadic: true,
                returns: |_| Ok(TIMESTAMP),
                body: try_to_timestamp,
            }
            .udf()
        }),
    },
    Entry {
        name: "strptime",
        signature: "strptime(s, format)",
        doc: "The timestamp that the text spells in the format (as in C's strftime); an error if it does not.",
        example: "strptime('01/06/2022', '%d/%m/%Y')",
        result: "2022-06-01T00:00:00",
        kind: Kind::Scalar(|| {
            Function {
                name: "strptime",
                args: &[Arg::Text, Arg::Text],
                required: 2,
                variadic: false,
                returns: |_| Ok(TIMESTAMP),
                body: |call| timestamps(call, true),
            }
            .udf()
        }),
    },
    Entry {
        name: "try_strptime",
        signature: "try_strptime(s, format, ...)",
        doc: "The timestamp that the text spells in the first format that fits, or null.",
        example: "try_strptime('31/06/2022', '%d/%m/%Y')",
        result: "NULL",
        kind: Kind::Scalar(|| {
            Function {
                name: "try_strptime",
                args: &[Arg::Text, Arg::Text],
                required: 2,
                variadic: true,
                returns: |_| Ok(TIMESTAMP),
                body: |call| timestamps(call, false),
            }
            .udf()
        }),
    },
    Entry {
        name: "strftime",
        signature: "strftime(moment, format)",
        doc: "The text of a date or timestamp in the format (as in C's strftime).",
        example: "strftime(date '2022-06-01', '%d.%m.%Y')",
        result: "01.06.2022",
        kind: Kind::Scalar(|| {
            Function {
                name: "strftime",
                args: &[Arg::Moment, Arg::Text],
                required: 2,
                variadic: false,
                returns: |_| Ok(DataType::Utf8View),
                body: strftime,
            }
            .udf()
        }),
    },
];

/// What follows the date in a timestamp that is read without a format.
const TIMES: [&str; 6] = ["%H:%M:%S%.f%#z", "%H:%M:%S%.fZ", "%H:%M:%S%.f", "%H:%M%#z", "%H:%M", "%H:%MZ"];

/// A timestamp in microseconds that is read without a format.
fn lenient_timestamp(text: &str, times: &[Format]) -> Option<i64> {
    let text = text.trim_matches(|c| c <= ' ');
    let (date, time) = match text.find([' ', 'T']) {
        Some(at) => (&text[..at], text[at + 1..].trim_start()),
        None => (text, ""),
    };
    let midnight = i64::from(lenient_date(date)?) * MICROS_OF_DAY;
    if time.is_empty() {
        return Some(midnight);
    }
    let of_day = times.iter().find_map(|format| format.read(time))?;
    let epoch = i64::from(days_from_civil(1900, 1, 1)?) * MICROS_OF_DAY;
    midnight.checked_add(of_day.checked_sub(epoch)?)
}

const MICROS_OF_DAY: i64 = 86_400_000_000;

/// A format that was read.
struct Format {
    items: Vec<Item<'static>>,
}

impl Format {
    /// Fails if `text` is no format.
    fn new(name: &str, text: &str) -> Result<Format> {
        // Elsewhere %f are microseconds, in chrono they are a number of nanoseconds.
        let own = text.replace(".%f", "%.f").replace("%f", "%6f");
        match StrftimeItems::new(&own).parse_to_owned() {
            Ok(items) => Ok(Format { items }),
            Err(_) => exec_err!("{name}: `{text}` is not a format"),
        }
    }

    /// Microseconds from 1970-01-01, if `text` is written in this format.
    fn read(&self, text: &str) -> Option<i64> {
        let mut parsed = Parsed::new();
        parse(&mut parsed, text, self.items.iter()).ok()?;
        fill(&mut parsed);
        let offset = parsed.offset().unwrap_or(0);
        let local = parsed.to_naive_datetime_with_offset(offset).ok()?;
        let utc = local.checked_sub_signed(TimeDelta::seconds(i64::from(offset)))?;
        Some(utc.and_utc().timestamp_micros())
    }

    /// `moment` in this format; none if the format asks for what a timestamp without time zone does not have.
    fn write(&self, moment: &NaiveDateTime, buffer: &mut String) -> Option<()> {
        let utc = moment.and_utc();
        write!(buffer, "{}", utc.format_with_items(self.items.iter())).ok()
    }
}

/// What the format left open. Fields that are set already stay: setting them to another value is an error, which is fine.
fn fill(parsed: &mut Parsed) {
    let by_week = parsed.isoweek().or(parsed.week_from_mon()).or(parsed.week_from_sun()).is_some();
    if parsed.timestamp().is_none() && !by_week {
        if parsed.year().or(parsed.year_mod_100()).or(parsed.isoyear()).is_none() {
            parsed.set_year(1900).ok();
        }
        if parsed.ordinal().is_none() {
            if parsed.month().is_none() {
                parsed.set_month(1).ok();
            }
            if parsed.day().is_none() {
                parsed.set_day(1).ok();
            }
        }
    }
    if parsed.timestamp().is_none() {
        if parsed.hour_mod_12().is_none() {
            parsed.set_hour(0).ok();
        } else if parsed.hour_div_12().is_none() {
            parsed.set_ampm(false).ok();
        }
        if parsed.minute().is_none() {
            parsed.set_minute(0).ok();
        }
    }
}

/// The formats of arguments 1 and up, row by row.
struct Formats {
    texts: Vec<StringViewArray>,
    memos: Vec<Memo<Format>>,
    name: &'static str,
}

impl Formats {
    fn of(call: &Call) -> Result<Formats> {
        let texts = (1..call.args.len()).map(|index| call.text(index)).collect::<Result<Vec<_>>>()?;
        let memos = texts.iter().map(|_| Memo::new()).collect();
        Ok(Formats { texts, memos, name: call.name })
    }

    /// What the first format that fits makes of `value`.
    fn read(&mut self, row: usize, value: &str) -> Result<Option<i64>> {
        for (texts, memo) in self.texts.iter().zip(&mut self.memos) {
            if texts.is_null(row) {
                continue;
            }
            let format = memo.get(texts.value(row), |text| Format::new(self.name, text))?;
            if let Some(micros) = format.read(value) {
                return Ok(Some(micros));
            }
        }
        Ok(None)
    }

    fn has_null(&self, row: usize) -> bool {
        self.texts.iter().all(|texts| texts.is_null(row))
    }
}

fn try_to_date(call: &Call) -> Result<ArrayRef> {
    let input = call.text(0)?;
    let mut formats = Formats::of(call)?;
    let mut builder = Date32Builder::with_capacity(input.len());
    for (row, value) in input.iter().enumerate() {
        builder.append_option(match value {
            None => None,
            Some(value) if formats.texts.is_empty() => lenient_date(value),
            Some(value) => match formats.read(row, value)? {
                Some(micros) => i32::try_from(micros.div_euclid(MICROS_OF_DAY)).ok(),
                None => None,
            },
        });
    }
    Ok(Arc::new(builder.finish()))
}

fn try_to_timestamp(call: &Call) -> Result<ArrayRef> {
    if call.args.len() > 1 {
        return timestamps(call, false);
    }
    let times = TIMES.iter().map(|text| Format::new(call.name, text)).collect::<Result<Vec<_>>>()?;
    let input = call.text(0)?;
    let mut builder = TimestampMicrosecondBuilder::with_capacity(input.len());
    for value in &input {
        builder.append_option(value.and_then(|value| lenient_timestamp(value, &times)));
    }
    Ok(Arc::new(builder.finish()))
}

fn timestamps(call: &Call, strict: bool) -> Result<ArrayRef> {
    let input = call.text(0)?;
    let mut formats = Formats::of(call)?;
    let mut builder = TimestampMicrosecondBuilder::with_capacity(input.len());
    for (row, value) in input.iter().enumerate() {
        let Some(value) = value else {
            builder.append_null();
            continue;
        };
        let micros = formats.read(row, value)?;
        if strict && micros.is_none() && !formats.has_null(row) {
            let format = formats.texts[0].value(row);
            return exec_err!("{}: '{value}' is not written as '{format}' (try_strptime gives null)", call.name);
        }
        builder.append_option(micros);
    }
    Ok(Arc::new(builder.finish()))
}

fn strftime(call: &Call) -> Result<ArrayRef> {
    let moments = call.array_as(0, &TIMESTAMP)?;
    let moments = moments.as_primitive::<TimestampMicrosecondType>();
    let texts = call.text(1)?;
    let mut memo = Memo::new();
    let mut builder = StringViewBuilder::with_capacity(moments.len());
    let mut buffer = String::new();
    for (moment, text) in moments.iter().zip(&texts) {
        let moment = moment.and_then(DateTime::from_timestamp_micros);
        let (Some(moment), Some(text)) = (moment, text) else {
            builder.append_null();
            continue;
        };
        buffer.clear();
        let format = memo.get(text, |text| Format::new(call.name, text))?;
        if format.write(&moment.naive_utc(), &mut buffer).is_none() {
            return exec_err!("{}: a timestamp without time zone cannot be written as '{text}'", call.name);
        }
        builder.append_value(&buffer);
    }
    call.finish(builder)
}

#[cfg(test)]
mod tests;
