//! The height of each item, with the order given.
//!
//! Each layer asks: where do my items have to be, so that they are as near to their neighbours as they can, in this order
//! and with the distances kept? With the distances subtracted that is isotonic regression, which pooling adjacent
//! violators answers exactly in linear time. Points of long edges weigh more, so that those are straight.

use super::chain::Graph;

/// Sweeps, each to the right and back.
const SWEEPS: usize = 8;

/// The centres of all items; the least top is 0.
pub(super) fn place(graph: &Graph, rows: &[Vec<usize>]) -> Vec<u32> {
    let mut centre = vec![0.0; graph.items()];
    for row in rows {
        let offsets = offsets(graph, row);
        for (item, offset) in row.iter().zip(offsets) {
            centre[*item] = offset;
        }
    }
    for sweep in 0..SWEEPS {
        for row in rows.iter().skip(1) {
            settle(graph, row, &mut centre, |item| (&graph.left[item], &[]));
        }
        for row in rows.iter().rev().skip(1) {
            settle(graph, row, &mut centre, |item| (&graph.right[item], &[]));
        }
        // The last word has both sides.
        if sweep + 2 >= SWEEPS {
            for row in rows {
                settle(graph, row, &mut centre, |item| (&graph.left[item], &graph.right[item]));
            }
        }
    }
    whole(graph, rows, &centre)
}

/// The centres of a row that is packed as closely as it may be.
fn offsets(graph: &Graph, row: &[usize]) -> Vec<f64> {
    let mut at = 0.0;
    let mut out = Vec::with_capacity(row.len());
    for (place, item) in row.iter().enumerate() {
        if place > 0 {
            at += f64::from(graph.distance(row[place - 1], *item));
        }
        out.push(at);
    }
    out
}

/// Moves the items of a row to where their neighbours want them.
fn settle<'g>(
    graph: &'g Graph,
    row: &[usize],
    centre: &mut [f64],
    neighbours: impl Fn(usize) -> (&'g [usize], &'g [usize]),
) {
    let offsets = offsets(graph, row);
    let mut blocks: Vec<Block> = Vec::with_capacity(row.len());
    for (item, offset) in row.iter().zip(&offsets) {
        let (one, other) = neighbours(*item);
        let (mut sum, mut weight) = (0.0, 0.0);
        for next in one.iter().chain(other) {
            // Two points of one trunk hold together most.
            let pull = match (graph.is_point(*item), graph.is_point(*next)) {
                (true, true) => 8.0,
                (true, false) | (false, true) => 2.0,
                (false, false) => 1.0,
            };
            sum += pull * centre[*next];
            weight += pull;
        }
        // What has no neighbours would rather stay.
        let (wish, weight) = if weight > 0.0 { (sum / weight, weight) } else { (centre[*item], 0.01) };
        blocks.push(Block { sum: (wish - offset) * weight, weight, items: 1 });
        while let [.., above, below] = blocks.as_slice() {
            if above.mean() <= below.mean() {
                break;
            }
            let joined = above.joined(below);
            blocks.truncate(blocks.len() - 2);
            blocks.push(joined);
        }
    }
    let mut places = row.iter().zip(&offsets);
    for block in &blocks {
        for (item, offset) in places.by_ref().take(block.items) {
            centre[*item] = block.mean() + offset;
        }
    }
}

/// Items that move together.
struct Block {
    sum: f64,
    weight: f64,
    items: usize,
}

impl Block {
    fn mean(&self) -> f64 {
        self.sum / self.weight
    }

    fn joined(&self, other: &Block) -> Block {
        Block { sum: self.sum + other.sum, weight: self.weight + other.weight, items: self.items + other.items }
    }
}

/// Centres as whole numbers, with the distances kept, from top 0 on.
fn whole(graph: &Graph, rows: &[Vec<usize>], centre: &[f64]) -> Vec<u32> {
    let top = |item: usize| centre[item] - f64::from(graph.height(item)) / 2.0;
    let least = (0..graph.items()).map(top).fold(f64::INFINITY, f64::min);
    let mut out = vec![0; graph.items()];
    for row in rows {
        let mut lowest = 0;
        for (place, item) in row.iter().enumerate() {
            if place > 0 {
                lowest = out[row[place - 1]] + graph.distance(row[place - 1], *item);
            }
            let wish = (centre[*item] - least).round().clamp(0.0, f64::from(u32::MAX / 4)) as u32;
            out[*item] = wish.max(lowest).max(graph.height(*item) / 2);
        }
    }
    out
}
