//! Tags that the project forbids in some places: the var `forbid_tags`.
//!
//! ```yaml
//! vars:
//!   forbid_tags:
//!     published: [pii]              # models with a `publish:`
//!     "path:models/open": [secret]  # or whatever a selection means
//! ```
//!
//! It is a var of the project and no configuration of models, so that a single model cannot switch it off.

use std::sync::Arc;

use serde_json::Value as Json;

use super::{Loaded, Options};
use crate::analyze::lineage::{Lineage, Source};
use crate::diag::{Diagnostic, Diagnostics, Result, codes};
use crate::manifest::NodeId;
use crate::node::Node;
use crate::select::{Criteria, Inputs, select};

/// The name of the var.
const VAR: &str = "forbid_tags";

/// Tags that must not be in nodes.
struct Rule {
    /// Where, as written.
    place: String,
    tags: Vec<String>,
    nodes: Vec<NodeId>,
}

/// An error for each column of `nodes` that carries a tag that is forbidden there.
///
/// # Errors
/// C1004 if the var cannot be read, C2009 if one of its places cannot.
pub(super) fn check_tags(
    options: &Options,
    loaded: &Loaded,
    nodes: &[NodeId],
    lineage: &Lineage,
    diagnostics: &mut Diagnostics,
) -> Result<()> {
    for rule in rules(options, loaded)? {
        for id in rule.nodes.iter().filter(|id| nodes.contains(id)) {
            let node = loaded.manifest.node(*id);
            let Some(of_node) = lineage.nodes.get(node.unique_id.as_str()) else { continue };
            for (name, column) in &of_node.columns {
                for tag in rule.tags.iter().filter(|tag| column.tags.contains_key(*tag)) {
                    diagnostics.push(forbidden(loaded, lineage, &rule.place, node, name, tag));
                }
            }
        }
    }
    Ok(())
}

fn rules(options: &Options, loaded: &Loaded) -> Result<Vec<Rule>> {
    let world = loaded.world(options, None, Vec::new(), std::collections::HashMap::new(), Box::new(|_| {}));
    let written = match world.vars.get(&loaded.manifest.project_name, VAR) {
        None | Some(Json::Null) => return Ok(Vec::new()),
        Some(Json::Object(written)) => written,
        Some(other) => return Err(wrong(&format!("it is {other}"))),
    };
    let rule = |(place, tags): (&String, &Json)| {
        let tags = match tags {
            Json::String(tag) => vec![tag.clone()],
            Json::Array(tags) => tags.iter().filter_map(Json::as_str).map(str::to_string).collect(),
            other => return Err(wrong(&format!("`{place}` has {other}"))),
        };
        Ok(Rule { place: place.clone(), tags, nodes: nodes(loaded, place)? })
    };
    written.iter().map(rule).collect()
}

fn wrong(what: &str) -> Box<Diagnostic> {
    Diagnostic::error(codes::BAD_VALUE, format!("the var `{VAR}` cannot be read: {what}"))
        .help("it names places and the tags that are forbidden there: `forbid_tags: {published: [pii]}`")
}

/// The nodes that a place means.
fn nodes(loaded: &Loaded, place: &str) -> Result<Vec<NodeId>> {
    let manifest = &loaded.manifest;
    if place == "published" {
        return Ok(manifest.ids().filter(|id| manifest.node(*id).config.get("publish").is_some()).collect());
    }
    let criteria = Criteria { select: vec![place.to_string()], ..Criteria::default() };
    // A place without nodes forbids nothing yet.
    let found = select(&criteria, &Inputs::new(manifest), &mut Diagnostics::default());
    Ok(found.map_err(|error| error.note(format!("it is a place of the var `{VAR}`")))?.nodes)
}

fn forbidden(loaded: &Loaded, lineage: &Lineage, place: &str, node: &Node, column: &str, tag: &str) -> Box<Diagnostic> {
    let whole = match place {
        "published" => "in what is published".to_string(),
        place => format!("in `{place}`"),
    };
    let message =
        format!("column `{column}` of `{}` carries the tag `{tag}`, which is forbidden {whole}", node.search_name());
    let declared = node.columns.iter().find(|declared| declared.name.eq_ignore_ascii_case(column));
    let at = declared.map_or_else(|| node.place(), |declared| declared.span.clone());
    let mut diagnostic = Diagnostic::error(codes::TAG_FORBIDDEN, message).label(at, "").of_node(&node.unique_id);
    let chain = chain(lineage, &node.unique_id, column, tag);
    if let Some(origin) = chain.last().filter(|_| chain.len() > 1) {
        let tagged = loaded.manifest.find(&origin.node).and_then(|node| {
            let column = node.columns.iter().find(|declared| declared.name.eq_ignore_ascii_case(&origin.column))?;
            Some(column.span.clone())
        });
        if let Some(span) = tagged {
            diagnostic = diagnostic.label(span, format!("`{tag}` is written here"));
        }
        let names: Vec<String> = chain.iter().rev().map(|source| shown(loaded, source)).collect();
        diagnostic = diagnostic.note(format!("it comes along {}", names.join(" -> ")));
    }
    diagnostic.help("leave the column out, or make another one of it that tells less, such as a count").help(format!(
        "if nothing of the values is left in it, say so at the column: `meta: {{c360: {{drop_tags: [{tag}]}}}}`"
    ))
}

/// The columns that a tag came along, from `column` up to where it is written.
fn chain(lineage: &Lineage, node: &str, column: &str, tag: &str) -> Vec<Source> {
    let mut at = Source { node: Arc::from(node), column: Arc::from(column), path: Vec::new() };
    let mut out = vec![at.clone()];
    while let Some(of) = lineage.column(&at.node, &at.column) {
        let Some(origin) = of.tags.get(tag).filter(|origin| (&origin.node, &origin.column) != (&at.node, &at.column))
        else {
            break;
        };
        let comes_from = |source: &Source| {
            (&source.node, &source.column) == (&origin.node, &origin.column)
                || lineage.column(&source.node, &source.column).and_then(|of| of.tags.get(tag)) == Some(origin)
        };
        let carrying = of.inputs.iter().filter(|input| input.carries && input.kind.is_direct());
        let Some(next) = carrying.map(|input| &input.source).find(|source| comes_from(source)) else { break };
        // A circle of tags cannot be: nodes are made of their parents.
        at = if (&next.node, &next.column) == (&origin.node, &origin.column) { origin.clone() } else { next.clone() };
        out.push(at.clone());
    }
    out
}

fn shown(loaded: &Loaded, source: &Source) -> String {
    let node = loaded.manifest.find(&source.node).map_or_else(|| source.node.to_string(), Node::search_name);
    let path: String = source.path.iter().map(|step| format!(".{step}")).collect();
    format!("{node}.{}{path}", source.column)
}
