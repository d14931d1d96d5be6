//! The history of runs: the table `meta.runs` in the warehouse.
//!
//! A run tells what happened by events. A [`Recorder`] listens and makes one row of each unit that ended (a node that was
//! built, a test, a table that was published); when the run is over, [`keep()`] adds its rows to the table in one commit. So
//! trends are there without a server, and can be asked for: `c360 show --inline "select * from meta.runs"`.
//!
//! That it cannot be written is a warning and never fails a run: the rows say how a run went, they are not what it was for.
//! Runs that end at the same time add their rows one after the other (an append never conflicts). A table of small files
//! is slow to read, so whoever finds more than [`keep::MAX_FILES`] of them writes them as one, without the runs that are
//! too old to be kept.

mod keep;
mod read;
mod row;

pub use keep::{History, keep};
pub use read::{newest, present};
pub use row::{Recorder, Row, empty_runs};

use crate::node::Relation;

/// Where the table is.
pub fn relation(database: &str) -> Relation {
    Relation::new(database, "meta", "runs")
}
