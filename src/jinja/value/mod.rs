//! Values of one rendering, with Python's manners.
//!
//! Lists, dicts and sets are shared and change in place, so `{% do x.append(1) %}` is seen by everyone who holds `x`.
//! A value belongs to one thread (it is full of [`Rc`]); data goes in and comes out as [`serde_json::Value`].
//! Containers drop their content with a work list, so that a list nested a million times does not exhaust the stack.

mod args;
mod cells;
mod compare;
mod convert;
mod decimal;
mod json;
mod key;
mod number;
mod object;
mod ops;
mod repr;
mod slice;

use std::rc::Rc;
use std::sync::Arc;

use indexmap::{IndexMap, IndexSet};

pub use args::Args;
pub use cells::{DictCell, ListCell, SetCell, TupleCell};
pub use key::Key;
pub use object::{Function, MacroValue, Method, Object};

pub(crate) use compare::{compare, contains, equals, same};
pub(crate) use json::python_json;
pub(crate) use number::{float_repr, parse_float, parse_int};
pub(crate) use ops::{add, binary, check_items, check_length, concat, has, negate};
pub(crate) use slice::{char_len, get_index, slice};

use super::stop::{Result, fail};

/// The content of a dict, in the order of insertion.
pub type Map = IndexMap<Key, Value>;

/// A value of a template.
#[derive(Clone)]
pub enum Value {
    /// A name, attribute or item that is not there.
    Undefined(Rc<Undefined>),
    /// `None`.
    None,
    /// `True` or `False`.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A number with a fraction.
    Float(f64),
    /// Text.
    Str(Arc<str>),
    /// `[..]`.
    List(Rc<ListCell>),
    /// `(..)`.
    Tuple(Rc<TupleCell>),
    /// `{k: v}`.
    Dict(Rc<DictCell>),
    /// `set(..)`.
    Set(Rc<SetCell>),
    /// A function of the program.
    Function(Rc<Function>),
    /// A macro.
    Macro(Rc<MacroValue>),
    /// A method with its receiver: `x.append` before it is called.
    Method(Rc<Method>),
    /// Anything else.
    Object(Rc<dyn Object>),
}

/// Something that is not there, and what to say about it.
#[derive(Debug)]
pub struct Undefined {
    /// What a use of it is answered with, such as `'x' is undefined`.
    pub message: String,
    /// The name, attribute or item that was asked for.
    pub name: String,
    /// Attributes and calls give undefined again instead of an error (dbt's way while it parses).
    pub lenient: bool,
}

impl Value {
    /// Text.
    pub fn str(text: impl AsRef<str>) -> Value {
        Value::Str(Arc::from(text.as_ref()))
    }

    /// A new list.
    pub fn list(items: impl IntoIterator<Item = Value>) -> Value {
        Value::List(Rc::new(ListCell::new(items.into_iter().collect())))
    }

    /// A new tuple.
    pub fn tuple(items: impl IntoIterator<Item = Value>) -> Value {
        Value::Tuple(Rc::new(TupleCell::new(items.into_iter().collect())))
    }

    /// A new dict with these entries.
    pub fn dict(map: Map) -> Value {
        Value::Dict(Rc::new(DictCell::new(map)))
    }

    /// A new dict with text keys.
    pub fn dict_of<K: AsRef<str>>(entries: impl IntoIterator<Item = (K, Value)>) -> Value {
        Value::dict(entries.into_iter().map(|(key, value)| (Key::text(key.as_ref()), value)).collect())
    }

    /// A new set; the members must be hashable.
    pub fn set(items: impl IntoIterator<Item = Value>) -> Result {
        let keys = items.into_iter().map(Key::new).collect::<Result<IndexSet<Key>>>()?;
        Ok(Value::set_of(keys))
    }

    /// A new set of these members.
    pub fn set_of(keys: IndexSet<Key>) -> Value {
        Value::Set(Rc::new(SetCell::new(keys)))
    }

    /// A function of the program.
    pub fn function(name: &'static str, call: impl Fn(&mut super::Interpreter<'_>, Args) -> Result + 'static) -> Value {
        Value::Function(Rc::new(Function::new(name, call)))
    }

    /// A macro of a package.
    pub fn of_macro(definition: Arc<super::Macro>) -> Value {
        MacroValue::with_captured(definition, Vec::new())
    }

    /// An object of the program.
    pub fn object(object: impl Object) -> Value {
        Value::Object(Rc::new(object))
    }

    /// A name that is not there.
    pub fn undefined(name: &str) -> Value {
        Value::undefined_because(name, format!("'{name}' is undefined"))
    }

    /// Something that is not there, with what a use of it is answered with.
    pub fn undefined_because(name: &str, message: String) -> Value {
        Value::Undefined(Rc::new(Undefined { message, name: name.to_string(), lenient: false }))
    }

    /// Something that is not there and whose attributes are not there either.
    pub(crate) fn undefined_leniently(name: &str) -> Value {
        let message = format!("'{name}' is undefined");
        Value::Undefined(Rc::new(Undefined { message, name: name.to_string(), lenient: true }))
    }

    /// Name of its type, as Python has it.
    pub fn type_name(&self) -> &str {
        match self {
            Value::Undefined(_) => "Undefined",
            Value::None => "NoneType",
            Value::Bool(_) => "bool",
            Value::Int(_) => "int",
            Value::Float(_) => "float",
            Value::Str(_) => "str",
            Value::List(_) => "list",
            Value::Tuple(_) => "tuple",
            Value::Dict(_) => "dict",
            Value::Set(_) => "set",
            Value::Function(_) => "function",
            Value::Macro(_) => "MacroGenerator",
            Value::Method(_) => "method",
            Value::Object(object) => object.type_name(),
        }
    }

    /// Whether `{% if %}` takes it for true.
    pub fn is_true(&self) -> bool {
        match self {
            Value::Undefined(_) | Value::None => false,
            Value::Bool(value) => *value,
            Value::Int(value) => *value != 0,
            Value::Float(value) => *value != 0.0,
            Value::Str(text) => !text.is_empty(),
            Value::List(cell) => !cell.borrow().is_empty(),
            Value::Tuple(items) => !items.is_empty(),
            Value::Dict(cell) => !cell.borrow().is_empty(),
            Value::Set(cell) => !cell.borrow().is_empty(),
            Value::Function(_) | Value::Macro(_) | Value::Method(_) => true,
            Value::Object(object) => object.truth(),
        }
    }

    /// True for a name that is not there.
    pub fn is_undefined(&self) -> bool {
        matches!(self, Value::Undefined(_))
    }

    /// True for `None`.
    pub fn is_none(&self) -> bool {
        matches!(self, Value::None)
    }

    /// True if it can be called.
    pub fn is_callable(&self) -> bool {
        match self {
            Value::Function(_) | Value::Macro(_) | Value::Method(_) => true,
            Value::Object(object) => object.is_callable(),
            _ => false,
        }
    }

    /// The text, if it is text.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Value::Str(text) => Some(text),
            _ => None,
        }
    }

    /// The number, if it is a whole one (or a truth value).
    pub fn as_int(&self) -> Option<i64> {
        match self {
            Value::Int(number) => Some(*number),
            Value::Bool(value) => Some(*value as i64),
            _ => None,
        }
    }

    /// The number, if it is one.
    pub fn as_float(&self) -> Option<f64> {
        match self {
            Value::Float(number) => Some(*number),
            _ => self.as_int().map(|number| number as f64),
        }
    }

    /// The object, if it is one of type `T`.
    pub fn as_object<T: Object>(&self) -> Option<&T> {
        match self {
            Value::Object(object) => object.as_any().downcast_ref(),
            _ => None,
        }
    }

    /// The number of items; an error for what has none.
    pub fn length(&self) -> Result<usize> {
        match self {
            Value::Str(text) => Ok(char_len(text)),
            Value::List(cell) => Ok(cell.borrow().len()),
            Value::Tuple(items) => Ok(items.len()),
            Value::Dict(cell) => Ok(cell.borrow().len()),
            Value::Set(cell) => Ok(cell.borrow().len()),
            Value::Undefined(_) => Ok(0),
            Value::Object(object) if object.length().is_some() => Ok(object.length().unwrap_or(0)),
            _ => Err(fail(format!("object of type '{}' has no len()", self.type_name()))),
        }
    }

    /// The items that a loop over it sees: characters of text, keys of a dict. A generator is used up by this.
    pub fn items(&self) -> Result<Vec<Value>> {
        match self {
            Value::List(cell) => Ok(cell.to_vec()),
            Value::Tuple(items) => Ok(items.to_vec()),
            Value::Dict(cell) => Ok(cell.borrow().keys().map(|key| key.value().clone()).collect()),
            Value::Set(cell) => Ok(cell.borrow().iter().map(|key| key.value().clone()).collect()),
            Value::Str(text) => {
                check_items(text.len())?;
                Ok(text.chars().map(Value::from).collect())
            }
            Value::Undefined(_) => Ok(Vec::new()),
            Value::Object(object) => match object.iterate() {
                Some(items) => items,
                None => Err(self.not_iterable()),
            },
            _ => Err(self.not_iterable()),
        }
    }

    fn not_iterable(&self) -> super::stop::Stop {
        fail(format!("'{}' object is not iterable", self.type_name()))
    }
}
