//! The page of a macro.

use serde::Serialize;

use super::{Book, code};
use crate::docs::text::highlight::Code;
use crate::docs::text::markdown;

/// `data/macros/<m>.js`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct MacroPage<'a> {
    m: usize,
    id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    description_html: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    arguments: Vec<ArgumentDoc<'a>>,
    code: Code,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    used_by: Vec<usize>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    used_by_tests: Vec<usize>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    macros: Vec<usize>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    used_by_macros: Vec<usize>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ArgumentDoc<'a> {
    name: &'a str,
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    kind: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description_html: Option<String>,
}

/// The page of macro `number`.
pub(super) fn page<'a>(book: &Book<'a>, number: usize) -> MacroPage<'a> {
    let site = &book.site;
    let (id, entry) = site.macros[number];
    let uses = |ids: &[crate::docs::read::Text]| ids.iter().any(|other| **other == *id);
    let numbers = |hits: Vec<bool>| hits.iter().enumerate().filter(|(_, hit)| **hit).map(|(at, _)| at).collect();
    MacroPage {
        m: number,
        id,
        description_html: markdown::to_html(&entry.description),
        arguments: (entry.arguments.iter())
            .map(|argument| ArgumentDoc {
                name: &argument.name,
                kind: argument.kind.some(),
                description_html: markdown::to_html(&argument.description),
            })
            .collect(),
        code: code::of_macro(book, entry),
        used_by: numbers(site.nodes.iter().map(|entry| uses(&entry.node.depends_on.macros)).collect()),
        used_by_tests: numbers(site.tests.iter().map(|test| uses(&test.node.depends_on.macros)).collect()),
        macros: site.macros_of(&entry.depends_on.macros),
        used_by_macros: numbers(site.macros.iter().map(|(_, other)| uses(&other.depends_on.macros)).collect()),
    }
}
