//! Methods of the built-in types.

mod dicts;
mod lists;
mod sets;
mod texts;

use super::Interpreter;
use super::stop::{Result, fail};
use super::value::{Args, Value};

pub(crate) use dicts::entries_of;
pub(crate) use lists::sort_values;
pub(crate) use texts::{capitalize, center, replace_text, split_lines, strip};

fn names(value: &Value) -> &'static [&'static str] {
    match value {
        Value::Str(_) => texts::NAMES,
        Value::List(_) => lists::NAMES,
        Value::Tuple(_) => &["count", "index"],
        Value::Dict(_) => dicts::NAMES,
        Value::Set(_) => sets::NAMES,
        Value::Int(_) | Value::Bool(_) => &["bit_length"],
        Value::Float(_) => &["is_integer"],
        _ => &[],
    }
}

/// True if `value.name(..)` is a method of its type.
pub(crate) fn has(value: &Value, name: &str) -> bool {
    names(value).contains(&name)
}

/// `value.name(args)` for a name that [`has`] knows.
pub(crate) fn call(interp: &mut Interpreter<'_>, value: &Value, name: &str, args: Args) -> Result {
    match value {
        Value::Str(text) => texts::call(interp, text, name, args),
        Value::List(cell) => lists::call(interp, cell, name, args),
        Value::Tuple(items) => lists::read(items, name, args),
        Value::Dict(cell) => dicts::call(cell, name, args),
        Value::Set(cell) => sets::call(cell, name, args),
        Value::Float(number) => Ok(Value::Bool(number.fract() == 0.0)),
        Value::Int(number) => Ok(Value::Int(i64::from(64 - number.unsigned_abs().leading_zeros()))),
        _ => Err(fail(format!("'{}' object has no attribute '{name}'", value.type_name()))),
    }
}

/// A whole number from an optional argument.
fn int_or(value: Option<Value>, default: i64) -> Result<i64> {
    match value {
        None | Some(Value::None) => Ok(default),
        Some(value) => value
            .as_int()
            .ok_or_else(|| fail(format!("'{}' object cannot be interpreted as an integer", value.type_name()))),
    }
}

/// Text from an argument.
fn text_of(value: &Value, function: &str) -> Result<std::sync::Arc<str>> {
    match value {
        Value::Str(text) => Ok(std::sync::Arc::clone(text)),
        Value::Undefined(undefined) => Err(undefined.error()),
        _ => Err(fail(format!("{function}() argument must be str, not {}", value.type_name()))),
    }
}
