//! `samples.json`: some rows of each relation, for people who look at its page.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Made, Metadata};

/// Rows of one relation.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Sample {
    /// The columns that are shown.
    pub columns: Vec<String>,
    /// Columns that are not shown.
    pub hidden: Vec<String>,
    /// Values as text; none is NULL.
    pub rows: Vec<Vec<Option<String>>>,
}

#[derive(Serialize)]
struct Doc<'a> {
    metadata: Metadata<'a>,
    nodes: &'a BTreeMap<String, Sample>,
}

/// `samples.json` of the nodes with these unique ids.
pub fn samples<'a>(nodes: &'a BTreeMap<String, Sample>, made: &'a Made) -> impl Serialize + use<'a> {
    Doc { metadata: Metadata::new("c360/samples/v1", made), nodes }
}
