//! dbt's functions on data: JSON, YAML, sets, zips, hashes.

use md5::{Digest, Md5};

use crate::jinja::Interpreter;
use crate::jinja::stop::{Result, fail};
use crate::jinja::value::{Args, Key, Map, Value, has, python_json};

use super::iterators::{iterator, take_items};

/// The value of a JSON document, if the text is one.
pub(crate) fn from_json(text: &str) -> Option<Value> {
    serde_json::from_str(text).ok().map(|json: serde_json::Value| Value::from_json(&json))
}

/// The JSON text of a value, as Python writes it.
pub(crate) fn to_json_text(value: &Value, sort_keys: bool, indent: Option<usize>) -> Result<String> {
    Ok(python_json(&value.to_json()?, sort_keys, indent))
}

pub(super) fn fromjson(_: &mut Interpreter<'_>, args: Args) -> Result {
    let [text, default] = args.bind("fromjson", ["string", "default"])?;
    let text = text.unwrap_or(Value::None);
    let found = text.as_str().and_then(from_json);
    Ok(found.or(default).unwrap_or(Value::None))
}

pub(super) fn tojson(_: &mut Interpreter<'_>, args: Args) -> Result {
    let [value, default, sort_keys] = args.bind("tojson", ["value", "default", "sort_keys"])?;
    let sorted = sort_keys.is_some_and(|sort_keys| sort_keys.is_true());
    match to_json_text(&value.unwrap_or(Value::None), sorted, None) {
        Ok(text) => Ok(Value::from(text)),
        Err(_) => Ok(default.unwrap_or(Value::None)),
    }
}

pub(super) fn fromyaml(_: &mut Interpreter<'_>, args: Args) -> Result {
    let [text, default] = args.bind("fromyaml", ["value", "default"])?;
    let text = text.unwrap_or(Value::None);
    let found = text.as_str().and_then(|text| serde_yaml::from_str(text).ok()).map(|yaml| from_yaml(&yaml, 0));
    Ok(found.or(default).unwrap_or(Value::None))
}

fn from_yaml(yaml: &serde_yaml::Value, depth: u32) -> Value {
    use serde_yaml::Value as Yaml;
    match yaml {
        _ if depth > 100 => Value::None,
        Yaml::Null => Value::None,
        Yaml::Bool(value) => Value::Bool(*value),
        Yaml::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(number), _) => Value::Int(number),
            (None, Some(number)) => Value::Float(number),
            (None, None) => Value::None,
        },
        Yaml::String(text) => Value::str(text),
        Yaml::Sequence(items) => Value::list(items.iter().map(|item| from_yaml(item, depth + 1))),
        Yaml::Mapping(entries) => Value::dict(
            entries
                .iter()
                .filter_map(|(key, value)| {
                    Some((Key::new(from_yaml(key, depth + 1)).ok()?, from_yaml(value, depth + 1)))
                })
                .collect(),
        ),
        Yaml::Tagged(tagged) => from_yaml(&tagged.value, depth + 1),
    }
}

pub(super) fn toyaml(_: &mut Interpreter<'_>, args: Args) -> Result {
    let [value, default, sort_keys] = args.bind("toyaml", ["value", "default", "sort_keys"])?;
    let value = value.unwrap_or(Value::None);
    let text = value.to_json().ok().and_then(|mut json| {
        if sort_keys.is_some_and(|sort_keys| sort_keys.is_true()) {
            json.sort_all_objects();
        }
        serde_yaml::to_string(&json).ok()
    });
    Ok(text.map(Value::from).or(default).unwrap_or(Value::None))
}

pub(super) fn set(_: &mut Interpreter<'_>, args: Args) -> Result {
    let [value, default] = args.bind("set", ["value", "default"])?;
    let made = value.unwrap_or(Value::None).items().and_then(Value::set);
    Ok(made.ok().or(default).unwrap_or(Value::None))
}

pub(super) fn set_strict(_: &mut Interpreter<'_>, args: Args) -> Result {
    let [value] = args.required("set_strict", ["value"])?;
    Value::set(value.items()?)
}

pub(super) fn zip(interp: &mut Interpreter<'_>, mut args: Args) -> Result {
    let default = args.take("default");
    match zip_strict(interp, args) {
        Ok(zipped) => Ok(zipped),
        Err(_) => Ok(default.unwrap_or(Value::None)),
    }
}

pub(super) fn zip_strict(interp: &mut Interpreter<'_>, args: Args) -> Result {
    let shortest = args.positional.iter().filter_map(|value| value.length().ok()).min();
    let mut columns = Vec::new();
    for value in &args.positional {
        columns.push(take_items(value, shortest.unwrap_or(usize::MAX))?.into_iter());
    }
    let mut rows = Vec::new();
    while !columns.is_empty() {
        let row: Option<Vec<Value>> = columns.iter_mut().map(Iterator::next).collect();
        let Some(row) = row else { break };
        interp.spend(row.len() as u64)?;
        rows.push(Value::tuple(row));
    }
    Ok(iterator("zip", rows))
}

pub(super) fn local_md5(_: &mut Interpreter<'_>, args: Args) -> Result {
    let [value] = args.required("local_md5", ["value"])?;
    if let Value::Undefined(undefined) = &value {
        return Err(undefined.error());
    }
    let digest = Md5::digest(value.text().as_bytes());
    Ok(Value::from(digest.iter().map(|byte| format!("{byte:02x}")).collect::<String>()))
}

/// What the lists of one dict have that those of another lack; keys are compared in lower case.
pub(super) fn diff_of_two_dicts(_: &mut Interpreter<'_>, args: Args) -> Result {
    let [a, b] = args.required("diff_of_two_dicts", ["dict_a", "dict_b"])?;
    let (a, b) = (lower_keys(&a)?, lower_keys(&b)?);
    let mut out = Map::new();
    for (key, values) in a {
        let Some(other) = b.get(&key) else {
            out.insert(key, values);
            continue;
        };
        let other = other.items()?;
        let missing: Vec<Value> = values.items()?.into_iter().filter(|value| !has(&other, value)).collect();
        if !missing.is_empty() {
            out.insert(key, Value::list(missing));
        }
    }
    Ok(Value::dict(out))
}

fn lower_keys(value: &Value) -> Result<Map> {
    let Value::Dict(cell) = value else { return Err(fail(format!("expected a dict, got {}", value.type_name()))) };
    Ok(cell
        .borrow()
        .iter()
        .map(|(key, value)| (Key::text(&key.value().text().to_lowercase()), value.clone()))
        .collect())
}
