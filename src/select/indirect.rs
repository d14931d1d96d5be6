//! Tests that come along with what they test.

use super::Indirect;
use super::eval::Picked;
use super::mask::Mask;
use crate::graph::Direction;
use crate::manifest::{Manifest, NodeId};
use crate::node::ResourceType;

/// Adds the tests of the selected nodes: those that may come along to the selection, the others to the second set.
pub(super) fn expand(manifest: &Manifest, selected: Mask, mode: Indirect) -> Picked {
    let mut waiting = Mask::none(manifest.nodes.len());
    if mode == Indirect::Empty {
        return Picked { direct: selected, indirect: waiting };
    }
    let enough = match mode {
        Indirect::Buildable => {
            let mut enough = with_ancestors(manifest, &selected);
            for id in manifest.ids().filter(|id| manifest.node(*id).resource_type == ResourceType::Source) {
                enough.insert(id);
            }
            enough
        }
        _ => selected.clone(),
    };
    let mut direct = selected.clone();
    for parent in selected.ids() {
        for test in manifest.dag.children(parent).iter().copied() {
            if !is_test(manifest, test) {
                continue;
            }
            if mode == Indirect::Eager || has_parents(manifest, test, &enough) {
                direct.insert(test);
            } else {
                waiting.insert(test);
            }
        }
    }
    Picked { direct, indirect: waiting }
}

/// Takes in the tests of `reach` whose parents are all there, now that several expressions are put together. Unit tests
/// have one parent and never wait for a second.
pub(super) fn incorporate(manifest: &Manifest, direct: &mut Mask, reach: &Mask, mode: Indirect) {
    let enough = match mode {
        Indirect::Cautious => direct.clone(),
        Indirect::Buildable => with_ancestors(manifest, direct),
        Indirect::Eager | Indirect::Empty => return,
    };
    for id in reach.ids() {
        if manifest.node(id).resource_type == ResourceType::Test && has_parents(manifest, id, &enough) {
            direct.insert(id);
        }
    }
}

fn is_test(manifest: &Manifest, id: NodeId) -> bool {
    matches!(manifest.node(id).resource_type, ResourceType::Test | ResourceType::UnitTest)
}

fn has_parents(manifest: &Manifest, id: NodeId, enough: &Mask) -> bool {
    manifest.dag.parents(id).iter().all(|parent| enough.contains(*parent))
}

fn with_ancestors(manifest: &Manifest, selected: &Mask) -> Mask {
    let mut mask = Mask::from_flags(&manifest.dag.reach(&selected.ids(), Direction::Upstream, None));
    mask.add(selected);
    mask
}
