//! Reads a map of settings key by key, and notices what nobody asked for.
//!
//! The maps come from `profiles.yml` and from a model's `publish:` config. A key that is not known is an error here and
//! no warning: a misspelt `ssl_mode` that is ignored would be an open line.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::diag::{Code, Diagnostic, Result, codes};
use crate::stdx::closest;

/// The settings of one thing. Call the typed getters for every key that exists, then [`Fields::finish`].
pub(super) struct Fields<'a> {
    what: String,
    code: Code,
    map: &'a Map<String, Value>,
    known: Vec<&'static str>,
}

impl<'a> Fields<'a> {
    /// Settings of `what` (words for messages, such as "destination `bi`"); complaints get `code`.
    pub(super) fn new(what: String, code: Code, value: &'a Value) -> Result<Fields<'a>> {
        match value {
            Value::Object(map) => Ok(Fields { what, code, map, known: Vec::new() }),
            other => Err(Diagnostic::error(code, format!("{what} is {}, not a map of settings", kind(other)))),
        }
    }

    /// The value of `key`; a null counts as absent.
    fn value(&mut self, key: &'static str) -> Option<&'a Value> {
        self.known.push(key);
        self.map.get(key).filter(|value| !value.is_null())
    }

    /// The value of `key` as it is, for settings that come in several forms.
    pub(super) fn any(&mut self, key: &'static str) -> Option<&'a Value> {
        self.value(key)
    }

    /// A complaint about `key`.
    pub(super) fn bad(&self, key: &str, problem: impl std::fmt::Display) -> Box<Diagnostic> {
        Diagnostic::error(self.code, format!("`{key}` of {} {problem}", self.what))
    }

    /// Text; numbers and booleans count as their text, since YAML takes quotes from `password: 1234`.
    pub(super) fn text(&mut self, key: &'static str) -> Result<Option<String>> {
        match self.value(key) {
            None => Ok(None),
            Some(value) => {
                scalar(value).map(Some).ok_or_else(|| self.bad(key, format!("is {}, not text", kind(value))))
            }
        }
    }

    /// Text that must be there and not empty.
    pub(super) fn required(&mut self, key: &'static str) -> Result<String> {
        match self.text(key)? {
            Some(text) if !text.is_empty() => Ok(text),
            Some(_) => Err(self.bad(key, "is empty")),
            None => Err(self.bad(key, "is missing")),
        }
    }

    /// A whole number in `range`; text that spells one is fine, since templates make text.
    pub(super) fn number(&mut self, key: &'static str, range: std::ops::RangeInclusive<u64>) -> Result<Option<u64>> {
        let Some(value) = self.value(key) else { return Ok(None) };
        let number = scalar(value).and_then(|text| text.trim().parse::<u64>().ok());
        match number {
            Some(number) if range.contains(&number) => Ok(Some(number)),
            _ => {
                let (low, high) = (range.start(), range.end());
                Err(self.bad(key, format!("is {value}, not a whole number from {low} to {high}")))
            }
        }
    }

    /// A list of texts; one text counts as a list of one.
    pub(super) fn texts(&mut self, key: &'static str) -> Result<Vec<String>> {
        match self.value(key) {
            None => Ok(Vec::new()),
            Some(value) => text_list(value).ok_or_else(|| self.bad(key, "is neither a name nor a list of names")),
        }
    }

    /// A list whose items are texts or lists of texts.
    pub(super) fn text_lists(&mut self, key: &'static str) -> Result<Vec<Vec<String>>> {
        match self.value(key) {
            None => Ok(Vec::new()),
            Some(Value::Array(items)) => items
                .iter()
                .map(|item| text_list(item).filter(|list| !list.is_empty()))
                .collect::<Option<_>>()
                .ok_or_else(|| self.bad(key, "is not a list of columns or of lists of columns")),
            Some(value) => match scalar(value) {
                Some(text) => Ok(vec![vec![text]]),
                None => Err(self.bad(key, "is not a list of columns or of lists of columns")),
            },
        }
    }

    /// A map of texts.
    pub(super) fn text_map(&mut self, key: &'static str) -> Result<BTreeMap<String, String>> {
        match self.value(key) {
            None => Ok(BTreeMap::new()),
            Some(Value::Object(map)) => map
                .iter()
                .map(|(name, value)| scalar(value).map(|text| (name.clone(), text)))
                .collect::<Option<_>>()
                .ok_or_else(|| self.bad(key, "has a value that is not text")),
            Some(value) => Err(self.bad(key, format!("is {}, not a map", kind(value)))),
        }
    }

    /// One word of a list of allowed words, whatever its case.
    pub(super) fn word<T: Copy>(&mut self, key: &'static str, words: &[(&str, T)]) -> Result<Option<T>> {
        let Some(text) = self.text(key)? else { return Ok(None) };
        let lower = text.trim().to_lowercase().replace('-', "_");
        match words.iter().find(|(word, _)| *word == lower) {
            Some((_, value)) => Ok(Some(*value)),
            None => {
                let all: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
                let near = closest(&lower, all.iter().copied()).map(|word| format!("did you mean `{word}`?"));
                Err(self.bad(key, format!("is `{text}`, not one of {}", all.join(", "))).maybe_help(near))
            }
        }
    }

    /// Complains about a key that no getter asked for.
    pub(super) fn finish(self) -> Result<()> {
        match self.map.keys().find(|key| !self.known.contains(&key.as_str())) {
            None => Ok(()),
            Some(key) => {
                let help = match closest(key, self.known.iter().copied()) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("it can have {}", self.known.join(", ")),
                };
                Err(Diagnostic::error(self.code, format!("{} has an unknown key `{key}`", self.what)).help(help))
            }
        }
    }
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        _ => None,
    }
}

pub(super) fn text_list(value: &Value) -> Option<Vec<String>> {
    match value {
        Value::Array(items) => items.iter().map(scalar).collect(),
        other => scalar(other).map(|text| vec![text]),
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "a map",
    }
}

/// [`codes::PUBLISH_CONFIG`] in short, for the two users of this module.
pub(super) const CONFIG: Code = codes::PUBLISH_CONFIG;
