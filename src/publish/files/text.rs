//! Rows as CSV and as JSON lines.
//!
//! CSV has no types and no NULL. NULL is written as `null` of the destination says, by default as nothing; a text that is
//! the same, such as the empty one, stands in quotes, which PostgreSQL's COPY and DuckDB can tell apart and many other
//! readers cannot. Nested values are JSON, binary ones hexadecimal, in both formats.

use std::io::Write;

use super::super::column::Cell;
use super::super::kind::Kind;
use super::super::shape::{Chunk, Shape};
use super::config::CsvStyle;

const DIGITS: &[u8; 16] = b"0123456789abcdef";

/// The first line of a CSV file.
pub(super) fn csv_header(shape: &Shape, columns: &[usize], style: &CsvStyle, out: &mut Vec<u8>) {
    for (number, at) in columns.iter().enumerate() {
        if number > 0 {
            out.push(style.delimiter);
        }
        push_field(&shape.fields[*at].name, style, out);
    }
    out.push(b'\n');
}

/// One row of CSV.
pub(super) fn csv_row(chunk: &Chunk, row: usize, columns: &[usize], style: &CsvStyle, out: &mut Vec<u8>) {
    for (number, at) in columns.iter().enumerate() {
        if number > 0 {
            out.push(style.delimiter);
        }
        match chunk.columns[*at].cell(row) {
            Cell::Null => out.extend_from_slice(style.null.as_bytes()),
            Cell::Text(text) => push_field(text, style, out),
            other => {
                let start = out.len();
                push_plain(&other, out);
                // No bytes at all, or a number that is just the word for NULL.
                if out[start..] == *style.null.as_bytes() {
                    out.insert(start, b'"');
                    out.push(b'"');
                }
            }
        }
    }
    // A line without anything would be no row for most readers.
    if columns.len() == 1 && style.null.is_empty() && chunk.columns[columns[0]].cell(row) == Cell::Null {
        out.extend_from_slice(b"\"\"");
    }
    out.push(b'\n');
}

/// Numbers, booleans and bytes: what needs no quotes.
fn push_plain(cell: &Cell<'_>, out: &mut Vec<u8>) {
    // Writing to a vector cannot fail.
    match cell {
        Cell::Null => {}
        Cell::Bool(flag) => drop(write!(out, "{flag}")),
        Cell::Int(number) => drop(write!(out, "{number}")),
        Cell::UInt(number) => drop(write!(out, "{number}")),
        // With an exponent where the number is very large or small.
        Cell::Float(number) => drop(write!(out, "{number:?}")),
        Cell::Text(text) => out.extend_from_slice(text.as_bytes()),
        Cell::Bytes(bytes) => {
            for byte in *bytes {
                out.push(DIGITS[usize::from(byte >> 4)]);
                out.push(DIGITS[usize::from(byte & 15)]);
            }
        }
    }
}

fn push_field(text: &str, style: &CsvStyle, out: &mut Vec<u8>) {
    let bytes = text.as_bytes();
    let special = |byte: &u8| *byte == style.delimiter || matches!(byte, b'"' | b'\n' | b'\r');
    let spaced =
        bytes.first().is_some_and(u8::is_ascii_whitespace) || bytes.last().is_some_and(u8::is_ascii_whitespace);
    if !spaced && text != style.null && !bytes.is_empty() && !bytes.iter().any(special) {
        out.extend_from_slice(bytes);
        return;
    }
    out.push(b'"');
    for byte in bytes {
        if *byte == b'"' {
            out.push(b'"');
        }
        out.push(*byte);
    }
    out.push(b'"');
}

/// The names of columns as JSON, each with a colon behind it.
pub(super) fn json_keys(shape: &Shape, columns: &[usize]) -> Vec<Vec<u8>> {
    let key = |at: &usize| {
        let mut key = Vec::new();
        push_json_text(&shape.fields[*at].name, &mut key);
        key.push(b':');
        key
    };
    columns.iter().map(key).collect()
}

/// One row as a JSON object.
pub(super) fn json_row(
    shape: &Shape,
    chunk: &Chunk,
    row: usize,
    columns: &[usize],
    keys: &[Vec<u8>],
    out: &mut Vec<u8>,
) {
    out.push(b'{');
    for (number, (at, key)) in columns.iter().zip(keys).enumerate() {
        if number > 0 {
            out.push(b',');
        }
        out.extend_from_slice(key);
        match (chunk.columns[*at].cell(row), shape.fields[*at].kind) {
            (Cell::Null, _) => out.extend_from_slice(b"null"),
            // Both are JSON already: a number with all of its digits, a nested value.
            (Cell::Text(text), Kind::Decimal { .. } | Kind::Json) => out.extend_from_slice(text.as_bytes()),
            (Cell::Text(text), _) => push_json_text(text, out),
            (bytes @ Cell::Bytes(_), _) => {
                out.push(b'"');
                push_plain(&bytes, out);
                out.push(b'"');
            }
            (other, _) => push_plain(&other, out),
        }
    }
    out.extend_from_slice(b"}\n");
}

fn push_json_text(text: &str, out: &mut Vec<u8>) {
    // Text is always JSON, and a vector always takes it.
    let _ = serde_json::to_writer(out, text);
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{BinaryArray, Decimal128Array, Float64Array, RecordBatch, StringArray};
    use serde_json::json;

    use super::super::super::PublishJob;
    use super::super::super::place::Place;
    use super::*;

    fn shape() -> (Shape, Arc<Chunk>) {
        let place = Place { destination: "out".into(), server: "files".into(), table: "t".into(), node: "m".into() };
        let job = PublishJob::parse("m", "t", &json!("out")).expect("fine").remove(0);
        let batch = RecordBatch::try_from_iter([
            ("a,b", Arc::new(StringArray::from(vec![Some("x"), Some(""), None, Some("say \"hi\"\n")])) as _),
            ("d", Arc::new(Decimal128Array::from(vec![1230; 4]).with_precision_and_scale(10, 2).expect("fits")) as _),
            ("f", Arc::new(Float64Array::from(vec![0.1, -0.0, 1e300, 5e-324])) as _),
            ("b", Arc::new(BinaryArray::from(vec![&b"\0\xff"[..]; 4])) as _),
        ])
        .expect("a batch");
        let shape = Shape::resolve(&job, &batch.schema(), &place).expect("fits");
        let chunk = shape.convert(&place, batch, 0).expect("fits");
        (shape, chunk)
    }

    #[test]
    fn csv_tells_null_from_the_empty_text_by_quotes() {
        let (shape, chunk) = shape();
        let text = |null: &str, delimiter: u8| {
            let style = CsvStyle { header: true, delimiter, null: null.to_string() };
            let mut out = Vec::new();
            csv_header(&shape, &[0, 1, 2, 3], &style, &mut out);
            (0..4).for_each(|row| csv_row(&chunk, row, &[0, 1, 2, 3], &style, &mut out));
            String::from_utf8(out).expect("UTF-8")
        };
        let expected = "\"a,b\",d,f,b\nx,12.30,0.1,00ff\n\"\",12.30,-0.0,00ff\n,12.30,1e300,00ff\n\
                        \"say \"\"hi\"\"\n\",12.30,5e-324,00ff\n";
        assert_eq!(text("", b','), expected);
        assert!(text("x", b'\t').starts_with("a,b\td\tf\tb\n\"x\"\t12.30\t0.1\t00ff\n\"\"\t"));
        let style = CsvStyle { header: false, delimiter: b',', null: String::new() };
        let mut out = Vec::new();
        csv_row(&chunk, 2, &[0], &style, &mut out);
        assert_eq!(out, b"\"\"\n");
        out.clear();
        csv_row(&chunk, 0, &[2, 0], &CsvStyle { null: "0.1".to_string(), ..style }, &mut out);
        assert_eq!(out, b"\"0.1\",x\n");
    }

    #[test]
    fn json_keeps_digits_and_nulls() {
        let (shape, chunk) = shape();
        let keys = json_keys(&shape, &[0, 1, 2, 3]);
        let mut out = Vec::new();
        json_row(&shape, &chunk, 3, &[0, 1, 2, 3], &keys, &mut out);
        json_row(&shape, &chunk, 2, &[0, 2], &json_keys(&shape, &[0, 2]), &mut out);
        let expected =
            "{\"a,b\":\"say \\\"hi\\\"\\n\",\"d\":12.30,\"f\":5e-324,\"b\":\"00ff\"}\n{\"a,b\":null,\"f\":1e300}\n";
        assert_eq!(String::from_utf8(out).expect("UTF-8"), expected);
    }
}
