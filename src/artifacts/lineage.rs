//! `lineage.json`: where every column comes from.

use std::collections::BTreeMap;

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use super::{Made, stamp};
use crate::analyze::lineage::{Column, Lineage, NodeLineage, Source};

/// The name of the schema.
pub const LINEAGE_SCHEMA: &str = "c360/lineage/v1";

/// `lineage.json`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct LineageDoc {
    /// What made it.
    #[serde(default)]
    pub metadata: LineageMetadata,
    /// Nodes by unique id: models, snapshots, seeds and sources.
    #[serde(default)]
    pub nodes: BTreeMap<String, LineageNode>,
    /// Nodes whose columns are not known, and why.
    #[serde(default)]
    pub unknown: BTreeMap<String, String>,
}

/// `metadata` of `lineage.json`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct LineageMetadata {
    /// [`LINEAGE_SCHEMA`].
    pub schema_version: String,
    /// When it was made.
    pub generated_at: String,
    /// Id of the invocation that made it.
    pub invocation_id: String,
    /// Version of c360.
    pub c360_version: String,
}

/// A node.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct LineageNode {
    /// Its columns, in order.
    #[serde(default)]
    pub columns: IndexMap<String, LineageColumn>,
    /// What decides about its rows as a whole.
    #[serde(default)]
    pub indirect: Vec<LineageInput>,
}

/// A column of a node.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct LineageColumn {
    /// SQL type.
    #[serde(rename = "type")]
    pub data_type: String,
    /// False if the query cannot give null.
    pub nullable: bool,
    /// What makes it, as SQL; null for a plain copy.
    pub expression: Option<String>,
    /// What it is made from.
    pub inputs: Vec<LineageInput>,
    /// The description of what it is copied from, if it has none of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<LineageDescription>,
    /// Its tags, and the column that each was written at.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
}

/// A column that takes part in something.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct LineageInput {
    /// Unique id of the node, or the name of a relation that no node builds.
    pub node: String,
    /// The column.
    pub column: String,
    /// Fields inside of the column, the outermost first; `[]` stands for the elements of a list.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub path: Vec<String>,
    /// In a column: `copied`, `transformed`, `aggregated`, `window` or `condition`. In rows: `filter`, `join`, `group`,
    /// `sort` or `window`.
    pub kind: String,
}

/// An inherited description.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct LineageDescription {
    /// The text.
    pub text: String,
    /// `<node>.<column>` that it was written for.
    pub from: String,
}

/// `lineage.json` of a project.
pub fn lineage(lineage: &Lineage, made: &Made) -> LineageDoc {
    LineageDoc {
        metadata: LineageMetadata {
            schema_version: LINEAGE_SCHEMA.to_string(),
            generated_at: stamp(made.at),
            invocation_id: made.invocation_id.clone(),
            c360_version: env!("CARGO_PKG_VERSION").to_string(),
        },
        nodes: lineage.nodes.iter().map(|(id, of)| (id.to_string(), node(of))).collect(),
        unknown: lineage.unknown.clone(),
    }
}

fn node(of: &NodeLineage) -> LineageNode {
    LineageNode {
        columns: of.columns.iter().map(|(name, of)| (name.clone(), column(of))).collect(),
        indirect: of.rows.iter().map(|(source, kind)| input(source, kind.as_str())).collect(),
    }
}

fn column(of: &Column) -> LineageColumn {
    LineageColumn {
        data_type: of.data_type.clone(),
        nullable: of.nullable,
        expression: of.expression.as_deref().map(str::to_string),
        inputs: of.inputs.iter().map(|one| input(&one.source, one.kind.as_str())).collect(),
        description: of
            .description
            .as_ref()
            .map(|described| LineageDescription { text: described.text.clone(), from: dotted(&described.from) }),
        tags: of.tags.iter().map(|(tag, from)| (tag.clone(), dotted(from))).collect(),
    }
}

fn input(source: &Source, kind: &str) -> LineageInput {
    LineageInput {
        node: source.node.to_string(),
        column: source.column.to_string(),
        path: source.path.clone(),
        kind: kind.to_string(),
    }
}

/// `<node>.<column>`, and the fields inside of it.
fn dotted(source: &Source) -> String {
    let path: String = source.path.iter().map(|step| format!(".{step}")).collect();
    format!("{}.{}{path}", source.node, source.column)
}
