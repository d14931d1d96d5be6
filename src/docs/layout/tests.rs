use proptest::prelude::*;

use super::*;

/// Rectangles of the nodes: left, top.
fn corners(drawing: &Drawing) -> Vec<(u32, u32)> {
    drawing.layer.iter().zip(&drawing.y).map(|(layer, y)| (drawing.layer_x[*layer as usize], *y)).collect()
}

fn overlap(drawing: &Drawing) -> Option<(usize, usize)> {
    let mut sorted: Vec<(u32, u32, usize)> =
        corners(drawing).into_iter().enumerate().map(|(node, (x, y))| (x, y, node)).collect();
    sorted.sort_unstable();
    let pairs = sorted.windows(2).find(|pair| pair[0].0 == pair[1].0 && pair[0].1 + BOX[1] + NODE_GAP > pair[1].1);
    pairs.map(|pair| (pair[0].2, pair[1].2))
}

/// Any graph without circles: edges lead from smaller to larger numbers of a shuffled order.
fn dags() -> impl Strategy<Value = (usize, Vec<(usize, usize)>)> {
    let sized = (1usize..60).prop_flat_map(|nodes| {
        let names = Just((0..nodes).collect::<Vec<_>>()).prop_shuffle();
        (Just(nodes), proptest::collection::vec((0..nodes, 0..nodes), 0..nodes * 2), names)
    });
    sized.prop_map(|(nodes, pairs, names)| {
        let ordered = pairs.into_iter().filter(|(a, b)| a != b).map(|(a, b)| (names[a.min(b)], names[a.max(b)]));
        (nodes, ordered.collect())
    })
}

proptest! {
    #[test]
    fn a_drawing_is_readable((nodes, edges) in dags()) {
        let drawing = draw(nodes, &edges);
        prop_assert_eq!(overlap(&drawing), None);
        for (from, to) in &edges {
            prop_assert!(drawing.layer[*from] < drawing.layer[*to], "{} to {}", from, to);
        }
        for (x, y) in corners(&drawing) {
            prop_assert!(x + BOX[0] <= drawing.size[0] && y + BOX[1] <= drawing.size[1]);
        }
        prop_assert_eq!(&drawing, &draw(nodes, &edges));
    }

    #[test]
    fn long_edges_pass_each_layer_beside_the_nodes((nodes, edges) in dags()) {
        let drawing = draw(nodes, &edges);
        let expected = edges.iter().filter(|(from, to)| drawing.layer[*to] - drawing.layer[*from] > 1).count();
        prop_assert_eq!(drawing.routes.len(), expected);
        for route in &drawing.routes {
            let (from, to) = edges[route[0] as usize];
            prop_assert_eq!(route.len() as u32, drawing.layer[to] - drawing.layer[from]);
            for (at, height) in route[1..].iter().enumerate() {
                let layer = drawing.layer[from] + 1 + at as u32;
                for node in (0..nodes).filter(|node| drawing.layer[*node] == layer) {
                    let inside = drawing.y[node] < *height && *height < drawing.y[node] + BOX[1];
                    prop_assert!(!inside, "the edge {} to {} runs through {}", from, to, node);
                }
            }
        }
    }

    #[test]
    fn the_order_is_no_worse_than_the_first((nodes, edges) in dags()) {
        let graph = chain::Graph::new(layers::layers(nodes, &edges), &edges);
        let first = order::crossings(&graph, &order::first(&graph));
        let last = order::order(&graph);
        prop_assert!(order::crossings(&graph, &last) <= first);
        let mut all: Vec<usize> = last.into_iter().flatten().collect();
        all.sort_unstable();
        prop_assert_eq!(all, (0..graph.items()).collect::<Vec<_>>());
    }

    #[test]
    fn circles_are_drawn(nodes in 1usize..20, edges in proptest::collection::vec((0usize..20, 0usize..20), 0..60)) {
        let edges: Vec<(usize, usize)> = edges.into_iter().map(|(from, to)| (from % nodes, to % nodes)).collect();
        let drawing = draw(nodes, &edges);
        prop_assert_eq!(overlap(&drawing), None);
    }
}

#[test]
fn crossings_are_counted() {
    // Two edges that cross, and one that crosses neither.
    let graph = chain::Graph::new(vec![0, 0, 0, 1, 1, 1], &[(0, 4), (1, 3), (2, 5)]);
    let in_order = vec![vec![0, 1, 2], vec![3, 4, 5]];
    assert_eq!(order::crossings(&graph, &in_order), 1);
    assert_eq!(order::crossings(&graph, &[vec![0, 1, 2], vec![5, 4, 3]]), 2);
    assert_eq!(order::crossings(&graph, &order::order(&graph)), 0);
}

#[test]
fn the_least_crossings_are_found() {
    // A ring over three layers cannot be drawn without a crossing, but with one.
    let edges = [(0, 4), (2, 4), (2, 6), (1, 5), (3, 5), (3, 7), (4, 8), (7, 8), (5, 9), (6, 9)];
    let graph = chain::Graph::new(layers::layers(10, &edges), &edges);
    assert!(order::crossings(&graph, &order::order(&graph)) <= 1);
}

#[test]
fn a_chain_is_straight() {
    let drawing = draw(4, &[(0, 1), (1, 2), (2, 3)]);
    assert_eq!(drawing.layer, [0, 1, 2, 3]);
    assert_eq!(drawing.y, [0, 0, 0, 0]);
    assert_eq!(drawing.size, [3 * 300 + 220, 40]);
}

#[test]
fn a_trunk_is_straight_and_shared() {
    // 0 -> 1 -> 2 -> 3, and 0 also to 2 and 3.
    let drawing = draw(4, &[(0, 1), (1, 2), (2, 3), (0, 3), (0, 2)]);
    assert_eq!(drawing.routes.len(), 2);
    let (long, short) = (&drawing.routes[0], &drawing.routes[1]);
    assert_eq!((long[0], short[0]), (3, 4));
    assert_eq!(long[1], short[1], "they share the point on the first layer");
    assert!(long[1].abs_diff(long[2]) <= BOX[1], "{drawing:?}");
}

#[test]
fn roots_stand_beside_their_readers() {
    // A long chain, and a seed that only its end reads.
    let drawing = draw(5, &[(0, 1), (1, 2), (2, 3), (4, 3)]);
    assert_eq!(drawing.layer[4], 2);
}

#[test]
fn single_nodes_fill_rows() {
    let drawing = draw(8, &[]);
    assert_eq!(drawing.layer, [0, 1, 2, 3, 4, 5, 0, 1]);
    assert_eq!(drawing.size, [5 * 300 + 220, 2 * 40 + 16]);
    assert_eq!(draw(0, &[]).size, [0, 0]);
}
