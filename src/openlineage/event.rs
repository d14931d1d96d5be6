//! Events of the specification, made of what happened.

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Value as Json, json};
use sha2::{Digest, Sha256};

use super::dataset::Dataset;
use super::facets::{self, Facets};
use super::lineage::Lineage;
use super::settings::{Parent, Settings};
use super::{Surroundings, facet, producer};
use crate::diag::codes;
use crate::node::{Node, Relation, ResourceType};
use crate::run::{RunResult, Status, UnitInfo, UnitResult};

const RUN_EVENT: &str = "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent";

/// What a unit did when an event is made of it.
#[derive(Debug, Clone)]
pub(super) enum Moment {
    Started,
    Ended(Box<UnitResult>),
}

/// Makes events of one run.
pub(super) struct Events {
    settings: Settings,
    around: Surroundings,
    lineage: Lineage,
    run: Parent,
}

impl Events {
    pub(super) fn new(settings: Settings, around: Surroundings) -> Events {
        let lineage = Lineage::read(&around.target_path);
        let name = format!("{}.{}", around.manifest.project_name, around.command);
        let run = Parent { namespace: settings.namespace.clone(), name, run_id: around.invocation_id.clone() };
        Events { settings, around, lineage, run }
    }

    /// The run has started.
    pub(super) fn run_started(&self, at: DateTime<Utc>) -> Json {
        self.run_event("START", Facets::new(), at)
    }

    /// The run has ended.
    pub(super) fn run_ended(&self, result: &RunResult, at: DateTime<Utc>) -> Json {
        let mut facets = Facets::new();
        if result.has_failures() {
            let failed = result.results.iter().filter(|one| one.status.is_failure());
            let names: Vec<&str> = failed.map(|one| one.unique_id.as_str()).collect();
            facets.insert("errorMessage".into(), facets::error(&format!("failed: {}", names.join(", "))));
        }
        let kind = match () {
            () if result.interrupted => "ABORT",
            () if result.has_failures() => "FAIL",
            () => "COMPLETE",
        };
        self.run_event(kind, facets, at)
    }

    fn run_event(&self, kind: &str, mut run: Facets, at: DateTime<Utc>) -> Json {
        if let Some(parent) = &self.settings.parent {
            run.insert("parent".into(), facets::parent(parent, parent));
        }
        run.insert("processing_engine".into(), facets::engine());
        let mut job = Facets::new();
        job.insert("jobType".into(), facets::job_type("RUN"));
        let (run, job) = ((self.run.run_id.clone(), run), (self.run.name.clone(), job));
        self.event(kind, at, run, job, (Vec::new(), Vec::new()))
    }

    fn event(
        &self,
        kind: &str,
        at: DateTime<Utc>,
        (run_id, run): (String, Facets),
        (name, job): (String, Facets),
        (inputs, outputs): (Vec<Json>, Vec<Json>),
    ) -> Json {
        json!({
            "eventType": kind,
            "eventTime": at.to_rfc3339_opts(SecondsFormat::Micros, true),
            "run": {"runId": run_id, "facets": run},
            "job": {"namespace": self.settings.namespace, "name": name, "facets": job},
            "inputs": inputs,
            "outputs": outputs,
            "producer": producer(),
            "schemaURL": RUN_EVENT,
        })
    }

    /// A unit has started or ended; none for what is no job (an exposure, a hook, what was skipped).
    pub(super) async fn unit(&self, unit: &UnitInfo, moment: &Moment, at: DateTime<Utc>) -> Option<Json> {
        let node = self.around.manifest.find(&unit.unique_id)?;
        let result = match moment {
            Moment::Started => None,
            Moment::Ended(result) => Some(&**result),
        };
        let is_job = matches!(unit.resource_type, ResourceType::Model | ResourceType::Seed | ResourceType::Snapshot)
            || matches!(unit.resource_type, ResourceType::Test | ResourceType::UnitTest);
        if !is_job || result.is_some_and(|result| result.status == Status::Skipped) {
            return None;
        }
        let (name, kind, datasets) = match unit.action.as_str() {
            "publish" => (format!("{}.publish", node.unique_id), "PUBLISH", self.publish(node, unit, result)),
            "test" => (node.unique_id.clone(), "TEST", self.test(node, result).await),
            "unit test" => (node.unique_id.clone(), "TEST", (Vec::new(), Vec::new())),
            _ => (node.unique_id.clone(), facets::kind(node), self.build(node, result).await),
        };
        let mut job = Facets::new();
        job.insert("jobType".into(), facets::job_type(kind));
        facets::describe_job(node, &mut job);
        if let Some(code) = result.and_then(|result| result.compiled_code.as_ref()) {
            job.insert("sql".into(), facets::sql(code));
        }
        let mut run = Facets::new();
        let root = self.settings.parent.as_ref().unwrap_or(&self.run);
        run.insert("parent".into(), facets::parent(&self.run, root));
        run.insert("processing_engine".into(), facets::engine());
        if let Some(result) = result.filter(|result| result.status.is_failure()) {
            let message = result.message.as_deref().unwrap_or("failed");
            run.insert("errorMessage".into(), facets::error(message));
        }
        let run_id = run_id(&self.run.run_id, unit.index);
        Some(self.event(result.map_or("START", ended), at, (run_id, run), (name, job), datasets))
    }

    /// What a model, seed or snapshot reads and writes.
    async fn build(&self, node: &Node, result: Option<&UnitResult>) -> (Vec<Json>, Vec<Json>) {
        let inputs = self.parents(node).into_iter().map(|(_, dataset)| dataset.json(Facets::new(), None)).collect();
        let Some(relation) = &node.relation else { return (inputs, Vec::new()) };
        let mut of_dataset = Facets::new();
        let mut of_output = Facets::new();
        facets::describe_dataset(node, &mut of_dataset);
        of_dataset.insert("symlinks".into(), facets::symlink(&self.settings.namespace, relation));
        if let Some(result) = result.filter(|result| result.status == Status::Success) {
            self.built(node, relation, result, &mut of_dataset).await;
            let statistics = facets::statistics(result.rows, result.bytes);
            of_output.extend(statistics.map(|facet| ("outputStatistics".to_string(), facet)));
        }
        let dataset = Dataset::of_relation(&self.around.engine.warehouse, relation);
        (inputs, vec![dataset.json(of_dataset, Some(("outputFacets", of_output)))])
    }

    /// Facets of a relation that is there.
    async fn built(&self, node: &Node, relation: &Relation, result: &UnitResult, facets: &mut Facets) {
        let engine = &self.around.engine;
        if let Ok(Some(schema)) = engine.schema_of(relation).await {
            facets.insert("schema".into(), facets::schema(node, &schema));
            let dataset = |id: &str| self.dataset(self.around.manifest.find(id)?);
            let lineage = self.lineage.facet(&node.unique_id, &schema, &dataset);
            facets.extend(lineage.map(|facet| ("columnLineage".to_string(), facet)));
        }
        let Some(version) = result.response.get("version").and_then(Json::as_u64) else { return };
        facets.extend(facets::stored(version).map(|(key, facet)| (key.to_string(), facet)));
        let profile = engine.warehouse.profile(relation).await.ok().flatten();
        if let Some(profile) = profile.filter(|profile| profile.version == version) {
            let metrics = facets::metrics(&profile, result.bytes, "DataQualityMetricsDatasetFacet 1-0-1");
            facets.insert("dataQualityMetrics".into(), metrics);
        }
    }

    /// What a data test reads, with what it has found.
    async fn test(&self, node: &Node, result: Option<&UnitResult>) -> (Vec<Json>, Vec<Json>) {
        let attached = node.as_generic_test().map(|generic| generic.attached_node.as_str());
        let mut inputs = Vec::new();
        for (parent, dataset) in self.parents(node) {
            let mut found = Facets::new();
            if let Some(result) = result.filter(|_| attached.is_none_or(|id| id.is_empty() || id == parent.unique_id)) {
                found.insert("dataQualityAssertions".into(), facets::assertion(node, result));
                found.extend(self.measured(parent).await.map(|facet| ("dataQualityMetrics".to_string(), facet)));
            }
            inputs.push(dataset.json(Facets::new(), Some(("inputFacets", found))));
        }
        (inputs, Vec::new())
    }

    async fn measured(&self, node: &Node) -> Option<Json> {
        let (engine, relation) = (&self.around.engine, node.relation.as_ref()?);
        let table = engine.version_of(relation).await.ok()??;
        let profile = engine.warehouse.profile(relation).await.ok()??;
        let schema = "DataQualityMetricsInputDatasetFacet 1-0-3";
        (profile.version == table.number()).then(|| facets::metrics(&profile, Some(table.bytes()), schema))
    }

    /// What a publish reads and writes.
    fn publish(&self, node: &Node, unit: &UnitInfo, result: Option<&UnitResult>) -> (Vec<Json>, Vec<Json>) {
        let inputs = self.dataset(node).map(|dataset| dataset.json(Facets::new(), None)).into_iter().collect();
        let tables = result.and_then(|result| result.response.get("tables")).and_then(Json::as_array);
        let outputs = unit.relation.iter().flat_map(|names| names.split(", ")).map(|name| {
            let (destination, table) = name.split_once('.').unwrap_or((name, ""));
            let done =
                tables.into_iter().flatten().find(|one| one["destination"] == destination && one["table"] == table);
            let mut of_output = Facets::new();
            if let Some(done) = done.filter(|done| done["status"] == "success") {
                let statistics = facets::statistics(done["rows"].as_u64(), done["bytes"].as_u64());
                of_output.extend(statistics.map(|facet| ("outputStatistics".to_string(), facet)));
            }
            let mut of_dataset = Facets::new();
            facets::describe_dataset(node, &mut of_dataset);
            let source = json!({"name": destination, "uri": format!("c360://{destination}")});
            of_dataset.insert("dataSource".into(), facet("DatasourceDatasetFacet 1-0-1", source));
            let destinations = &self.around.target.destinations;
            let dataset = Dataset::of_destination(destination, table, destinations, &self.around.root);
            dataset.json(of_dataset, Some(("outputFacets", of_output)))
        });
        (inputs, outputs.collect())
    }

    /// The nodes with data that `node` reads, through ephemeral models, and their datasets.
    fn parents<'a>(&'a self, node: &'a Node) -> Vec<(&'a Node, Dataset)> {
        let mut found: Vec<(&Node, Dataset)> = Vec::new();
        let mut ids: Vec<&str> = node.depends_on.iter().map(String::as_str).rev().collect();
        let mut seen: Vec<&str> = Vec::new();
        while let Some(id) = ids.pop() {
            let Some(parent) = self.around.manifest.find(id).filter(|_| !seen.contains(&id)) else { continue };
            seen.push(id);
            match parent.is_ephemeral() {
                true => ids.extend(parent.depends_on.iter().map(String::as_str).rev()),
                false => found.extend(self.dataset(parent).map(|dataset| (parent, dataset))),
            }
        }
        found
    }

    /// The dataset behind a node, if there is one.
    fn dataset(&self, node: &Node) -> Option<Dataset> {
        if node.is_ephemeral() {
            return None;
        }
        let target = &self.around.target;
        if let Some((source, external)) = node.as_source().and_then(|source| Some((source, source.external.as_ref()?)))
        {
            let databases = [&target.connections, &target.destinations];
            return Some(Dataset::of_source(external, &source.identifier, &self.around.root, &databases));
        }
        Some(Dataset::of_relation(&self.around.engine.warehouse, node.relation.as_ref()?))
    }
}

fn ended(result: &UnitResult) -> &'static str {
    let interrupted = result.diagnostics.iter().any(|found| found.code == codes::INTERRUPTED);
    match result.status.is_failure() {
        true if interrupted => "ABORT",
        true => "FAIL",
        false => "COMPLETE",
    }
}

/// The id of the run of a unit: the same for its start and its end, and another one in each invocation.
fn run_id(invocation_id: &str, index: usize) -> String {
    let digest = Sha256::digest(format!("{invocation_id}/{index}").as_bytes());
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest[..16]);
    uuid::Builder::from_random_bytes(bytes).into_uuid().to_string()
}
