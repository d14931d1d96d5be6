//! Sources: files, or tables of databases, with a name, declared in properties files.

use std::sync::Arc;

use serde_json::{Map, Value as Json};

use super::Builder;
use super::draft::{defaults, folders, node};
use super::generic::Subject;
use super::keys;
use super::layers::folder_config;
use super::properties::{Entry, Section, object};
use crate::diag::{Diagnostic, codes};
use crate::node::{Config, External, Freshness, FreshnessThreshold, NodeKind, Relation, ResourceType, SourceTable};
use crate::project::yaml::{Kind, Yaml};
use crate::project::{ResourceConfig, check_keys};

impl Builder<'_> {
    /// One node for each table of each source, and its tests.
    pub(super) fn sources(&mut self) {
        let entries: Vec<Arc<Entry>> = self.properties.of(Section::Sources).cloned().collect();
        for entry in &entries {
            for table in entry.yaml.get("tables").map(Yaml::items).unwrap_or_default() {
                self.source_table(entry, table);
            }
        }
    }

    fn source_table(&mut self, entry: &Entry, table: &Yaml) {
        let Some(name) = table.get("name").and_then(Yaml::scalar) else {
            self.diagnostics.push(
                Diagnostic::error(codes::BAD_VALUE, format!("a table of source `{}` has no name", entry.name))
                    .label(table.span.clone(), "`name:` is missing"),
            );
            return;
        };
        check_keys(table, keys::SOURCE_TABLE, "a source table", self.diagnostics);
        let package = self.package(&entry.package);
        let mut fqn = vec![entry.package.clone()];
        fqn.extend(folders(&entry.file.path));
        fqn.extend([entry.name.clone(), name.to_string()]);
        let kind = NodeKind::Source(Box::new(self.table_parts(entry, table, &name)));
        let mut node = node(&entry.package, &name, ResourceType::Source, &entry.file, fqn, kind);
        node.unique_id = format!("source.{}.{}.{name}", entry.package, entry.name);
        node.patch = Some(table.get("name").map_or(table.span.clone(), |name| name.span.clone()));
        node.description = self.description(table, &entry.package);
        node.config = folder_config(self.project, package, ResourceConfig::Sources, &node.fqn);
        apply_own_config(&mut node.config, &entry.yaml);
        apply_own_config(&mut node.config, table);
        defaults(&mut node.config, ResourceType::Source);
        node.relation = Some(self.source_relation(entry, table, &name));
        let columns = self.columns(table, &entry.package);
        node.columns = columns.iter().map(|(column, _)| column.clone()).collect();
        let subject = Subject {
            unique_id: node.unique_id.clone(),
            name: name.to_string(),
            source: Some(entry.name.clone()),
            call: format!("source('{}', '{name}')", entry.name),
            file_key: format!("sources.{}", entry.name),
            version: None,
        };
        self.generic_tests(entry, table, &columns, &subject);
        self.nodes.push(node);
    }

    fn source_relation(&self, entry: &Entry, table: &Yaml, name: &str) -> Relation {
        let text = |yaml: &Yaml, key: &str| yaml.get(key).and_then(Yaml::scalar).map(std::borrow::Cow::into_owned);
        let database = text(&entry.yaml, "database").unwrap_or_else(|| self.world.invocation.target.database.clone());
        let schema = text(&entry.yaml, "schema").unwrap_or_else(|| entry.name.clone());
        let identifier = text(table, "identifier").unwrap_or_else(|| name.to_string());
        Relation { database, schema, identifier }
    }

    fn table_parts(&mut self, entry: &Entry, table: &Yaml, name: &str) -> SourceTable {
        let from = |key: &str| {
            let nested = |yaml: &Yaml| yaml.get(key).or_else(|| yaml.get("config")?.get(key)).cloned();
            nested(table).or_else(|| nested(&entry.yaml))
        };
        let text = |key: &str| from(key).and_then(|value| value.scalar().map(std::borrow::Cow::into_owned));
        let own = |key: &str| table.key(key).is_some() && table.get(key).is_none();
        let freshness = match own("freshness") {
            true => None,
            false => merged_freshness(entry.yaml.get("freshness"), table.get("freshness"))
                .or_else(|| from("freshness").map(|value| freshness(&value))),
        };
        SourceTable {
            source_name: entry.name.clone(),
            source_description: self.description(&entry.yaml, &entry.package),
            identifier: table.get("identifier").and_then(Yaml::scalar).map_or(name.into(), |name| name.into_owned()),
            loader: text("loader").unwrap_or_default(),
            loaded_at_field: text("loaded_at_field"),
            loaded_at_query: text("loaded_at_query"),
            freshness,
            external: self.external(entry, table),
            source_meta: object(entry.yaml.get("meta")),
        }
    }

    /// The `external:` block of the table, over that of the source.
    fn external(&mut self, entry: &Entry, table: &Yaml) -> Option<External> {
        let own = table.get("external").or_else(|| table.get("meta")?.get("external"));
        let shared = entry.yaml.get("external");
        let block = own.or(shared)?;
        if !matches!(block.kind, Kind::Map(_)) {
            self.diagnostics.push(
                Diagnostic::error(codes::BAD_VALUE, format!("`external` is {}", block.describe()))
                    .label(block.span.clone(), "a mapping with `location:` or `connection:` is expected"),
            );
            return None;
        }
        check_keys(block, keys::EXTERNAL, "an `external` block", self.diagnostics);
        let mut settings: Map<String, Json> = object(shared);
        settings.extend(object(own));
        let location = settings.get("location").and_then(Json::as_str).map(str::to_string);
        // Tables of databases have no location; what else they need is known to the engine.
        let is_database = ["type", "connection"].iter().any(|key| settings.get(*key).is_some_and(Json::is_string));
        let location = location.or_else(|| is_database.then(String::new));
        let Some(location) = location else {
            let table_name = table.get("name").and_then(Yaml::as_str).unwrap_or_default();
            self.diagnostics.push(
                Diagnostic::error(codes::BAD_SOURCE, format!("source `{}.{table_name}` has no `location`", entry.name))
                    .label(block.span.clone(), "where are its files?")
                    .help("`location: data/orders/*.json`: a path, a glob, a folder or a URL")
                    .help("for a table of a database: `type`, `connection` and `table`"),
            );
            return None;
        };
        let span = block.get("location").map_or(block.span.clone(), |value| value.span.clone());
        Some(External { location, span, settings })
    }
}

/// `config:`, and the keys that are settings although they stand beside it.
fn apply_own_config(config: &mut Config, yaml: &Yaml) {
    for key in ["meta", "tags"] {
        if let Some(value) = yaml.get(key) {
            config.set_written(key, value.to_json(), value.as_written(), Some(value.span.clone()));
        }
    }
    if let Some(own) = yaml.get("config") {
        for (key, value) in own.entries() {
            config.set_written(&key.name, value.to_json(), value.as_written(), Some(key.span.clone()));
        }
    }
}

/// The table's thresholds over those of its source.
fn merged_freshness(source: Option<&Yaml>, table: Option<&Yaml>) -> Option<Freshness> {
    let below = source.map(freshness);
    let above = table.map(freshness);
    match (below, above) {
        (None, None) => None,
        (below, above) => {
            let below = below.unwrap_or_default();
            let above = above.unwrap_or_default();
            Some(Freshness {
                warn_after: above.warn_after.or(below.warn_after),
                error_after: above.error_after.or(below.error_after),
                filter: above.filter.or(below.filter),
            })
        }
    }
}

fn freshness(yaml: &Yaml) -> Freshness {
    let threshold = |key: &str| {
        let block = yaml.get(key)?;
        let count = block.get("count").and_then(|value| value.scalar()?.parse().ok())?;
        let period = block.get("period").and_then(Yaml::scalar)?.into_owned();
        Some(FreshnessThreshold { count, period })
    };
    Freshness {
        warn_after: threshold("warn_after"),
        error_after: threshold("error_after"),
        filter: yaml.get("filter").and_then(Yaml::scalar).map(std::borrow::Cow::into_owned),
    }
}
