//! The columns of a node, each with what makes it and what it is made from.

use std::sync::Arc;

use super::super::measure::{pad_right, width};
use super::{LineageStyle, LineageView, Pen, column_of, rows_lines};
use crate::analyze::lineage::{EdgeKind, Graph, Kind};
use crate::graph::Direction;

/// Columns of text that names and types may take.
const NAME: usize = 32;
const TYPE: usize = 20;

pub(super) fn table(view: &LineageView<'_>, graph: &Graph<'_>, node: &Arc<str>, style: LineageStyle) -> String {
    let pen = Pen::new(style);
    let columns: Vec<_> = view.columns_of(node).collect();
    let mut out = format!("{}  {}\n", pen.strong(view.name(node)), pen.dim(&format!("{} columns", columns.len())));
    let names = columns.iter().map(|(name, _)| width(name)).max().unwrap_or(0).min(NAME);
    let types = columns.iter().map(|(_, column)| width(&column.data_type)).max().unwrap_or(0).min(TYPE);
    let indent = names + types + 6;
    for (name, column) in columns {
        let label = pad_right(&super::cut_end(name, names), names);
        let data_type = pad_right(&super::cut_end(&column.data_type, types), types);
        let expression = column.expression.as_deref().filter(|_| view.direction == Direction::Upstream);
        let steps = graph.steps(&column_of(node, name), view.direction);
        let mut steps = steps.iter().map(|edge| match view.direction {
            Direction::Upstream => (edge.kind, format!("← {}", view.label(&edge.from))),
            Direction::Downstream => (edge.kind, format!("→ {}", view.label(&edge.to))),
        });
        let first = match expression {
            Some(text) => pen.dim(&pen.cut(text, indent)),
            None => steps.next().map(|(kind, text)| step(&pen, kind, &text, indent)).unwrap_or_default(),
        };
        push(&mut out, &format!("  {}  {}  {first}", pen.strong(&label), pen.dim(&data_type)));
        for (kind, text) in steps {
            push(&mut out, &format!("{}{}", " ".repeat(indent), step(&pen, kind, &text, indent)));
        }
    }
    if view.direction == Direction::Upstream {
        rows_lines(view, node, &pen).iter().for_each(|line| push(&mut out, line));
    }
    out
}

/// `← mart.a`, with the kind if it is no copy.
fn step(pen: &Pen, kind: EdgeKind, text: &str, indent: usize) -> String {
    let kind_text =
        if kind == EdgeKind::Column(Kind::Copied) { String::new() } else { format!("  {}", pen.kind(kind)) };
    let text = pen.cut(text, indent + width(kind.as_str()) + 2);
    format!("{text}{kind_text}")
}

fn push(out: &mut String, line: &str) {
    out.push_str(line.trim_end());
    out.push('\n');
}
