//! `manifest.json`, schema v12: the resolved project.
//!
//! Readers are strict: a key that a type of resource does not have is an error to them, and so is a missing one. The
//! documents borrow from the [`Manifest`], so that ten thousand nodes are written without a second copy of them.

mod blocks;
mod code;
mod config;
mod keys;
mod outer;
mod parts;
mod semantic;

use std::collections::{BTreeMap, HashMap};

use serde::{Serialize, Serializer};
use serde_json::{Map, Value as Json};

use super::{Made, Metadata};
use crate::manifest::Manifest;
use crate::node::{Node, NodeKind};

use blocks::{BlockDoc, GroupDoc, MacroDoc};
use code::CodeDoc;
use outer::{ExposureDoc, SourceDoc, UnitTestDoc};
use parts::md5;

pub use config::config;

/// The type of adapter that profiles name.
const ADAPTER: &str = "datafusion";

/// What `manifest.json` says besides the project.
#[derive(Debug)]
pub struct ManifestMeta<'a> {
    /// The invocation.
    pub made: Made,
    /// Database of the target, for nodes that are stored nowhere.
    pub database: &'a str,
    /// Schema of the target, for the same.
    pub schema: &'a str,
    /// What was compiled, by unique id.
    pub compiled: &'a HashMap<String, Compiled>,
    /// SHA-256 (hex) of seed files, by unique id: their content is not in memory.
    pub seed_checksums: &'a HashMap<String, String>,
}

/// A node that was compiled.
#[derive(Debug, Clone, Default)]
pub struct Compiled {
    /// The SQL, with the queries of ephemeral models inside.
    pub code: String,
    /// Where it was written, relative to the project.
    pub path: Option<String>,
    /// Unique ids and SQL of the ephemeral models inside.
    pub ctes: Vec<(String, String)>,
}

#[derive(Serialize)]
struct ManifestDoc<'a> {
    metadata: ManifestMetadata<'a>,
    nodes: Docs<'a>,
    sources: Docs<'a>,
    macros: BTreeMap<&'a str, MacroDoc<'a>>,
    docs: BTreeMap<&'a str, BlockDoc<'a>>,
    exposures: Docs<'a>,
    metrics: Map<String, Json>,
    groups: BTreeMap<String, GroupDoc<'a>>,
    selectors: Map<String, Json>,
    disabled: BTreeMap<&'a str, Vec<AnyDoc<'a>>>,
    parent_map: BTreeMap<&'a str, Vec<&'a str>>,
    child_map: BTreeMap<&'a str, Vec<&'a str>>,
    group_map: BTreeMap<&'a str, Vec<&'a str>>,
    saved_queries: Map<String, Json>,
    semantic_models: Map<String, Json>,
    unit_tests: Docs<'a>,
    functions: Map<String, Json>,
}

#[derive(Serialize)]
struct ManifestMetadata<'a> {
    #[serde(flatten)]
    common: Metadata<'a>,
    project_name: &'a str,
    project_id: String,
    user_id: Option<&'a str>,
    send_anonymous_usage_stats: bool,
    adapter_type: &'static str,
}

/// A resource of any type that stands in the DAG.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum AnyDoc<'a> {
    Code(Box<CodeDoc<'a>>),
    Source(Box<SourceDoc<'a>>),
    Exposure(Box<ExposureDoc<'a>>),
    UnitTest(Box<UnitTestDoc<'a>>),
}

/// `manifest.json` of a resolved project.
pub fn manifest<'a>(manifest: &'a Manifest, meta: &'a ManifestMeta<'a>) -> impl Serialize + use<'a> {
    let docs = |is_one| Docs { manifest, meta, is_one };
    let mut doc = ManifestDoc {
        metadata: ManifestMetadata {
            common: Metadata::new("https://schemas.getdbt.com/dbt/manifest/v12.json", &meta.made),
            project_name: &manifest.project_name,
            project_id: md5(&manifest.project_name),
            user_id: None,
            send_anonymous_usage_stats: false,
            adapter_type: ADAPTER,
        },
        nodes: docs(is_code),
        sources: docs(|kind| matches!(kind, NodeKind::Source(_))),
        macros: manifest.macros.iter().map(|info| (info.unique_id.as_str(), MacroDoc::of(info))).collect(),
        docs: manifest.docs.iter().map(|block| (block.unique_id.as_str(), BlockDoc::of(block))).collect(),
        exposures: docs(|kind| matches!(kind, NodeKind::Exposure(_))),
        metrics: semantic::of_section(manifest, "metrics"),
        groups: manifest.groups.iter().map(|group| (GroupDoc::unique_id(group), GroupDoc::of(group))).collect(),
        selectors: selectors(manifest),
        disabled: BTreeMap::new(),
        parent_map: parents(manifest),
        child_map: children(manifest),
        group_map: groups(manifest),
        saved_queries: semantic::of_section(manifest, "saved_queries"),
        semantic_models: semantic::of_section(manifest, "semantic_models"),
        unit_tests: docs(|kind| matches!(kind, NodeKind::UnitTest(_))),
        functions: Map::new(),
    };
    for node in &manifest.disabled {
        doc.disabled.entry(&node.unique_id).or_default().push(AnyDoc::of(node, manifest, meta));
    }
    doc
}

/// The resources of some kinds by unique id. Each document is made when it is written: ten thousand are never there at
/// once.
struct Docs<'a> {
    manifest: &'a Manifest,
    meta: &'a ManifestMeta<'a>,
    is_one: fn(&NodeKind) -> bool,
}

impl Serialize for Docs<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // Nodes are sorted by unique id.
        let nodes = self.manifest.nodes.iter().filter(|node| (self.is_one)(&node.kind));
        serializer.collect_map(nodes.map(|node| (&node.unique_id, AnyDoc::of(node, self.manifest, self.meta))))
    }
}

/// True for what stands under `nodes`.
fn is_code(kind: &NodeKind) -> bool {
    !matches!(kind, NodeKind::Source(_) | NodeKind::Exposure(_) | NodeKind::UnitTest(_))
}

impl<'a> AnyDoc<'a> {
    fn of(node: &'a Node, manifest: &'a Manifest, meta: &'a ManifestMeta<'a>) -> AnyDoc<'a> {
        match &node.kind {
            NodeKind::Source(source) => AnyDoc::Source(Box::new(SourceDoc::of(node, source, meta))),
            NodeKind::Exposure(written) => AnyDoc::Exposure(Box::new(ExposureDoc::of(node, written))),
            NodeKind::UnitTest(test) => AnyDoc::UnitTest(Box::new(UnitTestDoc::of(node, test, meta))),
            _ => AnyDoc::Code(Box::new(CodeDoc::of(node, manifest, meta))),
        }
    }
}

/// Selectors by name.
fn selectors(manifest: &Manifest) -> Map<String, Json> {
    let items = manifest.selectors.as_ref().map(|selectors| selectors.items()).unwrap_or_default();
    let named = items.iter().filter_map(|item| Some((item.get("name")?.scalar()?.into_owned(), item.to_json())));
    let mut all: Vec<(String, Json)> = named.collect();
    all.sort_by(|a, b| a.0.cmp(&b.0));
    all.into_iter().collect()
}

fn parents(manifest: &Manifest) -> BTreeMap<&str, Vec<&str>> {
    manifest
        .nodes
        .iter()
        .map(|node| (node.unique_id.as_str(), sorted(node.depends_on.iter().map(String::as_str))))
        .collect()
}

fn children(manifest: &Manifest) -> BTreeMap<&str, Vec<&str>> {
    let mut map: BTreeMap<&str, Vec<&str>> =
        manifest.nodes.iter().map(|node| (node.unique_id.as_str(), Vec::new())).collect();
    // Nodes are sorted by unique id, so the lists are too.
    for node in &manifest.nodes {
        for parent in &node.depends_on {
            if let Some(list) = map.get_mut(parent.as_str()) {
                list.push(&node.unique_id);
            }
        }
    }
    map
}

/// Unique ids by group, also of groups that nothing belongs to.
fn groups(manifest: &Manifest) -> BTreeMap<&str, Vec<&str>> {
    let mut map: BTreeMap<&str, Vec<&str>> =
        manifest.groups.iter().map(|group| (group.name.as_str(), Vec::new())).collect();
    for node in &manifest.nodes {
        if let Some(group) = node.config.str("group") {
            map.entry(group).or_default().push(&node.unique_id);
        }
    }
    map
}

fn sorted<'a>(ids: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut ids: Vec<&str> = ids.collect();
    ids.sort_unstable();
    ids
}
