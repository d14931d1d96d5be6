//! What statements leave behind for whoever runs them: temporary tables, and how many rows they wrote.
//!
//! The warehouse has no sessions, so a temporary table is a table that its owner drops when it is done. Its commit says
//! what it is: one that a killed process left behind may be replaced.

use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;

use crate::engine::Engine;
use crate::node::Relation;

/// Who made a temporary table, as its log says.
pub(super) const TEMPORARY: &str = "temporary";

/// What the statements of one owner leave behind.
#[derive(Debug, Default)]
pub struct Trail {
    temporary: Mutex<Vec<Relation>>,
    rows: AtomicU64,
}

impl Trail {
    pub(super) fn made_temporary(&self, relation: Relation) {
        self.temporary.lock().push(relation);
    }

    pub(super) fn wrote(&self, rows: u64) {
        self.rows.store(rows, Ordering::Relaxed);
    }

    /// How many rows the last statement wrote that wrote any.
    pub fn rows(&self) -> u64 {
        self.rows.load(Ordering::Relaxed)
    }

    /// Temporary tables that are there; to be asked once.
    pub fn take_temporary(&self) -> Vec<Relation> {
        std::mem::take(&mut *self.temporary.lock())
    }

    /// Adds the temporary tables of another trail.
    pub fn adopt(&self, relations: Vec<Relation>) {
        self.temporary.lock().extend(relations);
    }

    /// Drops the temporary tables. That it fails is nobody's failure.
    pub async fn drop_temporary(&self, engine: &Engine) {
        for relation in self.take_temporary() {
            if let Err(error) = engine.warehouse.drop_relation(&relation).await {
                tracing::warn!("temporary table `{relation}` was left behind: {error}");
            }
            engine.forget(&relation);
        }
    }
}
