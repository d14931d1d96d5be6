//! The schedule: what will run, in which order, and why; a value that is made before anything runs.
//!
//! A unit is a node to build, a test to run or a mart to publish. Its edges say what has to end well before it starts.
//! Edges follow the DAG through nodes that do not run themselves (ephemeral or not selected). In a build a test stands
//! before everything below what it tests, and a publish stands behind its model and all tests of it.

mod operations;
mod publishes;
mod units;

use crate::graph::Dag;
use crate::manifest::{Manifest, NodeId};
use crate::node::{NodeKind, ResourceType};

use operations::operations;
pub use publishes::unaudited;
pub use units::{Unit, UnitKind};

/// Which verb the schedule is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Models, seeds, snapshots, tests, publishes; exposures end with nothing done when all above them did well.
    Build,
    /// Models alone.
    Run,
    /// Tests alone.
    Test,
    /// Publishes of what is built, behind their tests.
    Publish,
    /// Seeds alone.
    Seed,
    /// Snapshots alone.
    Snapshot,
    /// Models, seeds and snapshots of another state, under the names that they have here.
    Clone,
}

impl Mode {
    /// Every mode.
    pub const ALL: [Mode; 7] =
        [Mode::Build, Mode::Run, Mode::Test, Mode::Publish, Mode::Seed, Mode::Snapshot, Mode::Clone];

    /// The verb of the command line.
    pub fn verb(self) -> &'static str {
        match self {
            Mode::Build => "build",
            Mode::Run => "run",
            Mode::Test => "test",
            Mode::Publish => "publish",
            Mode::Seed => "seed",
            Mode::Snapshot => "snapshot",
            Mode::Clone => "clone",
        }
    }
}

/// Units and what they wait for.
#[derive(Debug)]
pub struct Schedule {
    /// Units; an edge of `dag` uses their positions.
    pub units: Vec<Unit>,
    /// Edges from a unit to those that wait for it.
    pub dag: Dag,
    /// Positions in an order that respects the edges.
    pub order: Vec<u32>,
    /// Operations that run before all units (`on-run-start`).
    pub before: Vec<NodeId>,
    /// Operations that run after all units (`on-run-end`).
    pub after: Vec<NodeId>,
}

impl Schedule {
    /// The schedule of `selected` nodes of `manifest`. `publishes` tells for a node whether it is published.
    pub fn new(manifest: &Manifest, selected: &[NodeId], mode: Mode, publishes: &dyn Fn(NodeId) -> bool) -> Schedule {
        let units = units::units(manifest, selected, mode, publishes);
        let mut dag = Dag::new(units.len());
        if !matches!(mode, Mode::Test | Mode::Publish | Mode::Clone) {
            units::node_edges(manifest, &units, &mut dag);
        }
        if mode == Mode::Build {
            units::test_gates(manifest, &units, &mut dag);
        }
        if matches!(mode, Mode::Build | Mode::Publish) {
            publishes::edges(manifest, &units, &mut dag);
        }
        // The edges follow those of the manifest's DAG, which has no cycle by now; a cycle that gates add is left out.
        let order = dag.order().unwrap_or_else(|_| (0..units.len() as u32).collect());
        // Where nothing runs there is nothing to stand around.
        let hooks = |when: &str| match units.is_empty() || mode == Mode::Clone {
            true => Vec::new(),
            false => operations(manifest, when),
        };
        let (before, after) = (hooks("on-run-start"), hooks("on-run-end"));
        Schedule { units, dag, order, before, after }
    }

    /// Units by what they do, in the order of first appearance.
    pub fn counts(&self, manifest: &Manifest) -> Vec<(String, usize)> {
        let mut counts: Vec<(String, usize)> = Vec::new();
        for unit in &self.units {
            let action = unit.action(manifest);
            match counts.iter_mut().find(|(name, _)| *name == action) {
                Some((_, count)) => *count += 1,
                None => counts.push((action, 1)),
            }
        }
        counts
    }
}

/// True if `mode` runs the node itself (an ephemeral model never runs, nor does an empty file).
fn runs(manifest: &Manifest, id: NodeId, mode: Mode) -> bool {
    let node = manifest.node(id);
    if node.is_ephemeral() || node.is_empty() {
        return false;
    }
    let kinds: &[ResourceType] = match mode {
        Mode::Build => &[
            ResourceType::Model,
            ResourceType::Seed,
            ResourceType::Snapshot,
            ResourceType::Test,
            ResourceType::UnitTest,
            // Nothing is done with it, and who reads results sees that its parents were built.
            ResourceType::Exposure,
        ],
        Mode::Run => &[ResourceType::Model],
        Mode::Test => &[ResourceType::Test, ResourceType::UnitTest],
        // What rows have to be like; what a query would do with others says nothing of them.
        Mode::Publish => &[ResourceType::Test],
        Mode::Seed => &[ResourceType::Seed],
        Mode::Snapshot => &[ResourceType::Snapshot],
        Mode::Clone => &[ResourceType::Model, ResourceType::Seed, ResourceType::Snapshot],
    };
    kinds.contains(&node.resource_type)
}

fn is_test(manifest: &Manifest, id: NodeId) -> bool {
    matches!(manifest.node(id).kind, NodeKind::Test(_) | NodeKind::UnitTest(_))
}
