//! Rows become batches, which are sent on as soon as they are full.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, RecordBatch, RecordBatchOptions};
use datafusion::arrow::compute::{CastOptions, cast_with_options};
use datafusion::arrow::datatypes::{Field, Schema, SchemaRef};
use datafusion::arrow::util::display::array_value_to_string;
use datafusion::error::Result as DataFusionResult;
use futures::TryStreamExt;
use futures::stream::BoxStream;
use tokio::sync::mpsc::Sender;

use super::column::Column;
use super::value::{Builder, Misfit, Value};
use crate::diag::{Diagnostic, Result, codes};

/// Bytes after which a batch is sent although it has few rows.
const BATCH_BYTES: usize = 8 << 20;

/// A value of a row, unless it does not fit or the driver cannot get at it.
pub(super) type ReadValue<'r> = std::result::Result<std::result::Result<Value<'r>, Misfit>, sqlx::Error>;

/// Why rows stopped coming.
#[derive(Debug)]
pub(super) enum Stop {
    /// The server, or the way to it.
    Server(sqlx::Error),
    /// A value that does not fit, or a mistake in the declaration.
    Found(Box<Diagnostic>),
    /// Nobody wants more rows.
    Unwanted,
}

impl From<sqlx::Error> for Stop {
    fn from(error: sqlx::Error) -> Stop {
        Stop::Server(error)
    }
}

impl From<Box<Diagnostic>> for Stop {
    fn from(found: Box<Diagnostic>) -> Stop {
        Stop::Found(found)
    }
}

/// Where batches go.
pub(super) enum Outlet {
    /// To whoever runs the scan.
    Channel(Sender<DataFusionResult<RecordBatch>>),
    /// They are kept.
    Kept(Vec<RecordBatch>),
}

/// The schema of `columns` as queries see them.
pub(super) fn schema_of(columns: &[Column]) -> SchemaRef {
    let fields: Vec<Field> =
        columns.iter().map(|column| Field::new(&column.name, column.seen_type().clone(), true)).collect();
    Arc::new(Schema::new(fields))
}

/// Rows on their way into batches of `columns`.
pub(super) struct Collector {
    columns: Vec<Column>,
    builders: Vec<Builder>,
    schema: SchemaRef,
    /// The table, for messages.
    table: String,
    /// The column of `columns` that tells rows apart, and its value in the row that is being read.
    key: Option<usize>,
    key_value: Option<i128>,
    fetch_size: usize,
    rows: usize,
    bytes: usize,
    /// Rows that were sent.
    pub(super) sent: u64,
    outlet: Outlet,
}

impl Collector {
    /// A collector of rows of `table`.
    ///
    /// # Errors
    /// C5005 for a column of a type that cannot be read.
    pub(super) fn new(
        columns: Vec<Column>,
        table: &str,
        key: Option<&str>,
        fetch_size: usize,
        outlet: Outlet,
    ) -> Result<Collector> {
        let builder = |column: &Column| {
            Builder::new(&column.data_type).ok_or_else(|| {
                Diagnostic::error(codes::BAD_SOURCE, format!("column `{}` of `{table}` cannot be read", column.name))
                    .note(format!("its type is `{}` there", column.server_type))
            })
        };
        let builders = columns.iter().map(builder).collect::<Result<Vec<_>>>()?;
        Ok(Collector {
            schema: schema_of(&columns),
            key: key.and_then(|key| columns.iter().position(|column| column.name == key)),
            columns,
            builders,
            table: table.to_string(),
            key_value: None,
            fetch_size,
            rows: 0,
            bytes: 0,
            sent: 0,
            outlet,
        })
    }

    /// Takes all `rows`, of which `value` reads one value of a column.
    ///
    /// # Errors
    /// What the rows or their values fail with.
    pub(super) async fn take<R>(
        &mut self,
        mut rows: BoxStream<'_, std::result::Result<R, sqlx::Error>>,
        value: impl for<'r> Fn(&'r R, usize, &Column) -> ReadValue<'r>,
    ) -> std::result::Result<(), Stop> {
        while let Some(row) = rows.try_next().await? {
            for at in 0..self.columns.len() {
                let value = value(&row, at, &self.columns[at])?;
                self.put(at, value)?;
            }
            if self.end_row() {
                self.flush().await?;
            }
        }
        drop(rows);
        self.flush().await
    }

    /// Takes the value of column `at` of the row that is being read.
    ///
    /// # Errors
    /// C5002 if it does not fit.
    pub(super) fn put(&mut self, at: usize, value: Result<Value<'_>, Misfit>) -> Result<()> {
        if self.key == Some(at) {
            self.key_value = match value {
                Ok(Value::Int(value)) => Some(value.into()),
                Ok(Value::UInt(value)) => Some(value.into()),
                _ => None,
            };
        }
        match value.and_then(|value| self.builders[at].push(value)) {
            Ok(bytes) => {
                self.bytes += bytes;
                Ok(())
            }
            Err(misfit) => Err(self.misfit(at, self.rows, self.key_value, &misfit)),
        }
    }

    /// Ends the row; true if it is time to [`flush`](Self::flush).
    pub(super) fn end_row(&mut self) -> bool {
        self.rows += 1;
        self.key_value = None;
        self.rows >= self.fetch_size || self.bytes >= BATCH_BYTES
    }

    /// Sends what there is.
    ///
    /// # Errors
    /// C5002 if a value cannot be converted to the declared type; [`Stop::Unwanted`] if nobody listens.
    pub(super) async fn flush(&mut self) -> Result<(), Stop> {
        if self.rows == 0 {
            return Ok(());
        }
        let mut arrays = Vec::with_capacity(self.builders.len());
        for at in 0..self.builders.len() {
            let array = self.builders[at].finish();
            arrays.push(self.converted(at, array)?);
        }
        let options = RecordBatchOptions::new().with_row_count(Some(self.rows));
        let batch = RecordBatch::try_new_with_options(Arc::clone(&self.schema), arrays, &options).map_err(|error| {
            Diagnostic::error(codes::INTERNAL, format!("rows of `{}` make no batch: {error}", self.table))
        })?;
        self.sent += self.rows as u64;
        self.rows = 0;
        self.bytes = 0;
        match &mut self.outlet {
            Outlet::Channel(sender) => sender.send(Ok(batch)).await.map_err(|_| Stop::Unwanted),
            Outlet::Kept(kept) => {
                kept.push(batch);
                Ok(())
            }
        }
    }

    /// The batches that were kept.
    pub(super) fn into_kept(self) -> Vec<RecordBatch> {
        match self.outlet {
            Outlet::Kept(kept) => kept,
            Outlet::Channel(_) => Vec::new(),
        }
    }

    /// The array in the declared type.
    fn converted(&self, at: usize, array: ArrayRef) -> Result<ArrayRef> {
        let Some(wanted) = &self.columns[at].wanted else { return Ok(array) };
        let options = CastOptions { safe: true, ..CastOptions::default() };
        let cast = cast_with_options(&array, wanted, &options).map_err(|error| {
            Diagnostic::error(
                codes::BAD_SOURCE,
                format!("column `{}` cannot be converted: {error}", self.columns[at].name),
            )
        })?;
        if cast.null_count() == array.null_count() {
            return Ok(cast);
        }
        let lost = (0..array.len()).find(|row| cast.is_null(*row) && array.is_valid(*row)).unwrap_or(0);
        let value = array_value_to_string(&array, lost).unwrap_or_default();
        Err(self.misfit(at, lost, None, &Misfit(format!("`{value}` does not fit into the declared type"))))
    }

    fn misfit(&self, at: usize, row: usize, key: Option<i128>, misfit: &Misfit) -> Box<Diagnostic> {
        let column = &self.columns[at];
        let row = match (key, self.key) {
            (Some(value), Some(key)) => format!("the row with `{}` = {value}", self.columns[key].name),
            _ => format!("row {} of the scan", self.sent + row as u64 + 1),
        };
        Diagnostic::error(codes::BAD_RECORD, format!("column `{}` of `{}`: {}", column.name, self.table, misfit.0))
            .note(format!("it is in {row}; the column's type is `{}` there", column.server_type))
            .help(format!("declare another type: {{name: {}, data_type: varchar}}", column.name))
    }
}
