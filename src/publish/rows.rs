//! Where rows come from: something that can be read more than once.
//!
//! A destination may read twice, first to learn how long strings are, then to load; and a load that a server interrupts
//! starts again. So rows are not a stream but something that opens one.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::compute::BatchCoalescer;
use arrow::datatypes::{Schema, SchemaRef};
use async_trait::async_trait;
use datafusion::dataframe::DataFrame;
use datafusion::error::DataFusionError;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::prelude::ident;
use futures::{Stream, StreamExt};

use super::sorted::sorted;
use crate::diag::Result;
use crate::failure::execution_error;

/// Rows per batch after [`batches`] has gathered small ones and cut large ones.
pub(super) const BATCH_ROWS: usize = 8192;

/// A relation that can be read several times and is the same each time.
#[async_trait]
pub trait Rows: Send + Sync {
    /// Its columns.
    fn schema(&self) -> SchemaRef;

    /// Reads it from the start, sorted ascending by `order` (names of columns; empty: in any order).
    async fn open(&self, order: &[String]) -> Result<SendableRecordBatchStream>;

    /// Reads the columns at `positions` alone, with rows in any order.
    async fn open_columns(&self, positions: &[usize]) -> Result<SendableRecordBatchStream> {
        project(self.open(&[]).await?, positions.to_vec())
    }
}

#[async_trait]
impl<T: Rows + ?Sized> Rows for &T {
    fn schema(&self) -> SchemaRef {
        (**self).schema()
    }

    async fn open(&self, order: &[String]) -> Result<SendableRecordBatchStream> {
        (**self).open(order).await
    }

    async fn open_columns(&self, positions: &[usize]) -> Result<SendableRecordBatchStream> {
        (**self).open_columns(positions).await
    }
}

/// Rows of a data frame; sorts in little memory and spills the rest.
pub struct FrameRows(pub DataFrame);

#[async_trait]
impl Rows for FrameRows {
    fn schema(&self) -> SchemaRef {
        Arc::new(self.0.schema().as_arrow().clone())
    }

    async fn open(&self, order: &[String]) -> Result<SendableRecordBatchStream> {
        let frame = self.0.clone();
        let stream = match order.is_empty() {
            true => frame.execute_stream().await,
            false => sorted(frame, order).await,
        };
        stream.map_err(|error| execution_error(&error))
    }

    async fn open_columns(&self, positions: &[usize]) -> Result<SendableRecordBatchStream> {
        let names = positions.iter().map(|at| ident(self.0.schema().field(*at).name()));
        let some = self.0.clone().select(names.collect::<Vec<_>>()).map_err(|error| execution_error(&error))?;
        some.execute_stream().await.map_err(|error| execution_error(&error))
    }
}

/// Some columns of other rows.
pub(super) struct Projected<'a> {
    /// The rows.
    pub(super) rows: &'a dyn Rows,
    /// Positions of the columns.
    pub(super) columns: Vec<usize>,
}

#[async_trait]
impl Rows for Projected<'_> {
    fn schema(&self) -> SchemaRef {
        let schema = self.rows.schema();
        Arc::new(Schema::new(self.columns.iter().map(|at| Arc::clone(&schema.fields()[*at])).collect::<Vec<_>>()))
    }

    async fn open(&self, order: &[String]) -> Result<SendableRecordBatchStream> {
        project(self.rows.open(order).await?, self.columns.clone())
    }

    async fn open_columns(&self, positions: &[usize]) -> Result<SendableRecordBatchStream> {
        let positions: Vec<usize> = positions.iter().map(|at| self.columns[*at]).collect();
        self.rows.open_columns(&positions).await
    }
}

/// The columns at `positions` of a stream.
fn project(stream: SendableRecordBatchStream, positions: Vec<usize>) -> Result<SendableRecordBatchStream> {
    let schema = stream.schema().project(&positions).map_err(|error| execution_error(&DataFusionError::from(error)))?;
    let projected = stream.map(move |batch| Ok(batch?.project(&positions)?));
    Ok(Box::pin(RecordBatchStreamAdapter::new(Arc::new(schema), projected)))
}

/// The batches of `rows` in an even size.
pub(super) async fn batches(
    rows: &dyn Rows,
    order: &[String],
) -> Result<impl Stream<Item = Result<RecordBatch>> + Send + use<>> {
    let stream = rows.open(order).await?;
    let even = BatchCoalescer::new(stream.schema(), BATCH_ROWS);
    Ok(futures::stream::unfold(Some((stream, even)), |state| async move {
        let (mut stream, mut even) = state?;
        loop {
            if let Some(batch) = even.next_completed_batch() {
                return Some((Ok(batch), Some((stream, even))));
            }
            let pushed = match stream.next().await {
                Some(Ok(batch)) => even.push_batch(batch),
                Some(Err(error)) => return Some((Err(execution_error(&error)), None)),
                None if even.is_empty() => return None,
                None => even.finish_buffered_batch(),
            };
            if let Err(error) = pushed {
                return Some((Err(execution_error(&DataFusionError::from(error))), None));
            }
        }
    }))
}
