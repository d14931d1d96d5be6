//! Models that go away: those whose date is past, and references to those that have one.

use chrono::{DateTime, Utc};

use super::Manifest;
use crate::diag::{Diagnostic, Diagnostics, codes};
use crate::node::{Node, ResourceType};

/// Warns of models whose `deprecation_date` is before `now`, and of models that refer to one that has such a date.
pub fn report_deprecated(manifest: &Manifest, now: DateTime<Utc>, diagnostics: &mut Diagnostics) {
    for node in manifest.nodes.iter().filter(|node| node.resource_type == ResourceType::Model) {
        if let Some(date) = date(node).filter(|date| *date < now) {
            let message = format!("model `{}` should be gone since {}", node.search_name(), date.format("%Y-%m-%d"));
            let place = node.patch.clone().unwrap_or_else(|| node.place());
            let warning = Diagnostic::warning(codes::DEPRECATED, message).label(place, "has a `deprecation_date`");
            diagnostics.push(warning.help("remove it, or give it a later date").of_node(&node.unique_id));
        }
        for parent in node.depends_on.iter().filter_map(|id| manifest.find(id)) {
            if let Some(date) = date(parent) {
                diagnostics.push(referred(node, parent, date, now));
            }
        }
    }
}

fn date(node: &Node) -> Option<DateTime<Utc>> {
    node.as_model()?.deprecation_date
}

fn referred(node: &Node, parent: &Node, date: DateTime<Utc>, now: DateTime<Utc>) -> Box<Diagnostic> {
    let when = if date < now { "should be gone since" } else { "goes away on" };
    let call = node.refs.iter().find(|call| call.name == parent.name).and_then(|call| call.span.clone());
    let message =
        format!("`{}` refers to `{}`, which {when} {}", node.name, parent.search_name(), date.format("%Y-%m-%d"));
    let model = parent.as_model();
    let latest =
        model.filter(|model| model.version != model.latest_version).and_then(|model| model.latest_version.as_ref());
    Diagnostic::warning(codes::DEPRECATED, message)
        .label(call.unwrap_or_else(|| node.place()), "referenced here")
        .maybe_help(latest.map(|latest| format!("the latest version is {}", crate::node::plain(latest))))
        .of_node(&node.unique_id)
}
