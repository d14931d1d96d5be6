//! Keys of dicts and members of sets.

use std::hash::{Hash, Hasher};
use std::rc::Rc;

use indexmap::Equivalent;

use super::Value;
use super::compare::equals;
use crate::jinja::stop::{Result, fail};

/// A value that may be a key. As in Python `1`, `1.0` and `True` are the same key.
#[derive(Clone)]
pub struct Key(Value);

impl Key {
    /// The key for a value; an error for lists, dicts and sets.
    pub fn new(value: Value) -> Result<Key> {
        if hashable(&value) { Ok(Key(value)) } else { Err(fail(format!("unhashable type: '{}'", value.type_name()))) }
    }

    /// The key for a text.
    pub fn text(text: &str) -> Key {
        Key(Value::str(text))
    }

    /// The value that it stands for.
    pub fn value(&self) -> &Value {
        &self.0
    }

    /// The value that it stands for.
    pub fn into_value(self) -> Value {
        self.0
    }
}

fn hashable(value: &Value) -> bool {
    match value {
        Value::List(_) | Value::Dict(_) | Value::Set(_) => false,
        Value::Tuple(items) => items.iter().all(hashable),
        _ => true,
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Key) -> bool {
        equals(&self.0, &other.0)
    }
}

impl Eq for Key {}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        hash(&self.0, state);
    }
}

fn hash<H: Hasher>(value: &Value, state: &mut H) {
    match value {
        Value::Str(text) => str::hash(text, state),
        Value::Int(number) => state.write_i64(*number),
        Value::Bool(value) => state.write_i64(*value as i64),
        Value::Float(number) if number.fract() == 0.0 && number.abs() < 9e15 => state.write_i64(*number as i64),
        Value::Float(number) => state.write_u64(number.to_bits()),
        Value::Tuple(items) => items.iter().for_each(|item| hash(item, state)),
        Value::Object(object) => match object.hash_key() {
            Some(key) => key.hash(state),
            None => state.write_usize(Rc::as_ptr(object).cast::<()>() as usize),
        },
        Value::Function(function) => state.write_usize(Rc::as_ptr(function) as usize),
        _ => state.write_u8(0),
    }
}

impl Equivalent<Key> for str {
    fn equivalent(&self, key: &Key) -> bool {
        key.0.as_str() == Some(self)
    }
}
