//! Tests: `value is name(args)`.

use super::Interpreter;
use super::stop::{Result, fail};
use super::syntax::ast::CompareOp;
use super::value::{Args, Value, same};
use crate::jinja::compared;

/// A test: gets its subject and the arguments.
pub(crate) type Predicate = fn(&mut Interpreter<'_>, &Value, Args) -> Result<bool>;

macro_rules! predicates {
    ($($($name:literal)|+ => $function:expr,)*) => {
        /// Names of all tests.
        pub(crate) const NAMES: &[&str] = &[$($($name),+),*];

        /// The test with this name.
        pub(crate) fn find(name: &str) -> Option<Predicate> {
            Some(match name {
                $($($name)|+ => $function,)*
                _ => return None,
            })
        }
    };
}

predicates! {
    "boolean" => |_, value, _| Ok(matches!(value, Value::Bool(_))),
    "callable" => |_, value, _| Ok(value.is_callable()),
    "defined" => |_, value, _| Ok(!value.is_undefined()),
    "divisibleby" => divisible,
    "eq" | "equalto" | "==" => |_, value, args| against(CompareOp::Eq, value, args),
    "escaped" => |_, _, _| Ok(false),
    "even" => |_, value, _| Ok(number(value)?.rem_euclid(2) == 0),
    "false" => |_, value, _| Ok(matches!(value, Value::Bool(false))),
    "filter" => |_, value, _| Ok(value.as_str().is_some_and(|name| super::filters::find(name).is_some())),
    "float" => |_, value, _| Ok(matches!(value, Value::Float(_))),
    "ge" | ">=" => |_, value, args| against(CompareOp::Ge, value, args),
    "gt" | "greaterthan" | ">" => |_, value, args| against(CompareOp::Gt, value, args),
    "in" => |_, value, args| against(CompareOp::In, value, args),
    "integer" => |_, value, _| Ok(matches!(value, Value::Int(_))),
    "iterable" => |_, value, _| Ok(iterable(value)),
    "le" | "<=" => |_, value, args| against(CompareOp::Le, value, args),
    "lower" => |_, value, _| Ok(cased(value, char::is_lowercase, char::is_uppercase)),
    "lt" | "lessthan" | "<" => |_, value, args| against(CompareOp::Lt, value, args),
    "mapping" => |_, value, _| Ok(mapping(value)),
    "ne" | "!=" => |_, value, args| against(CompareOp::Ne, value, args),
    "none" => |_, value, _| Ok(value.is_none()),
    "number" => |_, value, _| Ok(matches!(value, Value::Bool(_) | Value::Int(_) | Value::Float(_))),
    "odd" => |_, value, _| Ok(number(value)?.rem_euclid(2) == 1),
    "sameas" => |_, value, args| { let [other] = args.required("sameas", ["other"])?; Ok(same(value, &other)) },
    "sequence" => |_, value, _| Ok(sequence(value)),
    "string" => |_, value, _| Ok(matches!(value, Value::Str(_))),
    "test" => |_, value, _| Ok(value.as_str().is_some_and(|name| find(name).is_some())),
    "true" => |_, value, _| Ok(matches!(value, Value::Bool(true))),
    "undefined" => |_, value, _| Ok(value.is_undefined()),
    "upper" => |_, value, _| Ok(cased(value, char::is_uppercase, char::is_lowercase)),
}

fn against(op: CompareOp, value: &Value, args: Args) -> Result<bool> {
    let [other] = args.required("test", ["other"])?;
    compared(op, value, &other)
}

fn number(value: &Value) -> Result<i64> {
    match value {
        Value::Float(number) if number.fract() == 0.0 && number.abs() < 9e15 => Ok(*number as i64),
        Value::Undefined(undefined) => Err(undefined.error()),
        _ => value
            .as_int()
            .ok_or_else(|| fail(format!("unsupported operand type(s) for %: '{}' and 'int'", value.type_name()))),
    }
}

fn divisible(_: &mut Interpreter<'_>, value: &Value, args: Args) -> Result<bool> {
    let [by] = args.required("divisibleby", ["num"])?;
    let by = number(&by)?;
    match number(value)?.checked_rem(by) {
        Some(rest) => Ok(rest == 0),
        None if by == 0 => Err(fail("integer modulo by zero")),
        None => Ok(true),
    }
}

fn cased(value: &Value, wanted: fn(char) -> bool, other: fn(char) -> bool) -> bool {
    let text = value.text();
    text.chars().any(wanted) && !text.chars().any(other)
}

fn iterable(value: &Value) -> bool {
    match value {
        Value::Object(object) => {
            object.length().is_some() || object.is_sequence() || object.is_mapping() || object.is_iterable()
        }
        Value::Str(_) | Value::List(_) | Value::Tuple(_) | Value::Dict(_) | Value::Set(_) | Value::Undefined(_) => true,
        _ => false,
    }
}

fn mapping(value: &Value) -> bool {
    match value {
        Value::Dict(_) => true,
        Value::Object(object) => object.is_mapping(),
        _ => false,
    }
}

fn sequence(value: &Value) -> bool {
    match value {
        Value::Str(_) | Value::List(_) | Value::Tuple(_) | Value::Dict(_) | Value::Undefined(_) => true,
        Value::Object(object) => object.is_sequence() || object.is_mapping(),
        _ => false,
    }
}
