//! `config explain`: every setting of a node, and where it was set.

use serde_json::{Map, Value as Json, json};

use super::state::selection;
use super::{Loaded, Options};
use crate::diag::{Diagnostics, Result, Span};
use crate::node::{Setting, plain};

/// The settings of one node.
#[derive(Debug)]
pub struct NodeConfig {
    /// Unique id.
    pub unique_id: String,
    /// In the order of their keys.
    pub settings: Vec<Explained>,
}

/// One setting.
#[derive(Debug)]
pub struct Explained {
    /// Its key.
    pub key: String,
    /// Its value, all layers applied.
    pub value: Json,
    /// Places that set it, the strongest first; none for a default.
    pub places: Vec<Span>,
}

/// The settings of the selected nodes.
///
/// # Errors
/// The selection cannot be read.
pub fn explain_config(options: &Options, loaded: &Loaded, diagnostics: &mut Diagnostics) -> Result<Vec<NodeConfig>> {
    let selection = selection(options, loaded, diagnostics)?;
    let node = |id: &_| {
        let node = loaded.manifest.node(*id);
        let mut settings: Vec<Explained> =
            node.config.iter().map(|(key, setting)| Explained::new(key, setting)).collect();
        settings.sort_by(|a, b| a.key.cmp(&b.key));
        NodeConfig { unique_id: node.unique_id.clone(), settings }
    };
    Ok(selection.nodes.iter().map(node).collect())
}

impl Explained {
    fn new(key: &str, setting: &Setting) -> Explained {
        let mut places: Vec<Span> = setting.span.iter().chain(setting.beneath.iter().rev()).cloned().collect();
        places.dedup();
        Explained { key: key.to_string(), value: setting.value.clone(), places }
    }

    /// The value as people read it: text bare, everything else as JSON.
    fn shown(&self) -> String {
        match &self.value {
            Json::String(text) if !text.is_empty() => plain(&self.value),
            other => other.to_string(),
        }
    }
}

/// `file:line:column`.
fn place(span: &Span) -> String {
    let (line, column) = span.line_col();
    format!("{}:{line}:{column}", span.file.path)
}

impl NodeConfig {
    /// Lines for people: key, value, the place that set it; below it the places that it overrules or adds to.
    pub fn lines(&self) -> Vec<String> {
        let width = |texts: &mut dyn Iterator<Item = usize>| texts.max().unwrap_or(0);
        let keys = width(&mut self.settings.iter().map(|setting| setting.key.chars().count()));
        let values = width(&mut self.settings.iter().map(|setting| setting.shown().chars().count())).min(48);
        let mut lines = vec![self.unique_id.clone()];
        for setting in &self.settings {
            let first = setting.places.first().map_or_else(|| "default".to_string(), place);
            lines.push(format!("  {:keys$}  {:values$}  {first}", setting.key, setting.shown()));
            for other in setting.places.iter().skip(1) {
                lines.push(format!("  {:keys$}  {:values$}  over {}", "", "", place(other)));
            }
        }
        lines
    }

    /// The same for programs.
    pub fn to_json(&self) -> Json {
        let mut settings = Map::new();
        for setting in &self.settings {
            let places: Vec<String> = setting.places.iter().map(place).collect();
            settings.insert(setting.key.clone(), json!({ "value": setting.value, "set_at": places }));
        }
        json!({ "unique_id": self.unique_id, "config": settings })
    }
}
