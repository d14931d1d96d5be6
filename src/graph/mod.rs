//! A directed acyclic graph over small integers: parents, children, reach, order, cycles.
//!
//! Generic on purpose: it knows nothing of models. Nodes are `0..len`; an edge goes from a parent to its child.

use std::collections::VecDeque;

use petgraph::algo::{tarjan_scc, toposort};
use petgraph::graph::{DiGraph, NodeIndex};

/// A graph over `0..len`.
#[derive(Debug, Clone, Default)]
pub struct Dag {
    parents: Vec<Vec<u32>>,
    children: Vec<Vec<u32>>,
}

/// Direction of a walk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Towards parents.
    Upstream,
    /// Towards children.
    Downstream,
}

impl Dag {
    /// `len` nodes without edges.
    pub fn new(len: usize) -> Dag {
        Dag { parents: vec![Vec::new(); len], children: vec![Vec::new(); len] }
    }

    /// Number of nodes.
    pub fn len(&self) -> usize {
        self.parents.len()
    }

    /// True if there are no nodes.
    pub fn is_empty(&self) -> bool {
        self.parents.is_empty()
    }

    /// Adds the edge from `parent` to `child`, once.
    pub fn add_edge(&mut self, parent: u32, child: u32) {
        if !self.parents[child as usize].contains(&parent) {
            self.parents[child as usize].push(parent);
            self.children[parent as usize].push(child);
        }
    }

    /// Direct parents, in the order in which they were added.
    pub fn parents(&self, node: u32) -> &[u32] {
        &self.parents[node as usize]
    }

    /// Direct children, in the order in which they were added.
    pub fn children(&self, node: u32) -> &[u32] {
        &self.children[node as usize]
    }

    /// Everything that `starts` reach in at most `depth` steps (all, if none), without `starts` themselves unless
    /// another start reaches them. As a mask over the nodes.
    pub fn reach(&self, starts: &[u32], direction: Direction, depth: Option<usize>) -> Vec<bool> {
        let mut seen = vec![false; self.len()];
        let mut queue: VecDeque<(u32, usize)> = starts.iter().map(|node| (*node, 0)).collect();
        while let Some((node, steps)) = queue.pop_front() {
            if depth.is_some_and(|depth| steps >= depth) {
                continue;
            }
            let next = match direction {
                Direction::Upstream => self.parents(node),
                Direction::Downstream => self.children(node),
            };
            for other in next {
                if !seen[*other as usize] {
                    seen[*other as usize] = true;
                    queue.push_back((*other, steps + 1));
                }
            }
        }
        seen
    }

    /// Parents before children; ties by number. The nodes of one cycle, in its order, if there is one.
    ///
    /// # Errors
    /// The cycle: each node is a parent of the next, and the last is a parent of the first.
    pub fn order(&self) -> Result<Vec<u32>, Vec<u32>> {
        let graph = self.to_petgraph();
        if toposort(&graph, None).is_err() {
            return Err(self.cycle(&graph));
        }
        // Kahn's algorithm with the smallest number first, so that the order does not depend on how edges were added.
        let mut missing: Vec<usize> = self.parents.iter().map(Vec::len).collect();
        let mut ready: std::collections::BinaryHeap<std::cmp::Reverse<u32>> =
            (0..self.len() as u32).filter(|node| missing[*node as usize] == 0).map(std::cmp::Reverse).collect();
        let mut order = Vec::with_capacity(self.len());
        while let Some(std::cmp::Reverse(node)) = ready.pop() {
            order.push(node);
            for child in self.children(node) {
                missing[*child as usize] -= 1;
                if missing[*child as usize] == 0 {
                    ready.push(std::cmp::Reverse(*child));
                }
            }
        }
        Ok(order)
    }

    fn to_petgraph(&self) -> DiGraph<(), ()> {
        let mut graph = DiGraph::with_capacity(self.len(), 0);
        for _ in 0..self.len() {
            graph.add_node(());
        }
        for (child, parents) in self.parents.iter().enumerate() {
            for parent in parents {
                graph.add_edge(NodeIndex::new(*parent as usize), NodeIndex::new(child), ());
            }
        }
        graph
    }

    /// A shortest cycle through the smallest node of a strongly connected component.
    fn cycle(&self, graph: &DiGraph<(), ()>) -> Vec<u32> {
        let mut component: Vec<u32> = tarjan_scc(graph)
            .into_iter()
            .map(|nodes| nodes.into_iter().map(|node| node.index() as u32).collect::<Vec<u32>>())
            .find(|nodes| nodes.len() > 1 || nodes.iter().any(|node| self.children(*node).contains(node)))
            .unwrap_or_default();
        component.sort_unstable();
        let Some(start) = component.first().copied() else { return Vec::new() };
        let mut from: Vec<Option<u32>> = vec![None; self.len()];
        let mut queue = VecDeque::from([start]);
        while let Some(node) = queue.pop_front() {
            for child in self.children(node) {
                if *child == start {
                    let mut path = vec![node];
                    let mut at = node;
                    while let Some(previous) = from[at as usize] {
                        path.push(previous);
                        at = previous;
                    }
                    path.reverse();
                    return path;
                }
                if component.binary_search(child).is_ok() && from[*child as usize].is_none() {
                    from[*child as usize] = Some(node);
                    queue.push_back(*child);
                }
            }
        }
        component
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dag(len: usize, edges: &[(u32, u32)]) -> Dag {
        let mut dag = Dag::new(len);
        for (parent, child) in edges {
            dag.add_edge(*parent, *child);
        }
        dag
    }

    #[test]
    fn order_has_parents_first_and_smallest_first() {
        assert_eq!(dag(4, &[(3, 0), (3, 1), (1, 2)]).order(), Ok(vec![3, 0, 1, 2]));
    }

    #[test]
    fn a_cycle_is_named_in_its_order() {
        assert_eq!(dag(4, &[(0, 1), (1, 2), (2, 3), (3, 1)]).order(), Err(vec![1, 2, 3]));
        assert_eq!(dag(1, &[(0, 0)]).order(), Err(vec![0]));
    }

    #[test]
    fn reach_counts_steps() {
        let dag = dag(4, &[(0, 1), (1, 2), (2, 3)]);
        assert_eq!(dag.reach(&[0], Direction::Downstream, Some(2)), [false, true, true, false]);
        assert_eq!(dag.reach(&[3], Direction::Upstream, None), [true, true, true, false]);
    }

    proptest::proptest! {
        /// On random graphs: `order` is a permutation that respects every edge, or the cycle it names is one.
        #[test]
        fn order_or_cycle_is_right(edges in proptest::collection::vec((0u32..12, 0u32..12), 0..30)) {
            let dag = dag(12, &edges);
            match dag.order() {
                Ok(order) => {
                    let at = |node: u32| order.iter().position(|other| *other == node);
                    proptest::prop_assert_eq!(order.len(), 12);
                    for (parent, child) in &edges {
                        proptest::prop_assert!(at(*parent) < at(*child));
                    }
                }
                Err(cycle) => {
                    proptest::prop_assert!(!cycle.is_empty());
                    for (index, node) in cycle.iter().enumerate() {
                        let next = cycle[(index + 1) % cycle.len()];
                        proptest::prop_assert!(dag.children(*node).contains(&next));
                    }
                }
            }
        }
    }
}
