//! Facets: what is told about runs, jobs and datasets.

use datafusion::arrow::datatypes::{DataType, Fields, SchemaRef};
use serde_json::{Map, Value as Json, json};

use super::facet;
use super::settings::Parent;
use crate::engine::type_name;
use crate::node::{Node, Relation, ResourceType, plain};
use crate::run::{Status, UnitResult};
use crate::warehouse::profile::{ColumnProfile, TableProfile};

pub(super) type Facets = Map<String, Json>;

/// The run that a run is a part of, and the first of all of those.
pub(super) fn parent(parent: &Parent, root: &Parent) -> Json {
    let of =
        |one: &Parent| json!({"run": {"runId": one.run_id}, "job": {"namespace": one.namespace, "name": one.name}});
    let mut parts = of(parent);
    parts["root"] = of(root);
    facet("ParentRunFacet 1-2-0", parts)
}

/// What runs.
pub(super) fn engine() -> Json {
    let version = env!("CARGO_PKG_VERSION");
    let parts = json!({"version": version, "name": "c360", "openlineageAdapterVersion": version});
    facet("ProcessingEngineRunFacet 1-1-1", parts)
}

/// What went wrong.
pub(super) fn error(message: &str) -> Json {
    facet("ErrorMessageRunFacet 1-0-1", json!({"message": message, "programmingLanguage": "SQL"}))
}

/// The kind of a job: `RUN`, `MODEL`, `TEST`, `PUBLISH`, ...
pub(super) fn job_type(kind: &str) -> Json {
    facet("JobTypeJobFacet 2-0-4", json!({"processingType": "BATCH", "integration": "C360", "jobType": kind}))
}

/// The query of a job.
pub(super) fn sql(query: &str) -> Json {
    facet("SQLJobFacet 1-1-0", json!({"query": query, "dialect": "datafusion"}))
}

/// Description and owner of the job that builds `node`.
pub(super) fn describe_job(node: &Node, facets: &mut Facets) {
    if let Some(text) = description(node) {
        facets.insert("documentation".into(), facet("DocumentationJobFacet 1-1-0", json!({"description": text})));
    }
    if let Some(owners) = owners(node) {
        facets.insert("ownership".into(), facet("OwnershipJobFacet 1-0-1", json!({"owners": owners})));
    }
}

/// Description and owner of the dataset behind `node`.
pub(super) fn describe_dataset(node: &Node, facets: &mut Facets) {
    if let Some(text) = description(node) {
        facets.insert("documentation".into(), facet("DocumentationDatasetFacet 1-1-0", json!({"description": text})));
    }
    if let Some(owners) = owners(node) {
        facets.insert("ownership".into(), facet("OwnershipDatasetFacet 1-0-1", json!({"owners": owners})));
    }
}

fn description(node: &Node) -> Option<&str> {
    Some(node.description.trim()).filter(|text| !text.is_empty())
}

/// `meta.owner`: a name, or several.
fn owners(node: &Node) -> Option<Vec<Json>> {
    let owner = node.config.get("meta").and_then(|meta| meta.get("owner"))?;
    let names: Vec<String> = match owner {
        Json::Array(names) => names.iter().map(plain).collect(),
        Json::Object(owner) => owner.get("name").or_else(|| owner.get("email")).map(plain).into_iter().collect(),
        other => vec![plain(other)],
    };
    let names = names.into_iter().filter(|name| !name.trim().is_empty());
    Some(names.map(|name| json!({"name": name})).collect::<Vec<_>>()).filter(|owners| !owners.is_empty())
}

/// The name of a relation in SQL, beside its place.
pub(super) fn symlink(namespace: &str, relation: &Relation) -> Json {
    let name = format!("{}.{}.{}", relation.database, relation.schema, relation.identifier);
    let identifier = json!({"namespace": namespace, "name": name, "type": "TABLE"});
    facet("SymlinksDatasetFacet 1-0-1", json!({"identifiers": [identifier]}))
}

/// The columns of a dataset, with their descriptions.
pub(super) fn schema(node: &Node, schema: &SchemaRef) -> Json {
    let mut fields = fields(schema.fields());
    for field in &mut fields {
        let name = field["name"].as_str().unwrap_or_default();
        let declared = node.columns.iter().find(|column| column.name.eq_ignore_ascii_case(name));
        if let Some(column) = declared.filter(|column| !column.description.trim().is_empty()) {
            field["description"] = column.description.trim().into();
        }
    }
    facet("SchemaDatasetFacet 1-2-0", json!({"fields": fields}))
}

/// Columns, and the fields inside of structs.
fn fields(all: &Fields) -> Vec<Json> {
    let field = |(name, data_type): (&String, &DataType)| {
        let mut field = json!({"name": name, "type": type_name(data_type)});
        if let DataType::Struct(inner) = data_type {
            field["fields"] = fields(inner).into();
        }
        field
    };
    all.iter().map(|one| field((one.name(), one.data_type()))).collect()
}

/// What is known of a table that was just written.
pub(super) fn stored(version: u64) -> [(&'static str, Json); 2] {
    let storage = json!({"storageLayer": "delta", "fileFormat": "parquet"});
    [
        ("version", facet("DatasetVersionDatasetFacet 1-0-1", json!({"datasetVersion": version.to_string()}))),
        ("storage", facet("StorageDatasetFacet 1-0-1", storage)),
    ]
}

/// How much was written.
pub(super) fn statistics(rows: Option<u64>, bytes: Option<u64>) -> Option<Json> {
    let mut parts = Map::new();
    let known = [("rowCount", rows), ("size", bytes)];
    parts.extend(known.into_iter().filter_map(|(key, value)| Some((key.to_string(), value?.into()))));
    (!parts.is_empty()).then(|| facet("OutputStatisticsOutputDatasetFacet 1-0-2", parts.into()))
}

/// What is known of the values of a table. `schema` is that of an input or of an output.
pub(super) fn metrics(profile: &TableProfile, bytes: Option<u64>, schema: &str) -> Json {
    let columns: Map<String, Json> =
        profile.columns().map(|(name, column)| (name.to_string(), column_metrics(column))).collect();
    let mut parts = json!({"rowCount": profile.rows, "columnMetrics": columns});
    if let Some(bytes) = bytes {
        parts["bytes"] = bytes.into();
    }
    facet(schema, parts)
}

fn column_metrics(column: &ColumnProfile) -> Json {
    let mut metrics = json!({"nullCount": column.nulls, "count": column.rows - column.nulls});
    if let Some(distinct) = column.distinct {
        metrics["distinctCount"] = distinct.into();
    }
    // The specification knows numbers alone.
    let is_number = column.mean.is_some();
    for (key, bound) in [("min", &column.min), ("max", &column.max)] {
        let number = bound.as_ref().filter(|_| is_number).and_then(|text| text.parse::<f64>().ok());
        if let Some(number) = number.filter(|number| number.is_finite()) {
            metrics[key] = number.into();
        }
    }
    if let Some(quantiles) = column.quantiles.as_ref().filter(|_| is_number) {
        let of =
            [("0.05", &quantiles.p05), ("0.25", &quantiles.p25), ("0.5", &quantiles.p50), ("0.75", &quantiles.p75)];
        let all = of.into_iter().chain([("0.95", &quantiles.p95)]).map(|(key, value)| (key.to_string(), value.clone()));
        metrics["quantiles"] = Json::Object(all.collect());
    }
    metrics
}

/// What a test has found.
pub(super) fn assertion(test: &Node, result: &UnitResult) -> Json {
    let generic = test.as_generic_test();
    let name = generic.map_or_else(|| test.name.clone(), |generic| generic.name.clone());
    let success = !matches!(result.status, Status::Fail | Status::Error | Status::Warn);
    let severity = test.config.str("severity").unwrap_or("error").to_ascii_lowercase();
    let mut assertion = json!({"assertion": name, "success": success, "severity": severity});
    if let Some(column) = generic.and_then(|generic| generic.column_name.as_ref()) {
        assertion["column"] = column.as_str().into();
    }
    facet("DataQualityAssertionsDatasetFacet 1-1-0", json!({"assertions": [assertion]}))
}

/// `MODEL`, `SEED`, `SNAPSHOT`, `TEST`.
pub(super) fn kind(node: &Node) -> &'static str {
    match node.resource_type {
        ResourceType::Seed => "SEED",
        ResourceType::Snapshot => "SNAPSHOT",
        ResourceType::Test | ResourceType::UnitTest => "TEST",
        _ => "MODEL",
    }
}
