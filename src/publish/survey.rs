//! A first look at the rows, for destinations whose types need a length.

use futures::StreamExt;

use super::column::{Column, show_text};
use super::kind::Kind;
use super::rows::Rows;
use super::shape::{FieldShape, Shape};
use crate::diag::Result;
use crate::failure::execution_error;

/// Bytes that a value is taken for in a column that nobody measures.
const OTHER_BYTES: usize = 10;

/// How large the values of a column are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Measure {
    /// Characters of the longest text.
    pub(super) chars: usize,
    /// Bytes of the longest text or binary value.
    pub(super) bytes: usize,
    /// The longest text, cut for messages.
    pub(super) longest: String,
}

/// What a first look found.
#[derive(Debug, Clone, Default)]
pub(super) struct Survey {
    /// By column.
    pub(super) measures: Vec<Measure>,
    /// Rows seen.
    pub(super) rows: u64,
    /// Bytes of all values, roughly.
    pub(super) bytes: u64,
}

/// True if the type of a column follows from its longest value.
fn is_measured(field: &FieldShape) -> bool {
    matches!(field.kind, Kind::Text | Kind::Binary) && field.declared.is_none()
}

/// Reads once, unsorted, the columns whose types follow from their values; none if there is no such column. What no
/// destination can hold is found by the load.
pub(super) async fn survey(shape: &Shape, rows: &dyn Rows) -> Result<Option<Survey>> {
    let positions: Vec<usize> = (0..shape.fields.len()).filter(|at| is_measured(&shape.fields[*at])).collect();
    if positions.is_empty() {
        return Ok(None);
    }
    let mut found = Survey { measures: vec![Measure::default(); shape.fields.len()], rows: 0, bytes: 0 };
    let mut stream = rows.open_columns(&positions).await?;
    while let Some(batch) = stream.next().await {
        let batch = batch.map_err(|error| execution_error(&error))?;
        for (at, array) in positions.iter().zip(batch.columns()) {
            let field = &shape.fields[*at];
            // A column that cannot be converted is told by the load, with its place.
            if let Ok(column) = Column::new(&field.name, field.kind, array) {
                found.bytes += found.measures[*at].take(&column);
            }
        }
        let others = shape.fields.len() - positions.len();
        found.bytes += (batch.num_rows() * others * OTHER_BYTES) as u64;
        found.rows += batch.num_rows() as u64;
    }
    Ok(Some(found))
}

impl Measure {
    /// Looks at all values; gives back their bytes.
    fn take(&mut self, column: &Column) -> u64 {
        let mut bytes = 0;
        match column {
            Column::Texts(array) => {
                for text in array.iter().flatten() {
                    bytes += text.len() as u64;
                    self.bytes = self.bytes.max(text.len());
                    // A text has at least a quarter as many characters as bytes and at most as many.
                    if text.len() > self.chars {
                        let chars = text.chars().count();
                        if chars > self.chars {
                            self.chars = chars;
                            self.longest = show_text(text);
                        }
                    }
                }
            }
            Column::Bytes(array) => {
                for value in array.iter().flatten() {
                    bytes += value.len() as u64;
                    self.bytes = self.bytes.max(value.len());
                }
            }
            _ => {}
        }
        bytes
    }
}
