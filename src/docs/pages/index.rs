//! What every page needs at once: names, edges, places in the graph, states.

use std::collections::HashMap;

use serde::Serialize;
use serde_json::Value as Json;

use super::home::{HomeDoc, home};
use super::{Book, plain};
use crate::docs::layout::{Drawing, draw};
use crate::docs::read::Node;
use crate::docs::results::RunDoc;
use crate::docs::site::Owner;
use crate::docs::text::markdown;

/// Characters of a summary.
const SUMMARY: usize = 160;

/// `data/index.js`.
#[derive(Debug, Serialize)]
pub(super) struct IndexPage<'a> {
    format: u32,
    project: ProjectDoc<'a>,
    nodes: Vec<NodeDoc<'a>>,
    edges: Vec<usize>,
    graph: Drawing,
    configs: Vec<Vec<(String, String)>>,
    tests: Vec<TestDoc<'a>>,
    macros: Vec<MacroDoc<'a>>,
    home: HomeDoc<'a>,
    runs: Vec<RunDoc>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ProjectDoc<'a> {
    name: &'a str,
    generator: String,
    generated_at: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    adapter: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    dbt_version: &'a str,
}

#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct NodeDoc<'a> {
    id: &'a str,
    #[serde(rename = "type")]
    kind: &'a str,
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    short: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    source_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<&'a str>,
    package: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    path: &'a str,
    fqn: Vec<&'a str>,
    layer: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    materialized: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    access: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    group: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    owner: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tags: Vec<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    config: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    color: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    summary: Option<String>,
    #[serde(skip_serializing_if = "is_zero")]
    columns: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    seconds: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rows: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes: Option<u64>,
    #[serde(skip_serializing_if = "Tally::is_empty")]
    tests: Tally,
    #[serde(skip_serializing_if = "is_zero")]
    missing: usize,
}

/// Tests of a node by their last status.
#[derive(Debug, Default, Serialize)]
struct Tally {
    #[serde(skip_serializing_if = "is_zero")]
    pass: usize,
    #[serde(skip_serializing_if = "is_zero")]
    warn: usize,
    #[serde(skip_serializing_if = "is_zero")]
    fail: usize,
    #[serde(skip_serializing_if = "is_zero")]
    error: usize,
    #[serde(skip_serializing_if = "is_zero")]
    skipped: usize,
    #[serde(skip_serializing_if = "is_zero")]
    none: usize,
}

#[derive(Debug, Serialize)]
struct TestDoc<'a> {
    id: &'a str,
    name: String,
    kind: &'static str,
    title: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    node: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    column: Option<&'a str>,
    #[serde(skip_serializing_if = "<[usize]>::is_empty")]
    uses: &'a [usize],
    #[serde(skip_serializing_if = "Option::is_none")]
    severity: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    failures: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    at: Option<String>,
    path: &'a str,
    package: &'a str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tags: Vec<&'a str>,
}

#[derive(Debug, Serialize)]
struct MacroDoc<'a> {
    id: &'a str,
    name: &'a str,
    package: &'a str,
    path: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    summary: Option<String>,
}

fn is_zero(number: &usize) -> bool {
    *number == 0
}

/// The index.
pub(super) fn index<'b>(book: &'b Book<'_>) -> IndexPage<'b> {
    let site = &book.site;
    let metadata = &site.artifacts.manifest.metadata;
    let mut configs = Configs::default();
    let nodes = (0..site.nodes.len()).map(|number| node(book, number, &mut configs)).collect();
    IndexPage {
        format: 1,
        project: ProjectDoc {
            name: &metadata.project_name,
            generator: concat!("c360 ", env!("CARGO_PKG_VERSION")).to_string(),
            generated_at: &metadata.generated_at,
            adapter: &metadata.adapter_type,
            dbt_version: &metadata.dbt_version,
        },
        nodes,
        edges: site.edges.iter().flat_map(|(from, to)| [*from, *to]).collect(),
        graph: draw(site.nodes.len(), &site.edges),
        configs: configs.all,
        tests: (0..site.tests.len()).map(|number| test(book, number)).collect(),
        macros: (site.macros.iter())
            .map(|(id, entry)| MacroDoc {
                id,
                name: &entry.name,
                package: &entry.package_name,
                path: &entry.original_file_path,
                summary: markdown::summary(&entry.description, SUMMARY),
            })
            .collect(),
        home: home(book),
        runs: book.results.runs(),
    }
}

fn node<'b>(book: &'b Book<'_>, number: usize, configs: &mut Configs) -> NodeDoc<'b> {
    let site = &book.site;
    let entry = &site.nodes[number];
    let node = entry.node;
    let setting = |key: &str| node.config.get(key).and_then(Json::as_str).filter(|text| !text.is_empty());
    let is_source = &*node.resource_type == "source";
    let table = site.artifacts.catalog.as_ref().and_then(|catalog| catalog.of(entry.id));
    let stat = |id| table.and_then(|table| table.number(id)).filter(|number| *number >= 0.0).map(|found| found as u64);
    let mut doc = NodeDoc {
        id: entry.id,
        kind: &node.resource_type,
        name: &entry.name,
        short: Some(&*node.name).filter(|name| *name != entry.name),
        source_name: node.source_name.some(),
        version: node.version.some(),
        package: &node.package_name,
        path: &node.original_file_path,
        fqn: node.fqn.iter().map(|part| &**part).collect(),
        layer: layer(node),
        materialized: setting("materialized"),
        access: node.access.some().or(setting("access")),
        group: node.group.some().or(setting("group")),
        owner: Owner::of(node, site.artifacts).and_then(|owner| owner.text().map(str::to_string)),
        tags: node.tags.iter().map(|tag| &**tag).collect(),
        config: configs.number(node),
        color: node.docs.node_color.some().filter(|color| is_color(color)),
        summary: markdown::summary(node.description.some().unwrap_or(&node.source_description), SUMMARY),
        columns: book.columns.of(number).iter().filter(|facts| !facts.is_absent).count(),
        rows: stat("num_rows"),
        bytes: stat("num_bytes"),
        tests: tally(book, number),
        ..NodeDoc::default()
    };
    if is_source {
        let found = site.artifacts.sources.as_ref().and_then(|sources| sources.of(entry.id));
        let listing = site.artifacts.source_files.as_ref().and_then(|files| files.sources.get(entry.id));
        doc.status = found.and_then(|found| found.status.some()).map(str::to_string);
        doc.at = found.and_then(|found| found.max_loaded_at.some()).map(str::to_string);
        doc.missing = listing.map_or(0, |listing| listing.missing.len());
        doc.bytes = doc.bytes.or(listing.map(|listing| listing.files.iter().map(|file| file.bytes).sum()));
    } else if let Some(last) = book.results.last(entry.id) {
        doc.status = Some(last.status.clone());
        doc.at.clone_from(&last.at);
        doc.seconds = last.seconds;
        doc.rows = doc.rows.or(last.rows);
        doc.bytes = doc.bytes.or(last.bytes);
    }
    doc
}

/// What graphs are coloured by: the folder of a model below its package, or the type.
fn layer(node: &Node) -> &str {
    match (&*node.resource_type, node.fqn.as_slice()) {
        ("model", [_, folder, _, ..]) => folder,
        (kind, _) => kind,
    }
}

/// A colour that can stand in a style without being anything else.
fn is_color(text: &str) -> bool {
    match text.strip_prefix('#') {
        Some(hex) => matches!(hex.len(), 3 | 6) && hex.bytes().all(|byte| byte.is_ascii_hexdigit()),
        None => text.len() <= 24 && text.bytes().all(|byte| byte.is_ascii_alphabetic()),
    }
}

fn tally(book: &Book<'_>, number: usize) -> Tally {
    let mut tally = Tally::default();
    for test in book.site.tests_of[number].iter().map(|test| &book.site.tests[*test]) {
        if test.on != Some(number) {
            continue;
        }
        let status = book.results.last(test.id).map(|last| last.status.as_str());
        let count = match status {
            Some("pass" | "success") => &mut tally.pass,
            Some("warn") => &mut tally.warn,
            Some("fail") => &mut tally.fail,
            Some("error" | "runtime error") => &mut tally.error,
            Some("skipped") => &mut tally.skipped,
            _ => &mut tally.none,
        };
        *count += 1;
    }
    tally
}

impl Tally {
    fn is_empty(&self) -> bool {
        [self.pass, self.warn, self.fail, self.error, self.skipped, self.none].iter().all(|count| *count == 0)
    }
}

fn test<'b>(book: &'b Book<'_>, number: usize) -> TestDoc<'b> {
    let test = &book.site.tests[number];
    let last = book.results.last(test.id);
    let severity = test.node.config.get("severity").and_then(Json::as_str).unwrap_or_default();
    TestDoc {
        id: test.id,
        name: test.short_name(),
        kind: test.kind(),
        title: &test.node.name,
        node: test.on,
        column: test.node.column_name.some(),
        uses: &test.uses,
        severity: severity.eq_ignore_ascii_case("warn").then_some("warn"),
        status: last.map(|last| last.status.clone()),
        failures: last.and_then(|last| last.failures).filter(|failures| *failures > 0),
        at: last.and_then(|last| last.at.clone()),
        path: &test.node.original_file_path,
        package: &test.node.package_name,
        tags: test.node.tags.iter().map(|tag| &**tag).collect(),
    }
}

/// Settings that several nodes share, each list once.
#[derive(Default)]
struct Configs {
    all: Vec<Vec<(String, String)>>,
    known: HashMap<Vec<(String, String)>, usize>,
}

impl Configs {
    fn number(&mut self, node: &Node) -> Option<usize> {
        let mut settings = Vec::new();
        for (key, value) in node.config.iter().filter(|(key, _)| *key != "tags") {
            flatten(key, value, 0, &mut settings);
        }
        if settings.is_empty() {
            return None;
        }
        let next = self.all.len();
        let number = *self.known.entry(settings.clone()).or_insert(next);
        if number == next {
            self.all.push(settings);
        }
        Some(number)
    }
}

/// Settings as `config.x.y:value` selects them: mappings as paths, lists as several values.
fn flatten(key: &str, value: &Json, depth: usize, out: &mut Vec<(String, String)>) {
    match value {
        Json::Object(map) if depth < 4 => {
            map.iter().for_each(|(inner, value)| flatten(&format!("{key}.{inner}"), value, depth + 1, out));
        }
        Json::Array(items) if depth < 4 => items.iter().for_each(|value| flatten(key, value, depth + 1, out)),
        // Code of hooks is not what anyone selects by.
        other => out.extend(plain(other).filter(|text| text.len() <= 120).map(|text| (key.to_string(), text))),
    }
}
