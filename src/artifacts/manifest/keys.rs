//! The primary key of a model, as far as the project says.

use std::collections::BTreeSet;

use crate::manifest::Manifest;
use crate::node::{ModelParts, Node};

/// The columns of a primary key constraint; else those that are tested to be unique and not null; else those that are
/// tested to be unique.
pub(super) fn primary_key(node: &Node, parts: &ModelParts, manifest: &Manifest) -> Vec<String> {
    if let Some(constraint) = parts.constraints.iter().find(|constraint| constraint.kind == "primary_key") {
        return constraint.columns.clone();
    }
    let is_key = |kinds: &[crate::node::Constraint]| kinds.iter().any(|constraint| constraint.kind == "primary_key");
    let declared: Vec<String> =
        node.columns.iter().filter(|column| is_key(&column.constraints)).map(|column| column.name.clone()).collect();
    if !declared.is_empty() {
        return declared;
    }
    let (unique, not_null) = (tested(node, manifest, "unique"), tested(node, manifest, "not_null"));
    let both: Vec<String> = unique.intersection(&not_null).cloned().collect();
    if both.is_empty() { unique.into_iter().collect() } else { both }
}

/// Columns of `node` that have the generic test `name`.
fn tested(node: &Node, manifest: &Manifest, name: &str) -> BTreeSet<String> {
    let Some(id) = manifest.id(&node.unique_id) else { return BTreeSet::new() };
    let children = manifest.dag.children(id).iter().filter_map(|child| manifest.node(*child).as_generic_test());
    children
        .filter(|test| test.name == name && test.namespace.is_none() && test.attached_node == node.unique_id)
        .filter_map(|test| test.column_name.clone())
        .collect()
}
