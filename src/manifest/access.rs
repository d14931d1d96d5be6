//! Groups and access: who may reference whom.
//!
//! A private model is for its group alone. As in dbt, a data test counts to the group of what it stands under, and what
//! has no group (an exposure, a hook) may not use a private model either; unit tests and ad hoc queries may.

use super::Manifest;
use crate::diag::{Diagnostic, Diagnostics, codes};
use crate::node::{Node, ResourceType};

/// The words for `access`.
const WORDS: [&str; 3] = ["private", "protected", "public"];

/// Reports wrong words for access, groups that are not declared, and references to private models of other groups.
pub(super) fn check(manifest: &Manifest, diagnostics: &mut Diagnostics) {
    for node in &manifest.nodes {
        check_word(node, diagnostics);
        check_group(manifest, node, diagnostics);
        if node.resource_type == ResourceType::UnitTest {
            continue;
        }
        let parents = node.depends_on.iter().filter_map(|parent| manifest.find(parent));
        for parent in parents.filter(|parent| is_private(parent) && group_of(manifest, node) != own_group(parent)) {
            diagnostics.push(denied(node, parent));
        }
    }
}

fn check_word(node: &Node, diagnostics: &mut Diagnostics) {
    let Some(value) = node.config.get("access").filter(|_| node.resource_type == ResourceType::Model) else { return };
    if value.as_str().is_some_and(|word| WORDS.contains(&word)) {
        return;
    }
    let span = node.config.span("access").cloned().unwrap_or_else(|| node.place());
    let shown = crate::node::plain(value);
    diagnostics.push(
        Diagnostic::error(codes::BAD_CONFIG, format!("`{shown}` is no access of a model"))
            .label(span, "set here")
            .help(format!("access is one of {}", WORDS.join(", ")))
            .of_node(&node.unique_id),
    );
}

fn check_group(manifest: &Manifest, node: &Node, diagnostics: &mut Diagnostics) {
    let Some(name) = own_group(node) else { return };
    if manifest.groups.iter().any(|group| group.name == name) {
        return;
    }
    let span = node.config.span("group").cloned().unwrap_or_else(|| node.place());
    let near = crate::stdx::closest(name, manifest.groups.iter().map(|group| group.name.as_str()));
    diagnostics.push(
        Diagnostic::error(codes::BAD_CONFIG, format!("there is no group `{name}`"))
            .label(span, "set here")
            .help(match near {
                Some(near) => format!("a group named `{near}` exists"),
                None => "declare it in a properties file under `groups:`".to_string(),
            })
            .of_node(&node.unique_id),
    );
}

fn is_private(node: &Node) -> bool {
    node.resource_type == ResourceType::Model && node.config.str("access") == Some("private")
}

fn own_group(node: &Node) -> Option<&str> {
    node.config.str("group")
}

/// The group that a node belongs to; that of its subject for a generic test.
fn group_of<'a>(manifest: &'a Manifest, node: &'a Node) -> Option<&'a str> {
    match node.as_generic_test().and_then(|test| manifest.find(&test.attached_node)) {
        Some(subject) => own_group(subject),
        None => own_group(node),
    }
}

fn denied(node: &Node, parent: &Node) -> Box<Diagnostic> {
    let group = own_group(parent).unwrap_or_default();
    let call = node.refs.iter().find(|call| call.name == parent.name).and_then(|call| call.span.clone());
    Diagnostic::error(codes::ACCESS_DENIED, format!("model `{}` is private to the group `{group}`", parent.name))
        .label(call.unwrap_or_else(|| node.place()), "referenced here")
        .note(format!("needed by `{}`", node.unique_id))
        .help(format!("give both the group `{group}`, or let `{}` be protected or public", parent.name))
        .of_node(&node.unique_id)
}
