//! JSON in and out.

use std::fmt::Write;

use serde_json::Value as Json;

use super::{Key, Map, Value, float_repr};
use crate::jinja::stop::{Result, fail};

const MAX_DEPTH: u32 = 100;

impl Value {
    /// The value for a JSON document; objects keep their order.
    pub fn from_json(json: &Json) -> Value {
        match json {
            Json::Null => Value::None,
            Json::Bool(value) => Value::Bool(*value),
            Json::Number(number) => match (number.as_i64(), number.as_f64()) {
                (Some(number), _) => Value::Int(number),
                (None, Some(number)) => Value::Float(number),
                (None, None) => Value::str(number.to_string()),
            },
            Json::String(text) => Value::str(text),
            Json::Array(items) => Value::list(items.iter().map(Value::from_json)),
            Json::Object(entries) => Value::dict(
                entries.iter().map(|(key, value)| (Key::text(key), Value::from_json(value))).collect::<Map>(),
            ),
        }
    }

    /// The JSON document for a value; an error names a type that has none. Numbers that JSON lacks become null.
    pub fn to_json(&self) -> Result<Json> {
        to_json(self, 0)
    }
}

impl From<&Json> for Value {
    fn from(json: &Json) -> Value {
        Value::from_json(json)
    }
}

fn to_json(value: &Value, depth: u32) -> Result<Json> {
    if depth > MAX_DEPTH {
        return Err(fail("the value contains itself or is nested too deep for JSON"));
    }
    let array = |items: Vec<Value>| -> Result<Json> {
        Ok(Json::Array(items.iter().map(|item| to_json(item, depth + 1)).collect::<Result<_>>()?))
    };
    Ok(match value {
        Value::None => Json::Null,
        Value::Bool(value) => Json::Bool(*value),
        Value::Int(number) => Json::from(*number),
        Value::Float(number) => serde_json::Number::from_f64(*number).map_or(Json::Null, Json::Number),
        Value::Str(text) => Json::String(text.to_string()),
        Value::List(cell) => array(cell.to_vec())?,
        Value::Tuple(items) => array(items.to_vec())?,
        Value::Dict(cell) => {
            let mut out = serde_json::Map::new();
            for (key, value) in cell.borrow().iter() {
                out.insert(key_text(key)?, to_json(value, depth + 1)?);
            }
            Json::Object(out)
        }
        Value::Object(object) => match object.to_json() {
            Some(json) => json,
            None => return Err(not_serializable(value)),
        },
        Value::Undefined(undefined) => return Err(undefined.error()),
        _ => return Err(not_serializable(value)),
    })
}

fn not_serializable(value: &Value) -> crate::jinja::stop::Stop {
    fail(format!("Object of type {} is not JSON serializable", value.type_name()))
}

fn key_text(key: &Key) -> Result<String> {
    match key.value() {
        Value::Str(text) => Ok(text.to_string()),
        Value::Int(number) => Ok(number.to_string()),
        Value::Float(number) => Ok(float_repr(*number)),
        Value::Bool(value) => Ok(value.to_string()),
        Value::None => Ok("null".to_string()),
        other => Err(fail(format!("keys must be str, int, float, bool or None, not {}", other.type_name()))),
    }
}

/// `json.dumps` as Python writes it: `, ` and `: ` between parts, ASCII alone.
pub(crate) fn python_json(json: &Json, sort_keys: bool, indent: Option<usize>) -> String {
    let mut out = String::new();
    Writer { sort_keys, indent }.value(json, 0, &mut out);
    out
}

struct Writer {
    sort_keys: bool,
    indent: Option<usize>,
}

impl Writer {
    fn value(&self, json: &Json, depth: usize, out: &mut String) {
        match json {
            Json::Null => out.push_str("null"),
            Json::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
            Json::Number(number) => match number.as_f64() {
                Some(float) if number.is_f64() => out.push_str(&float_repr(float)),
                _ => out.push_str(&number.to_string()),
            },
            Json::String(text) => string(text, out),
            Json::Array(items) => {
                self.parts('[', ']', items.iter(), depth, out, |item, out| self.value(item, depth + 1, out));
            }
            Json::Object(entries) => {
                let mut entries: Vec<_> = entries.iter().collect();
                if self.sort_keys {
                    entries.sort_by_key(|(key, _)| *key);
                }
                self.parts('{', '}', entries.into_iter(), depth, out, |(key, value), out| {
                    string(key, out);
                    out.push_str(": ");
                    self.value(value, depth + 1, out);
                });
            }
        }
    }

    fn parts<T>(
        &self,
        open: char,
        close: char,
        items: impl ExactSizeIterator<Item = T>,
        depth: usize,
        out: &mut String,
        write: impl Fn(T, &mut String),
    ) {
        let empty = items.len() == 0;
        out.push(open);
        for (index, item) in items.enumerate() {
            match (index, self.indent) {
                (0, None) => {}
                (_, None) => out.push_str(", "),
                (index, Some(_)) => {
                    if index > 0 {
                        out.push(',');
                    }
                    self.line(depth + 1, out);
                }
            }
            write(item, out);
        }
        if !empty && self.indent.is_some() {
            self.line(depth, out);
        }
        out.push(close);
    }

    fn line(&self, depth: usize, out: &mut String) {
        out.push('\n');
        out.extend(std::iter::repeat_n(' ', depth * self.indent.unwrap_or(0)));
    }
}

fn string(text: &str, out: &mut String) {
    out.push('"');
    for char in text.chars() {
        match char {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            ' '..='~' => out.push(char),
            _ => {
                for unit in char.encode_utf16(&mut [0; 2]) {
                    let _ = write!(out, "\\u{unit:04x}");
                }
            }
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_and_back() {
        let json: Json = serde_json::json!({"z": [1, 2.5, null, true], "a": {"k": "é"}});
        let value = Value::from_json(&json);
        assert_eq!(value.text(), "{'z': [1, 2.5, None, True], 'a': {'k': 'é'}}");
        assert_eq!(value.to_json().expect("json"), json);
        assert_eq!(python_json(&json, false, None), r#"{"z": [1, 2.5, null, true], "a": {"k": "\u00e9"}}"#);
        assert_eq!(python_json(&json["z"], false, Some(2)), "[\n  1,\n  2.5,\n  null,\n  true\n]");
    }
}
