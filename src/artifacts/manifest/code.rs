//! Nodes with a template or rows of their own: models, seeds, snapshots, tests, analyses and operations.

use indexmap::IndexMap;
use serde::Serialize;
use serde_json::{Map, Value as Json};

use super::config::config;
use super::parts::{
    CREATED_AT, Checksum, ColumnDoc, ConstraintDoc, DependsOn, Docs, Ref, columns, meta, refs, sources,
};
use super::{ManifestMeta, keys};
use crate::manifest::Manifest;
use crate::node::{Node, NodeKind, ResourceType};

/// A value of `nodes`. Readers reject keys that a type does not have, so each type adds its own part.
#[derive(Debug, Serialize)]
pub(super) struct CodeDoc<'a> {
    database: &'a str,
    schema: String,
    name: &'a str,
    resource_type: &'static str,
    package_name: &'a str,
    path: &'a str,
    original_file_path: &'a str,
    unique_id: &'a str,
    fqn: &'a [String],
    alias: &'a str,
    checksum: Checksum,
    config: Map<String, Json>,
    tags: Vec<String>,
    description: &'a str,
    columns: IndexMap<&'a str, ColumnDoc<'a>>,
    meta: Map<String, Json>,
    group: Option<&'a str>,
    docs: Docs,
    patch_path: Option<String>,
    build_path: Option<&'a str>,
    unrendered_config: &'a Map<String, Json>,
    created_at: f64,
    relation_name: Option<String>,
    raw_code: &'a str,
    doc_blocks: [&'a str; 0],
    #[serde(flatten)]
    own: Own<'a>,
}

/// What only one type has.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Own<'a> {
    Seed {
        root_path: Option<&'a str>,
        depends_on: MacroDependsOn<'a>,
    },
    Model {
        #[serde(flatten)]
        template: Template<'a>,
        access: &'a str,
        constraints: Vec<ConstraintDoc<'a>>,
        version: Option<&'a Json>,
        latest_version: Option<&'a Json>,
        deprecation_date: Option<String>,
        primary_key: Vec<String>,
        time_spine: Option<&'a Json>,
    },
    GenericTest {
        #[serde(flatten)]
        template: Template<'a>,
        column_name: Option<&'a str>,
        file_key_name: &'a str,
        attached_node: &'a str,
        test_metadata: TestMetadata<'a>,
    },
    Operation {
        #[serde(flatten)]
        template: Template<'a>,
        index: Option<i64>,
    },
    Other {
        #[serde(flatten)]
        template: Template<'a>,
    },
}

#[derive(Debug, Serialize)]
struct MacroDependsOn<'a> {
    macros: &'a [String],
}

/// What every type with a template has.
#[derive(Debug, Serialize)]
struct Template<'a> {
    language: &'static str,
    refs: Vec<Ref<'a>>,
    sources: Vec<[&'a str; 2]>,
    metrics: [[&'a str; 1]; 0],
    functions: [[&'a str; 1]; 0],
    depends_on: DependsOn<'a>,
    compiled_path: Option<&'a str>,
    compiled: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    compiled_code: Option<&'a str>,
    extra_ctes_injected: bool,
    extra_ctes: Vec<ExtraCte<'a>>,
    contract: Contract,
}

#[derive(Debug, Serialize)]
struct ExtraCte<'a> {
    id: &'a str,
    sql: &'a str,
}

#[derive(Debug, Serialize)]
struct Contract {
    enforced: bool,
    alias_types: bool,
    checksum: Option<String>,
}

#[derive(Debug, Serialize)]
struct TestMetadata<'a> {
    name: &'a str,
    kwargs: &'a Map<String, Json>,
    namespace: Option<&'a str>,
}

impl<'a> CodeDoc<'a> {
    pub(super) fn of(node: &'a Node, manifest: &'a Manifest, meta_: &'a ManifestMeta<'a>) -> CodeDoc<'a> {
        let (database, schema) = place(node, meta_);
        CodeDoc {
            database,
            schema,
            name: &node.name,
            resource_type: node.resource_type.as_str(),
            package_name: &node.package,
            path: &node.path,
            original_file_path: &node.original_path,
            unique_id: &node.unique_id,
            fqn: &node.fqn,
            alias: alias(node),
            checksum: checksum(node, meta_),
            config: config(node),
            tags: node.tags(),
            description: &node.description,
            columns: columns(&node.columns),
            meta: meta(node),
            group: node.config.str("group"),
            docs: Docs::of(node),
            patch_path: patch_path(node),
            build_path: None,
            unrendered_config: &node.unrendered_config,
            created_at: CREATED_AT,
            relation_name: relation_name(node),
            raw_code: &node.raw_code,
            doc_blocks: [],
            own: Own::of(node, manifest, meta_),
        }
    }
}

impl<'a> Own<'a> {
    fn of(node: &'a Node, manifest: &Manifest, meta: &'a ManifestMeta<'a>) -> Own<'a> {
        let template = || Template::of(node, meta);
        match &node.kind {
            NodeKind::Seed => {
                Own::Seed { root_path: None, depends_on: MacroDependsOn { macros: &node.depends_on_macros } }
            }
            NodeKind::Model(parts) => Own::Model {
                template: template(),
                access: node.config.str("access").unwrap_or("protected"),
                constraints: parts.constraints.iter().map(ConstraintDoc::of_model).collect(),
                version: parts.version.as_ref(),
                latest_version: parts.latest_version.as_ref(),
                deprecation_date: parts.deprecation_date.map(|date| date.to_rfc3339()),
                primary_key: keys::primary_key(node, parts, manifest),
                time_spine: None,
            },
            NodeKind::Test(Some(test)) => Own::GenericTest {
                template: template(),
                column_name: test.column_name.as_deref(),
                file_key_name: &test.file_key_name,
                attached_node: &test.attached_node,
                test_metadata: TestMetadata {
                    name: &test.name,
                    kwargs: &test.kwargs,
                    namespace: test.namespace.as_deref(),
                },
            },
            NodeKind::Operation => {
                Own::Operation { template: template(), index: node.config.get("index").and_then(Json::as_i64) }
            }
            _ => Own::Other { template: template() },
        }
    }
}

impl<'a> Template<'a> {
    fn of(node: &'a Node, meta: &'a ManifestMeta<'a>) -> Template<'a> {
        let compiled = meta.compiled.get(&node.unique_id);
        let contract = node.config.get("contract");
        let flag = |key, default| contract.and_then(|contract| contract.get(key)?.as_bool()).unwrap_or(default);
        let cte = |(id, sql): &'a (String, String)| ExtraCte { id, sql };
        Template {
            language: "sql",
            refs: refs(&node.refs),
            sources: sources(&node.sources),
            metrics: [],
            functions: [],
            depends_on: DependsOn::of(node),
            compiled_path: compiled.and_then(|compiled| compiled.path.as_deref()),
            compiled: compiled.is_some(),
            compiled_code: compiled.map(|compiled| compiled.code.as_str()),
            extra_ctes_injected: compiled.is_some(),
            extra_ctes: compiled.map(|compiled| compiled.ctes.iter().map(cte).collect()).unwrap_or_default(),
            contract: Contract {
                enforced: flag("enforced", false),
                alias_types: flag("alias_types", true),
                checksum: None,
            },
        }
    }
}

/// Database and schema, also of nodes that are stored nowhere.
fn place<'a>(node: &'a Node, meta: &'a ManifestMeta<'a>) -> (&'a str, String) {
    match &node.relation {
        Some(relation) => (&relation.database, relation.schema.clone()),
        None if node.resource_type == ResourceType::Test => {
            let own = node.config.str("schema").unwrap_or("dbt_test__audit");
            (meta.database, format!("{}_{own}", meta.schema))
        }
        None => (meta.database, meta.schema.to_string()),
    }
}

fn alias(node: &Node) -> &str {
    let stored = node.relation.as_ref().map(|relation| relation.identifier.as_str());
    stored.or(node.config.str("alias")).unwrap_or(&node.name)
}

/// The name in SQL of what is stored.
fn relation_name(node: &Node) -> Option<String> {
    let is_stored = match node.resource_type {
        ResourceType::Model => !node.is_ephemeral(),
        ResourceType::Seed | ResourceType::Snapshot => true,
        ResourceType::Test => node.config.bool("store_failures").unwrap_or(false),
        _ => false,
    };
    node.relation.as_ref().filter(|_| is_stored).map(crate::node::Relation::render)
}

fn checksum(node: &Node, meta: &ManifestMeta<'_>) -> Checksum {
    match &node.kind {
        NodeKind::Seed => match meta.seed_checksums.get(&node.unique_id) {
            Some(checksum) => Checksum::sha256(checksum.clone()),
            None => Checksum::path(&node.original_path),
        },
        NodeKind::Test(Some(_)) | NodeKind::Operation => Checksum::none(),
        _ => Checksum::of(&node.file.text),
    }
}

/// Where the properties of a file stand. What is itself read from a properties file has none.
fn patch_path(node: &Node) -> Option<String> {
    let span = node.patch.as_ref().filter(|_| node.as_generic_test().is_none())?;
    Some(format!("{}://{}", node.package, span.file.path))
}
