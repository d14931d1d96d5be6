//! Chains of columns through a project: who is made from whom, over any number of nodes.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::{Kind, Lineage, RowKind, Source};
use crate::graph::Direction;
use crate::manifest::Manifest;
use crate::node::Node;
use crate::stdx::closest;

/// What a person asks about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// All columns of a node.
    Node(Arc<str>),
    /// A column, or a part of it.
    Column(Source),
}

/// How one end of an edge takes part in the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EdgeKind {
    /// In a column.
    Column(Kind),
    /// In the choice of all rows of a node.
    Rows(RowKind),
}

impl EdgeKind {
    /// The name in artifacts.
    pub fn as_str(self) -> &'static str {
        match self {
            EdgeKind::Column(kind) => kind.as_str(),
            EdgeKind::Rows(kind) => kind.as_str(),
        }
    }
}

/// One step of a chain.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Edge {
    /// What is read.
    pub from: Source,
    /// What is made from it: a column, or for rows the node with an empty column.
    pub to: Source,
    /// How.
    pub kind: EdgeKind,
}

/// A lineage that can be walked in both directions.
pub struct Graph<'a> {
    lineage: &'a Lineage,
    /// What reads a column: node and column, then the readers.
    readers: HashMap<(&'a str, &'a str), Vec<Edge>>,
}

impl<'a> Graph<'a> {
    /// A graph of `lineage`.
    pub fn new(lineage: &'a Lineage) -> Graph<'a> {
        let mut readers: HashMap<(&str, &str), Vec<Edge>> = HashMap::new();
        for (id, node) in &lineage.nodes {
            let mut add = |from: &'a Source, to: &str, kind: EdgeKind| {
                let to = Source { node: Arc::clone(id), column: Arc::from(to), path: Vec::new() };
                readers.entry((&from.node, &from.column)).or_default().push(Edge { from: from.clone(), to, kind });
            };
            for (name, column) in &node.columns {
                column.inputs.iter().for_each(|input| add(&input.source, name, EdgeKind::Column(input.kind)));
            }
            node.rows.iter().for_each(|(source, kind)| add(source, "", EdgeKind::Rows(*kind)));
        }
        Graph { lineage, readers }
    }

    /// The steps from `at` in one direction. Rows are ends: what decides about all rows of a node is told of the node.
    pub fn steps(&self, at: &Source, direction: Direction) -> Vec<Edge> {
        match direction {
            Direction::Upstream => self.made_from(at),
            Direction::Downstream => self.read_by(at),
        }
    }

    fn made_from(&self, at: &Source) -> Vec<Edge> {
        let Some(column) = self.lineage.column(&at.node, &at.column) else { return Vec::new() };
        let inputs = column.inputs.iter().map(|input| {
            let mut from = input.source.clone();
            if input.kind == Kind::Copied {
                from.path.extend(at.path.iter().cloned());
            }
            Edge { from, to: at.clone(), kind: EdgeKind::Column(input.kind) }
        });
        inputs.collect()
    }

    fn read_by(&self, at: &Source) -> Vec<Edge> {
        let readers = self.readers.get(&(&*at.node, &*at.column)).map(Vec::as_slice).unwrap_or_default();
        let overlap = |edge: &&Edge| edge.from.path.iter().zip(&at.path).all(|(one, other)| one == other);
        let step = |edge: &Edge| {
            let mut edge = edge.clone();
            // What is left of the path is looked for in the copy.
            if edge.kind == EdgeKind::Column(Kind::Copied) && at.path.len() > edge.from.path.len() {
                edge.to.path = at.path[edge.from.path.len()..].to_vec();
            }
            edge
        };
        readers.iter().filter(overlap).map(step).collect()
    }

    /// Every edge that is reached from `starts`, nearest first.
    pub fn reach(&self, starts: &[Source], direction: Direction) -> Vec<Edge> {
        let mut seen: HashSet<Source> = starts.iter().cloned().collect();
        let mut queue: std::collections::VecDeque<Source> = starts.iter().cloned().collect();
        let mut edges = Vec::new();
        while let Some(at) = queue.pop_front() {
            for edge in self.steps(&at, direction) {
                let next = if direction == Direction::Upstream { &edge.from } else { &edge.to };
                if !next.column.is_empty() && seen.insert(next.clone()) {
                    queue.push_back(next.clone());
                }
                edges.push(edge);
            }
        }
        edges
    }
}

impl Target {
    /// What `text` names: a node, or behind a dot one of its columns, or behind more dots a field of it.
    ///
    /// # Errors
    /// Words on what is not there, and what may have been meant.
    pub fn find(text: &str, manifest: &Manifest, lineage: &Lineage) -> Result<Target, NotFound> {
        let parts: Vec<&str> = text.split('.').collect();
        // The longest name first: `lake.log_content` before the column `log_content` of a node `lake`.
        for end in (1..=parts.len()).rev() {
            let Some(node) = find_node(&parts[..end].join("."), manifest) else { continue };
            let id: Arc<str> = Arc::from(node.unique_id.as_str());
            let Some((column, path)) = parts[end..].split_first() else { return Ok(Target::Node(id)) };
            let Some(of_node) = lineage.nodes.get(&id) else {
                return Err(NotFound::Unknown { node: node.search_name(), why: lineage.unknown.get(&*id).cloned() });
            };
            let name = of_node.columns.get_key_value(*column);
            let name = name.or_else(|| of_node.columns.iter().find(|(name, _)| name.eq_ignore_ascii_case(column)));
            let Some((name, _)) = name else {
                return Err(NotFound::Column {
                    node: node.search_name(),
                    column: (*column).to_string(),
                    available: of_node.columns.keys().cloned().collect(),
                });
            };
            let path = path.iter().map(ToString::to_string).collect();
            return Ok(Target::Column(Source { node: id, column: Arc::from(name.as_str()), path }));
        }
        let names: Vec<String> = manifest
            .nodes
            .iter()
            .filter(|node| node.relation.is_some() || node.is_ephemeral())
            .map(Node::search_name)
            .collect();
        let head = parts.first().copied().unwrap_or_default();
        let near =
            closest(text, names.iter().map(String::as_str)).or_else(|| closest(head, names.iter().map(String::as_str)));
        Err(NotFound::Node { name: text.to_string(), near: near.map(str::to_string) })
    }
}

/// Why there is no such target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotFound {
    /// There is no such node.
    Node {
        /// What was asked for.
        name: String,
        /// The nearest name.
        near: Option<String>,
    },
    /// The node has no such column.
    Column {
        /// The node.
        node: String,
        /// What was asked for.
        column: String,
        /// What there is.
        available: Vec<String>,
    },
    /// The columns of the node are not known.
    Unknown {
        /// The node.
        node: String,
        /// Why.
        why: Option<String>,
    },
}

fn find_node<'a>(name: &str, manifest: &'a Manifest) -> Option<&'a Node> {
    manifest.find(name).or_else(|| {
        let data = manifest.nodes.iter().filter(|node| node.relation.is_some() || node.is_ephemeral());
        let mut data = data.filter(|node| !matches!(node.resource_type, crate::node::ResourceType::Test));
        data.find(|node| node.search_name() == name || format!("{}.{}", node.package, node.search_name()) == name)
    })
}
