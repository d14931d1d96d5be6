//! Rows as Parquet.
//!
//! The columns keep their Arrow types as far as other readers know them: dictionaries and views become plain values, time
//! is UTC to the microsecond as in every destination, and a column of nothing but nulls is one of texts.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, new_null_array};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression as Codec, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;

use super::super::column::{Unfit, timestamp_micros};
use super::super::kind::Kind;
use super::super::place::Place;
use super::super::shape::{Chunk, Shape};
use super::config::Compression;
use crate::diag::{Diagnostic, Result, codes};

/// Rows of a row group; fewer where they are large.
const GROUP_ROWS: usize = 1 << 20;
/// Bytes of a row group in memory.
const GROUP_BYTES: usize = 64 << 20;

/// A file that is being written.
pub(super) struct ParquetFile {
    writer: ArrowWriter<Vec<u8>>,
    schema: SchemaRef,
    columns: Vec<usize>,
}

impl ParquetFile {
    /// An empty file of these columns.
    pub(super) fn new(
        place: &Place,
        schema: &SchemaRef,
        columns: &[usize],
        compression: Compression,
    ) -> Result<ParquetFile> {
        let codec = match compression {
            Compression::None => Codec::UNCOMPRESSED,
            Compression::Gzip => Codec::GZIP(Default::default()),
            Compression::Zstd => Codec::ZSTD(ZstdLevel::default()),
            Compression::Snappy => Codec::SNAPPY,
        };
        let properties = WriterProperties::builder()
            .set_compression(codec)
            .set_max_row_group_row_count(Some(GROUP_ROWS))
            .set_created_by(concat!("c360 version ", env!("CARGO_PKG_VERSION")).to_string())
            .build();
        let writer = ArrowWriter::try_new(Vec::new(), Arc::clone(schema), Some(properties));
        let writer = writer.map_err(|error| unfit(place, &error))?;
        Ok(ParquetFile { writer, schema: Arc::clone(schema), columns: columns.to_vec() })
    }

    /// Adds `rows` rows of `chunk` from `start` on; what is ready for the file is appended to `out`.
    pub(super) fn add(
        &mut self,
        place: &Place,
        shape: &Shape,
        chunk: &Chunk,
        start: usize,
        rows: usize,
        out: &mut Vec<u8>,
    ) -> Result<()> {
        let part = chunk.batch.slice(start, rows);
        let mut arrays = Vec::with_capacity(self.columns.len());
        for (at, field) in self.columns.iter().zip(self.schema.fields()) {
            let array = plain(part.column(*at), shape.fields[*at].kind, field.data_type());
            arrays.push(array.map_err(|error| not_converted(place, field.name(), &error))?);
        }
        let batch = RecordBatch::try_new(Arc::clone(&self.schema), arrays);
        let batch =
            batch.map_err(|error| Diagnostic::error(codes::INTERNAL, format!("a batch of a publish: {error}")))?;
        self.writer.write(&batch).map_err(|error| unfit(place, &error))?;
        if self.writer.in_progress_size() > GROUP_BYTES {
            self.writer.flush().map_err(|error| unfit(place, &error))?;
        }
        out.append(self.writer.inner_mut());
        Ok(())
    }

    /// Bytes that are still to come, roughly.
    pub(super) fn pending(&self) -> u64 {
        self.writer.in_progress_size() as u64
    }

    /// The rest of the file.
    pub(super) fn finish(self, place: &Place) -> Result<Vec<u8>> {
        self.writer.into_inner().map_err(|error| unfit(place, &error))
    }
}

/// The schema of the files: the columns `columns` of `schema`.
pub(super) fn file_schema(shape: &Shape, schema: &Schema, columns: &[usize]) -> SchemaRef {
    let field = |at: &usize| {
        let field = schema.field(*at);
        Field::new(field.name(), file_type(shape.fields[*at].kind, field.data_type()), true)
    };
    Arc::new(Schema::new(columns.iter().map(field).collect::<Vec<_>>()))
}

fn file_type(kind: Kind, data_type: &DataType) -> DataType {
    match kind {
        Kind::Null | Kind::Text => DataType::Utf8,
        Kind::Bool => DataType::Boolean,
        Kind::Int { bits: 8, signed: true } => DataType::Int8,
        Kind::Int { bits: 16, signed: true } => DataType::Int16,
        Kind::Int { bits: 32, signed: true } => DataType::Int32,
        Kind::Int { signed: true, .. } => DataType::Int64,
        Kind::Int { bits: 8, .. } => DataType::UInt8,
        Kind::Int { bits: 16, .. } => DataType::UInt16,
        Kind::Int { bits: 32, .. } => DataType::UInt32,
        Kind::Int { .. } => DataType::UInt64,
        Kind::Float { bits: 32 } => DataType::Float32,
        Kind::Float { .. } => DataType::Float64,
        Kind::Decimal { precision, scale } if precision <= 38 => DataType::Decimal128(precision.max(1), scale as i8),
        Kind::Decimal { precision, scale } => DataType::Decimal256(precision.min(76), scale as i8),
        Kind::Date => DataType::Date32,
        Kind::Timestamp => DataType::Timestamp(TimeUnit::Microsecond, zone(data_type)),
        Kind::Time => DataType::Time64(TimeUnit::Microsecond),
        Kind::Binary => DataType::Binary,
        Kind::Json => match data_type {
            DataType::Dictionary(_, values) => values.as_ref().clone(),
            DataType::RunEndEncoded(_, values) => values.data_type().clone(),
            other => other.clone(),
        },
    }
}

/// Instants stay instants: readers are told so by the zone, which is always UTC.
fn zone(data_type: &DataType) -> Option<Arc<str>> {
    match data_type {
        DataType::Timestamp(_, Some(_)) => Some("UTC".into()),
        DataType::Dictionary(_, values) => zone(values),
        DataType::RunEndEncoded(_, values) => zone(values.data_type()),
        _ => None,
    }
}

fn plain(array: &ArrayRef, kind: Kind, to: &DataType) -> std::result::Result<ArrayRef, String> {
    let words = |error: arrow::error::ArrowError| error.to_string();
    match kind {
        Kind::Null => Ok(new_null_array(to, array.len())),
        Kind::Timestamp => match timestamp_micros(array) {
            Ok(micros) => Ok(Arc::new(micros.with_data_type(to.clone()))),
            Err(Unfit::Type(error)) => Err(words(error)),
            Err(Unfit::Value { value, reason, .. }) => Err(format!("{value} is {reason}")),
        },
        _ if array.data_type() == to => Ok(Arc::clone(array)),
        // Intervals, durations and the like go by their text.
        Kind::Text if !matches!(array.data_type(), DataType::Utf8View) => cast(array, &DataType::Utf8).map_err(words),
        _ => cast(array, to).map_err(words),
    }
}

fn unfit(place: &Place, error: &ParquetError) -> Box<Diagnostic> {
    place
        .unfit(format!("Parquet cannot hold it: {error}"))
        .help("cast the column in the model, or take another `format`")
}

fn not_converted(place: &Place, name: &str, error: &str) -> Box<Diagnostic> {
    place.unfit(format!("column `{name}` cannot be converted: {error}")).help("cast the column in the model")
}
