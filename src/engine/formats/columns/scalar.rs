//! A column of single values under construction.

use std::sync::Arc;

use datafusion::arrow::array::builder::{NullBufferBuilder, make_view};
use datafusion::arrow::array::{
    ArrayRef, BinaryArray, BinaryViewArray, BooleanArray, Decimal128Array, Float32Array, Float64Array, PrimitiveArray,
    StringViewArray,
};
use datafusion::arrow::buffer::{Buffer, NullBuffer, ScalarBuffer};
use datafusion::arrow::datatypes::{
    ArrowPrimitiveType, DataType, Date32Type, Int8Type, Int16Type, Int32Type, Int64Type, Time64MicrosecondType,
    TimeUnit, TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType,
};
use datafusion::arrow::error::ArrowError;

use super::super::values::{self, Reason};

/// Values of one scalar type. A column that is not emitted checks what it is given and keeps nothing but the count.
pub(in super::super) struct ScalarColumn {
    data_type: DataType,
    values: Values,
    validity: NullBufferBuilder,
    emit: bool,
    len: usize,
}

/// The values, in as few shapes as possible: narrow types are made when the array is.
enum Values {
    Bool(Vec<bool>),
    /// Integers, dates, times and timestamps, with the range that is allowed.
    Int(Vec<i64>, i64, i64),
    Float(Vec<f64>),
    Decimal(Vec<i128>),
    /// Text and bytes: views into one buffer.
    Text(Vec<u128>, Vec<u8>),
}

impl ScalarColumn {
    /// An empty column, or `None` if there is no reader for the type.
    pub(super) fn new(data_type: &DataType, emit: bool) -> Option<ScalarColumn> {
        let whole = |min: i64, max: i64| Values::Int(Vec::new(), min, max);
        let values = match data_type {
            DataType::Boolean => Values::Bool(Vec::new()),
            DataType::Int8 => whole(i8::MIN.into(), i8::MAX.into()),
            DataType::Int16 => whole(i16::MIN.into(), i16::MAX.into()),
            DataType::Int32 | DataType::Date32 => whole(i32::MIN.into(), i32::MAX.into()),
            DataType::Int64 | DataType::Time64(TimeUnit::Microsecond) | DataType::Timestamp(_, _) => {
                whole(i64::MIN, i64::MAX)
            }
            DataType::Float32 | DataType::Float64 => Values::Float(Vec::new()),
            DataType::Decimal128(_, _) => Values::Decimal(Vec::new()),
            DataType::Utf8View | DataType::Binary => Values::Text(Vec::new(), Vec::new()),
            _ => return None,
        };
        Some(ScalarColumn {
            data_type: data_type.clone(),
            values,
            validity: NullBufferBuilder::new(1024),
            emit,
            len: 0,
        })
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// True for text and bytes, which take anything.
    pub(in super::super) fn is_text(&self) -> bool {
        matches!(self.values, Values::Text(..))
    }

    /// True for numbers (not dates and times), which may be given as numbers.
    pub(in super::super) fn is_number(&self) -> bool {
        match &self.values {
            Values::Float(_) | Values::Decimal(_) => true,
            Values::Int(..) => self.data_type.is_integer(),
            Values::Bool(_) | Values::Text(..) => false,
        }
    }

    /// True for booleans.
    pub(in super::super) fn is_bool(&self) -> bool {
        matches!(self.values, Values::Bool(_))
    }

    /// Appends NULL.
    pub(in super::super) fn append_null(&mut self) {
        self.len += 1;
        if !self.emit {
            return;
        }
        match &mut self.values {
            Values::Bool(values) => values.push(false),
            Values::Int(values, ..) => values.push(0),
            Values::Float(values) => values.push(0.0),
            Values::Decimal(values) => values.push(0),
            Values::Text(views, _) => views.push(0),
        }
        self.validity.append_null();
    }

    /// Appends the value that `text` spells.
    pub(in super::super) fn append_text(&mut self, text: &[u8]) -> Result<(), Reason> {
        match &mut self.values {
            Values::Text(..) => {
                self.append_bytes(text);
                return Ok(());
            }
            Values::Bool(values) => {
                let value = values::boolean(text)?;
                if self.emit {
                    values.push(value);
                }
            }
            Values::Int(values, min, max) => {
                let value = whole(&self.data_type, text, *min, *max)?;
                if self.emit {
                    values.push(value);
                }
            }
            Values::Float(values) => {
                let value = values::float(text)?;
                if self.data_type == DataType::Float32 && !(value as f32).is_finite() {
                    return Err(format!("{} does not fit into the column's type", values::quoted(text)).into());
                }
                if self.emit {
                    values.push(value);
                }
            }
            Values::Decimal(values) => {
                let value = decimal(&self.data_type, text)?;
                if self.emit {
                    values.push(value);
                }
            }
        }
        self.appended();
        Ok(())
    }

    /// Appends text or bytes as they are; for columns where [`Self::is_text`] holds.
    #[inline]
    pub(in super::super) fn append_bytes(&mut self, text: &[u8]) {
        if self.emit
            && let Values::Text(views, data) = &mut self.values
        {
            let offset = data.len() as u32;
            if text.len() > 12 {
                data.extend_from_slice(text);
            }
            views.push(make_view(text, 0, offset));
        }
        self.appended();
    }

    /// Appends a boolean; for columns where [`Self::is_bool`] holds.
    pub(in super::super) fn append_bool(&mut self, value: bool) {
        if self.emit
            && let Values::Bool(values) = &mut self.values
        {
            values.push(value);
        }
        self.appended();
    }

    #[inline]
    fn appended(&mut self) {
        self.len += 1;
        if self.emit {
            self.validity.append_non_null();
        }
    }

    /// Forgets everything after the first `len` values.
    pub(super) fn truncate(&mut self, len: usize) {
        if len >= self.len {
            return;
        }
        self.len = len;
        if !self.emit {
            return;
        }
        match &mut self.values {
            Values::Bool(values) => values.truncate(len),
            Values::Int(values, ..) => values.truncate(len),
            Values::Float(values) => values.truncate(len),
            Values::Decimal(values) => values.truncate(len),
            // The bytes of forgotten text stay until the array is made: they are few, and nothing points at them.
            Values::Text(views, _) => views.truncate(len),
        }
        self.validity.truncate(len);
    }

    /// The array of all values; the column is empty afterwards.
    pub(super) fn finish(&mut self) -> Result<ArrayRef, ArrowError> {
        let nulls = self.validity.finish();
        self.len = 0;
        Ok(match &mut self.values {
            Values::Bool(values) => Arc::new(BooleanArray::new(renew(values).into(), nulls)),
            Values::Float(values) => match self.data_type {
                DataType::Float32 => {
                    let narrow: Vec<f32> = renew(values).into_iter().map(|value| value as f32).collect();
                    Arc::new(Float32Array::try_new(narrow.into(), nulls)?)
                }
                _ => Arc::new(Float64Array::try_new(renew(values).into(), nulls)?),
            },
            Values::Decimal(values) => {
                Arc::new(Decimal128Array::try_new(renew(values).into(), nulls)?.with_data_type(self.data_type.clone()))
            }
            Values::Text(views, data) => text_array(&self.data_type, renew(views), renew(data), nulls)?,
            Values::Int(values, ..) => whole_array(&self.data_type, renew(values), nulls)?,
        })
    }
}

/// What `values` holds; it is empty afterwards, with room for as many again.
fn renew<T>(values: &mut Vec<T>) -> Vec<T> {
    let room = Vec::with_capacity(values.len());
    std::mem::replace(values, room)
}

/// The integer, date, time or timestamp that `text` spells.
#[inline]
fn whole(data_type: &DataType, text: &[u8], min: i64, max: i64) -> Result<i64, Reason> {
    match data_type {
        DataType::Date32 => values::date(text).map(i64::from),
        DataType::Time64(_) => values::time(text),
        DataType::Timestamp(unit, _) => values::timestamp(text, *unit),
        _ => values::integer(text, min, max),
    }
}

fn decimal(data_type: &DataType, text: &[u8]) -> Result<i128, Reason> {
    let DataType::Decimal128(precision, scale) = data_type else { return Ok(0) };
    let value = values::scaled(text, *scale)?;
    if value.unsigned_abs() >= 10u128.pow(u32::from(*precision)) {
        return Err(format!("{} has more than {precision} digits", values::quoted(text)).into());
    }
    Ok(value)
}

fn text_array(
    data_type: &DataType,
    views: Vec<u128>,
    data: Vec<u8>,
    nulls: Option<NullBuffer>,
) -> Result<ArrayRef, ArrowError> {
    let buffers: Vec<Buffer> = if data.is_empty() { Vec::new() } else { vec![Buffer::from_vec(data)] };
    let views = ScalarBuffer::from(views);
    if *data_type == DataType::Binary {
        let bytes = BinaryViewArray::try_new(views, buffers, nulls)?;
        return Ok(Arc::new(BinaryArray::from_iter(bytes.iter())));
    }
    // This checks UTF-8 once more, value by value; it costs little, and spares us a promise to the compiler.
    Ok(Arc::new(StringViewArray::try_new(views, buffers, nulls)?))
}

fn whole_array(data_type: &DataType, values: Vec<i64>, nulls: Option<NullBuffer>) -> Result<ArrayRef, ArrowError> {
    /// Values were checked against the type's range when they were appended.
    fn narrow<T>(values: Vec<i64>, nulls: Option<NullBuffer>) -> Result<ArrayRef, ArrowError>
    where
        T: ArrowPrimitiveType,
        T::Native: TryFrom<i64> + Default,
    {
        let values: Vec<T::Native> =
            values.into_iter().map(|value| T::Native::try_from(value).unwrap_or_default()).collect();
        Ok(Arc::new(PrimitiveArray::<T>::try_new(values.into(), nulls)?))
    }
    fn wide<T>(values: Vec<i64>, nulls: Option<NullBuffer>, data_type: &DataType) -> Result<ArrayRef, ArrowError>
    where
        T: ArrowPrimitiveType<Native = i64>,
    {
        Ok(Arc::new(PrimitiveArray::<T>::try_new(values.into(), nulls)?.with_data_type(data_type.clone())))
    }
    match data_type {
        DataType::Int8 => narrow::<Int8Type>(values, nulls),
        DataType::Int16 => narrow::<Int16Type>(values, nulls),
        DataType::Int32 => narrow::<Int32Type>(values, nulls),
        DataType::Date32 => narrow::<Date32Type>(values, nulls),
        DataType::Time64(_) => wide::<Time64MicrosecondType>(values, nulls, data_type),
        DataType::Timestamp(TimeUnit::Second, _) => wide::<TimestampSecondType>(values, nulls, data_type),
        DataType::Timestamp(TimeUnit::Millisecond, _) => wide::<TimestampMillisecondType>(values, nulls, data_type),
        DataType::Timestamp(TimeUnit::Microsecond, _) => wide::<TimestampMicrosecondType>(values, nulls, data_type),
        DataType::Timestamp(TimeUnit::Nanosecond, _) => wide::<TimestampNanosecondType>(values, nulls, data_type),
        _ => wide::<Int64Type>(values, nulls, data_type),
    }
}
