//! Columns and what is made from them, as the method `column:` walks them. Whoever calls for a selection makes this of
//! the lineage; the front end plans nothing.

use std::collections::HashMap;

use crate::graph::{Dag, Direction};
use crate::manifest::NodeId;

/// A graph of columns. An edge goes from a column to one that is made from it.
#[derive(Debug, Default)]
pub struct ColumnGraph {
    columns: Vec<(NodeId, String)>,
    by_name: HashMap<(NodeId, String), u32>,
    edges: Vec<(u32, u32)>,
    /// A column that decides about the rows of a node, and the node.
    rows: Vec<(u32, NodeId)>,
}

impl ColumnGraph {
    /// The number of a column, which is added if it is new.
    pub fn add(&mut self, node: NodeId, column: &str) -> u32 {
        let next = self.columns.len() as u32;
        let number = *self.by_name.entry((node, column.to_lowercase())).or_insert(next);
        if number == next {
            self.columns.push((node, column.to_string()));
        }
        number
    }

    /// `to` is made from `from`.
    pub fn edge(&mut self, from: u32, to: u32) {
        self.edges.push((from, to));
    }

    /// `from` decides about the rows of `node`.
    pub fn rows(&mut self, from: u32, node: NodeId) {
        self.rows.push((from, node));
    }

    /// Every column: its number, its node, its name.
    pub(super) fn columns(&self) -> impl Iterator<Item = (u32, NodeId, &str)> {
        self.columns.iter().enumerate().map(|(number, (node, name))| (number as u32, *node, name.as_str()))
    }

    /// The graph to walk: columns by their numbers; with `with_rows`, behind them a vertex for the rows of each node, on
    /// the way from what decides about rows to every column of the node.
    pub(super) fn dag(&self, with_rows: bool) -> Walkable<'_> {
        let nodes = self.columns.iter().map(|(node, _)| *node + 1).max().unwrap_or(0) as usize;
        let base = self.columns.len() as u32;
        let mut dag = Dag::new(self.columns.len() + if with_rows { nodes } else { 0 });
        self.edges.iter().for_each(|(from, to)| dag.add_edge(*from, *to));
        if with_rows {
            self.rows.iter().for_each(|(from, node)| dag.add_edge(*from, base + node));
            self.columns().for_each(|(column, node, _)| dag.add_edge(base + node, column));
        }
        Walkable { graph: self, dag }
    }
}

/// A [`ColumnGraph`] that can be walked.
pub(super) struct Walkable<'a> {
    graph: &'a ColumnGraph,
    dag: Dag,
}

impl Walkable<'_> {
    /// What is reached from `starts`, starts not included.
    pub(super) fn reach(&self, starts: &[u32], direction: Direction, depth: Option<usize>) -> Vec<u32> {
        let flags = self.dag.reach(starts, direction, depth);
        (0..flags.len() as u32).filter(|at| flags[*at as usize]).collect()
    }

    /// The node of a column or of rows.
    pub(super) fn node(&self, at: u32) -> NodeId {
        match self.graph.columns.get(at as usize) {
            Some((node, _)) => *node,
            None => at - self.graph.columns.len() as u32,
        }
    }
}
