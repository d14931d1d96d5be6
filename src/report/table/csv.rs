//! Comma separated values (RFC 4180, lines end in `\n`). An empty text is quoted, so that it is no NULL.

use std::fmt::Write as _;

use arrow::array::Array;
use arrow::datatypes::Schema;
use arrow::error::ArrowError;
use arrow::record_batch::RecordBatch;
use arrow::util::display::{ArrayFormatter, FormatOptions};

use super::RowWriter;
use super::encode::flattened;

/// A header, then a line a row.
pub(super) struct Csv;

impl RowWriter for Csv {
    fn start(&mut self, schema: &Schema, out: &mut Vec<u8>) {
        for (index, field) in schema.fields().iter().enumerate() {
            separate(index, out);
            quote(field.name(), out);
        }
        out.push(b'\n');
    }

    fn batch(&mut self, batch: &RecordBatch, out: &mut Vec<u8>) -> Result<(), ArrowError> {
        let batch = flattened(batch)?;
        let options = FormatOptions::new().with_display_error(true).with_datetime_format(Some("%Y-%m-%d"));
        let formatters = batch
            .columns()
            .iter()
            .map(|column| ArrayFormatter::try_new(column, &options))
            .collect::<Result<Vec<_>, _>>()?;
        let nulls: Vec<_> = batch.columns().iter().map(|column| column.logical_nulls()).collect();
        let mut text = String::new();
        for row in 0..batch.num_rows() {
            for (index, formatter) in formatters.iter().enumerate() {
                separate(index, out);
                if nulls[index].as_ref().is_none_or(|nulls| nulls.is_valid(row)) {
                    text.clear();
                    let _never = write!(text, "{}", formatter.value(row));
                    quote(&text, out);
                }
            }
            out.push(b'\n');
        }
        Ok(())
    }

    fn end(&mut self, _: &mut Vec<u8>) {}
}

fn separate(index: usize, out: &mut Vec<u8>) {
    if index > 0 {
        out.push(b',');
    }
}

fn quote(text: &str, out: &mut Vec<u8>) {
    if text.is_empty() || text.contains([',', '"', '\n', '\r']) {
        out.extend_from_slice(format!("\"{}\"", text.replace('"', "\"\"")).as_bytes());
    } else {
        out.extend_from_slice(text.as_bytes());
    }
}
