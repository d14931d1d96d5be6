//! `sources.json` (how fresh sources are), `source_files.json` (their files), `samples.json` (rows), `plans.json`.

use std::collections::HashMap;

use indexmap::IndexMap;
use serde::Deserialize;
use serde_json::Value as Json;

use super::value::{Text, lenient, nullable};

/// How fresh sources were when they were last looked at.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Sources {
    #[serde(deserialize_with = "nullable")]
    results: Vec<Freshness>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Freshness {
    unique_id: Text,
    pub(crate) status: Text,
    pub(crate) max_loaded_at: Text,
    pub(crate) snapshotted_at: Text,
    pub(crate) max_loaded_at_time_ago_in_s: Option<f64>,
    #[serde(deserialize_with = "nullable")]
    pub(crate) criteria: Json,
}

impl Sources {
    /// What was found about a source.
    pub(crate) fn of(&self, id: &str) -> Option<&Freshness> {
        self.results.iter().find(|result| &*result.unique_id == id)
    }
}

/// The files of sources.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct SourceFiles {
    #[serde(deserialize_with = "nullable")]
    pub(crate) sources: HashMap<String, SourceListing>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct SourceListing {
    pub(crate) location: Text,
    pub(crate) format: Text,
    #[serde(deserialize_with = "nullable")]
    pub(crate) files: Vec<SourceFile>,
    #[serde(deserialize_with = "nullable")]
    pub(crate) missing: Vec<Text>,
    pub(crate) from: Text,
    pub(crate) to: Text,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct SourceFile {
    pub(crate) path: Text,
    #[serde(deserialize_with = "nullable")]
    pub(crate) bytes: u64,
    pub(crate) modified: Text,
    pub(crate) date: Text,
}

/// Some rows of each relation.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Samples {
    #[serde(deserialize_with = "nullable")]
    pub(crate) nodes: IndexMap<String, Table>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Table {
    #[serde(deserialize_with = "lenient")]
    pub(crate) columns: Vec<String>,
    #[serde(deserialize_with = "lenient")]
    pub(crate) hidden: Vec<String>,
    #[serde(deserialize_with = "lenient")]
    pub(crate) rows: Vec<Vec<Option<String>>>,
}

/// The logical plans of nodes, as text.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Plans {
    #[serde(deserialize_with = "nullable")]
    pub(crate) nodes: IndexMap<String, Text>,
}
