//! The first page: how the project is doing.

use serde::Serialize;

use super::Book;
use crate::docs::results::RunDoc;
use crate::docs::text::markdown;

/// Entries of a list.
const SHOWN: usize = 10;
/// Days without a file that are named.
const MAX_DAYS: usize = 31;

#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct HomeDoc<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    overview_html: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_run: Option<RunDoc>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    failing: Vec<FailingDoc>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    broken: Vec<BrokenDoc>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    slowest: Vec<SlowDoc>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    biggest: Vec<BigDoc>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    sources: Vec<StaleDoc<'a>>,
    documented: DocumentedDoc,
}

#[derive(Debug, Serialize)]
struct FailingDoc {
    test: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    failures: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
}

#[derive(Debug, Serialize)]
struct BrokenDoc {
    node: usize,
    status: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
}

#[derive(Debug, Serialize)]
struct SlowDoc {
    node: usize,
    seconds: f64,
}

#[derive(Debug, Serialize)]
struct BigDoc {
    node: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    rows: Option<u64>,
    bytes: u64,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct StaleDoc<'a> {
    node: usize,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    missing: Vec<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_at: Option<&'a str>,
}

#[derive(Debug, Default, Serialize)]
struct DocumentedDoc {
    nodes: [usize; 2],
    columns: [usize; 2],
    #[serde(skip_serializing_if = "Vec::is_empty")]
    worst: Vec<WorstDoc>,
}

#[derive(Debug, Serialize)]
struct WorstDoc {
    node: usize,
    missing: usize,
    total: usize,
    #[serde(rename = "self", skip_serializing_if = "std::ops::Not::not")]
    itself: bool,
}

/// The first page.
pub(super) fn home<'b>(book: &'b Book<'_>) -> HomeDoc<'b> {
    HomeDoc {
        overview_html: overview(book),
        last_run: book.results.runs().into_iter().next(),
        failing: failing(book),
        broken: broken(book),
        slowest: slowest(book),
        biggest: biggest(book),
        sources: stale(book),
        documented: documented(book),
    }
}

/// The docs block that dbt's site opens with: `__<project>__` or `__overview__`.
fn overview(book: &Book<'_>) -> Option<String> {
    let manifest = &book.site.artifacts.manifest;
    let project = &*manifest.metadata.project_name;
    let own = format!("__{project}__");
    // dbt's manifests hold an overview of its own, which says nothing about the project.
    let find =
        |name: &str| manifest.docs.values().find(|block| &*block.name == name && &*block.package_name == project);
    markdown::to_html(&find(&own).or_else(|| find("__overview__"))?.block_contents)
}

/// Tests that found something, errors first.
fn failing(book: &Book<'_>) -> Vec<FailingDoc> {
    let mut found: Vec<(usize, usize)> = Vec::new();
    for (number, test) in book.site.tests.iter().enumerate() {
        let order = match book.results.last(test.id).map(|last| last.status.as_str()) {
            Some("error" | "runtime error") => 0,
            Some("fail") => 1,
            Some("warn") => 2,
            _ => continue,
        };
        found.push((order, number));
    }
    found.sort_unstable();
    let doc = |(_, test): (usize, usize)| {
        let last = book.results.last(book.site.tests[test].id);
        FailingDoc {
            test,
            failures: last.and_then(|last| last.failures).filter(|failures| *failures > 0),
            message: last.and_then(|last| last.message.clone()),
        }
    };
    found.into_iter().map(doc).collect()
}

/// Nodes whose last run did not succeed.
fn broken(book: &Book<'_>) -> Vec<BrokenDoc> {
    let doc = |(node, entry): (usize, &crate::docs::site::Entry<'_>)| {
        let last = book.results.last(entry.id)?;
        let is_broken = matches!(last.status.as_str(), "error" | "skipped" | "partial success" | "runtime error");
        is_broken.then(|| BrokenDoc { node, status: last.status.clone(), message: last.message.clone() })
    };
    let mut broken: Vec<BrokenDoc> = book.site.nodes.iter().enumerate().filter_map(doc).collect();
    broken.sort_by_key(|doc| (doc.status == "skipped", doc.node));
    broken
}

fn slowest(book: &Book<'_>) -> Vec<SlowDoc> {
    let doc = |(node, entry): (usize, &crate::docs::site::Entry<'_>)| {
        Some(SlowDoc { node, seconds: book.results.last(entry.id)?.seconds.filter(|seconds| *seconds > 0.0)? })
    };
    let mut all: Vec<SlowDoc> = book.site.nodes.iter().enumerate().filter_map(doc).collect();
    all.sort_by(|a, b| b.seconds.total_cmp(&a.seconds).then(a.node.cmp(&b.node)));
    all.truncate(SHOWN);
    all
}

fn biggest(book: &Book<'_>) -> Vec<BigDoc> {
    let doc = |(node, entry): (usize, &crate::docs::site::Entry<'_>)| {
        let table = book.site.artifacts.catalog.as_ref().and_then(|catalog| catalog.of(entry.id));
        let number = |id| table.and_then(|table| table.number(id)).map(|number| number.max(0.0) as u64);
        let last = book.results.last(entry.id);
        let bytes = number("num_bytes").or_else(|| last.and_then(|last| last.bytes)).filter(|bytes| *bytes > 0)?;
        Some(BigDoc { node, bytes, rows: number("num_rows").or_else(|| last.and_then(|last| last.rows)) })
    };
    let mut all: Vec<BigDoc> = book.site.nodes.iter().enumerate().filter_map(doc).collect();
    all.sort_by(|a, b| b.bytes.cmp(&a.bytes).then(a.node.cmp(&b.node)));
    all.truncate(SHOWN);
    all
}

/// Sources that are late or have days without a file.
fn stale<'b>(book: &'b Book<'_>) -> Vec<StaleDoc<'b>> {
    let artifacts = book.site.artifacts;
    let sources = book.site.nodes.iter().enumerate().filter(|(_, entry)| &*entry.node.resource_type == "source");
    let doc = |(node, entry): (usize, &crate::docs::site::Entry<'_>)| {
        let found = artifacts.sources.as_ref().and_then(|sources| sources.of(entry.id));
        let listing = artifacts.source_files.as_ref().and_then(|files| files.sources.get(entry.id));
        let status = found.and_then(|found| found.status.some()).filter(|status| *status != "pass");
        let missing: Vec<&str> =
            listing.iter().flat_map(|listing| &listing.missing).map(|day| &**day).take(MAX_DAYS).collect();
        let last_at = found.and_then(|found| found.max_loaded_at.some());
        (status.is_some() || !missing.is_empty()).then_some(StaleDoc { node, missing, status, last_at })
    };
    sources.filter_map(doc).collect()
}

/// How much of what people read is described.
fn documented(book: &Book<'_>) -> DocumentedDoc {
    let mut doc = DocumentedDoc::default();
    for (number, entry) in book.site.nodes.iter().enumerate() {
        if !matches!(&*entry.node.resource_type, "model" | "seed" | "snapshot" | "source") {
            continue;
        }
        let columns = book.columns.of(number).iter().filter(|facts| !facts.is_absent);
        let (mut total, mut described) = (0, 0);
        for facts in columns {
            total += 1;
            described += usize::from(!facts.description().trim().is_empty());
        }
        let itself = entry.node.description.trim().is_empty();
        doc.nodes = [doc.nodes[0] + usize::from(!itself), doc.nodes[1] + 1];
        doc.columns = [doc.columns[0] + described, doc.columns[1] + total];
        if itself || described < total {
            doc.worst.push(WorstDoc { node: number, missing: total - described, total, itself });
        }
    }
    doc.worst.sort_by_key(|worst| (std::cmp::Reverse((worst.missing, worst.itself)), worst.node));
    doc.worst.truncate(SHOWN);
    doc
}
