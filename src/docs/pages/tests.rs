//! Details of tests, some dozens in a file.

use serde::Serialize;
use serde_json::Value as Json;

use super::code::CodeDoc;
use super::{Book, TESTS_OF_FILE, code, pairs, plain};
use crate::docs::read::Node;
use crate::docs::results::NodeRunDoc;
use crate::docs::text::markdown;

/// `data/tests/<k>.js`.
#[derive(Debug, Serialize)]
pub(super) struct TestsPage<'a> {
    tests: Vec<TestDoc<'a>>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct TestDoc<'a> {
    t: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    description_html: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    arguments: Vec<(String, String)>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    config: Vec<(String, String)>,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<CodeDoc>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    failures: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stored_at: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    runs: Vec<NodeRunDoc>,
    #[serde(skip_serializing_if = "Option::is_none")]
    unit: Option<UnitDoc>,
}

#[derive(Debug, Serialize)]
struct UnitDoc {
    given: Vec<GivenDoc>,
    expect: String,
}

#[derive(Debug, Serialize)]
struct GivenDoc {
    input: String,
    text: String,
}

/// The tests of file `chunk`.
pub(super) fn chunk<'a>(book: &Book<'a>, chunk: usize) -> TestsPage<'a> {
    let from = chunk * TESTS_OF_FILE;
    let to = (from + TESTS_OF_FILE).min(book.site.tests.len());
    TestsPage { tests: (from..to).map(|number| test(book, number)).collect() }
}

fn test<'a>(book: &Book<'a>, number: usize) -> TestDoc<'a> {
    let test = &book.site.tests[number];
    let node = test.node;
    let arguments = node.test_metadata.as_ref().map(|metadata| pairs(&metadata.kwargs, &["model", "column_name"]));
    let last = book.results.last(test.id);
    let result = book.site.artifacts.run_results.as_ref().and_then(|results| results.of(test.id));
    TestDoc {
        t: number,
        description_html: markdown::to_html(&node.description),
        arguments: arguments.unwrap_or_default(),
        config: pairs(&node.config, &["meta", "tags", "docs", "enabled", "materialized"]),
        code: code::of_node(book, test.id, node),
        message: last.and_then(|last| last.message.clone()),
        failures: last.and_then(|last| last.failures).filter(|failures| *failures > 0),
        stored_at: result.and_then(|result| result.relation_name.some()),
        runs: book.results.runs_of(test.id, true),
        unit: (test.kind() == "unit").then(|| unit(node)),
    }
}

fn unit(node: &Node) -> UnitDoc {
    let given =
        |given: &Json| GivenDoc { input: given.get("input").and_then(plain).unwrap_or_default(), text: rows(given) };
    UnitDoc { given: node.given.iter().map(given).collect(), expect: rows(&node.expect) }
}

/// Rows as they are written: text, or an object a line.
fn rows(fixture: &Json) -> String {
    match fixture.get("rows") {
        Some(Json::Array(rows)) => rows.iter().map(Json::to_string).collect::<Vec<_>>().join("\n"),
        Some(other) => plain(other).unwrap_or_default(),
        None => String::new(),
    }
}
