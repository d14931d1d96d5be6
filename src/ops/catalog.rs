//! `catalog.json`: what is really there, asked of the warehouse and of the sources.

use std::path::Path;

use chrono::{DateTime, SecondsFormat};
use datafusion::arrow::datatypes::{Field, SchemaRef};
use futures::StreamExt;

use super::artifacts::made;
use super::docs::hidden::Hidden;
use super::{Loaded, Session};
use crate::artifacts::{Catalog, CatalogColumn, CatalogStat, CatalogTable, TableMetadata, catalog, write};
use crate::diag::Result;
use crate::engine::{Engine, type_name};
use crate::node::{Node, Relation, ResourceType};
use crate::warehouse::TableVersion;
use crate::warehouse::profile::ColumnProfile;

/// Writes `catalog.json` into `folder`: every model, seed, snapshot and source that is there. What cannot be read is listed
/// in it as an error and given back, and the rest is there.
///
/// # Errors
/// C5006 if the file cannot be written.
pub async fn write_catalog(session: &Session, loaded: &Loaded, folder: &Path) -> Result<Vec<String>> {
    let hidden = Hidden::new(&loaded.manifest, folder);
    let found = look(session, loaded, &hidden).await;
    write(&folder.join("catalog.json"), &catalog(&found, &made(loaded)))?;
    Ok(found.errors)
}

async fn look(session: &Session, loaded: &Loaded, hidden: &Hidden) -> Catalog {
    let nodes = loaded.manifest.nodes.iter().filter(|node| has_columns(node));
    let threads = loaded.invocation.target.threads;
    let looks = nodes.map(|node| async move { (node, describe(&session.engine, node, hidden).await) });
    let looks: Vec<_> = futures::stream::iter(looks).buffered(threads).collect().await;
    let mut found = Catalog::default();
    for (node, table) in looks {
        match table {
            Ok(None) => {}
            Ok(Some(table)) => {
                let is_source = node.resource_type == ResourceType::Source;
                let all = if is_source { &mut found.sources } else { &mut found.nodes };
                all.insert(node.unique_id.clone(), table);
            }
            Err(error) => found.errors.push(format!("{}: {}: {}", node.unique_id, error.code.id, error.message)),
        }
    }
    found.errors.sort();
    found
}

fn has_columns(node: &Node) -> bool {
    let kinds = [ResourceType::Model, ResourceType::Seed, ResourceType::Snapshot, ResourceType::Source];
    kinds.contains(&node.resource_type) && !node.is_ephemeral() && !node.is_empty()
}

/// What is stored under the name of `node`; none if it was never built.
async fn describe(engine: &Engine, node: &Node, hidden: &Hidden) -> Result<Option<CatalogTable>> {
    let Some(relation) = &node.relation else { return Ok(None) };
    let Some(schema) = engine.schema_of(relation).await? else { return Ok(None) };
    let version = engine.version_of(relation).await?;
    let is_external = node.as_source().is_some_and(|source| source.external.is_some());
    let kind = match (is_external, &version) {
        (true, _) => "external",
        (false, Some(_)) => "table",
        (false, None) => "view",
    };
    let table = CatalogTable {
        metadata: TableMetadata {
            kind,
            schema: relation.schema.clone(),
            name: relation.identifier.clone(),
            database: Some(relation.database.clone()).filter(|database| !database.is_empty()),
            comment: some(&node.description),
            owner: owner(node),
        },
        columns: columns(node, &schema),
        stats: Default::default(),
        unique_id: node.unique_id.clone(),
    };
    let stats = match version.filter(|_| !is_external) {
        Some(version) => {
            let hides = |column: &str| hidden.is_node(node) || hidden.is_column(node, column);
            stats(engine, relation, &version, &hides).await
        }
        None => Vec::new(),
    };
    Ok(Some(table.with_stats(stats)))
}

fn some(text: &str) -> Option<String> {
    Some(text.trim()).filter(|text| !text.is_empty()).map(str::to_string)
}

/// `meta.owner` of the node.
fn owner(node: &Node) -> Option<String> {
    node.config.get("meta").and_then(|meta| meta.get("owner")).map(crate::node::plain).and_then(|owner| some(&owner))
}

fn columns(node: &Node, schema: &SchemaRef) -> indexmap::IndexMap<String, CatalogColumn> {
    let declared = |name: &str| node.columns.iter().find(|column| column.name.eq_ignore_ascii_case(name));
    let describe = |(index, field): (usize, &std::sync::Arc<Field>)| {
        let column = CatalogColumn {
            data_type: type_name(field.data_type()),
            index: index + 1,
            name: field.name().clone(),
            comment: declared(field.name()).and_then(|column| some(&column.description)),
        };
        (field.name().clone(), column)
    };
    schema.fields().iter().enumerate().map(describe).collect()
}

async fn stats(
    engine: &Engine,
    relation: &Relation,
    table: &TableVersion,
    hides: &(dyn Fn(&str) -> bool + Sync),
) -> Vec<CatalogStat> {
    let mut stats = Vec::new();
    if let Some(rows) = table.count() {
        stats.push(CatalogStat::new("num_rows", "Row Count", rows, "Rows of the table"));
    }
    stats.push(CatalogStat::new("num_bytes", "Size", table.bytes(), "Bytes of the files of the table"));
    stats.push(CatalogStat::new("version", "Version", table.number(), "The newest version of the Delta table"));
    if let Some(at) = table.modified().and_then(DateTime::from_timestamp_millis) {
        let at = at.to_rfc3339_opts(SecondsFormat::Millis, true);
        stats.push(CatalogStat::new("modified", "Last Modified", at, "When that version was written"));
    }
    stats.extend(profiles(engine, relation, table, hides).await);
    stats
}

/// The profiles of the columns, if they are those of this version.
async fn profiles(
    engine: &Engine,
    relation: &Relation,
    table: &TableVersion,
    hides: &(dyn Fn(&str) -> bool + Sync),
) -> Vec<CatalogStat> {
    let profile = match engine.warehouse.profile(relation).await {
        Ok(Some(profile)) => profile,
        Ok(None) => return Vec::new(),
        Err(error) => {
            tracing::warn!("{error}");
            return Vec::new();
        }
    };
    if profile.version != table.number() {
        let value = format!("stale: of version {}", profile.version);
        let why = "The table was written since then by something that made no profile";
        return vec![CatalogStat::new("profile", "Column Profiles", value, why)];
    }
    let stat = |(name, column): (&str, &ColumnProfile)| {
        // A tag may have come since the table was written.
        let column = if hides(name) { column.clone().hide() } else { column.clone() };
        let value = serde_json::to_string(&column).unwrap_or_default();
        CatalogStat { description: None, ..CatalogStat::new(&format!("profile:{name}"), name, value, "") }.unlisted()
    };
    profile.columns().map(stat).collect()
}
