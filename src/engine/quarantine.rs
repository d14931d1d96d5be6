//! Records that could not be read, kept until the run's end and then stored.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use super::formats::{RejectSink, RejectedRecord};

/// What the scans of a run have rejected, by source. A record that two scans reject counts once.
#[derive(Debug, Default)]
pub struct Quarantine {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    rejected: BTreeMap<String, Rejected>,
    /// Lines by source and file.
    dropped: BTreeMap<String, HashMap<String, HashSet<u64>>>,
}

/// The rejected records of one source.
#[derive(Debug, Default, Clone)]
pub struct Rejected {
    /// Records by file and line.
    pub records: BTreeMap<(String, u64), RejectedRecord>,
    /// What was read of each file.
    read: BTreeMap<String, Read>,
}

/// Parts of a file that were read to their end.
#[derive(Debug, Default, Clone)]
struct Read {
    parts: BTreeSet<(u64, u64)>,
    size: u64,
}

impl Read {
    fn is_whole(&self) -> bool {
        self.parts.iter().map(|(start, end)| end - start).sum::<u64>() >= self.size
    }
}

impl Rejected {
    /// Files that were read whole: what earlier runs rejected of them is out of date. A scan that ended early (a limit, a
    /// failure) leaves its files out.
    pub fn files(&self) -> Vec<&str> {
        self.read.iter().filter(|(_, read)| read.is_whole()).map(|(file, _)| file.as_str()).collect()
    }
}

impl Quarantine {
    /// Takes what has come in so far.
    pub fn take(&self) -> BTreeMap<String, Rejected> {
        std::mem::take(&mut self.lock().rejected)
    }

    /// Records that were left out for good, by source.
    pub fn take_dropped(&self) -> BTreeMap<String, u64> {
        let dropped = std::mem::take(&mut self.lock().dropped);
        let count = |files: HashMap<String, HashSet<u64>>| files.values().map(|lines| lines.len() as u64).sum();
        dropped.into_iter().map(|(source, files)| (source, count(files))).collect()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl RejectSink for Quarantine {
    fn reject(&self, record: RejectedRecord) {
        let mut inner = self.lock();
        let rejected = inner.rejected.entry(record.source.clone()).or_default();
        rejected.records.insert((record.file.clone(), record.line), record);
    }

    fn scanned(&self, source: &str, file: &str, part: Range<u64>, size: u64) {
        let mut inner = self.lock();
        let rejected = inner.rejected.entry(source.to_string()).or_default();
        let read = rejected.read.entry(file.to_string()).or_default();
        read.parts.insert((part.start, part.end));
        read.size = size;
    }

    fn dropped(&self, source: &str, file: &str, line: u64) {
        let mut inner = self.lock();
        let files = inner.dropped.entry(source.to_string()).or_default();
        files.entry(file.to_string()).or_default().insert(line);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_counts_as_read_once_all_of_it_was() {
        let quarantine = Quarantine::default();
        quarantine.scanned("a", "whole", 0..10, 20);
        quarantine.scanned("a", "whole", 10..20, 20);
        quarantine.scanned("a", "half", 0..10, 20);
        quarantine.scanned("a", "half", 0..10, 20);
        quarantine.scanned("a", "empty", 0..0, 0);
        assert_eq!(quarantine.take()["a"].files(), ["empty", "whole"]);
    }

    #[test]
    fn a_record_dropped_twice_counts_once() {
        let quarantine = Quarantine::default();
        for line in [3, 3, 4] {
            quarantine.dropped("a", "x", line);
        }
        assert_eq!(quarantine.take_dropped(), BTreeMap::from([("a".to_string(), 2)]));
    }
}
