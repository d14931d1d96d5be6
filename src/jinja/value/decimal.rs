//! Exact numbers that come from queries: written as they are, calculated as floats.

use std::any::Any;
use std::cmp::Ordering;

use super::{Object, Value, binary};
use crate::jinja::stop::Result;
use crate::jinja::syntax::ast::BinaryOp;

/// A decimal number as its digits.
struct Decimal {
    text: String,
    number: f64,
}

impl Value {
    /// A decimal number; text that is no number stays text.
    pub fn decimal(text: &str) -> Value {
        match text.trim().parse() {
            Ok(number) => Value::object(Decimal { text: text.trim().to_string(), number }),
            Err(_) => Value::str(text),
        }
    }
}

/// The number of an operand, if it is one.
fn number(value: &Value) -> Option<f64> {
    value.as_float().or_else(|| value.as_object::<Decimal>().map(|decimal| decimal.number))
}

impl Object for Decimal {
    fn type_name(&self) -> &str {
        "decimal.Decimal"
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn truth(&self) -> bool {
        self.number != 0.0
    }

    fn str(&self) -> String {
        self.text.clone()
    }

    fn repr(&self) -> String {
        format!("Decimal('{}')", self.text)
    }

    fn equals(&self, other: &Value) -> bool {
        number(other) == Some(self.number)
    }

    fn hash_key(&self) -> Option<String> {
        Some(self.number.to_string())
    }

    fn compare(&self, other: &Value) -> Option<Ordering> {
        self.number.partial_cmp(&number(other)?)
    }

    fn binary(&self, op: BinaryOp, other: &Value, reflected: bool) -> Option<Result> {
        let (mine, theirs) = (Value::Float(self.number), Value::Float(number(other)?));
        Some(if reflected { binary(op, &theirs, &mine) } else { binary(op, &mine, &theirs) })
    }

    fn to_json(&self) -> Option<serde_json::Value> {
        serde_json::from_str(&self.text).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn written_exactly_and_calculated() {
        let value = Value::decimal("10.50");
        assert_eq!((value.text().into_owned(), value.repr()), ("10.50".into(), "Decimal('10.50')".into()));
        assert_eq!(binary(BinaryOp::Add, &Value::Int(1), &value).expect("a number"), Value::Float(11.5));
        assert!(value == Value::Float(10.5) && Value::Float(10.5) == value);
        assert_eq!(Value::decimal("x").text(), "x");
    }
}
