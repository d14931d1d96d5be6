//! A chain as a tree. What a column is made from is shown once; where it is met again, a `↑` points back.

use std::collections::HashSet;

use super::super::measure::width;
use super::{LineageStyle, LineageView, Pen, rows_lines};
use crate::analyze::lineage::{Edge, EdgeKind, Graph, Source};
use crate::graph::Direction;

pub(super) fn tree(view: &LineageView<'_>, graph: &Graph<'_>, column: &Source, style: LineageStyle) -> String {
    let mut tree =
        Tree { view, graph, pen: Pen::new(style), seen: HashSet::new(), ends: Vec::new(), out: String::new() };
    tree.root(column);
    tree.out
}

struct Tree<'a> {
    view: &'a LineageView<'a>,
    graph: &'a Graph<'a>,
    pen: Pen,
    /// Columns whose branches are drawn.
    seen: HashSet<Source>,
    /// Nodes that were met.
    ends: Vec<std::sync::Arc<str>>,
    out: String,
}

impl Tree<'_> {
    fn root(&mut self, column: &Source) {
        let label = self.view.label(column);
        let data_type = match column.path.is_empty() {
            true => self.view.column(column).map(|column| column.data_type.clone()).unwrap_or_default(),
            false => String::new(),
        };
        let kind = self.pen.cut(&data_type, width(&label) + 2);
        self.line(&format!("{}  {}", self.pen.strong(&label), self.pen.dim(&kind)));
        self.branches(column, "");
        if self.view.direction == Direction::Upstream {
            for line in rows_lines(self.view, &column.node, &self.pen) {
                self.line(&line);
            }
        }
        self.exposures();
    }

    /// Exposures read whole nodes.
    fn exposures(&mut self) {
        if self.view.direction == Direction::Upstream {
            return;
        }
        let ends = std::mem::take(&mut self.ends);
        let mut names: Vec<&String> =
            ends.iter().filter_map(|node| self.view.exposures.get(&**node)).flatten().collect();
        names.sort();
        names.dedup();
        if !names.is_empty() {
            let names: Vec<&str> = names.into_iter().map(String::as_str).collect();
            self.line(&format!("read by {}", names.join(", ")));
        }
    }

    /// What is above or below `column`; `margin` stands before every line.
    fn branches(&mut self, column: &Source, margin: &str) {
        if !self.ends.contains(&column.node) {
            self.ends.push(column.node.clone());
        }
        let steps = self.graph.steps(column, self.view.direction);
        let published = self.published(column);
        let has_more = !steps.is_empty() || !published.is_empty();
        self.expression(column, margin, has_more);
        let last = (steps.len() + published.len()).saturating_sub(1);
        for (index, edge) in steps.iter().enumerate() {
            self.branch(edge, margin, index == last);
        }
        for (index, place) in published.iter().enumerate() {
            let corner = corner(steps.len() + index == last);
            self.line(&format!("{margin}{corner}published  {}", self.pen.strong(place)));
        }
    }

    fn branch(&mut self, edge: &Edge, margin: &str, is_last: bool) {
        let next = if self.view.direction == Direction::Upstream { &edge.from } else { &edge.to };
        let is_known = self.seen.contains(next);
        let label = self.view.label(next);
        let label = if super::is_direct(edge.kind) { self.pen.strong(&label) } else { label };
        let again = if is_known && !self.graph.steps(next, self.view.direction).is_empty() { " ↑" } else { "" };
        let kind = self.pen.kind(edge.kind);
        self.line(&format!("{margin}{}{kind}  {label}{again}", corner(is_last)));
        let is_end = matches!(edge.kind, EdgeKind::Rows(_));
        if !is_end && self.seen.insert(next.clone()) {
            let below = if is_last { "   " } else { "│  " };
            self.branches(next, &format!("{margin}{below}"));
        }
    }

    /// The expression that makes a column.
    fn expression(&mut self, column: &Source, margin: &str, has_more: bool) {
        if !column.path.is_empty() {
            return;
        }
        let Some(text) = self.view.column(column).and_then(|column| column.expression.clone()) else { return };
        let bar = if has_more { "│ " } else { "  " };
        let text = self.pen.cut(&text, width(margin) + 2);
        self.line(&format!("{margin}{bar}{}", self.pen.dim(&text)));
    }

    /// Where the column of a published mart ends up.
    fn published(&self, column: &Source) -> Vec<String> {
        if self.view.direction == Direction::Upstream || column.column.is_empty() {
            return Vec::new();
        }
        let tables = self.view.published.get(&*column.node).map(Vec::as_slice).unwrap_or_default();
        tables.iter().map(|table| format!("{table}.{}", column.column)).collect()
    }

    fn line(&mut self, text: &str) {
        self.out.push_str(text.trim_end());
        self.out.push('\n');
    }
}

fn corner(is_last: bool) -> &'static str {
    if is_last { "└─ " } else { "├─ " }
}
