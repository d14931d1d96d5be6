//! What a source is made of: its files, the days that they are of, and how fresh it is.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value as Json;

use super::{Book, pairs};
use crate::docs::read::{Freshness, Node, SourceFile, SourceListing, Text};
use crate::stdx::plural;

/// Files that a page lists.
const MAX_FILES: usize = 2_000;

#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SourceDoc {
    #[serde(skip_serializing_if = "Option::is_none")]
    location: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    format: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    loader: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    freshness: Option<FreshnessDoc>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    files: Vec<FileDoc>,
    #[serde(skip_serializing_if = "is_zero")]
    omitted: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    count: Option<usize>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    days: Vec<(String, u64, u64)>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    missing: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    to: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    external: Vec<(String, String)>,
}

#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct FreshnessDoc {
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    age: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    warn_after: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_after: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<String>,
}

#[derive(Debug, Serialize)]
struct FileDoc {
    path: String,
    bytes: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    modified: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    date: Option<String>,
}

fn is_zero(number: &usize) -> bool {
    *number == 0
}

/// What is known about the source `node`.
pub(super) fn source(book: &Book<'_>, id: &str, node: &Node) -> SourceDoc {
    let artifacts = book.site.artifacts;
    let found = artifacts.sources.as_ref().and_then(|sources| sources.of(id));
    let declared = |key: &str| node.external.get(key).and_then(Json::as_str).map(str::to_string);
    let mut doc = SourceDoc {
        location: declared("location"),
        format: declared("file_format"),
        loader: node.loader.some().map(str::to_string),
        freshness: freshness(node, found),
        external: pairs(&node.external, &["location", "file_format"]),
        ..SourceDoc::default()
    };
    if let Some(listing) = artifacts.source_files.as_ref().and_then(|listings| listings.sources.get(id)) {
        doc.list(listing);
    }
    doc
}

impl SourceDoc {
    fn list(&mut self, listing: &SourceListing) {
        let text = |text: &Text| text.some().map(str::to_string);
        self.location = text(&listing.location).or(self.location.take());
        self.format = text(&listing.format).or(self.format.take());
        self.count = Some(listing.files.len());
        self.bytes = Some(listing.files.iter().map(|file| file.bytes).sum());
        let mut files: Vec<&SourceFile> = listing.files.iter().collect();
        files.sort_by(|a, b| (&a.date, &a.path).cmp(&(&b.date, &b.path)));
        self.omitted = files.len().saturating_sub(MAX_FILES);
        let file = |file: &&SourceFile| FileDoc {
            path: file.path.to_string(),
            bytes: file.bytes,
            modified: text(&file.modified),
            date: text(&file.date),
        };
        self.files = files[self.omitted..].iter().map(file).collect();
        let mut days: BTreeMap<&str, (u64, u64)> = BTreeMap::new();
        for file in &listing.files {
            if let Some(date) = file.date.some() {
                let day = days.entry(date).or_default();
                *day = (day.0 + 1, day.1 + file.bytes);
            }
        }
        self.days = days.into_iter().map(|(date, (files, bytes))| (date.to_string(), files, bytes)).collect();
        self.missing = listing.missing.iter().map(ToString::to_string).collect();
        self.from = text(&listing.from);
        self.to = text(&listing.to);
    }
}

fn freshness(node: &Node, found: Option<&Freshness>) -> Option<FreshnessDoc> {
    let criteria = found.map(|found| &found.criteria).filter(|criteria| criteria.is_object());
    let after = |key: &str| {
        let threshold = criteria.and_then(|criteria| criteria.get(key)).or_else(|| node.freshness.get(key))?;
        let count = threshold.get("count")?.as_u64()?;
        Some(plural(count, threshold.get("period")?.as_str()?.trim_end_matches('s')))
    };
    let doc = FreshnessDoc {
        status: found.and_then(|found| found.status.some()).map(str::to_string),
        last_at: found.and_then(|found| found.max_loaded_at.some()).map(str::to_string),
        age: found.and_then(|found| found.max_loaded_at_time_ago_in_s).map(f64::round),
        warn_after: after("warn_after"),
        error_after: after("error_after"),
        field: node.loaded_at_field.some().map(str::to_string),
    };
    let says = doc.status.is_some() || doc.warn_after.is_some() || doc.error_after.is_some();
    says.then_some(doc)
}
