//! Why an expression matches nothing: the nearest thing that exists.

use super::grammar::{Expr, Term};
use super::methods::STATUSES;
use crate::diag::{Diagnostic, Span, codes};
use crate::manifest::Manifest;
use crate::node::{Node, ResourceType};
use crate::stdx::closest;

/// The warning about an expression of the command line that matches nothing.
pub(super) fn warning(manifest: &Manifest, parts: &[Expr], span: &Span) -> Box<Diagnostic> {
    let mut diagnostic = Diagnostic::warning(codes::NOTHING_SELECTED, format!("`{}` matches no node", span.text()))
        .label(span.clone(), "");
    let terms: Vec<&Term> = parts
        .iter()
        .filter_map(|part| match part {
            Expr::Term(term) => Some(term.as_ref()),
            _ => None,
        })
        .collect();
    if terms.len() > 1 && terms.iter().any(|term| term.value.is_empty()) {
        return diagnostic.help("expressions joined by a comma stand without blanks: `a,b`");
    }
    for term in terms {
        if let Some(note) = disabled(manifest, term) {
            diagnostic = diagnostic.note(note);
        } else if let Some(help) = hint(manifest, term) {
            diagnostic = diagnostic.help(help);
        }
    }
    diagnostic
}

/// The node is there, but disabled.
fn disabled(manifest: &Manifest, term: &Term) -> Option<String> {
    let node = match term.method.name {
        "fqn" => manifest.disabled.iter().find(|node| node.name == term.value || node.search_name() == term.value),
        _ => None,
    }?;
    Some(format!("{} `{}` is disabled", node.resource_type, node.search_name()))
}

fn hint(manifest: &Manifest, term: &Term) -> Option<String> {
    let word = term.value.as_str();
    let nodes = || manifest.nodes.iter();
    let of_type = |kind: ResourceType| nodes().filter(move |node| node.resource_type == kind);
    let near = match term.method.name {
        "fqn" => {
            nearest(word, nodes().filter(|node| node.resource_type != ResourceType::Source).map(Node::search_name))
        }
        "tag" => nearest(word, nodes().flat_map(Node::tags)),
        "group" => nearest(word, manifest.groups.iter().map(|group| group.name.clone())),
        "package" => nearest(word, nodes().map(|node| node.package.clone())),
        "exposure" => nearest(word, of_type(ResourceType::Exposure).map(|node| node.name.clone())),
        "unit_test" => nearest(word, of_type(ResourceType::UnitTest).map(|node| node.name.clone())),
        "test_name" => nearest(word, nodes().filter_map(|node| Some(node.as_generic_test()?.name.clone()))),
        "source" => nearest(
            word,
            nodes().filter_map(|node| Some((node, node.as_source()?))).flat_map(|(node, source)| {
                [source.source_name.clone(), format!("{}.{}", source.source_name, node.name)]
            }),
        ),
        "result" if !STATUSES.contains(&word) => {
            return Some(format!("statuses are {}", STATUSES.join(", ")));
        }
        "config" if term.arguments.is_empty() => {
            return Some("say which setting: `config.materialized:table`, `config.meta.owner:finance`".to_string());
        }
        "source_status" if word != "fresher" => return Some("the only status is `fresher`".to_string()),
        _ => None,
    }?;
    // A node with just this name is there, so something else keeps it out of the expression.
    (near != word).then(|| format!("`{near}` was probably meant"))
}

fn nearest(word: &str, candidates: impl Iterator<Item = String>) -> Option<String> {
    let candidates: Vec<String> = candidates.collect();
    closest(word, candidates.iter().map(String::as_str)).map(str::to_string)
}
