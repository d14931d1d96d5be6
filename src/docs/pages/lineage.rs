//! Column lineage of the whole project, as numbers.

use std::collections::HashMap;

use serde::Serialize;

use super::Book;
use crate::docs::read::{Input, Text};

/// What `kind` of a direct edge may be; others count as transformed.
const KINDS: [&str; 5] = ["copied", "transformed", "aggregated", "window", "condition"];
const INDIRECT_KINDS: [&str; 5] = ["filter", "join", "group", "sort", "window"];

/// `data/lineage.js`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct LineagePage<'a> {
    columns: Vec<Vec<Entry<'a>>>,
    direct: Vec<usize>,
    indirect: Vec<usize>,
    kinds: [&'static str; 5],
    indirect_kinds: [&'static str; 5],
    expressions: Vec<usize>,
    texts: Vec<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    unknown: Vec<(usize, &'a str)>,
}

/// A column, or a field inside of one.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Entry<'a> {
    Column(&'a str),
    Field(Vec<&'a str>),
}

/// Gives positions to columns and fields.
struct Numbers<'a> {
    columns: Vec<Vec<Entry<'a>>>,
    /// By node, and by the path in lower case.
    known: Vec<HashMap<Vec<String>, usize>>,
}

impl<'a> Numbers<'a> {
    fn new(book: &Book<'a>) -> Numbers<'a> {
        let nodes = book.site.nodes.len();
        let mut numbers =
            Numbers { columns: (0..nodes).map(|_| Vec::new()).collect(), known: vec![HashMap::new(); nodes] };
        for node in 0..nodes {
            for facts in book.columns.of(node).iter().filter(|facts| !facts.is_absent) {
                numbers.of(node, facts.name, &[]);
            }
        }
        numbers
    }

    fn of(&mut self, node: usize, column: &'a str, path: &'a [Text]) -> usize {
        let parts = || std::iter::once(column).chain(path.iter().map(|part| &**part));
        let key: Vec<String> = parts().map(str::to_lowercase).collect();
        if let Some(number) = self.known[node].get(&key) {
            return *number;
        }
        if !path.is_empty() {
            // A field belongs to its column, which so is there too.
            self.of(node, column, &[]);
        }
        let number = self.columns[node].len();
        self.columns[node].push(match path.is_empty() {
            true => Entry::Column(column),
            false => Entry::Field(parts().collect()),
        });
        self.known[node].insert(key, number);
        number
    }
}

/// The whole of it; empty lists if there is no `lineage.json`.
pub(super) fn lineage<'a>(book: &Book<'a>) -> LineagePage<'a> {
    let mut numbers = Numbers::new(book);
    let mut page = LineagePage {
        columns: Vec::new(),
        direct: Vec::new(),
        indirect: Vec::new(),
        kinds: KINDS,
        indirect_kinds: INDIRECT_KINDS,
        expressions: Vec::new(),
        texts: Vec::new(),
        unknown: Vec::new(),
    };
    let mut text_numbers: HashMap<&'a str, usize> = HashMap::new();
    for to in 0..book.site.nodes.len() {
        let Some(node) = book.site.lineage(book.site.nodes[to].id) else { continue };
        for (name, column) in &node.columns {
            let own = numbers.of(to, name, &[]);
            for input in &column.inputs {
                let Some(from) = book.site.node(&input.node) else { continue };
                let column = numbers.of(from, &input.column, &input.path);
                page.direct.extend([to, own, from, column, kind(&KINDS, input, 1)]);
            }
            if let Some(expression) = column.expression.some() {
                let next = page.texts.len();
                let text = *text_numbers.entry(expression).or_insert(next);
                if text == next {
                    page.texts.push(expression);
                }
                page.expressions.extend([to, own, text]);
            }
        }
        for input in &node.indirect {
            let Some(from) = book.site.node(&input.node) else { continue };
            let column = numbers.of(from, &input.column, &input.path);
            page.indirect.extend([to, from, column, kind(&INDIRECT_KINDS, input, 0)]);
        }
    }
    let unknown = book.site.artifacts.lineage.iter().flat_map(|lineage| &lineage.unknown);
    page.unknown = unknown.filter_map(|(id, why)| Some((book.site.node(id)?, &**why))).collect();
    page.unknown.sort_unstable();
    page.columns = numbers.columns;
    page
}

fn kind(kinds: &[&str], input: &Input, other: usize) -> usize {
    kinds.iter().position(|kind| *kind == &*input.kind).unwrap_or(other)
}
