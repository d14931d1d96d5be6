//! What a search in `modules.re` finds.

use std::any::Any;
use std::sync::Arc;

use ::regex::{Captures, Regex};

use crate::jinja::Interpreter;
use crate::jinja::stop::{Result, fail};
use crate::jinja::value::{Args, Map, Object, Value, char_len};

/// A match: texts and positions of its groups.
struct Match {
    text: Arc<str>,
    groups: Vec<Option<(usize, usize)>>,
    names: Vec<Option<String>>,
}

pub(super) fn matched(regex: &Regex, text: &Arc<str>, captures: &Captures<'_>) -> Value {
    Value::object(Match {
        text: Arc::clone(text),
        groups: captures.iter().map(|group| group.map(|group| (group.start(), group.end()))).collect(),
        names: regex.capture_names().map(|name| name.map(str::to_string)).collect(),
    })
}

impl Match {
    fn index(&self, key: &Value) -> Result<usize> {
        let found = match key {
            Value::Str(name) => self.names.iter().position(|other| other.as_deref() == Some(name)),
            _ => key.as_int().and_then(|at| usize::try_from(at).ok()).filter(|at| *at < self.groups.len()),
        };
        found.ok_or_else(|| fail("no such group"))
    }

    fn group(&self, key: &Value) -> Result {
        Ok(self.group_at(self.index(key)?, &Value::None))
    }

    fn group_at(&self, at: usize, default: &Value) -> Value {
        match self.groups[at] {
            Some((start, end)) => Value::from(&self.text[start..end]),
            None => default.clone(),
        }
    }

    /// Character positions of a group.
    fn span(&self, at: usize) -> (i64, i64) {
        match self.groups[at] {
            Some((start, end)) => (char_len(&self.text[..start]) as i64, char_len(&self.text[..end]) as i64),
            None => (-1, -1),
        }
    }
}

impl Object for Match {
    fn type_name(&self) -> &str {
        "re.Match"
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn get_attr(&self, name: &str) -> Option<Value> {
        match name {
            "string" => Some(Value::Str(Arc::clone(&self.text))),
            "lastindex" => Some(Value::from((1..self.groups.len()).rfind(|at| self.groups[*at].is_some()))),
            _ => None,
        }
    }

    fn get_item(&self, key: &Value) -> Option<Result> {
        Some(self.group(key))
    }

    fn methods(&self) -> &[&'static str] {
        &["group", "groups", "groupdict", "start", "end", "span"]
    }

    fn call_method(&self, _: &mut Interpreter<'_>, name: &str, args: Args) -> Result {
        match name {
            "group" => match args.positional.as_slice() {
                [] => self.group(&Value::Int(0)),
                [key] => self.group(key),
                keys => Ok(Value::tuple(keys.iter().map(|key| self.group(key)).collect::<Result<Vec<_>>>()?)),
            },
            "groups" => {
                let [default] = args.bind(name, ["default"])?;
                let default = default.unwrap_or(Value::None);
                Ok(Value::tuple((1..self.groups.len()).map(|at| self.group_at(at, &default))))
            }
            "groupdict" => {
                let [default] = args.bind(name, ["default"])?;
                let default = default.unwrap_or(Value::None);
                let named = self.names.iter().enumerate();
                let entries = named.filter_map(|(at, name)| {
                    Some((crate::jinja::value::Key::text(name.as_deref()?), self.group_at(at, &default)))
                });
                Ok(Value::dict(entries.collect::<Map>()))
            }
            _ => {
                let [key] = args.bind(name, ["group"])?;
                let (start, end) = self.span(self.index(&key.unwrap_or(Value::Int(0)))?);
                Ok(match name {
                    "start" => Value::Int(start),
                    "end" => Value::Int(end),
                    _ => Value::tuple([Value::Int(start), Value::Int(end)]),
                })
            }
        }
    }

    fn repr(&self) -> String {
        let (start, end) = self.span(0);
        format!("<re.Match object; span=({start}, {end}), match={}>", self.group_at(0, &Value::None).repr())
    }
}
