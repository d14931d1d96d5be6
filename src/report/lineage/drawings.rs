//! Lineage for programs: JSON, Mermaid, Graphviz.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use serde_json::{Map, Value as Json, json};

use super::{LineageView, is_direct, spelled};
use crate::analyze::lineage::{Edge, Source, Target};
use crate::graph::Direction;

pub(super) fn json(view: &LineageView<'_>, edges: &[Edge], target: &Target) -> String {
    let end = |source: &Source| {
        let mut object = Map::new();
        object.insert("node".into(), json!(&*source.node));
        let column = if source.column.is_empty() { Json::Null } else { json!(&*source.column) };
        object.insert("column".into(), column);
        if !source.path.is_empty() {
            object.insert("path".into(), json!(source.path));
        }
        Json::Object(object)
    };
    let of = match target {
        Target::Node(node) => json!({"node": &**node}),
        Target::Column(column) => end(column),
    };
    let columns: Vec<Json> = (columns(edges, &view.starts(target)).into_iter())
        .filter(|source| !source.column.is_empty())
        .map(|source| {
            let mut object = end(&source);
            if let (Json::Object(object), Some(column)) = (&mut object, view.column(&source)) {
                object.insert("type".into(), json!(column.data_type));
                object.insert("expression".into(), json!(column.expression.as_deref()));
            }
            object
        })
        .collect();
    let edges: Vec<Json> = edges
        .iter()
        .map(|edge| json!({"from": end(&edge.from), "to": end(&edge.to), "kind": edge.kind.as_str()}))
        .collect();
    let direction = match view.direction {
        Direction::Upstream => "upstream",
        Direction::Downstream => "downstream",
    };
    let document = json!({"of": of, "direction": direction, "columns": columns, "edges": edges});
    format!("{document:#}\n")
}

/// Every column of a graph, and the columns that it was asked for.
fn columns(edges: &[Edge], starts: &[Source]) -> BTreeSet<Source> {
    edges.iter().flat_map(|edge| [edge.from.clone(), edge.to.clone()]).chain(starts.iter().cloned()).collect()
}

/// Columns by node, each with a number.
fn numbered(edges: &[Edge]) -> (BTreeMap<String, Vec<Source>>, BTreeMap<Source, usize>) {
    let mut by_node: BTreeMap<String, Vec<Source>> = BTreeMap::new();
    let mut numbers = BTreeMap::new();
    for (number, source) in columns(edges, &[]).into_iter().enumerate() {
        by_node.entry(source.node.to_string()).or_default().push(source.clone());
        numbers.insert(source, number);
    }
    (by_node, numbers)
}

fn column_label(source: &Source) -> String {
    if source.column.is_empty() { "(rows)".to_string() } else { spelled(source) }
}

pub(super) fn mermaid(view: &LineageView<'_>, edges: &[Edge]) -> String {
    let (by_node, numbers) = numbered(edges);
    let mut out = String::from("flowchart LR\n");
    for (index, (node, sources)) in by_node.iter().enumerate() {
        let _ = writeln!(out, "  subgraph n{index}[\"{}\"]", mermaid_text(view.name(node)));
        for source in sources {
            let _ = writeln!(out, "    c{}[\"{}\"]", numbers[source], mermaid_text(&column_label(source)));
        }
        out.push_str("  end\n");
    }
    for edge in edges {
        let arrow = if is_direct(edge.kind) { "-->" } else { "-.->" };
        let _ = writeln!(out, "  c{} {arrow}|{}| c{}", numbers[&edge.from], edge.kind.as_str(), numbers[&edge.to]);
    }
    out
}

/// Mermaid reads entities; quotes would end a label, and markup would be markup.
fn mermaid_text(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '"' | '<' | '>' | '&' | '#' | '`' | '[' | ']' | '{' | '}' | '|' | '\\' => {
                let _ = write!(out, "#{};", c as u32);
            }
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

pub(super) fn dot(view: &LineageView<'_>, edges: &[Edge]) -> String {
    let (by_node, numbers) = numbered(edges);
    let mut out = String::from("digraph lineage {\n  rankdir=LR;\n  node [shape=box, style=rounded];\n");
    for (index, (node, sources)) in by_node.iter().enumerate() {
        let _ = writeln!(out, "  subgraph cluster_{index} {{\n    label={};", dot_text(view.name(node)));
        for source in sources {
            let _ = writeln!(out, "    c{} [label={}];", numbers[source], dot_text(&column_label(source)));
        }
        out.push_str("  }\n");
    }
    for edge in edges {
        let style = if is_direct(edge.kind) { "solid" } else { "dashed" };
        let (from, to, kind) = (numbers[&edge.from], numbers[&edge.to], edge.kind.as_str());
        let _ = writeln!(out, "  c{from} -> c{to} [label={}, style={style}];", dot_text(kind));
    }
    out.push_str("}\n");
    out
}

fn dot_text(text: &str) -> String {
    let one_line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    format!("\"{}\"", one_line.replace('\\', "\\\\").replace('"', "\\\""))
}
