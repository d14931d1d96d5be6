//! Dates, times and spans of time, as `modules.datetime` has them.

use std::any::Any;
use std::cmp::Ordering;

use chrono::{Datelike, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Timelike};

use super::strftime;
use super::zones::{Zone, ZoneValue};
use crate::jinja::Interpreter;
use crate::jinja::stop::{Result, fail};
use crate::jinja::syntax::ast::BinaryOp;
use crate::jinja::value::{Args, Object, Value};

/// A date, a time of day, a moment, or a span of time.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Moment {
    Date(NaiveDate),
    Time(NaiveTime),
    DateTime(NaiveDateTime, Option<Zone>),
    Delta(TimeDelta),
}

/// A moment in UTC as a value: `run_started_at`.
pub(crate) fn utc_datetime(moment: chrono::DateTime<chrono::Utc>) -> Value {
    Value::object(Moment::DateTime(moment.naive_utc(), Some(Zone::utc())))
}

/// The moment formatted by a `strftime` pattern, if the value is one.
pub(crate) fn format_moment(value: &Value, pattern: &str) -> Option<Result<String>> {
    match value.as_object::<Moment>()? {
        Moment::Delta(_) => Some(Err(fail("unsupported format string passed to timedelta.__format__"))),
        moment => Some(Ok(moment.strftime(pattern))),
    }
}

pub(super) fn too_far() -> crate::jinja::stop::Stop {
    fail("date value out of range")
}

impl Moment {
    fn strftime(&self, pattern: &str) -> String {
        let (moment, zone) = match self {
            Moment::Date(date) => (date.and_time(NaiveTime::MIN), None),
            Moment::Time(time) => (NaiveDate::from_ymd_opt(1900, 1, 1).unwrap_or_default().and_time(*time), None),
            Moment::DateTime(moment, zone) => (*moment, zone.as_ref()),
            Moment::Delta(_) => return self.str(),
        };
        strftime::format(&moment, zone, pattern)
    }

    /// The moment in UTC; naive ones count as UTC.
    pub(super) fn utc(moment: &NaiveDateTime, zone: Option<&Zone>) -> Option<NaiveDateTime> {
        moment.checked_sub_signed(TimeDelta::seconds(zone.map_or(0, |zone| zone.seconds).into()))
    }

    /// The same moment on the clocks of another zone.
    pub(super) fn in_zone(&self, zone: &Zone) -> Result<Moment> {
        let Moment::DateTime(moment, from) = self else { return Err(fail("expected a datetime")) };
        let there = Moment::utc(moment, from.as_ref())
            .and_then(|utc| utc.checked_add_signed(TimeDelta::seconds(zone.seconds.into())))
            .ok_or_else(too_far)?;
        Ok(Moment::DateTime(there, Some(zone.clone())))
    }

    pub(super) fn date(&self) -> Option<NaiveDate> {
        match self {
            Moment::Date(date) => Some(*date),
            Moment::DateTime(moment, _) => Some(moment.date()),
            _ => None,
        }
    }

    fn time(&self) -> Option<NaiveTime> {
        match self {
            Moment::Time(time) => Some(*time),
            Moment::DateTime(moment, _) => Some(moment.time()),
            _ => None,
        }
    }

    fn iso(&self, separator: &str, timespec: &str) -> Result<String> {
        let time = |time: &NaiveTime| {
            let base = format!("{:02}:{:02}", time.hour(), time.minute());
            let micros = time.nanosecond() / 1000 % 1_000_000;
            match timespec {
                "minutes" => Ok(base),
                "hours" => Ok(base[..2].to_string()),
                "seconds" => Ok(format!("{base}:{:02}", time.second())),
                "milliseconds" => Ok(format!("{base}:{:02}.{:03}", time.second(), micros / 1000)),
                "auto" if micros == 0 => Ok(format!("{base}:{:02}", time.second())),
                "auto" | "microseconds" => Ok(format!("{base}:{:02}.{micros:06}", time.second())),
                _ => Err(fail("Unknown timespec value")),
            }
        };
        let date = |date: NaiveDate| format!("{:04}-{:02}-{:02}", date.year(), date.month(), date.day());
        match self {
            Moment::Date(day) => Ok(date(*day)),
            Moment::Time(of_day) => time(of_day),
            Moment::DateTime(moment, zone) => {
                let offset = zone.as_ref().map_or_else(String::new, |zone| zone.offset_text(":"));
                Ok(format!("{}{separator}{}{offset}", date(moment.date()), time(&moment.time())?))
            }
            Moment::Delta(_) => Ok(self.str()),
        }
    }

    fn replace(&self, mut args: Args) -> Result {
        let zone = args.take("tzinfo");
        let mut part = |name: &str, old: u32| -> Result<u32> {
            match args.take(name) {
                None => Ok(old),
                Some(value) => {
                    let number = value.as_int().ok_or_else(|| fail("an integer is required"))?;
                    u32::try_from(number).map_err(|_| fail(format!("{name} is out of range")))
                }
            }
        };
        let replaced = match self {
            Moment::Delta(_) => None,
            _ => {
                let day = self.date().unwrap_or_default();
                let time = self.time().unwrap_or(NaiveTime::MIN);
                let year = i32::try_from(part("year", day.year().unsigned_abs())?).unwrap_or(i32::MAX);
                let date = NaiveDate::from_ymd_opt(year, part("month", day.month())?, part("day", day.day())?);
                let time = NaiveTime::from_hms_micro_opt(
                    part("hour", time.hour())?,
                    part("minute", time.minute())?,
                    part("second", time.second())?,
                    part("microsecond", time.nanosecond() / 1000 % 1_000_000)?,
                );
                date.zip(time)
            }
        };
        let (date, time) = replaced.ok_or_else(|| fail("a part of the date or time is out of range"))?;
        if let Some((name, _)) = args.keyword.first() {
            return Err(fail(format!("replace() got an unexpected keyword argument '{name}'")));
        }
        Ok(Value::object(match self {
            Moment::Date(_) => Moment::Date(date),
            Moment::Time(_) => Moment::Time(time),
            Moment::DateTime(_, old) => {
                let zone = match &zone {
                    None => old.clone(),
                    Some(value) => value.as_object::<ZoneValue>().map(|zone| zone.0.clone()),
                };
                Moment::DateTime(date.and_time(time), zone)
            }
            Moment::Delta(delta) => Moment::Delta(*delta),
        }))
    }
}

pub(super) fn micros(delta: &TimeDelta) -> i64 {
    delta.num_microseconds().unwrap_or(i64::MAX)
}

/// Days, seconds and microseconds, the latter two never negative.
fn parts(delta: &TimeDelta) -> (i64, i64, i64) {
    let micros = micros(delta);
    let seconds = micros.div_euclid(1_000_000);
    (seconds.div_euclid(86_400), seconds.rem_euclid(86_400), micros.rem_euclid(1_000_000))
}

impl Object for Moment {
    fn type_name(&self) -> &str {
        match self {
            Moment::Date(_) => "datetime.date",
            Moment::Time(_) => "datetime.time",
            Moment::DateTime(..) => "datetime.datetime",
            Moment::Delta(_) => "datetime.timedelta",
        }
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn get_attr(&self, name: &str) -> Option<Value> {
        if let Moment::Delta(delta) = self {
            let (days, seconds, micros) = parts(delta);
            return match name {
                "days" => Some(Value::Int(days)),
                "seconds" => Some(Value::Int(seconds)),
                "microseconds" => Some(Value::Int(micros)),
                _ => None,
            };
        }
        let number = |number: u32| Some(Value::Int(number.into()));
        match (name, self.date(), self.time()) {
            ("year", Some(date), _) => Some(Value::Int(date.year().into())),
            ("month", Some(date), _) => number(date.month()),
            ("day", Some(date), _) => number(date.day()),
            ("hour", _, Some(time)) => number(time.hour()),
            ("minute", _, Some(time)) => number(time.minute()),
            ("second", _, Some(time)) => number(time.second()),
            ("microsecond", _, Some(time)) => number(time.nanosecond() / 1000 % 1_000_000),
            ("tzinfo", ..) => match self {
                Moment::DateTime(_, zone) => {
                    Some(zone.clone().map_or(Value::None, |zone| Value::object(ZoneValue(zone))))
                }
                _ => None,
            },
            _ => None,
        }
    }

    fn methods(&self) -> &[&'static str] {
        match self {
            Moment::Date(_) => {
                &["ctime", "isocalendar", "isoformat", "isoweekday", "replace", "strftime", "toordinal", "weekday"]
            }
            Moment::Time(_) => &["isoformat", "replace", "strftime"],
            Moment::DateTime(..) => &[
                "astimezone",
                "ctime",
                "date",
                "isocalendar",
                "isoformat",
                "isoweekday",
                "replace",
                "strftime",
                "time",
                "timestamp",
                "toordinal",
                "utcoffset",
                "weekday",
            ],
            Moment::Delta(_) => &["total_seconds"],
        }
    }

    fn call_method(&self, _: &mut Interpreter<'_>, name: &str, args: Args) -> Result {
        let date = self.date().unwrap_or_default();
        match name {
            "strftime" => {
                let [pattern] = args.required(name, ["format"])?;
                return Ok(Value::from(self.strftime(&pattern.text())));
            }
            "isoformat" => {
                let [separator, timespec] = args.bind(name, ["sep", "timespec"])?;
                let separator = separator.map_or_else(|| "T".to_string(), |value| value.text().into_owned());
                let timespec = timespec.map_or_else(|| "auto".to_string(), |value| value.text().into_owned());
                return self.iso(&separator, &timespec).map(Value::from);
            }
            "replace" => return self.replace(args),
            "astimezone" => {
                let [zone] = args.bind(name, ["tz"])?;
                let zone = zone.as_ref().and_then(|zone| zone.as_object::<ZoneValue>()).map(|zone| zone.0.clone());
                return self.in_zone(&zone.unwrap_or_else(Zone::utc)).map(Value::object);
            }
            _ => {}
        }
        let [] = args.bind(name, [])?;
        Ok(match (name, self) {
            ("weekday", _) => Value::Int(date.weekday().num_days_from_monday().into()),
            ("isoweekday", _) => Value::Int(date.weekday().number_from_monday().into()),
            ("toordinal", _) => Value::Int(date.num_days_from_ce().into()),
            ("isocalendar", _) => Value::tuple(
                [
                    i64::from(date.iso_week().year()),
                    date.iso_week().week().into(),
                    date.weekday().number_from_monday().into(),
                ]
                .map(Value::Int),
            ),
            ("ctime", _) => Value::from(self.strftime("%a %b %e %H:%M:%S %Y")),
            ("date", _) => Value::object(Moment::Date(date)),
            ("time", _) => Value::object(Moment::Time(self.time().unwrap_or(NaiveTime::MIN))),
            ("total_seconds", Moment::Delta(delta)) => Value::Float(micros(delta) as f64 / 1e6),
            ("utcoffset", Moment::DateTime(_, Some(zone))) => {
                Value::object(Moment::Delta(TimeDelta::seconds(zone.seconds.into())))
            }
            ("timestamp", Moment::DateTime(moment, zone)) => {
                let utc = Moment::utc(moment, zone.as_ref()).ok_or_else(too_far)?.and_utc();
                Value::Float(utc.timestamp_micros() as f64 / 1e6)
            }
            _ => Value::None,
        })
    }

    fn str(&self) -> String {
        let Moment::Delta(delta) = self else { return self.iso(" ", "auto").unwrap_or_default() };
        let (days, seconds, micros) = parts(delta);
        let plural = if days.abs() == 1 { "" } else { "s" };
        let days = if days == 0 { String::new() } else { format!("{days} day{plural}, ") };
        let fraction = if micros == 0 { String::new() } else { format!(".{micros:06}") };
        format!("{days}{}:{:02}:{:02}{fraction}", seconds / 3600, seconds / 60 % 60, seconds % 60)
    }

    fn repr(&self) -> String {
        let time = |time: &NaiveTime| {
            let micros = time.nanosecond() / 1000 % 1_000_000;
            let mut out = format!("{}, {}", time.hour(), time.minute());
            if time.second() != 0 || micros != 0 {
                out.push_str(&format!(", {}", time.second()));
            }
            if micros != 0 {
                out.push_str(&format!(", {micros}"));
            }
            out
        };
        let date = |date: NaiveDate| format!("{}, {}, {}", date.year(), date.month(), date.day());
        match self {
            Moment::Date(day) => format!("datetime.date({})", date(*day)),
            Moment::Time(of_day) => format!("datetime.time({})", time(of_day)),
            Moment::DateTime(moment, zone) => {
                let zone = zone.as_ref().map_or_else(String::new, |zone| format!(", tzinfo=<{}>", zone.name));
                format!("datetime.datetime({}, {}{zone})", date(moment.date()), time(&moment.time()))
            }
            Moment::Delta(delta) => {
                let (days, seconds, micros) = parts(delta);
                let named = [("days", days), ("seconds", seconds), ("microseconds", micros)];
                let shown: Vec<String> = named
                    .iter()
                    .filter(|(_, value)| *value != 0)
                    .map(|(name, value)| format!("{name}={value}"))
                    .collect();
                format!("datetime.timedelta({})", if shown.is_empty() { "0".to_string() } else { shown.join(", ") })
            }
        }
    }

    fn truth(&self) -> bool {
        !matches!(self, Moment::Delta(delta) if delta.is_zero())
    }

    fn equals(&self, other: &Value) -> bool {
        Object::compare(self, other) == Some(Ordering::Equal)
    }

    fn hash_key(&self) -> Option<String> {
        match self {
            Moment::DateTime(moment, zone) => Moment::utc(moment, zone.as_ref()).map(|utc| utc.to_string()),
            _ => Some(self.repr()),
        }
    }

    fn compare(&self, other: &Value) -> Option<Ordering> {
        match (self, other.as_object::<Moment>()?) {
            (Moment::Date(a), Moment::Date(b)) => Some(a.cmp(b)),
            (Moment::Time(a), Moment::Time(b)) => Some(a.cmp(b)),
            (Moment::Delta(a), Moment::Delta(b)) => Some(a.cmp(b)),
            (Moment::DateTime(a, from), Moment::DateTime(b, to)) if from.is_some() == to.is_some() => {
                Some(Moment::utc(a, from.as_ref())?.cmp(&Moment::utc(b, to.as_ref())?))
            }
            _ => None,
        }
    }

    fn binary(&self, op: BinaryOp, other: &Value, reflected: bool) -> Option<Result> {
        let moment = other.as_object::<Moment>();
        let result = match (op, moment) {
            (BinaryOp::Add, Some(Moment::Delta(delta))) => self.plus(delta)?,
            (BinaryOp::Add, Some(moment)) => match self {
                Moment::Delta(delta) => moment.plus(delta)?,
                _ => return None,
            },
            (BinaryOp::Sub, Some(moment)) if reflected => moment.minus(self)?,
            (BinaryOp::Sub, Some(moment)) => self.minus(moment)?,
            _ => return self.scale(op, other, reflected),
        };
        Some(result.map(Value::object))
    }
}
