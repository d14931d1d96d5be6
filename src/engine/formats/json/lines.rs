//! One JSON object a line.

use datafusion::arrow::array::ArrayRef;
use datafusion::arrow::error::ArrowError;

use super::super::columns::StructColumn;
use super::super::records::{Cut, Problem, RecordFormat};
use super::decode::append_object;

/// Records are lines; blank ones are none.
pub(in super::super) struct JsonLines {
    root: StructColumn,
}

impl JsonLines {
    /// Appends rows to `root`.
    pub(in super::super) fn new(root: StructColumn) -> JsonLines {
        JsonLines { root }
    }
}

impl RecordFormat for JsonLines {
    fn is_line_based(&self) -> bool {
        true
    }

    fn cut(&mut self, buffer: &[u8], at_end: bool) -> Cut {
        match memchr::memchr(b'\n', buffer) {
            Some(end) => Cut::Record { start: 0, end, next: end + 1, broken: None },
            None if at_end && !buffer.is_empty() => {
                Cut::Record { start: 0, end: buffer.len(), next: buffer.len(), broken: None }
            }
            None => Cut::More,
        }
    }

    fn decode(&mut self, record: &[u8], _in_range: bool) -> Result<bool, Problem> {
        decode_row(&mut self.root, record)
    }

    fn rows(&self) -> usize {
        self.root.len()
    }

    fn finish(&mut self) -> Result<Vec<ArrayRef>, ArrowError> {
        self.root.finish_children()
    }
}

/// Appends the object in `record`, or leaves `root` as it was.
pub(super) fn decode_row(root: &mut StructColumn, record: &[u8]) -> Result<bool, Problem> {
    // A carriage return before the line break belongs to neither the record nor its text in the quarantine.
    let record = record.strip_suffix(b"\r").unwrap_or(record);
    if record.first() != Some(&b'{') && record.trim_ascii().is_empty() {
        return Ok(false);
    }
    let rows = root.len();
    append_object(root, record).inspect_err(|_| root.truncate(rows))?;
    Ok(true)
}
