//! Arithmetic of moments and spans of time.

use chrono::{Datelike, TimeDelta};

use super::moments::{Moment, micros, too_far};
use crate::jinja::stop::{Result, fail};
use crate::jinja::syntax::ast::BinaryOp;
use crate::jinja::value::Value;

impl Moment {
    pub(super) fn minus(&self, other: &Moment) -> Option<Result<Moment>> {
        Some(match (self, other) {
            (Moment::Delta(a), Moment::Delta(b)) => a.checked_sub(b).map(Moment::Delta).ok_or_else(too_far),
            (_, Moment::Delta(delta)) => return self.plus(&-*delta),
            (Moment::Date(a), Moment::Date(b)) => Ok(Moment::Delta(a.signed_duration_since(*b))),
            (Moment::DateTime(_, a), Moment::DateTime(_, b)) if a.is_some() != b.is_some() => {
                Err(fail("can't subtract offset-naive and offset-aware datetimes"))
            }
            (Moment::DateTime(a, from), Moment::DateTime(b, to)) => {
                let span = Moment::utc(a, from.as_ref()).zip(Moment::utc(b, to.as_ref()));
                span.map(|(a, b)| Moment::Delta(a.signed_duration_since(b))).ok_or_else(too_far)
            }
            _ => return None,
        })
    }

    pub(super) fn plus(&self, delta: &TimeDelta) -> Option<Result<Moment>> {
        let sum = match self {
            Moment::Date(date) => {
                // A date moves by whole days; the rest is dropped, as in Python.
                let days = TimeDelta::days(delta.num_seconds().div_euclid(86_400));
                date.checked_add_signed(days).map(Moment::Date)
            }
            Moment::DateTime(moment, zone) => {
                moment.checked_add_signed(*delta).map(|moment| Moment::DateTime(moment, zone.clone()))
            }
            Moment::Delta(other) => other.checked_add(delta).map(Moment::Delta),
            Moment::Time(_) => return None,
        };
        Some(sum.filter(|sum| sum.date().is_none_or(|date| (1..=9999).contains(&date.year()))).ok_or_else(too_far))
    }

    /// A span times, or divided by, a number or a span.
    pub(super) fn scale(&self, op: BinaryOp, other: &Value, reflected: bool) -> Option<Result> {
        let Moment::Delta(delta) = self else { return None };
        let span = micros(delta);
        if let Some(Moment::Delta(by)) = other.as_object::<Moment>() {
            let by = micros(by);
            return match op {
                _ if reflected || !matches!(op, BinaryOp::Div | BinaryOp::FloorDiv | BinaryOp::Mod) => None,
                _ if by == 0 => Some(Err(fail("division by zero"))),
                BinaryOp::Div => Some(Ok(Value::Float(span as f64 / by as f64))),
                BinaryOp::FloorDiv => Some(Ok(Value::Int(span.div_euclid(by)))),
                _ => Some(Ok(Value::object(Moment::Delta(TimeDelta::microseconds(span.rem_euclid(by)))))),
            };
        }
        let number = other.as_float()?;
        let result = match op {
            BinaryOp::Mul => match other.as_int() {
                Some(times) => span.checked_mul(times),
                None => whole(span as f64 * number),
            },
            _ if reflected => return None,
            BinaryOp::Div | BinaryOp::FloorDiv if number == 0.0 => return Some(Err(fail("division by zero"))),
            BinaryOp::Div => whole(span as f64 / number),
            BinaryOp::FloorDiv => other.as_int().map(|by| span.div_euclid(by)),
            _ => return None,
        };
        Some(result.map(|micros| Value::object(Moment::Delta(TimeDelta::microseconds(micros)))).ok_or_else(too_far))
    }
}

fn whole(number: f64) -> Option<i64> {
    (number.is_finite() && number.abs() < 9e18).then(|| number.round_ties_even() as i64)
}
