//! Groups and access: who may reference whom.
//!
//! A private model is for its group alone. As in dbt, a data test counts to the group of what it stands under, and what
//! has no group (an exposure, a hook) may not use a private model either; unit tests and ad hoc queries may. A package
//! with `restrict-access: true` keeps also its protected models to itself; a model that says nothing is protected.

use super::Manifest;
use crate::diag::{Diagnostic, Diagnostics, Span, codes};
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
        for parent in parents.filter(|parent| parent.resource_type == ResourceType::Model) {
            let is_far = node.package != parent.package && manifest.restricted.contains(&parent.package);
            match parent.config.str("access") {
                Some("private") if is_far || group_of(manifest, node) != own_group(parent) => {
                    diagnostics.push(denied(node, parent));
                }
                None | Some("protected") if is_far => diagnostics.push(protected(node, parent)),
                _ => {}
            }
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

/// Where `node` refers to `parent`.
fn reference(node: &Node, parent: &Node) -> Span {
    let call = node.refs.iter().find(|call| call.name == parent.name);
    call.and_then(|call| call.span.clone()).unwrap_or_else(|| node.place())
}

fn protected(node: &Node, parent: &Node) -> Box<Diagnostic> {
    let (name, package) = (&parent.name, &parent.package);
    Diagnostic::error(codes::ACCESS_DENIED, format!("model `{name}` is protected, and `{package}` restricts access"))
        .label(reference(node, parent), "referenced here")
        .note(format!("needed by `{}`", node.unique_id))
        .help(format!("`{package}` can give `{name}` the access `public`, or set `restrict-access: false`"))
        .of_node(&node.unique_id)
}

fn denied(node: &Node, parent: &Node) -> Box<Diagnostic> {
    let group = own_group(parent).unwrap_or_default();
    Diagnostic::error(codes::ACCESS_DENIED, format!("model `{}` is private to the group `{group}`", parent.name))
        .label(reference(node, parent), "referenced here")
        .note(format!("needed by `{}`", node.unique_id))
        .help(format!("give both the group `{group}`, or let `{}` be protected or public", parent.name))
        .of_node(&node.unique_id)
}
