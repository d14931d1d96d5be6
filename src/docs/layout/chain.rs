//! The graph with a point wherever an edge passes a layer.

use super::{BOX, NODE_GAP, POINT_GAP};

/// Nodes, then points. All segments lead from one layer to the next.
#[derive(Debug)]
pub(super) struct Graph {
    nodes: usize,
    /// By item.
    pub(super) layer: Vec<usize>,
    /// By item: what is left of it.
    pub(super) left: Vec<Vec<usize>>,
    /// By item: what is right of it.
    pub(super) right: Vec<Vec<usize>>,
    /// By node: the points of its trunk, from the layer behind its own on.
    trunk: Vec<Vec<usize>>,
}

impl Graph {
    /// The graph of nodes on these layers. Edges that do not point to a later layer are left out.
    pub(super) fn new(layer: Vec<usize>, edges: &[(usize, usize)]) -> Graph {
        let nodes = layer.len();
        let mut graph = Graph {
            nodes,
            left: vec![Vec::new(); nodes],
            right: vec![Vec::new(); nodes],
            trunk: vec![Vec::new(); nodes],
            layer,
        };
        for (from, to) in edges {
            graph.add(*from, *to);
        }
        graph
    }

    fn add(&mut self, from: usize, to: usize) {
        if self.layer[to] <= self.layer[from] {
            return;
        }
        let between = self.layer[to] - self.layer[from] - 1;
        while self.trunk[from].len() < between {
            let point = self.layer.len();
            let before = self.trunk[from].last().copied().unwrap_or(from);
            self.layer.push(self.layer[before] + 1);
            self.left.push(Vec::new());
            self.right.push(Vec::new());
            self.connect(before, point);
            self.trunk[from].push(point);
        }
        let last = if between == 0 { from } else { self.trunk[from][between - 1] };
        if !self.left[to].contains(&last) {
            self.connect(last, to);
        }
    }

    fn connect(&mut self, from: usize, to: usize) {
        self.right[from].push(to);
        self.left[to].push(from);
    }

    /// Nodes and points.
    pub(super) fn items(&self) -> usize {
        self.layer.len()
    }

    /// True for a point of a long edge.
    pub(super) fn is_point(&self, item: usize) -> bool {
        item >= self.nodes
    }

    /// The height of an item.
    pub(super) fn height(&self, item: usize) -> u32 {
        if self.is_point(item) { 0 } else { BOX[1] }
    }

    /// How far the centres of two items that follow each other have to be apart.
    pub(super) fn distance(&self, above: usize, below: usize) -> u32 {
        let gap = if self.is_point(above) || self.is_point(below) { POINT_GAP } else { NODE_GAP };
        (self.height(above) + self.height(below)) / 2 + gap
    }

    /// The points of each edge that has some, by the edge's number.
    pub(super) fn routes(&self, edges: &[(usize, usize)]) -> Vec<(usize, Vec<usize>)> {
        let points = |(number, (from, to)): (usize, &(usize, usize))| {
            let between = self.layer[*to].checked_sub(self.layer[*from] + 1).filter(|between| *between > 0)?;
            Some((number, self.trunk[*from].get(..between)?.to_vec()))
        };
        edges.iter().enumerate().filter_map(points).collect()
    }
}
