//! Rows on stdout: what `c360 show` prints, as a table for people or as JSON and CSV for programs.
//!
//! Rows are written as they come; a table settles its columns by its first thousand rows. Values lose nothing in JSON and
//! CSV: integers and decimals keep all their digits, dates are `2023-09-14`, timestamps `2023-09-14T12:00:00.5` (with
//! `Z` or an offset if they have a time zone), NULL is `null` in JSON and nothing in CSV (where an empty text is `""`).

mod csv;
mod encode;
mod grid;
#[cfg(test)]
mod tests;

use std::io::{ErrorKind, Write};

use arrow::datatypes::{Schema, SchemaRef};
use arrow::error::ArrowError;
use arrow::record_batch::RecordBatch;
use datafusion::error::DataFusionError;
use datafusion::execution::SendableRecordBatchStream;
use futures::StreamExt;

use crate::diag::{Diagnostic, Result, codes};
use crate::engine::execution_error;

use csv::Csv;
use encode::{JsonLines, JsonShow};
use grid::Grid;

/// `--output` of `show`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RowFormat {
    /// A table; NULL is dimmed if `colour`.
    Table {
        /// Use the terminal's colours.
        colour: bool,
    },
    /// dbt's object `{"node": "..", "show": [..]}`; without `node` for an inline query.
    Json {
        /// Name of the node that is shown.
        node: Option<String>,
    },
    /// An object a row, a row a line.
    JsonLines,
    /// Comma separated, with a header; quotes where they are needed.
    Csv,
}

/// Makes bytes of batches. One for each [`RowFormat`].
trait RowWriter {
    fn start(&mut self, schema: &Schema, out: &mut Vec<u8>);
    fn batch(&mut self, batch: &RecordBatch, out: &mut Vec<u8>) -> Result<(), ArrowError>;
    fn end(&mut self, out: &mut Vec<u8>);
}

/// Writes all rows of `stream` to `out` and says how many there were. `width` is the width of the terminal: a table is
/// cut to it; without it nothing is cut. A reader that goes away (`| head`) ends it early without an error.
///
/// # Errors
/// What the query fails with, and C5006 if `out` cannot be written.
pub async fn write_rows(
    mut stream: SendableRecordBatchStream,
    format: &RowFormat,
    out: &mut dyn Write,
    width: Option<usize>,
) -> Result<u64> {
    let mut writer = writer(format, width);
    let mut bytes = Vec::new();
    let mut rows = 0;
    let schema: SchemaRef = stream.schema();
    writer.start(&schema, &mut bytes);
    while let Some(batch) = stream.next().await {
        let batch = batch.map_err(|error| execution_error(&error))?;
        writer.batch(&batch, &mut bytes).map_err(|error| execution_error(&DataFusionError::from(error)))?;
        rows += batch.num_rows() as u64;
        if !pass_on(&mut bytes, out)? {
            return Ok(rows);
        }
    }
    writer.end(&mut bytes);
    pass_on(&mut bytes, out)?;
    Ok(rows)
}

fn writer(format: &RowFormat, width: Option<usize>) -> Box<dyn RowWriter> {
    match format {
        RowFormat::Table { colour } => Box::new(Grid::new(*colour, width)),
        RowFormat::Json { node } => Box::new(JsonShow::new(node.clone())),
        RowFormat::JsonLines => Box::new(JsonLines),
        RowFormat::Csv => Box::new(Csv),
    }
}

/// Empties `bytes` into `out`; false if nobody reads on.
fn pass_on(bytes: &mut Vec<u8>, out: &mut dyn Write) -> Result<bool> {
    let written = out.write_all(bytes).and_then(|()| out.flush());
    bytes.clear();
    match written {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(Diagnostic::error(codes::STORE_ERROR, format!("cannot write the rows: {error}"))),
    }
}
