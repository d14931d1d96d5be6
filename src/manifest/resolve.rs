//! Names become edges: the last step of the front end before anything is selected.

use std::collections::HashMap;

use super::{Lookup, Manifest, NodeId, access, lookup};
use crate::diag::{Diagnostic, Diagnostics, codes};
use crate::graph::Dag;
use crate::node::{Node, NodeKind, ResourceType};

/// Resolves the references of all nodes in `manifest` (filled by parse, ids not yet numbered), numbers the nodes and
/// makes the DAG. Duplicates, missing and disabled references and cycles are diagnostics.
pub fn resolve(mut manifest: Manifest, diagnostics: &mut Diagnostics) -> Manifest {
    let (enabled, disabled): (Vec<Node>, Vec<Node>) = manifest.nodes.into_iter().partition(Node::is_enabled);
    manifest.disabled.extend(disabled);
    manifest.disabled.sort_by(|a, b| a.unique_id.cmp(&b.unique_id));
    manifest.nodes = enabled;
    manifest.nodes.sort_by(|a, b| a.unique_id.cmp(&b.unique_id));
    report_duplicates(&mut manifest, diagnostics);
    let lookup = Lookup::new(manifest.nodes.iter().chain(&manifest.disabled), &manifest.project_name);
    let resolved: Vec<Resolved> = manifest.nodes.iter().map(|node| dependencies(node, &lookup, diagnostics)).collect();
    for (node, resolved) in manifest.nodes.iter_mut().zip(&resolved) {
        node.depends_on.clone_from(&resolved.ids);
    }
    drop_tests_of_disabled(&mut manifest, &resolved);
    manifest.by_id = number(&manifest.nodes);
    report_ambiguous_relations(&manifest, diagnostics);
    access::check(&manifest, diagnostics);
    manifest.dag = edges(&manifest);
    if let Err(cycle) = manifest.dag.order() {
        diagnostics.push(cycle_found(&manifest, &cycle));
    }
    manifest
}

struct Resolved {
    ids: Vec<String>,
    /// A data test whose node is disabled or gone is disabled with it.
    lost: bool,
}

fn dependencies(node: &Node, lookup: &Lookup, diagnostics: &mut Diagnostics) -> Resolved {
    let mut ids: Vec<String> = Vec::new();
    let mut lost = false;
    let mut add = |found: Result<&str, Box<Diagnostic>>| match found {
        Ok(id) => {
            if !ids.iter().any(|other| other == id) {
                ids.push(id.to_string());
            }
        }
        Err(diagnostic) => {
            let is_test = matches!(node.kind, NodeKind::Test(_)) && diagnostic.code == codes::REF_DISABLED;
            lost |= is_test;
            if !is_test {
                let diagnostic = match diagnostic.labels.is_empty() {
                    true => {
                        diagnostic.label(node.place(), format!("referenced by {} `{}`", node.resource_type, node.name))
                    }
                    false => diagnostic,
                };
                diagnostics.push(diagnostic.note(format!("needed by `{}`", node.unique_id)).of_node(&node.unique_id));
            }
        }
    };
    for call in &node.refs {
        add(lookup.find_ref(call, &node.package));
    }
    for call in &node.sources {
        add(lookup.find_source(call, &node.package));
    }
    Resolved { ids, lost }
}

fn drop_tests_of_disabled(manifest: &mut Manifest, resolved: &[Resolved]) {
    if resolved.iter().all(|resolved| !resolved.lost) {
        return;
    }
    let nodes = std::mem::take(&mut manifest.nodes);
    for (node, resolved) in nodes.into_iter().zip(resolved) {
        if resolved.lost { manifest.disabled.push(node) } else { manifest.nodes.push(node) }
    }
}

fn number(nodes: &[Node]) -> HashMap<String, NodeId> {
    nodes.iter().enumerate().map(|(id, node)| (node.unique_id.clone(), id as NodeId)).collect()
}

fn edges(manifest: &Manifest) -> Dag {
    let mut dag = Dag::new(manifest.nodes.len());
    for (child, node) in manifest.nodes.iter().enumerate() {
        for parent in &node.depends_on {
            if let Some(parent) = manifest.by_id.get(parent) {
                dag.add_edge(*parent, child as NodeId);
            }
        }
    }
    dag
}

/// Two resources of one package with one unique id, or two that `ref` could mean alike.
fn report_duplicates(manifest: &mut Manifest, diagnostics: &mut Diagnostics) {
    let mut seen: HashMap<(String, String), usize> = HashMap::new();
    let mut dropped = Vec::new();
    for (index, node) in manifest.nodes.iter().enumerate() {
        let key = match lookup::shares_namespace(node.resource_type) {
            true => (node.package.clone(), node.search_name()),
            false => (String::new(), node.unique_id.clone()),
        };
        match seen.get(&key) {
            Some(first) => {
                diagnostics.push(duplicate(&manifest.nodes[*first], node));
                dropped.push(index);
            }
            None => {
                seen.insert(key, index);
            }
        }
    }
    let mut index = 0;
    manifest.nodes.retain(|_| {
        index += 1;
        !dropped.contains(&(index - 1))
    });
}

fn duplicate(first: &Node, second: &Node) -> Box<Diagnostic> {
    let message = match first.resource_type == second.resource_type {
        true => format!("two {}s are named `{}`", first.resource_type, first.search_name()),
        false => {
            format!("a {} and a {} are named `{}`", first.resource_type, second.resource_type, first.search_name())
        }
    };
    Diagnostic::error(codes::DUPLICATE_NODE, message)
        .label(second.place(), "this is the second one")
        .label(first.place(), "this is the first one")
        .help(match first.resource_type {
            ResourceType::Test => "give one of them a `name:` of its own",
            _ => "names are unique in a project, whatever the folder: rename one of them",
        })
        .of_node(&second.unique_id)
}

/// Two nodes that would be stored as one relation.
fn report_ambiguous_relations(manifest: &Manifest, diagnostics: &mut Diagnostics) {
    let mut seen: HashMap<String, &Node> = HashMap::new();
    for node in &manifest.nodes {
        let stored = matches!(node.resource_type, ResourceType::Model | ResourceType::Seed | ResourceType::Snapshot);
        let Some(relation) = node.relation.as_ref().filter(|_| stored && !node.is_ephemeral()) else { continue };
        if let Some(first) = seen.insert(relation.render().to_lowercase(), node) {
            diagnostics.push(
                Diagnostic::error(
                    codes::AMBIGUOUS_RELATION,
                    format!("`{}` and `{}` would both be stored as `{relation}`", first.name, node.name),
                )
                .label(node.place(), "this one")
                .label(first.place(), "and this one")
                .help("give one of them another `alias` or `schema`")
                .of_node(&node.unique_id),
            );
        }
    }
}

fn cycle_found(manifest: &Manifest, cycle: &[NodeId]) -> Box<Diagnostic> {
    let names: Vec<String> = cycle.iter().chain(cycle.first()).map(|id| manifest.node(*id).search_name()).collect();
    let mut diagnostic =
        Diagnostic::error(codes::CYCLE, format!("models depend on each other in a cycle: {}", names.join(" -> ")));
    for (index, id) in cycle.iter().enumerate() {
        let parent = manifest.node(*id);
        let child = manifest.node(cycle[(index + 1) % cycle.len()]);
        let call = child.refs.iter().find(|call| call.name == parent.name).and_then(|call| call.span.clone());
        if let Some(span) = call {
            diagnostic = diagnostic.label(span, format!("`{}` needs `{}`", child.name, parent.name));
        }
    }
    diagnostic.help("break the cycle: move what both need into a model of its own")
}
