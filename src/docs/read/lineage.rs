//! `lineage.json`: where columns come from.

use indexmap::IndexMap;
use serde::Deserialize;

use super::value::{Text, lenient, nullable};

/// The columns of every node with what they are made of.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Lineage {
    #[serde(deserialize_with = "nullable")]
    pub(crate) nodes: IndexMap<String, NodeLineage>,
    #[serde(deserialize_with = "nullable")]
    pub(crate) unknown: IndexMap<String, Text>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct NodeLineage {
    #[serde(deserialize_with = "nullable")]
    pub(crate) columns: IndexMap<String, ColumnLineage>,
    /// What decides about the rows as a whole.
    #[serde(deserialize_with = "nullable")]
    pub(crate) indirect: Vec<Input>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct ColumnLineage {
    #[serde(rename = "type")]
    pub(crate) kind: Text,
    pub(crate) nullable: Option<bool>,
    pub(crate) expression: Text,
    #[serde(deserialize_with = "nullable")]
    pub(crate) inputs: Vec<Input>,
    #[serde(deserialize_with = "lenient")]
    pub(crate) description: Option<Inherited>,
    /// Tags with the column that has them, as `<node>.<column>`.
    #[serde(deserialize_with = "lenient")]
    pub(crate) tags: IndexMap<String, Text>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Input {
    pub(crate) node: Text,
    pub(crate) column: Text,
    #[serde(deserialize_with = "nullable")]
    pub(crate) path: Vec<Text>,
    pub(crate) kind: Text,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Inherited {
    pub(crate) text: Text,
    /// `<node>.<column>`.
    pub(crate) from: Text,
}
