//! Records that could not be read, kept until the run's end and then stored.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use super::formats::{RejectSink, RejectedRecord};

/// What the scans of a run have rejected, by source. A record that two scans reject counts once.
#[derive(Debug, Default)]
pub struct Quarantine {
    inner: Mutex<BTreeMap<String, Rejected>>,
}

/// The rejected records of one source.
#[derive(Debug, Default, Clone)]
pub struct Rejected {
    /// Files that were read in this run: what earlier runs rejected of them is out of date.
    pub files: BTreeSet<String>,
    /// Records by file and line.
    pub records: BTreeMap<(String, u64), RejectedRecord>,
    /// Records that the source drops, by file and line: they are counted alone.
    pub dropped: BTreeSet<(String, u64)>,
}

impl Quarantine {
    /// Takes what has come in so far.
    pub fn take(&self) -> BTreeMap<String, Rejected> {
        std::mem::take(&mut *self.inner.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl RejectSink for Quarantine {
    fn reject(&self, record: RejectedRecord) {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let rejected = inner.entry(record.source.clone()).or_default();
        rejected.records.insert((record.file.clone(), record.line), record);
    }

    fn dropped(&self, source: &str, file: &str, line: u64) {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.entry(source.to_string()).or_default().dropped.insert((file.to_string(), line));
    }

    fn scanned(&self, source: &str, file: &str) {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.entry(source.to_string()).or_default().files.insert(file.to_string());
    }
}
