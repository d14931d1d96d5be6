//! Attributes and items.

use std::rc::Rc;
use std::sync::Arc;

use crate::jinja::methods;
use crate::jinja::stop::Result;
use crate::jinja::value::{Method, Value, get_index};

use super::Interpreter;

impl Interpreter<'_> {
    /// `base.name`: an attribute or method first, then an item. Undefined if there is neither.
    pub fn get_attr(&mut self, base: &Value, name: &str) -> Result {
        if let Some(value) = self.own_attr(base, name)? {
            return Ok(value);
        }
        if let Some(value) = get_index(base, &Value::str(name))? {
            return Ok(value);
        }
        Ok(self.missing(base, &Value::str(name)))
    }

    /// `base[key]`: an item first, then (for text keys) an attribute or method. Undefined if there is neither.
    pub fn get_item(&mut self, base: &Value, key: &Value) -> Result {
        if let Value::Undefined(undefined) = base {
            return if undefined.lenient { Ok(base.clone()) } else { Err(self.undefined_error(undefined, false)) };
        }
        if let Some(value) = get_index(base, key)? {
            return Ok(value);
        }
        if let Value::Str(name) = key
            && let Some(value) = self.own_attr(base, name)?
        {
            return Ok(value);
        }
        Ok(self.missing(base, key))
    }

    /// An attribute or a method; nothing if there is none.
    fn own_attr(&mut self, base: &Value, name: &str) -> Result<Option<Value>> {
        match base {
            Value::Undefined(undefined) if undefined.lenient => Ok(Some(Value::undefined_leniently(name))),
            Value::Undefined(undefined) => Err(self.undefined_error(undefined, false)),
            Value::Macro(item) if name == "name" => Ok(Some(Value::Str(Arc::clone(&item.definition().name)))),
            Value::Object(object) => {
                if let Some(found) = self.namespace_member(base, name)
                    && found.is_some()
                {
                    return Ok(found);
                }
                if let Some(value) = object.get_attr(name) {
                    return Ok(Some(value));
                }
                Ok(object.methods().contains(&name).then(|| bound(base, name)))
            }
            _ if methods::has(base, name) => Ok(Some(bound(base, name))),
            _ => Ok(None),
        }
    }

    /// `a.b.0.c` of a value, as filters spell attributes.
    pub(crate) fn get_path(&mut self, base: &Value, path: &Value) -> Result {
        let Value::Str(text) = path else { return self.get_item(base, path) };
        let mut value = base.clone();
        for part in text.split('.') {
            let key = match part.parse::<i64>() {
                Ok(number) if part.bytes().all(|byte| byte.is_ascii_digit()) => Value::Int(number),
                _ => Value::str(part),
            };
            value = self.get_item(&value, &key)?;
        }
        Ok(value)
    }
}

fn bound(receiver: &Value, name: &str) -> Value {
    Value::Method(Rc::new(Method { receiver: receiver.clone(), name: Arc::from(name) }))
}
