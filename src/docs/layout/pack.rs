//! Parts that are not connected: found, and put together.

use super::{BOX, Drawing, LAYER_GAP, Members, NODE_GAP, PART_GAP, Part};

/// Layers that shelves have at least, so that many small parts fill a page and no tower.
const MIN_WIDTH: usize = 6;

/// The connected parts, larger ones first; their nodes in order.
pub(super) fn parts(nodes: usize, edges: &[(usize, usize)]) -> Vec<Members> {
    let mut root: Vec<usize> = (0..nodes).collect();
    for (from, to) in edges {
        let (a, b) = (find(&mut root, *from), find(&mut root, *to));
        // The smaller number leads: the outcome does not depend on the order of edges.
        root[a.max(b)] = a.min(b);
    }
    let mut at = vec![usize::MAX; nodes];
    let mut parts: Vec<Members> = Vec::new();
    for node in 0..nodes {
        let leader = find(&mut root, node);
        if at[leader] == usize::MAX {
            at[leader] = parts.len();
            parts.push(Members::default());
        }
        parts[at[leader]].nodes.push(node);
    }
    for (number, (from, _)) in edges.iter().enumerate() {
        parts[at[find(&mut root, *from)]].edges.push(number);
    }
    parts.sort_by_key(|part| (std::cmp::Reverse(part.nodes.len()), part.nodes.first().copied()));
    parts
}

fn find(root: &mut [usize], mut node: usize) -> usize {
    while root[node] != node {
        root[node] = root[root[node]];
        node = root[node];
    }
    node
}

/// Puts the parts on shelves: the largest fills the first one, small ones stand side by side.
pub(super) fn pack(nodes: usize, members: &[Members], parts: &[Part]) -> Drawing {
    let width = parts.iter().map(|part| part.layers).max().unwrap_or(0).max(MIN_WIDTH);
    let (mut layer, mut y) = (vec![0; nodes], vec![0; nodes]);
    let mut routes = Vec::new();
    let mut shelf = Shelf::default();
    let mut used = 0;
    for (members, part) in members.iter().zip(parts) {
        let (column, top) = shelf.next(part, width);
        used = used.max(column + part.layers);
        for (at, node) in members.nodes.iter().enumerate() {
            layer[*node] = (column + part.layer[at]) as u32;
            y[*node] = top + part.top[at];
        }
        for (edge, points) in &part.routes {
            let mut route = vec![*edge as u32];
            route.extend(points.iter().map(|point| top + point));
            routes.push(route);
        }
    }
    routes.sort_unstable();
    let layer_x: Vec<u32> = (0..used as u32).map(|layer| layer * (BOX[0] + LAYER_GAP)).collect();
    let width = layer_x.last().map_or(0, |x| x + BOX[0]);
    Drawing { node: BOX, size: [width, shelf.top + shelf.height], layer_x, layer, y, routes }
}

#[derive(Debug, Default)]
struct Shelf {
    top: u32,
    height: u32,
    column: usize,
    /// Nodes that stand alone do not need the distance of parts.
    is_small: bool,
}

impl Shelf {
    /// Column and top of the next part.
    fn next(&mut self, part: &Part, width: usize) -> (usize, u32) {
        let is_single = part.layers == 1 && part.height <= BOX[1];
        if self.column > 0 && self.column + part.layers > width {
            self.top += self.height + if self.is_small && is_single { NODE_GAP } else { PART_GAP };
            (self.height, self.column, self.is_small) = (0, 0, is_single);
        }
        self.is_small |= self.column == 0 && is_single;
        let place = (self.column, self.top);
        // Between two parts a layer stays free, but for single nodes.
        self.column += part.layers + usize::from(!is_single);
        self.height = self.height.max(part.height);
        place
    }
}
