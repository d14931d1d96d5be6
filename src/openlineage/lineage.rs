//! Column lineage of `lineage.json`, as a facet.
//!
//! The artifact is read as it is on disk; a build that tells events writes it first. A node whose columns are others than
//! those that it has in the warehouse is left out: what would be told of it is not true.

use std::collections::BTreeMap;
use std::path::Path;

use datafusion::arrow::datatypes::SchemaRef;
use indexmap::IndexMap;
use serde::Deserialize;
use serde_json::{Map, Value as Json, json};

use super::dataset::Dataset;
use super::facet;

/// Ephemeral models that stand in each other are looked through so far.
const MAX_DEPTH: usize = 64;

/// What is needed of `lineage.json`.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Lineage {
    #[serde(default)]
    nodes: BTreeMap<String, Node>,
}

#[derive(Debug, Default, Deserialize)]
struct Node {
    #[serde(default)]
    columns: IndexMap<String, Column>,
    #[serde(default)]
    indirect: Vec<Input>,
}

#[derive(Debug, Default, Deserialize)]
struct Column {
    #[serde(default)]
    expression: Option<String>,
    #[serde(default)]
    inputs: Vec<Input>,
}

#[derive(Debug, Default, Deserialize)]
struct Input {
    node: String,
    column: String,
    #[serde(default)]
    path: Vec<String>,
    kind: String,
}

impl Lineage {
    /// That of the folder of artifacts; nothing if there is none.
    pub(super) fn read(folder: &Path) -> Lineage {
        let text = std::fs::read(folder.join("lineage.json")).unwrap_or_default();
        serde_json::from_slice(&text).unwrap_or_default()
    }

    /// The facet of the node `id`, whose columns are those of `schema`; `dataset` gives the dataset of a node.
    pub(super) fn facet(
        &self,
        id: &str,
        schema: &SchemaRef,
        dataset: &dyn Fn(&str) -> Option<Dataset>,
    ) -> Option<Json> {
        let node = self.nodes.get(id)?;
        let known = node.columns.len() == schema.fields().len()
            && schema.fields().iter().all(|field| node.columns.contains_key(field.name()));
        if !known {
            return None;
        }
        let mut fields = Map::new();
        for (name, column) in &node.columns {
            let inputs: Vec<Json> = column
                .inputs
                .iter()
                .flat_map(|one| self.inputs(one, column.expression.as_deref(), dataset, 0))
                .collect();
            if !inputs.is_empty() {
                fields.insert(name.clone(), json!({ "inputFields": inputs }));
            }
        }
        let rows: Vec<Json> = node.indirect.iter().flat_map(|one| self.inputs(one, None, dataset, 0)).collect();
        if fields.is_empty() && rows.is_empty() {
            return None;
        }
        Some(facet("ColumnLineageDatasetFacet 1-2-0", json!({"fields": fields, "dataset": rows})))
    }

    /// The columns of datasets behind `one`: a node without a dataset (an ephemeral model) is looked through.
    fn inputs(
        &self,
        one: &Input,
        expression: Option<&str>,
        dataset: &dyn Fn(&str) -> Option<Dataset>,
        depth: usize,
    ) -> Vec<Json> {
        if let Some(found) = input(one, expression, dataset) {
            return vec![found];
        }
        let column = self.nodes.get(&one.node).and_then(|node| node.columns.get(&one.column));
        let Some(column) = column.filter(|_| depth < MAX_DEPTH) else { return Vec::new() };
        let behind = column.inputs.iter().flat_map(|inner| {
            // What is done to a copy is what is done to the value.
            let (kind, expression) = match one.kind.as_str() {
                "copied" => (inner.kind.clone(), column.expression.as_deref()),
                other => (other.to_string(), expression),
            };
            let path = inner.path.iter().chain(&one.path).cloned().collect();
            let through = Input { node: inner.node.clone(), column: inner.column.clone(), path, kind };
            self.inputs(&through, expression, dataset, depth + 1)
        });
        behind.collect()
    }
}

fn input(input: &Input, expression: Option<&str>, dataset: &dyn Fn(&str) -> Option<Dataset>) -> Option<Json> {
    let Dataset { namespace, name } = dataset(&input.node)?;
    let (kind, subtype) = match input.kind.as_str() {
        "copied" => ("DIRECT", "IDENTITY"),
        "transformed" => ("DIRECT", "TRANSFORMATION"),
        "aggregated" => ("DIRECT", "AGGREGATION"),
        "window" => ("INDIRECT", "WINDOW"),
        "condition" => ("INDIRECT", "CONDITIONAL"),
        "filter" => ("INDIRECT", "FILTER"),
        "join" => ("INDIRECT", "JOIN"),
        "group" => ("INDIRECT", "GROUP_BY"),
        "sort" => ("INDIRECT", "SORT"),
        _ => ("INDIRECT", "TRANSFORMATION"),
    };
    let field: Vec<&str> = std::iter::once(&input.column).chain(&input.path).map(String::as_str).collect();
    let transformation =
        json!({"type": kind, "subtype": subtype, "description": expression.unwrap_or_default(), "masking": false});
    Some(json!({"namespace": namespace, "name": name, "field": field.join("."), "transformations": [transformation]}))
}
