//! Methods of sets.

use std::rc::Rc;

use indexmap::IndexSet;

use crate::jinja::stop::{Result, fail};
use crate::jinja::value::{Args, Key, SetCell, Value};

pub(super) const NAMES: &[&str] = &[
    "add",
    "clear",
    "copy",
    "difference",
    "difference_update",
    "discard",
    "intersection",
    "intersection_update",
    "isdisjoint",
    "issubset",
    "issuperset",
    "pop",
    "remove",
    "symmetric_difference",
    "union",
    "update",
];

pub(super) fn call(cell: &Rc<SetCell>, name: &str, args: Args) -> Result {
    match name {
        "add" | "discard" | "remove" => {
            let [item] = args.required(name, ["element"])?;
            let key = Key::new(item)?;
            if name == "add" {
                cell.with(|set| set.insert(key));
            } else if !cell.with(|set| set.shift_remove(&key)) && name == "remove" {
                return Err(fail(format!("KeyError: {}", key.value().repr())));
            }
            Ok(Value::None)
        }
        "pop" => {
            let [] = args.bind(name, [])?;
            let key = cell.with(|set| set.shift_remove_index(0));
            key.map(Key::into_value).ok_or_else(|| fail("pop from an empty set"))
        }
        "clear" => {
            drop(cell.with(std::mem::take));
            Ok(Value::None)
        }
        "copy" => Ok(Value::set_of(cell.borrow().clone())),
        "issubset" | "issuperset" | "isdisjoint" => {
            let [other] = args.required(name, ["other"])?;
            let other = keys_of(&other)?;
            let mine = cell.borrow();
            Ok(Value::Bool(match name {
                "issubset" => mine.is_subset(&other),
                "issuperset" => mine.is_superset(&other),
                _ => mine.is_disjoint(&other),
            }))
        }
        _ => combine(cell, name, args),
    }
}

fn combine(cell: &Rc<SetCell>, name: &str, args: Args) -> Result {
    let mut result = cell.borrow().clone();
    for other in &args.positional {
        let other = keys_of(other)?;
        result = match name {
            "union" | "update" => result.union(&other).cloned().collect(),
            "difference" | "difference_update" => result.difference(&other).cloned().collect(),
            "symmetric_difference" => result.symmetric_difference(&other).cloned().collect(),
            _ => result.intersection(&other).cloned().collect(),
        };
    }
    if matches!(name, "update" | "difference_update" | "intersection_update") {
        drop(cell.with(|set| std::mem::replace(set, result)));
        return Ok(Value::None);
    }
    Ok(Value::set_of(result))
}

fn keys_of(value: &Value) -> Result<IndexSet<Key>> {
    value.items()?.into_iter().map(Key::new).collect()
}
