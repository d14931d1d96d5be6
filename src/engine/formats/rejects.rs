//! What happens to records that cannot be read, and what a scan counts.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

use crate::diag::{self, Diagnostic, codes};

use super::spec::{BadRecords, ScanSpec};
use super::values;

/// How much of a rejected record's text is kept.
const TEXT_LIMIT: usize = 64 * 1024;

/// A record that could not be read, for the quarantine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RejectedRecord {
    /// The source's name.
    pub source: String,
    /// The file, as messages name it: a path, or a URL.
    pub file: String,
    /// The line on which it starts (a row of the sheet in spreadsheets), from 1.
    pub line: u64,
    /// Where in the line it goes wrong, in characters from 1, if that is known.
    pub column: Option<u64>,
    /// What is wrong with it.
    pub reason: String,
    /// Its text: bytes that are no UTF-8 replaced, cut after 64 KB.
    pub text: String,
}

/// Where rejected records go. Calls come from several threads at once.
///
/// A source that is scanned twice rejects the same records twice; a sink that keeps them tells them apart by file and
/// line.
pub trait RejectSink: Send + Sync {
    /// Keeps one record.
    fn reject(&self, record: RejectedRecord);

    /// The bytes `part` of a file of `size` bytes were read to their end. Once all bytes of the file were, what an earlier
    /// run rejected of it is out of date. Told of sources with a quarantine alone.
    fn scanned(&self, source: &str, file: &str, part: Range<u64>, size: u64);

    /// A record was left out for good, as its source says (`bad_records: drop`). Two scans may drop the same one.
    fn dropped(&self, source: &str, file: &str, line: u64);

    /// Takes out what has come in, if the sink only keeps it for another one.
    fn take(&self) -> Vec<RejectEvent> {
        Vec::new()
    }
}

/// A call of a [`RejectSink`], kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum RejectEvent {
    /// [`RejectSink::reject`].
    Rejected(RejectedRecord),
    /// [`RejectSink::scanned`].
    Scanned {
        /// The source's name.
        source: String,
        /// The file.
        file: String,
        /// Its bytes that were read.
        part: (u64, u64),
        /// How many bytes it has.
        size: u64,
    },
    /// [`RejectSink::dropped`].
    Dropped {
        /// The source's name.
        source: String,
        /// The file.
        file: String,
        /// The record's line.
        line: u64,
    },
}

impl RejectEvent {
    /// Makes the call.
    pub fn tell(self, sink: &dyn RejectSink) {
        match self {
            RejectEvent::Rejected(record) => sink.reject(record),
            RejectEvent::Scanned { source, file, part, size } => sink.scanned(&source, &file, part.0..part.1, size),
            RejectEvent::Dropped { source, file, line } => sink.dropped(&source, &file, line),
        }
    }
}

/// A sink that keeps nothing: for scans whose bad records fail or are dropped.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoRejects;

impl RejectSink for NoRejects {
    fn reject(&self, _record: RejectedRecord) {}

    fn scanned(&self, _source: &str, _file: &str, _part: Range<u64>, _size: u64) {}

    fn dropped(&self, _source: &str, _file: &str, _line: u64) {}
}

/// What all scans of one source have done so far. Values only grow; reading them while a scan runs is fine.
#[derive(Debug, Default)]
pub struct ScanStats {
    files_listed: AtomicU64,
    bytes_read: AtomicU64,
    records: AtomicU64,
    bad_records: AtomicU64,
    opened: Mutex<BTreeSet<String>>,
}

impl ScanStats {
    /// Files that the location matches.
    pub fn files_listed(&self) -> u64 {
        self.files_listed.load(Ordering::Relaxed)
    }

    /// Files that were opened to be read, each once.
    pub fn files_opened(&self) -> u64 {
        self.opened_lock().len() as u64
    }

    /// The files that were opened, sorted, as messages name them.
    pub fn opened(&self) -> Vec<String> {
        self.opened_lock().iter().cloned().collect()
    }

    /// Bytes that were read from storage, before decompression.
    pub fn bytes_read(&self) -> u64 {
        self.bytes_read.load(Ordering::Relaxed)
    }

    /// Good records that were read; Parquet and Delta do not count here.
    pub fn records(&self) -> u64 {
        self.records.load(Ordering::Relaxed)
    }

    /// Records that were dropped or quarantined, or that ended a scan.
    pub fn bad_records(&self) -> u64 {
        self.bad_records.load(Ordering::Relaxed)
    }

    pub(super) fn add_listed(&self, files: usize) {
        self.files_listed.fetch_add(files as u64, Ordering::Relaxed);
    }

    pub(super) fn add_bytes(&self, bytes: usize) {
        self.bytes_read.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    pub(super) fn add_records(&self, records: usize) {
        self.records.fetch_add(records as u64, Ordering::Relaxed);
    }

    pub(super) fn add_opened(&self, file: &str) {
        let mut opened = self.opened_lock();
        if !opened.contains(file) {
            opened.insert(file.to_string());
        }
    }

    fn opened_lock(&self) -> MutexGuard<'_, BTreeSet<String>> {
        self.opened.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One scan of a source: its declaration, where rejects go, and how many there were.
pub(super) struct ScanRun {
    pub(super) spec: Arc<ScanSpec>,
    pub(super) stats: Arc<ScanStats>,
    sink: Arc<dyn RejectSink>,
    bad: AtomicU64,
}

impl ScanRun {
    pub(super) fn new(spec: Arc<ScanSpec>, stats: Arc<ScanStats>, sink: Arc<dyn RejectSink>) -> ScanRun {
        ScanRun { spec, stats, sink, bad: AtomicU64::new(0) }
    }

    /// Where its rejected records go.
    #[cfg(feature = "cluster")]
    pub(super) fn sink(&self) -> &Arc<dyn RejectSink> {
        &self.sink
    }

    /// A file, or a part of one, is about to be read.
    pub(super) fn opened(&self, file: &str) {
        self.stats.add_opened(file);
    }

    /// A part of a file was read to its end.
    pub(super) fn finished(&self, file: &str, range: Option<(u64, u64)>, size: u64) {
        if self.spec.bad_records == BadRecords::Quarantine {
            let (start, end) = range.unwrap_or((0, size));
            self.sink.scanned(&self.spec.name, file, start..end.min(size), size);
        }
    }

    /// Deals with a bad record as the declaration says.
    ///
    /// # Errors
    /// C5002 if bad records fail, C5003 if there are more than allowed.
    pub(super) fn reject(&self, bad: BadRecord<'_>) -> diag::Result<()> {
        self.stats.bad_records.fetch_add(1, Ordering::Relaxed);
        if self.spec.bad_records == BadRecords::Fail {
            return Err(bad.diagnostic());
        }
        if self.spec.bad_records == BadRecords::Quarantine {
            let text = &bad.text[..bad.text.len().min(TEXT_LIMIT)];
            self.sink.reject(RejectedRecord {
                source: self.spec.name.clone(),
                file: bad.file.to_string(),
                line: bad.line,
                column: bad.column,
                reason: bad.reason.to_string(),
                text: String::from_utf8_lossy(text).into_owned(),
            });
        }
        if self.spec.bad_records == BadRecords::Drop {
            self.sink.dropped(&self.spec.name, bad.file, bad.line);
        }
        let count = self.bad.fetch_add(1, Ordering::Relaxed) + 1;
        match self.spec.max_bad_records {
            Some(max) if count > max => Err(self.too_many(max, &bad)),
            _ => Ok(()),
        }
    }

    fn too_many(&self, max: u64, last: &BadRecord<'_>) -> Box<Diagnostic> {
        let what = format!("source `{}` has more than {max} bad records", self.spec.name);
        let note = format!("the last one is at {}: {}", last.place(), last.reason);
        let found = Diagnostic::error(codes::TOO_MANY_BAD_RECORDS, what).note(note);
        found.help("correct the files, or raise `max_bad_records`")
    }
}

/// A bad record and where it is.
pub(super) struct BadRecord<'a> {
    pub(super) file: &'a str,
    /// The line on which the record starts, from 1.
    pub(super) line: u64,
    /// Where in that line it goes wrong, in characters from 1.
    pub(super) column: Option<u64>,
    pub(super) reason: &'a str,
    pub(super) text: &'a [u8],
}

impl BadRecord<'_> {
    fn place(&self) -> String {
        match self.column {
            Some(column) => format!("{}:{}:{column}", self.file, self.line),
            None => format!("{}:{}", self.file, self.line),
        }
    }

    fn diagnostic(&self) -> Box<Diagnostic> {
        let what = format!("bad record at {}: {}", self.place(), self.reason);
        let found = Diagnostic::error(codes::BAD_RECORD, what);
        let found = match self.text.is_empty() {
            true => found,
            false => found.note(format!("the record begins with {}", values::quoted(self.text))),
        };
        let found = match self.text.trim_ascii_start().starts_with(b"[") && self.line == 1 {
            true => found.help("if the file is one array of objects, declare `json_form: array`"),
            false => found,
        };
        found.help("`bad_records: quarantine` keeps such records aside and reads the rest")
    }
}
