//! What is written about a column flows to the columns that are made from it: its description along copies, its tags along
//! everything that carries its values.
//!
//! Tags of a column are dbt's `tags`, and keys of `meta` that are `true` (`meta: {pii: true}`). Two keys below
//! `meta: c360:` of a column steer them: `drop_tags: [pii]` (or `true`, for all) ends tags here, for a column whose
//! expression leaves nothing of them; `fields:` describes the fields of a struct, `{Mac: {tags: [pii], description: ..}}`.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use serde_json::Value as Json;

use super::{Column, Described, Kind, Lineage, Source};
use crate::manifest::Manifest;
use crate::node::{Column as Declared, Node};

/// What a properties file says of one column.
#[derive(Debug, Default)]
struct Written<'a> {
    description: &'a str,
    tags: Vec<&'a str>,
    drops: Drops<'a>,
    /// Fields of a struct, by their path.
    fields: Vec<(Vec<&'a str>, Written<'a>)>,
}

#[derive(Debug, Default)]
enum Drops<'a> {
    #[default]
    None,
    All,
    These(Vec<&'a str>),
}

impl Drops<'_> {
    fn has(&self, tag: &str) -> bool {
        match self {
            Drops::None => false,
            Drops::All => true,
            Drops::These(tags) => tags.contains(&tag),
        }
    }
}

/// Fills in descriptions and tags, parents before children.
pub(super) fn fill(manifest: &Manifest, lineage: &mut Lineage) {
    let written: HashMap<&str, HashMap<String, Written<'_>>> =
        manifest.nodes.iter().map(|node| (node.unique_id.as_str(), written(node))).collect();
    // A project with a circle does not come this far.
    for id in manifest.dag.order().unwrap_or_default() {
        let id = manifest.node(id).unique_id.as_str();
        let Some(mut node) = lineage.nodes.remove(id) else { continue };
        let id: Arc<str> = Arc::from(id);
        for (name, column) in &mut node.columns {
            let own = written.get(&*id).and_then(|columns| columns.get(&name.to_lowercase()));
            if own.is_none_or(|own| own.description.is_empty()) {
                column.description = inherited(column, lineage, &written);
            }
            column.tags = tags(&id, name, column, own, lineage, &written);
        }
        lineage.nodes.insert(id, node);
    }
}

type AllWritten<'a> = HashMap<&'a str, HashMap<String, Written<'a>>>;

fn written(node: &Node) -> HashMap<String, Written<'_>> {
    node.columns.iter().map(|column| (column.name.to_lowercase(), of_column(column))).collect()
}

fn of_column(column: &Declared) -> Written<'_> {
    let mut tags: Vec<&str> = column.tags.iter().map(String::as_str).collect();
    let set = column.meta.iter().filter(|(key, value)| **value == Json::Bool(true) && *key != "c360");
    tags.extend(set.map(|(key, _)| key.as_str()));
    let ours = column.meta.get("c360");
    let drops = match ours.and_then(|ours| ours.get("drop_tags")) {
        Some(Json::Bool(true)) => Drops::All,
        Some(Json::Array(tags)) => Drops::These(tags.iter().filter_map(Json::as_str).collect()),
        Some(Json::String(tag)) => Drops::These(vec![tag]),
        _ => Drops::None,
    };
    let fields = ours.and_then(|ours| ours.get("fields")).and_then(Json::as_object);
    let fields = fields.into_iter().flatten().map(|(path, value)| {
        let tags = value.get("tags").and_then(Json::as_array).into_iter().flatten().filter_map(Json::as_str).collect();
        let description = value.get("description").and_then(Json::as_str).unwrap_or_default();
        (path.split('.').collect(), Written { description, tags, ..Written::default() })
    });
    Written { description: &column.description, tags, drops, fields: fields.collect() }
}

/// The names of the fields that `source` looks into; elements of lists have none.
fn fields(source: &Source) -> Vec<&str> {
    source.path.iter().map(String::as_str).filter(|step| *step != "[]").collect()
}

/// The one description of all that `column` is a copy of.
fn inherited(column: &Column, lineage: &Lineage, written: &AllWritten<'_>) -> Option<Described> {
    if !column.is_copy {
        return None;
    }
    let mut found: Option<Described> = None;
    for input in column.inputs.iter().filter(|input| input.kind == Kind::Copied) {
        let described = description(&input.source, lineage, written)?;
        match &found {
            Some(other) if other.text != described.text => return None,
            Some(_) => {}
            None => found = Some(described),
        }
    }
    found
}

fn description(source: &Source, lineage: &Lineage, written: &AllWritten<'_>) -> Option<Described> {
    let path = fields(source);
    let own = written.get(&*source.node).and_then(|columns| columns.get(&source.column.to_lowercase()));
    let own = match (own, path.is_empty()) {
        (Some(own), true) => Some(own.description),
        // What is said of a struct is not said of its fields.
        (Some(own), false) => own.fields.iter().find(|(other, _)| *other == path).map(|(_, field)| field.description),
        (None, _) => None,
    };
    match own.filter(|text| !text.is_empty()) {
        Some(text) => Some(Described { text: text.to_string(), from: source.clone() }),
        None if path.is_empty() => lineage.column(&source.node, &source.column)?.description.clone(),
        None => None,
    }
}

fn tags(
    id: &Arc<str>,
    name: &str,
    column: &Column,
    own: Option<&Written<'_>>,
    lineage: &Lineage,
    written: &AllWritten<'_>,
) -> BTreeMap<String, Source> {
    let mut tags = BTreeMap::new();
    for input in column.inputs.iter().filter(|input| input.carries && input.kind.is_direct()) {
        for (tag, from) in arriving(&input.source, lineage, written) {
            if !own.is_some_and(|own| own.drops.has(&tag)) {
                tags.entry(tag).or_insert(from);
            }
        }
    }
    let here = Source { node: Arc::clone(id), column: Arc::from(name), path: Vec::new() };
    for tag in own.iter().flat_map(|own| &own.tags) {
        tags.insert((*tag).to_string(), here.clone());
    }
    tags
}

/// The tags of what `source` looks at: those of its column, and of the fields on its path or below it.
fn arriving(source: &Source, lineage: &Lineage, written: &AllWritten<'_>) -> Vec<(String, Source)> {
    let column = lineage.column(&source.node, &source.column);
    let mut out: Vec<(String, Source)> = column.into_iter().flat_map(|column| column.tags.clone()).collect();
    let path = fields(source);
    let own = written.get(&*source.node).and_then(|columns| columns.get(&source.column.to_lowercase()));
    for (other, field) in own.iter().flat_map(|own| &own.fields) {
        if path.iter().zip(other).all(|(mine, other)| mine == other) {
            let from = Source { path: other.iter().map(ToString::to_string).collect(), ..source.clone() };
            out.extend(field.tags.iter().map(|tag| ((*tag).to_string(), from.clone())));
        }
    }
    out
}
