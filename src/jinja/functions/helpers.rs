//! `namespace`, `cycler` and `joiner`.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::rc::Rc;

use crate::jinja::Interpreter;
use crate::jinja::methods::entries_of;
use crate::jinja::stop::{Result, fail};
use crate::jinja::value::{Args, DictCell, Key, Map, Object, Value};

/// `namespace(..)`: attributes that `{% set ns.a = .. %}` changes from inside of loops.
pub(crate) struct Namespace(Rc<DictCell>);

impl Namespace {
    pub(crate) fn set(&self, name: &str, value: Value) {
        self.0.insert(name, value);
    }
}

impl Object for Namespace {
    fn type_name(&self) -> &str {
        "Namespace"
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn get_attr(&self, name: &str) -> Option<Value> {
        self.0.get(name)
    }

    fn get_item(&self, key: &Value) -> Option<Result> {
        self.0.get(key.as_str()?).map(Ok)
    }

    fn repr(&self) -> String {
        let names: Vec<String> = self.0.borrow().keys().map(|key| key.value().repr()).collect();
        format!("<Namespace {{{}}}>", names.join(", "))
    }

    fn release(&self, work: &mut Vec<Value>) {
        work.push(Value::dict(self.0.with(std::mem::take)));
    }
}

pub(super) fn namespace(_: &mut Interpreter<'_>, args: Args) -> Result {
    let mut map = match args.positional.as_slice() {
        [] => Map::new(),
        [value] => entries_of(value)?,
        more => return Err(fail(format!("namespace expected at most 1 argument, got {}", more.len()))),
    };
    map.extend(args.keyword.into_iter().map(|(key, value)| (Key::text(&key), value)));
    match Value::dict(map) {
        Value::Dict(cell) => Ok(Value::object(Namespace(cell))),
        other => Ok(other),
    }
}

struct Cycler {
    items: Vec<Value>,
    at: Cell<usize>,
}

impl Object for Cycler {
    fn type_name(&self) -> &str {
        "Cycler"
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn get_attr(&self, name: &str) -> Option<Value> {
        (name == "current").then(|| self.items[self.at.get()].clone())
    }

    fn methods(&self) -> &[&'static str] {
        &["next", "reset"]
    }

    fn call_method(&self, _: &mut Interpreter<'_>, name: &str, args: Args) -> Result {
        let [] = args.bind(name, [])?;
        if name == "reset" {
            self.at.set(0);
            return Ok(Value::None);
        }
        let at = self.at.get();
        self.at.set((at + 1) % self.items.len());
        Ok(self.items[at].clone())
    }
}

pub(super) fn cycler(_: &mut Interpreter<'_>, args: Args) -> Result {
    if args.positional.is_empty() {
        return Err(fail("at least one item has to be provided"));
    }
    Ok(Value::object(Cycler { items: args.positional, at: Cell::new(0) }))
}

struct Joiner {
    separator: Value,
    used: RefCell<bool>,
}

impl Object for Joiner {
    fn type_name(&self) -> &str {
        "Joiner"
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn is_callable(&self) -> bool {
        true
    }

    fn call(&self, _: &mut Interpreter<'_>, _: Args) -> Result {
        Ok(if self.used.replace(true) { self.separator.clone() } else { Value::str("") })
    }
}

pub(super) fn joiner(_: &mut Interpreter<'_>, args: Args) -> Result {
    let [separator] = args.bind("joiner", ["sep"])?;
    let separator = separator.unwrap_or_else(|| Value::str(", "));
    Ok(Value::object(Joiner { separator, used: RefCell::new(false) }))
}
