//! Methods of dicts, and the views that they give.

use std::any::Any;
use std::rc::Rc;

use crate::jinja::stop::{Result, fail};
use crate::jinja::value::{Args, DictCell, Key, Map, Object, Value};

pub(super) const NAMES: &[&str] =
    &["clear", "copy", "fromkeys", "get", "items", "keys", "pop", "popitem", "setdefault", "update", "values"];

pub(super) fn call(cell: &Rc<DictCell>, name: &str, args: Args) -> Result {
    match name {
        "items" | "keys" | "values" => {
            let [] = args.bind(name, [])?;
            let part = match name {
                "items" => Part::Items,
                "keys" => Part::Keys,
                _ => Part::Values,
            };
            Ok(Value::object(View { dict: Rc::clone(cell), part }))
        }
        "get" => {
            let [key, default] = args.bind(name, ["key", "default"])?;
            let key = Key::new(key.ok_or_else(|| fail("get expected at least 1 argument, got 0"))?)?;
            Ok(cell.borrow().get(&key).cloned().or(default).unwrap_or(Value::None))
        }
        "pop" => {
            let [key, default] = args.bind(name, ["key", "default"])?;
            let key = Key::new(key.ok_or_else(|| fail("pop expected at least 1 argument, got 0"))?)?;
            let found = cell.with(|map| map.shift_remove(&key)).or(default);
            found.ok_or_else(|| fail(format!("KeyError: {}", key.value().repr())))
        }
        "popitem" => {
            let [] = args.bind(name, [])?;
            let (key, value) = cell.with(Map::pop).ok_or_else(|| fail("popitem(): dictionary is empty"))?;
            Ok(Value::tuple([key.into_value(), value]))
        }
        "setdefault" => {
            let [key, default] = args.bind(name, ["key", "default"])?;
            let key = Key::new(key.ok_or_else(|| fail("setdefault expected at least 1 argument, got 0"))?)?;
            Ok(cell.with(|map| map.entry(key).or_insert(default.unwrap_or(Value::None)).clone()))
        }
        "update" => {
            update(cell, args)?;
            Ok(Value::None)
        }
        "clear" => {
            drop(cell.with(std::mem::take));
            Ok(Value::None)
        }
        "fromkeys" => {
            let [keys, value] = args.bind(name, ["iterable", "value"])?;
            let value = value.unwrap_or(Value::None);
            let keys = keys.unwrap_or(Value::None).items()?;
            Ok(Value::dict(keys.into_iter().map(|key| Ok((Key::new(key)?, value.clone()))).collect::<Result<Map>>()?))
        }
        _ => {
            let [] = args.bind(name, [])?;
            let copy = cell.borrow().clone();
            Ok(Value::dict(copy))
        }
    }
}

/// `dict.update(mapping or pairs, **more)`.
fn update(cell: &DictCell, args: Args) -> Result<()> {
    let mut new = Map::new();
    if args.positional.len() > 1 {
        return Err(fail(format!("update expected at most 1 argument, got {}", args.positional.len())));
    }
    if let Some(value) = args.positional.first() {
        new = entries_of(value)?;
    }
    new.extend(args.keyword.into_iter().map(|(key, value)| (Key::text(&key), value)));
    cell.with(|map| map.extend(new));
    Ok(())
}

/// The entries of a mapping, or of pairs.
pub(crate) fn entries_of(value: &Value) -> Result<Map> {
    match value {
        Value::Dict(cell) => Ok(cell.borrow().clone()),
        _ => value
            .items()?
            .iter()
            .enumerate()
            .map(|(index, pair)| match pair.items()?.as_slice() {
                [key, value] => Ok((Key::new(key.clone())?, value.clone())),
                other => Err(fail(format!(
                    "dictionary update sequence element #{index} has length {}; 2 is required",
                    other.len()
                ))),
            })
            .collect(),
    }
}

#[derive(Clone, Copy)]
enum Part {
    Items,
    Keys,
    Values,
}

/// `dict.items()` and its kin: they see later changes.
struct View {
    dict: Rc<DictCell>,
    part: Part,
}

impl Object for View {
    fn type_name(&self) -> &str {
        match self.part {
            Part::Items => "dict_items",
            Part::Keys => "dict_keys",
            Part::Values => "dict_values",
        }
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn iterate(&self) -> Option<Result<Vec<Value>>> {
        let map = self.dict.borrow();
        Some(Ok(match self.part {
            Part::Items => map.iter().map(|(key, value)| Value::tuple([key.value().clone(), value.clone()])).collect(),
            Part::Keys => map.keys().map(|key| key.value().clone()).collect(),
            Part::Values => map.values().cloned().collect(),
        }))
    }

    fn length(&self) -> Option<usize> {
        Some(self.dict.borrow().len())
    }

    fn contains(&self, item: &Value) -> Option<bool> {
        match self.part {
            Part::Keys => Key::new(item.clone()).ok().map(|key| self.dict.borrow().contains_key(&key)),
            _ => None,
        }
    }

    fn repr(&self) -> String {
        let items = self.iterate().and_then(Result::ok).unwrap_or_default();
        format!("{}({})", self.type_name(), Value::list(items).repr())
    }

    fn equals(&self, other: &Value) -> bool {
        let (Ok(mut left), Ok(mut right)) = (self.iterate().unwrap_or(Ok(Vec::new())), other.items()) else {
            return false;
        };
        if matches!(self.part, Part::Values) || left.len() != right.len() {
            return false;
        }
        left.retain(|item| !right.contains(item));
        right.clear();
        left.is_empty()
    }

    fn binary(&self, op: crate::jinja::syntax::ast::BinaryOp, other: &Value, reflected: bool) -> Option<Result> {
        use crate::jinja::syntax::ast::BinaryOp;
        if op != BinaryOp::Sub
            || matches!(self.part, Part::Values)
            || !matches!(other, Value::Set(_) | Value::Object(_))
        {
            return None;
        }
        let mine = self.iterate()?;
        Some(mine.and_then(|mine| {
            let theirs = other.items()?;
            let (from, without) = if reflected { (theirs, mine) } else { (mine, theirs) };
            Value::set(from.into_iter().filter(|item| !without.contains(item)))
        }))
    }
}
