//! The ledger as a table of the file.

use sqlx::sqlite::SqliteConnection;
use sqlx::{AssertSqlSafe, Row};

use super::super::ledger::{COLUMNS, Entry, Found, TABLE};
use super::super::place::Place;
use super::{execute, failed};
use crate::diag::{Result, codes};

/// What is there under the name `table`. A view is refused.
pub(super) async fn found(place: &Place, table: &str, connection: &mut SqliteConnection) -> Result<Found> {
    match kind(place, table, connection).await?.as_deref() {
        None => return Ok(Found::default()),
        Some("table") => {}
        Some(other) => {
            let problem = format!("a {other} has that name there");
            return Err(place
                .failed(codes::PUBLISH_FAILED, problem)
                .help(format!("drop the {other}, or set another `table`")));
        }
    }
    if kind(place, TABLE, connection).await?.is_none() {
        return Ok(Found { exists: true, entry: None });
    }
    let list = COLUMNS.map(|(name, _)| format!("cast({name} as text)")).join(", ");
    let sql = format!("select {list} from {TABLE} where lower(destination_table) = lower(?)");
    let row = sqlx::query(AssertSqlSafe(sql)).bind(table).fetch_optional(connection).await;
    let row = row.map_err(|error| failed(place, &error))?;
    let values = row.map(|row| (0..COLUMNS.len()).map(|at| row.try_get_unchecked(at).ok().flatten()).collect());
    Ok(Found { exists: true, entry: values.and_then(Entry::read) })
}

/// `table`, `view` or `index`: what has the name `name`.
async fn kind(place: &Place, name: &str, connection: &mut SqliteConnection) -> Result<Option<String>> {
    let sql = "select type from sqlite_schema where lower(name) = lower(?)";
    let row = sqlx::query(sql).bind(name).fetch_optional(connection).await;
    let row = row.map_err(|error| failed(place, &error))?;
    Ok(row.and_then(|row| row.try_get(0).ok()))
}

/// Notes `entry` instead of what was noted about its table.
pub(super) async fn write(place: &Place, entry: &Entry, connection: &mut SqliteConnection) -> Result<()> {
    let columns = COLUMNS.map(|(name, number)| match (name, number) {
        ("destination_table", _) => format!("{name} text primary key collate nocase"),
        (_, true) => format!("{name} integer"),
        (_, false) => format!("{name} text"),
    });
    execute(place, connection, format!("create table if not exists {TABLE} ({})", columns.join(", "))).await?;
    let marks = COLUMNS.map(|(_, number)| if number { "cast(? as integer)" } else { "?" });
    let sql = format!("insert or replace into {TABLE} values ({})", marks.join(", "));
    let query = entry.values().into_iter().fold(sqlx::query(AssertSqlSafe(sql)), |query, value| query.bind(value));
    query.execute(connection).await.map(drop).map_err(|error| failed(place, &error))
}
