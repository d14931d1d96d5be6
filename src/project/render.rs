//! Templates inside YAML values.

use serde_json::Value as Json;

use super::yaml::{Kind, Yaml};
use crate::diag::{Diagnostics, Result, Span};

/// Renders the text of a YAML value. A text that is one expression (`"{{ var('n') }}"`) keeps the expression's type.
pub trait Render: Sync {
    /// The value of `text`, which stands at `span`.
    ///
    /// # Errors
    /// A template diagnostic with a place in the YAML file.
    fn render(&self, text: &str, span: &Span) -> Result<Json>;
}

/// Leaves texts as they are.
#[derive(Debug, Clone, Copy)]
pub struct NoRender;

impl Render for NoRender {
    fn render(&self, text: &str, _span: &Span) -> Result<Json> {
        Ok(Json::String(text.to_string()))
    }
}

/// Renders every string of `tree` in place but those under a key for which `skip` is true (given the path of keys).
pub fn render_tree(
    tree: &mut Yaml,
    render: &dyn Render,
    skip: &dyn Fn(&[String]) -> bool,
    diagnostics: &mut Diagnostics,
) {
    if is_template(&tree.span.file.text) {
        walk(tree, render, skip, &mut Vec::new(), diagnostics);
    }
}

fn walk(
    tree: &mut Yaml,
    render: &dyn Render,
    skip: &dyn Fn(&[String]) -> bool,
    path: &mut Vec<String>,
    diagnostics: &mut Diagnostics,
) {
    match &mut tree.kind {
        Kind::Str(text) => {
            if is_template(text)
                && let Some(value) = diagnostics.take(render.render(text, &tree.span))
            {
                tree.template = Some(std::mem::take(text).into());
                tree.kind = kind_of(value, &tree.span);
            }
        }
        Kind::Seq(items) => {
            for item in items {
                walk(item, render, skip, path, diagnostics);
            }
        }
        Kind::Map(entries) => {
            for (key, value) in entries {
                path.push(key.name.clone());
                if !skip(path) {
                    walk(value, render, skip, path, diagnostics);
                }
                path.pop();
            }
        }
        _ => {}
    }
}

fn is_template(text: &str) -> bool {
    text.contains("{{") || text.contains("{%") || text.contains("{#")
}

fn kind_of(value: Json, span: &Span) -> Kind {
    let child = |value: Json| Yaml::new(kind_of(value, span), span.clone());
    match value {
        Json::Null => Kind::Null,
        Json::Bool(value) => Kind::Bool(value),
        Json::Number(number) => match number.as_i64() {
            Some(value) => Kind::Int(value),
            None => Kind::Float(number.as_f64().unwrap_or_default()),
        },
        Json::String(text) => Kind::Str(text),
        Json::Array(items) => Kind::Seq(items.into_iter().map(child).collect()),
        Json::Object(entries) => Kind::Map(
            entries
                .into_iter()
                .map(|(name, value)| (super::yaml::Key { name, span: span.clone() }, child(value)))
                .collect(),
        ),
    }
}
