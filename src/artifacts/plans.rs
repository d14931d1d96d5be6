//! `plans.json`: what the engine makes of each node's query.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Made, Metadata};

#[derive(Serialize)]
struct Doc<'a> {
    metadata: Metadata<'a>,
    nodes: &'a BTreeMap<String, String>,
}

/// `plans.json`: logical plans as text, an operator a line, by unique id.
pub fn plans<'a>(nodes: &'a BTreeMap<String, String>, made: &'a Made) -> impl Serialize + use<'a> {
    Doc { metadata: Metadata::new("c360/plans/v1", made), nodes }
}
