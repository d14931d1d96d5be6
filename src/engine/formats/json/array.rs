//! A file that is one JSON array of objects.
//!
//! Elements are found by their brackets alone; what is wrong inside one shows when it is decoded, and costs only that
//! element. When brackets do not match, nothing can be found any more: the rest of the file is one bad record.

use datafusion::arrow::array::ArrayRef;
use datafusion::arrow::error::ArrowError;

use super::super::columns::StructColumn;
use super::super::records::{Cut, Problem, RecordFormat};
use super::lines::decode_row;

/// Records are the elements of an array.
pub(in super::super) struct JsonArray {
    root: StructColumn,
    place: Place,
}

#[derive(Clone, Copy, PartialEq)]
enum Place {
    /// Before `[`.
    Start,
    /// After `[`.
    First,
    /// After `,`.
    Next,
    /// After an element.
    After,
    /// After `]`.
    End,
    /// Nothing more can be found.
    Lost,
}

impl JsonArray {
    /// Appends rows to `root`.
    pub(in super::super) fn new(root: StructColumn) -> JsonArray {
        JsonArray { root, place: Place::Start }
    }

    /// The rest of the file is a bad record.
    fn lost(&mut self, buffer: &[u8], at: usize, reason: &'static str) -> Cut {
        self.place = Place::Lost;
        Cut::Record { start: at, end: buffer.len(), next: buffer.len(), broken: Some(reason) }
    }
}

impl RecordFormat for JsonArray {
    fn is_line_based(&self) -> bool {
        false
    }

    fn resumes(&self) -> bool {
        false
    }

    fn cut(&mut self, buffer: &[u8], at_end: bool) -> Cut {
        let mut at = 0;
        let place = self.place;
        if place == Place::Lost {
            return Cut::End;
        }
        loop {
            at += buffer[at..].iter().take_while(|byte| byte.is_ascii_whitespace()).count();
            let Some(byte) = buffer.get(at) else {
                let ends_well = self.place == Place::End || (self.place == Place::Start && at_end);
                if ends_well && at_end {
                    return Cut::End;
                }
                if at_end {
                    return self.lost(buffer, at, "the file ends before the array does");
                }
                // What was passed will be there again with more behind it.
                self.place = place;
                return Cut::More;
            };
            match (self.place, byte) {
                (Place::Start, b'[') => self.place = Place::First,
                (Place::After, b',') => self.place = Place::Next,
                (Place::First | Place::After, b']') => self.place = Place::End,
                (Place::First | Place::Next, _) => break,
                (Place::Start, _) => {
                    return self.lost(buffer, at, "the file is declared to be one array, but does not start with `[`");
                }
                (Place::After, _) => return self.lost(buffer, at, "`,` or `]` is expected after an element"),
                (Place::End | Place::Lost, _) => return self.lost(buffer, at, "there is more text after the array"),
            }
            at += 1;
        }
        match element_end(&buffer[at..]) {
            Some(len) if at_end || at + len < buffer.len() => {
                self.place = Place::After;
                Cut::Record { start: at, end: at + len, next: at + len, broken: None }
            }
            _ if at_end => self.lost(buffer, at, "the file ends inside an element"),
            _ => {
                self.place = place;
                Cut::More
            }
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

/// Where the value at the start of `bytes` ends, by brackets and strings alone.
fn element_end(bytes: &[u8]) -> Option<usize> {
    let mut depth = 0usize;
    let mut at = 0;
    loop {
        match bytes.get(at)? {
            b'"' => at = string_end(bytes, at)?,
            b'{' | b'[' => depth += 1,
            b'}' | b']' if depth == 0 => return Some(at),
            b'}' | b']' => {
                depth -= 1;
                if depth == 0 {
                    return Some(at + 1);
                }
            }
            b',' if depth == 0 => return Some(at),
            _ => {}
        }
        at += 1;
    }
}

/// The offset of the quote that closes the string which opens at `start`.
fn string_end(bytes: &[u8], start: usize) -> Option<usize> {
    let mut at = start + 1;
    loop {
        at += memchr::memchr2(b'"', b'\\', bytes.get(at..)?)?;
        if bytes[at] == b'"' {
            return Some(at);
        }
        at += 2;
    }
}
