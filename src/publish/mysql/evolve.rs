//! The columns of a table that stays: what they are, and the statements that make them what they have to be.

use std::collections::BTreeMap;

use sqlx::mysql::MySqlConnection;
use sqlx::{AssertSqlSafe, Executor, Row};

use super::super::evolution::Evolution;
use super::super::kind::Kind;
use super::super::place::Place;
use super::super::shape::Shape;
use super::super::statement::quoted;
use super::super::survey::Survey;
use super::failure::{Failure, judge};
use super::table::Table;
use super::types::ColumnType;
use crate::diag::codes;

/// A column of the table.
#[derive(Debug, Clone)]
pub(super) struct ColumnThere {
    /// Its name.
    pub(super) name: String,
    /// Characters of a text, or bytes of a binary value, that it has room for; none for other types.
    room: Option<u64>,
}

/// The columns of the table, in order.
pub(super) async fn columns(table: &Table, connection: &mut MySqlConnection) -> Result<Vec<ColumnThere>, sqlx::Error> {
    // `TEXT` has a limit in bytes, at four of which a character is safe.
    let sql = "select column_name, cast(case when data_type in ('varchar', 'char') then character_maximum_length \
               when data_type like '%text' then character_octet_length div 4 else character_octet_length end as char) \
               from information_schema.columns where table_schema = ? and table_name = ? order by ordinal_position";
    let rows = sqlx::query(sql).bind(&table.database).bind(&table.name).fetch_all(connection).await?;
    let column = |row: &sqlx::mysql::MySqlRow| {
        let room: Option<String> = row.try_get_unchecked(1)?;
        Ok(ColumnThere { name: row.try_get_unchecked(0)?, room: room.and_then(|room| room.parse().ok()) })
    };
    rows.iter().map(column).collect()
}

/// Refuses an upsert into a table whose rows are told apart by something else than the key.
pub(super) async fn check_key(
    place: &Place,
    table: &Table,
    shape: &Shape,
    connection: &mut MySqlConnection,
) -> Result<(), Failure> {
    let sql = "select index_name, lower(column_name) from information_schema.statistics \
               where table_schema = ? and table_name = ? and non_unique = 0";
    let rows = sqlx::query(sql).bind(&table.database).bind(&table.name).fetch_all(connection).await;
    let mut unique: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for row in rows.map_err(|error| judge(place, &error))? {
        let text = |at: usize| row.try_get_unchecked::<String, _>(at).map_err(|error| judge(place, &error));
        unique.entry(text(0)?).or_default().push(text(1)?);
    }
    let mut key: Vec<String> = shape.key_names().iter().map(|name| name.to_lowercase()).collect();
    key.sort();
    let is_key = |columns: &Vec<String>| {
        let mut columns = columns.clone();
        columns.sort();
        columns == key
    };
    let problem = match unique.iter().find(|(_, columns)| !is_key(columns)) {
        _ if !unique.values().any(is_key) => "the table there has no primary key on the columns of `key`".to_string(),
        Some((name, _)) => format!("the table there has another unique index, `{name}`"),
        None => return Ok(()),
    };
    let help = "run with --full-refresh to build the table again, or drop the index";
    Err(place.failed(codes::PUBLISH_FAILED, problem).help(help).into())
}

/// The parts of the `ALTER TABLE` that makes room for rows of `shape`, whose types are `types`.
pub(super) fn changes(
    shape: &Shape,
    evolution: &Evolution,
    there: &[ColumnThere],
    types: &[ColumnType],
    survey: Option<&Survey>,
) -> Vec<String> {
    let mut parts: Vec<String> =
        evolution.drop.iter().map(|name| format!("DROP COLUMN {}", quoted(name, '`'))).collect();
    for (at, (field, column)) in shape.fields.iter().zip(types).enumerate() {
        let name = quoted(&field.name, '`');
        // `shape` is about the loaded columns, `evolution` about all of the relation.
        let position = evolution.load[at];
        let null = if shape.key.contains(&at) { "NOT NULL" } else { "NULL" };
        if evolution.add.contains(&position) {
            parts.push(format!("ADD COLUMN {name} {} {null}", column.sql));
            continue;
        }
        let room = there.iter().find(|other| other.name.to_lowercase() == field.name.to_lowercase());
        let room = room.and_then(|column| column.room);
        let needed = survey.map(|survey| &survey.measures[at]).map_or(0, |measure| match field.kind {
            Kind::Binary => measure.bytes,
            _ => measure.chars,
        });
        let is_short = room.is_some_and(|room| room < needed as u64) && field.declared.is_none();
        let is_sized = matches!(field.kind, Kind::Text | Kind::Binary);
        if evolution.retype.contains(&position) || (is_sized && is_short) {
            parts.push(format!("MODIFY COLUMN {name} {} {null}", column.sql));
        }
    }
    parts
}

/// Changes the table, if there is anything to change.
pub(super) async fn alter(
    place: &Place,
    table: &Table,
    changes: &[String],
    connection: &mut MySqlConnection,
) -> Result<(), Failure> {
    if changes.is_empty() {
        return Ok(());
    }
    let sql = format!("ALTER TABLE {} {}", table.own_name(), changes.join(", "));
    connection.execute(AssertSqlSafe(sql)).await.map(drop).map_err(|error| judge(place, &error))
}
