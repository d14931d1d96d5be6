//! Arithmetic.

use std::sync::Arc;

use super::{Value, equals};
use crate::diag::{Diagnostic, codes};
use crate::jinja::format::percent_format;
use crate::jinja::limits::MAX_TEXT;
use crate::jinja::stop::{Result, Stop, fail};
use crate::jinja::syntax::ast::BinaryOp;

fn symbol(op: BinaryOp) -> &'static str {
    match op {
        BinaryOp::Add => "+",
        BinaryOp::Sub => "-",
        BinaryOp::Mul => "*",
        BinaryOp::Div => "/",
        BinaryOp::FloorDiv => "//",
        BinaryOp::Mod => "%",
        BinaryOp::Pow => "** or pow()",
    }
}

/// `a op b`.
pub(crate) fn binary(op: BinaryOp, a: &Value, b: &Value) -> Result {
    match (a, b) {
        (Value::Int(x), Value::Int(y)) => return int_op(op, *x, *y),
        (Value::Str(format), _) if op == BinaryOp::Mod => return percent_format(format, b).map(Value::from),
        (Value::Undefined(undefined), _) | (_, Value::Undefined(undefined)) => return Err(undefined.error()),
        (Value::Object(object), _) => {
            if let Some(result) = object.binary(op, b, false) {
                return result;
            }
        }
        _ => {}
    }
    if let Value::Object(object) = b
        && let Some(result) = object.binary(op, a, true)
    {
        return result;
    }
    match op {
        BinaryOp::Add => add(a, b),
        BinaryOp::Mul => multiply(a, b),
        BinaryOp::Sub => match (a, b) {
            (Value::Set(x), Value::Set(y)) => {
                let (x, y) = (x.borrow(), y.borrow());
                Ok(Value::set_of(x.difference(&y).cloned().collect()))
            }
            _ => number_op(op, a, b),
        },
        _ => number_op(op, a, b),
    }
}

fn number_op(op: BinaryOp, a: &Value, b: &Value) -> Result {
    if let (Some(x), Some(y)) = (a.as_int(), b.as_int()) {
        return int_op(op, x, y);
    }
    match (a.as_float(), b.as_float()) {
        (Some(x), Some(y)) => float_op(op, x, y).map(Value::Float),
        _ => Err(unsupported(op, a, b)),
    }
}

fn unsupported(op: BinaryOp, a: &Value, b: &Value) -> Stop {
    let (a, b) = (a.type_name(), b.type_name());
    fail(format!("unsupported operand type(s) for {}: '{a}' and '{b}'", symbol(op)))
}

fn overflow() -> Stop {
    fail("the result is too large for a 64-bit integer")
}

fn int_op(op: BinaryOp, x: i64, y: i64) -> Result {
    let result = match op {
        BinaryOp::Add => x.checked_add(y),
        BinaryOp::Sub => x.checked_sub(y),
        BinaryOp::Mul => x.checked_mul(y),
        BinaryOp::Div => return float_op(op, x as f64, y as f64).map(Value::Float),
        BinaryOp::FloorDiv | BinaryOp::Mod if y == 0 => return Err(fail("integer division or modulo by zero")),
        BinaryOp::FloorDiv => x.checked_div_euclid(y).map(|_| {
            let quotient = x / y;
            if (x % y != 0) && ((x < 0) != (y < 0)) { quotient - 1 } else { quotient }
        }),
        BinaryOp::Mod => {
            x.checked_rem(y).map(|rest| if rest != 0 && ((rest < 0) != (y < 0)) { rest + y } else { rest })
        }
        BinaryOp::Pow if y < 0 => return float_op(op, x as f64, y as f64).map(Value::Float),
        BinaryOp::Pow => u32::try_from(y).ok().and_then(|exponent| x.checked_pow(exponent)),
    };
    result.map(Value::Int).ok_or_else(overflow)
}

fn float_op(op: BinaryOp, x: f64, y: f64) -> Result<f64> {
    Ok(match op {
        BinaryOp::Add => x + y,
        BinaryOp::Sub => x - y,
        BinaryOp::Mul => x * y,
        BinaryOp::Div if y == 0.0 => return Err(fail("division by zero")),
        BinaryOp::Div => x / y,
        BinaryOp::FloorDiv | BinaryOp::Mod if y == 0.0 => return Err(fail("float floor division by zero")),
        BinaryOp::FloorDiv => (x / y).floor(),
        BinaryOp::Mod => {
            let rest = x % y;
            if rest != 0.0 && ((rest < 0.0) != (y < 0.0)) { rest + y } else { rest }
        }
        BinaryOp::Pow if x == 0.0 && y < 0.0 => return Err(fail("0.0 cannot be raised to a negative power")),
        BinaryOp::Pow => x.powf(y),
    })
}

/// `a + b`.
pub(crate) fn add(a: &Value, b: &Value) -> Result {
    match (a, b) {
        (Value::Str(x), Value::Str(y)) => {
            check_length(x.len().saturating_add(y.len()))?;
            let mut out = String::with_capacity(x.len() + y.len());
            out.push_str(x);
            out.push_str(y);
            Ok(Value::from(out))
        }
        (Value::List(x), Value::List(y)) => {
            let (x, y) = (x.borrow(), y.borrow());
            check_items(x.len() + y.len())?;
            Ok(Value::list(x.iter().chain(y.iter()).cloned()))
        }
        (Value::Tuple(x), Value::Tuple(y)) => {
            check_items(x.len() + y.len())?;
            Ok(Value::tuple(x.iter().chain(y.iter()).cloned()))
        }
        (Value::Str(_) | Value::List(_) | Value::Tuple(_), _) => {
            let (a, b) = (a.type_name(), b.type_name());
            let found =
                Diagnostic::error(codes::JINJA_RUNTIME, format!("can only concatenate {a} (not \"{b}\") to {a}"));
            Err(found.maybe_help((a == "str").then_some("`~` joins texts, `| int` makes a number of one")).into())
        }
        _ => number_op(BinaryOp::Add, a, b),
    }
}

fn multiply(a: &Value, b: &Value) -> Result {
    match (a, b) {
        (Value::Str(text), times) | (times, Value::Str(text)) => {
            let times = count(BinaryOp::Mul, a, b, times)?;
            check_length(text.len().saturating_mul(times))?;
            Ok(Value::from(text.repeat(times)))
        }
        (Value::List(cell), times) | (times, Value::List(cell)) => {
            let times = count(BinaryOp::Mul, a, b, times)?;
            Ok(Value::list(repeated(&cell.borrow(), times)?))
        }
        (Value::Tuple(items), times) | (times, Value::Tuple(items)) => {
            let times = count(BinaryOp::Mul, a, b, times)?;
            Ok(Value::tuple(repeated(items, times)?))
        }
        _ => number_op(BinaryOp::Mul, a, b),
    }
}

fn count(op: BinaryOp, a: &Value, b: &Value, times: &Value) -> Result<usize> {
    let times = times.as_int().ok_or_else(|| unsupported(op, a, b))?;
    Ok(usize::try_from(times).unwrap_or(0))
}

fn repeated(items: &[Value], times: usize) -> Result<Vec<Value>> {
    check_items(items.len().saturating_mul(times))?;
    Ok(std::iter::repeat_n(items, times).flatten().cloned().collect())
}

/// An error if a single value would be larger than a template may make.
pub(crate) fn check_length(bytes: usize) -> Result<()> {
    if bytes > MAX_TEXT {
        let limit = crate::stdx::human_bytes(MAX_TEXT as u64);
        return Err(Stop::error(codes::JINJA_LIMIT, format!("a single value would be larger than {limit}")));
    }
    Ok(())
}

/// An error if a container would have more items than a template may put into one.
pub(crate) fn check_items(count: usize) -> Result<()> {
    check_length(count.saturating_mul(16))
}

/// `-a`.
pub(crate) fn negate(value: &Value) -> Result {
    match value {
        Value::Float(number) => Ok(Value::Float(-number)),
        Value::Undefined(undefined) => Err(undefined.error()),
        Value::Object(object) => object
            .binary(BinaryOp::Mul, &Value::Int(-1), false)
            .unwrap_or_else(|| Err(fail(format!("bad operand type for unary -: '{}'", value.type_name())))),
        _ => match value.as_int() {
            Some(number) => number.checked_neg().map(Value::Int).ok_or_else(overflow),
            None => Err(fail(format!("bad operand type for unary -: '{}'", value.type_name()))),
        },
    }
}

/// True if `list` has `item`.
pub(crate) fn has(list: &[Value], item: &Value) -> bool {
    list.iter().any(|other| equals(other, item))
}

/// Text from many parts, within the limit for one value.
pub(crate) fn concat(parts: &[Value]) -> Result {
    let mut out = String::new();
    for part in parts {
        let text = part.text();
        check_length(out.len().saturating_add(text.len()))?;
        out.push_str(&text);
    }
    Ok(Value::Str(Arc::from(out)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn int(op: BinaryOp, x: i64, y: i64) -> String {
        match binary(op, &Value::Int(x), &Value::Int(y)) {
            Ok(value) => value.repr(),
            Err(stop) => stop.message().to_string(),
        }
    }

    #[test]
    fn division_as_python() {
        assert_eq!(int(BinaryOp::FloorDiv, -7, 2), "-4");
        assert_eq!(int(BinaryOp::Mod, -7, 2), "1");
        assert_eq!(int(BinaryOp::Mod, 7, -2), "-1");
        assert_eq!(int(BinaryOp::FloorDiv, 7, -2), "-4");
        assert_eq!(int(BinaryOp::Div, 7, 2), "3.5");
        assert_eq!(int(BinaryOp::Div, 1, 0), "division by zero");
        assert_eq!(int(BinaryOp::Pow, 2, -1), "0.5");
        assert_eq!(int(BinaryOp::Mul, i64::MAX, 2), "the result is too large for a 64-bit integer");
        assert_eq!(int(BinaryOp::FloorDiv, i64::MIN, -1), "the result is too large for a 64-bit integer");
    }

    #[test]
    fn a_huge_text_is_refused() {
        let stop = multiply(&"abc".into(), &Value::Int(i64::MAX)).expect_err("too large");
        assert!(matches!(stop, Stop::Error(diagnostic) if diagnostic.code == codes::JINJA_LIMIT));
    }
}
