//! Which Arrow types a Delta table can hold, and what the others become.

use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field, Fields, Schema, SchemaRef, TimeUnit};

/// The schema in which rows of `schema` are stored. Delta has no unsigned integers, no times, no dictionaries and no
/// nanoseconds: `uint64` becomes `bigint` (a value past its range fails the cast), smaller unsigned integers the next
/// wider signed one, timestamps microseconds, times and intervals text, `null` text.
pub fn storable_schema(schema: &Schema) -> SchemaRef {
    let fields: Vec<Field> =
        schema.fields().iter().map(|field| Field::new(field.name(), storable(field.data_type()), true)).collect();
    Arc::new(Schema::new(fields))
}

/// The schema in which a query reads a table that is stored as `schema`: Delta's scans give texts and bytes as views, and
/// call the items of a list `element`.
pub fn scanned_schema(schema: &Schema) -> SchemaRef {
    Arc::new(Schema::new(schema.fields().iter().map(scanned_field).collect::<Fields>()))
}

fn scanned_field(field: &Arc<Field>) -> Arc<Field> {
    let data_type = match field.data_type() {
        DataType::Utf8 | DataType::LargeUtf8 => DataType::Utf8View,
        DataType::Binary | DataType::LargeBinary => DataType::BinaryView,
        DataType::List(item) => DataType::List(Arc::new(scanned_field(item).as_ref().clone().with_name("element"))),
        DataType::Struct(fields) => DataType::Struct(fields.iter().map(scanned_field).collect()),
        _ => return Arc::clone(field),
    };
    Arc::new(field.as_ref().clone().with_data_type(data_type))
}

fn storable(data_type: &DataType) -> DataType {
    match data_type {
        DataType::UInt8 => DataType::Int16,
        DataType::UInt16 => DataType::Int32,
        DataType::UInt32 | DataType::UInt64 => DataType::Int64,
        DataType::Float16 => DataType::Float32,
        DataType::Timestamp(_, zone) => DataType::Timestamp(TimeUnit::Microsecond, zone.as_ref().map(|_| "UTC".into())),
        DataType::Date64 => DataType::Date32,
        DataType::LargeUtf8 | DataType::Utf8View | DataType::Null => DataType::Utf8,
        DataType::Time32(_) | DataType::Time64(_) | DataType::Interval(_) | DataType::Duration(_) => DataType::Utf8,
        DataType::LargeBinary | DataType::BinaryView | DataType::FixedSizeBinary(_) => DataType::Binary,
        DataType::Dictionary(_, value) => storable(value),
        DataType::Decimal32(precision, scale) | DataType::Decimal64(precision, scale) => {
            DataType::Decimal128(*precision, *scale)
        }
        DataType::Decimal256(precision, scale) => DataType::Decimal128((*precision).min(38), *scale),
        DataType::List(item)
        | DataType::LargeList(item)
        | DataType::FixedSizeList(item, _)
        | DataType::ListView(item)
        | DataType::LargeListView(item) => DataType::List(storable_field(item)),
        DataType::Struct(fields) => DataType::Struct(fields.iter().map(storable_field).collect::<Fields>()),
        DataType::Map(entries, sorted) => DataType::Map(map_entries(entries), *sorted),
        other => other.clone(),
    }
}

fn storable_field(field: &Arc<Field>) -> Arc<Field> {
    Arc::new(Field::new(field.name(), storable(field.data_type()), true))
}

/// A map's entries: keys stay non-null.
fn map_entries(entries: &Arc<Field>) -> Arc<Field> {
    let DataType::Struct(fields) = entries.data_type() else { return Arc::clone(entries) };
    let fields: Fields = fields
        .iter()
        .enumerate()
        .map(|(index, field)| Field::new(field.name(), storable(field.data_type()), index > 0))
        .collect();
    Arc::new(Field::new(entries.name(), DataType::Struct(fields), false))
}
