//! The page of a node.

use serde::Serialize;

use super::code::CodeDoc;
use super::columns::ColumnDoc;
use super::source::SourceDoc;
use super::{Book, code, columns, pairs, source};
use crate::docs::read::{CatalogTable, Node, Table};
use crate::docs::results::{LastPublish, NodeRunDoc};
use crate::docs::site::Owner;
use crate::docs::text::markdown;

/// `data/nodes/<n>.js`.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct NodePage<'a> {
    n: usize,
    id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    description_html: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    relation: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    patch: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    owner: Option<Owner>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    meta: Vec<(String, String)>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    config: Vec<(String, String)>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    constraints: Vec<String>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    contract: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    deprecation: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stats: Option<StatsDoc>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    columns: Vec<ColumnDoc>,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<CodeDoc>,
    #[serde(skip_serializing_if = "Option::is_none")]
    samples: Option<SamplesDoc<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tests: Vec<usize>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    runs: Vec<NodeRunDoc>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    publishes: Vec<PublishDoc>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    macros: Vec<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    unknown_columns: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<SourceDoc>,
    #[serde(skip_serializing_if = "Option::is_none")]
    exposure: Option<ExposureDoc<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    destination: Option<DestinationDoc>,
}

#[derive(Debug, Serialize)]
struct StatsDoc {
    #[serde(skip_serializing_if = "Option::is_none")]
    rows: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    modified: Option<String>,
}

#[derive(Debug, Serialize)]
struct SamplesDoc<'a> {
    columns: &'a [String],
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    hidden: &'a [String],
    rows: &'a [Vec<Option<String>>],
}

#[derive(Debug, Serialize)]
struct PublishDoc {
    destination: usize,
    table: String,
    mode: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    keys: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last: Option<LastPublish>,
}

#[derive(Debug, Serialize)]
struct ExposureDoc<'a> {
    kind: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    maturity: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    label: Option<&'a str>,
}

#[derive(Debug, Serialize)]
struct DestinationDoc {
    tables: Vec<PublishedDoc>,
}

#[derive(Debug, Serialize)]
struct PublishedDoc {
    node: usize,
    table: String,
    mode: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    last: Option<LastPublish>,
}

/// The page of node `number`.
pub(super) fn node<'a>(book: &Book<'a>, number: usize) -> NodePage<'a> {
    let entry = &book.site.nodes[number];
    let (id, node) = (entry.id, entry.node);
    let artifacts = book.site.artifacts;
    let is_source = &*node.resource_type == "source";
    let is_exposure = &*node.resource_type == "exposure";
    let catalog = artifacts.catalog.as_ref().and_then(|catalog| catalog.of(id));
    NodePage {
        n: number,
        id,
        description_html: markdown::to_html(node.description.some().unwrap_or(&node.source_description)),
        relation: node.relation_name.some().map(|name| name.replace(['"', '`'], "")),
        file: node.original_file_path.some(),
        // `package://path`.
        patch: node.patch_path.some().map(|path| path.split_once("://").map_or(path, |(_, path)| path)),
        owner: Owner::of(node, artifacts),
        meta: pairs(&node.meta, &[]),
        config: pairs(&node.config, &["meta", "tags", "docs"]),
        constraints: node.constraints.iter().map(columns::constraint).collect(),
        contract: node.contract.enforced,
        deprecation: node.deprecation_date.some(),
        stats: catalog.and_then(stats),
        columns: columns::of_page(book, number),
        code: code::of_node(book, id, node),
        samples: artifacts.samples.as_ref().and_then(|samples| samples.nodes.get(id)).and_then(samples),
        tests: book.site.tests_of[number].clone(),
        runs: book.results.runs_of(id, false),
        publishes: publishes(book, id, node),
        macros: book.site.macros_of(&node.depends_on.macros),
        unknown_columns: artifacts.lineage.as_ref().and_then(|lineage| lineage.unknown.get(id)?.some()),
        source: is_source.then(|| source::source(book, id, node)),
        exposure: is_exposure.then(|| exposure(node)),
        destination: (&*node.resource_type == "destination").then(|| destination(book, node)),
    }
}

fn stats(table: &CatalogTable) -> Option<StatsDoc> {
    let whole = |id: &str| table.number(id).filter(|number| *number >= 0.0).map(|number| number as u64);
    let stats = StatsDoc {
        rows: whole("num_rows"),
        bytes: whole("num_bytes"),
        version: whole("version"),
        modified: table.text("modified"),
    };
    (stats.rows.is_some() || stats.bytes.is_some() || stats.version.is_some()).then_some(stats)
}

fn samples(table: &Table) -> Option<SamplesDoc<'_>> {
    let whole = table.rows.iter().all(|row| row.len() == table.columns.len());
    let is_something = !(table.columns.is_empty() && table.hidden.is_empty());
    (whole && is_something).then_some(SamplesDoc { columns: &table.columns, hidden: &table.hidden, rows: &table.rows })
}

fn publishes(book: &Book<'_>, id: &str, node: &Node) -> Vec<PublishDoc> {
    let doc = |target: crate::docs::read::Target| {
        Some(PublishDoc {
            destination: book.site.node(&format!("destination.{}", target.to))?,
            last: book.results.publish(id, &target.to, &target.table),
            table: target.table,
            mode: target.mode,
            keys: target.keys,
        })
    };
    node.publishes().into_iter().filter_map(doc).collect()
}

fn exposure(node: &Node) -> ExposureDoc<'_> {
    ExposureDoc {
        kind: node.kind.some().unwrap_or("application"),
        url: node.url.some().and_then(markdown::safe_url).filter(|url| !url.starts_with('#')),
        maturity: node.maturity.some(),
        label: node.label.some(),
    }
}

/// The tables of a destination by name.
fn destination(book: &Book<'_>, destination: &Node) -> DestinationDoc {
    let mut tables = Vec::new();
    for parent in destination.depends_on.nodes.iter().filter_map(|id| book.site.node(id)) {
        let entry = &book.site.nodes[parent];
        for target in entry.node.publishes().into_iter().filter(|target| *target.to == *destination.name) {
            tables.push(PublishedDoc {
                node: parent,
                last: book.results.publish(entry.id, &target.to, &target.table),
                table: target.table,
                mode: target.mode,
            });
        }
    }
    tables.sort_by(|a, b| a.table.cmp(&b.table));
    DestinationDoc { tables }
}
