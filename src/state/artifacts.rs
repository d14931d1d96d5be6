//! Artifacts of earlier invocations, as far as anybody here asks for them.

use std::collections::HashMap;

use chrono::{DateTime, NaiveDateTime, Utc};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value as Json};

use crate::diag::{Diagnostic, Result, codes};

/// An earlier `manifest.json`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct PreviousManifest {
    /// Models, seeds, snapshots, tests, analyses, operations, by unique id.
    #[serde(deserialize_with = "or_default")]
    pub nodes: HashMap<String, PreviousNode>,
    /// Sources.
    #[serde(deserialize_with = "or_default")]
    pub sources: HashMap<String, PreviousNode>,
    /// Exposures.
    #[serde(deserialize_with = "or_default")]
    pub exposures: HashMap<String, PreviousNode>,
    /// Unit tests.
    #[serde(deserialize_with = "or_default")]
    pub unit_tests: HashMap<String, PreviousNode>,
    /// Macros.
    #[serde(deserialize_with = "or_default")]
    pub macros: HashMap<String, PreviousMacro>,
}

impl PreviousManifest {
    /// Reads the text of the file at `path`.
    ///
    /// # Errors
    /// C1009 if it is no manifest.
    pub fn parse(text: &str, path: &str) -> Result<PreviousManifest> {
        parse(text, path, "manifest", "nodes")
    }

    /// What it says of the node, source, exposure or unit test with this unique id.
    pub fn find(&self, unique_id: &str) -> Option<&PreviousNode> {
        [&self.nodes, &self.sources, &self.exposures, &self.unit_tests]
            .into_iter()
            .find_map(|section| section.get(unique_id))
    }
}

/// A node, source, exposure or unit test of an earlier manifest. Fields that its type does not have are empty.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct PreviousNode {
    /// `model`, `seed`, ...
    #[serde(deserialize_with = "or_default")]
    pub resource_type: String,
    /// Its name.
    #[serde(deserialize_with = "or_default")]
    pub name: String,
    /// Package, folders, name.
    #[serde(deserialize_with = "or_default")]
    pub fqn: Vec<String>,
    /// Path relative to its project.
    #[serde(deserialize_with = "or_default")]
    pub original_file_path: String,
    /// The template.
    #[serde(alias = "raw_sql")]
    pub raw_code: Option<String>,
    /// `{name, checksum}` of the file (a plain string for unit tests).
    pub checksum: Json,
    /// Its configuration.
    #[serde(deserialize_with = "or_default")]
    pub config: Map<String, Json>,
    /// What was configured, before defaults and rendering; none if the tool does not write it.
    pub unrendered_config: Option<Map<String, Json>>,
    /// Description.
    #[serde(deserialize_with = "or_default")]
    pub description: String,
    /// Declared columns by name.
    #[serde(deserialize_with = "or_default")]
    pub columns: HashMap<String, PreviousColumn>,
    /// Constraints on the relation as a whole.
    #[serde(deserialize_with = "or_default")]
    pub constraints: Vec<Json>,
    /// `{enforced, checksum}`
    pub contract: Json,
    /// `{nodes, macros}`
    pub depends_on: Json,
    /// Catalog of the relation.
    pub database: Option<String>,
    /// Schema of the relation.
    pub schema: Option<String>,
    /// Name of the relation.
    pub alias: Option<String>,
    /// Name of a source's table.
    pub identifier: Option<String>,
    /// The relation in SQL.
    pub relation_name: Option<String>,
    /// Version of a model.
    pub version: Json,
    /// Latest version of a model.
    pub latest_version: Json,
    /// `public`, `protected`, `private`
    pub access: Option<String>,
    /// When a model goes away.
    pub deprecation_date: Option<String>,
    /// A source's thresholds.
    pub freshness: Json,
    /// A source's column or expression with the time of loading.
    pub loaded_at_field: Option<String>,
    /// A source's files.
    pub external: Json,
    /// An exposure's type.
    #[serde(rename = "type")]
    pub kind: Json,
    /// An exposure's owner.
    pub owner: Json,
    /// An exposure's maturity.
    pub maturity: Json,
    /// An exposure's address.
    pub url: Json,
    /// An exposure's label.
    pub label: Json,
    /// The model that a unit test is about.
    pub model: Json,
    /// A unit test's inputs.
    pub given: Json,
    /// A unit test's expected rows.
    pub expect: Json,
    /// A unit test's overrides.
    pub overrides: Json,
}

impl PreviousNode {
    /// Unique ids of the nodes that it depended on.
    pub fn parents(&self) -> Vec<&str> {
        self.depends_on["nodes"].as_array().into_iter().flatten().filter_map(Json::as_str).collect()
    }
}

/// A declared column of an earlier manifest.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct PreviousColumn {
    /// Name.
    #[serde(deserialize_with = "or_default")]
    pub name: String,
    /// Description.
    #[serde(deserialize_with = "or_default")]
    pub description: String,
    /// SQL type.
    pub data_type: Option<String>,
    /// Constraints.
    #[serde(deserialize_with = "or_default")]
    pub constraints: Vec<Json>,
}

/// A macro of an earlier manifest.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct PreviousMacro {
    /// Its source.
    #[serde(deserialize_with = "or_default")]
    pub macro_sql: String,
}

/// An earlier `run_results.json`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct PreviousResults {
    /// One a node.
    #[serde(deserialize_with = "or_default")]
    pub results: Vec<PreviousResult>,
    /// The arguments of the invocation.
    #[serde(deserialize_with = "or_default")]
    pub args: Map<String, Json>,
}

/// What became of a node.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct PreviousResult {
    /// The node.
    #[serde(deserialize_with = "or_default")]
    pub unique_id: String,
    /// `success`, `error`, `skipped`, `pass`, `fail`, `warn`, `partial success`, ...
    #[serde(deserialize_with = "or_default")]
    pub status: String,
    /// `{successful, failed}` of a microbatch model.
    pub batch_results: Json,
}

impl PreviousResults {
    /// Reads the text of the file at `path`.
    ///
    /// # Errors
    /// C1009 if these are no run results.
    pub fn parse(text: &str, path: &str) -> Result<PreviousResults> {
        parse(text, path, "run results", "results")
    }
}

/// An earlier `sources.json`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct SourceResults {
    /// One a source.
    #[serde(deserialize_with = "or_default")]
    pub results: Vec<SourceResult>,
}

/// How fresh a source was.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct SourceResult {
    /// The source.
    #[serde(deserialize_with = "or_default")]
    pub unique_id: String,
    /// `pass`, `warn`, `error`, `runtime error`
    #[serde(deserialize_with = "or_default")]
    pub status: String,
    /// When its last row was loaded; none if that could not be found out.
    #[serde(deserialize_with = "time")]
    pub max_loaded_at: Option<DateTime<Utc>>,
}

impl SourceResults {
    /// Reads the text of the file at `path`.
    ///
    /// # Errors
    /// C1009 if this is no source freshness.
    pub fn parse(text: &str, path: &str) -> Result<SourceResults> {
        parse(text, path, "source freshness", "results")
    }
}

/// Reads an artifact; it has to be an object with the section `section`.
fn parse<T: DeserializeOwned>(text: &str, path: &str, what: &str, section: &str) -> Result<T> {
    let wrong = |reason: String| {
        Diagnostic::error(codes::FILE_UNREADABLE, format!("`{path}` is no {what}: {reason}"))
            .help("--state takes the artifact folder of an earlier invocation")
    };
    // A file of another kind would be read as an empty one: look for its section first.
    match serde_json::from_str::<HashMap<String, serde::de::IgnoredAny>>(text) {
        Ok(sections) if !sections.contains_key(section) => return Err(wrong(format!("it has no `{section}`"))),
        Ok(_) => {}
        Err(error) => return Err(wrong(error.to_string())),
    }
    serde_json::from_str(text).map_err(|error| wrong(error.to_string()))
}

/// Null is as good as a missing field.
fn or_default<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(from: D) -> Result<T, D::Error> {
    Ok(Option::deserialize(from)?.unwrap_or_default())
}

/// ISO 8601, with a zone or in UTC.
fn time<'de, D: Deserializer<'de>>(from: D) -> Result<Option<DateTime<Utc>>, D::Error> {
    let text: Option<String> = Option::deserialize(from)?;
    Ok(text.and_then(|text| {
        let zoned = DateTime::parse_from_rfc3339(&text).map(|time| time.with_timezone(&Utc));
        zoned.or_else(|_| text.parse::<NaiveDateTime>().map(|time| time.and_utc())).ok()
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reading_is_tolerant() {
        let text = r#"{"metadata": {}, "nodes": {"model.a.b": {"raw_sql": "select 1", "fqn": null, "tags": 3,
            "columns": {"id": {"name": "id", "data_type": null, "constraints": null}}}}, "sources": null}"#;
        let manifest = PreviousManifest::parse(text, "x").expect("a manifest");
        let node = manifest.find("model.a.b").expect("the node");
        assert_eq!(node.raw_code.as_deref(), Some("select 1"));
        assert!(node.fqn.is_empty() && node.unrendered_config.is_none() && node.columns.contains_key("id"));
        assert!(manifest.find("model.a.c").is_none());
    }

    #[test]
    fn what_is_no_artifact_is_refused() {
        for text in ["", "[]", "{", "{}", r#"{"results": []}"#] {
            assert_eq!(PreviousManifest::parse(text, "x").expect_err(text).code, codes::FILE_UNREADABLE);
        }
    }

    #[test]
    fn times_with_and_without_zone() {
        let text = r#"{"results": [{"unique_id": "a", "max_loaded_at": "2024-01-01T00:00:00Z"},
            {"unique_id": "b", "max_loaded_at": "2024-01-01T00:00:00.5"},
            {"unique_id": "c", "status": "runtime error", "error": "x"}]}"#;
        let sources = SourceResults::parse(text, "x").expect("sources");
        let times: Vec<bool> = sources.results.iter().map(|result| result.max_loaded_at.is_some()).collect();
        assert_eq!(times, [true, true, false]);
    }
}
