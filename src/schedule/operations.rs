//! `on-run-start` and `on-run-end`.

use serde_json::Value as Json;

use crate::manifest::{Manifest, NodeId};
use crate::node::{Node, ResourceType};

/// The operations of the manifest that run at `when` (`on-run-start` or `on-run-end`), in order: those of packages
/// first, each in the order of its file.
pub(super) fn operations(manifest: &Manifest, when: &str) -> Vec<NodeId> {
    let is_wanted =
        |node: &Node| node.resource_type == ResourceType::Operation && node.tags().iter().any(|tag| tag == when);
    let mut found: Vec<NodeId> = manifest.ids().filter(|id| is_wanted(manifest.node(*id))).collect();
    found.sort_by_key(|id| {
        let node = manifest.node(*id);
        let index = node.config.get("index").and_then(Json::as_u64).unwrap_or(0);
        (node.package == manifest.project_name, node.package.clone(), index)
    });
    found
}
