//! Methods of lists and tuples.

use std::cmp::Ordering;
use std::rc::Rc;

use super::int_or;
use crate::jinja::Interpreter;
use crate::jinja::stop::{Result, fail};
use crate::jinja::value::{Args, ListCell, Value, check_items, compare, equals};

pub(super) const NAMES: &[&str] =
    &["append", "clear", "copy", "count", "extend", "index", "insert", "pop", "remove", "reverse", "sort"];

pub(super) fn call(interp: &mut Interpreter<'_>, cell: &Rc<ListCell>, name: &str, args: Args) -> Result {
    match name {
        "append" => {
            let [item] = args.required(name, ["object"])?;
            cell.with(|items| items.push(item));
        }
        "extend" => {
            let [more] = args.required(name, ["iterable"])?;
            let more = more.items()?;
            interp.spend(more.len() as u64)?;
            check_items(cell.borrow().len() + more.len())?;
            cell.with(|items| items.extend(more));
        }
        "insert" => {
            let [index, item] = args.required(name, ["index", "object"])?;
            let index = int_or(Some(index), 0)?;
            cell.with(|items| items.insert(clamped(index, items.len()), item));
        }
        "pop" => {
            let [index] = args.bind(name, ["index"])?;
            return pop(cell, int_or(index, -1)?);
        }
        "remove" => {
            let [item] = args.required(name, ["value"])?;
            let at = cell.borrow().iter().position(|other| equals(other, &item));
            let at = at.ok_or_else(|| fail("list.remove(x): x not in list"))?;
            drop(cell.with(|items| items.remove(at)));
        }
        "reverse" => cell.with(|items| items.reverse()),
        "clear" => drop(cell.with(std::mem::take)),
        "copy" => return Ok(Value::list(cell.to_vec())),
        "sort" => {
            let mut args = args;
            let key = args.take("key").filter(|key| !key.is_none());
            let reverse = args.take("reverse").is_some_and(|value| value.is_true());
            let [] = args.bind(name, [])?;
            let sorted = sort_by_key(interp, cell.to_vec(), key, reverse)?;
            drop(cell.with(|items| std::mem::replace(items, sorted)));
        }
        _ => return read(&cell.to_vec(), name, args),
    }
    Ok(Value::None)
}

/// Methods that tuples have as well.
pub(super) fn read(items: &[Value], name: &str, args: Args) -> Result {
    if name == "count" {
        let [item] = args.required(name, ["value"])?;
        return Ok(Value::from(items.iter().filter(|other| equals(other, &item)).count()));
    }
    let [item, start, stop] = args.bind(name, ["value", "start", "stop"])?;
    let item = item.ok_or_else(|| fail("index expected at least 1 argument, got 0"))?;
    let start = clamped(int_or(start, 0)?, items.len());
    let stop = clamped(int_or(stop, i64::MAX)?, items.len());
    let found = (start..stop).find(|at| equals(&items[*at], &item));
    found.map(Value::from).ok_or_else(|| fail(format!("{} is not in list", item.repr())))
}

fn pop(cell: &ListCell, index: i64) -> Result {
    cell.with(|items| {
        let len = items.len() as i64;
        let at = if index < 0 { index.saturating_add(len) } else { index };
        match usize::try_from(at) {
            _ if items.is_empty() => Err(fail("pop from empty list")),
            Ok(at) if at < items.len() => Ok(items.remove(at)),
            _ => Err(fail("pop index out of range")),
        }
    })
}

/// A Python index into a list, moved inside.
fn clamped(index: i64, len: usize) -> usize {
    let len = len as i64;
    let at = if index < 0 { index.saturating_add(len).max(0) } else { index.min(len) };
    usize::try_from(at).unwrap_or(0)
}

/// Sorted by the value of `key(item)`, or the items themselves.
pub(crate) fn sort_by_key(
    interp: &mut Interpreter<'_>,
    items: Vec<Value>,
    key: Option<Value>,
    reverse: bool,
) -> Result<Vec<Value>> {
    let mut keyed = Vec::with_capacity(items.len());
    for item in items {
        let by = match &key {
            Some(key) => interp.call(key, Args::positional([item.clone()]))?,
            None => item.clone(),
        };
        keyed.push((by, item));
    }
    let sorted = sort_values(interp, keyed, reverse)?;
    Ok(sorted.into_iter().map(|(_, item)| item).collect())
}

/// Sorts pairs by their first part, keeping the order of equal ones, also in reverse.
///
/// A merge sort of our own: templates may sort what has no total order, which the standard library answers with a panic.
pub(crate) fn sort_values(
    interp: &mut Interpreter<'_>,
    keyed: Vec<(Value, Value)>,
    reverse: bool,
) -> Result<Vec<(Value, Value)>> {
    interp.spend(keyed.len() as u64 * 2)?;
    let before = |a: &(Value, Value), b: &(Value, Value)| -> Result<bool> {
        let order = if reverse { compare(&a.0, &b.0, "<")? } else { compare(&b.0, &a.0, "<")? };
        Ok(order != Ordering::Less)
    };
    let mut runs: Vec<Vec<(Value, Value)>> = keyed.into_iter().map(|pair| vec![pair]).collect();
    while runs.len() > 1 {
        let mut merged = Vec::with_capacity(runs.len().div_ceil(2));
        let mut rest = runs.into_iter();
        while let Some(left) = rest.next() {
            merged.push(match rest.next() {
                Some(right) => merge(left, right, &before)?,
                None => left,
            });
        }
        runs = merged;
    }
    Ok(runs.pop().unwrap_or_default())
}

/// Two sorted runs as one; `before(a, b)` says that `a` may stand before `b`.
fn merge<T>(left: Vec<T>, right: Vec<T>, before: &dyn Fn(&T, &T) -> Result<bool>) -> Result<Vec<T>> {
    let mut out = Vec::with_capacity(left.len() + right.len());
    let (mut left, mut right) = (left.into_iter().peekable(), right.into_iter().peekable());
    while let (Some(a), Some(b)) = (left.peek(), right.peek()) {
        let next = if before(a, b)? { left.next() } else { right.next() };
        out.extend(next);
    }
    out.extend(left);
    out.extend(right);
    Ok(out)
}
