//! What the names in a node's code mean.

use super::Book;
use crate::docs::read::{Macro, Node, Text};
use crate::docs::text::highlight::{Code, Names};

use serde::Serialize;

/// Code of a node, as it was written and as it was compiled.
#[derive(Debug, Default, Serialize)]
pub(super) struct CodeDoc {
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<Code>,
    #[serde(skip_serializing_if = "Option::is_none")]
    compiled: Option<Code>,
    #[serde(skip_serializing_if = "Option::is_none")]
    plan: Option<Code>,
}

/// The code of a node or test; none if it has none.
pub(super) fn of_node(book: &Book<'_>, id: &str, node: &Node) -> Option<CodeDoc> {
    let names = NamesOf { book, nodes: &node.depends_on.nodes, macros: &node.depends_on.macros };
    let source = node.raw_code.some().filter(|_| &*node.resource_type != "seed");
    let plan = book.site.artifacts.plans.as_ref().and_then(|plans| plans.nodes.get(id)?.some());
    let doc = CodeDoc {
        plan: plan.map(Code::plain),
        source: source.map(|text| Code::template(text, node.original_file_path.some(), &names)),
        compiled: source
            .and_then(|_| book.site.artifacts.compiled_code(node))
            .map(|text| Code::compiled(text.trim(), &names)),
    };
    (doc.source.is_some() || doc.compiled.is_some()).then_some(doc)
}

/// The code of a macro.
pub(super) fn of_macro(book: &Book<'_>, entry: &Macro) -> Code {
    let names = NamesOf { book, nodes: &[], macros: &entry.depends_on.macros };
    Code::template(&entry.macro_sql, entry.original_file_path.some(), &names)
}

/// Names that are among what the code depends on.
struct NamesOf<'b, 'a> {
    book: &'b Book<'a>,
    nodes: &'b [Text],
    macros: &'b [Text],
}

impl NamesOf<'_, '_> {
    fn parents(&self) -> impl Iterator<Item = (usize, &Node)> {
        let site = &self.book.site;
        self.nodes.iter().filter_map(|id| site.node(id)).map(|number| (number, site.nodes[number].node))
    }
}

impl Names for NamesOf<'_, '_> {
    fn referenced(&self, call: &str, arguments: &[&str]) -> Option<usize> {
        let is_source = |node: &Node| &*node.resource_type == "source";
        let found = match (call, arguments) {
            ("ref", [name]) => self.parents().find(|(_, node)| !is_source(node) && *node.name == **name),
            ("ref", [package, name, ..]) => self
                .parents()
                .find(|(_, node)| !is_source(node) && *node.name == **name && *node.package_name == **package),
            ("source", [source, table, ..]) => self
                .parents()
                .find(|(_, node)| is_source(node) && *node.source_name == **source && *node.name == **table),
            _ => None,
        };
        found.map(|(number, _)| number)
    }

    fn called(&self, name: &str) -> Option<usize> {
        let is_it = |id: &&Text| id.rsplit('.').next() == Some(name);
        self.macros.iter().find(is_it).and_then(|id| self.book.site.number_of_macro(id))
    }

    fn relations(&self) -> Vec<(String, usize)> {
        self.parents().map(|(number, node)| (node.relation_name.to_string(), number)).collect()
    }
}
