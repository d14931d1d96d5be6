//! What a column holds, whatever the destination: the step between Arrow's many types and each destination's few.
//!
//! | Arrow | kind | MySQL, MariaDB | SQLite | PostgreSQL | Parquet |
//! |---|---|---|---|---|---|
//! | `Boolean` | `Bool` | `TINYINT(1)` | `BOOLEAN` (0, 1) | `boolean` | `BOOLEAN` |
//! | `Int8` `Int16` `Int32` `Int64` | `Int` | `TINYINT` `SMALLINT` `INT` `BIGINT` | `INTEGER` | `smallint` `smallint` `integer` `bigint` | the same |
//! | `UInt8` `UInt16` `UInt32` `UInt64` | `Int` | the same, `UNSIGNED` | `INTEGER` (to 2^63-1) | `smallint` `integer` `bigint` `numeric(20,0)` | the same |
//! | `Float16` `Float32` | `Float` | `FLOAT` | `REAL` | `real` | `FLOAT` |
//! | `Float64` | `Float` | `DOUBLE` | `REAL` | `double precision` | `DOUBLE` |
//! | `Decimal*(p, s)` | `Decimal` | `DECIMAL(p, s)`, p to 65 and s to 30 | `INTEGER` (s = 0, p to 18), `NUMERIC` (p to 15), else `TEXT` | `numeric(p,s)` | `DECIMAL(p, s)` |
//! | `Date32` `Date64` | `Date` | `DATE` | `DATE`, as `2022-04-01` | `date` | `DATE` |
//! | `Timestamp` | `Timestamp` | `DATETIME(6)` in UTC | `DATETIME`, as `2022-04-01 12:30:00[.123456]` in UTC | `timestamp(6)` in UTC | `TIMESTAMP` of microseconds, in UTC if it has a zone |
//! | `Time32` `Time64` | `Time` | `TIME(6)` | `TIME`, as `12:30:00[.123456]` | `time(6)` | `TIME` of microseconds |
//! | `Utf8` `LargeUtf8` `Utf8View` | `Text` | `VARCHAR(n)`, `TEXT` to `LONGTEXT` | `TEXT` | `text` | `STRING` |
//! | `Duration` `Interval` | `Text`, as Arrow prints them | `VARCHAR(n)` | `TEXT` | `text` | `STRING` |
//! | `Binary` `LargeBinary` `BinaryView` `FixedSizeBinary` | `Binary` | `VARBINARY(n)`, `BLOB` to `LONGBLOB` | `BLOB` | `bytea` | `BYTE_ARRAY` |
//! | lists, `Struct`, `Map` | `Json` | `JSON` | `TEXT` | `jsonb` | as they are |
//! | `Null` | `Null` | `VARCHAR(1)` | `TEXT` | `text` | `STRING` |
//! | `Dictionary`, `RunEndEncoded` | that of the values | | | | |
//!
//! CSV and JSON lines have the texts that SQLite has, true and false, numbers with all of their digits, binary as
//! hexadecimal, and nested values as JSON.
//!
//! Time is kept to the microsecond; finer digits of a timestamp or time are cut off. Dates and timestamps go from the
//! year 1 to the year 9999. NaN and the infinities are refused everywhere, so that a mart that reaches the SQLite file of
//! a laptop also reaches the MySQL of the company.

use std::fmt;

use arrow::datatypes::DataType;

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Nothing but nulls.
    Null,
    /// True and false.
    Bool,
    /// Whole numbers of so many bits.
    Int { bits: u8, signed: bool },
    /// Binary fractions of so many bits.
    Float { bits: u8 },
    /// Exact fractions; the scale is never negative.
    Decimal { precision: u8, scale: u8 },
    /// Days.
    Date,
    /// Instants, UTC.
    Timestamp,
    /// Time of day.
    Time,
    /// UTF-8.
    Text,
    /// Bytes.
    Binary,
    /// Nested values, as JSON text.
    Json,
}

impl Kind {
    /// The kind of `data_type`; none if no destination can hold it (unions).
    pub(super) fn of(data_type: &DataType) -> Option<Kind> {
        Some(match data_type {
            DataType::Null => Kind::Null,
            DataType::Boolean => Kind::Bool,
            DataType::Int8 => Kind::Int { bits: 8, signed: true },
            DataType::Int16 => Kind::Int { bits: 16, signed: true },
            DataType::Int32 => Kind::Int { bits: 32, signed: true },
            DataType::Int64 => Kind::Int { bits: 64, signed: true },
            DataType::UInt8 => Kind::Int { bits: 8, signed: false },
            DataType::UInt16 => Kind::Int { bits: 16, signed: false },
            DataType::UInt32 => Kind::Int { bits: 32, signed: false },
            DataType::UInt64 => Kind::Int { bits: 64, signed: false },
            DataType::Float16 | DataType::Float32 => Kind::Float { bits: 32 },
            DataType::Float64 => Kind::Float { bits: 64 },
            DataType::Decimal32(p, s)
            | DataType::Decimal64(p, s)
            | DataType::Decimal128(p, s)
            | DataType::Decimal256(p, s) => decimal(*p, *s),
            DataType::Date32 | DataType::Date64 => Kind::Date,
            DataType::Timestamp(_, _) => Kind::Timestamp,
            DataType::Time32(_) | DataType::Time64(_) => Kind::Time,
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => Kind::Text,
            DataType::Duration(_) | DataType::Interval(_) => Kind::Text,
            DataType::Binary | DataType::LargeBinary | DataType::BinaryView | DataType::FixedSizeBinary(_) => {
                Kind::Binary
            }
            DataType::List(_)
            | DataType::LargeList(_)
            | DataType::ListView(_)
            | DataType::LargeListView(_)
            | DataType::FixedSizeList(_, _)
            | DataType::Struct(_)
            | DataType::Map(_, _) => Kind::Json,
            DataType::Dictionary(_, values) => return Kind::of(values),
            DataType::RunEndEncoded(_, values) => return Kind::of(values.data_type()),
            DataType::Union(_, _) => return None,
        })
    }

    /// True for kinds whose values are sent as text or bytes of varying length.
    pub(super) fn is_sized(self) -> bool {
        matches!(self, Kind::Text | Kind::Binary | Kind::Json)
    }
}

impl fmt::Display for Kind {
    /// A word that stays the same from version to version of the program: the ledger keeps it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Kind::Null => f.write_str("null"),
            Kind::Bool => f.write_str("boolean"),
            Kind::Int { bits, signed: true } => write!(f, "int{bits}"),
            Kind::Int { bits, signed: false } => write!(f, "uint{bits}"),
            Kind::Float { bits } => write!(f, "float{bits}"),
            Kind::Decimal { precision, scale } => write!(f, "decimal({precision}, {scale})"),
            Kind::Date => f.write_str("date"),
            Kind::Timestamp => f.write_str("timestamp"),
            Kind::Time => f.write_str("time"),
            Kind::Text => f.write_str("text"),
            Kind::Binary => f.write_str("binary"),
            Kind::Json => f.write_str("json"),
        }
    }
}

/// A negative scale means zeros before the point: room for digits, and none after it.
fn decimal(precision: u8, scale: i8) -> Kind {
    match u8::try_from(scale) {
        Ok(scale) => Kind::Decimal { precision: precision.max(scale), scale },
        Err(_) => Kind::Decimal { precision: precision.saturating_add(scale.unsigned_abs()), scale: 0 },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dictionaries_are_their_values_and_decimals_have_no_negative_scale() {
        let dictionary = DataType::Dictionary(Box::new(DataType::Int8), Box::new(DataType::Utf8));
        assert_eq!(Kind::of(&dictionary), Some(Kind::Text));
        assert_eq!(Kind::of(&DataType::Decimal128(10, -2)), Some(Kind::Decimal { precision: 12, scale: 0 }));
        assert_eq!(Kind::of(&DataType::UInt64), Some(Kind::Int { bits: 64, signed: false }));
    }
}
