//! Where the nodes of the lineage graph stand: a layered drawing, from left to right.
//!
//! The way of Sugiyama, in the steps that its readers know:
//!
//! 1. `layers`: every node gets a layer to the right of all its parents; what has no parents moves next to its readers.
//! 2. `chain`: an edge that crosses layers passes through a point in each of them. All long edges of one node share their
//!    points, so that a source with a hundred readers draws one trunk with branches, and the graph stays small.
//! 3. `order`: nodes of a layer are sorted by the median of their neighbours, forth and back, as long as fewer edges cross;
//!    the best order that was seen wins.
//! 4. `place`: heights are the least-squares answer to "be where your neighbours are", under the order found and with the
//!    distances kept (pool adjacent violators, exact for each layer, a few sweeps).
//! 5. `pack`: parts that are not connected are drawn each on its own and put on shelves.
//!
//! Everything is integers or sums in a fixed order: the same graph is drawn the same on every machine. No crate that was
//! looked at gives the points of long edges, which are half of what makes a drawing readable, so this is our own.

mod chain;
mod layers;
mod order;
mod pack;
mod place;
#[cfg(test)]
mod tests;

use serde::Serialize;

/// Width and height of every node.
pub(super) const BOX: [u32; 2] = [220, 40];
/// Between layers.
const LAYER_GAP: u32 = 80;
/// Between nodes of a layer.
const NODE_GAP: u32 = 16;
/// Between the points of long edges and what is beside them.
const POINT_GAP: u32 = 10;
/// Between parts that are not connected.
const PART_GAP: u32 = 48;

/// A drawing, as the data contract has it.
#[derive(Debug, Clone, Serialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub(super) struct Drawing {
    #[serde(rename = "box")]
    node: [u32; 2],
    size: [u32; 2],
    layer_x: Vec<u32>,
    /// By node.
    layer: Vec<u32>,
    /// By node.
    y: Vec<u32>,
    /// For each edge that crosses layers, its number and the heights at which it passes them.
    routes: Vec<Vec<u32>>,
}

/// Draws the graph of `nodes` nodes with these edges (from, to). Edges of circles may point left.
pub(super) fn draw(nodes: usize, edges: &[(usize, usize)]) -> Drawing {
    let parts = pack::parts(nodes, edges);
    let drawn: Vec<Part> = parts.iter().map(|part| Part::draw(part, edges)).collect();
    pack::pack(nodes, &parts, &drawn)
}

/// A connected part: nodes and edges by their numbers in the whole.
#[derive(Debug, Default)]
struct Members {
    nodes: Vec<usize>,
    edges: Vec<usize>,
}

/// A part that was drawn, from height 0 on.
#[derive(Debug)]
struct Part {
    /// Layers and tops of its nodes.
    layer: Vec<usize>,
    top: Vec<u32>,
    /// Edges that cross layers: the edge's number in the whole, and its heights.
    routes: Vec<(usize, Vec<u32>)>,
    layers: usize,
    height: u32,
}

impl Part {
    fn draw(members: &Members, all: &[(usize, usize)]) -> Part {
        // Numbers of its own, in the order of the whole.
        let local = |node: usize| members.nodes.binary_search(&node).unwrap_or_default();
        let edges: Vec<(usize, usize)> =
            members.edges.iter().map(|edge| (local(all[*edge].0), local(all[*edge].1))).collect();
        let layer = layers::layers(members.nodes.len(), &edges);
        let graph = chain::Graph::new(layer, &edges);
        let rows = order::order(&graph);
        let centre = place::place(&graph, &rows);
        let top = |item: usize| centre[item] - graph.height(item) / 2;
        let height = (0..graph.items()).map(|item| top(item) + graph.height(item)).max().unwrap_or_default();
        let routes = graph
            .routes(&edges)
            .into_iter()
            .map(|(edge, points)| (members.edges[edge], points.into_iter().map(|point| centre[point]).collect()));
        Part {
            routes: routes.collect(),
            top: (0..members.nodes.len()).map(top).collect(),
            layers: rows.len(),
            height,
            layer: graph.layer[..members.nodes.len()].to_vec(),
        }
    }
}
