//! `catalog.json`: what is really there. Profiles of columns stand in its stats.

use indexmap::IndexMap;
use serde::Deserialize;
use serde_json::{Map, Value as Json};

use super::value::{Text, lenient, nullable};

/// The relations of the warehouse and of the sources.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Catalog {
    #[serde(deserialize_with = "nullable")]
    pub(crate) nodes: IndexMap<String, CatalogTable>,
    #[serde(deserialize_with = "nullable")]
    pub(crate) sources: IndexMap<String, CatalogTable>,
}

impl Catalog {
    /// The relation of a node or source.
    pub(crate) fn of(&self, id: &str) -> Option<&CatalogTable> {
        self.nodes.get(id).or_else(|| self.sources.get(id))
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct CatalogTable {
    #[serde(deserialize_with = "nullable")]
    pub(crate) columns: IndexMap<String, CatalogColumn>,
    #[serde(deserialize_with = "nullable")]
    pub(crate) stats: IndexMap<String, Stat>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct CatalogColumn {
    #[serde(rename = "type")]
    pub(crate) kind: Text,
    pub(crate) index: i64,
    pub(crate) name: Text,
    pub(crate) comment: Text,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Stat {
    #[serde(deserialize_with = "nullable")]
    pub(crate) value: Json,
}

impl CatalogTable {
    /// A number among the stats.
    pub(crate) fn number(&self, id: &str) -> Option<f64> {
        let value = &self.stats.get(id)?.value;
        value.as_f64().or_else(|| value.as_str()?.parse().ok())
    }

    /// A text among the stats.
    pub(crate) fn text(&self, id: &str) -> Option<String> {
        match &self.stats.get(id)?.value {
            Json::String(text) => Some(text.clone()).filter(|text| !text.is_empty()),
            Json::Null => None,
            other => Some(other.to_string()),
        }
    }

    /// The columns in the order of the relation.
    pub(crate) fn ordered(&self) -> Vec<&CatalogColumn> {
        let mut columns: Vec<&CatalogColumn> = self.columns.values().collect();
        columns.sort_by_key(|column| column.index);
        columns
    }

    /// The profile of a column, if there is one that can be read.
    pub(crate) fn profile(&self, column: &str) -> Option<Profile> {
        match &self.stats.get(&format!("profile:{column}"))?.value {
            Json::String(text) => serde_json::from_str(text).ok(),
            other => serde_json::from_value(other.clone()).ok(),
        }
    }
}

/// What the values of a column are like.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Profile {
    #[serde(deserialize_with = "nullable")]
    pub(crate) rows: u64,
    #[serde(deserialize_with = "nullable")]
    pub(crate) nulls: u64,
    pub(crate) distinct: Option<u64>,
    #[serde(deserialize_with = "nullable")]
    pub(crate) distinct_exact: bool,
    pub(crate) min: Text,
    pub(crate) max: Text,
    pub(crate) mean: Option<f64>,
    #[serde(deserialize_with = "lenient")]
    pub(crate) quantiles: Map<String, Json>,
    #[serde(deserialize_with = "lenient")]
    pub(crate) histogram: Option<Histogram>,
    #[serde(deserialize_with = "lenient")]
    pub(crate) top: Vec<(Text, u64)>,
}

#[derive(Debug, Default, Deserialize)]
pub(crate) struct Histogram {
    pub(crate) edges: Vec<Json>,
    pub(crate) counts: Vec<u64>,
}
