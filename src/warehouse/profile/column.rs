//! What is known of one column, by the kind of its type.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, Int64Array};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{
    DataType, Date32Type, Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
    TimeUnit, TimestampMicrosecondType,
};

use super::numbers::Numbers;
use super::texts::Texts;

/// One column of rows that were seen.
#[derive(Debug, Clone)]
pub(super) struct Column {
    /// All rows.
    pub(super) rows: u64,
    pub(super) nulls: u64,
    pub(super) values: Values,
}

/// The values that are not null.
#[derive(Debug, Clone)]
pub(super) enum Values {
    Booleans {
        trues: u64,
        falses: u64,
    },
    /// Whole numbers; days; microseconds.
    Whole(Numbers<i64>),
    /// Without their scale.
    Decimals(Numbers<i128>),
    Floats(Numbers<f64>),
    Texts(Texts),
    /// Their lengths.
    Lists(Numbers<i64>),
    /// Structs and maps: nothing is known but their nulls.
    Opaque,
}

impl Values {
    /// For a type of a stored table.
    pub(super) fn new(data_type: &DataType) -> Values {
        match data_type {
            DataType::Boolean => Values::Booleans { trues: 0, falses: 0 },
            DataType::Int8 | DataType::Int16 | DataType::Int32 | DataType::Int64 | DataType::Date32 => {
                Values::Whole(Numbers::new())
            }
            DataType::Timestamp(TimeUnit::Microsecond, _) => Values::Whole(Numbers::new()),
            DataType::Decimal128(_, _) => Values::Decimals(Numbers::new()),
            DataType::Float32 | DataType::Float64 => Values::Floats(Numbers::new()),
            DataType::Utf8 | DataType::Binary => Values::Texts(Texts::new()),
            DataType::List(_) => Values::Lists(Numbers::new()),
            _ => Values::Opaque,
        }
    }
}

/// Room for values on their way, used again for every batch.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    whole: Vec<i64>,
    decimals: Vec<i128>,
    floats: Vec<f64>,
}

impl Column {
    pub(super) fn new(data_type: &DataType) -> Column {
        Column { rows: 0, nulls: 0, values: Values::new(data_type) }
    }

    /// A column in which `rows` rows have no value.
    pub(super) fn of_nulls(data_type: &DataType, rows: u64) -> Column {
        Column { rows, nulls: rows, values: Values::new(data_type) }
    }

    /// Counts the values of `array`, which [`as_counted`] gave for the type that the column was made for.
    pub(super) fn update(&mut self, array: &ArrayRef, scratch: &mut Scratch) {
        self.rows += array.len() as u64;
        self.nulls += array.null_count() as u64;
        match &mut self.values {
            Values::Booleans { trues, falses } => {
                let found = array.as_boolean().true_count() as u64;
                *trues += found;
                *falses += (array.len() - array.null_count()) as u64 - found;
            }
            Values::Whole(numbers) => whole(numbers, array, &mut scratch.whole),
            Values::Decimals(numbers) => {
                numbers.update_same(array.as_primitive::<Decimal128Type>(), &mut scratch.decimals);
            }
            Values::Floats(numbers) => match array.data_type() {
                DataType::Float32 => {
                    numbers.update(array.as_primitive::<Float32Type>(), &mut scratch.floats, f64::from);
                }
                _ => numbers.update_same(array.as_primitive::<Float64Type>(), &mut scratch.floats),
            },
            Values::Texts(texts) => match array.data_type() {
                DataType::Utf8 => texts.update(array.as_string::<i32>()),
                DataType::Utf8View => texts.update_views(array.as_string_view()),
                DataType::BinaryView => texts.update_views(array.as_binary_view()),
                _ => texts.update(array.as_binary::<i32>()),
            },
            Values::Lists(numbers) => {
                let list = array.as_list::<i32>();
                let lengths = list.offsets().lengths().map(|length| length as i64);
                let lengths = Int64Array::new(lengths.collect(), list.nulls().cloned());
                numbers.update_same(&lengths, &mut scratch.whole);
            }
            Values::Opaque => {}
        }
    }

    /// Counts what `other` has counted; false if that is of another kind.
    #[must_use]
    pub(super) fn merge(&mut self, other: Column) -> bool {
        self.rows += other.rows;
        self.nulls += other.nulls;
        match (&mut self.values, other.values) {
            (Values::Booleans { trues, falses }, Values::Booleans { trues: more_trues, falses: more_falses }) => {
                *trues += more_trues;
                *falses += more_falses;
            }
            (Values::Whole(one), Values::Whole(two)) | (Values::Lists(one), Values::Lists(two)) => one.merge(two),
            (Values::Decimals(one), Values::Decimals(two)) => one.merge(two),
            (Values::Floats(one), Values::Floats(two)) => one.merge(two),
            (Values::Texts(one), Values::Texts(two)) => one.merge(two),
            (Values::Opaque, Values::Opaque) => {}
            _ => return false,
        }
        true
    }
}

fn whole(numbers: &mut Numbers<i64>, array: &ArrayRef, scratch: &mut Vec<i64>) {
    match array.data_type() {
        DataType::Int8 => numbers.update(array.as_primitive::<Int8Type>(), scratch, i64::from),
        DataType::Int16 => numbers.update(array.as_primitive::<Int16Type>(), scratch, i64::from),
        DataType::Int32 => numbers.update(array.as_primitive::<Int32Type>(), scratch, i64::from),
        DataType::Date32 => numbers.update(array.as_primitive::<Date32Type>(), scratch, i64::from),
        DataType::Timestamp(_, _) => {
            numbers.update_same(array.as_primitive::<TimestampMicrosecondType>(), scratch);
        }
        _ => numbers.update_same(array.as_primitive::<Int64Type>(), scratch),
    }
}

/// `array` in the type that a table stores, or in one whose values are the same; none if it does not fit.
pub(super) fn as_counted(array: &ArrayRef, stored: &DataType) -> Option<ArrayRef> {
    match (array.data_type(), stored) {
        // A view is read where it is: a cast would copy every value.
        (DataType::Utf8View, DataType::Utf8) | (DataType::BinaryView, DataType::Binary) => Some(Arc::clone(array)),
        (given, stored) if given == stored => Some(Arc::clone(array)),
        _ => cast(array, stored).ok(),
    }
}
