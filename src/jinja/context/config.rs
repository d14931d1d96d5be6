//! `config`: it sets when called, and reads through its methods.

use std::any::Any;
use std::rc::Rc;

use serde_json::Value as Json;

use super::Scope;
use crate::diag::{Diagnostic, Span, codes};
use crate::jinja::interp::Interpreter;
use crate::jinja::stop::{Result, Stop, fail};
use crate::jinja::value::{Args, Object, Value};
use crate::node::canonical_key;

pub(super) fn value(scope: &Rc<Scope>) -> Value {
    Value::object(ConfigValue { scope: Rc::clone(scope) })
}

struct ConfigValue {
    scope: Rc<Scope>,
}

impl ConfigValue {
    /// The value of a setting: what this template has set so far, then the layers below.
    fn get(&self, key: &str) -> Option<Value> {
        let key = canonical_key(key);
        let captured = self.scope.captured.borrow();
        let own = captured.config.iter().rev().find(|(name, ..)| canonical_key(name) == key);
        if let Some((_, value, _)) = own {
            return Some(Value::from_json(value)).filter(|value| !value.is_none());
        }
        self.scope.node.as_ref()?.config.get(key).map(Value::from_json)
    }

    fn capture(&self, settings: Vec<(String, Json)>, at: &Span) {
        let mut captured = self.scope.captured.borrow_mut();
        captured.config.extend(settings.into_iter().map(|(key, value)| (key, value, at.clone())));
    }

    fn meta(&self, key: &str) -> Option<Value> {
        let mut value = self.get("meta")?;
        for part in key.split('.') {
            value = match &value {
                Value::Dict(cell) => cell.get(part)?,
                _ => return None,
            };
        }
        Some(value)
    }

    fn missing(&self, key: &str) -> Stop {
        let name = self.scope.node.as_ref().map_or("this file", |node| node.name.as_str());
        Diagnostic::error(codes::BAD_CONFIG, format!("`{name}` does not set `{key}`, which is required here")).into()
    }
}

impl Object for ConfigValue {
    fn type_name(&self) -> &str {
        "config"
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn get_attr(&self, name: &str) -> Option<Value> {
        self.get(name)
    }

    fn get_item(&self, key: &Value) -> Option<Result> {
        Some(Ok(self.get(key.as_str()?).unwrap_or(Value::None)))
    }

    fn methods(&self) -> &[&'static str] {
        &["get", "require", "meta_get", "meta_require", "set", "persist_relation_docs", "persist_column_docs"]
    }

    fn call_method(&self, interp: &mut Interpreter<'_>, name: &str, mut args: Args) -> Result {
        args.take("validator");
        match name {
            "set" => {
                let [key, value] = args.required(name, ["name", "value"])?;
                let key = key.as_str().ok_or_else(|| fail("config.set() takes a name"))?.to_string();
                self.capture(vec![(key, plain_json(&value)?)], &interp.site());
                Ok(Value::str(""))
            }
            "get" | "meta_get" => {
                let [key, default] = args.bind(name, ["name", "default"])?;
                let key = key.as_ref().and_then(Value::as_str).ok_or_else(|| fail("config.get() takes a name"))?;
                let found = if name == "get" { self.get(key) } else { self.meta(key) };
                Ok(found.or(default).unwrap_or(Value::None))
            }
            "require" | "meta_require" => {
                let [key] = args.required(name, ["name"])?;
                let key = key.as_str().ok_or_else(|| fail("config.require() takes a name"))?;
                let found = if name == "require" { self.get(key) } else { self.meta(key) };
                match found {
                    Some(value) => Ok(value),
                    None if !self.scope.execute => Ok(Value::None),
                    None => Err(self.missing(key)),
                }
            }
            "persist_relation_docs" | "persist_column_docs" => Ok(Value::Bool(false)),
            _ => Ok(Value::str("")),
        }
    }

    fn is_callable(&self) -> bool {
        true
    }

    fn call(&self, interp: &mut Interpreter<'_>, args: Args) -> Result {
        let span = interp.site();
        let mut settings: Vec<(String, Json)> = Vec::new();
        match args.positional.as_slice() {
            [] => {}
            [Value::Dict(cell)] if args.keyword.is_empty() => {
                for (key, value) in cell.borrow().iter() {
                    let key = key.value().as_str().ok_or_else(|| fail("config() takes settings by name"))?.to_string();
                    settings.push((key, plain_json(value)?));
                }
            }
            _ => return Err(fail("config() takes settings by name: config(materialized='table')")),
        }
        for (key, value) in &args.keyword {
            settings.push((key.to_string(), plain_json(value)?));
        }
        self.capture(settings, &span);
        Ok(Value::str(""))
    }
}

/// A setting as JSON. What is not known while parsing is null, and dates are texts: `begin=modules.datetime.date(2024, 1, 1)`.
fn plain_json(value: &Value) -> Result<Json> {
    match value {
        Value::Undefined(_) => Ok(Json::Null),
        Value::Object(object) if object.type_name().starts_with("datetime.date") => {
            Ok(Json::String(object.str().replacen(' ', "T", 1)))
        }
        other => other.to_json(),
    }
}
