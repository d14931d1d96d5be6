//! Filters on sequences. Those that Python would make lazy give an iterator that is used up once.

use std::any::Any;
use std::cmp::Ordering;

use indexmap::IndexSet;

use crate::jinja::functions::iterator;
use crate::jinja::methods::sort_values;
use crate::jinja::stop::{Result, fail};
use crate::jinja::value::{Args, Key, Object, Value, add, check_length, compare, equals};
use crate::jinja::{Interpreter, predicates};

use super::{flag, size};

pub(super) fn length(_: &mut Interpreter<'_>, input: Value, _: Args) -> Result {
    input.length().map(Value::from)
}

pub(super) fn list(interp: &mut Interpreter<'_>, input: Value, _: Args) -> Result {
    let items = input.items()?;
    interp.spend(items.len() as u64)?;
    Ok(Value::list(items))
}

pub(super) fn items(_: &mut Interpreter<'_>, input: Value, _: Args) -> Result {
    match &input {
        Value::Undefined(_) => Ok(iterator("generator", Vec::new())),
        Value::Dict(cell) => {
            let pairs =
                cell.borrow().iter().map(|(key, value)| Value::tuple([key.value().clone(), value.clone()])).collect();
            Ok(iterator("dict_items", pairs))
        }
        _ => Err(fail("Can only get item pairs from a mapping.")),
    }
}

pub(super) fn first(_: &mut Interpreter<'_>, input: Value, _: Args) -> Result {
    let first = input.items()?.into_iter().next();
    Ok(first.unwrap_or_else(|| Value::undefined_because("first", "No first item, sequence was empty.".to_string())))
}

pub(super) fn last(_: &mut Interpreter<'_>, input: Value, _: Args) -> Result {
    let last = input.items()?.into_iter().next_back();
    Ok(last.unwrap_or_else(|| Value::undefined_because("last", "No last item, sequence was empty.".to_string())))
}

pub(super) fn random(_: &mut Interpreter<'_>, _: Value, _: Args) -> Result {
    Err(fail("the filter `random` is not supported: the same project must give the same SQL"))
}

pub(super) fn reverse(_: &mut Interpreter<'_>, input: Value, _: Args) -> Result {
    if let Value::Str(text) = &input {
        return Ok(Value::from(text.chars().rev().collect::<String>()));
    }
    let mut items = input.items()?;
    items.reverse();
    Ok(iterator("list_reverseiterator", items))
}

pub(super) fn join(interp: &mut Interpreter<'_>, input: Value, args: Args) -> Result {
    let [separator, attribute] = args.bind("join", ["d", "attribute"])?;
    let separator = separator.unwrap_or_else(|| Value::str(""));
    let separator = separator.text();
    let mut out = String::new();
    for (index, item) in input.items()?.into_iter().enumerate() {
        let item = by_attribute(interp, &item, attribute.as_ref())?;
        if index > 0 {
            out.push_str(&separator);
        }
        out.push_str(&item.text());
        check_length(out.len())?;
        interp.spend(1)?;
    }
    Ok(Value::from(out))
}

/// The attribute of an item, or the item itself.
fn by_attribute(interp: &mut Interpreter<'_>, item: &Value, attribute: Option<&Value>) -> Result {
    match attribute {
        None | Some(Value::None) => Ok(item.clone()),
        Some(path) => interp.get_path(item, path),
    }
}

/// What an item is compared by: its attribute, text in lower case unless case counts.
fn sort_key(interp: &mut Interpreter<'_>, item: &Value, attribute: Option<&Value>, case: bool) -> Result {
    let fold = |value: Value| match &value {
        Value::Str(text) if !case => Value::from(text.to_lowercase()),
        _ => value,
    };
    match attribute {
        Some(Value::Str(paths)) if paths.contains(',') => {
            let parts: Result<Vec<Value>> =
                paths.split(',').map(|path| interp.get_path(item, &Value::str(path)).map(fold)).collect();
            parts.map(Value::list)
        }
        _ => by_attribute(interp, item, attribute).map(fold),
    }
}

pub(super) fn sort(interp: &mut Interpreter<'_>, input: Value, args: Args) -> Result {
    let [reverse, case, attribute] = args.bind("sort", ["reverse", "case_sensitive", "attribute"])?;
    let case = flag(case, false);
    let mut keyed = Vec::new();
    for item in input.items()? {
        keyed.push((sort_key(interp, &item, attribute.as_ref(), case)?, item));
    }
    let sorted = sort_values(interp, keyed, flag(reverse, false))?;
    Ok(Value::list(sorted.into_iter().map(|(_, item)| item)))
}

pub(super) fn dictsort(interp: &mut Interpreter<'_>, input: Value, args: Args) -> Result {
    let [case, by, reverse] = args.bind("dictsort", ["case_sensitive", "by", "reverse"])?;
    let by = by.map_or_else(|| "key".to_string(), |by| by.text().into_owned());
    let position = match by.as_str() {
        "key" => 0,
        "value" => 1,
        _ => return Err(fail("You can only sort by either \"key\" or \"value\"")),
    };
    let Value::Dict(cell) = &input else { return Err(fail("dictsort expects a mapping")) };
    let pairs: Vec<[Value; 2]> =
        cell.borrow().iter().map(|(key, value)| [key.value().clone(), value.clone()]).collect();
    let case = flag(case, false);
    let mut keyed = Vec::new();
    for pair in pairs {
        keyed.push((sort_key(interp, &pair[position], None, case)?, Value::tuple(pair)));
    }
    let sorted = sort_values(interp, keyed, flag(reverse, false))?;
    Ok(Value::list(sorted.into_iter().map(|(_, pair)| pair)))
}

pub(super) fn unique(interp: &mut Interpreter<'_>, input: Value, args: Args) -> Result {
    let [case, attribute] = args.bind("unique", ["case_sensitive", "attribute"])?;
    let case = flag(case, false);
    let mut seen = IndexSet::new();
    let mut out = Vec::new();
    for item in input.items()? {
        if seen.insert(Key::new(sort_key(interp, &item, attribute.as_ref(), case)?)?) {
            out.push(item);
        }
    }
    Ok(iterator("generator", out))
}

pub(super) fn min(interp: &mut Interpreter<'_>, input: Value, args: Args) -> Result {
    extreme(interp, input, args, "min", Ordering::Less)
}

pub(super) fn max(interp: &mut Interpreter<'_>, input: Value, args: Args) -> Result {
    extreme(interp, input, args, "max", Ordering::Greater)
}

fn extreme(interp: &mut Interpreter<'_>, input: Value, args: Args, name: &str, wanted: Ordering) -> Result {
    let [case, attribute] = args.bind(name, ["case_sensitive", "attribute"])?;
    let case = flag(case, false);
    let op = if wanted == Ordering::Less { "<" } else { ">" };
    let mut best: Option<(Value, Value)> = None;
    for item in input.items()? {
        let key = sort_key(interp, &item, attribute.as_ref(), case)?;
        let better = match &best {
            None => true,
            Some((other, _)) => compare(&key, other, op)? == wanted,
        };
        if better {
            best = Some((key, item));
        }
    }
    let best = best.map(|(_, item)| item);
    Ok(best.unwrap_or_else(|| Value::undefined_because(name, "No aggregated item, sequence was empty.".to_string())))
}

pub(super) fn sum(interp: &mut Interpreter<'_>, input: Value, args: Args) -> Result {
    let [attribute, start] = args.bind("sum", ["attribute", "start"])?;
    let mut total = start.unwrap_or(Value::Int(0));
    for item in input.items()? {
        let item = by_attribute(interp, &item, attribute.as_ref())?;
        total = crate::jinja::value::binary(crate::jinja::syntax::ast::BinaryOp::Add, &total, &item)?;
    }
    if let Value::Str(_) = total { add(&Value::str(""), &total) } else { Ok(total) }
}

pub(super) fn batch(interp: &mut Interpreter<'_>, input: Value, args: Args) -> Result {
    let [count, fill] = args.bind("batch", ["linecount", "fill_with"])?;
    let count = size(count, 0, "linecount")?;
    if count == 0 {
        return Err(fail("batch needs a linecount of at least 1"));
    }
    let mut rows: Vec<Vec<Value>> = input.items()?.chunks(count).map(<[Value]>::to_vec).collect();
    if let (Some(fill), Some(last)) = (fill.filter(|fill| !fill.is_none()), rows.last_mut()) {
        interp.spend(count as u64)?;
        last.resize(count, fill);
    }
    Ok(iterator("generator", rows.into_iter().map(Value::list).collect()))
}

pub(super) fn slice(interp: &mut Interpreter<'_>, input: Value, args: Args) -> Result {
    let [slices, fill] = args.bind("slice", ["slices", "fill_with"])?;
    let slices = size(slices, 0, "slices")?;
    if slices == 0 {
        return Err(fail("slice needs at least 1 slice"));
    }
    interp.spend(slices as u64)?;
    let items = input.items()?;
    let (each, rest) = (items.len() / slices, items.len() % slices);
    let fill = fill.filter(|fill| !fill.is_none());
    let mut out = Vec::new();
    let mut from = 0;
    for index in 0..slices {
        let len = each + usize::from(index < rest);
        let mut part = items[from..from + len].to_vec();
        from += len;
        if index >= rest
            && let Some(fill) = &fill
        {
            part.push(fill.clone());
        }
        out.push(Value::list(part));
    }
    Ok(iterator("generator", out))
}

pub(super) fn map(interp: &mut Interpreter<'_>, input: Value, mut args: Args) -> Result {
    let items = items_if_any(&input)?;
    interp.spend(items.len() as u64)?;
    let mut out = Vec::with_capacity(items.len());
    if args.positional.is_empty() {
        let default = args.take("default");
        let [attribute] = args.required("map", ["attribute"])?;
        for item in items {
            let value = interp.get_path(&item, &attribute)?;
            out.push(match &default {
                Some(default) if value.is_undefined() => default.clone(),
                _ => value,
            });
        }
        return Ok(iterator("generator", out));
    }
    let name = args.positional.remove(0);
    let name = name.text();
    let filter = super::find(&name).ok_or_else(|| fail(format!("no filter named '{name}'")))?;
    for item in items {
        out.push(filter(interp, item, args.clone())?);
    }
    Ok(iterator("generator", out))
}

/// The items; none of what is not true, such as `none`: these filters look first whether there is anything.
fn items_if_any(input: &Value) -> Result<Vec<Value>> {
    if input.is_true() { input.items() } else { Ok(Vec::new()) }
}

pub(super) fn select(interp: &mut Interpreter<'_>, input: Value, args: Args) -> Result {
    choose(interp, input, args, false, true)
}

pub(super) fn reject(interp: &mut Interpreter<'_>, input: Value, args: Args) -> Result {
    choose(interp, input, args, false, false)
}

pub(super) fn selectattr(interp: &mut Interpreter<'_>, input: Value, args: Args) -> Result {
    choose(interp, input, args, true, true)
}

pub(super) fn rejectattr(interp: &mut Interpreter<'_>, input: Value, args: Args) -> Result {
    choose(interp, input, args, true, false)
}

/// Items (by an attribute or themselves) for which a test has the answer `wanted`.
fn choose(interp: &mut Interpreter<'_>, input: Value, mut args: Args, by_attr: bool, wanted: bool) -> Result {
    let attribute = match (by_attr, args.positional.is_empty()) {
        (false, _) => None,
        (true, true) => return Err(fail("Missing parameter for attribute name")),
        (true, false) => Some(args.positional.remove(0)),
    };
    let test = if args.positional.is_empty() {
        None
    } else {
        let name = args.positional.remove(0);
        let name = name.text();
        Some(predicates::find(&name).ok_or_else(|| fail(format!("no test named '{name}'")))?)
    };
    let items = items_if_any(&input)?;
    interp.spend(items.len() as u64)?;
    let mut out = Vec::new();
    for item in items {
        let subject = by_attribute(interp, &item, attribute.as_ref())?;
        let answer = match test {
            Some(test) => test(interp, &subject, args.clone())?,
            None => subject.is_true(),
        };
        if answer == wanted {
            out.push(item);
        }
    }
    Ok(iterator("generator", out))
}

/// What `groupby` gives: a pair whose parts have names.
struct Group {
    grouper: Value,
    list: Value,
}

impl Object for Group {
    fn type_name(&self) -> &str {
        "tuple"
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn get_attr(&self, name: &str) -> Option<Value> {
        match name {
            "grouper" => Some(self.grouper.clone()),
            "list" => Some(self.list.clone()),
            _ => None,
        }
    }

    fn get_item(&self, key: &Value) -> Option<Result> {
        match key.as_int()? {
            0 | -2 => Some(Ok(self.grouper.clone())),
            1 | -1 => Some(Ok(self.list.clone())),
            _ => None,
        }
    }

    fn iterate(&self) -> Option<Result<Vec<Value>>> {
        Some(Ok(vec![self.grouper.clone(), self.list.clone()]))
    }

    fn length(&self) -> Option<usize> {
        Some(2)
    }

    fn is_sequence(&self) -> bool {
        true
    }

    fn repr(&self) -> String {
        Value::tuple([self.grouper.clone(), self.list.clone()]).repr()
    }
}

pub(super) fn groupby(interp: &mut Interpreter<'_>, input: Value, args: Args) -> Result {
    let [attribute, default, case] = args.bind("groupby", ["attribute", "default", "case_sensitive"])?;
    let attribute = attribute.ok_or_else(|| fail("groupby needs an attribute"))?;
    let case = flag(case, false);
    let mut keyed = Vec::new();
    for item in input.items()? {
        let mut value = interp.get_path(&item, &attribute)?;
        if value.is_undefined() {
            value = default.clone().unwrap_or(value);
        }
        keyed.push((sort_key(interp, &value, None, case)?, Value::tuple([value, item])));
    }
    let mut groups: Vec<(Value, Value, Vec<Value>)> = Vec::new();
    for (key, pair) in sort_values(interp, keyed, false)? {
        let Value::Tuple(pair) = &pair else { continue };
        match groups.last_mut() {
            Some((other, _, list)) if equals(other, &key) => list.push(pair[1].clone()),
            _ => groups.push((key, pair[0].clone(), vec![pair[1].clone()])),
        }
    }
    let groups = groups.into_iter().map(|(_, grouper, list)| Value::object(Group { grouper, list: Value::list(list) }));
    Ok(Value::list(groups))
}
