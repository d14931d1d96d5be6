//! The lineage of a project: what [`collect`](super::collect) puts together and the artifact `lineage.json` says.

use std::collections::BTreeMap;
use std::sync::Arc;

use indexmap::IndexMap;

use super::{Input, RowKind, Source};

/// Where every column of a project comes from.
#[derive(Debug, Clone, Default)]
pub struct Lineage {
    /// Nodes by unique id: models, snapshots, seeds and sources.
    pub nodes: BTreeMap<Arc<str>, NodeLineage>,
    /// Nodes whose columns are not known, and why.
    pub unknown: BTreeMap<String, String>,
}

/// Where the columns of one node come from.
#[derive(Debug, Clone, Default)]
pub struct NodeLineage {
    /// Its columns, in order.
    pub columns: IndexMap<String, Column>,
    /// What decides about its rows, sorted.
    pub rows: Vec<(Source, RowKind)>,
}

/// Where one column comes from.
#[derive(Debug, Clone, Default)]
pub struct Column {
    /// SQL type.
    pub data_type: String,
    /// False if the query cannot give null.
    pub nullable: bool,
    /// What makes it, as SQL; none if it is one column as it is.
    pub expression: Option<Arc<str>>,
    /// What it is made from.
    pub inputs: Vec<Input>,
    /// True if every value is the value of an input as it is.
    pub is_copy: bool,
    /// The description of what it is copied from, if it has none of its own.
    pub description: Option<Described>,
    /// Its tags, and the column that each was written at.
    pub tags: BTreeMap<String, Source>,
}

/// An inherited description.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Described {
    /// The text.
    pub text: String,
    /// The column that it was written for.
    pub from: Source,
}

impl Lineage {
    /// The column of a node.
    pub fn column(&self, node: &str, column: &str) -> Option<&Column> {
        self.nodes.get(node)?.columns.get(column)
    }

    /// How many columns are known.
    pub fn len(&self) -> usize {
        self.nodes.values().map(|node| node.columns.len()).sum()
    }

    /// True if no column is known.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
