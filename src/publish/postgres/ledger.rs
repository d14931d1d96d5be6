//! The ledger as a table of the schema that the published table is in.

use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Executor, Row};

use super::super::ledger::{COLUMNS, Entry, TABLE};
use super::super::place::Place;
use super::super::statement::quoted;
use super::failure::{Failure, judge, state};
use super::table::Table;

fn name(table: &Table) -> String {
    format!("{}.{TABLE}", quoted(&table.schema, '"'))
}

/// What the ledger says about the table.
pub(super) async fn read(
    place: &Place,
    table: &Table,
    connection: &mut PgConnection,
) -> Result<Option<Entry>, Failure> {
    let failed = |error: sqlx::Error| judge(place, &error);
    if !exists(table, connection).await.map_err(failed)? {
        return Ok(None);
    }
    let list = COLUMNS.map(|(name, _)| format!("{name}::text")).join(", ");
    let sql = format!("select {list} from {} where destination_table = $1", name(table));
    let row = sqlx::query(AssertSqlSafe(sql)).bind(&table.name).fetch_optional(connection).await.map_err(failed)?;
    let values = row.map(|row| (0..COLUMNS.len()).map(|at| row.try_get(at).ok().flatten()).collect());
    Ok(values.and_then(Entry::read))
}

async fn exists(table: &Table, connection: &mut PgConnection) -> Result<bool, sqlx::Error> {
    let row = sqlx::query("select to_regclass($1) is not null").bind(name(table)).fetch_one(connection).await?;
    row.try_get(0)
}

/// Notes `entry` instead of what was noted about its table.
pub(super) async fn write(
    place: &Place,
    table: &Table,
    entry: &Entry,
    connection: &mut PgConnection,
) -> Result<(), Failure> {
    let failed = |error: sqlx::Error| judge(place, &error);
    if !exists(table, connection).await.map_err(failed)? {
        make(place, table, connection).await?;
    }
    let types = COLUMNS.map(|(_, number)| if number { "::bigint" } else { "" });
    let marks: Vec<String> = types.iter().enumerate().map(|(at, cast)| format!("${}::text{cast}", at + 1)).collect();
    let sets: Vec<String> = COLUMNS[1..].iter().map(|(name, _)| format!("{name} = excluded.{name}")).collect();
    let sql = format!(
        "insert into {} values ({}) on conflict (destination_table) do update set {}",
        name(table),
        marks.join(", "),
        sets.join(", ")
    );
    let query = entry.values().into_iter().fold(sqlx::query(AssertSqlSafe(sql)), |query, value| query.bind(value));
    query.execute(connection).await.map(drop).map_err(failed)
}

/// Makes the ledger. Publishes of other tables may do it at the same moment; then theirs is as good.
async fn make(place: &Place, table: &Table, connection: &mut PgConnection) -> Result<(), Failure> {
    let columns = COLUMNS.map(|(name, number)| match (name, number) {
        ("destination_table", _) => format!("{name} text collate \"C\" primary key"),
        (_, true) => format!("{name} bigint"),
        (_, false) => format!("{name} text"),
    });
    let sql =
        format!("savepoint ledger; create table {} ({}); release savepoint ledger", name(table), columns.join(", "));
    match connection.execute(AssertSqlSafe(sql)).await {
        Ok(_) => Ok(()),
        Err(error) if matches!(state(&error).as_deref(), Some("42P07" | "23505")) => {
            let undone = connection.execute("rollback to savepoint ledger").await;
            undone.map(drop).map_err(|error| judge(place, &error))
        }
        Err(error) => Err(judge(place, &error)),
    }
}
