//! MySQL and MariaDB: what their tables are, and how their rows are read.
//!
//! Rows come in the binary protocol, whose bytes are decoded here: the driver takes zero dates for NULL, and they are
//! told apart. The session is in UTC, and patient with a reader that is slower than the server.

use chrono::NaiveDate;
use datafusion::arrow::datatypes::{DataType, TimeUnit};
use sqlx::mysql::{MySqlArguments, MySqlConnection, MySqlRow};
use sqlx::{Arguments, AssertSqlSafe, Decode, Executor, MySql, Row};

use super::collect::{Collector, ReadValue, Stop};
use super::column::{Column, Compare, Read, Table};
use super::find::{Candidate, choose};
use super::spec::{DatabaseSpec, ZeroDates};
use super::statement::{Param, Statement};
use super::value::{Misfit, Value};
use crate::publish::{MysqlConfig, connect_mysql};

/// Logs in.
pub(super) async fn connect(config: &MysqlConfig) -> Result<MySqlConnection, sqlx::Error> {
    let mut connection = connect_mysql(config).await?;
    // The server hangs up on a client that does not take its rows for a minute. Ours may be sorting meanwhile.
    connection.execute("set session net_write_timeout = 28800").await?;
    connection.execute("set session transaction isolation level repeatable read").await?;
    Ok(connection)
}

/// Starts a transaction whose queries all see the same state.
pub(super) async fn begin(connection: &mut MySqlConnection) -> Result<(), sqlx::Error> {
    connection.execute("start transaction with consistent snapshot, read only").await.map(drop)
}

/// Finds the table and asks for its columns.
pub(super) async fn describe(connection: &mut MySqlConnection, spec: &DatabaseSpec) -> Result<Table, Stop> {
    let found = choose(spec, candidates(connection, spec).await?)?;
    let schema = found.schema.clone().unwrap_or_default();
    let sql = "select cast(column_name as char), cast(data_type as char), cast(column_type as char), \
               cast(is_nullable as char), cast(column_key as char), cast(character_set_name as char), \
               cast(numeric_precision as signed), cast(numeric_scale as signed) \
               from information_schema.columns where table_schema = ? and table_name = ? order by ordinal_position";
    let rows = sqlx::query(sql).bind(&schema).bind(&found.name).fetch_all(connection).await?;
    let mut columns = Vec::with_capacity(rows.len());
    let mut keys = Vec::new();
    for (at, row) in rows.iter().enumerate() {
        let text = |at: usize| row.try_get_unchecked::<Option<String>, _>(at).map(Option::unwrap_or_default);
        let number = |at: usize| row.try_get_unchecked::<Option<i64>, _>(at).map(Option::unwrap_or_default);
        if text(4)? == "PRI" {
            keys.push(at);
        }
        let declared = Declared {
            name: text(0)?,
            base: text(1)?.to_lowercase(),
            full: text(2)?.to_lowercase(),
            nullable: text(3)? != "NO",
            charset: text(5)?.to_lowercase(),
            precision: number(6)?,
            scale: number(7)?,
        };
        columns.push(declared.column(spec.zero_dates));
    }
    let key = match keys.as_slice() {
        [only] => Some(*only),
        _ => None,
    };
    Ok(Table { schema: Some(schema), name: found.name, columns, key, rows: found.rows })
}

/// Tables that may be meant, and the names of others for who misspelt one.
async fn candidates(connection: &mut MySqlConnection, spec: &DatabaseSpec) -> Result<Vec<Candidate>, sqlx::Error> {
    // Without a schema of that name the connection's database is meant, if the name was a guess.
    let sql = "select cast(table_schema as char), cast(table_name as char), cast(table_rows as unsigned), \
               cast(table_schema = database() as signed) from information_schema.tables \
               where lower(table_schema) = lower(?) or table_schema = database()";
    let schema = spec.table.schema.clone().unwrap_or_default();
    let rows = sqlx::query(sql).bind(schema).fetch_all(connection).await?;
    let candidate = |row: &MySqlRow| {
        Ok(Candidate {
            schema: row.try_get_unchecked(0)?,
            name: row.try_get_unchecked(1)?,
            rows: row.try_get_unchecked(2)?,
            is_default: row.try_get_unchecked::<Option<i64>, _>(3)? == Some(1),
        })
    };
    rows.iter().map(candidate).collect()
}

/// A column as `information_schema` describes it.
struct Declared {
    name: String,
    base: String,
    full: String,
    nullable: bool,
    charset: String,
    precision: i64,
    scale: i64,
}

impl Declared {
    fn column(self, zero_dates: ZeroDates) -> Column {
        let (data_type, compare, read) = self.mapped(zero_dates);
        Column {
            name: self.name,
            server_type: self.full,
            data_type,
            wanted: None,
            nullable: self.nullable,
            exact: true,
            read,
            compare,
        }
    }

    fn mapped(&self, zero_dates: ZeroDates) -> (DataType, Compare, Read) {
        let plain = |data_type, compare| (data_type, compare, Read::Plain);
        let text = || plain(DataType::Utf8View, self.text_compare());
        // A zero date that becomes NULL is none for the server.
        let dated = |compare| if zero_dates == ZeroDates::Null { Compare::Nothing } else { compare };
        let unsigned = self.full.contains("unsigned") || self.full.contains("zerofill");
        match self.base.as_str() {
            // What MySQL makes of BOOLEAN, and what drivers take for one.
            "tinyint" if self.full == "tinyint(1)" => plain(DataType::Boolean, Compare::Boolean),
            "tinyint" => plain(if unsigned { DataType::UInt8 } else { DataType::Int8 }, Compare::Integer),
            "smallint" => plain(if unsigned { DataType::UInt16 } else { DataType::Int16 }, Compare::Integer),
            "mediumint" | "int" | "integer" => {
                plain(if unsigned { DataType::UInt32 } else { DataType::Int32 }, Compare::Integer)
            }
            "bigint" => plain(if unsigned { DataType::UInt64 } else { DataType::Int64 }, Compare::Integer),
            // There, `year = 20` finds 2020.
            "year" => plain(DataType::Int16, Compare::Null),
            "bit" if self.full == "bit(1)" => plain(DataType::Boolean, Compare::Boolean),
            "bit" => plain(DataType::UInt64, Compare::Null),
            "float" => plain(DataType::Float32, Compare::Null),
            "double" | "real" => plain(DataType::Float64, Compare::Null),
            "decimal" | "numeric" => {
                let (precision, scale) = (self.precision.clamp(1, 76) as u8, self.scale.clamp(0, 76) as i8);
                let data_type = match precision {
                    ..=38 => DataType::Decimal128(precision, scale),
                    _ => DataType::Decimal256(precision, scale),
                };
                plain(data_type, Compare::Decimal)
            }
            "date" => plain(DataType::Date32, dated(Compare::Date)),
            "datetime" => {
                let compare = dated(Compare::Timestamp { zoned: false });
                plain(DataType::Timestamp(TimeUnit::Microsecond, None), compare)
            }
            "timestamp" => {
                let compare = dated(Compare::Timestamp { zoned: true });
                plain(DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())), compare)
            }
            "time" => plain(DataType::Time64(TimeUnit::Microsecond), Compare::Null),
            "char" | "varchar" | "tinytext" | "text" | "mediumtext" | "longtext" => text(),
            "enum" | "set" => text(),
            "json" => plain(DataType::Utf8View, Compare::Null),
            "binary" | "varbinary" | "tinyblob" | "blob" | "mediumblob" | "longblob" => {
                plain(DataType::Binary, Compare::Null)
            }
            "geometry" | "point" | "linestring" | "polygon" | "multipoint" | "multilinestring" | "multipolygon"
            | "geometrycollection" | "geomcollection" | "vector" => plain(DataType::Binary, Compare::Null),
            // uuid, inet6, and what is yet to come: as the server writes it.
            _ => (DataType::Utf8View, Compare::Null, Read::Text),
        }
    }

    /// Any text can be brought to bytes of UTF-8; in UTF-8 columns equal bytes are equal for every collation.
    fn text_compare(&self) -> Compare {
        let indexed = self.charset == "utf8mb4" && !matches!(self.base.as_str(), "enum" | "set");
        Compare::Text { indexed, ordered: true }
    }
}

/// Streams the rows of `statement`.
pub(super) async fn fetch(
    connection: &mut MySqlConnection,
    statement: Statement,
    zero_dates: ZeroDates,
    collector: &mut Collector,
) -> Result<(), Stop> {
    let mut arguments = MySqlArguments::default();
    for param in statement.params {
        let added = match param {
            Param::Int(value) => arguments.add(value),
            Param::UInt(value) => arguments.add(value),
            Param::Text(text) => arguments.add(text),
        };
        added.map_err(sqlx::Error::Encode)?;
    }
    let query = sqlx::query_with(AssertSqlSafe(statement.sql), arguments).persistent(false);
    collector.take(query.fetch(connection), move |row, at, column| value(row, at, column, zero_dates)).await
}

fn value<'r>(row: &'r MySqlRow, at: usize, column: &Column, zero_dates: ZeroDates) -> ReadValue<'r> {
    let raw = row.try_get_raw(at)?;
    // Not `is_null`: the driver says that of zero dates, too. Bytes are there unless the value is NULL.
    let Ok(bytes) = <&[u8] as Decode<MySql>>::decode(raw) else { return Ok(Ok(Value::Null)) };
    Ok(decode(bytes, column, zero_dates))
}

/// The value that `bytes` of the binary protocol mean for `column`.
fn decode<'r>(bytes: &'r [u8], column: &Column, zero_dates: ZeroDates) -> Result<Value<'r>, Misfit> {
    let no_date = |found: Option<Result<Value<'r>, Misfit>>| match (found, zero_dates) {
        (Some(value), _) => value,
        (None, ZeroDates::Null) => Ok(Value::Null),
        (None, ZeroDates::Fail) => {
            Err("a date that is none, such as 0000-00-00; `zero_dates: 'null'` reads NULL".into())
        }
    };
    match &column.data_type {
        DataType::Boolean | DataType::UInt64 if column.server_type.starts_with("bit") => {
            Ok(Value::UInt(big_endian(bytes)?))
        }
        DataType::Int16 if column.server_type.starts_with("year") => integer(bytes, true),
        DataType::Boolean | DataType::Int8 | DataType::Int16 | DataType::Int32 | DataType::Int64 => {
            integer(bytes, false)
        }
        DataType::UInt8 | DataType::UInt16 | DataType::UInt32 | DataType::UInt64 => integer(bytes, true),
        DataType::Float32 | DataType::Float64 => float(bytes),
        DataType::Decimal128(..) | DataType::Decimal256(..) => Ok(Value::Digits(bytes)),
        DataType::Date32 => no_date(date(bytes).map(|date| date.map(Value::Date))),
        DataType::Timestamp(..) => no_date(timestamp(bytes)),
        DataType::Time64(_) => time(bytes),
        DataType::Utf8View => {
            std::str::from_utf8(bytes).map(Value::Text).map_err(|_| Misfit("text that is no UTF-8".into()))
        }
        _ => Ok(Value::Bytes(bytes)),
    }
}

fn unexpected(what: &str, bytes: &[u8]) -> Misfit {
    format!("the server sent {} bytes for {what}: was the table altered?", bytes.len()).into()
}

fn integer<'r>(bytes: &[u8], unsigned: bool) -> Result<Value<'r>, Misfit> {
    let mut wide = [0; 8];
    if !matches!(bytes.len(), 1 | 2 | 4 | 8) {
        return Err(unexpected("an integer", bytes));
    }
    wide[..bytes.len()].copy_from_slice(bytes);
    let value = u64::from_le_bytes(wide);
    if unsigned {
        return Ok(Value::UInt(value));
    }
    // The sign bit of a short integer is moved to the top and back.
    let unused = 64 - 8 * bytes.len() as u32;
    Ok(Value::Int((value << unused) as i64 >> unused))
}

fn big_endian(bytes: &[u8]) -> Result<u64, Misfit> {
    match bytes.len() {
        0..=8 => Ok(bytes.iter().fold(0, |value, byte| value << 8 | u64::from(*byte))),
        _ => Err(unexpected("bits", bytes)),
    }
}

fn float<'r>(bytes: &[u8]) -> Result<Value<'r>, Misfit> {
    if let Ok(four) = <[u8; 4]>::try_from(bytes) {
        return Ok(Value::Float(f64::from(f32::from_le_bytes(four))));
    }
    let eight = <[u8; 8]>::try_from(bytes).map_err(|_| unexpected("a float", bytes))?;
    Ok(Value::Float(f64::from_le_bytes(eight)))
}

/// The date at the start of a date or time of the protocol (a length, year, month, day); none if there is no such day.
fn date(bytes: &[u8]) -> Option<Result<i32, Misfit>> {
    match bytes {
        [] => Some(Err(unexpected("a date", bytes))),
        [0] => None,
        [_, low, high, month, day, ..] => {
            let year = u16::from_le_bytes([*low, *high]);
            let date = NaiveDate::from_ymd_opt(i32::from(year), (*month).into(), (*day).into())?;
            Some(Ok(date.to_epoch_days()))
        }
        _ => Some(Err(unexpected("a date", bytes))),
    }
}

fn timestamp<'r>(bytes: &[u8]) -> Option<Result<Value<'r>, Misfit>> {
    let days = match date(bytes)? {
        Ok(days) => i64::from(days),
        Err(misfit) => return Some(Err(misfit)),
    };
    Some(clock(&bytes[5..]).map(|micros| Value::Timestamp(days * 86_400_000_000 + micros)))
}

/// Microseconds of hour, minute, second and, if there are any, microseconds.
fn clock(bytes: &[u8]) -> Result<i64, Misfit> {
    match bytes {
        [] => Ok(0),
        [hour, minute, second, rest @ ..] => {
            let seconds = (i64::from(*hour) * 60 + i64::from(*minute)) * 60 + i64::from(*second);
            let micros = match rest {
                [] => 0,
                [a, b, c, d] => i64::from(u32::from_le_bytes([*a, *b, *c, *d])),
                _ => return Err(unexpected("a time", bytes)),
            };
            Ok(seconds * 1_000_000 + micros)
        }
        _ => Err(unexpected("a time", bytes)),
    }
}

/// A time of day. MySQL's times are lengths: they may be negative and longer than a day, and then they are none.
fn time<'r>(bytes: &[u8]) -> Result<Value<'r>, Misfit> {
    match bytes {
        [0] => Ok(Value::Time(0)),
        [_, 0, 0, 0, 0, 0, rest @ ..] if rest.first().is_some_and(|hour| *hour < 24) => clock(rest).map(Value::Time),
        [_, _, _, _, _, _, ..] => Err("a time outside of a day".into()),
        _ => Err(unexpected("a time", bytes)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_keep_their_sign() {
        assert_eq!(integer(&[0xff], false), Ok(Value::Int(-1)));
        assert_eq!(integer(&[0xff], true), Ok(Value::UInt(255)));
        assert_eq!(integer(&i32::MIN.to_le_bytes(), false), Ok(Value::Int(i32::MIN.into())));
        assert_eq!(integer(&u64::MAX.to_le_bytes(), true), Ok(Value::UInt(u64::MAX)));
        assert!(integer(&[1, 2, 3], false).is_err());
    }

    #[test]
    fn dates_that_are_none_are_told_apart() {
        assert_eq!(date(&[4, 0xe6, 0x07, 4, 1]), Some(Ok(19_083)));
        assert_eq!(date(&[0]), None);
        assert_eq!(date(&[4, 0xe6, 0x07, 0, 0]), None);
        assert_eq!(timestamp(&[7, 0xb2, 0x07, 1, 2, 0, 0, 1]), Some(Ok(Value::Timestamp(86_401_000_000))));
        assert_eq!(time(&[8, 0, 0, 0, 0, 0, 23, 59, 59]), Ok(Value::Time(86_399_000_000)));
        assert!(time(&[8, 1, 0, 0, 0, 0, 0, 0, 1]).is_err() && time(&[8, 0, 1, 0, 0, 0, 0, 0, 1]).is_err());
    }
}
