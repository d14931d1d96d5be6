//! What decides about rows. Operators share what their inputs say, so that nothing is copied on the way up.

use std::collections::HashSet;
use std::sync::Arc;

use super::value::{Origin, Uses};
use super::{Kind, RowKind};

/// What decides about the rows of an operator's result.
#[derive(Debug, Clone, Default)]
pub(super) struct Rows(Option<Arc<Shared>>);

#[derive(Debug)]
struct Shared {
    own: Vec<(Origin, RowKind)>,
    inputs: Vec<Rows>,
}

impl Rows {
    /// What decides about the rows of all `inputs`.
    pub(super) fn all(inputs: impl IntoIterator<Item = Rows>) -> Rows {
        let mut inputs: Vec<Rows> = inputs.into_iter().filter(|rows| rows.0.is_some()).collect();
        match inputs.len() {
            0 | 1 => inputs.pop().unwrap_or_default(),
            _ => Rows(Some(Arc::new(Shared { own: Vec::new(), inputs }))),
        }
    }

    /// The same, and values that decide as `kind` says.
    pub(super) fn and(&self, uses: &Uses, kind: RowKind) -> Rows {
        let own: Vec<(Origin, RowKind)> = uses
            .iter()
            .map(|one| match (kind, one.kind) {
                (RowKind::Filter, Kind::Window) => (one.origin, RowKind::Window),
                _ => (one.origin, kind),
            })
            .collect();
        if own.is_empty() {
            return self.clone();
        }
        Rows(Some(Arc::new(Shared { own, inputs: vec![self.clone()] })))
    }

    /// All of it, each once.
    pub(super) fn flatten(&self) -> Vec<(Origin, RowKind)> {
        let (mut seen, mut found, mut out) = (HashSet::new(), HashSet::new(), Vec::new());
        let mut stack = vec![self];
        while let Some(Rows(rows)) = stack.pop() {
            let Some(shared) = rows.as_ref().filter(|shared| seen.insert(Arc::as_ptr(shared))) else { continue };
            out.extend(shared.own.iter().copied().filter(|one| found.insert(*one)));
            stack.extend(shared.inputs.iter().rev());
        }
        out
    }
}

impl Drop for Shared {
    /// Chains as long as a plan is deep come apart without recursion.
    fn drop(&mut self) {
        let mut stack = std::mem::take(&mut self.inputs);
        while let Some(Rows(rows)) = stack.pop() {
            if let Some(mut shared) = rows.and_then(Arc::into_inner) {
                stack.append(&mut shared.inputs);
            }
        }
    }
}
