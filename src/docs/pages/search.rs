//! What search looks through beside names: descriptions, columns and code.

use serde::Serialize;

use super::Book;
use crate::docs::text::markdown;

/// `data/search.js`.
#[derive(Debug, Serialize)]
pub(super) struct SearchPage<'a> {
    nodes: Vec<NodeText<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    macros: Vec<MacroText>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tests: Vec<TestText>,
}

#[derive(Debug, Serialize)]
struct NodeText<'a> {
    n: usize,
    #[serde(skip_serializing_if = "String::is_empty")]
    text: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    columns: Vec<ColumnText<'a>>,
}

/// Name, and description if there is one.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum ColumnText<'a> {
    Named([&'a str; 1]),
    Described(&'a str, String),
}

#[derive(Debug, Serialize)]
struct MacroText {
    m: usize,
    text: String,
}

#[derive(Debug, Serialize)]
struct TestText {
    t: usize,
    text: String,
}

/// Descriptions and columns.
pub(super) fn search<'a>(book: &Book<'a>) -> SearchPage<'a> {
    let site = &book.site;
    let column = |facts: &super::columns::Facts<'a>| match markdown::to_text(facts.description()) {
        text if text.is_empty() => ColumnText::Named([facts.name]),
        text => ColumnText::Described(facts.name, text),
    };
    let node = |n: usize| NodeText {
        n,
        text: markdown::to_text(&site.nodes[n].node.description),
        columns: book.columns.of(n).iter().map(column).collect(),
    };
    let macros = site.macros.iter().enumerate().map(|(m, (_, entry))| (m, markdown::to_text(&entry.description)));
    let tests = site.tests.iter().enumerate().map(|(t, test)| (t, markdown::to_text(&test.node.description)));
    SearchPage {
        nodes: (0..site.nodes.len()).map(node).collect(),
        macros: macros.filter(|(_, text)| !text.is_empty()).map(|(m, text)| MacroText { m, text }).collect(),
        tests: tests.filter(|(_, text)| !text.is_empty()).map(|(t, text)| TestText { t, text }).collect(),
    }
}

/// `data/sql.js`.
#[derive(Debug, Serialize)]
pub(super) struct SqlPage<'a> {
    nodes: Vec<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tests: Vec<(usize, &'a str)>,
    macros: Vec<&'a str>,
}

/// Code as it was written.
pub(super) fn sql<'a>(book: &Book<'a>) -> SqlPage<'a> {
    let site = &book.site;
    let singular = site.tests.iter().enumerate().filter(|(_, test)| test.kind() == "singular");
    let code = |node: &'a crate::docs::read::Node| if &*node.resource_type == "seed" { "" } else { &*node.raw_code };
    SqlPage {
        nodes: site.nodes.iter().map(|entry| code(entry.node)).collect(),
        tests: singular.map(|(t, test)| (t, &*test.node.raw_code)).collect(),
        macros: site.macros.iter().map(|(_, entry)| &*entry.macro_sql).collect(),
    }
}
