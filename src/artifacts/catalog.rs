//! `catalog.json`, schema v1: the relations that are really there, their columns and what is known of them.

use std::collections::BTreeMap;

use indexmap::IndexMap;
use serde::Serialize;
use serde_json::{Value as Json, json};

use super::{Made, Metadata};

/// A relation that is there.
#[derive(Debug, Clone, Serialize)]
pub struct CatalogTable {
    /// What it is and where.
    pub metadata: TableMetadata,
    /// Columns by name, in the order of the relation.
    pub columns: IndexMap<String, CatalogColumn>,
    /// Statistics by id.
    pub stats: IndexMap<String, CatalogStat>,
    /// Unique id of the node.
    pub unique_id: String,
}

/// `metadata` of a relation.
#[derive(Debug, Clone, Serialize)]
pub struct TableMetadata {
    /// `table`, `view` or `external`.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// Schema.
    pub schema: String,
    /// Identifier.
    pub name: String,
    /// Database.
    pub database: Option<String>,
    /// The description of the node.
    pub comment: Option<String>,
    /// Who owns it, as the project says.
    pub owner: Option<String>,
}

/// One column.
#[derive(Debug, Clone, Serialize)]
pub struct CatalogColumn {
    /// Its type, as analysts write it.
    #[serde(rename = "type")]
    pub data_type: String,
    /// Its place, from 1.
    pub index: usize,
    /// Its name.
    pub name: String,
    /// Its description.
    pub comment: Option<String>,
}

/// One statistic.
#[derive(Debug, Clone, Serialize)]
pub struct CatalogStat {
    /// Its id.
    pub id: String,
    /// Its name for people.
    pub label: String,
    /// A number or a text.
    pub value: Json,
    /// Whether pages list it.
    pub include: bool,
    /// What it means.
    pub description: Option<String>,
}

impl CatalogStat {
    /// A statistic that pages list.
    pub fn new(id: &str, label: &str, value: impl Into<Json>, description: &str) -> CatalogStat {
        let (id, label, description) = (id.to_string(), label.to_string(), Some(description.to_string()));
        CatalogStat { id, label, value: value.into(), include: true, description }
    }

    /// A statistic that other programs look for.
    #[must_use]
    pub fn unlisted(self) -> CatalogStat {
        CatalogStat { include: false, ..self }
    }
}

impl CatalogTable {
    /// Adds statistics, and the one of dbt's that says whether there are any.
    pub fn with_stats(mut self, stats: impl IntoIterator<Item = CatalogStat>) -> CatalogTable {
        self.stats.extend(stats.into_iter().map(|stat| (stat.id.clone(), stat)));
        let any = !self.stats.is_empty();
        let has =
            CatalogStat::new("has_stats", "Has Stats?", any, "Indicates whether there are statistics for this table");
        self.stats.insert("has_stats".into(), has.unlisted());
        self
    }
}

/// What was found of the project's relations.
#[derive(Debug, Default)]
pub struct Catalog {
    /// Models, seeds and snapshots by unique id.
    pub nodes: BTreeMap<String, CatalogTable>,
    /// Sources by unique id.
    pub sources: BTreeMap<String, CatalogTable>,
    /// What could not be read, and why.
    pub errors: Vec<String>,
}

/// `catalog.json` of what was found.
pub fn catalog<'a>(found: &'a Catalog, made: &'a Made) -> impl Serialize + use<'a> {
    let errors = if found.errors.is_empty() { Json::Null } else { json!(found.errors) };
    Document {
        metadata: Metadata::new("https://schemas.getdbt.com/dbt/catalog/v1.json", made),
        nodes: &found.nodes,
        sources: &found.sources,
        errors,
    }
}

#[derive(Serialize)]
struct Document<'a> {
    metadata: Metadata<'a>,
    nodes: &'a BTreeMap<String, CatalogTable>,
    sources: &'a BTreeMap<String, CatalogTable>,
    errors: Json,
}
