//! Arguments of generic tests: what a properties file wrote, evaluated.

use std::rc::Rc;
use std::sync::Arc;

use serde_json::Value as Json;

use super::{NodeContext, Scope};
use crate::diag::SourceFile;
use crate::jinja::interp::{Interpreter, Options};
use crate::jinja::parse_template;
use crate::jinja::stop::Result;
use crate::jinja::value::Value;

/// `_dbt_generic_test_kwargs`, as a function value would be evaluated too late: the arguments of the test's macro.
/// Evaluating them needs an interpreter, so the name is an object that the call's `**` asks for its items.
pub(super) fn kwargs(scope: &Rc<Scope>) -> Option<Value> {
    scope.node.as_ref()?.as_generic_test()?;
    let templates = Arc::clone(&scope.world.environment);
    let context = NodeContext { scope: Rc::clone(scope) };
    let options =
        Options { package: Arc::from(scope.package.as_str()), native: true, map: false, ..Options::default() };
    let mut interp = Interpreter::new(&templates, &context, options);
    match evaluate(scope, &mut interp) {
        Ok(value) => Some(value),
        Err(stop) => {
            scope.failure.borrow_mut().get_or_insert_with(|| stop.into_diagnostic());
            Some(Value::dict_of::<&str>([]))
        }
    }
}

fn evaluate(scope: &Rc<Scope>, interp: &mut Interpreter<'_>) -> Result {
    let Some(test) = scope.node.as_ref().and_then(|node| node.as_generic_test()) else { return Ok(Value::None) };
    let place = scope.node.as_ref().map(|node| node.place());
    let path = place.as_ref().map_or(String::new(), |span| span.file.path.clone());
    let mut out = Vec::new();
    for (name, json) in &test.kwargs {
        let value = match name.as_str() {
            "column_name" => Value::from_json(json),
            _ => argument(interp, &path, json)?,
        };
        out.push((name.clone(), value));
    }
    Ok(Value::dict_of(out))
}

/// An argument with its templates rendered, those inside of lists and mappings too.
fn argument(interp: &mut Interpreter<'_>, path: &str, json: &Json) -> Result {
    match json {
        Json::String(text) => match template_of(text) {
            Some(source) => Ok(interp.render_value(&parse_template(&SourceFile::new(path, source))?)?),
            None => Ok(Value::str(text)),
        },
        Json::Array(items) => {
            let items: Result<Vec<Value>> = items.iter().map(|item| argument(interp, path, item)).collect();
            items.map(Value::list)
        }
        Json::Object(map) => {
            let mut items = Vec::new();
            for (key, item) in map {
                items.push((key.clone(), argument(interp, path, item)?));
            }
            Ok(Value::dict_of(items))
        }
        other => Ok(Value::from_json(other)),
    }
}

/// The template in an argument: text with tags, or a bare call such as `ref('x')`, which dbt evaluates too.
fn template_of(text: &str) -> Option<String> {
    if text.contains("{{") || text.contains("{%") {
        return Some(text.to_string());
    }
    let start = text.trim_start();
    let is_call = ["ref(", "source(", "var(", "env_var("].iter().any(|call| start.starts_with(call));
    is_call.then(|| format!("{{{{ {text} }}}}"))
}
