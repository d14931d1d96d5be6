//! `modules.datetime`: the classes, and a clock that stands still.

use std::any::Any;

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Utc};

use super::moments::Moment;
use super::strftime;
use super::zones::{Zone, ZoneValue};
use crate::jinja::Interpreter;
use crate::jinja::stop::{Result, fail};
use crate::jinja::value::{Args, Object, Value};

/// The value of `modules.datetime`.
pub(super) fn module(now: DateTime<Utc>) -> Value {
    let class = |kind| Value::object(Class { kind, now });
    Value::dict_of([
        ("date", class(Kind::Date)),
        ("datetime", class(Kind::DateTime)),
        ("time", class(Kind::Time)),
        ("timedelta", class(Kind::Delta)),
        ("timezone", class(Kind::Zone)),
    ])
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Date,
    DateTime,
    Time,
    Delta,
    Zone,
}

struct Class {
    kind: Kind,
    now: DateTime<Utc>,
}

impl Object for Class {
    fn type_name(&self) -> &str {
        "type"
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn get_attr(&self, name: &str) -> Option<Value> {
        let date = |year, month, day| NaiveDate::from_ymd_opt(year, month, day).unwrap_or_default();
        Some(Value::object(match (self.kind, name) {
            (Kind::Date, "min") => Moment::Date(date(1, 1, 1)),
            (Kind::Date, "max") => Moment::Date(date(9999, 12, 31)),
            (Kind::DateTime, "min") => Moment::DateTime(date(1, 1, 1).and_time(NaiveTime::MIN), None),
            (Kind::DateTime, "max") => {
                let last = NaiveTime::from_hms_micro_opt(23, 59, 59, 999_999).unwrap_or_default();
                Moment::DateTime(date(9999, 12, 31).and_time(last), None)
            }
            (Kind::Time, "min") => Moment::Time(NaiveTime::MIN),
            (Kind::Zone, "utc") => return Some(Value::object(ZoneValue(Zone::utc()))),
            _ => return None,
        }))
    }

    fn methods(&self) -> &[&'static str] {
        match self.kind {
            Kind::Date => &["fromisoformat", "fromordinal", "fromtimestamp", "today"],
            Kind::DateTime => {
                &["combine", "fromisoformat", "fromtimestamp", "now", "strptime", "today", "utcfromtimestamp", "utcnow"]
            }
            Kind::Time => &["fromisoformat"],
            Kind::Delta | Kind::Zone => &[],
        }
    }

    fn call_method(&self, _: &mut Interpreter<'_>, name: &str, args: Args) -> Result {
        let now = self.now.naive_utc();
        let moment = match name {
            "now" => {
                let [zone] = args.bind(name, ["tz"])?;
                match zone.as_ref().and_then(|zone| zone.as_object::<ZoneValue>()) {
                    Some(zone) => Moment::DateTime(now, None).in_zone(&zone.0)?,
                    None => Moment::DateTime(now, None),
                }
            }
            "utcnow" | "today" => {
                let [] = args.bind(name, [])?;
                self.of_kind(now, None)
            }
            "strptime" => {
                let [text, format] = args.required(name, ["date_string", "format"])?;
                let (moment, zone) = strftime::parse(&text.text(), &format.text())?;
                Moment::DateTime(moment, zone)
            }
            "combine" => {
                let [date, time] = args.required(name, ["date", "time"])?;
                match (date.as_object::<Moment>(), time.as_object::<Moment>()) {
                    (Some(Moment::Date(date)), Some(Moment::Time(time))) => {
                        Moment::DateTime(date.and_time(*time), None)
                    }
                    _ => return Err(fail("combine() takes a date and a time")),
                }
            }
            "fromordinal" => {
                let [days] = args.required(name, ["ordinal"])?;
                let days = days.as_int().and_then(|days| i32::try_from(days).ok());
                let date = days.and_then(NaiveDate::from_num_days_from_ce_opt);
                Moment::Date(date.ok_or_else(|| fail("ordinal must be >= 1"))?)
            }
            "fromisoformat" => {
                let [text] = args.required(name, ["date_string"])?;
                self.parse_iso(&text.text())?
            }
            _ => {
                let [seconds, zone] = args.bind(name, ["timestamp", "tz"])?;
                let micros = seconds.and_then(|seconds| seconds.as_float()).map(|seconds| seconds * 1e6);
                let moment = micros.filter(|micros| micros.abs() < 9e17);
                let moment = moment.and_then(|micros| DateTime::from_timestamp_micros(micros.round() as i64));
                let moment = moment.ok_or_else(|| fail("a timestamp in seconds is required"))?;
                let plain = self.of_kind(moment.naive_utc(), None);
                match zone.as_ref().and_then(|zone| zone.as_object::<ZoneValue>()) {
                    Some(zone) => plain.in_zone(&zone.0)?,
                    None => plain,
                }
            }
        };
        Ok(Value::object(moment))
    }

    fn is_callable(&self) -> bool {
        true
    }

    fn call(&self, _: &mut Interpreter<'_>, args: Args) -> Result {
        let moment = match self.kind {
            Kind::Date => {
                let [year, month, day] = args.required("date", ["year", "month", "day"])?;
                Moment::Date(date_of(&year, &month, &day)?)
            }
            Kind::DateTime => datetime(args)?,
            Kind::Time => {
                let [hour, minute, second, micro, _] =
                    args.bind("time", ["hour", "minute", "second", "microsecond", "tzinfo"])?;
                Moment::Time(time_of([hour, minute, second, micro])?)
            }
            Kind::Delta => Moment::Delta(delta(args)?),
            Kind::Zone => {
                let [offset, name] = args.bind("timezone", ["offset", "name"])?;
                let offset = offset.as_ref().and_then(|offset| offset.as_object::<Moment>());
                let Some(Moment::Delta(delta)) = offset else { return Err(fail("offset must be a timedelta")) };
                let seconds = i32::try_from(delta.num_seconds()).ok().filter(|seconds| seconds.abs() < 86_400);
                let seconds = seconds.ok_or_else(|| fail("offset must be less than a day"))?;
                let zone = Zone { name: String::new(), seconds };
                let name =
                    name.map_or_else(|| format!("UTC{}", zone.offset_text(":")), |name| name.text().into_owned());
                return Ok(Value::object(ZoneValue(Zone { name, seconds })));
            }
        };
        Ok(Value::object(moment))
    }

    fn repr(&self) -> String {
        let name = match self.kind {
            Kind::Date => "date",
            Kind::DateTime => "datetime",
            Kind::Time => "time",
            Kind::Delta => "timedelta",
            Kind::Zone => "timezone",
        };
        format!("<class 'datetime.{name}'>")
    }
}

impl Class {
    fn of_kind(&self, moment: NaiveDateTime, zone: Option<Zone>) -> Moment {
        match self.kind {
            Kind::Date => Moment::Date(moment.date()),
            _ => Moment::DateTime(moment, zone),
        }
    }

    fn parse_iso(&self, text: &str) -> Result<Moment> {
        let bad = || fail(format!("Invalid isoformat string: '{text}'"));
        let time = |text: &str| -> Result<NaiveTime> {
            ["%H:%M:%S%.f", "%H:%M:%S", "%H:%M"]
                .iter()
                .find_map(|format| NaiveTime::parse_from_str(text, format).ok())
                .ok_or_else(bad)
        };
        if self.kind == Kind::Time {
            return time(text).map(Moment::Time);
        }
        let day = text.get(..10).and_then(|day| NaiveDate::parse_from_str(day, "%Y-%m-%d").ok()).ok_or_else(bad)?;
        let rest = &text[10..];
        if self.kind == Kind::Date || rest.is_empty() {
            return if rest.is_empty() { Ok(self.of_kind(day.and_time(NaiveTime::MIN), None)) } else { Err(bad()) };
        }
        let clock = rest.get(1..).ok_or_else(bad)?;
        let zone_at = clock.find(['+', '-', 'Z']).unwrap_or(clock.len());
        let zone = match &clock[zone_at..] {
            "" => None,
            zone => Some(Zone::parse(zone).filter(|(_, rest)| rest.is_empty()).ok_or_else(bad)?.0),
        };
        Ok(Moment::DateTime(day.and_time(time(&clock[..zone_at])?), zone))
    }
}

fn number(value: &Value) -> Result<i64> {
    value.as_int().ok_or_else(|| fail(format!("'{}' object cannot be interpreted as an integer", value.type_name())))
}

fn small(value: &Value) -> Result<u32> {
    u32::try_from(number(value)?).map_err(|_| fail("a part of the date or time is out of range"))
}

fn date_of(year: &Value, month: &Value, day: &Value) -> Result<NaiveDate> {
    let year = i32::try_from(number(year)?).ok().filter(|year| (1..=9999).contains(year));
    let year = year.ok_or_else(|| fail("year is out of range"))?;
    let (month, day) = (small(month)?, small(day)?);
    if !(1..=12).contains(&month) {
        return Err(fail("month must be in 1..12"));
    }
    NaiveDate::from_ymd_opt(year, month, day).ok_or_else(|| fail("day is out of range for month"))
}

fn time_of(parts: [Option<Value>; 4]) -> Result<NaiveTime> {
    let mut numbers = [0; 4];
    for (slot, part) in numbers.iter_mut().zip(&parts) {
        *slot = part.as_ref().map_or(Ok(0), small)?;
    }
    let [hour, minute, second, micro] = numbers;
    let time = if micro < 1_000_000 { NaiveTime::from_hms_micro_opt(hour, minute, second, micro) } else { None };
    time.ok_or_else(|| fail("a part of the time is out of range"))
}

fn datetime(args: Args) -> Result<Moment> {
    let names = ["year", "month", "day", "hour", "minute", "second", "microsecond", "tzinfo"];
    let [year, month, day, hour, minute, second, micro, zone] = args.bind("datetime", names)?;
    let (Some(year), Some(month), Some(day)) = (year, month, day) else {
        return Err(fail("datetime() needs year, month and day"));
    };
    let zone = zone.as_ref().and_then(|zone| zone.as_object::<ZoneValue>()).map(|zone| zone.0.clone());
    let time = time_of([hour, minute, second, micro])?;
    Ok(Moment::DateTime(date_of(&year, &month, &day)?.and_time(time), zone))
}

fn delta(args: Args) -> Result<TimeDelta> {
    let names = ["days", "seconds", "microseconds", "milliseconds", "minutes", "hours", "weeks"];
    let micros = [86_400_000_000.0, 1e6, 1.0, 1e3, 6e7, 3.6e9, 604_800_000_000.0];
    let mut whole: i64 = 0;
    let mut fraction = 0.0;
    let too_large = || fail("the span of time is too large");
    for (value, unit) in args.bind("timedelta", names)?.iter().zip(micros) {
        match value {
            None => {}
            Some(value) => match (value.as_int(), value.as_float()) {
                (Some(number), _) => {
                    let part = number.checked_mul(unit as i64).ok_or_else(too_large)?;
                    whole = whole.checked_add(part).ok_or_else(too_large)?;
                }
                (None, Some(number)) => fraction += number * unit,
                _ => return Err(fail(format!("unsupported type for timedelta component: {}", value.type_name()))),
            },
        }
    }
    if !fraction.is_finite() || fraction.abs() > 9e18 {
        return Err(too_large());
    }
    let total = whole.checked_add(fraction.round_ties_even() as i64).ok_or_else(too_large)?;
    Ok(TimeDelta::microseconds(total))
}
