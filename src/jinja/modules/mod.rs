//! `modules`: the parts of Python's library that dbt hands to templates.

mod clock;
mod itertools;
mod matches;
mod moments;
mod regex;
mod spans;
mod strftime;
mod zones;

use std::any::Any;

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Utc};

use moments::Moment;

use super::Interpreter;
use super::stop::{Result, fail};
use super::value::{Args, Object, Value};

pub(crate) use itertools::Endless;
pub(crate) use moments::{format_moment, utc_datetime};

/// The value of `modules`; the clock stands still at `now`.
pub(crate) fn modules(now: DateTime<Utc>) -> Value {
    Value::dict_of([
        ("datetime", clock::module(now)),
        ("pytz", zones::module()),
        ("re", module("re", regex::FUNCTIONS, regex::constant)),
        ("itertools", module("itertools", itertools::FUNCTIONS, |_| None)),
    ])
}

impl Value {
    /// A moment with the zone UTC, as `modules.datetime.datetime`.
    pub fn utc_datetime(moment: DateTime<Utc>) -> Value {
        Value::object(Moment::DateTime(moment.naive_utc(), Some(zones::Zone::utc())))
    }

    /// A moment without a zone.
    pub fn datetime(moment: NaiveDateTime) -> Value {
        Value::object(Moment::DateTime(moment, None))
    }

    /// A date, as `modules.datetime.date`.
    pub fn date(date: NaiveDate) -> Value {
        Value::object(Moment::Date(date))
    }

    /// A time of day, as `modules.datetime.time`.
    pub fn time(time: NaiveTime) -> Value {
        Value::object(Moment::Time(time))
    }
}

pub(crate) type Native = fn(&mut Interpreter<'_>, Args) -> Result;

/// A module of functions and constants.
struct Module {
    name: &'static str,
    functions: &'static [(&'static str, Native)],
    names: Vec<&'static str>,
    constant: fn(&str) -> Option<Value>,
}

fn module(
    name: &'static str,
    functions: &'static [(&'static str, Native)],
    constant: fn(&str) -> Option<Value>,
) -> Value {
    let names = functions.iter().map(|(name, _)| *name).collect();
    Value::object(Module { name, functions, names, constant })
}

impl Object for Module {
    fn type_name(&self) -> &str {
        "module"
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn get_attr(&self, name: &str) -> Option<Value> {
        (self.constant)(name)
    }

    fn methods(&self) -> &[&'static str] {
        &self.names
    }

    fn call_method(&self, interp: &mut Interpreter<'_>, name: &str, args: Args) -> Result {
        match self.functions.iter().find(|(other, _)| *other == name) {
            Some((_, function)) => function(interp, args),
            None => Err(fail(format!("module '{}' has no attribute '{name}'", self.name))),
        }
    }

    fn repr(&self) -> String {
        format!("<module '{}'>", self.name)
    }
}
