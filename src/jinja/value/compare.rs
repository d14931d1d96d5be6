//! Equality, order and membership.

use std::cmp::Ordering;
use std::rc::Rc;

use super::{Key, Value};
use crate::jinja::stop::{Result, fail};

/// How deep containers are compared; what is deeper counts as different.
const MAX_DEPTH: u32 = 100;

/// `a == b`.
pub(crate) fn equals(a: &Value, b: &Value) -> bool {
    equals_at(a, b, 0)
}

fn equals_at(a: &Value, b: &Value, depth: u32) -> bool {
    if depth > MAX_DEPTH {
        return same(a, b);
    }
    let all = |x: &[Value], y: &[Value]| x.len() == y.len() && x.iter().zip(y).all(|(x, y)| equals_at(x, y, depth + 1));
    match (a, b) {
        (Value::Str(x), Value::Str(y)) => x == y,
        (Value::None, Value::None) | (Value::Undefined(_), Value::Undefined(_)) => true,
        (Value::Int(x), Value::Int(y)) => x == y,
        (Value::List(x), Value::List(y)) => Rc::ptr_eq(x, y) || all(&x.borrow(), &y.borrow()),
        (Value::Tuple(x), Value::Tuple(y)) => all(x, y),
        (Value::Dict(x), Value::Dict(y)) => {
            if Rc::ptr_eq(x, y) {
                return true;
            }
            let (x, y) = (x.borrow(), y.borrow());
            x.len() == y.len()
                && x.iter().all(|(key, value)| y.get(key).is_some_and(|other| equals_at(value, other, depth + 1)))
        }
        (Value::Set(x), Value::Set(y)) => {
            let (x, y) = (x.borrow(), y.borrow());
            x.len() == y.len() && x.iter().all(|key| y.contains(key))
        }
        (Value::Object(x), Value::Object(y)) => Rc::ptr_eq(x, y) || x.equals(b) || y.equals(a),
        (Value::Object(x), _) => x.equals(b),
        (_, Value::Object(y)) => y.equals(a),
        (Value::Function(x), Value::Function(y)) => Rc::ptr_eq(x, y),
        (Value::Macro(x), Value::Macro(y)) => {
            Rc::ptr_eq(x, y) || std::sync::Arc::ptr_eq(x.definition(), y.definition())
        }
        (Value::Method(x), Value::Method(y)) => Rc::ptr_eq(x, y),
        _ => match (a.as_float(), b.as_float()) {
            (Some(x), Some(y)) => x == y,
            _ => false,
        },
    }
}

/// `a is b`.
pub(crate) fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::List(x), Value::List(y)) => Rc::ptr_eq(x, y),
        (Value::Tuple(x), Value::Tuple(y)) => Rc::ptr_eq(x, y),
        (Value::Dict(x), Value::Dict(y)) => Rc::ptr_eq(x, y),
        (Value::Set(x), Value::Set(y)) => Rc::ptr_eq(x, y),
        (Value::Object(x), Value::Object(y)) => Rc::ptr_eq(x, y),
        (Value::Bool(x), Value::Bool(y)) => x == y,
        (Value::Int(x), Value::Int(y)) => x == y,
        (Value::Float(x), Value::Float(y)) => x == y,
        (Value::Str(x), Value::Str(y)) => x == y,
        (Value::None, Value::None) => true,
        (Value::Function(x), Value::Function(y)) => Rc::ptr_eq(x, y),
        (Value::Macro(x), Value::Macro(y)) => Rc::ptr_eq(x, y),
        _ => false,
    }
}

/// The order of `a` and `b`; an error (naming `op`) if they have none.
pub(crate) fn compare(a: &Value, b: &Value, op: &str) -> Result<Ordering> {
    compare_at(a, b, op, 0)
}

fn compare_at(a: &Value, b: &Value, op: &str, depth: u32) -> Result<Ordering> {
    let sequences = |x: &[Value], y: &[Value]| -> Result<Ordering> {
        for (x, y) in x.iter().zip(y) {
            if !equals(x, y) {
                return compare_at(x, y, op, depth + 1);
            }
        }
        Ok(x.len().cmp(&y.len()))
    };
    match (a, b) {
        _ if depth > MAX_DEPTH => Err(fail("values are nested too deep to be compared")),
        (Value::Undefined(undefined), _) | (_, Value::Undefined(undefined)) => Err(undefined.error()),
        (Value::Int(x), Value::Int(y)) => Ok(x.cmp(y)),
        (Value::Str(x), Value::Str(y)) => Ok(x.cmp(y)),
        (Value::List(x), Value::List(y)) => {
            let (x, y) = (x.to_vec(), y.to_vec());
            sequences(&x, &y)
        }
        (Value::Tuple(x), Value::Tuple(y)) => sequences(x, y),
        (Value::Object(x), _) if x.compare(b).is_some() => Ok(x.compare(b).unwrap_or(Ordering::Equal)),
        (_, Value::Object(y)) if y.compare(a).is_some() => Ok(y.compare(a).unwrap_or(Ordering::Equal).reverse()),
        (Value::Set(x), Value::Set(y)) => Ok(subsets(&x.borrow(), &y.borrow(), op)),
        _ => match (a.as_float(), b.as_float()) {
            // Nothing is smaller or larger than NaN.
            (Some(x), Some(y)) => {
                Ok(x.partial_cmp(&y).unwrap_or(if op.starts_with('<') { Ordering::Greater } else { Ordering::Less }))
            }
            _ => Err(fail(format!(
                "'{op}' not supported between instances of '{}' and '{}'",
                a.type_name(),
                b.type_name()
            ))),
        },
    }
}

/// `<` between sets means subset; sets without that relation answer every comparison with false.
fn subsets(x: &indexmap::IndexSet<Key>, y: &indexmap::IndexSet<Key>, op: &str) -> Ordering {
    match (x.is_subset(y), y.is_subset(x)) {
        (true, true) => Ordering::Equal,
        (true, false) => Ordering::Less,
        (false, true) => Ordering::Greater,
        (false, false) if op.starts_with('<') => Ordering::Greater,
        (false, false) => Ordering::Less,
    }
}

/// `item in container`.
pub(crate) fn contains(container: &Value, item: &Value) -> Result<bool> {
    match container {
        Value::Str(text) => match item {
            Value::Str(part) => Ok(text.contains(&**part)),
            Value::Undefined(undefined) => Err(undefined.error()),
            _ => Err(fail(format!("'in <string>' requires string as left operand, not {}", item.type_name()))),
        },
        Value::Dict(cell) => match item {
            Value::Str(text) => Ok(cell.borrow().contains_key(&**text)),
            _ => Ok(cell.borrow().contains_key(&Key::new(item.clone())?)),
        },
        Value::Set(cell) => Ok(cell.borrow().contains(&Key::new(item.clone())?)),
        Value::List(cell) => Ok(cell.borrow().iter().any(|other| equals(other, item))),
        Value::Tuple(items) => Ok(items.iter().any(|other| equals(other, item))),
        Value::Object(object) => match object.contains(item) {
            Some(found) => Ok(found),
            None => match object.iterate() {
                Some(items) => Ok(items?.iter().any(|other| equals(other, item))),
                None => Err(not_container(container)),
            },
        },
        Value::Undefined(_) => Ok(false),
        _ => Err(not_container(container)),
    }
}

fn not_container(value: &Value) -> crate::jinja::stop::Stop {
    fail(format!("argument of type '{}' is not iterable", value.type_name()))
}
