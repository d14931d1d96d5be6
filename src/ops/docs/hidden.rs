//! Which columns keep their values to themselves.
//!
//! A column with the tag `pii` or `sensitive`, or with `meta: {c360: {sample: false}}`, is not sampled, and neither is a
//! column that is made from it: what that is, `lineage.json` knows. Where it does not know about a node, and something
//! above the node is hidden, none of the node's rows are shown.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use serde_json::{Map, Value as Json};

use crate::graph::Dag;
use crate::manifest::{Manifest, NodeId};
use crate::node::{Column, Node};
use crate::warehouse::profile::EVERY_COLUMN;

/// Tags that hide a column.
const TAGS: [&str; 2] = ["pii", "sensitive"];

/// A column: unique id of its node, name in lower case.
type Place = (String, String);

/// What is hidden in a project.
pub(in crate::ops) struct Hidden {
    columns: HashSet<Place>,
    /// Unique ids of nodes whose rows are not shown at all.
    nodes: HashSet<String>,
}

impl Hidden {
    /// What `manifest` declares, spread along the `lineage.json` in `artifacts`.
    pub(in crate::ops) fn new(manifest: &Manifest, artifacts: &Path) -> Hidden {
        let text = std::fs::read_to_string(artifacts.join("lineage.json")).ok();
        let lineage = text.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or(Json::Null);
        Hidden::spread(manifest, &lineage)
    }

    fn spread(manifest: &Manifest, lineage: &Json) -> Hidden {
        let mut hidden = Hidden { columns: declared(manifest), nodes: HashSet::new() };
        let known = |node: &Node| lineage.get("nodes").and_then(|nodes| nodes.get(&node.unique_id)?.get("columns"));
        for id in order(&manifest.dag, manifest) {
            let node = manifest.node(id);
            if !samples(&node.config.get("meta").cloned().unwrap_or_default()) {
                hidden.nodes.insert(node.unique_id.clone());
            }
            match known(node).and_then(Json::as_object) {
                Some(columns) => hidden.inherit(&node.unique_id, columns),
                None if node.as_source().is_none() && hidden.is_anything_in(&node.depends_on) => {
                    hidden.nodes.insert(node.unique_id.clone());
                }
                None => {}
            }
        }
        hidden
    }

    /// Hides the columns of a node that are made from hidden ones.
    fn inherit(&mut self, node: &str, columns: &Map<String, Json>) {
        for (name, column) in columns {
            let tags = column.get("tags").and_then(Json::as_object);
            let is_tagged = tags.is_some_and(|tags| TAGS.iter().any(|tag| tags.contains_key(*tag)));
            let inputs = column.get("inputs").and_then(Json::as_array);
            if is_tagged || inputs.into_iter().flatten().any(|input| self.is_carried(input)) {
                self.columns.insert((node.to_string(), name.to_lowercase()));
            }
        }
    }

    /// True for an input that carries values of a hidden column.
    fn is_carried(&self, input: &Json) -> bool {
        let text = |key: &str| input.get(key).and_then(Json::as_str).unwrap_or_default();
        // An aggregate may be the value itself (`max`); a count is not, but nobody has said so here.
        let carries = matches!(text("kind"), "copied" | "transformed" | "aggregated" | "window");
        carries && self.columns.contains(&(text("node").to_string(), text("column").to_lowercase()))
    }

    fn is_anything_in(&self, nodes: &[String]) -> bool {
        nodes.iter().any(|node| self.nodes.contains(node) || self.columns.iter().any(|(place, _)| place == node))
    }

    /// True if no row of the node is shown.
    pub(in crate::ops) fn is_node(&self, node: &Node) -> bool {
        self.nodes.contains(&node.unique_id)
    }

    /// True if the values of a column are not shown.
    pub(in crate::ops) fn is_column(&self, node: &Node, column: &str) -> bool {
        self.columns.contains(&(node.unique_id.clone(), column.to_lowercase()))
    }
}

impl Hidden {
    /// Columns whose values are nowhere to be kept, by unique id of their node; [`EVERY_COLUMN`] where no row is shown.
    pub(in crate::ops) fn by_node(&self) -> HashMap<String, Vec<String>> {
        let mut found: HashMap<String, Vec<String>> = HashMap::new();
        let whole = self.nodes.iter().map(|node| (node, EVERY_COLUMN.to_string()));
        for (node, column) in self.columns.iter().map(|(node, column)| (node, column.clone())).chain(whole) {
            found.entry(node.clone()).or_default().push(column);
        }
        found
    }
}

/// True if any column of the project says that its values are to be hidden.
pub(in crate::ops) fn is_anything_declared(manifest: &Manifest) -> bool {
    manifest.nodes.iter().any(|node| node.columns.iter().any(is_declared))
}

/// Columns that say it themselves.
fn declared(manifest: &Manifest) -> HashSet<Place> {
    let mut hidden = HashSet::new();
    for node in &manifest.nodes {
        for column in node.columns.iter().filter(|column| is_declared(column)) {
            hidden.insert((node.unique_id.clone(), column.name.to_lowercase()));
        }
    }
    hidden
}

fn is_declared(column: &Column) -> bool {
    let is_tagged = column.tags.iter().any(|tag| TAGS.contains(&tag.to_lowercase().as_str()));
    is_tagged || !samples(&Json::Object(column.meta.clone()))
}

/// False if a `meta` says `c360: {sample: false}`.
fn samples(meta: &Json) -> bool {
    meta.get("c360").and_then(|own| own.get("sample")).and_then(Json::as_bool).unwrap_or(true)
}

/// Nodes with parents first.
fn order(dag: &Dag, manifest: &Manifest) -> Vec<NodeId> {
    let ids: Vec<NodeId> = manifest.ids().collect();
    let mut open: HashMap<NodeId, usize> = ids.iter().map(|id| (*id, dag.parents(*id).len())).collect();
    let mut ready: Vec<NodeId> = ids.iter().copied().filter(|id| dag.parents(*id).is_empty()).collect();
    let mut order = Vec::with_capacity(ids.len());
    while let Some(id) = ready.pop() {
        order.push(id);
        for child in dag.children(id) {
            if let Some(count) = open.get_mut(child) {
                *count = count.saturating_sub(1);
                if *count == 0 {
                    ready.push(*child);
                }
            }
        }
    }
    order
}
