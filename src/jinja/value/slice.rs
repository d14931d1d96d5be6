//! Indexes and slices.

use super::{Key, Value};
use crate::jinja::stop::{Result, fail};

/// The number of characters.
pub(crate) fn char_len(text: &str) -> usize {
    if text.is_ascii() { text.len() } else { text.chars().count() }
}

/// The character at a position.
pub(crate) fn char_at(text: &str, at: usize) -> Option<char> {
    if text.is_ascii() { text.as_bytes().get(at).map(|byte| *byte as char) } else { text.chars().nth(at) }
}

/// A Python index (negative: from the end) as a position, if it is inside.
pub(crate) fn position(index: i64, len: usize) -> Option<usize> {
    let at = if index < 0 { index.checked_add(i64::try_from(len).ok()?)? } else { index };
    usize::try_from(at).ok().filter(|at| *at < len)
}

/// `base[index]` for built-in types; nothing if there is no such item.
pub(crate) fn get_index(base: &Value, index: &Value) -> Result<Option<Value>> {
    match base {
        Value::Dict(cell) => match index {
            Value::Str(text) => Ok(cell.borrow().get(&**text).cloned()),
            _ => Ok(Key::new(index.clone()).ok().and_then(|key| cell.borrow().get(&key).cloned())),
        },
        Value::List(cell) => {
            let items = cell.borrow();
            Ok(index.as_int().and_then(|index| position(index, items.len())).map(|at| items[at].clone()))
        }
        Value::Tuple(items) => {
            Ok(index.as_int().and_then(|index| position(index, items.len())).map(|at| items[at].clone()))
        }
        Value::Str(text) => {
            let at = index.as_int().and_then(|index| position(index, char_len(text)));
            Ok(at.and_then(|at| char_at(text, at)).map(Value::from))
        }
        Value::Object(object) => object.get_item(index).transpose(),
        _ => Ok(None),
    }
}

fn bound(value: Option<Value>) -> Result<Option<i64>> {
    match value {
        None | Some(Value::None) => Ok(None),
        Some(value) => match value.as_int() {
            Some(number) => Ok(Some(number)),
            None => Err(fail("slice indices must be integers or None or have an __index__ method")),
        },
    }
}

/// `base[start:stop:step]`.
pub(crate) fn slice(base: &Value, start: Option<Value>, stop: Option<Value>, step: Option<Value>) -> Result {
    let (start, stop, step) = (bound(start)?, bound(stop)?, bound(step)?.unwrap_or(1));
    if step == 0 {
        return Err(fail("slice step cannot be zero"));
    }
    match base {
        Value::Str(text) => {
            let chars: Vec<char> = text.chars().collect();
            let picked: String = positions(chars.len(), start, stop, step).into_iter().map(|at| chars[at]).collect();
            Ok(Value::from(picked))
        }
        Value::List(cell) => {
            let items = cell.borrow();
            Ok(Value::list(positions(items.len(), start, stop, step).into_iter().map(|at| items[at].clone())))
        }
        Value::Tuple(items) => {
            Ok(Value::tuple(positions(items.len(), start, stop, step).into_iter().map(|at| items[at].clone())))
        }
        Value::Object(object) if object.is_sequence() => {
            let items = base.items()?;
            Ok(Value::list(positions(items.len(), start, stop, step).into_iter().map(|at| items[at].clone())))
        }
        Value::Undefined(undefined) => Err(undefined.error()),
        _ => Err(fail(format!("'{}' object is not subscriptable", base.type_name()))),
    }
}

/// The positions that a slice picks, in order.
fn positions(len: usize, start: Option<i64>, stop: Option<i64>, step: i64) -> Vec<usize> {
    let len = i64::try_from(len).unwrap_or(i64::MAX);
    let (low, high) = if step > 0 { (0, len) } else { (-1, len - 1) };
    let clamp = |index: Option<i64>, default: i64| match index {
        None => default,
        Some(index) if index < 0 => index.saturating_add(len).max(low),
        Some(index) => index.min(high),
    };
    let (mut at, stop) =
        if step > 0 { (clamp(start, 0), clamp(stop, len)) } else { (clamp(start, len - 1), clamp(stop, -1)) };
    let mut out = Vec::new();
    while (step > 0 && at < stop) || (step < 0 && at > stop) {
        out.push(usize::try_from(at).unwrap_or(0));
        at = at.saturating_add(step);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(text: &str, start: Option<i64>, stop: Option<i64>, step: Option<i64>) -> String {
        let value = slice(&text.into(), start.map(Value::Int), stop.map(Value::Int), step.map(Value::Int));
        value.map_or_else(|stop| stop.message().to_string(), |value| value.to_string())
    }

    #[test]
    fn slices_as_python() {
        assert_eq!(cut("abcdef", Some(1), Some(3), None), "bc");
        assert_eq!(cut("abcdef", Some(-2), None, None), "ef");
        assert_eq!(cut("abcdef", None, None, Some(-1)), "fedcba");
        assert_eq!(cut("abcdef", Some(4), Some(1), Some(-2)), "ec");
        assert_eq!(cut("abcdef", Some(10), None, None), "");
        assert_eq!(cut("abcdef", Some(-100), Some(2), None), "ab");
        assert_eq!(cut("abcdef", None, None, Some(0)), "slice step cannot be zero");
    }
}
