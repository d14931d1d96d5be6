//! From bytes to record batches: the loop that all text formats share.
//!
//! A [`RecordFormat`] cuts records out of a buffer and decodes them; this module reads, keeps track of offsets and lines,
//! deals with bad records and emits batches. Memory is bounded: the buffer holds a chunk and at most one record more, a
//! batch ends after so many rows or bytes.
//!
//! **Byte ranges.** A big file is read by several partitions, each with a range. A record belongs to the range that its
//! first byte lies in. A format whose records are lines starts one byte before its range and drops what comes before the
//! first line break; a format whose records may hold line breaks must cut from the file's start, and drops what comes
//! before its range undecoded.
//!
//! **Lines.** A range does not know on which line it starts. Nobody needs that until a record is bad: only then the line
//! breaks before the range are counted.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions};
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::arrow::error::ArrowError;
use datafusion::physical_plan::metrics::Count;
use object_store::{ObjectMeta, ObjectStore};

use crate::diag::{self, Diagnostic, codes};

use super::bytes::ByteSource;
use super::errors::check_encoding;
use super::json::Bad;
use super::rejects::{BadRecord, ScanRun, ScanStats};
use super::spec::Encoding;

/// Longer records are bad.
pub(super) const MAX_RECORD: usize = 256 * 1024 * 1024;
/// A batch ends when it has taken so much text, even if it has few rows.
const BATCH_BYTES: usize = 8 * 1024 * 1024;
/// How much of a bad record is kept until it is dealt with.
const KEPT_TEXT: usize = 64 * 1024;
/// How many bad records wait at most.
const KEPT_BAD: usize = 256;

/// What [`RecordFormat::cut`] found at the start of a buffer.
pub(super) enum Cut {
    /// The record does not end in the buffer.
    More,
    /// There are no more records.
    End,
    /// A record.
    Record {
        /// Where its text starts.
        start: usize,
        /// Where its text ends.
        end: usize,
        /// Where the next record starts.
        next: usize,
        /// Why it is bad, if cutting shows that already.
        broken: Option<&'static str>,
    },
}

/// What a record turned out to be.
pub(super) enum Problem {
    /// This record is bad.
    Bad(Bad),
    /// The whole file is.
    Fatal(Box<Diagnostic>),
}

impl From<Bad> for Problem {
    fn from(bad: Bad) -> Problem {
        Problem::Bad(bad)
    }
}

/// A way to write records as text.
pub(super) trait RecordFormat: Send {
    /// True if every line break ends a record (or a blank line).
    fn is_line_based(&self) -> bool;

    /// True if reading may go on behind a line break after something that could not be read.
    fn resumes(&self) -> bool {
        true
    }

    /// Finds the record at the start of `buffer`; `at_end`: nothing follows the buffer.
    fn cut(&mut self, buffer: &[u8], at_end: bool) -> Cut;

    /// Appends the record that was cut last as a row; false if it is none (a header, a blank line). A bad record leaves
    /// nothing behind.
    fn decode(&mut self, record: &[u8], in_range: bool) -> Result<bool, Problem>;

    /// Rows that were appended since the last batch.
    fn rows(&self) -> usize;

    /// The arrays of these rows.
    fn finish(&mut self) -> Result<Vec<ArrayRef>, ArrowError>;
}

/// What to read.
pub(super) struct Part {
    pub(super) store: Arc<dyn ObjectStore>,
    pub(super) meta: ObjectMeta,
    /// The file's name in messages.
    pub(super) label: String,
    /// The bytes in which records must start, or `None`: all.
    pub(super) range: Option<(u64, u64)>,
    pub(super) encoding: Encoding,
    pub(super) batch_size: usize,
    /// Of the batches.
    pub(super) schema: SchemaRef,
    pub(super) max_record: usize,
    /// Counts the bytes that are read, decompressed.
    pub(super) read: Count,
}

/// Reads the records of a file, or of a part of it.
pub(super) struct RecordStream<F> {
    part: Part,
    format: F,
    run: Arc<ScanRun>,
    source: ByteSource,
    buffer: Vec<u8>,
    /// Where in the buffer the next record starts.
    start: usize,
    /// The file's offset of the buffer's first byte.
    base: u64,
    /// Where reading began.
    origin: u64,
    at_end: bool,
    checked_bom: bool,
    /// Drop everything up to the next line break: the rest of a line that is not ours, or is too long.
    skipping: bool,
    done: bool,
    /// Line breaks passed since `origin`.
    lines: u64,
    /// Line breaks before `origin`, once counted.
    lines_before: Option<u64>,
    batch_bytes: usize,
    bad: Vec<Waiting>,
}

/// A bad record that waits for its line number.
struct Waiting {
    lines: u64,
    column: Option<u64>,
    reason: String,
    text: Vec<u8>,
}

enum Step {
    Batch,
    Settle,
    Refill,
    Done,
}

impl<F: RecordFormat> RecordStream<F> {
    /// Opens the file.
    pub(super) async fn open(part: Part, format: F, run: Arc<ScanRun>) -> diag::Result<RecordStream<F>> {
        run.opened(&part.label);
        let begin = part.range.map_or(0, |(start, _)| start);
        let origin = if format.is_line_based() { begin.saturating_sub(1) } else { 0 };
        let stats = Arc::clone(&run.stats);
        let bytes = origin..part.range.map_or(part.meta.size, |(_, end)| end);
        let source = ByteSource::open(&part.store, &part.meta, &part.label, bytes, stats).await?;
        Ok(RecordStream {
            source: source.decoding(part.encoding),
            skipping: format.is_line_based() && begin > 0,
            part,
            format,
            run,
            buffer: Vec::new(),
            start: 0,
            base: origin,
            origin,
            at_end: false,
            checked_bom: origin > 0,
            done: false,
            lines: 0,
            lines_before: (origin == 0).then_some(0),
            batch_bytes: 0,
            bad: Vec::new(),
        })
    }

    /// The next batch, or `None` at the end.
    pub(super) async fn next_batch(&mut self) -> diag::Result<Option<RecordBatch>> {
        loop {
            let step = self.advance()?;
            if !self.bad.is_empty() {
                self.settle().await?;
            }
            match step {
                Step::Batch => return self.emit().map(Some),
                Step::Done if self.format.rows() > 0 => return self.emit().map(Some),
                Step::Done => {
                    self.run.finished(&self.part.label, self.part.range, self.part.meta.size);
                    return Ok(None);
                }
                Step::Settle => {}
                Step::Refill => self.refill().await?,
            }
        }
    }

    /// Decodes what the buffer holds.
    fn advance(&mut self) -> diag::Result<Step> {
        if !self.checked_bom && (self.buffer.len() >= 3 || self.at_end) {
            self.checked_bom = true;
            check_encoding(&self.buffer, &self.part.label)?;
            if self.buffer.starts_with(b"\xef\xbb\xbf") {
                self.start = 3;
            }
        }
        loop {
            if self.done {
                return Ok(Step::Done);
            }
            if self.format.rows() >= self.part.batch_size || self.batch_bytes >= BATCH_BYTES && self.format.rows() > 0 {
                return Ok(Step::Batch);
            }
            if self.bad.len() >= KEPT_BAD {
                return Ok(Step::Settle);
            }
            if self.skipping && !self.skip_line() {
                self.done = self.at_end;
                return Ok(if self.at_end { Step::Done } else { Step::Refill });
            }
            if !self.checked_bom {
                return Ok(Step::Refill);
            }
            match self.format.cut(&self.buffer[self.start..], self.at_end) {
                Cut::End => self.done = true,
                Cut::More if self.at_end => self.done = true,
                Cut::More if self.buffer.len() - self.start > self.part.max_record => self.too_long(),
                Cut::More => return Ok(Step::Refill),
                Cut::Record { start, end, next, broken } => {
                    self.record(self.start + start..self.start + end, broken)?;
                    let passed = &self.buffer[self.start..self.start + next];
                    self.lines += match self.format.is_line_based() {
                        true => u64::from(passed.last() == Some(&b'\n')),
                        false => memchr::memchr_iter(b'\n', passed).count() as u64,
                    };
                    self.batch_bytes += next;
                    self.start += next;
                }
            }
        }
    }

    /// Whether a record that starts at `at` in the buffer is ours; if it is behind our range, we are done.
    fn is_ours(&mut self, at: usize) -> bool {
        let offset = self.base + at as u64;
        let Some((start, end)) = self.part.range else { return true };
        self.done |= offset >= end;
        offset >= start && offset < end
    }

    /// Decodes one record, if it is ours.
    fn record(&mut self, at: std::ops::Range<usize>, broken: Option<&'static str>) -> diag::Result<()> {
        let in_range = self.is_ours(at.start);
        if self.done {
            return Ok(());
        }
        let record = &self.buffer[at.clone()];
        let bad = match broken {
            Some(_) if !in_range => return Ok(()),
            Some(reason) => Bad::new(0, reason),
            None => match self.format.decode(record, in_range) {
                Ok(_) => return Ok(()),
                Err(Problem::Bad(bad)) => bad,
                Err(Problem::Fatal(diagnostic)) => return Err(diagnostic),
            },
        };
        let leading = memchr::memchr_iter(b'\n', &self.buffer[self.start..at.start]).count() as u64;
        let before = &record[..bad.at.min(record.len())];
        let column = match broken {
            None if !before.contains(&b'\n') => Some(String::from_utf8_lossy(before).chars().count() as u64 + 1),
            _ => None,
        };
        let text = record[..record.len().min(KEPT_TEXT)].to_vec();
        self.bad.push(Waiting { lines: self.lines + leading, column, reason: bad.reason.into_owned(), text });
        Ok(())
    }

    /// The record in the buffer is longer than a record may be: it is bad, and what is left of its line is skipped.
    fn too_long(&mut self) {
        self.skipping = true;
        if !self.is_ours(self.start) {
            return;
        }
        let rest = &self.buffer[self.start..];
        let reason = format!("the record is longer than {}", crate::stdx::human_bytes(self.part.max_record as u64));
        let text = rest[..rest.len().min(KEPT_TEXT)].to_vec();
        self.bad.push(Waiting { lines: self.lines, column: None, reason, text });
        self.done = !self.format.resumes();
    }

    /// Goes behind the next line break; false if there is none in the buffer, which is then empty.
    fn skip_line(&mut self) -> bool {
        let rest = &self.buffer[self.start..];
        match memchr::memchr(b'\n', rest) {
            Some(at) => {
                self.start += at + 1;
                self.lines += 1;
                self.skipping = false;
                true
            }
            None => {
                self.start = self.buffer.len();
                false
            }
        }
    }

    /// Reads more. The part of a record that is there already is doubled at least, so that a long record is not looked
    /// at again and again.
    async fn refill(&mut self) -> diag::Result<()> {
        self.base += self.start as u64;
        self.buffer.drain(..self.start);
        self.start = 0;
        let wanted = (self.buffer.len() * 2).min(self.part.max_record + 1);
        loop {
            let before = self.buffer.len();
            if !self.source.fill(&mut self.buffer).await? {
                self.at_end = true;
                return Ok(());
            }
            self.part.read.add(self.buffer.len() - before);
            if self.buffer.len() >= wanted {
                return Ok(());
            }
        }
    }

    /// Deals with the bad records that wait.
    async fn settle(&mut self) -> diag::Result<()> {
        let before = match self.lines_before {
            Some(before) => before,
            None => count_lines(&self.part, self.origin).await?,
        };
        self.lines_before = Some(before);
        for waiting in std::mem::take(&mut self.bad) {
            self.run.reject(BadRecord {
                file: &self.part.label,
                line: before + waiting.lines + 1,
                column: waiting.column,
                reason: &waiting.reason,
                text: &waiting.text,
            })?;
        }
        Ok(())
    }

    fn emit(&mut self) -> diag::Result<RecordBatch> {
        let rows = self.format.rows();
        self.batch_bytes = 0;
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        let batch = self
            .format
            .finish()
            .and_then(|arrays| RecordBatch::try_new_with_options(Arc::clone(&self.part.schema), arrays, &options));
        self.run.stats.add_records(rows);
        batch.map_err(|error| {
            Diagnostic::error(codes::INTERNAL, format!("cannot make a batch of `{}`", self.part.label))
                .note(error.to_string())
        })
    }
}

/// Line breaks in the file before the offset `end`.
async fn count_lines(part: &Part, end: u64) -> diag::Result<u64> {
    let stats = Arc::new(ScanStats::default());
    let mut source = ByteSource::open(&part.store, &part.meta, &part.label, 0..end, stats).await?;
    let mut left = end as usize;
    let mut lines = 0;
    let mut buffer = Vec::new();
    while left > 0 && source.fill(&mut buffer).await? {
        let ours = buffer.len().min(left);
        lines += memchr::memchr_iter(b'\n', &buffer[..ours]).count() as u64;
        left -= ours;
        buffer.clear();
    }
    Ok(lines)
}
