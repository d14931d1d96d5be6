//! Rows as the file of a `LOAD DATA`, and the statement that reads it.
//!
//! Values are text between tabs, rows end with a line feed, `\N` is null, and what would be taken for one of these is
//! escaped by a backslash. The file is UTF-8, so bytes travel as hexadecimal digits.
//!
//! A number for a column whose type the job declares is turned back into a number by the statement. As text it could mean
//! something else: the text `1` is no value of a `BIT`, and not the first one of an `ENUM`.

use std::io::Write as _;
use std::ops::Range;

use bytes::Bytes;

use super::super::column::Cell;
use super::super::kind::Kind;
use super::super::shape::{Chunk, FieldShape, Shape};
use super::super::statement::quoted;

/// The statement that loads a file into `table` (a quoted name).
pub(super) fn statement(table: &str, shape: &Shape) -> String {
    let mut columns = Vec::with_capacity(shape.fields.len());
    let mut set = Vec::new();
    for (at, field) in shape.fields.iter().enumerate() {
        let name = quoted(&field.name, '`');
        match conversion(field, &format!("@c{at}")) {
            None => columns.push(name),
            Some(value) => {
                columns.push(format!("@c{at}"));
                set.push(format!("{name} = {value}"));
            }
        }
    }
    let set = if set.is_empty() { String::new() } else { format!(" SET {}", set.join(", ")) };
    format!(
        "LOAD DATA LOCAL INFILE 'c360' INTO TABLE {table} CHARACTER SET utf8mb4 \
         FIELDS TERMINATED BY '\\t' ENCLOSED BY '' ESCAPED BY '\\\\' LINES TERMINATED BY '\\n' STARTING BY '' \
         ({}){set}",
        columns.join(", ")
    )
}

/// What turns the text in `variable` into the value of a column, where the server's own way is not the one of an insert.
fn conversion(field: &FieldShape, variable: &str) -> Option<String> {
    let declared = field.declared.is_some();
    match field.kind {
        Kind::Binary => Some(format!("UNHEX({variable})")),
        Kind::Bool if declared => Some(format!("CAST({variable} AS SIGNED)")),
        Kind::Int { signed: true, .. } if declared => Some(format!("CAST({variable} AS SIGNED)")),
        Kind::Int { signed: false, .. } if declared => Some(format!("CAST({variable} AS UNSIGNED)")),
        Kind::Float { .. } if declared => Some(format!("{variable} + 0e0")),
        _ => None,
    }
}

/// The file of some rows of `chunk`.
pub(super) fn file(chunk: &Chunk, rows: Range<usize>) -> Bytes {
    let values: usize = chunk.sizes[rows.clone()].iter().sum();
    let mut out = Vec::with_capacity(values + rows.len() * (chunk.columns.len() * 2 + 1));
    for row in rows {
        for (at, column) in chunk.columns.iter().enumerate() {
            if at > 0 {
                out.push(b'\t');
            }
            push(&mut out, column.cell(row));
        }
        out.push(b'\n');
    }
    Bytes::from(out)
}

fn push(out: &mut Vec<u8>, cell: Cell<'_>) {
    // Writing to a vector cannot fail.
    let _ = match cell {
        Cell::Null => out.write_all(b"\\N"),
        Cell::Bool(flag) => out.write_all(if flag { b"1" } else { b"0" }),
        Cell::Int(number) => write!(out, "{number}"),
        Cell::UInt(number) => write!(out, "{number}"),
        // The shortest digits that mean this very number, with an exponent where it is large or small.
        Cell::Float(number) => write!(out, "{number:?}"),
        Cell::Text(text) => {
            escape(out, text.as_bytes());
            Ok(())
        }
        Cell::Bytes(bytes) => {
            const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
            out.extend(bytes.iter().flat_map(|byte| [DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]));
            Ok(())
        }
    };
}

/// Bytes of UTF-8 beyond ASCII are never mistaken for one of these.
fn escape(out: &mut Vec<u8>, text: &[u8]) {
    let special = |byte: &u8| matches!(byte, b'\\' | b'\t' | b'\n' | b'\r' | 0);
    let mut rest = text;
    while let Some(at) = rest.iter().position(special) {
        out.extend_from_slice(&rest[..at]);
        out.push(b'\\');
        out.push(match rest[at] {
            b'\t' => b't',
            b'\n' => b'n',
            b'\r' => b'r',
            0 => b'0',
            other => other,
        });
        rest = &rest[at + 1..];
    }
    out.extend_from_slice(rest);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(cells: &[Cell<'_>]) -> String {
        let mut out = Vec::new();
        cells.iter().for_each(|cell| {
            push(&mut out, *cell);
            out.push(b'|');
        });
        String::from_utf8(out).expect("UTF-8")
    }

    #[test]
    fn values_are_escaped() {
        assert_eq!(written(&[Cell::Null, Cell::Bool(true), Cell::Int(i64::MIN)]), "\\N|1|-9223372036854775808|");
        assert_eq!(
            written(&[Cell::UInt(u64::MAX), Cell::Float(0.1), Cell::Float(-1e300)]),
            "18446744073709551615|0.1|-1e300|"
        );
        assert_eq!(written(&[Cell::Text("a\\N\tb\nc\rd\0e 'ế'"), Cell::Text("")]), "a\\\\N\\tb\\nc\\rd\\0e 'ế'||");
        assert_eq!(written(&[Cell::Bytes(b"\0\xff'")]), "00FF27|");
    }

    #[test]
    fn numbers_of_declared_types_stay_numbers() {
        let field = |name: &str, kind, declared: Option<&str>| FieldShape {
            name: name.to_string(),
            kind,
            declared: declared.map(str::to_string),
        };
        let fields = vec![
            field("a`b", Kind::Text, None),
            field("bits", Kind::Bool, Some("bit(1)")),
            field("raw", Kind::Binary, None),
            field("n", Kind::Int { bits: 64, signed: true }, None),
        ];
        let sql = statement("`t`", &Shape { fields, key: Vec::new(), indexes: Vec::new() });
        let expected = "(`a``b`, @c1, @c2, `n`) SET `bits` = CAST(@c1 AS SIGNED), `raw` = UNHEX(@c2)";
        assert!(sql.ends_with(expected), "{sql}");
    }
}
