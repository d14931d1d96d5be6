//! Records and fields out of delimited text.
//!
//! A quote opens a quoted field only at the field's start; elsewhere it is a letter. Quoted fields may hold delimiters
//! and line breaks. A quote that does not fit (text after the closing one, or no closing one) must not swallow what
//! follows, so such a record ends at its first line break and is bad; reading goes on with the next line.

use std::borrow::Cow;
use std::ops::Range;

use super::super::records::Cut;
use super::super::spec::CsvOptions;

/// A quoted field that has not ended after so many bytes has lost its closing quote.
const QUOTED_LIMIT: usize = 8 * 1024 * 1024;

/// A field of the record that was cut last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FieldAt {
    /// Its text in the record, without the quotes around it.
    pub(super) at: Range<usize>,
    pub(super) quoted: bool,
    /// True if it holds escaped quotes.
    pub(super) escaped: bool,
}

impl FieldAt {
    /// Its text, with escaped quotes made single ones.
    pub(super) fn text<'a>(&self, record: &'a [u8], options: &CsvOptions) -> Cow<'a, [u8]> {
        let raw = record.get(self.at.clone()).unwrap_or(&[]);
        if !self.escaped {
            return Cow::Borrowed(raw);
        }
        let escape = options.escape.unwrap_or(options.quote);
        let mut text = Vec::with_capacity(raw.len());
        let mut bytes = raw.iter().peekable();
        while let Some(byte) = bytes.next() {
            let next_is_special = bytes.peek().is_some_and(|next| **next == options.quote || **next == escape);
            if *byte != escape || !next_is_special {
                text.push(*byte);
            } else if let Some(escaped) = bytes.next() {
                text.push(*escaped);
            }
        }
        Cow::Owned(text)
    }
}

/// How a quoted field ended.
enum Quoted {
    /// Behind its closing quote.
    At(usize, bool),
    More,
    Never,
}

/// Finds the record at the start of `buffer` and puts its fields into `fields`.
pub(super) fn cut(buffer: &[u8], at_end: bool, options: &CsvOptions, fields: &mut Vec<FieldAt>) -> Cut {
    fields.clear();
    if buffer.is_empty() {
        return Cut::More;
    }
    let mut at = 0;
    loop {
        if buffer.get(at) == Some(&options.quote) {
            let (after, escaped) = match quoted_end(buffer, at + 1, at_end, options) {
                Quoted::At(after, escaped) => (after, escaped),
                Quoted::More => return Cut::More,
                Quoted::Never => return broken(buffer, at_end, "a quoted field has no closing quote"),
            };
            fields.push(FieldAt { at: at + 1..after - 1, quoted: true, escaped });
            match &buffer[after..] {
                [byte, ..] if *byte == options.delimiter => at = after + 1,
                [b'\n', ..] => return record(after, after + 1),
                [b'\r', b'\n', ..] => return record(after, after + 2),
                [] | [b'\r'] if at_end => return record(after, buffer.len()),
                [] | [b'\r'] => return Cut::More,
                _ => return broken(buffer, at_end, "there is text after a closing quote"),
            }
            continue;
        }
        let end = memchr::memchr2(options.delimiter, b'\n', &buffer[at..]).map(|found| at + found);
        match end {
            Some(end) if buffer[end] == options.delimiter => {
                fields.push(FieldAt { at: at..end, quoted: false, escaped: false });
                at = end + 1;
            }
            None if !at_end => return Cut::More,
            _ => {
                let (mut end, next) = end.map_or((buffer.len(), buffer.len()), |end| (end, end + 1));
                if end > at && buffer[end - 1] == b'\r' {
                    end -= 1;
                }
                fields.push(FieldAt { at: at..end, quoted: false, escaped: false });
                return record(end, next);
            }
        }
    }
}

fn record(end: usize, next: usize) -> Cut {
    Cut::Record { start: 0, end, next, broken: None }
}

/// The record ends, bad, at its first line break.
fn broken(buffer: &[u8], at_end: bool, reason: &'static str) -> Cut {
    let (end, next) = match memchr::memchr(b'\n', buffer) {
        Some(end) => (end, end + 1),
        None if !at_end => return Cut::More,
        None => (buffer.len(), buffer.len()),
    };
    let end = if end > 0 && buffer[end - 1] == b'\r' { end - 1 } else { end };
    Cut::Record { start: 0, end, next, broken: Some(reason) }
}

/// Where the quoted field ends whose text starts at `start`.
fn quoted_end(buffer: &[u8], start: usize, at_end: bool, options: &CsvOptions) -> Quoted {
    let escape = options.escape.filter(|escape| *escape != options.quote);
    let mut at = start;
    let mut escaped = false;
    loop {
        let rest = buffer.get(at..).unwrap_or(&[]);
        let found = match escape {
            Some(escape) => memchr::memchr2(options.quote, escape, rest),
            None => memchr::memchr(options.quote, rest),
        };
        let Some(found) = found else {
            let lost = at_end || buffer.len() - start > QUOTED_LIMIT;
            return if lost { Quoted::Never } else { Quoted::More };
        };
        at += found;
        let next = buffer.get(at + 1);
        if next.is_none() && !at_end {
            return Quoted::More;
        }
        if escape.is_some_and(|escape| buffer[at] == escape) || escape.is_none() && next == Some(&options.quote) {
            escaped = true;
            at += 2;
            continue;
        }
        return Quoted::At(at + 1, escaped);
    }
}
