//! Values on their way from a server into Arrow columns: what fits exactly goes in, everything else is a [`Misfit`].

use std::sync::Arc;

use datafusion::arrow::array::{
    ArrayRef, BinaryBuilder, BooleanBuilder, Date32Builder, Decimal128Builder, Decimal256Builder, Float32Builder,
    Float64Builder, Int8Builder, Int16Builder, Int32Builder, Int64Builder, StringViewBuilder, Time64MicrosecondBuilder,
    TimestampMicrosecondBuilder, UInt8Builder, UInt16Builder, UInt32Builder, UInt64Builder,
};
use datafusion::arrow::compute::kernels::cast_utils::parse_decimal;
use datafusion::arrow::datatypes::{DataType, Decimal256Type, TimeUnit};

use super::super::formats::values;

/// A value as a server sends it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Value<'a> {
    Null,
    Bool(bool),
    Int(i64),
    UInt(u64),
    Float(f64),
    /// A decimal in digits.
    Digits(&'a [u8]),
    Text(&'a str),
    Bytes(&'a [u8]),
    /// Days since 1970.
    Date(i32),
    /// Microseconds since midnight.
    Time(i64),
    /// Microseconds since 1970.
    Timestamp(i64),
}

/// Why a value is none of its column's type: part of a message, such as `"x" is no number`.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Misfit(pub(super) String);

impl<T: Into<String>> From<T> for Misfit {
    fn from(reason: T) -> Misfit {
        Misfit(reason.into())
    }
}

impl std::fmt::Display for Value<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Value::Null => f.write_str("NULL"),
            Value::Bool(value) => write!(f, "{value}"),
            Value::Int(value) | Value::Time(value) | Value::Timestamp(value) => write!(f, "{value}"),
            Value::UInt(value) => write!(f, "{value}"),
            Value::Float(value) => write!(f, "{value}"),
            Value::Date(value) => write!(f, "{value}"),
            Value::Digits(digits) => f.write_str(&String::from_utf8_lossy(digits)),
            Value::Text(text) => f.write_str(&values::quoted(text.as_bytes())),
            Value::Bytes(bytes) => write!(f, "{} bytes", bytes.len()),
        }
    }
}

/// A column under construction.
pub(super) enum Builder {
    Bool(BooleanBuilder),
    Int8(Int8Builder),
    Int16(Int16Builder),
    Int32(Int32Builder),
    Int64(Int64Builder),
    UInt8(UInt8Builder),
    UInt16(UInt16Builder),
    UInt32(UInt32Builder),
    UInt64(UInt64Builder),
    Float32(Float32Builder),
    Float64(Float64Builder),
    Decimal128(Decimal128Builder, u8, i8),
    Decimal256(Decimal256Builder, u8, i8),
    Date(Date32Builder),
    Time(Time64MicrosecondBuilder),
    Timestamp(TimestampMicrosecondBuilder),
    Text(StringViewBuilder),
    Bytes(BinaryBuilder),
}

/// Puts an integer that fits, or says why not.
macro_rules! put_integer {
    ($builder:expr, $value:expr) => {
        match $value {
            Value::Int(value) => $builder.append_value(value.try_into().map_err(|_| out_of_range(&$value))?),
            Value::UInt(value) => $builder.append_value(value.try_into().map_err(|_| out_of_range(&$value))?),
            other => return Err(format!("{other} is no whole number").into()),
        }
    };
}

/// Appends NULL, whatever the column is, or finishes it.
macro_rules! each {
    ($builder:expr, $inner:ident => $call:expr) => {
        match $builder {
            Builder::Bool($inner) => $call,
            Builder::Int8($inner) => $call,
            Builder::Int16($inner) => $call,
            Builder::Int32($inner) => $call,
            Builder::Int64($inner) => $call,
            Builder::UInt8($inner) => $call,
            Builder::UInt16($inner) => $call,
            Builder::UInt32($inner) => $call,
            Builder::UInt64($inner) => $call,
            Builder::Float32($inner) => $call,
            Builder::Float64($inner) => $call,
            Builder::Decimal128($inner, ..) => $call,
            Builder::Decimal256($inner, ..) => $call,
            Builder::Date($inner) => $call,
            Builder::Time($inner) => $call,
            Builder::Timestamp($inner) => $call,
            Builder::Text($inner) => $call,
            Builder::Bytes($inner) => $call,
        }
    };
}

impl Builder {
    /// An empty column; none for a type that no value of a server is read as.
    pub(super) fn new(data_type: &DataType) -> Option<Builder> {
        let typed = data_type.clone();
        Some(match data_type {
            DataType::Boolean => Builder::Bool(BooleanBuilder::new()),
            DataType::Int8 => Builder::Int8(Int8Builder::new()),
            DataType::Int16 => Builder::Int16(Int16Builder::new()),
            DataType::Int32 => Builder::Int32(Int32Builder::new()),
            DataType::Int64 => Builder::Int64(Int64Builder::new()),
            DataType::UInt8 => Builder::UInt8(UInt8Builder::new()),
            DataType::UInt16 => Builder::UInt16(UInt16Builder::new()),
            DataType::UInt32 => Builder::UInt32(UInt32Builder::new()),
            DataType::UInt64 => Builder::UInt64(UInt64Builder::new()),
            DataType::Float32 => Builder::Float32(Float32Builder::new()),
            DataType::Float64 => Builder::Float64(Float64Builder::new()),
            DataType::Decimal128(precision, scale) => {
                Builder::Decimal128(Decimal128Builder::new().with_data_type(typed), *precision, *scale)
            }
            DataType::Decimal256(precision, scale) => {
                Builder::Decimal256(Decimal256Builder::new().with_data_type(typed), *precision, *scale)
            }
            DataType::Date32 => Builder::Date(Date32Builder::new()),
            DataType::Time64(TimeUnit::Microsecond) => Builder::Time(Time64MicrosecondBuilder::new()),
            DataType::Timestamp(TimeUnit::Microsecond, _) => {
                Builder::Timestamp(TimestampMicrosecondBuilder::new().with_data_type(typed))
            }
            DataType::Utf8View => Builder::Text(StringViewBuilder::new()),
            DataType::Binary => Builder::Bytes(BinaryBuilder::new()),
            _ => return None,
        })
    }

    /// Appends `value` and gives back about how many bytes that took.
    pub(super) fn push(&mut self, value: Value<'_>) -> Result<usize, Misfit> {
        if value == Value::Null {
            each!(self, builder => builder.append_null());
            return Ok(1);
        }
        match self {
            Builder::Bool(builder) => builder.append_value(boolean(value)?),
            Builder::Int8(builder) => put_integer!(builder, value),
            Builder::Int16(builder) => put_integer!(builder, value),
            Builder::Int32(builder) => put_integer!(builder, value),
            Builder::Int64(builder) => put_integer!(builder, value),
            Builder::UInt8(builder) => put_integer!(builder, value),
            Builder::UInt16(builder) => put_integer!(builder, value),
            Builder::UInt32(builder) => put_integer!(builder, value),
            Builder::UInt64(builder) => put_integer!(builder, value),
            Builder::Float32(builder) => builder.append_value(float(value)? as f32),
            Builder::Float64(builder) => builder.append_value(float(value)?),
            Builder::Decimal128(builder, precision, scale) => {
                builder.append_value(decimal(value, *precision, *scale)?);
            }
            Builder::Decimal256(builder, precision, scale) => {
                let digits = digits(value)?;
                let text = std::str::from_utf8(&digits).map_err(|_| out_of_range(&value))?;
                let parsed = parse_decimal::<Decimal256Type>(text, *precision, *scale);
                builder.append_value(parsed.map_err(|_| out_of_range(&value))?);
            }
            Builder::Date(builder) => builder.append_value(date(value)?),
            Builder::Time(builder) => builder.append_value(time(value)?),
            Builder::Timestamp(builder) => builder.append_value(timestamp(value)?),
            Builder::Text(builder) => return text(builder, value),
            Builder::Bytes(builder) => match value {
                Value::Bytes(bytes) => {
                    builder.append_value(bytes);
                    return Ok(bytes.len() + 4);
                }
                other => return Err(format!("{other} is not binary").into()),
            },
        }
        Ok(16)
    }

    /// The array of all values; the column is empty afterwards.
    pub(super) fn finish(&mut self) -> ArrayRef {
        each!(self, builder => Arc::new(builder.finish()) as ArrayRef)
    }
}

fn out_of_range(value: &Value<'_>) -> Misfit {
    format!("{value} does not fit into the column's type").into()
}

fn boolean(value: Value<'_>) -> Result<bool, Misfit> {
    match value {
        Value::Bool(value) => Ok(value),
        Value::Int(0) | Value::UInt(0) => Ok(false),
        Value::Int(1) | Value::UInt(1) => Ok(true),
        other => Err(format!("{other} is neither 0 nor 1").into()),
    }
}

fn float(value: Value<'_>) -> Result<f64, Misfit> {
    match value {
        Value::Float(value) => Ok(value),
        // Integers up to 2^53 are doubles, too.
        Value::Int(value) if value.unsigned_abs() <= 1 << 53 => Ok(value as f64),
        other => Err(format!("{other} is no double").into()),
    }
}

fn digits(value: Value<'_>) -> Result<std::borrow::Cow<'_, [u8]>, Misfit> {
    match value {
        Value::Digits(digits) => Ok(digits.into()),
        Value::Text(text) => Ok(text.as_bytes().into()),
        Value::Int(value) => Ok(value.to_string().into_bytes().into()),
        Value::UInt(value) => Ok(value.to_string().into_bytes().into()),
        // The shortest digits that mean this double.
        Value::Float(value) if value.is_finite() => Ok(value.to_string().into_bytes().into()),
        other => Err(format!("{other} is no decimal").into()),
    }
}

fn decimal(value: Value<'_>, precision: u8, scale: i8) -> Result<i128, Misfit> {
    let scaled = values::scaled(&digits(value)?, scale).map_err(|reason| Misfit(reason.into_owned()))?;
    match 10i128.checked_pow(u32::from(precision)) {
        Some(limit) if scaled.abs() >= limit => Err(out_of_range(&value)),
        _ => Ok(scaled),
    }
}

fn date(value: Value<'_>) -> Result<i32, Misfit> {
    match value {
        Value::Date(days) => Ok(days),
        Value::Text(text) => values::date(text.as_bytes()).map_err(|reason| Misfit(reason.into_owned())),
        other => Err(format!("{other} is no date").into()),
    }
}

fn time(value: Value<'_>) -> Result<i64, Misfit> {
    match value {
        Value::Time(micros) => Ok(micros),
        Value::Text(text) => values::time(text.as_bytes()).map_err(|reason| Misfit(reason.into_owned())),
        other => Err(format!("{other} is no time").into()),
    }
}

fn timestamp(value: Value<'_>) -> Result<i64, Misfit> {
    match value {
        Value::Timestamp(micros) => Ok(micros),
        Value::Text(text) => {
            values::timestamp(text.as_bytes(), TimeUnit::Microsecond).map_err(|reason| Misfit(reason.into_owned()))
        }
        other => Err(format!("{other} is no timestamp").into()),
    }
}

fn text(builder: &mut StringViewBuilder, value: Value<'_>) -> Result<usize, Misfit> {
    match value {
        Value::Text(text) => {
            builder.append_value(text);
            Ok(text.len() + 16)
        }
        Value::Int(value) => {
            builder.append_value(value.to_string());
            Ok(16)
        }
        other => Err(format!("{other} is no text").into()),
    }
}

#[cfg(test)]
mod tests {
    use datafusion::arrow::array::AsArray;
    use datafusion::arrow::datatypes::Decimal128Type;

    use super::*;

    fn builder(data_type: DataType) -> Builder {
        Builder::new(&data_type).expect("a builder")
    }

    #[test]
    fn what_fits_goes_in_and_nothing_else() {
        let mut small = builder(DataType::Int8);
        assert!(small.push(Value::Int(-128)).is_ok() && small.push(Value::Null).is_ok());
        assert!(small.push(Value::Int(128)).is_err() && small.push(Value::Text("1")).is_err());
        assert_eq!(small.finish().len(), 2, "a misfit leaves nothing");
        let mut money = builder(DataType::Decimal128(5, 2));
        assert!(money.push(Value::Digits(b"999.99")).is_ok() && money.push(Value::Float(0.1)).is_ok());
        assert!(money.push(Value::Digits(b"1000")).is_err() && money.push(Value::Digits(b"0.001")).is_err());
        assert!(money.push(Value::Float(f64::NAN)).is_err() && money.push(Value::Text("NaN")).is_err());
        let money = money.finish();
        assert_eq!(money.as_primitive::<Decimal128Type>().values(), &[99_999, 10]);
        let mut flag = builder(DataType::Boolean);
        assert!(flag.push(Value::Int(1)).is_ok());
        assert_eq!(flag.push(Value::Int(2)), Err("2 is neither 0 nor 1".into()));
    }
}
