//! Rows into a table that stays: modes append and upsert.
//!
//! The rows are loaded into a temporary table and counted there; then they move by one statement. Deletes come first, so
//! that a key which goes and a key which comes never meet in another unique index.

use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Executor, Row};

use super::super::evolution::{Evolution, loaded};
use super::super::kind::Kind;
use super::super::ledger::{Entry, Found, Gone};
use super::super::rows::Rows;
use super::super::shape::Shape;
use super::super::statement::quoted;
use super::super::tally::recount;
use super::super::{Published, Vanished};
use super::failure::{Failure, state};
use super::table::{Old, columns, create_temporary};
use super::{Work, ledger, types};
use crate::diag::codes;

/// The temporary tables.
const NEW: &str = "c360_new";
const GONE: &str = "c360_gone";

impl Work<'_> {
    /// Adds `rows`, which are `all` of the relation or some; with `gone` by key, after deleting what it says.
    pub(super) async fn merge(
        &self,
        rows: &dyn Rows,
        gone: Option<Gone>,
        all: bool,
        old: &Old,
        found: &Found,
        connection: &mut PgConnection,
    ) -> Result<Published, Failure> {
        let entry = found.entry.as_ref();
        let evolution = self.evolve(rows, entry, old, connection).await?;
        let (shape, rows) = loaded(self.place, self.job, &evolution, rows)?;
        let types = types::columns(self.place, &shape)?;
        create_temporary(self.place, NEW, &shape, &types, connection).await?;
        let staging = format!("pg_temp.{NEW}");
        let (tally, _) = self.load(&rows, &shape, &staging, connection).await?;
        self.reconcile(&shape, &tally, &staging, connection).await?;
        let deleted = match &gone {
            Some(gone) => self.delete(gone, &shape, connection).await?,
            None => 0,
        };
        self.insert(&shape, gone.is_some(), all, connection).await?;
        let total = self.count(connection).await?;
        if self.job.vanished == Vanished::Delete {
            recount(self.place, total, self.source.count())?;
        }
        let noted = Entry::new(&self.table.name, self.job, self.source.origin(), evolution.columns).merged(
            self.job,
            gone.is_some(),
            entry,
        );
        ledger::write(self.place, self.table, &noted.counted(total, tally.rows), connection).await?;
        let columns = shape.fields.iter().map(|field| field.name.clone()).zip(types).collect();
        let published = Published::new(self.place, self.job, total, tally.rows);
        Ok(Published { bytes: tally.bytes, deleted, columns, ..published })
    }

    /// Gives the table the columns that `on_schema_change` says.
    async fn evolve(
        &self,
        rows: &dyn Rows,
        entry: Option<&Entry>,
        old: &Old,
        connection: &mut PgConnection,
    ) -> Result<Evolution, Failure> {
        let shape = Shape::resolve(self.job, &rows.schema(), self.place)?;
        let there = columns(&old.oid.to_string(), connection).await.map_err(|error| self.failed(&error))?;
        let there: Vec<String> = there.into_keys().collect();
        let evolution = Evolution::of(self.place, self.job, &shape, &there, entry)?;
        let types = types::columns(self.place, &shape)?;
        let name = |at: &usize| quoted(&shape.fields[*at].name, '"');
        let mut changes = Vec::new();
        changes.extend(evolution.drop.iter().map(|name| format!("drop column {}", quoted(name, '"'))));
        changes.extend(evolution.add.iter().map(|at| format!("add column {} {}", name(at), types[*at])));
        let retype = |at: &usize| {
            format!("alter column {0} type {1} using {0}::text::{2}", name(at), types[*at], plain(&types[*at]))
        };
        changes.extend(evolution.retype.iter().map(retype));
        if !changes.is_empty() {
            let sql = format!("alter table {} {}", self.table.sql_name(), changes.join(", "));
            self.execute(sql, connection).await?;
        }
        Ok(evolution)
    }

    /// Deletes the rows that `gone` says; gives back how many.
    async fn delete(&self, gone: &Gone, shape: &Shape, connection: &mut PgConnection) -> Result<u64, Failure> {
        let table = self.table.sql_name();
        match gone {
            Gone::None => Ok(0),
            Gone::Others => {
                let sql = format!(
                    "delete from {table} t where not exists (select from pg_temp.{NEW} n where {})",
                    same_key(shape)
                );
                self.execute(sql, connection).await
            }
            Gone::Keys(keys) => {
                let keys_shape = Shape::resolve(&shape.keys_job(self.job), &keys.schema(), self.place)?;
                let types = types::columns(self.place, &keys_shape)?;
                create_temporary(self.place, GONE, &keys_shape, &types, connection).await?;
                let staging = format!("pg_temp.{GONE}");
                self.load(&**keys, &keys_shape, &staging, connection).await?;
                let sql = format!("delete from {table} t using {staging} n where {}", same_key(shape));
                self.execute(sql, connection).await
            }
        }
    }

    /// Moves the rows.
    async fn insert(
        &self,
        shape: &Shape,
        by_key: bool,
        all: bool,
        connection: &mut PgConnection,
    ) -> Result<(), Failure> {
        let positions: Vec<usize> = (0..shape.fields.len()).collect();
        let (table, columns) = (self.table.sql_name(), names("", shape, &positions));
        let order =
            if shape.key.is_empty() { String::new() } else { format!(" order by {}", names("", shape, &shape.key)) };
        let mut sql = format!("insert into {table} as t ({columns}) select {columns} from pg_temp.{NEW}{order}");
        if by_key {
            let values: Vec<usize> = positions.into_iter().filter(|at| !shape.key.contains(at)).collect();
            sql.push_str(&format!(" on conflict ({}) do ", names("", shape, &shape.key)));
            match values.is_empty() {
                true => sql.push_str("nothing"),
                false => {
                    let set = |at: &usize| format!("{0} = excluded.{0}", quoted(&shape.fields[*at].name, '"'));
                    sql.push_str(&format!("update set {}", values.iter().map(set).collect::<Vec<_>>().join(", ")));
                    // Rows that are as they were stay untouched; some declared types cannot be compared.
                    if all && values.iter().all(|at| shape.fields[*at].declared.is_none()) {
                        let (ours, theirs) = (names("t.", shape, &values), names("excluded.", shape, &values));
                        sql.push_str(&format!(" where ({ours}) is distinct from ({theirs})"));
                    }
                }
            }
        }
        match connection.execute(AssertSqlSafe(sql)).await {
            Ok(_) => Ok(()),
            Err(error) if state(&error).as_deref() == Some("42P10") => {
                let problem = "the table there has no primary key or unique index on the columns of `key`";
                let error = self.place.failed(codes::PUBLISH_FAILED, problem);
                Err(error.help("add one, or run with --full-refresh to build the table again").into())
            }
            Err(error) => Err(self.failed(&error)),
        }
    }

    async fn count(&self, connection: &mut PgConnection) -> Result<u64, Failure> {
        let sql = format!("select count(*) from {}", self.table.sql_name());
        let row = sqlx::query(AssertSqlSafe(sql)).fetch_one(connection).await;
        let rows: i64 = row.and_then(|row| row.try_get(0)).map_err(|error| self.failed(&error))?;
        Ok(rows.unsigned_abs())
    }
}

/// A type without what only a column's definition can have.
fn plain(sql_type: &str) -> &str {
    sql_type.split(" collate ").next().unwrap_or(sql_type)
}

/// Quoted names of columns, each behind `prefix`, with commas.
fn names(prefix: &str, shape: &Shape, positions: &[usize]) -> String {
    let name = |at: &usize| format!("{prefix}{}", quoted(&shape.fields[*at].name, '"'));
    positions.iter().map(name).collect::<Vec<_>>().join(", ")
}

/// A condition: `t` and `n` have the same key. Texts are compared as bytes, whatever the table was made with.
fn same_key(shape: &Shape) -> String {
    let same = |at: &usize| {
        let field = &shape.fields[*at];
        let name = quoted(&field.name, '"');
        match field.kind == Kind::Text && field.declared.is_none() {
            true => format!("t.{name} collate \"C\" = n.{name} collate \"C\""),
            false => format!("t.{name} = n.{name}"),
        }
    };
    shape.key.iter().map(same).collect::<Vec<_>>().join(" and ")
}
