//! SQLite: what its tables are, and how their rows are read.
//!
//! SQLite takes values of any type into any column, unless a table is strict. What a column holds is what its declared
//! type says; a value of another type fails the scan, whatever filter it would have passed.

use std::time::Duration;

use datafusion::arrow::datatypes::{DataType, TimeUnit};
use sqlx::sqlite::{SqliteArguments, SqliteConnectOptions, SqliteConnection, SqliteRow, SqliteValueRef};
use sqlx::{Arguments, AssertSqlSafe, ConnectOptions, Decode, Executor, Row, Sqlite, TypeInfo, ValueRef};

use super::super::formats::parse_data_type;
use super::collect::{Collector, ReadValue, Stop};
use super::column::{Column, Compare, Read, Table};
use super::find::{Candidate, choose};
use super::spec::DatabaseSpec;
use super::statement::{Dialect, Param, Statement};
use super::value::{Builder, Misfit, Value};
use crate::diag::{Diagnostic, codes};
use crate::publish::SqliteConfig;

/// Opens the file, which has to be there, for reading.
pub(super) async fn connect(config: &SqliteConfig) -> Result<SqliteConnection, sqlx::Error> {
    let options = SqliteConnectOptions::new()
        .filename(&config.path)
        .create_if_missing(false)
        .read_only(true)
        .busy_timeout(config.lock_timeout.max(Duration::from_millis(100)))
        .row_buffer_size(1024)
        .disable_statement_logging();
    options.connect().await
}

/// Starts a transaction whose queries all see the same state.
pub(super) async fn begin(connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    connection.execute("begin").await.map(drop)
}

/// Finds the table and asks for its columns.
pub(super) async fn describe(connection: &mut SqliteConnection, spec: &DatabaseSpec) -> Result<Table, Stop> {
    if let Some(schema) = spec.table.schema.as_deref().filter(|_| !spec.table.guessed)
        && !schema.eq_ignore_ascii_case("main")
    {
        let message = format!("a SQLite file has no schema `{schema}`");
        return Err(Diagnostic::error(codes::BAD_SOURCE, message).help("leave out what is before the point").into());
    }
    let rows = connection.fetch_all("select name from sqlite_schema where type in ('table', 'view')").await?;
    let candidate = |row: &SqliteRow| {
        // There is one schema, and whatever was guessed means it.
        Ok(Candidate { schema: Some("main".into()), name: row.try_get_unchecked(0)?, rows: None, is_default: true })
    };
    let candidates = rows.iter().map(candidate).collect::<Result<Vec<_>, sqlx::Error>>()?;
    let found = choose(spec, candidates)?;
    let sql = "select name, type, \"notnull\", pk from pragma_table_xinfo(?) where hidden <> 1 order by cid";
    let rows = sqlx::query(sql).bind(&found.name).fetch_all(&mut *connection).await?;
    let sql = "select \"strict\", wr from pragma_table_list(?) where schema = 'main'";
    let kind = sqlx::query(sql).bind(&found.name).fetch_optional(&mut *connection).await?;
    let flag = |at: usize| kind.as_ref().map_or(Ok(0), |row| row.try_get_unchecked::<i64, _>(at));
    let (is_strict, has_no_row_id) = (flag(0)? != 0, flag(1)? != 0);
    let mut columns = Vec::with_capacity(rows.len());
    let mut keys = Vec::new();
    for (at, row) in rows.iter().enumerate() {
        let name: String = row.try_get_unchecked(0)?;
        let server_type: String = row.try_get_unchecked(1)?;
        let not_null: i64 = row.try_get_unchecked(2)?;
        if row.try_get_unchecked::<i64, _>(3)? > 0 {
            keys.push(at);
        }
        let declared = spec.columns.iter().find(|column| column.name.eq_ignore_ascii_case(&name));
        let data_type = match declared.map(|column| parse_data_type(&column.data_type)).transpose()? {
            Some(data_type) if Builder::new(&data_type).is_some() => data_type,
            _ if server_type.trim().is_empty() => sampled(connection, &found.name, &name).await?,
            _ => mapped(&server_type),
        };
        columns.push(Column {
            compare: compare(&data_type, &server_type),
            name,
            data_type,
            wanted: None,
            nullable: not_null == 0,
            exact: is_strict && !server_type.eq_ignore_ascii_case("any"),
            read: Read::Plain,
            server_type,
        });
    }
    let key = match keys.as_slice() {
        [only] => Some(*only),
        _ => None,
    };
    let mut rows = None;
    if let Some(at) = key
        && columns[at].server_type.eq_ignore_ascii_case("integer")
        && !has_no_row_id
    {
        // An alias of the row id: always an integer, and never NULL.
        columns[at].exact = true;
        columns[at].nullable = false;
        rows = last_row_id(connection, &found.name).await?;
    }
    Ok(Table { schema: None, name: found.name, columns, key, rows })
}

/// Rows of a table that was never deleted from, found without counting.
async fn last_row_id(connection: &mut SqliteConnection, table: &str) -> Result<Option<u64>, sqlx::Error> {
    let sql = format!("select max(rowid) from {}", Dialect::Sqlite.quoted(table));
    let row = connection.fetch_one(AssertSqlSafe(sql)).await?;
    let last: Option<i64> = row.try_get_unchecked(0)?;
    Ok(last.map(|last| u64::try_from(last).unwrap_or(0)))
}

/// The type of a column that has none declared (as those of views that compute): that of the values in it.
async fn sampled(connection: &mut SqliteConnection, table: &str, name: &str) -> Result<DataType, Stop> {
    let (table, column) = (Dialect::Sqlite.quoted(table), Dialect::Sqlite.quoted(name));
    let sql = format!("select distinct typeof({column}) from {table} where {column} is not null");
    let mut found = Vec::new();
    for row in connection.fetch_all(AssertSqlSafe(sql)).await? {
        found.push(row.try_get_unchecked::<String, _>(0)?);
    }
    found.sort();
    Ok(match found.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["integer"] => DataType::Int64,
        ["real"] | ["integer", "real"] => DataType::Float64,
        [] | ["text"] => DataType::Utf8View,
        ["blob"] => DataType::Binary,
        mixed => {
            let message = format!("column `{name}` has no type and values of several: {}", mixed.join(", "));
            return Err(Diagnostic::error(codes::SCHEMA_MISMATCH, message)
                .help(format!("declare the one that you want: {{name: {name}, data_type: varchar}}"))
                .into());
        }
    })
}

/// The type that a declared type means. Beside SQLite's own rules (a part of the name decides) there are the names that
/// people use for what SQLite has no type of its own for.
fn mapped(declared: &str) -> DataType {
    let upper = declared.trim().to_uppercase();
    let word = upper.split(|c: char| c == '(' || c.is_whitespace()).next().unwrap_or_default();
    match word {
        "BOOLEAN" | "BOOL" => return DataType::Boolean,
        "DATE" => return DataType::Date32,
        "DATETIME" | "TIMESTAMP" => return DataType::Timestamp(TimeUnit::Microsecond, None),
        "TIMESTAMPTZ" => return DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
        "TIME" => return DataType::Time64(TimeUnit::Microsecond),
        "JSON" | "UUID" | "STRING" => return DataType::Utf8View,
        "NUMERIC" | "DECIMAL" | "DEC" => {
            let exact = upper.contains('(').then(|| parse_data_type(&upper.to_lowercase()).ok()).flatten();
            return exact.filter(|exact| matches!(exact, DataType::Decimal128(..))).unwrap_or(DataType::Float64);
        }
        _ => {}
    }
    let has = |part: &str| upper.contains(part);
    match () {
        () if has("INT") => DataType::Int64,
        () if has("CHAR") || has("CLOB") || has("TEXT") => DataType::Utf8View,
        () if has("BLOB") || has("BINARY") => DataType::Binary,
        () if has("REAL") || has("FLOA") || has("DOUB") => DataType::Float64,
        () => DataType::Utf8View,
    }
}

fn compare(data_type: &DataType, declared: &str) -> Compare {
    let upper = declared.to_uppercase();
    // Only in columns of this kind no text is ever turned into a number.
    let keeps_text = !upper.contains("INT") && ["CHAR", "CLOB", "TEXT"].iter().any(|part| upper.contains(part));
    match data_type {
        DataType::Int8 | DataType::Int16 | DataType::Int32 | DataType::Int64 => Compare::Integer,
        DataType::Boolean => Compare::Boolean,
        DataType::Date32 => Compare::Date,
        DataType::Utf8View if keeps_text => Compare::Text { indexed: false, ordered: true },
        _ => Compare::Null,
    }
}

/// Streams the rows of `statement`.
pub(super) async fn fetch(
    connection: &mut SqliteConnection,
    statement: Statement,
    collector: &mut Collector,
) -> Result<(), Stop> {
    let mut arguments = SqliteArguments::default();
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

fn value<'r>(row: &'r SqliteRow, at: usize, _: &Column) -> ReadValue<'r> {
    Ok(decode(row.try_get_raw(at)?))
}

/// What SQLite keeps a value as.
enum Stored {
    Integer,
    Real,
    Text,
    Blob,
}

fn stored(raw: &SqliteValueRef<'_>) -> Stored {
    match raw.type_info().name() {
        "INTEGER" => Stored::Integer,
        "REAL" => Stored::Real,
        "TEXT" => Stored::Text,
        _ => Stored::Blob,
    }
}

fn decode(raw: SqliteValueRef<'_>) -> Result<Value<'_>, Misfit> {
    if raw.is_null() {
        return Ok(Value::Null);
    }
    let failed = |error: sqlx::error::BoxDynError| Misfit(error.to_string());
    match stored(&raw) {
        Stored::Integer => <i64 as Decode<Sqlite>>::decode(raw).map(Value::Int).map_err(failed),
        Stored::Real => <f64 as Decode<Sqlite>>::decode(raw).map(Value::Float).map_err(failed),
        Stored::Text => {
            <&str as Decode<Sqlite>>::decode(raw).map(Value::Text).map_err(|_| Misfit("text that is no UTF-8".into()))
        }
        Stored::Blob => <&[u8] as Decode<Sqlite>>::decode(raw).map(Value::Bytes).map_err(failed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn declared_types_mean_what_people_mean() {
        for (declared, expected) in [
            ("INTEGER", DataType::Int64),
            ("unsigned big int", DataType::Int64),
            ("VARCHAR(255)", DataType::Utf8View),
            ("double precision", DataType::Float64),
            ("NUMERIC(10, 2)", DataType::Decimal128(10, 2)),
            ("numeric", DataType::Float64),
            ("datetime", DataType::Timestamp(TimeUnit::Microsecond, None)),
            ("Date", DataType::Date32),
            ("VARBINARY(5)", DataType::Binary),
            ("whatever", DataType::Utf8View),
        ] {
            assert_eq!(mapped(declared), expected, "{declared}");
        }
    }
}
