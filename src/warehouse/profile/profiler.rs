//! Counting while rows pass: one part for each partition of a plan, put together when all have passed.

use std::sync::{Arc, Mutex, PoisonError};

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::{Schema, SchemaRef};

use super::column::{Column, Scratch, as_counted};
use crate::warehouse::storable_schema;

/// Columns by their place; none for one that could not be counted.
pub(super) type Columns = Vec<Option<Column>>;

/// What is known of the rows of one write.
#[derive(Debug)]
pub struct Profiler {
    schema: SchemaRef,
    parts: Mutex<Vec<(usize, Columns)>>,
}

impl Profiler {
    /// For rows of `schema`.
    pub fn new(schema: &Schema) -> Arc<Profiler> {
        Arc::new(Profiler { schema: storable_schema(schema), parts: Mutex::default() })
    }

    /// The part of one partition.
    pub fn part(self: &Arc<Self>, partition: usize) -> Part {
        Part { columns: self.nothing(), profiler: Arc::clone(self), partition, scratch: Scratch::default() }
    }

    /// The types of the columns, as they are stored.
    pub(super) fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn nothing(&self) -> Columns {
        self.schema.fields().iter().map(|field| Some(Column::new(field.data_type()))).collect()
    }

    /// All parts that have ended, in the order of the partitions, so that the same rows give the same numbers.
    pub(super) fn finish(&self) -> Columns {
        let mut parts = std::mem::take(&mut *self.parts.lock().unwrap_or_else(PoisonError::into_inner));
        parts.sort_by_key(|(partition, _)| *partition);
        let mut parts = parts.into_iter().map(|(_, columns)| columns);
        let mut whole = parts.next().unwrap_or_else(|| self.nothing());
        for part in parts {
            for (column, other) in whole.iter_mut().zip(part) {
                *column = merged(column.take(), other);
            }
        }
        whole
    }
}

/// Two columns as one; none if one is not known or they do not fit.
pub(super) fn merged(one: Option<Column>, two: Option<Column>) -> Option<Column> {
    let (mut one, two) = (one?, two?);
    one.merge(two).then_some(one)
}

/// See [`Profiler::part`]. It counts for the whole when it is dropped.
#[derive(Debug)]
pub struct Part {
    profiler: Arc<Profiler>,
    partition: usize,
    columns: Columns,
    scratch: Scratch,
}

impl Part {
    /// Counts the rows of `batch`.
    pub fn see(&mut self, batch: &RecordBatch) {
        let fields = self.profiler.schema.fields();
        for ((place, field), array) in self.columns.iter_mut().zip(fields).zip(batch.columns()) {
            match (place.as_mut(), as_counted(array, field.data_type())) {
                (Some(column), Some(array)) => column.update(&array, &mut self.scratch),
                _ => *place = None,
            }
        }
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        let columns = std::mem::take(&mut self.columns);
        let mut parts = self.profiler.parts.lock().unwrap_or_else(PoisonError::into_inner);
        parts.push((self.partition, columns));
    }
}
