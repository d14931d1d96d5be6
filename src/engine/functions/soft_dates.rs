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

use std::fmt::Write;
use std::sync::Arc;

use chrono::format::{Item, Parsed, StrftimeItems, parse};
use chrono::{DateTime, NaiveDateTime, TimeDelta};
use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, Date32Builder, StringViewArray, StringViewBuilder, TimestampMicrosecondBuilder,
};
use datafusion::arrow::datatypes::{DataType, TimestampMicrosecondType};
use datafusion::common::{Result, exec_err};

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

/// Days from 1970-01-01 to a date of the proleptic Gregorian calendar; none if there is no such date.
fn days_from_civil(year: i64, month: u32, day: u32) -> Option<i32> {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let last = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        _ => return None,
    };
    if day == 0 || day > last {
        return None;
    }
    // Years begin in March, so that the leap day is the last of its year; eras of 400 years are alike.
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let day_of_year = i64::from((153 * ((month + 9) % 12) + 2) / 5 + day - 1);
    let year_of_era = year.rem_euclid(400);
    let days = era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468;
    i32::try_from(days).ok()
}

/// Takes `least` to `most` ASCII digits from the start of `text`; fails if there are more.
fn digits(text: &[u8], least: usize, most: usize) -> Option<(u32, &[u8])> {
    let count = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if count < least || count > most {
        return None;
    }
    let number = text[..count].iter().fold(0, |number, byte| number * 10 + u32::from(byte - b'0'));
    Some((number, &text[count..]))
}

/// The lenient date of the module's description, in days from 1970-01-01.
fn lenient_date(text: &str) -> Option<i32> {
    let text = text.as_bytes();
    let start = text.iter().position(|byte| *byte > b' ')?;
    let end = text.iter().rposition(|byte| *byte > b' ')? + 1;
    let text = &text[start..end];
    let (sign, text) = match text {
        [b'-', rest @ ..] => (-1, rest),
        [b'+', rest @ ..] => (1, rest),
        _ => (1, text),
    };
    let (year, rest) = digits(text, 4, 7)?;
    let year = sign * i64::from(year);
    let [b'-', rest @ ..] = rest else {
        return if rest.is_empty() { days_from_civil(year, 1, 1) } else { None };
    };
    let (month, rest) = digits(rest, 1, 2)?;
    let [b'-', rest @ ..] = rest else {
        return if rest.is_empty() { days_from_civil(year, month, 1) } else { None };
    };
    let (day, rest) = digits(rest, 1, 2)?;
    match rest {
        [] | [b' ' | b'T', ..] => days_from_civil(year, month, day),
        _ => None,
    }
}

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
mod tests {
    use super::*;
    use chrono::{Datelike, NaiveDate};

    #[test]
    fn days_agree_with_the_calendar() {
        let first = NaiveDate::from_ymd_opt(1580, 1, 1).expect("a date");
        let epoch = NaiveDate::from_ymd_opt(1970, 1, 1).expect("a date");
        for date in first.iter_days().take(250_000) {
            let days = days_from_civil(i64::from(date.year()), date.month(), date.day());
            assert_eq!(days.map(i64::from), Some((date - epoch).num_days()), "{date}");
        }
        assert_eq!(days_from_civil(2023, 2, 29), None);
        assert_eq!(days_from_civil(0, 2, 29), days_from_civil(0, 3, 1).map(|day| day - 1));
    }

    #[test]
    fn lenient_dates() {
        let day = |text: &str| lenient_date(text).map(|days| days - 19_144);
        for text in [
            "2022-06-01",
            "2022-6-1",
            " 2022-06-01\t",
            "2022-06",
            "2022-06-01T10:00Z",
            "2022-06-01 garbage",
            "+2022-06-1",
        ] {
            assert_eq!(day(text), Some(0), "{text}");
        }
        assert_eq!(day("2022"), Some(-151));
        for text in [
            "",
            " ",
            "-",
            "2022/06/01",
            "01-06-2022",
            "2022-06-01garbage",
            "2022-06-31",
            "2022-13-01",
            "2022-",
            "2022-6-",
            "222-06-01",
            "22222222-01-01",
            "٢٠٢٢-٠٦-٠١",
            "2022-006-01",
            "2022-06-001",
            "null",
            "9999999-01-01",
        ] {
            assert_eq!(day(text), None, "{text}");
        }
    }

    #[test]
    fn formats_read_and_write() {
        let format = |text: &str| Format::new("strptime", text).expect("a format");
        let micros = 1_654_077_600_000_000; // 2022-06-01 10:00
        assert_eq!(format("%Y-%m-%d %H:%M").read("2022-06-01 10:00"), Some(micros));
        assert_eq!(format("%Y%m%d").read("20220601"), Some(micros - 10 * 3_600_000_000));
        assert_eq!(format("%Y-%m").read("2022-06"), Some(micros - 10 * 3_600_000_000));
        assert_eq!(format("%d.%m.%y %I:%M %p").read("01.06.22 10:00 AM"), Some(micros));
        assert_eq!(format("%Y-%m-%dT%H:%M:%S.%f").read("2022-06-01T10:00:00.25"), Some(micros + 250_000));
        assert_eq!(format("%Y-%m-%d %H:%M %z").read("2022-06-01 12:00 +0200"), Some(micros));
        assert_eq!(format("%Y-%m-%d").read("2022-06-01 "), None);
        assert_eq!(format("%Y-%j").read("2022-152"), Some(micros - 10 * 3_600_000_000));
        assert!(Format::new("strptime", "%Y-%").is_err());
        let mut text = String::new();
        let moment = DateTime::from_timestamp_micros(micros + 5).expect("a time").naive_utc();
        format("%d %b %Y %H:%M:%S.%f").write(&moment, &mut text).expect("writes");
        assert_eq!(text, "01 Jun 2022 10:00:00.000005");
    }

    #[test]
    fn lenient_timestamps() {
        let times = TIMES.map(|text| Format::new("try_to_timestamp", text).expect("a format"));
        let read = |text: &str| lenient_timestamp(text, &times).map(|micros| micros - 1_654_077_600_000_000);
        for text in [
            "2022-06-01 10:00",
            "2022-6-1T10:00:00",
            " 2022-06-01T10:00:00.000Z",
            "2022-06-01 12:00:00+02:00",
            "2022-06-01 12:00+02",
        ] {
            assert_eq!(read(text), Some(0), "{text}");
        }
        assert_eq!(read("2022-06-01"), Some(-36_000_000_000));
        assert_eq!(read("2022-06-01 25:00"), None);
        assert_eq!(read("2022-06-31 10:00"), None);
    }
}
