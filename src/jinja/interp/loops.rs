//! `for` and the variable `loop`.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;

use crate::jinja::stop::{Result, fail};
use crate::jinja::syntax::ast::For;
use crate::jinja::value::{Args, Object, Value, equals};

use super::Interpreter;
use super::stmt::Flow;

/// The variable `loop`; one object for all items, as in Jinja2.
struct Loop {
    items: Vec<Value>,
    index: Cell<usize>,
    depth: usize,
    changed: RefCell<Option<Vec<Value>>>,
    /// The statement, if it is recursive.
    recursive: Option<Arc<For>>,
}

impl Loop {
    fn item(&self, at: Option<usize>, which: &str) -> Value {
        match at.and_then(|at| self.items.get(at)) {
            Some(item) => item.clone(),
            None => Value::undefined_because(which, format!("there is no {which} item")),
        }
    }
}

impl Object for Loop {
    fn type_name(&self) -> &str {
        "LoopContext"
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn get_attr(&self, name: &str) -> Option<Value> {
        let (index, len) = (self.index.get(), self.items.len());
        Some(match name {
            "index" => Value::from(index + 1),
            "index0" => Value::from(index),
            "revindex" => Value::from(len - index),
            "revindex0" => Value::from(len - index - 1),
            "first" => Value::Bool(index == 0),
            "last" => Value::Bool(index + 1 == len),
            "length" => Value::from(len),
            "depth" => Value::from(self.depth + 1),
            "depth0" => Value::from(self.depth),
            "previtem" => self.item(index.checked_sub(1), "previous"),
            "nextitem" => self.item(Some(index + 1), "next"),
            _ => return None,
        })
    }

    fn methods(&self) -> &[&'static str] {
        &["cycle", "changed"]
    }

    fn call_method(&self, _interp: &mut Interpreter<'_>, name: &str, args: Args) -> Result {
        let values = args.positional;
        if name == "cycle" {
            let at = self.index.get().checked_rem(values.len()).ok_or_else(|| fail("no items for cycling given"))?;
            return Ok(values[at].clone());
        }
        let mut last = self.changed.borrow_mut();
        let same = last.as_ref().is_some_and(|last| {
            last.len() == values.len() && last.iter().zip(&values).all(|(old, new)| equals(old, new))
        });
        *last = Some(values);
        Ok(Value::Bool(!same))
    }

    fn is_callable(&self) -> bool {
        self.recursive.is_some()
    }

    fn call(&self, interp: &mut Interpreter<'_>, args: Args) -> Result {
        let Some(item) = &self.recursive else {
            return Err(fail("the loop must have the 'recursive' marker to be called recursively"));
        };
        let [values] = args.required("loop", ["iterable"])?;
        interp.recurse(item, values, self.depth + 1)
    }

    fn length(&self) -> Option<usize> {
        Some(self.items.len())
    }

    fn truth(&self) -> bool {
        true
    }
}

impl Interpreter<'_> {
    pub(super) fn run_for(&mut self, item: &Arc<For>) -> Result<Flow> {
        let values = self.eval(&item.iter)?;
        let values = match values.items() {
            Ok(values) => values,
            Err(stop) => return Err(self.place(stop, item.iter.at)),
        };
        self.for_items(item, values, 0)?;
        Ok(Flow::Next)
    }

    /// `loop(values)`.
    fn recurse(&mut self, item: &Arc<For>, values: Value, depth: usize) -> Result {
        if depth > self.options.limits.depth as usize {
            return Err(self.limit(&format!("recurses more than {} levels deep", self.options.limits.depth)));
        }
        let values = values.items()?;
        self.capture(|interp| interp.for_items(item, values, depth))
    }

    fn for_items(&mut self, item: &Arc<For>, values: Vec<Value>, depth: usize) -> Result<()> {
        self.spend(values.len() as u64)?;
        let values = match &item.condition {
            Some(_) => self.filtered(item, values)?,
            None => values,
        };
        if values.is_empty() {
            return self.scoped(|interp| interp.body(&item.otherwise)).map(drop);
        }
        if item.uses_loop { self.for_with_loop(item, values, depth) } else { self.for_plain(item, values) }
    }

    fn filtered(&mut self, item: &For, values: Vec<Value>) -> Result<Vec<Value>> {
        let Some(condition) = &item.condition else { return Ok(values) };
        let mut kept = Vec::new();
        for value in values {
            let keep = self.scoped(|interp| {
                interp.assign(&item.target, value.clone())?;
                interp.eval(condition)
            })?;
            if keep.is_true() {
                kept.push(value);
            }
        }
        Ok(kept)
    }

    fn for_plain(&mut self, item: &For, values: Vec<Value>) -> Result<()> {
        for value in values {
            self.step()?;
            let flow = self.scoped(|interp| {
                interp.assign(&item.target, value)?;
                interp.body(&item.body)
            })?;
            if flow == Flow::Break {
                break;
            }
        }
        Ok(())
    }

    fn for_with_loop(&mut self, item: &Arc<For>, items: Vec<Value>, depth: usize) -> Result<()> {
        let recursive = item.recursive.then(|| Arc::clone(item));
        let state = Rc::new(Loop { items, index: Cell::new(0), depth, changed: RefCell::new(None), recursive });
        let name: Arc<str> = Arc::from("loop");
        for (index, value) in state.items.iter().enumerate() {
            self.step()?;
            state.index.set(index);
            let flow = self.scoped(|interp| {
                interp.frame.vars.push((Arc::clone(&name), Value::Object(Rc::clone(&state) as Rc<dyn Object>)));
                interp.assign(&item.target, value.clone())?;
                interp.body(&item.body)
            })?;
            if flow == Flow::Break {
                break;
            }
        }
        Ok(())
    }
}
