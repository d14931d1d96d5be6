//! PostgreSQL: what its tables are, and how their rows are read.
//!
//! Rows come in the binary format, whose bytes are decoded here. What has no exact type on our side comes as the server's
//! text: numerics (any number of digits), enums, ranges, addresses, intervals. Arrays and composites come as its JSON.

use datafusion::arrow::datatypes::{DataType, TimeUnit};
use sqlx::postgres::{PgArguments, PgConnection, PgRow};
use sqlx::{Arguments, AssertSqlSafe, Executor, Row, ValueRef};

use super::collect::{Collector, ReadValue, Stop};
use super::column::{Column, Compare, Read, Table};
use super::find::{Candidate, choose};
use super::spec::DatabaseSpec;
use super::statement::{Param, Statement};
use super::value::{Misfit, Value};
use crate::publish::{PostgresConfig, connect_postgres};

/// Days and microseconds from 1970 to 2000, where Postgres begins to count.
const EPOCH_DAYS: i32 = 10_957;
const EPOCH_MICROS: i64 = 946_684_800_000_000;

/// Logs in. A scan may wait long for the plan that it feeds, so no timeout of the role may end it.
pub(super) async fn connect(config: &PostgresConfig) -> Result<PgConnection, sqlx::Error> {
    let mut connection = connect_postgres(config).await?;
    let sql = "set statement_timeout = 0; set idle_in_transaction_session_timeout = 0; set timezone = 'UTC'; \
               set datestyle = 'ISO, YMD'; set intervalstyle = 'postgres'; set bytea_output = 'hex'";
    connection.execute(sql).await?;
    if let Some(role) = &config.role {
        let role = super::statement::Dialect::Postgres.quoted(role);
        connection.execute(AssertSqlSafe(format!("set role {role}"))).await?;
    }
    Ok(connection)
}

/// Starts a transaction whose queries all see the same state: that of `snapshot`, if there is one.
pub(super) async fn begin(connection: &mut PgConnection, snapshot: Option<&str>) -> Result<(), sqlx::Error> {
    connection.execute("begin isolation level repeatable read read only").await?;
    if let Some(snapshot) = snapshot {
        // The server's own word for it: digits and dashes. It cannot be bound.
        let quoted = snapshot.replace('\'', "''");
        connection.execute(AssertSqlSafe(format!("set transaction snapshot '{quoted}'"))).await?;
    }
    Ok(())
}

/// The name under which other connections can see what this transaction sees; none on a server that cannot (a replica).
pub(super) async fn export(connection: &mut PgConnection) -> Result<Option<String>, sqlx::Error> {
    let row = sqlx::query("select pg_is_in_recovery()").fetch_one(&mut *connection).await?;
    if row.try_get::<bool, _>(0)? {
        return Ok(None);
    }
    let row = sqlx::query("select pg_export_snapshot()::text").fetch_one(connection).await?;
    row.try_get(0).map(Some)
}

/// Finds the table and asks for its columns.
pub(super) async fn describe(connection: &mut PgConnection, spec: &DatabaseSpec) -> Result<Table, Stop> {
    let found = choose(spec, candidates(connection, spec).await?)?;
    let utf8 = sqlx::query("select current_setting('server_encoding') = 'UTF8'").fetch_one(&mut *connection).await?;
    let utf8: bool = utf8.try_get(0)?;
    // Domains are what they are made of.
    let sql = "select a.attname::text, format_type(a.atttypid, a.atttypmod), b.typname::text, \
               case when t.typtype = 'd' then t.typtypmod else a.atttypmod end, a.attnotnull, b.typtype::text, \
               b.typcategory::text, exists (select 1 from pg_index i where i.indrelid = a.attrelid and i.indisprimary \
               and i.indnkeyatts = 1 and i.indkey[0] = a.attnum) \
               from pg_attribute a join pg_type t on t.oid = a.atttypid \
               join pg_type b on b.oid = case when t.typtype = 'd' then t.typbasetype else t.oid end \
               join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace \
               where n.nspname = $1 and c.relname = $2 and a.attnum > 0 and not a.attisdropped order by a.attnum";
    let schema = found.schema.clone().unwrap_or_default();
    let rows = sqlx::query(sql).bind(&schema).bind(&found.name).fetch_all(connection).await?;
    let mut columns = Vec::with_capacity(rows.len());
    let mut key = None;
    for (at, row) in rows.iter().enumerate() {
        if row.try_get(7)? {
            key = Some(at);
        }
        let kind = Kind {
            name: row.try_get(2)?,
            modifier: row.try_get(3)?,
            shape: row.try_get::<String, _>(5)?,
            category: row.try_get(6)?,
        };
        let (data_type, compare, read) = kind.mapped(utf8);
        columns.push(Column {
            name: row.try_get(0)?,
            server_type: row.try_get(1)?,
            data_type,
            wanted: None,
            nullable: !row.try_get::<bool, _>(4)?,
            exact: true,
            read,
            compare,
        });
    }
    Ok(Table { schema: Some(schema), name: found.name, columns, key, rows: found.rows })
}

/// Tables that may be meant, and the names of others for who misspelt one.
async fn candidates(connection: &mut PgConnection, spec: &DatabaseSpec) -> Result<Vec<Candidate>, sqlx::Error> {
    let own = match &spec.config {
        crate::publish::DestinationConfig::Postgres(config) => config.schema.clone(),
        _ => String::new(),
    };
    let sql = "select n.nspname::text, c.relname::text, c.reltuples::bigint, n.nspname = $2 \
               from pg_class c join pg_namespace n on n.oid = c.relnamespace \
               where c.relkind in ('r', 'p', 'v', 'm', 'f') and (lower(n.nspname) = lower($1) or n.nspname = $2)";
    let schema = spec.table.schema.clone().unwrap_or_default();
    let rows = sqlx::query(sql).bind(schema).bind(own).fetch_all(connection).await?;
    let candidate = |row: &PgRow| {
        Ok(Candidate {
            schema: row.try_get(0)?,
            name: row.try_get(1)?,
            // -1 before the table was looked at for the first time.
            rows: u64::try_from(row.try_get::<i64, _>(2)?).ok(),
            is_default: row.try_get(3)?,
        })
    };
    rows.iter().map(candidate).collect()
}

/// A type of the catalog.
struct Kind {
    name: String,
    modifier: i32,
    /// `typtype`: b(ase), c(omposite), e(num), ...
    shape: String,
    category: String,
}

impl Kind {
    fn mapped(&self, utf8: bool) -> (DataType, Compare, Read) {
        let plain = |data_type, compare| (data_type, compare, Read::Plain);
        match self.name.as_str() {
            _ if self.category == "A" || self.shape == "c" => (DataType::Utf8View, Compare::Null, Read::Json),
            "bool" => plain(DataType::Boolean, Compare::Boolean),
            "int2" => plain(DataType::Int16, Compare::Integer),
            "int4" => plain(DataType::Int32, Compare::Integer),
            "int8" => plain(DataType::Int64, Compare::Integer),
            "oid" => plain(DataType::UInt32, Compare::Null),
            "float4" => plain(DataType::Float32, Compare::Null),
            "float8" => plain(DataType::Float64, Compare::Null),
            "numeric" => match self.numeric() {
                DataType::Utf8View => (DataType::Utf8View, Compare::Null, Read::Text),
                exact => (exact, Compare::Decimal, Read::Text),
            },
            "date" => plain(DataType::Date32, Compare::Date),
            "timestamp" => plain(DataType::Timestamp(TimeUnit::Microsecond, None), Compare::Timestamp { zoned: false }),
            "timestamptz" => {
                let data_type = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
                plain(data_type, Compare::Timestamp { zoned: true })
            }
            "time" => plain(DataType::Time64(TimeUnit::Microsecond), Compare::Null),
            // Bytes in another encoding have another order.
            "text" | "varchar" => plain(DataType::Utf8View, Compare::Text { indexed: true, ordered: utf8 }),
            // Blanks at the end do not count for `char(n)` there.
            "bpchar" | "json" => plain(DataType::Utf8View, Compare::Null),
            "bytea" => plain(DataType::Binary, Compare::Null),
            _ => (DataType::Utf8View, Compare::Null, Read::Text),
        }
    }

    /// `numeric(p, s)`; without digits any number is fine there, and here what fits into 38 of them, ten after the point.
    fn numeric(&self) -> DataType {
        let Ok(modifier) = u32::try_from(self.modifier - 4) else { return DataType::Decimal128(38, 10) };
        let precision = (modifier >> 16).clamp(1, 1000);
        // The scale has eleven bits, with a sign.
        let scale = (modifier & 0x7ff) as i32;
        let scale = if scale > 1023 { scale - 2048 } else { scale };
        match (precision, scale) {
            (..=38, 0..) if scale <= precision as i32 => DataType::Decimal128(precision as u8, scale as i8),
            (..=76, 0..) if scale <= precision as i32 => DataType::Decimal256(precision as u8, scale as i8),
            // Negative scales, more of them than digits, and more digits than there are.
            _ => DataType::Utf8View,
        }
    }
}

/// Streams the rows of `statement`.
pub(super) async fn fetch(
    connection: &mut PgConnection,
    statement: Statement,
    collector: &mut Collector,
) -> Result<(), Stop> {
    let mut arguments = PgArguments::default();
    for param in statement.params {
        let added = match param {
            Param::Int(value) => arguments.add(value),
            Param::UInt(value) => arguments.add(i64::try_from(value).unwrap_or(i64::MAX)),
            Param::Text(text) => arguments.add(text),
        };
        added.map_err(sqlx::Error::Encode)?;
    }
    let query = sqlx::query_with(AssertSqlSafe(statement.sql), arguments).persistent(false);
    collector.take(query.fetch(connection), value).await
}

fn value<'r>(row: &'r PgRow, at: usize, column: &Column) -> ReadValue<'r> {
    let raw = row.try_get_raw(at)?;
    if raw.is_null() {
        return Ok(Ok(Value::Null));
    }
    match raw.as_bytes() {
        Ok(bytes) => Ok(decode(bytes, column)),
        Err(error) => Err(sqlx::Error::Decode(error)),
    }
}

/// The value that `bytes` of the binary format mean for `column`.
fn decode<'r>(bytes: &'r [u8], column: &Column) -> Result<Value<'r>, Misfit> {
    match &column.data_type {
        DataType::Boolean => Ok(Value::Bool(bytes != [0])),
        DataType::Int16 => Ok(Value::Int(i16::from_be_bytes(sized(bytes)?).into())),
        DataType::Int32 => Ok(Value::Int(i32::from_be_bytes(sized(bytes)?).into())),
        DataType::Int64 => Ok(Value::Int(i64::from_be_bytes(sized(bytes)?))),
        DataType::UInt32 => Ok(Value::UInt(u32::from_be_bytes(sized(bytes)?).into())),
        DataType::Float32 => Ok(Value::Float(f32::from_be_bytes(sized(bytes)?).into())),
        DataType::Float64 => Ok(Value::Float(f64::from_be_bytes(sized(bytes)?))),
        DataType::Decimal128(..) | DataType::Decimal256(..) => Ok(Value::Digits(bytes)),
        DataType::Date32 => {
            let days = i32::from_be_bytes(sized(bytes)?);
            let date = (days != i32::MAX && days != i32::MIN).then(|| days.checked_add(EPOCH_DAYS)).flatten();
            date.map(Value::Date).ok_or_else(|| Misfit("an infinite date".into()))
        }
        DataType::Timestamp(..) => {
            let micros = i64::from_be_bytes(sized(bytes)?);
            let time = (micros != i64::MAX && micros != i64::MIN).then(|| micros.checked_add(EPOCH_MICROS)).flatten();
            time.map(Value::Timestamp).ok_or_else(|| Misfit("an infinite timestamp".into()))
        }
        DataType::Time64(_) => match i64::from_be_bytes(sized(bytes)?) {
            micros @ 0..86_400_000_000 => Ok(Value::Time(micros)),
            _ => Err("a time outside of a day (24:00:00)".into()),
        },
        DataType::Utf8View => {
            std::str::from_utf8(bytes).map(Value::Text).map_err(|_| Misfit("text that is no UTF-8".into()))
        }
        _ => Ok(Value::Bytes(bytes)),
    }
}

fn sized<const N: usize>(bytes: &[u8]) -> Result<[u8; N], Misfit> {
    let unexpected = || format!("the server sent {} bytes for a value of {N}: was the table altered?", bytes.len());
    bytes.try_into().map_err(|_| unexpected().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numeric(precision: i32, scale: i32) -> DataType {
        let kind = |modifier| Kind { name: "numeric".into(), modifier, shape: "b".into(), category: "N".into() };
        match precision {
            0 => kind(-1).numeric(),
            _ => kind((precision << 16 | (scale & 0x7ff)) + 4).numeric(),
        }
    }

    #[test]
    fn numerics_have_the_digits_that_were_declared() {
        assert_eq!(numeric(10, 2), DataType::Decimal128(10, 2));
        assert_eq!(numeric(76, 76), DataType::Decimal256(76, 76));
        assert_eq!(numeric(0, 0), DataType::Decimal128(38, 10));
        assert_eq!(numeric(10, -2), DataType::Utf8View);
        assert_eq!(numeric(3, 5), DataType::Utf8View);
        assert_eq!(numeric(100, 2), DataType::Utf8View);
    }
}
