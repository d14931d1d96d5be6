//! Casts that lose nothing: the value is still the value.

use datafusion::arrow::datatypes::{DataType, TimeUnit};

/// True if every value of `from` arrives in `to` as what it was: wider numbers, more digits, a date as its first moment.
/// Numbers as text are another thing, and so are large whole numbers as floats.
pub(super) fn is_lossless(from: &DataType, to: &DataType) -> bool {
    use DataType::{Binary, BinaryView, Date32, Date64, Float16, Float32, Float64, LargeBinary, Null, Timestamp};
    if from == to {
        return true;
    }
    match (from, to) {
        (Null, _) => true,
        (DataType::Dictionary(_, value), to) => is_lossless(value, to),
        (from, DataType::Dictionary(_, value)) => is_lossless(from, value),
        (from, to) if is_text(from) && is_text(to) => true,
        (Binary | LargeBinary | BinaryView, Binary | LargeBinary | BinaryView) => true,
        (Date32, Date64) => true,
        (Date32 | Date64, Timestamp(_, _)) => true,
        (Timestamp(unit, zone), Timestamp(other, other_zone)) => {
            zone.is_some() == other_zone.is_some() && precision(*unit) <= precision(*other)
        }
        (Float16, Float32 | Float64) | (Float32, Float64) => true,
        (from, to) => match (needs(from), to) {
            (Some((whole, scale)), Float64) => scale == 0 && whole <= 15,
            (Some((whole, scale)), to) => holds(to).is_some_and(|(more, other)| {
                whole - scale <= more - other && scale <= other && (signed(to) || !signed(from))
            }),
            (None, DataType::List(item)) => match from {
                DataType::List(other) => is_lossless(other.data_type(), item.data_type()),
                _ => false,
            },
            _ => false,
        },
    }
}

fn is_text(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View)
}

fn precision(unit: TimeUnit) -> u8 {
    match unit {
        TimeUnit::Second => 0,
        TimeUnit::Millisecond => 3,
        TimeUnit::Microsecond => 6,
        TimeUnit::Nanosecond => 9,
    }
}

fn signed(data_type: &DataType) -> bool {
    !data_type.is_unsigned_integer()
}

/// The decimal digits that a value may have, and those of them behind the point.
fn needs(data_type: &DataType) -> Option<(i16, i16)> {
    match data_type {
        DataType::Int8 | DataType::UInt8 => Some((3, 0)),
        DataType::Int16 | DataType::UInt16 => Some((5, 0)),
        DataType::Int32 | DataType::UInt32 => Some((10, 0)),
        DataType::Int64 => Some((19, 0)),
        DataType::UInt64 => Some((20, 0)),
        other => holds(other),
    }
}

/// The decimal digits that any value may have, and those of them behind the point.
fn holds(data_type: &DataType) -> Option<(i16, i16)> {
    Some(match data_type {
        DataType::Int8 | DataType::UInt8 => (2, 0),
        DataType::Int16 | DataType::UInt16 => (4, 0),
        DataType::Int32 | DataType::UInt32 => (9, 0),
        DataType::Int64 => (18, 0),
        DataType::UInt64 => (19, 0),
        DataType::Decimal32(precision, scale)
        | DataType::Decimal64(precision, scale)
        | DataType::Decimal128(precision, scale)
        | DataType::Decimal256(precision, scale) => (i16::from(*precision), i16::from(*scale)),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_fits_is_lossless() {
        use DataType::{Date32, Decimal128, Float64, Int8, Int32, Int64, UInt8, UInt32, UInt64, Utf8, Utf8View};
        let cases = [
            (Int32, Int64, true),
            (Int64, Int32, false),
            (UInt8, Int8, false),
            (UInt32, Int64, true),
            (UInt64, Int64, false),
            (Int8, UInt64, false),
            (Int32, Float64, true),
            (Int64, Float64, false),
            (Int64, Decimal128(19, 0), true),
            (Int64, Decimal128(20, 2), false),
            (Decimal128(9, 0), Int32, true),
            (Decimal128(10, 0), Int32, false),
            (Decimal128(10, 2), Decimal128(12, 3), true),
            (Utf8, Utf8View, true),
            (Int64, Utf8, false),
            (Date32, DataType::Timestamp(TimeUnit::Microsecond, None), true),
            (DataType::Timestamp(TimeUnit::Microsecond, None), Date32, false),
        ];
        for (from, to, expected) in cases {
            assert_eq!(is_lossless(&from, &to), expected, "{from} to {to}");
        }
    }
}
