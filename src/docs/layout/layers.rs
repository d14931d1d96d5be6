//! The layer of each node.

/// Layers so that every edge points to a later one, but for those that close a circle. The first layer in use is 0.
pub(super) fn layers(nodes: usize, edges: &[(usize, usize)]) -> Vec<usize> {
    let mut below: Vec<Vec<usize>> = vec![Vec::new(); nodes];
    for (from, to) in edges.iter().filter(|(from, to)| from != to) {
        below[*from].push(*to);
    }
    let order = topological(nodes, &below);
    let mut rank = vec![0; nodes];
    for (at, node) in order.iter().enumerate() {
        rank[*node] = at;
    }
    // Edges back to what came before stand in a circle, and count for nothing.
    for (node, list) in below.iter_mut().enumerate() {
        list.retain(|to| rank[*to] > rank[node]);
    }
    let mut layer = vec![0; nodes];
    let mut has_parent = vec![false; nodes];
    for node in &order {
        for to in &below[*node] {
            layer[*to] = layer[*to].max(layer[*node] + 1);
            has_parent[*to] = true;
        }
    }
    // What has no parents stands beside the first of its readers.
    for node in order.into_iter().filter(|node| !has_parent[*node]) {
        if let Some(first) = below[node].iter().map(|to| layer[*to]).min() {
            layer[node] = first - 1;
        }
    }
    let first = layer.iter().copied().min().unwrap_or_default();
    layer.iter().map(|layer| layer - first).collect()
}

/// An order in which parents come first. In a circle the node that is found first does.
fn topological(nodes: usize, below: &[Vec<usize>]) -> Vec<usize> {
    let mut seen = vec![false; nodes];
    let mut order = Vec::with_capacity(nodes);
    let mut has_parent = vec![false; nodes];
    for to in below.iter().flatten() {
        has_parent[*to] = true;
    }
    // Roots first, so that only what is reached from a circle alone starts inside of it.
    let starts = (0..nodes).filter(|node| !has_parent[*node]).chain((0..nodes).filter(|node| has_parent[*node]));
    for start in starts.collect::<Vec<_>>() {
        if std::mem::replace(&mut seen[start], true) {
            continue;
        }
        let mut path = vec![(start, 0)];
        while let Some((node, next)) = path.last_mut() {
            match below[*node].get(*next) {
                Some(to) => {
                    *next += 1;
                    let to = *to;
                    if !std::mem::replace(&mut seen[to], true) {
                        path.push((to, 0));
                    }
                }
                None => {
                    order.push(*node);
                    path.pop();
                }
            }
        }
    }
    order.reverse();
    order
}
