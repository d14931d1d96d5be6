//! Lists, tuples, dicts and sets, and how they are dropped.

use std::cell::{Ref, RefCell};
use std::rc::Rc;

use indexmap::IndexSet;

use super::{Key, Map, Value};

/// A shared list.
#[derive(Default)]
pub struct ListCell(RefCell<Vec<Value>>);

/// A tuple.
#[derive(Default)]
pub struct TupleCell(Vec<Value>);

/// A shared dict.
#[derive(Default)]
pub struct DictCell(RefCell<Map>);

/// A shared set.
#[derive(Default)]
pub struct SetCell(RefCell<IndexSet<Key>>);

impl ListCell {
    pub(super) fn new(content: Vec<Value>) -> ListCell {
        ListCell(RefCell::new(content))
    }

    /// The items. Release before anything else of the template runs.
    pub fn borrow(&self) -> Ref<'_, Vec<Value>> {
        self.0.borrow()
    }

    /// Changes the items; `change` must not run anything of the template.
    pub fn with<T>(&self, change: impl FnOnce(&mut Vec<Value>) -> T) -> T {
        change(&mut self.0.borrow_mut())
    }

    /// A copy of the items.
    pub fn to_vec(&self) -> Vec<Value> {
        self.0.borrow().clone()
    }
}

impl DictCell {
    pub(super) fn new(content: Map) -> DictCell {
        DictCell(RefCell::new(content))
    }

    /// The entries. Release before anything else of the template runs.
    pub fn borrow(&self) -> Ref<'_, Map> {
        self.0.borrow()
    }

    /// Changes the entries; `change` must not run anything of the template.
    pub fn with<T>(&self, change: impl FnOnce(&mut Map) -> T) -> T {
        change(&mut self.0.borrow_mut())
    }

    /// The value under a text key.
    pub fn get(&self, key: &str) -> Option<Value> {
        self.0.borrow().get(key).cloned()
    }

    /// Sets the value under a text key.
    pub fn insert(&self, key: &str, value: Value) {
        self.with(|map| map.insert(Key::text(key), value));
    }
}

impl SetCell {
    pub(super) fn new(content: IndexSet<Key>) -> SetCell {
        SetCell(RefCell::new(content))
    }

    /// The members. Release before anything else of the template runs.
    pub fn borrow(&self) -> Ref<'_, IndexSet<Key>> {
        self.0.borrow()
    }

    /// Changes the members; `change` must not run anything of the template.
    pub fn with<T>(&self, change: impl FnOnce(&mut IndexSet<Key>) -> T) -> T {
        change(&mut self.0.borrow_mut())
    }
}

impl TupleCell {
    pub(super) fn new(items: Vec<Value>) -> TupleCell {
        TupleCell(items)
    }
}

impl std::ops::Deref for TupleCell {
    type Target = [Value];

    fn deref(&self) -> &[Value] {
        &self.0
    }
}

/// Drops values without recursion: what nobody else holds is emptied into the work list first.
pub(super) fn release(mut work: Vec<Value>) {
    while let Some(mut value) = work.pop() {
        match &mut value {
            Value::List(cell) => {
                if let Some(cell) = Rc::get_mut(cell) {
                    work.append(cell.0.get_mut());
                }
            }
            Value::Tuple(cell) => {
                if let Some(cell) = Rc::get_mut(cell) {
                    work.append(&mut cell.0);
                }
            }
            Value::Dict(cell) => {
                if let Some(cell) = Rc::get_mut(cell) {
                    for (key, value) in cell.0.get_mut().drain(..) {
                        work.push(key.into_value());
                        work.push(value);
                    }
                }
            }
            Value::Set(cell) => {
                if let Some(cell) = Rc::get_mut(cell) {
                    work.extend(cell.0.get_mut().drain(..).map(Key::into_value));
                }
            }
            Value::Macro(item) => {
                if let Some(item) = Rc::get_mut(item) {
                    item.release(&mut work);
                }
            }
            Value::Object(object) if Rc::strong_count(object) == 1 => object.release(&mut work),
            _ => {}
        }
    }
}

impl Value {
    /// True if dropping it may drop other values.
    pub(super) fn nests(&self) -> bool {
        matches!(
            self,
            Value::List(_) | Value::Tuple(_) | Value::Dict(_) | Value::Set(_) | Value::Macro(_) | Value::Object(_)
        )
    }
}

impl Drop for ListCell {
    fn drop(&mut self) {
        let items = std::mem::take(self.0.get_mut());
        if items.iter().any(Value::nests) {
            release(items);
        }
    }
}

impl Drop for TupleCell {
    fn drop(&mut self) {
        if self.0.iter().any(Value::nests) {
            release(std::mem::take(&mut self.0));
        }
    }
}

impl Drop for DictCell {
    fn drop(&mut self) {
        let map = std::mem::take(self.0.get_mut());
        if map.iter().any(|(key, value)| value.nests() || key.value().nests()) {
            release(map.into_iter().flat_map(|(key, value)| [key.into_value(), value]).collect());
        }
    }
}

impl Drop for SetCell {
    fn drop(&mut self) {
        let set = std::mem::take(self.0.get_mut());
        if set.iter().any(|key| key.value().nests()) {
            release(set.into_iter().map(Key::into_value).collect());
        }
    }
}
