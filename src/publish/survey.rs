//! A first look at the rows, for destinations whose types need a length.

use futures::{StreamExt, pin_mut};

use super::column::{Column, show_text};
use super::place::Place;
use super::rows::{Rows, batches};
use super::shape::Shape;
use crate::diag::Result;

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
    /// Bytes of all values.
    pub(super) bytes: u64,
}

/// Reads all rows once, unsorted. Finds on the way what no destination can hold, so that nothing is touched for it.
pub(super) async fn survey(place: &Place, shape: &Shape, rows: &dyn Rows) -> Result<Survey> {
    let mut found = Survey { measures: vec![Measure::default(); shape.fields.len()], rows: 0, bytes: 0 };
    let stream = batches(rows, &[]).await?;
    pin_mut!(stream);
    while let Some(batch) = stream.next().await {
        let chunk = shape.convert(place, batch?, found.rows)?;
        found.rows += chunk.rows() as u64;
        found.bytes += chunk.bytes();
        for (measure, column) in found.measures.iter_mut().zip(&chunk.columns) {
            measure.take(column);
        }
    }
    Ok(found)
}

impl Measure {
    fn take(&mut self, column: &Column) {
        match column {
            Column::Texts(array) => {
                for text in array.iter().flatten() {
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
                self.bytes = array.iter().flatten().map(<[u8]>::len).max().unwrap_or(0).max(self.bytes);
            }
            _ => {}
        }
    }
}
