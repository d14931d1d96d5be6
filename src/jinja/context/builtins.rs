//! `builtins`: the context's own names, for macros that replace one of them and call the original.

use std::any::Any;
use std::rc::Rc;

use super::{NAMES, NodeContext, Scope};
use crate::jinja::env::Context;
use crate::jinja::interp::Interpreter;
use crate::jinja::stop::Result;
use crate::jinja::value::{Args, Object, Value};

pub(super) fn value(scope: &Rc<Scope>) -> Value {
    Value::object(Builtins { context: NodeContext { scope: Rc::clone(scope) } })
}

struct Builtins {
    context: NodeContext,
}

impl Object for Builtins {
    fn type_name(&self) -> &str {
        "dict"
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn get_attr(&self, name: &str) -> Option<Value> {
        self.context.lookup(name)
    }

    fn get_item(&self, key: &Value) -> Option<Result> {
        self.context.lookup(key.as_str()?).map(Ok)
    }

    fn methods(&self) -> &[&'static str] {
        &["get", "keys"]
    }

    fn call_method(&self, _interp: &mut Interpreter<'_>, name: &str, args: Args) -> Result {
        if name == "keys" {
            return Ok(Value::list(NAMES.iter().map(Value::str)));
        }
        let [key, default] = args.bind(name, ["key", "default"])?;
        let found = key.as_ref().and_then(Value::as_str).and_then(|key| self.context.lookup(key));
        Ok(found.or(default).unwrap_or(Value::None))
    }
}
