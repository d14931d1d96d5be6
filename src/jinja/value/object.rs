//! What the program hands to templates: objects, functions, and macros as values.

use std::any::Any;
use std::cmp::Ordering;
use std::rc::Rc;
use std::sync::Arc;

use super::{Args, Value};
use crate::jinja::Interpreter;
use crate::jinja::stop::{Result, fail};
use crate::jinja::syntax::ast::{BinaryOp, Macro};

/// A value with a behaviour of its own. Every method has a default: an object needs a type name and `as_any` alone.
pub trait Object: Any {
    /// Name of the type, for messages.
    fn type_name(&self) -> &str;

    /// For downcasts.
    fn as_any(&self) -> &dyn Any;

    /// `object.name`; nothing if there is no such attribute.
    fn get_attr(&self, _name: &str) -> Option<Value> {
        None
    }

    /// `object[key]`; nothing if there is no such item.
    fn get_item(&self, _key: &Value) -> Option<Result> {
        None
    }

    /// Names that [`Object::call_method`] answers.
    fn methods(&self) -> &[&'static str] {
        &[]
    }

    /// `object.name(args)` for a name in [`Object::methods`].
    fn call_method(&self, _interp: &mut Interpreter<'_>, name: &str, _args: Args) -> Result {
        Err(fail(format!("'{}' object has no attribute '{name}'", self.type_name())))
    }

    /// True if [`Object::call`] works.
    fn is_callable(&self) -> bool {
        false
    }

    /// `object(args)`.
    fn call(&self, _interp: &mut Interpreter<'_>, _args: Args) -> Result {
        Err(fail(format!("'{}' object is not callable", self.type_name())))
    }

    /// The items for a loop; nothing if it has none.
    fn iterate(&self) -> Option<Result<Vec<Value>>> {
        None
    }

    /// The number of items, if it has any.
    fn length(&self) -> Option<usize> {
        None
    }

    /// `item in object`; nothing if the items decide.
    fn contains(&self, _item: &Value) -> Option<bool> {
        None
    }

    /// True if it has keys (the test `mapping`).
    fn is_mapping(&self) -> bool {
        false
    }

    /// True if [`Object::iterate`] gives items (asking must not use them up).
    fn is_iterable(&self) -> bool {
        self.length().is_some()
    }

    /// True if it has positions (the test `sequence`).
    fn is_sequence(&self) -> bool {
        false
    }

    /// Whether `{% if %}` takes it for true.
    fn truth(&self) -> bool {
        self.length() != Some(0)
    }

    /// What `{{ object }}` writes.
    fn str(&self) -> String {
        self.repr()
    }

    /// What it looks like inside of a list.
    fn repr(&self) -> String {
        format!("<{} object>", self.type_name())
    }

    /// `object == other`, besides being the very same object.
    fn equals(&self, _other: &Value) -> bool {
        false
    }

    /// Equal for equal objects; nothing if only the same object is equal.
    fn hash_key(&self) -> Option<String> {
        None
    }

    /// The order relative to `other`; nothing if there is none.
    fn compare(&self, _other: &Value) -> Option<Ordering> {
        None
    }

    /// `object op other`, or `other op object` if `reflected`; nothing if the operator does not apply.
    fn binary(&self, _op: BinaryOp, _other: &Value, _reflected: bool) -> Option<Result> {
        None
    }

    /// What it is as JSON; nothing if it has no such form.
    fn to_json(&self) -> Option<serde_json::Value> {
        None
    }

    /// Moves the values that it holds into `work`, so that dropping it does not recurse.
    fn release(&self, _work: &mut Vec<Value>) {}
}

type Call = dyn Fn(&mut Interpreter<'_>, Args) -> Result;

/// A function of the program.
pub struct Function {
    name: &'static str,
    call: Box<Call>,
}

impl Function {
    /// A function under a name.
    pub fn new(name: &'static str, call: impl Fn(&mut Interpreter<'_>, Args) -> Result + 'static) -> Function {
        Function { name, call: Box::new(call) }
    }

    /// Its name.
    pub fn name(&self) -> &'static str {
        self.name
    }

    pub(crate) fn call(&self, interp: &mut Interpreter<'_>, args: Args) -> Result {
        (self.call)(interp, args)
    }
}

/// A method with its receiver.
pub struct Method {
    pub(crate) receiver: Value,
    pub(crate) name: Arc<str>,
}

/// The variables that a macro inside of a template sees besides its own.
pub(crate) type Captured = Vec<(Arc<str>, Value)>;

/// A macro as a value.
pub struct MacroValue {
    definition: Arc<Macro>,
    captured: Captured,
}

impl MacroValue {
    /// A macro, with the variables that it sees.
    pub(crate) fn with_captured(definition: Arc<Macro>, captured: Captured) -> Value {
        Value::Macro(Rc::new(MacroValue { definition, captured }))
    }

    /// The macro.
    pub fn definition(&self) -> &Arc<Macro> {
        &self.definition
    }

    pub(crate) fn captured(&self) -> &Captured {
        &self.captured
    }

    pub(super) fn release(&mut self, work: &mut Vec<Value>) {
        work.extend(self.captured.drain(..).map(|(_, value)| value));
    }
}

impl Drop for MacroValue {
    fn drop(&mut self) {
        if self.captured.iter().any(|(_, value)| value.nests()) {
            super::cells::release(self.captured.drain(..).map(|(_, value)| value).collect());
        }
    }
}
