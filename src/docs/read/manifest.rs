//! `manifest.json`, c360's or dbt's.

use indexmap::IndexMap;
use serde::Deserialize;
use serde_json::{Map, Value as Json};

use super::value::{Text, lenient, nullable};

/// The resolved project.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Manifest {
    pub(crate) metadata: Metadata,
    #[serde(deserialize_with = "nullable")]
    pub(crate) nodes: IndexMap<String, Node>,
    #[serde(deserialize_with = "nullable")]
    pub(crate) sources: IndexMap<String, Node>,
    #[serde(deserialize_with = "nullable")]
    pub(crate) exposures: IndexMap<String, Node>,
    #[serde(deserialize_with = "nullable")]
    pub(crate) metrics: IndexMap<String, Node>,
    #[serde(deserialize_with = "nullable")]
    pub(crate) semantic_models: IndexMap<String, Node>,
    #[serde(deserialize_with = "nullable")]
    pub(crate) saved_queries: IndexMap<String, Node>,
    #[serde(deserialize_with = "nullable")]
    pub(crate) unit_tests: IndexMap<String, Node>,
    #[serde(deserialize_with = "nullable")]
    pub(crate) macros: IndexMap<String, Macro>,
    #[serde(deserialize_with = "nullable")]
    pub(crate) docs: IndexMap<String, DocBlock>,
    #[serde(deserialize_with = "nullable")]
    pub(crate) groups: IndexMap<String, Group>,
    /// Made from the publish configurations; no artifact has them.
    #[serde(skip)]
    pub(crate) destinations: IndexMap<String, Node>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Metadata {
    pub(crate) project_name: Text,
    pub(crate) adapter_type: Text,
    pub(crate) dbt_version: Text,
    pub(crate) generated_at: Text,
}

/// A resource of any type: each has some of the keys.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Node {
    pub(crate) unique_id: Text,
    pub(crate) name: Text,
    pub(crate) alias: Text,
    pub(crate) resource_type: Text,
    pub(crate) package_name: Text,
    pub(crate) original_file_path: Text,
    #[serde(deserialize_with = "nullable")]
    pub(crate) fqn: Vec<Text>,
    pub(crate) relation_name: Text,
    pub(crate) description: Text,
    #[serde(deserialize_with = "nullable")]
    pub(crate) tags: Vec<Text>,
    #[serde(deserialize_with = "nullable")]
    pub(crate) meta: Map<String, Json>,
    #[serde(deserialize_with = "nullable")]
    pub(crate) config: Map<String, Json>,
    #[serde(deserialize_with = "nullable")]
    pub(crate) columns: IndexMap<String, Column>,
    pub(crate) group: Text,
    pub(crate) access: Text,
    pub(crate) raw_code: Text,
    pub(crate) compiled_code: Text,
    #[serde(deserialize_with = "nullable")]
    pub(crate) depends_on: DependsOn,
    #[serde(deserialize_with = "lenient")]
    pub(crate) refs: Vec<Ref>,
    pub(crate) patch_path: Text,
    #[serde(deserialize_with = "nullable")]
    pub(crate) docs: Docs,
    #[serde(deserialize_with = "nullable")]
    pub(crate) constraints: Vec<Constraint>,
    #[serde(deserialize_with = "nullable")]
    pub(crate) contract: Contract,
    pub(crate) version: Text,
    pub(crate) deprecation_date: Text,
    // Data tests.
    #[serde(deserialize_with = "nullable")]
    pub(crate) test_metadata: Option<TestMetadata>,
    pub(crate) column_name: Text,
    pub(crate) attached_node: Text,
    // Sources.
    pub(crate) source_name: Text,
    pub(crate) source_description: Text,
    pub(crate) loader: Text,
    pub(crate) loaded_at_field: Text,
    #[serde(deserialize_with = "nullable")]
    pub(crate) freshness: Json,
    #[serde(deserialize_with = "lenient")]
    pub(crate) external: Map<String, Json>,
    // Exposures.
    #[serde(rename = "type", deserialize_with = "lenient")]
    pub(crate) kind: Text,
    #[serde(deserialize_with = "nullable")]
    pub(crate) owner: Json,
    pub(crate) url: Text,
    pub(crate) label: Text,
    pub(crate) maturity: Text,
    // Unit tests.
    #[serde(deserialize_with = "lenient")]
    pub(crate) model: Text,
    #[serde(deserialize_with = "lenient")]
    pub(crate) given: Vec<Json>,
    #[serde(deserialize_with = "nullable")]
    pub(crate) expect: Json,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Column {
    pub(crate) name: Text,
    pub(crate) description: Text,
    #[serde(deserialize_with = "nullable")]
    pub(crate) meta: Map<String, Json>,
    pub(crate) data_type: Text,
    #[serde(deserialize_with = "nullable")]
    pub(crate) constraints: Vec<Constraint>,
    #[serde(deserialize_with = "nullable")]
    pub(crate) tags: Vec<Text>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Constraint {
    #[serde(rename = "type")]
    pub(crate) kind: Text,
    pub(crate) expression: Text,
    #[serde(deserialize_with = "nullable")]
    pub(crate) columns: Vec<Text>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct DependsOn {
    #[serde(deserialize_with = "nullable")]
    pub(crate) macros: Vec<Text>,
    #[serde(deserialize_with = "nullable")]
    pub(crate) nodes: Vec<Text>,
}

/// A call of `ref`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Ref {
    pub(crate) name: Text,
    pub(crate) package: Text,
    pub(crate) version: Text,
}

#[derive(Debug, Deserialize)]
#[serde(default)]
pub(crate) struct Docs {
    pub(crate) show: bool,
    pub(crate) node_color: Text,
}

impl Default for Docs {
    fn default() -> Docs {
        Docs { show: true, node_color: Text::default() }
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Contract {
    pub(crate) enforced: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct TestMetadata {
    pub(crate) name: Text,
    pub(crate) namespace: Text,
    #[serde(deserialize_with = "nullable")]
    pub(crate) kwargs: Map<String, Json>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Macro {
    pub(crate) unique_id: Text,
    pub(crate) name: Text,
    pub(crate) package_name: Text,
    pub(crate) original_file_path: Text,
    pub(crate) macro_sql: Text,
    pub(crate) description: Text,
    #[serde(deserialize_with = "nullable")]
    pub(crate) depends_on: DependsOn,
    #[serde(deserialize_with = "lenient")]
    pub(crate) arguments: Vec<Argument>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Argument {
    pub(crate) name: Text,
    #[serde(rename = "type")]
    pub(crate) kind: Text,
    pub(crate) description: Text,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct DocBlock {
    pub(crate) name: Text,
    pub(crate) package_name: Text,
    pub(crate) block_contents: Text,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Group {
    pub(crate) name: Text,
    #[serde(deserialize_with = "nullable")]
    pub(crate) owner: Json,
}

/// One table of a destination that a model is published to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Target {
    /// The destination's name.
    pub(crate) to: String,
    pub(crate) table: String,
    pub(crate) mode: String,
    pub(crate) keys: Vec<String>,
}

impl Node {
    /// Where the node is published, if anywhere: `publish` of its configuration or of its `meta`.
    pub(crate) fn publishes(&self) -> Vec<Target> {
        let written = self.config.get("publish").or_else(|| self.config.get("meta")?.get("publish"));
        let written = written.or_else(|| self.meta.get("publish"));
        let all = match written {
            Some(Json::Array(items)) => items.iter().collect(),
            Some(one) => vec![one],
            None => Vec::new(),
        };
        all.into_iter().flat_map(|written| self.target(written)).collect()
    }

    fn target(&self, written: &Json) -> Vec<Target> {
        let text = |key: &str| written.get(key).and_then(Json::as_str);
        let names = match written {
            Json::String(name) => vec![name.clone()],
            _ => strings(written.get("to")),
        };
        let target = |to: String| Target {
            to,
            table: text("table").or(self.alias.some()).unwrap_or(&self.name).to_string(),
            mode: text("mode").unwrap_or("replace").to_string(),
            keys: strings(written.get("key").or_else(|| written.get("keys"))),
        };
        names.into_iter().map(target).collect()
    }
}

/// One text, or a list of them.
fn strings(value: Option<&Json>) -> Vec<String> {
    match value {
        Some(Json::String(text)) => vec![text.clone()],
        Some(Json::Array(items)) => items.iter().filter_map(Json::as_str).map(str::to_string).collect(),
        _ => Vec::new(),
    }
}

impl Manifest {
    /// Makes a node of each destination that a model is published to, so that lineage ends where readers are.
    pub(super) fn add_destinations(&mut self) {
        let mut found: IndexMap<String, Node> = IndexMap::new();
        for (id, node) in &self.nodes {
            for target in node.publishes() {
                let entry = found.entry(format!("destination.{}", target.to)).or_insert_with(|| Node {
                    unique_id: format!("destination.{}", target.to).into(),
                    name: target.to.as_str().into(),
                    resource_type: "destination".into(),
                    package_name: self.metadata.project_name.clone(),
                    fqn: vec![target.to.as_str().into()],
                    ..Node::default()
                });
                if entry.depends_on.nodes.last().is_none_or(|last| **last != **id) {
                    entry.depends_on.nodes.push(id.as_str().into());
                }
            }
        }
        self.destinations = found;
    }

    /// Every node of the graph and every test, each with its unique id.
    pub(crate) fn all(&self) -> impl Iterator<Item = (&str, &Node)> {
        let maps = [
            &self.nodes,
            &self.sources,
            &self.exposures,
            &self.metrics,
            &self.semantic_models,
            &self.saved_queries,
            &self.unit_tests,
            &self.destinations,
        ];
        maps.into_iter().flatten().map(|(id, node)| (id.as_str(), node))
    }
}
