//! `diff`: what a change does to columns, models, published tables and exposures.
//!
//! Two states are compared: the `manifest.json` and `lineage.json` in the folder of `--state`, and the project as it is
//! now, which is planned and not built. What is compared is what people downstream see: columns with their types and how
//! they are made, what decides about rows, how a node is stored, where it is published. From what changed, the lineage
//! tells which columns below hold other values although nobody touched them.

mod affected;
mod compare;
mod state;

use super::{Loaded, Options};
use crate::artifacts::Diff;
use crate::diag::Result;

use state::State;

/// Compares the state in the folder of `--state` with the project as it is.
///
/// # Errors
/// C1010 if there is no such state, C1009 if it cannot be read, or the engine cannot start.
pub async fn diff(options: &Options, loaded: &Loaded) -> Result<Diff> {
    let before = State::read(options, loaded)?;
    let lineage = super::lineage(options, loaded).await?;
    let now = State::of(loaded, &lineage)?;
    let mut diff = Diff { nodes: compare::nodes(&before, &now), ..Diff::default() };
    for (id, why) in before.lineage.unknown.iter().chain(&now.lineage.unknown) {
        diff.unknown.entry(id.clone()).or_insert_with(|| why.clone());
    }
    diff.affected = affected::affected(&diff.nodes, &before, &now);
    diff.exposures = affected::exposures(&diff, &before, &now);
    Ok(diff)
}
