//! Values as JSON.

use std::fmt::Write as _;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, StringArray, StructArray};
use arrow::datatypes::{DataType, Field, FieldRef, Fields, Schema};
use arrow::error::ArrowError;
use arrow::record_batch::RecordBatch;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use arrow_json::writer::{Encoder, EncoderFactory, EncoderOptions, NullableEncoder, make_encoder};

use super::RowWriter;

/// An object a line.
pub(super) struct JsonLines;

impl RowWriter for JsonLines {
    fn start(&mut self, _: &Schema, _: &mut Vec<u8>) {}

    fn batch(&mut self, batch: &RecordBatch, out: &mut Vec<u8>) -> Result<(), ArrowError> {
        rows(batch, out, |_, out| out.push(b'\n'))
    }

    fn end(&mut self, _: &mut Vec<u8>) {}
}

/// `{"node": "..", "show": [..]}`, a row a line.
pub(super) struct JsonShow {
    node: Option<String>,
    rows: usize,
}

impl JsonShow {
    pub(super) fn new(node: Option<String>) -> JsonShow {
        JsonShow { node, rows: 0 }
    }
}

impl RowWriter for JsonShow {
    fn start(&mut self, _: &Schema, out: &mut Vec<u8>) {
        out.push(b'{');
        if let Some(node) = &self.node {
            out.extend_from_slice(format!("\"node\": {}, ", serde_json::Value::from(node.as_str())).as_bytes());
        }
        out.extend_from_slice(b"\"show\": [");
    }

    fn batch(&mut self, batch: &RecordBatch, out: &mut Vec<u8>) -> Result<(), ArrowError> {
        let mut encoded = Vec::new();
        let mut ends = Vec::with_capacity(batch.num_rows());
        rows(batch, &mut encoded, |_, encoded| ends.push(encoded.len()))?;
        let mut start = 0;
        for end in ends {
            out.extend_from_slice(if self.rows == 0 { b"\n  " } else { b",\n  " });
            out.extend_from_slice(&encoded[start..end]);
            (start, self.rows) = (end, self.rows + 1);
        }
        Ok(())
    }

    fn end(&mut self, out: &mut Vec<u8>) {
        out.extend_from_slice(if self.rows == 0 { b"]}\n" } else { b"\n]}\n" });
    }
}

/// Appends an object for each row of `batch`; `after` is called behind each.
fn rows(batch: &RecordBatch, out: &mut Vec<u8>, mut after: impl FnMut(usize, &mut Vec<u8>)) -> Result<(), ArrowError> {
    let array = StructArray::from(batch.clone());
    let field: FieldRef = Arc::new(Field::new("row", DataType::Struct(batch.schema().fields().clone()), false));
    let options = options();
    let mut encoder = make_encoder(&field, &array, &options)?;
    for row in 0..batch.num_rows() {
        encoder.encode(row, out);
        after(row, out);
    }
    Ok(())
}

/// `batch` with its nested columns as texts of JSON, for formats that know no nesting.
pub(super) fn flattened(batch: &RecordBatch) -> Result<RecordBatch, ArrowError> {
    if !batch.columns().iter().any(|column| column.data_type().is_nested()) {
        return Ok(batch.clone());
    }
    let schema = batch.schema();
    let mut fields: Vec<FieldRef> = Vec::new();
    let mut columns: Vec<ArrayRef> = Vec::new();
    for (field, column) in schema.fields().iter().zip(batch.columns()) {
        if column.data_type().is_nested() {
            fields.push(Arc::new(Field::new(field.name(), DataType::Utf8, true)));
            columns.push(Arc::new(texts(field, column)?));
        } else {
            fields.push(Arc::clone(field));
            columns.push(Arc::clone(column));
        }
    }
    RecordBatch::try_new(Arc::new(Schema::new(Fields::from(fields))), columns)
}

/// The values of `column` as texts of JSON; NULL stays NULL.
fn texts(field: &FieldRef, column: &ArrayRef) -> Result<StringArray, ArrowError> {
    let options = options();
    let mut encoder = make_encoder(field, column, &options)?;
    let text = |row| {
        (!encoder.is_null(row)).then(|| {
            let mut bytes = Vec::new();
            encoder.encode(row, &mut bytes);
            String::from_utf8_lossy(&bytes).into_owned()
        })
    };
    Ok((0..column.len()).map(text).collect())
}

fn options() -> EncoderOptions {
    EncoderOptions::default()
        .with_explicit_nulls(true)
        .with_datetime_format("%Y-%m-%d".to_string())
        .with_encoder_factory(Arc::new(AsText))
}

/// Types that JSON has no shape for (unions, maps whose keys are no texts) become texts.
#[derive(Debug)]
struct AsText;

impl EncoderFactory for AsText {
    fn make_default_encoder<'a>(
        &self,
        _field: &'a FieldRef,
        array: &'a dyn Array,
        _options: &'a EncoderOptions,
    ) -> Result<Option<NullableEncoder<'a>>, ArrowError> {
        if !is_shapeless(array.data_type()) {
            return Ok(None);
        }
        let formatter = ArrayFormatter::try_new(array, &FormatOptions::new().with_display_error(true))?;
        Ok(Some(NullableEncoder::new(Box::new(TextEncoder(formatter)), array.logical_nulls())))
    }
}

fn is_shapeless(data_type: &DataType) -> bool {
    match data_type {
        DataType::Union(..) => true,
        DataType::Map(entries, _) => match entries.data_type() {
            DataType::Struct(fields) => fields.first().is_none_or(|key| !key.data_type().is_string()),
            _ => true,
        },
        _ => false,
    }
}

struct TextEncoder<'a>(ArrayFormatter<'a>);

impl Encoder for TextEncoder<'_> {
    fn encode(&mut self, row: usize, out: &mut Vec<u8>) {
        let mut text = String::new();
        // The formatter writes its own errors into the text.
        let _never = write!(text, "{}", self.0.value(row));
        out.extend_from_slice(serde_json::Value::from(text).to_string().as_bytes());
    }
}
