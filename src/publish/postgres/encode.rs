//! Rows as COPY's text format: fields with tabs between them, a line a row, `\N` for NULL.
//!
//! Text and not binary, because the server then reads every value as the column's type, whichever type that is: a type
//! declared under `columns` needs no encoder of ours.

use std::io::Write;

use super::super::column::{Cell, show_text};
use super::super::place::Place;
use super::super::shape::{Chunk, Shape};
use crate::diag::Result;

/// Appends the rows of `chunk` to `out`.
pub(super) fn encode(place: &Place, shape: &Shape, chunk: &Chunk, out: &mut Vec<u8>) -> Result<()> {
    for row in 0..chunk.rows() {
        for (at, column) in chunk.columns.iter().enumerate() {
            if at > 0 {
                out.push(b'\t');
            }
            if !push(&column.cell(row), out) {
                return Err(refuse_nul(place, shape, chunk, row, at));
            }
        }
        out.push(b'\n');
    }
    Ok(())
}

/// Appends one value; false if it is a text with a NUL in it.
fn push(cell: &Cell<'_>, out: &mut Vec<u8>) -> bool {
    // Writing to a vector cannot fail.
    match cell {
        Cell::Null => out.extend_from_slice(b"\\N"),
        Cell::Bool(flag) => out.push(if *flag { b't' } else { b'f' }),
        Cell::Int(number) => drop(write!(out, "{number}")),
        Cell::UInt(number) => drop(write!(out, "{number}")),
        // The shortest digits that are this number again.
        Cell::Float(number) => drop(write!(out, "{number:e}")),
        Cell::Text(text) => return push_text(text.as_bytes(), out),
        Cell::Bytes(bytes) => {
            out.extend_from_slice(b"\\\\x");
            for byte in *bytes {
                out.push(DIGITS[usize::from(byte >> 4)]);
                out.push(DIGITS[usize::from(byte & 15)]);
            }
        }
    }
    true
}

const DIGITS: &[u8; 16] = b"0123456789abcdef";

fn push_text(mut text: &[u8], out: &mut Vec<u8>) -> bool {
    while let Some(at) = text.iter().position(|byte| matches!(byte, 0 | b'\t' | b'\n' | b'\r' | b'\\')) {
        out.extend_from_slice(&text[..at]);
        let letter = match text[at] {
            b'\t' => b't',
            b'\n' => b'n',
            b'\r' => b'r',
            b'\\' => b'\\',
            _ => return false,
        };
        out.extend_from_slice(&[b'\\', letter]);
        text = &text[at + 1..];
    }
    out.extend_from_slice(text);
    true
}

fn refuse_nul(place: &Place, shape: &Shape, chunk: &Chunk, row: usize, at: usize) -> Box<crate::diag::Diagnostic> {
    let value = match chunk.columns[at].cell(row) {
        Cell::Text(text) => show_text(&text.replace('\0', "\\0")),
        other => other.show(),
    };
    let problem = format!(
        "column `{}` holds {value}, which has a NUL character, and PostgreSQL's text has none",
        shape.fields[at].name
    );
    place
        .unfit(problem)
        .note(shape.whereabouts(&chunk.batch, chunk.first_row, row))
        .help("take it out in the model, as by replace(column, chr(0), ''), or cast the column to binary")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(cell: Cell<'_>) -> String {
        let mut out = Vec::new();
        assert!(push(&cell, &mut out));
        String::from_utf8(out).expect("UTF-8")
    }

    #[test]
    fn values_are_written_as_copy_reads_them() {
        assert_eq!(text(Cell::Null), "\\N");
        assert_eq!(text(Cell::Text("\\N")), "\\\\N");
        assert_eq!(text(Cell::Text("a\tb\nc\rd\\e")), "a\\tb\\nc\\rd\\\\e");
        assert_eq!(text(Cell::Text("")), "");
        assert_eq!(text(Cell::Bytes(b"\0\xff\\")), "\\\\x00ff5c");
        assert_eq!(text(Cell::Float(0.1)), "1e-1");
        assert_eq!(text(Cell::Float(f64::MAX)), "1.7976931348623157e308");
        assert_eq!(text(Cell::UInt(u64::MAX)), "18446744073709551615");
        assert!(!push(&Cell::Text("a\0b"), &mut Vec::new()));
    }
}
