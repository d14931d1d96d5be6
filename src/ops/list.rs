//! `ls`: the selected nodes, one a line.

use serde_json::{Map, Value as Json, json};

use super::state::selection;
use super::{Loaded, Options};
use crate::diag::{Diagnostics, Result};
use crate::node::{Node, NodeKind, ResourceType};

/// How `ls` writes nodes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Listed {
    /// What pastes back as a selector: `c360.staging.stg_orders`, `source:c360.lake.log`.
    Selector,
    /// Names alone.
    Name,
    /// Paths of files.
    Path,
    /// JSON objects with these keys.
    Json(OutputKeys),
}

/// Keys of JSON objects; empty: the usual ones.
pub type OutputKeys = Vec<String>;

/// The lines of `ls`.
///
/// # Errors
/// The selection cannot be read.
pub fn list(options: &Options, loaded: &Loaded, form: &Listed, diagnostics: &mut Diagnostics) -> Result<Vec<String>> {
    let selection = selection(options, loaded, diagnostics)?;
    let asked = &options.criteria.resource_types;
    let is_shown = |kind: ResourceType| kind.is_listed() || kind == ResourceType::Analysis && asked.contains(&kind);
    let nodes = selection.nodes.iter().map(|id| loaded.manifest.node(*id));
    let shown = nodes.filter(|node| is_shown(node.resource_type));
    let mut lines: Vec<String> = shown.map(|node| line(node, form)).collect();
    if !matches!(form, Listed::Json(_)) {
        lines.sort();
    }
    Ok(lines)
}

fn line(node: &Node, form: &Listed) -> String {
    match form {
        Listed::Selector => selector(node),
        Listed::Name => node.search_name(),
        Listed::Path => node.original_path.clone(),
        Listed::Json(keys) => Json::Object(object(node, keys)).to_string(),
    }
}

fn selector(node: &Node) -> String {
    match &node.kind {
        NodeKind::Source(source) => format!("source:{}.{}.{}", node.package, source.source_name, node.name),
        NodeKind::Exposure(_) => format!("exposure:{}.{}", node.package, node.name),
        NodeKind::UnitTest(_) => format!("unit_test:{}.{}", node.package, node.name),
        _ => node.fqn.join("."),
    }
}

/// The keys that `ls --output json` shows unless others are asked for.
const KEYS: &[&str] = &[
    "alias",
    "name",
    "package_name",
    "depends_on",
    "tags",
    "config",
    "resource_type",
    "source_name",
    "original_file_path",
    "unique_id",
];

fn object(node: &Node, keys: &[String]) -> Map<String, Json> {
    let all = crate::jinja::node_json(node);
    let mut all = all.as_object().cloned().unwrap_or_default();
    all.insert("config".into(), Json::Object(crate::artifacts::config(node)));
    let mut out = Map::new();
    let keys: Vec<&str> = if keys.is_empty() { KEYS.to_vec() } else { keys.iter().map(String::as_str).collect() };
    for key in keys {
        let value = match key {
            "selector" => Some(json!(selector(node))),
            "label" | "type" | "url" | "maturity" | "owner" => match &node.kind {
                NodeKind::Exposure(parts) => parts.get(key).cloned(),
                _ => None,
            },
            _ => match key.split_once('.') {
                Some((outer, inner)) => all.get(outer).and_then(|value| value.get(inner)).cloned(),
                None => all.get(key).cloned(),
            },
        };
        if let Some(value) = value {
            out.insert(key.to_string(), value);
        }
    }
    out
}
