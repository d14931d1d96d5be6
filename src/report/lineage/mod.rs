//! Column lineage for the terminal and for tools that draw: a tree, a table of a node's columns, Mermaid, Graphviz, JSON.

mod drawings;
mod table;
#[cfg(test)]
mod tests;
mod tree;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::analyze::lineage::{Column, Edge, EdgeKind, Graph, Kind, Lineage, RowKind, Source, Target};
use crate::graph::Direction;

use super::measure::{cut_end, one_line, width};
use super::paint::{Palette, Tone};

/// How many columns a line has where no terminal says.
const WIDTH: usize = 100;

/// `--output` of `lineage`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineageForm {
    /// A tree of a column, or a table of a node's columns.
    Text,
    /// The columns and edges that are reached, as one object.
    Json,
    /// A flowchart for Markdown.
    Mermaid,
    /// A graph for Graphviz.
    Dot,
}

/// How lineage is drawn.
#[derive(Debug, Clone, Copy)]
pub struct LineageStyle {
    /// Use colours.
    pub colour: bool,
    /// Columns of the terminal, if there is one.
    pub width: Option<usize>,
}

/// What is drawn.
pub struct LineageView<'a> {
    /// The lineage.
    pub lineage: &'a Lineage,
    /// Names of nodes for people, by unique id: `mart_totals`, `source lake.log_content`.
    pub names: BTreeMap<&'a str, String>,
    /// Where nodes are published, by unique id: `bi: mart_totals`.
    pub published: BTreeMap<&'a str, Vec<String>>,
    /// Names of exposures, by the nodes that they read.
    pub exposures: BTreeMap<&'a str, Vec<String>>,
    /// Which way.
    pub direction: Direction,
}

impl LineageView<'_> {
    /// Draws what is known of `target`.
    pub fn draw(&self, target: &Target, form: LineageForm, style: LineageStyle) -> String {
        let graph = Graph::new(self.lineage);
        match (form, target) {
            (LineageForm::Text, Target::Column(column)) => tree::tree(self, &graph, column, style),
            (LineageForm::Text, Target::Node(node)) => table::table(self, &graph, node, style),
            (LineageForm::Json, target) => drawings::json(self, &self.reach(&graph, target), target),
            (LineageForm::Mermaid, target) => drawings::mermaid(self, &self.reach(&graph, target)),
            (LineageForm::Dot, target) => drawings::dot(self, &self.reach(&graph, target)),
        }
    }

    fn starts(&self, target: &Target) -> Vec<Source> {
        match target {
            Target::Column(column) => vec![column.clone()],
            Target::Node(id) => self.columns_of(id).map(|(name, _)| column_of(id, name)).collect(),
        }
    }

    fn reach(&self, graph: &Graph<'_>, target: &Target) -> Vec<Edge> {
        let mut edges = graph.reach(&self.starts(target), self.direction);
        edges.sort();
        edges.dedup();
        edges
    }

    fn columns_of(&self, node: &str) -> impl Iterator<Item = (&str, &Column)> {
        let columns = self.lineage.nodes.get(node).map(|node| &node.columns);
        columns.into_iter().flatten().map(|(name, column)| (name.as_str(), column))
    }

    fn column(&self, source: &Source) -> Option<&Column> {
        self.lineage.column(&source.node, &source.column)
    }

    fn name<'b>(&'b self, node: &'b str) -> &'b str {
        self.names.get(node).map_or(node, String::as_str)
    }

    /// `mart_totals.Total_Duration`, `source lake.log_content  _source.TotalDuration`.
    fn label(&self, source: &Source) -> String {
        if source.column.is_empty() {
            return format!("rows of {}", self.name(&source.node));
        }
        let name = self.name(&source.node);
        // The name of a source has a dot of its own.
        let dot = if name.contains('.') { "  " } else { "." };
        one_line(&format!("{name}{dot}{}", spelled(source)))
    }
}

fn column_of(node: &Arc<str>, name: &str) -> Source {
    Source { node: Arc::clone(node), column: Arc::from(name), path: Vec::new() }
}

/// A column and the fields inside of it: `_source.TotalDuration`, `items[].name`.
fn spelled(source: &Source) -> String {
    let steps = source.path.iter().map(|step| if step == "[]" { step.clone() } else { format!(".{step}") });
    format!("{}{}", source.column, steps.collect::<String>())
}

/// True for what a value arrives by.
fn is_direct(kind: EdgeKind) -> bool {
    matches!(kind, EdgeKind::Column(kind) if kind.is_direct())
}

/// What decides about the rows of `node`, as lines that fit.
fn rows_lines(view: &LineageView<'_>, node: &str, pen: &Pen) -> Vec<String> {
    let rows = view.lineage.nodes.get(node).map(|node| node.rows.as_slice()).unwrap_or_default();
    let mut kinds: BTreeMap<RowKind, Vec<String>> = BTreeMap::new();
    for (source, kind) in rows {
        kinds.entry(*kind).or_default().push(view.label(source));
    }
    let mut out = Vec::new();
    if !kinds.is_empty() {
        out.push(format!("rows of {} depend on", view.name(node)));
    }
    for (kind, sources) in kinds {
        let mut line = format!("  {:<7}", kind.as_str());
        for (index, source) in sources.iter().enumerate() {
            let end = if index + 1 < sources.len() { ", " } else { "" };
            if line.trim_end().len() > 9 && width(&line) + width(source) + end.len() > pen.width {
                out.push(pen.dim(line.trim_end()));
                line = " ".repeat(9);
            }
            line.push_str(source);
            line.push_str(end);
        }
        out.push(pen.dim(&line));
    }
    out
}

struct Pen {
    palette: Palette,
    width: usize,
}

impl Pen {
    fn new(style: LineageStyle) -> Pen {
        Pen { palette: Palette { colour: style.colour }, width: style.width.unwrap_or(WIDTH).max(40) }
    }

    fn kind(&self, kind: EdgeKind) -> String {
        let tone = match kind {
            EdgeKind::Column(Kind::Copied) => Tone::Good,
            EdgeKind::Column(kind) if kind.is_direct() => Tone::Warn,
            _ => Tone::Dim,
        };
        self.palette.paint(tone, kind.as_str())
    }

    fn dim(&self, text: &str) -> String {
        self.palette.paint(Tone::Dim, text)
    }

    fn strong(&self, text: &str) -> String {
        self.palette.paint(Tone::Strong, text)
    }

    /// `text` on one line of what is left behind `used` columns.
    fn cut(&self, text: &str, used: usize) -> String {
        cut_end(&one_line(text), self.width.saturating_sub(used).max(16))
    }
}
