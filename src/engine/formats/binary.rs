//! Avro and Arrow IPC files.
//!
//! Each file is read by its own schema; its batches are then brought to the source's columns by name, so files may have
//! their columns in another order, lack some, or have narrower numbers.

use std::io::{BufReader, Cursor, Read, Seek, SeekFrom};
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions, new_null_array};
use datafusion::arrow::compute::{CastOptions, cast_with_options};
use datafusion::arrow::datatypes::{Schema, SchemaRef};
use datafusion::arrow::error::ArrowError;
use datafusion::arrow::ipc::reader::{FileReader, StreamReader};
use datafusion::arrow_avro::reader::ReaderBuilder;
use datafusion::error::Result as DfResult;
use futures::stream::{BoxStream, StreamExt};
use object_store::{GetOptions, GetResultPayload, ObjectMeta, ObjectStore};

use crate::diag::{self, Diagnostic, codes};

use super::errors::{guard, into_datafusion, unreadable};
use super::records::Part;
use super::rejects::ScanRun;
use super::spec::Format;
use super::types::sql_name;

/// Batches of a file.
type Batches = Box<dyn Iterator<Item = Result<RecordBatch, ArrowError>> + Send>;

/// Something to read from with jumps.
trait Input: Read + Seek + Send {}
impl<T: Read + Seek + Send> Input for T {}

/// The batches of one file, with the columns of `part.schema`.
pub(super) async fn read(part: Part, run: Arc<ScanRun>) -> diag::Result<BoxStream<'static, DfResult<RecordBatch>>> {
    run.opened(&part.label);
    let format = run.spec.format;
    run.stats.add_bytes(part.meta.size as usize);
    let wanted = Arc::clone(&part.schema);
    let (_, mut batches) =
        open(format, part.store.as_ref(), &part.meta, &part.label, Some((&wanted, part.batch_size))).await?;
    let label = part.label;
    let next = move || -> Option<DfResult<RecordBatch>> {
        let batch = guard(&label, || batches.next()).transpose()?;
        let adapted = batch
            .and_then(|batch| batch.map_err(|error| unreadable(&label, &error)))
            .and_then(|batch| adapt(&batch, &wanted, &label))
            .inspect(|batch| run.stats.add_records(batch.num_rows()));
        Some(adapted.map_err(into_datafusion))
    };
    Ok(futures::stream::iter(std::iter::from_fn(next)).boxed())
}

/// The columns of one file.
pub(super) async fn schema(
    format: Format,
    store: &dyn ObjectStore,
    meta: &ObjectMeta,
    label: &str,
) -> diag::Result<SchemaRef> {
    Ok(open(format, store, meta, label, None).await?.0)
}

/// Opens a file: its schema and its batches, of which only `wanted` columns are read.
async fn open(
    format: Format,
    store: &dyn ObjectStore,
    meta: &ObjectMeta,
    label: &str,
    wanted: Option<(&Schema, usize)>,
) -> diag::Result<(SchemaRef, Batches)> {
    let result = store.get_opts(&meta.location, GetOptions::default()).await;
    let result = result.map_err(|error| unreadable(label, &error))?;
    let input: Box<dyn Input> = match result.payload {
        GetResultPayload::File(file, _) => Box::new(file),
        GetResultPayload::Stream(_) => {
            Box::new(Cursor::new(result.bytes().await.map_err(|error| unreadable(label, &error))?))
        }
    };
    let opened = match format {
        Format::Avro => guard(label, || open_avro(input, wanted))?,
        _ => guard(label, || open_arrow(input, wanted.map(|(schema, _)| schema)))?,
    };
    opened.map_err(|error| unreadable(label, &error))
}

fn open_avro(input: Box<dyn Input>, wanted: Option<(&Schema, usize)>) -> Result<(SchemaRef, Batches), ArrowError> {
    let mut input = BufReader::new(input);
    let reader = ReaderBuilder::new().build(&mut input)?;
    let schema = reader.schema();
    drop(reader);
    let Some((wanted, batch_size)) = wanted else { return Ok((schema, Box::new(std::iter::empty()))) };
    input.seek(SeekFrom::Start(0))?;
    let mut builder = ReaderBuilder::new().with_batch_size(batch_size);
    let projection = columns_of(&schema, wanted);
    // Without any column there would be no telling how many rows there are.
    if !projection.is_empty() {
        builder = builder.with_projection(projection);
    }
    Ok((schema, Box::new(builder.build(input)?)))
}

fn open_arrow(mut input: Box<dyn Input>, wanted: Option<&Schema>) -> Result<(SchemaRef, Batches), ArrowError> {
    let mut magic = [0; 6];
    let is_file = input.read_exact(&mut magic).is_ok() && magic == *b"ARROW1";
    input.seek(SeekFrom::Start(0))?;
    let mut input = BufReader::new(input);
    let schema = match is_file {
        true => FileReader::try_new(&mut input, None)?.schema(),
        false => StreamReader::try_new(&mut input, None)?.schema(),
    };
    let Some(wanted) = wanted else { return Ok((schema, Box::new(std::iter::empty()))) };
    input.seek(SeekFrom::Start(0))?;
    let projection = Some(columns_of(&schema, wanted)).filter(|projection| !projection.is_empty());
    let batches: Batches = match is_file {
        true => Box::new(FileReader::try_new(input, projection)?),
        false => Box::new(StreamReader::try_new(input, projection)?),
    };
    Ok((schema, batches))
}

/// Where the wanted columns are in a file, in the file's order.
fn columns_of(file: &Schema, wanted: &Schema) -> Vec<usize> {
    let mut found: Vec<usize> = wanted.fields().iter().filter_map(|field| find(file, field.name())).collect();
    found.sort_unstable();
    found.dedup();
    found
}

/// The column `name`, else the one that differs in case alone.
fn find(schema: &Schema, name: &str) -> Option<usize> {
    let folded = || {
        let lower = name.to_lowercase();
        schema.fields().iter().position(|field| field.name().to_lowercase() == lower)
    };
    schema.index_of(name).ok().or_else(folded)
}

/// Brings a batch to the columns of `wanted`, by name; columns that it lacks are NULL.
fn adapt(batch: &RecordBatch, wanted: &SchemaRef, label: &str) -> diag::Result<RecordBatch> {
    let schema = batch.schema();
    let mut columns: Vec<ArrayRef> = Vec::with_capacity(wanted.fields().len());
    for field in wanted.fields() {
        let Some(at) = find(&schema, field.name()) else {
            columns.push(new_null_array(field.data_type(), batch.num_rows()));
            continue;
        };
        let column = batch.column(at);
        if column.data_type() == field.data_type() {
            columns.push(Arc::clone(column));
            continue;
        }
        let options = CastOptions { safe: false, ..Default::default() };
        columns.push(cast_with_options(column, field.data_type(), &options).map_err(|error| {
            let found =
                format!("column `{}` of `{label}` cannot be read as {}", field.name(), sql_name(field.data_type()));
            Diagnostic::error(codes::SCHEMA_MISMATCH, found)
                .note(format!("it is {} in the file: {error}", sql_name(column.data_type())))
                .help("declare the column with a type that holds its values")
        })?);
    }
    let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    RecordBatch::try_new_with_options(Arc::clone(wanted), columns, &options).map_err(|error| unreadable(label, &error))
}
