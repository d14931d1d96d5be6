//! Nodes without code of their own: sources, exposures and unit tests.

use indexmap::IndexMap;
use serde::Serialize;
use serde_json::{Map, Value as Json, json};

use super::ManifestMeta;
use super::config::config;
use super::parts::{CREATED_AT, ColumnDoc, DependsOn, Ref, columns, meta, refs, sha256, sources};
use crate::node::{External, Freshness, FreshnessThreshold, Node, SourceTable, UnitTest};

/// A value of `sources`.
#[derive(Debug, Serialize)]
pub(super) struct SourceDoc<'a> {
    database: &'a str,
    schema: &'a str,
    name: &'a str,
    resource_type: &'static str,
    package_name: &'a str,
    path: &'a str,
    original_file_path: &'a str,
    unique_id: &'a str,
    fqn: &'a [String],
    source_name: &'a str,
    source_description: &'a str,
    loader: &'a str,
    identifier: &'a str,
    quoting: Quoting,
    loaded_at_field: Option<&'a str>,
    loaded_at_query: Option<&'a str>,
    freshness: Option<FreshnessDoc<'a>>,
    external: Option<Map<String, Json>>,
    description: &'a str,
    columns: IndexMap<&'a str, ColumnDoc<'a>>,
    meta: Map<String, Json>,
    source_meta: &'a Map<String, Json>,
    tags: Vec<String>,
    config: Map<String, Json>,
    patch_path: Option<&'a str>,
    unrendered_config: &'a Map<String, Json>,
    relation_name: Option<String>,
    created_at: f64,
    unrendered_database: Option<&'a str>,
    unrendered_schema: Option<&'a str>,
    doc_blocks: [&'a str; 0],
}

#[derive(Debug, Default, Serialize)]
struct Quoting {
    database: Option<bool>,
    schema: Option<bool>,
    identifier: Option<bool>,
    column: Option<bool>,
}

#[derive(Debug, Serialize)]
struct FreshnessDoc<'a> {
    warn_after: Threshold<'a>,
    error_after: Threshold<'a>,
    filter: Option<&'a str>,
}

#[derive(Debug, Default, Serialize)]
struct Threshold<'a> {
    count: Option<i64>,
    period: Option<&'a str>,
}

impl<'a> SourceDoc<'a> {
    pub(super) fn of(node: &'a Node, source: &'a SourceTable, meta_: &ManifestMeta<'a>) -> SourceDoc<'a> {
        let freshness = source.freshness.as_ref().map(FreshnessDoc::of);
        let mut config = config(node);
        for (key, value) in [
            ("freshness", json!(freshness)),
            ("loaded_at_field", json!(source.loaded_at_field)),
            ("loaded_at_query", json!(source.loaded_at_query)),
        ] {
            config.insert(key.to_string(), value);
        }
        let relation = node.relation.as_ref();
        SourceDoc {
            database: relation.map_or(meta_.database, |relation| &relation.database),
            schema: relation.map_or(&source.source_name, |relation| &relation.schema),
            name: &node.name,
            resource_type: "source",
            package_name: &node.package,
            path: &node.original_path,
            original_file_path: &node.original_path,
            unique_id: &node.unique_id,
            fqn: &node.fqn,
            source_name: &source.source_name,
            source_description: &source.source_description,
            loader: &source.loader,
            identifier: &source.identifier,
            quoting: Quoting::default(),
            loaded_at_field: source.loaded_at_field.as_deref(),
            loaded_at_query: source.loaded_at_query.as_deref(),
            freshness,
            external: source.external.as_ref().map(external),
            description: &node.description,
            columns: columns(&node.columns),
            meta: meta(node),
            source_meta: &source.source_meta,
            tags: node.tags(),
            config,
            patch_path: None,
            unrendered_config: &node.unrendered_config,
            relation_name: relation.map(crate::node::Relation::render),
            created_at: CREATED_AT,
            unrendered_database: None,
            unrendered_schema: None,
            doc_blocks: [],
        }
    }
}

impl<'a> FreshnessDoc<'a> {
    fn of(freshness: &'a Freshness) -> FreshnessDoc<'a> {
        let threshold = |threshold: &'a Option<FreshnessThreshold>| {
            threshold
                .as_ref()
                .map_or_else(Threshold::default, |one| Threshold { count: Some(one.count), period: Some(&one.period) })
        };
        FreshnessDoc {
            warn_after: threshold(&freshness.warn_after),
            error_after: threshold(&freshness.error_after),
            filter: freshness.filter.as_deref(),
        }
    }
}

/// dbt's five keys, then the rest of the block. Those five are texts for dbt: what is none is left to the rest.
fn external(external: &External) -> Map<String, Json> {
    let text = |key: &str| external.settings.get(key).filter(|value| value.is_string()).cloned().unwrap_or(Json::Null);
    let mut doc = Map::new();
    let location = (!external.location.is_empty()).then_some(&external.location);
    doc.insert("location".into(), json!(location));
    for key in ["file_format", "row_format", "tbl_properties"] {
        doc.insert(key.into(), text(key));
    }
    doc.insert("partitions".into(), external.settings.get("partitions").cloned().unwrap_or(Json::Null));
    for (key, value) in &external.settings {
        doc.entry(key.as_str()).or_insert_with(|| value.clone());
    }
    doc
}

/// A value of `exposures`.
#[derive(Debug, Serialize)]
pub(super) struct ExposureDoc<'a> {
    name: &'a str,
    resource_type: &'static str,
    package_name: &'a str,
    path: &'a str,
    original_file_path: &'a str,
    unique_id: &'a str,
    fqn: &'a [String],
    #[serde(rename = "type")]
    kind: &'a str,
    owner: Json,
    description: &'a str,
    label: Option<&'a str>,
    maturity: Option<&'a str>,
    meta: Map<String, Json>,
    tags: Vec<String>,
    config: Map<String, Json>,
    unrendered_config: &'a Map<String, Json>,
    url: Option<&'a str>,
    depends_on: DependsOn<'a>,
    refs: Vec<Ref<'a>>,
    sources: Vec<[&'a str; 2]>,
    metrics: [[&'a str; 1]; 0],
    created_at: f64,
}

impl<'a> ExposureDoc<'a> {
    pub(super) fn of(node: &'a Node, written: &'a Json) -> ExposureDoc<'a> {
        let text = |key: &str| written.get(key).and_then(Json::as_str);
        ExposureDoc {
            name: &node.name,
            resource_type: "exposure",
            package_name: &node.package,
            path: &node.path,
            original_file_path: &node.original_path,
            unique_id: &node.unique_id,
            fqn: &node.fqn,
            kind: text("type").unwrap_or("application"),
            owner: written.get("owner").filter(|owner| owner.is_object()).cloned().unwrap_or(json!({})),
            description: &node.description,
            label: text("label"),
            maturity: text("maturity"),
            meta: meta(node),
            tags: node.tags(),
            config: config(node),
            unrendered_config: &node.unrendered_config,
            url: text("url"),
            depends_on: DependsOn::of(node),
            refs: refs(&node.refs),
            sources: sources(&node.sources),
            metrics: [],
            created_at: CREATED_AT,
        }
    }
}

/// A value of `unit_tests`.
#[derive(Debug, Serialize)]
pub(super) struct UnitTestDoc<'a> {
    model: &'a str,
    given: Vec<Json>,
    expect: Json,
    name: &'a str,
    resource_type: &'static str,
    package_name: &'a str,
    path: &'a str,
    original_file_path: &'a str,
    unique_id: &'a str,
    fqn: &'a [String],
    description: &'a str,
    overrides: Option<Json>,
    depends_on: DependsOn<'a>,
    config: Map<String, Json>,
    checksum: String,
    schema: &'a str,
    created_at: f64,
    versions: Option<Json>,
    version: Option<&'a Json>,
}

impl<'a> UnitTestDoc<'a> {
    pub(super) fn of(node: &'a Node, test: &'a UnitTest, meta: &ManifestMeta<'a>) -> UnitTestDoc<'a> {
        let given: Vec<Json> = test.given.iter().map(|rows| fixture(rows, true)).collect();
        let expect = fixture(&test.expect, false);
        let checksum = sha256(&json!([test.model, given, expect, test.overrides]).to_string());
        UnitTestDoc {
            model: &test.model,
            given,
            expect,
            name: &node.name,
            resource_type: "unit_test",
            package_name: &node.package,
            path: &node.path,
            original_file_path: &node.original_path,
            unique_id: &node.unique_id,
            fqn: &node.fqn,
            description: &node.description,
            overrides: overrides(&test.overrides),
            depends_on: DependsOn::of(node),
            config: config(node),
            checksum,
            schema: node.relation.as_ref().map_or(meta.schema, |relation| &relation.schema),
            created_at: CREATED_AT,
            versions: None,
            version: test.version.as_ref(),
        }
    }
}

/// Rows of a unit test with every key that dbt has, and no other.
fn fixture(written: &Json, has_input: bool) -> Json {
    let get = |key: &str| written.get(key).cloned().unwrap_or(Json::Null);
    let mut doc = Map::new();
    if has_input {
        doc.insert("input".into(), json!(written.get("input").map(crate::node::plain).unwrap_or_default()));
    }
    doc.insert("rows".into(), get("rows"));
    doc.insert("format".into(), written.get("format").cloned().unwrap_or(json!("dict")));
    doc.insert("fixture".into(), get("fixture"));
    Json::Object(doc)
}

fn overrides(written: &Json) -> Option<Json> {
    let map = |key: &str| written.get(key).filter(|value| value.is_object()).cloned().unwrap_or(json!({}));
    written.is_object().then(|| json!({"macros": map("macros"), "vars": map("vars"), "env_vars": map("env_vars")}))
}
