//! What `c360 diff` finds, and prints with `--output json`.

use std::collections::BTreeMap;

use serde::Serialize;

/// What a change does.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Diff {
    /// Nodes that changed themselves, by unique id.
    pub nodes: BTreeMap<String, NodeDiff>,
    /// Columns of nodes below whose values may be others now, by unique id of the node.
    pub affected: BTreeMap<String, Affected>,
    /// Exposures that read what changed or is affected, by unique id.
    pub exposures: BTreeMap<String, ExposureDiff>,
    /// Nodes of which one of the states does not know the columns, and why.
    pub unknown: BTreeMap<String, String>,
}

/// How a node or a column came to differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Change {
    /// It is gone.
    Removed,
    /// It is another.
    Changed,
    /// It is new.
    Added,
}

/// A value before and now.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Pair {
    /// Before.
    pub before: Option<String>,
    /// Now.
    pub now: Option<String>,
}

/// What became of a node.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct NodeDiff {
    /// Its name.
    pub name: String,
    /// Its type of resource.
    pub resource_type: String,
    /// How it differs.
    pub change: Change,
    /// True if its template, or the file of a seed, is another.
    pub code: bool,
    /// Columns that differ, in their order.
    pub columns: Vec<ColumnDiff>,
    /// What decides about its rows: what is new and what is gone.
    pub rows: Vec<RowsDiff>,
    /// Settings that differ: materialization, relation, contract.
    pub settings: BTreeMap<String, Pair>,
    /// Published tables that it writes, or wrote.
    pub published: Vec<PublishDiff>,
}

/// What became of a column.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ColumnDiff {
    /// Its name.
    pub name: String,
    /// How it differs.
    pub change: Change,
    /// The column that it was, if only the name is another.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub renamed_from: Option<String>,
    /// Its type, if that differs.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub data_type: Option<Pair>,
    /// Whether it may be null, if that differs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nullable: Option<bool>,
    /// What makes it, if that differs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expression: Option<Pair>,
    /// True if who reads it may fail.
    pub breaking: bool,
}

/// A column that decides about rows now and did not before, or the other way around.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RowsDiff {
    /// Whether it is new.
    pub change: Change,
    /// `filter`, `join`, `group`, `sort` or `window`.
    pub kind: String,
    /// `node.column`.
    pub column: String,
}

/// What became of a published table.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PublishDiff {
    /// `destination: table`.
    pub table: String,
    /// How it differs; none if it only has the columns of its model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub change: Option<Change>,
}

/// What is affected of a node.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Affected {
    /// Its name.
    pub name: String,
    /// Columns that are made of what changed.
    pub columns: Vec<String>,
    /// True if it may have other rows.
    pub rows: bool,
    /// Published tables that it writes.
    pub published: Vec<String>,
}

/// An exposure downstream.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ExposureDiff {
    /// Its name.
    pub name: String,
    /// Its label, or its name.
    pub label: String,
    /// Who owns it.
    pub owner: Option<String>,
    /// What it reads that changed or is affected.
    pub reads: Vec<String>,
    /// True if something that it reads breaks.
    pub breaking: bool,
}

impl Diff {
    /// True if nothing differs.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }
}

impl NodeDiff {
    /// True if who reads it may fail: it is gone, or one of its columns breaks.
    pub fn is_breaking(&self) -> bool {
        self.change == Change::Removed
            || self.columns.iter().any(|column| column.breaking)
            || self.published.iter().any(|table| table.change == Some(Change::Removed))
    }
}
