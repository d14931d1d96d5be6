//! Units, and the edges that the DAG and the tests give them.

use std::collections::HashMap;

use super::{Mode, is_test, runs};
use crate::graph::{Dag, Direction};
use crate::manifest::{Manifest, NodeId};
use crate::node::{NodeKind, ResourceType};

/// What a unit does with its node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnitKind {
    /// Builds a model, seed or snapshot.
    Build,
    /// Runs a data test or unit test.
    Test,
    /// Publishes a built and tested model.
    Publish,
    /// Takes over what another state has built.
    Clone,
    /// Nothing: an exposure, whose parents are done.
    Nothing,
}

/// One unit of work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unit {
    /// The node.
    pub node: NodeId,
    /// What is done with it.
    pub kind: UnitKind,
}

impl Unit {
    /// The word for what it does: a materialization, `test`, `unit test` or `publish`.
    pub fn action(&self, manifest: &Manifest) -> String {
        let node = manifest.node(self.node);
        match self.kind {
            UnitKind::Publish => "publish".into(),
            UnitKind::Clone => "clone".into(),
            UnitKind::Nothing => node.resource_type.to_string(),
            UnitKind::Test if node.resource_type == ResourceType::UnitTest => "unit test".into(),
            UnitKind::Test => "test".into(),
            UnitKind::Build => node.materialized().to_string(),
        }
    }
}

/// The units of `selected`, in the order of node numbers; publishes stand last.
pub(super) fn units(
    manifest: &Manifest,
    selected: &[NodeId],
    mode: Mode,
    publishes: &dyn Fn(NodeId) -> bool,
) -> Vec<Unit> {
    let kind = |id: NodeId| match manifest.node(id).resource_type {
        ResourceType::Exposure => UnitKind::Nothing,
        _ if mode == Mode::Clone => UnitKind::Clone,
        _ if is_test(manifest, id) => UnitKind::Test,
        _ => UnitKind::Build,
    };
    let chosen = selected.iter().copied().filter(|id| runs(manifest, *id, mode));
    let mut units: Vec<Unit> = chosen.map(|node| Unit { node, kind: kind(node) }).collect();
    if matches!(mode, Mode::Build | Mode::Publish) {
        let built = |id: &NodeId| runs(manifest, *id, Mode::Build) && kind(*id) == UnitKind::Build;
        let marts = selected.iter().copied().filter(|id| built(id) && publishes(*id));
        units.extend(marts.map(|node| Unit { node, kind: UnitKind::Publish }));
    }
    units
}

/// Positions of the units that build or test, by node.
pub(super) fn positions(units: &[Unit]) -> HashMap<NodeId, u32> {
    let own = units.iter().enumerate().filter(|(_, unit)| unit.kind != UnitKind::Publish);
    own.map(|(position, unit)| (unit.node, position as u32)).collect()
}

/// Edges between units whose nodes stand above each other, with nothing that runs in between.
pub(super) fn node_edges(manifest: &Manifest, units: &[Unit], dag: &mut Dag) {
    let positions = positions(units);
    for (position, unit) in units.iter().enumerate().filter(|(_, unit)| unit.kind != UnitKind::Publish) {
        let mut seen = vec![unit.node];
        let mut stack: Vec<NodeId> = manifest.dag.parents(unit.node).to_vec();
        // A unit test brings its own rows and stands before its model; the parents of the model, if they are built in
        // this run, tell it the types of columns.
        if matches!(manifest.node(unit.node).kind, NodeKind::UnitTest(_)) {
            seen.append(&mut stack);
            stack = seen[1..].iter().flat_map(|model| manifest.dag.parents(*model).to_vec()).collect();
        }
        while let Some(parent) = stack.pop() {
            if seen.contains(&parent) {
                continue;
            }
            seen.push(parent);
            match positions.get(&parent) {
                Some(above) => dag.add_edge(*above, position as u32),
                None => stack.extend(manifest.dag.parents(parent)),
            }
        }
    }
}

/// Edges from each test to the units below everything that it tests, and from a unit test to its model.
pub(super) fn test_gates(manifest: &Manifest, units: &[Unit], dag: &mut Dag) {
    let positions = positions(units);
    let builds: Vec<(u32, NodeId)> = units
        .iter()
        .enumerate()
        .filter(|(_, unit)| unit.kind == UnitKind::Build)
        .map(|(position, unit)| (position as u32, unit.node))
        .collect();
    let mut below: HashMap<NodeId, Vec<bool>> = HashMap::new();
    for (position, unit) in units.iter().enumerate().filter(|(_, unit)| unit.kind == UnitKind::Test) {
        let position = position as u32;
        if let NodeKind::UnitTest(_) = manifest.node(unit.node).kind {
            for parent in manifest.dag.parents(unit.node) {
                if let Some(model) = positions.get(parent) {
                    dag.add_edge(position, *model);
                }
            }
            continue;
        }
        // As in dbt, also parents that this run does not build count: a retried test keeps back what it kept back.
        let tested = manifest.dag.parents(unit.node).to_vec();
        if tested.is_empty() {
            continue;
        }
        for parent in &tested {
            below.entry(*parent).or_insert_with(|| manifest.dag.reach(&[*parent], Direction::Downstream, None));
        }
        for (build, node) in &builds {
            if tested.iter().all(|parent| below[parent][*node as usize]) {
                dag.add_edge(position, *build);
            }
        }
    }
}
