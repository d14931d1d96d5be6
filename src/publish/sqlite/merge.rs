//! Rows into a table that stays: modes append and upsert.
//!
//! The rows are loaded into a temporary table and counted there; then they move by one statement. Deletes come first, so
//! that a key which goes and a key which comes never meet in another unique index.

use sqlx::sqlite::SqliteConnection;
use sqlx::{AssertSqlSafe, Row};

use super::super::evolution::{Evolution, loaded};
use super::super::ledger::{Entry, Gone};
use super::super::rows::Rows;
use super::super::shape::Shape;
use super::super::statement::quoted;
use super::super::tally::recount;
use super::super::{Published, Vanished};
use super::load::Load;
use super::{Work, execute, failed, ledger, names, types};
use crate::diag::{Result, codes};

/// The temporary tables.
const NEW: &str = "temp.\"c360_new\"";
const GONE: &str = "temp.\"c360_gone\"";

impl Work<'_> {
    /// Adds `rows`; with `gone` by key, after deleting what it says.
    pub(super) async fn merge(
        &self,
        rows: &dyn Rows,
        gone: Option<Gone>,
        entry: Option<&Entry>,
        connection: &mut SqliteConnection,
    ) -> Result<Published> {
        let evolution = self.evolve(rows, entry, connection).await?;
        let (shape, rows) = loaded(self.place, self.job, &evolution, rows)?;
        let types = types::columns(&shape);
        let load = Load { place: self.place, shape: &shape, types: &types, table: NEW, progress: self.progress };
        let tally = load.run("temp table", &rows, connection).await?;
        let deleted = match &gone {
            Some(gone) => self.delete(gone, &shape, connection).await?,
            None => 0,
        };
        self.insert(&shape, gone.is_some(), connection).await?;
        let total = self.count(connection).await?;
        if self.job.vanished == Vanished::Delete {
            recount(self.place, total, self.source.count())?;
        }
        let noted = Entry::new(self.table, self.job, self.source.origin(), evolution.columns).merged(
            self.job,
            gone.is_some(),
            entry,
        );
        ledger::write(self.place, &noted.counted(total, tally.rows), connection).await?;
        let columns = shape.fields.iter().map(|field| field.name.clone()).zip(types).collect();
        let published = Published::new(self.place, self.job, total, tally.rows);
        Ok(Published { bytes: tally.bytes, deleted, columns, ..published })
    }

    /// Gives the table the columns that `on_schema_change` says.
    async fn evolve(
        &self,
        rows: &dyn Rows,
        entry: Option<&Entry>,
        connection: &mut SqliteConnection,
    ) -> Result<Evolution> {
        let shape = Shape::resolve(self.job, &rows.schema(), self.place)?;
        let sql = "select name from pragma_table_info(?)";
        let there = sqlx::query(sql).bind(self.table).fetch_all(&mut *connection).await;
        let there = there.map_err(|error| failed(self.place, &error))?;
        let there: Vec<String> = there.iter().filter_map(|row| row.try_get(0).ok()).collect();
        let evolution = Evolution::of(self.place, self.job, &shape, &there, entry)?;
        if let Some(at) = evolution.retype.first() {
            let name = &shape.fields[*at].name;
            let problem = format!("the type of column `{name}` has changed, and SQLite cannot change it");
            let error = self.place.failed(codes::PUBLISH_SCHEMA, problem);
            return Err(error.help("run with --full-refresh to build the table again"));
        }
        let (types, table) = (types::columns(&shape), quoted(self.table, '"'));
        for at in &evolution.add {
            let column = format!("{} {}", quoted(&shape.fields[*at].name, '"'), types[*at]);
            execute(self.place, connection, format!("alter table {table} add column {column}")).await?;
        }
        for name in &evolution.drop {
            execute(self.place, connection, format!("alter table {table} drop column {}", quoted(name, '"'))).await?;
        }
        Ok(evolution)
    }

    /// Deletes the rows that `gone` says; gives back how many.
    async fn delete(&self, gone: &Gone, shape: &Shape, connection: &mut SqliteConnection) -> Result<u64> {
        let (table, key) = (quoted(self.table, '"'), names(shape, &shape.key));
        let sql = match gone {
            Gone::None => return Ok(0),
            Gone::Others => format!("delete from {table} where ({key}) not in (select {key} from {NEW})"),
            Gone::Keys(keys) => {
                let keys_shape = Shape::resolve(&shape.keys_job(self.job), &keys.schema(), self.place)?;
                let types = types::columns(&keys_shape);
                let load =
                    Load { place: self.place, shape: &keys_shape, types: &types, table: GONE, progress: &|_| {} };
                load.run("temp table", &**keys, connection).await?;
                format!("delete from {table} where ({key}) in (select {key} from {GONE})")
            }
        };
        let done = sqlx::query(AssertSqlSafe(sql)).execute(connection).await;
        Ok(done.map_err(|error| failed(self.place, &error))?.rows_affected())
    }

    /// Moves the rows.
    async fn insert(&self, shape: &Shape, by_key: bool, connection: &mut SqliteConnection) -> Result<()> {
        let all: Vec<usize> = (0..shape.fields.len()).collect();
        let (table, columns) = (quoted(self.table, '"'), names(shape, &all));
        let mut sql = format!("insert into {table} ({columns}) select {columns} from {NEW} where true");
        if by_key {
            let set = |at: &usize| format!("{0} = excluded.{0}", quoted(&shape.fields[*at].name, '"'));
            let sets: Vec<String> = all.iter().filter(|at| !shape.key.contains(at)).map(set).collect();
            let action =
                if sets.is_empty() { "nothing".to_string() } else { format!("update set {}", sets.join(", ")) };
            sql += &format!(" on conflict ({}) do {action}", names(shape, &shape.key));
        }
        match sqlx::query(AssertSqlSafe(sql)).execute(connection).await {
            Ok(_) => Ok(()),
            Err(error) if error.to_string().contains("ON CONFLICT clause does not match") => {
                let problem = "the table there has no primary key on the columns of `key`";
                let error = self.place.failed(codes::PUBLISH_FAILED, problem);
                Err(error.help("run with --full-refresh to build the table again"))
            }
            Err(error) if error.to_string().contains("UNIQUE constraint failed") => {
                let help = "rows that are added have keys that are there already: use `mode: upsert`";
                Err(failed(self.place, &error).help(help))
            }
            Err(error) => Err(failed(self.place, &error)),
        }
    }

    async fn count(&self, connection: &mut SqliteConnection) -> Result<u64> {
        let sql = format!("select count(*) from {}", quoted(self.table, '"'));
        let row = sqlx::query(AssertSqlSafe(sql)).fetch_one(connection).await;
        let rows: i64 = row.and_then(|row| row.try_get(0)).map_err(|error| failed(self.place, &error))?;
        Ok(rows.unsigned_abs())
    }
}
