//! What changed since an earlier manifest.
//!
//! A node is compared by what a person wrote, not by what came of it: templates before rendering, settings before
//! defaults and variables, so that two targets of one project do not differ. Tags, groups and the order of lines outside
//! a template are no changes. A change of a macro is a change of everything that calls it, directly or not.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde_json::{Map, Value as Json};

use super::artifacts::{PreviousManifest, PreviousNode};
use super::values::{same_settings, same_text, same_value, sha256};
use crate::manifest::Manifest;
use crate::node::{Freshness, FreshnessThreshold, Node, NodeKind, ResourceType, UnitTest};

/// A kind of change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// The template, or the file of a seed.
    Body,
    /// Settings, but for those that [`Change::Relation`] is about.
    Configs,
    /// Database, schema or alias.
    Relation,
    /// Descriptions that are stored with the relation.
    PersistedDescriptions,
    /// A macro that is called.
    Macros,
    /// The contract.
    Contract,
}

impl Change {
    /// Every kind, as `state:modified.KIND` spells it.
    pub const NAMES: [(&'static str, Change); 6] = [
        ("body", Change::Body),
        ("configs", Change::Configs),
        ("relation", Change::Relation),
        ("persisted_descriptions", Change::PersistedDescriptions),
        ("macros", Change::Macros),
        ("contract", Change::Contract),
    ];

    /// The kind called `name`.
    pub fn parse(name: &str) -> Option<Change> {
        Self::NAMES.into_iter().find(|(other, _)| *other == name).map(|(_, change)| change)
    }
}

/// Gives the checksum of a seed's file, as [`seed_checksum`] makes it; none if the file cannot be read. The front end has
/// not read the files of seeds, so this comes from the caller.
pub type SeedChecksum<'a> = &'a dyn Fn(&Node) -> Option<String>;

/// A manifest beside an earlier one.
pub struct Comparison<'a> {
    previous: &'a PreviousManifest,
    seed_checksum: Option<SeedChecksum<'a>>,
    /// Macros that changed, and macros that call one that did.
    macros: HashSet<&'a str>,
}

/// Settings that say where a node stands, not what it does.
const NOT_COMPARED: [&str; 5] = ["alias", "schema", "database", "tags", "group"];

/// What the settings of a test are compared by.
const OF_TESTS: [&str; 8] =
    ["severity", "where", "limit", "fail_calc", "warn_if", "error_if", "store_failures", "store_failures_as"];

impl<'a> Comparison<'a> {
    /// Compares `manifest` with `previous`. Without `seed_checksum`, seeds count as unchanged.
    pub fn new(
        manifest: &'a Manifest,
        previous: &'a PreviousManifest,
        seed_checksum: Option<SeedChecksum<'a>>,
    ) -> Comparison<'a> {
        Comparison { previous, seed_checksum, macros: changed_macros(manifest, previous) }
    }

    /// True if the earlier manifest has the node.
    pub fn existed(&self, node: &Node) -> bool {
        self.previous.find(&node.unique_id).is_some()
    }

    /// True for a node that changed in any way that matters to it, and for a new one (new sources and exposures are
    /// new and not modified).
    pub fn is_modified(&self, node: &Node) -> bool {
        let differs = match self.previous.find(&node.unique_id) {
            Some(old) => !self.is_same(node, old),
            None => !matches!(node.kind, NodeKind::Source(_) | NodeKind::Exposure(_)),
        };
        differs || self.calls_changed_macro(node)
    }

    /// True for a node with this kind of change, and for a new one of a type that can have it.
    pub fn has_change(&self, node: &Node, change: Change) -> bool {
        if change == Change::Macros {
            return self.calls_changed_macro(node);
        }
        let has_sql = !matches!(node.kind, NodeKind::Source(_) | NodeKind::Exposure(_) | NodeKind::UnitTest(_));
        let can_have = match change {
            Change::Configs => has_sql || node.resource_type != ResourceType::UnitTest,
            Change::Relation => has_sql || node.resource_type == ResourceType::Source,
            _ => has_sql,
        };
        can_have
            && match (self.previous.find(&node.unique_id), change) {
                (None, _) => true,
                (Some(old), Change::Body) => !self.same_body(node, old),
                (Some(old), Change::Configs) => !same_config(node, old),
                (Some(old), Change::Relation) => !same_relation(node, old),
                (Some(old), Change::PersistedDescriptions) => !same_persisted_descriptions(node, old),
                (Some(old), Change::Contract) => !same_contract(node, old),
                (Some(_), Change::Macros) => false,
            }
    }

    fn calls_changed_macro(&self, node: &Node) -> bool {
        !self.macros.is_empty() && node.depends_on_macros.iter().any(|id| self.macros.contains(id.as_str()))
    }

    fn is_same(&self, node: &Node, old: &PreviousNode) -> bool {
        let basics = node.fqn == old.fqn && same_config(node, old);
        match &node.kind {
            NodeKind::UnitTest(test) => same_unit_test(test, old),
            // Its arguments are part of its unique id.
            NodeKind::Test(Some(_)) => basics,
            NodeKind::Source(_) => basics && same_relation(node, old) && same_source(node, old),
            NodeKind::Exposure(declared) => basics && same_exposure(node, declared, old),
            _ => {
                basics
                    && self.same_body(node, old)
                    && same_persisted_descriptions(node, old)
                    && same_relation(node, old)
                    && same_contract(node, old)
                    && same_reference(node, old)
            }
        }
    }

    fn same_body(&self, node: &Node, old: &PreviousNode) -> bool {
        let checksum = old.checksum["checksum"].as_str();
        if node.resource_type == ResourceType::Seed {
            let own = self.seed_checksum.and_then(|of| of(node));
            return match (old.checksum["name"].as_str(), checksum, own) {
                // Large seeds are known by their path alone.
                (Some("path"), Some(path), _) => node.original_path == path.replace('\\', "/"),
                (_, Some(old), Some(own)) => old == own,
                _ => true,
            };
        }
        match (&old.raw_code, checksum) {
            (Some(code), _) => same_text(&node.raw_code, code),
            (None, Some(checksum)) => sha256(node.file.text.trim().as_bytes()) == checksum,
            (None, None) => true,
        }
    }
}

/// The checksum of a seed's file as manifests hold it: SHA-256 of the text without surrounding white space, or of the
/// bytes if it is no text.
pub fn seed_checksum(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => sha256(text.trim().as_bytes()),
        Err(_) => sha256(bytes),
    }
}

/// Macros that are new or have another source, and all that call them.
fn changed_macros<'a>(manifest: &'a Manifest, previous: &PreviousManifest) -> HashSet<&'a str> {
    let mut callers: HashMap<&str, Vec<&str>> = HashMap::new();
    let mut todo: Vec<&str> = Vec::new();
    let mut known: HashSet<&str> = HashSet::new();
    for info in &manifest.macros {
        known.insert(&info.unique_id);
        for called in &info.depends_on {
            callers.entry(called).or_default().push(&info.unique_id);
        }
        let old = previous.macros.get(&info.unique_id);
        if old.is_none_or(|old| !same_text(&old.macro_sql, &info.macro_sql)) {
            todo.push(&info.unique_id);
        }
    }
    // A macro that went away is still named by whoever calls it, until that is changed too.
    let called = callers
        .keys()
        .copied()
        .chain(manifest.nodes.iter().flat_map(|node| node.depends_on_macros.iter().map(String::as_str)));
    todo.extend(called.filter(|id| !known.contains(id) && previous.macros.contains_key(*id)));
    let mut changed = HashSet::new();
    while let Some(id) = todo.pop() {
        if changed.insert(id) {
            todo.extend(callers.get(id).into_iter().flatten());
        }
    }
    changed
}

fn same_config(node: &Node, old: &PreviousNode) -> bool {
    let Some(settings) = &old.unrendered_config else { return true };
    match node.kind {
        NodeKind::Test(_) => same_settings(&node.unrendered_config, settings, |key| OF_TESTS.contains(&key)),
        _ => same_settings(&node.unrendered_config, settings, |key| !NOT_COMPARED.contains(&key)),
    }
}

fn same_relation(node: &Node, old: &PreviousNode) -> bool {
    if let Some(source) = node.as_source() {
        let same_place = node.relation.as_ref().is_none_or(|relation| {
            old.database.as_ref().is_none_or(|database| *database == relation.database)
                && old.schema.as_ref().is_none_or(|schema| *schema == relation.schema)
        });
        return same_place && old.identifier.as_ref().is_none_or(|identifier| *identifier == source.identifier);
    }
    let Some(settings) = &old.unrendered_config else { return true };
    same_settings(&node.unrendered_config, settings, |key| matches!(key, "database" | "schema" | "alias"))
}

fn same_persisted_descriptions(node: &Node, old: &PreviousNode) -> bool {
    let persists = |what: &str| node.config.get("persist_docs").is_some_and(|docs| docs[what] == Json::Bool(true));
    if persists("relation") && !same_text(&node.description, &old.description) {
        return false;
    }
    if persists("columns") {
        let own: BTreeMap<&str, &str> =
            node.columns.iter().map(|column| (column.name.as_str(), column.description.trim())).collect();
        let others: BTreeMap<&str, &str> =
            old.columns.iter().map(|(name, column)| (name.as_str(), column.description.trim())).collect();
        return own == others;
    }
    true
}

fn same_contract(node: &Node, old: &PreviousNode) -> bool {
    let Some(model) = node.as_model() else { return true };
    let is_enforced = |contract: Option<&Json>| contract.is_some_and(|contract| contract["enforced"] == true);
    let own = is_enforced(node.config.get("contract"));
    let before = is_enforced(old.config.get("contract")) || is_enforced(Some(&old.contract));
    if !own || !before {
        return own == before;
    }
    let columns: BTreeMap<&str, (Option<&str>, Vec<Json>)> = node
        .columns
        .iter()
        .map(|column| (column.name.as_str(), (column.data_type.as_deref(), of_constraints(&column.constraints))))
        .collect();
    let same_columns = columns.len() == old.columns.len()
        && columns.iter().all(|(name, (data_type, constraints))| {
            old.columns.get(*name).is_some_and(|old| {
                old.data_type.as_deref() == *data_type && same_constraints(constraints, &old.constraints)
            })
        });
    // Constraints on the relation as a whole are enforced for what is stored.
    let enforces = |materialized: &str| matches!(materialized, "table" | "incremental");
    let before = old.config.get("materialized").and_then(Json::as_str).unwrap_or("view");
    same_columns
        && (!enforces(node.materialized()) && !enforces(before)
            || node.materialized() == before && same_constraints(&of_constraints(&model.constraints), &old.constraints))
}

fn of_constraints(constraints: &[crate::node::Constraint]) -> Vec<Json> {
    constraints
        .iter()
        .map(|constraint| {
            let mut entry = Map::new();
            entry.insert("type".into(), constraint.kind.as_str().into());
            entry.insert("name".into(), constraint.name.clone().into());
            entry.insert("expression".into(), constraint.expression.clone().into());
            entry.insert("columns".into(), constraint.columns.clone().into());
            Json::Object(entry)
        })
        .collect()
}

/// By type, name, expression and columns; other fields are a tool's own.
fn same_constraints(own: &[Json], others: &[Json]) -> bool {
    own.len() == others.len()
        && own.iter().zip(others).all(|(own, other)| {
            ["type", "name", "expression", "columns"].iter().all(|field| same_value(&own[*field], &other[*field]))
        })
}

/// What may break those who refer to a model.
fn same_reference(node: &Node, old: &PreviousNode) -> bool {
    let Some(model) = node.as_model() else { return true };
    let latest = model.latest_version.as_ref().unwrap_or(&Json::Null);
    let access = node.config.str("access").unwrap_or("protected");
    let day = |text: &str| text.get(..10).unwrap_or(text).to_string();
    same_value(latest, &old.latest_version)
        && old.access.as_ref().is_none_or(|old| old == access)
        && model
            .deprecation_date
            .is_none_or(|own| old.deprecation_date.as_deref().map(day) == Some(day(&own.to_rfc3339())))
}

fn same_source(node: &Node, old: &PreviousNode) -> bool {
    let Some(source) = node.as_source() else { return true };
    let external = source.external.as_ref().map_or(Json::Null, |external| Json::Object(external.settings.clone()));
    let freshness = source.freshness.as_ref().map_or(Json::Null, of_freshness);
    same_value(&freshness, &old.freshness)
        && source.loaded_at_field == old.loaded_at_field
        && same_value(&external, &old.external)
}

fn of_freshness(freshness: &Freshness) -> Json {
    let threshold = |threshold: &Option<FreshnessThreshold>| match threshold {
        Some(threshold) => serde_json::json!({"count": threshold.count, "period": threshold.period}),
        None => Json::Null,
    };
    serde_json::json!({
        "warn_after": threshold(&freshness.warn_after),
        "error_after": threshold(&freshness.error_after),
        "filter": freshness.filter,
    })
}

fn same_exposure(node: &Node, declared: &Json, old: &PreviousNode) -> bool {
    let own: HashSet<&str> = node.depends_on.iter().map(String::as_str).collect();
    same_value(&declared["type"], &old.kind)
        && same_value(&declared["owner"], &old.owner)
        && same_value(&declared["maturity"], &old.maturity)
        && same_value(&declared["url"], &old.url)
        && same_value(&declared["label"], &old.label)
        && same_text(&node.description, &old.description)
        && own == old.parents().into_iter().collect()
}

fn same_unit_test(test: &UnitTest, old: &PreviousNode) -> bool {
    let given = |inputs: &[Json]| Json::Array(inputs.iter().map(rows_of).collect());
    old.model == *test.model
        && same_value(&given(&test.given), &given(old.given.as_array().map(Vec::as_slice).unwrap_or_default()))
        && same_value(&rows_of(&test.expect), &rows_of(&old.expect))
        && same_value(&test.overrides, &old.overrides)
}

/// An input or the expected rows; `dict` is the format of rows without one.
fn rows_of(block: &Json) -> Json {
    let mut block = block.clone();
    if let Json::Object(entries) = &mut block {
        entries.retain(|key, value| key != "format" || value != "dict");
    }
    block
}
