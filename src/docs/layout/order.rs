//! The order within each layer.

use super::chain::Graph;

/// Sweeps over graphs of usual size; large ones get fewer.
const SWEEPS: usize = 24;
/// Items times sweeps are not more than this.
const WORK: usize = 1_200_000;
/// Sweeps without a better order until it is given up.
const PATIENCE: usize = 4;

/// Graphs up to this size are tried from several first orders, with more care.
const SMALL: usize = 4_000;

/// The items of each layer from top to bottom, with few crossings.
pub(super) fn order(graph: &Graph) -> Vec<Vec<usize>> {
    let starts: &[Start] = if graph.items() <= SMALL { &STARTS } else { &STARTS[..1] };
    let tried = starts.iter().map(|start| improved(graph, initial(graph, *start)));
    tried.min_by_key(|(crossings, _)| *crossings).map(|(_, rows)| rows).unwrap_or_default()
}

/// The best order that sweeps from a first one find, and its crossings.
fn improved(graph: &Graph, mut rows: Vec<Vec<usize>>) -> (u64, Vec<Vec<usize>>) {
    let is_small = graph.items() <= SMALL;
    let mut best = (crossings(graph, &rows), rows.clone());
    let sweeps = SWEEPS.min(WORK / graph.items().max(1)).max(4);
    let mut position = positions(graph, &rows);
    let mut patience = PATIENCE;
    for sweep in 0..sweeps {
        if best.0 == 0 || patience == 0 {
            break;
        }
        // Ties keep their order in one half of the sweeps and turn it in the other: that gets out of dead ends.
        let turn = sweep % 4 >= 2;
        match sweep % 2 {
            0 => (1..rows.len()).for_each(|layer| sort(&mut rows[layer], &graph.left, &mut position, turn)),
            _ => (0..rows.len().saturating_sub(1))
                .rev()
                .for_each(|layer| sort(&mut rows[layer], &graph.right, &mut position, turn)),
        }
        if is_small {
            switch_neighbours(graph, &mut rows, &mut position);
        }
        let found = crossings(graph, &rows);
        patience -= 1;
        if found < best.0 {
            best = (found, rows.clone());
            patience = PATIENCE;
        }
    }
    let mut rows = best.1;
    let mut position = positions(graph, &rows);
    switch_neighbours(graph, &mut rows, &mut position);
    (crossings(graph, &rows), rows)
}

/// Where a first order comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Start {
    /// Depth first from the right and not from the left.
    from_right: bool,
    /// Last items first.
    backwards: bool,
}

/// First orders; the first is the one of `first`.
const STARTS: [Start; 4] = [
    Start { from_right: false, backwards: false },
    Start { from_right: true, backwards: false },
    Start { from_right: false, backwards: true },
    Start { from_right: true, backwards: true },
];

/// The order before any sweep.
#[cfg(test)]
pub(super) fn first(graph: &Graph) -> Vec<Vec<usize>> {
    initial(graph, STARTS[0])
}

/// Depth first, so that what belongs together starts together.
fn initial(graph: &Graph, start: Start) -> Vec<Vec<usize>> {
    let layers = graph.layer.iter().copied().max().map_or(0, |last| last + 1);
    let mut rows = vec![Vec::new(); layers];
    let mut seen = vec![false; graph.items()];
    let mut starts: Vec<usize> = (0..graph.items()).collect();
    starts.sort_by_key(|item| (graph.layer[*item], *item));
    if start.from_right != start.backwards {
        starts.reverse();
    }
    let next = if start.from_right { &graph.left } else { &graph.right };
    for item in starts {
        let mut open = vec![item];
        while let Some(item) = open.pop() {
            if std::mem::replace(&mut seen[item], true) {
                continue;
            }
            rows[graph.layer[item]].push(item);
            open.extend(next[item].iter().rev().filter(|next| !seen[**next]));
        }
    }
    rows
}

fn positions(graph: &Graph, rows: &[Vec<usize>]) -> Vec<usize> {
    let mut position = vec![0; graph.items()];
    for row in rows {
        for (at, item) in row.iter().enumerate() {
            position[*item] = at;
        }
    }
    position
}

/// Sorts a layer by the medians of its neighbours. What has none keeps its place.
fn sort(row: &mut [usize], neighbours: &[Vec<usize>], position: &mut [usize], turn: bool) {
    let mut keyed: Vec<(u64, usize, usize)> = Vec::with_capacity(row.len());
    for (at, item) in row.iter().enumerate() {
        if let Some(median) = median(&neighbours[*item], position) {
            keyed.push((median, if turn { row.len() - at } else { at }, *item));
        }
    }
    keyed.sort_unstable();
    let mut sorted = keyed.into_iter();
    for item in row.iter_mut().filter(|item| !neighbours[**item].is_empty()) {
        if let Some((_, _, next)) = sorted.next() {
            *item = next;
        }
    }
    for (at, item) in row.iter().enumerate() {
        position[*item] = at;
    }
}

/// The median position, weighted to the denser side as Gansner and others have it, in 1/1024.
fn median(neighbours: &[usize], position: &[usize]) -> Option<u64> {
    let mut places: Vec<u64> = neighbours.iter().map(|item| position[*item] as u64).collect();
    places.sort_unstable();
    let middle = places.len() / 2;
    Some(match places.as_slice() {
        [] => return None,
        [one] => one << 10,
        [a, b] => (a + b) << 9,
        odd if odd.len() % 2 == 1 => odd[middle] << 10,
        even => {
            let left = even[middle - 1] - even[0];
            let right = even[even.len() - 1] - even[middle];
            match left + right {
                0 => (even[middle - 1] + even[middle]) << 9,
                both => ((even[middle - 1] * right + even[middle] * left) << 10) / both,
            }
        }
    })
}

/// How many pairs of segments cross.
pub(super) fn crossings(graph: &Graph, rows: &[Vec<usize>]) -> u64 {
    let position = positions(graph, rows);
    let between = rows.windows(2).map(|pair| {
        let mut ends: Vec<usize> = Vec::new();
        for item in &pair[0] {
            let start = ends.len();
            ends.extend(graph.right[*item].iter().map(|next| position[*next]));
            ends[start..].sort_unstable();
        }
        inversions(&ends, pair[1].len())
    });
    between.sum()
}

/// Pairs in the wrong order, counted with a tree of sums.
fn inversions(ends: &[usize], size: usize) -> u64 {
    let mut tree = vec![0u64; size + 1];
    let mut count = 0;
    for (seen, end) in ends.iter().enumerate() {
        // Those seen so far that end at or before this one.
        let (mut before, mut at) = (0, end + 1);
        while at > 0 {
            before += tree[at];
            at &= at - 1;
        }
        count += seen as u64 - before;
        at = end + 1;
        while at <= size {
            tree[at] += 1;
            at += at & at.wrapping_neg();
        }
    }
    count
}

/// Neighbours that cross less the other way round change places.
fn switch_neighbours(graph: &Graph, rows: &mut [Vec<usize>], position: &mut [usize]) {
    for _ in 0..4 {
        let mut improved = false;
        for row in rows.iter_mut() {
            for at in 1..row.len() {
                let (above, below) = (row[at - 1], row[at]);
                if gain(graph, position, above, below) > 0 {
                    row.swap(at - 1, at);
                    (position[above], position[below]) = (at, at - 1);
                    improved = true;
                }
            }
        }
        if !improved {
            break;
        }
    }
}

/// How many crossings fewer there are if two neighbours change places.
fn gain(graph: &Graph, position: &[usize], above: usize, below: usize) -> i64 {
    let side = |neighbours: &[Vec<usize>]| -> i64 {
        let (mut now, mut then) = (0, 0);
        for a in &neighbours[above] {
            for b in &neighbours[below] {
                now += i64::from(position[*a] > position[*b]);
                then += i64::from(position[*a] < position[*b]);
            }
        }
        now - then
    };
    // Hubs are settled by the sweeps; here they would cost the square of their size.
    let degree = |item: usize| graph.left[item].len().max(graph.right[item].len());
    if degree(above).saturating_mul(degree(below)) > 4096 { 0 } else { side(&graph.left) + side(&graph.right) }
}
