//! Columns of a batch in the few forms in which values travel to a destination.
//!
//! Whatever Arrow calls it, a value is sent as a whole number, a double, text or bytes ([`Cell`]). The conversion happens
//! a column at a time, mostly by Arrow's own kernels and mostly without copying, so that the loops that bind a million
//! rows match on a handful of arms. Values that no destination can hold are found here.

use std::fmt::Write as _;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BinaryViewArray, BooleanArray, Date32Array, Float64Array, Int64Array, StringViewArray,
    StringViewBuilder, Time64MicrosecondArray, TimestampMicrosecondArray, UInt64Array,
};
use arrow::compute::cast;
use arrow::datatypes::{
    DataType, Date32Type, Field, Float64Type, Int64Type, Time64MicrosecondType, TimeUnit, TimestampMicrosecondType,
    UInt64Type,
};
use arrow::error::ArrowError;
use arrow::util::display::array_value_to_string;
use arrow_json::writer::{EncoderOptions, make_encoder};
use chrono::{DateTime, Datelike, NaiveDate, Timelike};

use super::kind::Kind;

/// A column, ready to be sent.
#[derive(Debug, Clone)]
pub(super) enum Column {
    /// As many nulls as the batch has rows.
    Nulls,
    /// True and false.
    Bools(BooleanArray),
    /// Signed whole numbers.
    Ints(Int64Array),
    /// Unsigned whole numbers of 64 bits.
    UInts(UInt64Array),
    /// Doubles; never NaN or infinite.
    Floats(Float64Array),
    /// Text, and everything that is sent as text.
    Texts(StringViewArray),
    /// Bytes.
    Bytes(BinaryViewArray),
}

/// One value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Cell<'a> {
    Null,
    Bool(bool),
    Int(i64),
    UInt(u64),
    Float(f64),
    Text(&'a str),
    Bytes(&'a [u8]),
}

/// Why a column cannot be sent.
#[derive(Debug)]
pub(super) enum Unfit {
    /// The value in this row.
    Value { row: usize, value: String, reason: &'static str },
    /// The type as a whole.
    Type(ArrowError),
}

impl From<ArrowError> for Unfit {
    fn from(error: ArrowError) -> Unfit {
        Unfit::Type(error)
    }
}

impl Column {
    /// Converts `array`, a column called `name` of kind `kind`.
    pub(super) fn new(name: &str, kind: Kind, array: &ArrayRef) -> Result<Column, Unfit> {
        Ok(match kind {
            Kind::Null => Column::Nulls,
            Kind::Bool => Column::Bools(cast(array, &DataType::Boolean)?.as_boolean().clone()),
            Kind::Int { bits: 64, signed: false } => {
                Column::UInts(cast(array, &DataType::UInt64)?.as_primitive::<UInt64Type>().clone())
            }
            Kind::Int { .. } => Column::Ints(cast(array, &DataType::Int64)?.as_primitive::<Int64Type>().clone()),
            Kind::Float { .. } => floats(array)?,
            Kind::Decimal { precision, scale } => decimals(array, precision, scale)?,
            Kind::Date => dates(array)?,
            Kind::Timestamp => timestamps(array)?,
            Kind::Time => times(array)?,
            Kind::Text => texts(array)?,
            Kind::Binary => bytes(array)?,
            Kind::Json => json(name, array)?,
        })
    }

    /// The value in `row`.
    pub(super) fn cell(&self, row: usize) -> Cell<'_> {
        match self {
            Column::Nulls => Cell::Null,
            Column::Bools(array) if array.is_valid(row) => Cell::Bool(array.value(row)),
            Column::Ints(array) if array.is_valid(row) => Cell::Int(array.value(row)),
            Column::UInts(array) if array.is_valid(row) => Cell::UInt(array.value(row)),
            Column::Floats(array) if array.is_valid(row) => Cell::Float(array.value(row)),
            Column::Texts(array) if array.is_valid(row) => Cell::Text(array.value(row)),
            Column::Bytes(array) if array.is_valid(row) => Cell::Bytes(array.value(row)),
            _ => Cell::Null,
        }
    }
}

impl Cell<'_> {
    /// Bytes on the wire, roughly (MySQL's binary protocol).
    pub(super) fn bytes(&self) -> usize {
        match self {
            Cell::Null => 0,
            Cell::Bool(_) => 1,
            Cell::Int(_) | Cell::UInt(_) | Cell::Float(_) => 8,
            Cell::Text(text) => text.len() + 4,
            Cell::Bytes(bytes) => bytes.len() + 4,
        }
    }

    /// For messages: cut when long, text in quotes, bytes in hexadecimal.
    pub(super) fn show(&self) -> String {
        match self {
            Cell::Null => "NULL".to_string(),
            Cell::Bool(flag) => flag.to_string(),
            Cell::Int(number) => number.to_string(),
            Cell::UInt(number) => number.to_string(),
            Cell::Float(number) => number.to_string(),
            Cell::Text(text) => show_text(text),
            Cell::Bytes(bytes) => {
                let mut out = String::from("0x");
                for byte in bytes.iter().take(24) {
                    let _ = write!(out, "{byte:02x}");
                }
                out + if bytes.len() > 24 { "..." } else { "" }
            }
        }
    }
}

/// `'text'`, cut after 60 characters.
pub(super) fn show_text(text: &str) -> String {
    match text.char_indices().nth(60) {
        Some((end, _)) => format!("'{}...'", &text[..end]),
        None => format!("'{text}'"),
    }
}

/// A finding about the value in `row` of `array`, with the value as Arrow prints it.
fn value(array: &dyn Array, row: usize, reason: &'static str) -> Unfit {
    let value = array_value_to_string(array, row).unwrap_or_else(|_| "a value".to_string());
    Unfit::Value { row, value, reason }
}

fn floats(array: &ArrayRef) -> Result<Column, Unfit> {
    let array = cast(array, &DataType::Float64)?.as_primitive::<Float64Type>().clone();
    match array.iter().position(|number| number.is_some_and(|number| !number.is_finite())) {
        None => Ok(Column::Floats(array)),
        Some(row) => {
            let number = array.value(row);
            let reason = if number.is_nan() { "not a number" } else { "infinite" };
            Err(Unfit::Value { row, value: number.to_string(), reason })
        }
    }
}

fn decimals(array: &ArrayRef, precision: u8, scale: u8) -> Result<Column, Unfit> {
    let plain = match array.data_type() {
        DataType::Decimal32(_, s) | DataType::Decimal64(_, s) | DataType::Decimal128(_, s) if *s >= 0 => {
            Arc::clone(array)
        }
        _ => cast(array, &DataType::Decimal256(precision.clamp(1, 76), scale as i8))?,
    };
    texts(&cast(&plain, &DataType::Utf8)?)
}

/// Dates, timestamps and times become text by one loop each; a date fits into a view without any buffer.
fn dates(array: &ArrayRef) -> Result<Column, Unfit> {
    let days: Date32Array = cast(array, &DataType::Date32)?.as_primitive::<Date32Type>().clone();
    let mut out = StringViewBuilder::with_capacity(days.len());
    let mut text = String::with_capacity(10);
    for (row, day) in days.iter().enumerate() {
        let Some(day) = day else {
            out.append_null();
            continue;
        };
        let date = day.checked_add(719_163).and_then(NaiveDate::from_num_days_from_ce_opt).filter(is_common);
        let Some(date) = date else { return Err(value(&days, row, "outside of the years 1 to 9999")) };
        text.clear();
        push_date(&mut text, date);
        out.append_value(&text);
    }
    Ok(Column::Texts(out.finish()))
}

fn timestamps(array: &ArrayRef) -> Result<Column, Unfit> {
    let micros = timestamp_micros(array)?;
    let mut out = StringViewBuilder::with_capacity(micros.len());
    let mut text = String::with_capacity(26);
    for (row, instant) in micros.iter().enumerate() {
        let Some(instant) = instant else {
            out.append_null();
            continue;
        };
        let Some(instant) = DateTime::from_timestamp_micros(instant).filter(|at| is_common(&at.date_naive())) else {
            return Err(value(array, row, "outside of the years 1 to 9999"));
        };
        text.clear();
        push_date(&mut text, instant.date_naive());
        text.push(' ');
        push_time(&mut text, instant.num_seconds_from_midnight(), instant.nanosecond() / 1000);
        out.append_value(&text);
    }
    Ok(Column::Texts(out.finish()))
}

/// Microseconds since 1970, whatever the unit. Nanoseconds are floored (a cast would round instants before 1970 up), and
/// a value that no microsecond can hold is out of range instead of null.
pub(super) fn timestamp_micros(array: &ArrayRef) -> Result<TimestampMicrosecondArray, Unfit> {
    let (values, unit) = match array.data_type() {
        DataType::Timestamp(unit, _) => (Arc::clone(array), *unit),
        _ => (cast(array, &DataType::Timestamp(TimeUnit::Microsecond, None))?, TimeUnit::Microsecond),
    };
    let raw = cast(&values, &DataType::Int64)?.as_primitive::<Int64Type>().clone();
    let micros = raw.unary_opt::<_, TimestampMicrosecondType>(|number| match unit {
        TimeUnit::Second => number.checked_mul(1_000_000),
        TimeUnit::Millisecond => number.checked_mul(1000),
        TimeUnit::Microsecond => Some(number),
        TimeUnit::Nanosecond => Some(number.div_euclid(1000)),
    });
    match (0..raw.len()).find(|row| raw.is_valid(*row) && micros.is_null(*row)) {
        Some(row) => Err(value(array, row, "outside of the years 1 to 9999")),
        None => Ok(micros),
    }
}

fn times(array: &ArrayRef) -> Result<Column, Unfit> {
    let micros: Time64MicrosecondArray =
        cast(array, &DataType::Time64(TimeUnit::Microsecond))?.as_primitive::<Time64MicrosecondType>().clone();
    let mut out = StringViewBuilder::with_capacity(micros.len());
    let mut text = String::with_capacity(15);
    for (row, at) in micros.iter().enumerate() {
        let Some(at) = at else {
            out.append_null();
            continue;
        };
        if !(0..86_400_000_000).contains(&at) {
            return Err(value(array, row, "no time of a day"));
        }
        text.clear();
        push_time(&mut text, (at / 1_000_000) as u32, (at % 1_000_000) as u32);
        out.append_value(&text);
    }
    Ok(Column::Texts(out.finish()))
}

fn is_common(date: &NaiveDate) -> bool {
    (1..=9999).contains(&date.year())
}

fn push_date(text: &mut String, date: NaiveDate) {
    // Writing to a string cannot fail.
    let _ = write!(text, "{:04}-{:02}-{:02}", date.year(), date.month(), date.day());
}

fn push_time(text: &mut String, second: u32, micros: u32) {
    let _ = write!(text, "{:02}:{:02}:{:02}", second / 3600, second / 60 % 60, second % 60);
    if micros > 0 {
        let _ = write!(text, ".{micros:06}");
    }
}

fn texts(array: &ArrayRef) -> Result<Column, Unfit> {
    let array = match array.data_type() {
        DataType::Utf8View => Arc::clone(array),
        DataType::Utf8 | DataType::LargeUtf8 => cast(array, &DataType::Utf8View)?,
        // Dictionaries, run ends, durations, intervals: not every one of them casts to a view directly.
        _ => cast(&cast(array, &DataType::Utf8)?, &DataType::Utf8View)?,
    };
    Ok(Column::Texts(array.as_string_view().clone()))
}

fn bytes(array: &ArrayRef) -> Result<Column, Unfit> {
    let array = match array.data_type() {
        DataType::BinaryView => Arc::clone(array),
        DataType::Binary | DataType::LargeBinary => cast(array, &DataType::BinaryView)?,
        _ => cast(&cast(array, &DataType::Binary)?, &DataType::BinaryView)?,
    };
    Ok(Column::Bytes(array.as_binary_view().clone()))
}

fn json(name: &str, array: &ArrayRef) -> Result<Column, Unfit> {
    let array = match array.data_type() {
        DataType::Dictionary(_, values) => cast(array, values)?,
        DataType::RunEndEncoded(_, values) => cast(array, values.data_type())?,
        _ => Arc::clone(array),
    };
    let field = Arc::new(Field::new(name, array.data_type().clone(), true));
    let options = EncoderOptions::default().with_explicit_nulls(true);
    let mut encoder = make_encoder(&field, &array, &options)?;
    let mut out = StringViewBuilder::with_capacity(array.len());
    let mut text = Vec::new();
    for row in 0..array.len() {
        if encoder.is_null(row) {
            out.append_null();
            continue;
        }
        text.clear();
        encoder.encode(row, &mut text);
        out.append_value(String::from_utf8_lossy(&text));
    }
    Ok(Column::Texts(out.finish()))
}

#[cfg(test)]
mod tests {
    use arrow::array::{
        Decimal128Array, DictionaryArray, FixedSizeBinaryArray, Int32Array, LargeStringArray, ListArray, StringArray,
        StructArray, TimestampNanosecondArray,
    };
    use arrow::datatypes::{Int8Type, Int32Type};

    use super::*;

    fn column(array: ArrayRef) -> Result<Column, Unfit> {
        Column::new("c", Kind::of(array.data_type()).expect("a kind"), &array)
    }

    fn shown(array: ArrayRef) -> Vec<String> {
        let rows = array.len();
        let column = column(array).expect("fits");
        (0..rows).map(|row| column.cell(row).show()).collect()
    }

    #[test]
    fn text_in_every_encoding_is_the_same() {
        let plain = StringArray::from(vec![Some("Thể Thao"), None]);
        let expected = ["'Thể Thao'", "NULL"];
        assert_eq!(shown(Arc::new(plain)), expected);
        assert_eq!(shown(Arc::new(LargeStringArray::from(vec![Some("Thể Thao"), None]))), expected);
        let dictionary: DictionaryArray<Int8Type> = vec![Some("Thể Thao"), None].into_iter().collect();
        assert_eq!(shown(Arc::new(dictionary)), expected);
    }

    #[test]
    fn time_is_utc_and_cut_to_microseconds() {
        let nanos = TimestampNanosecondArray::from(vec![Some(-1), Some(1_650_000_000_123_456_789), None]);
        let expected = ["'1969-12-31 23:59:59.999999'", "'2022-04-15 05:20:00.123456'", "NULL"];
        assert_eq!(shown(Arc::new(nanos.clone())), expected);
        assert_eq!(shown(Arc::new(nanos.with_timezone("+07:00"))), expected);
        let days = Date32Array::from(vec![0, 19083]);
        assert_eq!(shown(Arc::new(days)), ["'1970-01-01'", "'2022-04-01'"]);
        let time = Time64MicrosecondArray::from(vec![0, 45_296_000_001]);
        assert_eq!(shown(Arc::new(time)), ["'00:00:00'", "'12:34:56.000001'"]);
    }

    #[test]
    fn decimals_keep_their_digits() {
        let small = Decimal128Array::from(vec![1230, -5]).with_precision_and_scale(10, 2).expect("fits");
        assert_eq!(shown(Arc::new(small)), ["'12.30'", "'-0.05'"]);
        let zeros = Decimal128Array::from(vec![12]).with_precision_and_scale(10, -2).expect("fits");
        assert_eq!(shown(Arc::new(zeros)), ["'1200'"]);
    }

    #[test]
    fn nested_values_are_json_with_their_nulls() {
        let list = ListArray::from_iter_primitive::<Int32Type, _, _>([Some(vec![Some(1), None]), None]);
        assert_eq!(shown(Arc::new(list)), ["'[1,null]'", "NULL"]);
        let fields = vec![Field::new("a", DataType::Int32, true), Field::new("b", DataType::Utf8, true)];
        let arrays: Vec<ArrayRef> =
            vec![Arc::new(Int32Array::from(vec![1])), Arc::new(StringArray::from(vec![None::<&str>]))];
        let record = StructArray::new(fields.into(), arrays, None);
        assert_eq!(shown(Arc::new(record)), [r#"'{"a":1,"b":null}'"#]);
    }

    #[test]
    fn bytes_of_fixed_size_travel() {
        let fixed = FixedSizeBinaryArray::try_from_iter([[0_u8, 255], [1, 2]].into_iter()).expect("fits");
        assert_eq!(shown(Arc::new(fixed)), ["0x00ff", "0x0102"]);
    }

    #[test]
    fn what_nobody_can_hold_is_named() {
        let unfit = |array| match column(array) {
            Err(Unfit::Value { row, value, reason }) => (row, value, reason),
            other => panic!("{other:?}"),
        };
        let numbers = Float64Array::from(vec![Some(1.0), None, Some(f64::NAN)]);
        assert_eq!(unfit(Arc::new(numbers)), (2, "NaN".to_string(), "not a number"));
        let (row, value, _) = unfit(Arc::new(Float64Array::from(vec![f64::NEG_INFINITY])));
        assert_eq!((row, value.as_str()), (0, "-inf"));
        let (row, _, reason) = unfit(Arc::new(Date32Array::from(vec![0, i32::MAX])));
        assert_eq!((row, reason), (1, "outside of the years 1 to 9999"));
        let (row, _, _) = unfit(Arc::new(TimestampMicrosecondArray::from(vec![i64::MAX])));
        assert_eq!(row, 0);
    }
}
