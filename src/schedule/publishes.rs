//! Where publishes stand: behind their model and every test of it.

use super::Schedule;
use super::units::{Unit, UnitKind, positions};
use crate::graph::Dag;
use crate::manifest::{Manifest, NodeId};
use crate::node::NodeKind;

/// Edges from a model and its tests to its publish.
pub(super) fn edges(manifest: &Manifest, units: &[Unit], dag: &mut Dag) {
    let positions = positions(units);
    for (position, unit) in units.iter().enumerate().filter(|(_, unit)| unit.kind == UnitKind::Publish) {
        let audits = tests_of(manifest, unit.node).into_iter().chain([unit.node]);
        for before in audits.filter_map(|node| positions.get(&node)) {
            dag.add_edge(*before, position as u32);
        }
    }
}

/// The data tests of a node: those that stand under it in a properties file, and singular tests that read it.
fn tests_of(manifest: &Manifest, node: NodeId) -> Vec<NodeId> {
    let unique_id = &manifest.node(node).unique_id;
    let is_own = |test: &NodeId| match &manifest.node(*test).kind {
        NodeKind::Test(Some(generic)) => generic.attached_node == *unique_id,
        NodeKind::Test(None) => true,
        _ => false,
    };
    manifest.dag.children(node).iter().copied().filter(is_own).collect()
}

/// Names of the tests of `node` that `schedule` leaves out: without them the node is not audited.
pub fn unaudited(manifest: &Manifest, schedule: &Schedule, node: NodeId) -> Vec<String> {
    let scheduled = positions(&schedule.units);
    let missing = tests_of(manifest, node).into_iter().filter(|test| !scheduled.contains_key(test));
    missing.map(|test| manifest.node(test).name.clone()).collect()
}
