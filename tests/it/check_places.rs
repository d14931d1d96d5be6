//! Every mistake is shown at its place in the file that a person wrote: through macros, loops, ephemeral models and
//! common table expressions.
//!
//! The files under `check_places/` are projects. `=== path` begins a file; a comment below a line marks what has to be
//! underlined in it and what has to be said:
//!
//! ```text
//! select amuont from orders
//! --~    ^^^^^^ C4004 column `amuont` not found
//! ```
//!
//! Without carets the place is anywhere in the line. What is not marked must not be said, and the other way round.

use std::collections::BTreeSet;

use serde_json::Value as Json;

use crate::harness::{Project, repository};

/// A finding that is marked, or that was made.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Mark {
    path: String,
    line: usize,
    /// First column and the one behind the last; none: any.
    columns: Option<(usize, usize)>,
    code: String,
    text: String,
}

/// The files of a fixture and its marks.
fn read(text: &str) -> (Vec<(String, String)>, Vec<Mark>) {
    let (mut files, mut marks) = (Vec::<(String, String)>::new(), Vec::new());
    let mut last = 0;
    for line in text.lines() {
        if let Some(path) = line.strip_prefix("=== ") {
            files.push((path.to_string(), String::new()));
            last = 0;
            continue;
        }
        let (path, content) = files.last_mut().expect("a file begins with ===");
        let number = content.lines().count() + 1;
        content.push_str(line);
        content.push('\n');
        match mark(path, last, line) {
            Some(mark) => marks.push(mark),
            None => last = number,
        }
    }
    (files, marks)
}

/// The mark that `line` is, about line `number` of `path`.
fn mark(path: &str, number: usize, line: &str) -> Option<Mark> {
    let start = line.trim_start();
    let body = ["--~", "#~", "{#-"].iter().find_map(|prefix| start.strip_prefix(prefix))?;
    let body = body.trim_start().trim_end_matches("#}").trim_end();
    let carets = body.chars().take_while(|c| *c == '^').count();
    let code = body[carets..].trim_start();
    if !code.starts_with('C') || !code[1..].starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let columns = (carets > 0).then(|| {
        let at = line.find('^').expect("a caret");
        let first = line[..at].chars().count() + 1;
        (first, first + carets)
    });
    let (code, text) = code.split_once(' ').unwrap_or((code, ""));
    Some(Mark { path: path.to_string(), line: number, columns, code: code.to_string(), text: text.to_string() })
}

/// The findings of a SARIF log.
fn findings(log: &Json) -> Vec<Mark> {
    let results = log["runs"][0]["results"].as_array().expect("results");
    let find = |result: &Json| {
        let place = &result["locations"][0]["physicalLocation"];
        let number = |key: &str| usize::try_from(place["region"][key].as_u64().unwrap_or(0)).expect("a number");
        Mark {
            path: place["artifactLocation"]["uri"].as_str().unwrap_or("nowhere").to_string(),
            line: number("startLine"),
            columns: Some((number("startColumn"), number("endColumn"))),
            code: result["ruleId"].as_str().expect("a code").to_string(),
            text: result["message"]["text"].as_str().expect("a message").to_string(),
        }
    };
    results.iter().map(find).collect()
}

fn fits(mark: &Mark, found: &Mark) -> bool {
    mark.path == found.path
        && mark.line == found.line
        && mark.columns.is_none_or(|columns| Some(columns) == found.columns)
        && found.code.starts_with(&mark.code)
        && found.text.contains(&mark.text)
}

/// Checks the project of a fixture; gives back how many marks it has.
fn check(name: &str) -> usize {
    let path = repository().join("tests/it/check_places").join(name);
    let text = std::fs::read_to_string(&path).expect("a fixture");
    let (files, marks) = read(&text);
    let project = files.iter().fold(Project::new(), |project, (path, content)| project.file(path, content));
    let output = project.run(&["check", "--output", "sarif"]);
    let log: Json = serde_json::from_str(&output.stdout)
        .unwrap_or_else(|error| panic!("{name}: no document: {error}\n{}", output.all()));
    let mut found: BTreeSet<Mark> = findings(&log).into_iter().collect();
    let mut missed = Vec::new();
    for mark in &marks {
        match found.iter().find(|found| fits(mark, found)).cloned() {
            Some(hit) => {
                found.remove(&hit);
            }
            None => missed.push(mark),
        }
    }
    assert!(
        missed.is_empty() && found.is_empty(),
        "{name}: marked and not found: {missed:#?}\nfound and not marked: {found:#?}"
    );
    assert_eq!(output.code, Some(if marks.iter().all(|mark| mark.code.starts_with("C41")) { 0 } else { 2 }), "{name}");
    marks.len()
}

#[test]
fn names_that_are_not_there() {
    assert!(check("names.txt") >= 18);
}

#[test]
fn templates() {
    assert!(check("templates.txt") >= 9);
}

#[test]
fn ephemeral_models() {
    assert!(check("ephemeral.txt") >= 4);
}

#[test]
fn settings_and_tests() {
    assert!(check("settings.txt") >= 15);
}

#[test]
fn syntax_and_types() {
    assert!(check("types.txt") >= 3);
}

#[test]
fn warnings() {
    assert!(check("warnings.txt") >= 12);
}
