//! Rows into a table that stays: modes append and upsert.
//!
//! They are loaded into a table beside it, by several connections, and counted there. Then one transaction deletes the
//! rows that have to go, moves the new ones, and changes the ledger: all of it is seen at once, or none. Whatever changes
//! the table itself (columns that are added, texts that need more room) comes before, since MySQL ends a transaction
//! for it, and does no harm if the rest does not come about.

use std::sync::Arc;

use sqlx::mysql::MySqlConnection;
use sqlx::{AssertSqlSafe, Executor, Row};

use super::super::evolution::loaded;
use super::super::ledger::{Entry, Gone};
use super::super::rows::Rows;
use super::super::shape::Shape;
use super::super::statement::quoted;
use super::super::survey::survey;
use super::super::tally::{reconcile, recount};
use super::super::{Published, Vanished};
use super::connect::Server;
use super::failure::{Failure, judge, refused_merge};
use super::ledger::{self, Ledger};
use super::table::names;
use super::{Beside, Work, evolve, partitions};
use crate::diag::Result;

impl Work<'_> {
    /// Adds `rows`; with `gone` by key, after deleting what it says.
    pub(super) async fn merge(
        &self,
        rows: &dyn Rows,
        gone: Option<Gone>,
        entry: Option<Entry>,
        server: &Server,
        control: &mut MySqlConnection,
    ) -> Result<Published, Failure> {
        let failed = |error: sqlx::Error| judge(&self.place, &error);
        let there = evolve::columns(&self.table, control).await.map_err(failed)?;
        let evolution = self.evolution(rows, &there, entry.as_ref())?;
        let (shape, projected) = loaded(&self.place, self.job, &evolution, rows)?;
        if gone.is_some() {
            evolve::check_key(&self.place, &self.table, &shape, control).await?;
        }
        let survey = survey(&shape, &projected).await?;
        let types = self.types(&shape, survey.as_ref(), server)?;
        let changes = evolve::changes(&shape, &evolution, &there, &types, survey.as_ref());
        evolve::alter(&self.place, &self.table, &changes, control).await?;
        partitions::extend(&self.place, self.job, &self.table, &projected, control).await?;

        let name = self.table.new_name();
        let beside =
            Beside { name: &name, shape: Arc::clone(&shape), rows: &projected, survey: survey.as_ref(), tail: "" };
        let (tally, types) = self.load(&beside, server, control).await?;
        let arrived = self.table.arrived(&shape, control).await.map_err(failed)?;
        reconcile(&self.place, &shape, &tally, &arrived)?;
        if let Some(Gone::Keys(keys)) = &gone {
            self.load_keys(&shape, &**keys, server, control).await?;
        }

        let mut noted = Entry::new(&self.table.name, self.job, self.source.origin(), evolution.columns);
        noted.sent = tally.rows;
        noted = noted.merged(self.job, gone.is_some(), entry.as_ref());
        let noted = self.token(noted, entry, control).await?;
        self.table.keep_lock(&self.place, control).await?;
        let (rows, deleted) = self.transact(&shape, gone.as_ref(), noted, control).await?;
        let _ = self.table.drop_work(control).await;
        let names = shape.fields.iter().map(|field| field.name.clone());
        let published = Published::new(&self.place, self.job, rows, tally.rows);
        Ok(Published { bytes: tally.bytes, deleted, columns: names.zip(types).collect(), ..published })
    }

    fn evolution(
        &self,
        rows: &dyn Rows,
        there: &[evolve::ColumnThere],
        entry: Option<&Entry>,
    ) -> Result<super::super::evolution::Evolution> {
        let shape = Shape::resolve(self.job, &rows.schema(), &self.place)?;
        let names: Vec<String> = there.iter().map(|column| column.name.clone()).collect();
        super::super::evolution::Evolution::of(&self.place, self.job, &shape, &names, entry)
    }

    /// Loads the keys that are to be deleted.
    async fn load_keys(
        &self,
        shape: &Shape,
        keys: &dyn Rows,
        server: &Server,
        control: &mut MySqlConnection,
    ) -> Result<(), Failure> {
        let shape = Arc::new(Shape::resolve(&shape.keys_job(self.job), &keys.schema(), &self.place)?);
        let survey = survey(&shape, keys).await?;
        let name = self.table.gone_name();
        let beside = Beside { name: &name, shape, rows: keys, survey: survey.as_ref(), tail: "" };
        self.load(&beside, server, control).await.map(drop)
    }

    /// `noted` with the token of the table, which gets one if the ledger does not know it yet.
    async fn token(
        &self,
        mut noted: Entry,
        entry: Option<Entry>,
        control: &mut MySqlConnection,
    ) -> Result<(Entry, bool), Failure> {
        let failed = |error: sqlx::Error| judge(&self.place, &error);
        if let Some(entry) = entry {
            noted.token = entry.token;
            return Ok((noted, true));
        }
        Ledger::of(&self.table).create(control).await.map_err(failed)?;
        let sql = format!("ALTER TABLE {}{}", self.table.own_name(), ledger::comment(&noted));
        control.execute(AssertSqlSafe(sql)).await.map_err(failed)?;
        Ok((noted, false))
    }

    /// Deletes, moves and notes in one transaction. Gives back the rows of the table, and how many were deleted.
    async fn transact(
        &self,
        shape: &Shape,
        gone: Option<&Gone>,
        (noted, is_known): (Entry, bool),
        control: &mut MySqlConnection,
    ) -> Result<(u64, u64), Failure> {
        let failed = |error: sqlx::Error| judge(&self.place, &error);
        control.execute("START TRANSACTION").await.map_err(failed)?;
        let deleted = match gone.and_then(|gone| self.delete(gone, shape)) {
            Some(sql) => control.execute(AssertSqlSafe(sql)).await.map_err(failed)?.rows_affected(),
            None => 0,
        };
        let sql = self.insert(shape, gone.is_some());
        control.execute(AssertSqlSafe(sql)).await.map_err(|error| refused_merge(&self.place, &error))?;
        let sql = format!("select count(*) from {}", self.table.own_name());
        let row = sqlx::query(AssertSqlSafe(sql)).fetch_one(&mut *control).await.map_err(failed)?;
        let rows = row.try_get_unchecked::<i64, _>(0).map_err(failed)?.unsigned_abs();
        if self.job.vanished == Vanished::Delete {
            recount(&self.place, rows, self.source.count())?;
        }
        let (ledger, sent) = (Ledger::of(&self.table), noted.sent);
        let noted = noted.counted(rows, sent);
        match is_known {
            true => ledger.update(&noted, control).await.map_err(failed)?,
            false => ledger.insert(&noted, control).await.map_err(failed)?,
        }
        control.execute("COMMIT").await.map_err(failed)?;
        Ok((rows, deleted))
    }

    /// The statement that deletes what `gone` says.
    fn delete(&self, gone: &Gone, shape: &Shape) -> Option<String> {
        let same = |side: &str| {
            let equal = shape.key.iter().map(|at| {
                let name = quoted(&shape.fields[*at].name, '`');
                format!("{side}.{name} = t.{name}")
            });
            equal.collect::<Vec<_>>().join(" AND ")
        };
        let table = self.table.own_name();
        match gone {
            Gone::None => None,
            Gone::Keys(_) => {
                Some(format!("DELETE t FROM {table} AS t JOIN {} AS g ON {}", self.table.gone_name(), same("g")))
            }
            Gone::Others => {
                let first = quoted(&shape.fields[*shape.key.first()?].name, '`');
                let new = self.table.new_name();
                Some(format!(
                    "DELETE t FROM {table} AS t LEFT JOIN {new} AS n ON {} WHERE n.{first} IS NULL",
                    same("n")
                ))
            }
        }
    }

    /// The statement that moves the loaded rows.
    fn insert(&self, shape: &Shape, by_key: bool) -> String {
        let all: Vec<usize> = (0..shape.fields.len()).collect();
        let of_new = |at: &usize| format!("n.{}", quoted(&shape.fields[*at].name, '`'));
        let values = all.iter().map(of_new).collect::<Vec<_>>().join(", ");
        let (table, new) = (self.table.own_name(), self.table.new_name());
        let mut sql = format!("INSERT INTO {table} ({}) SELECT {values} FROM {new} AS n", names(shape, &all));
        if by_key {
            let set = |at: &usize| format!("{} = {}", quoted(&shape.fields[*at].name, '`'), of_new(at));
            let rest: Vec<String> = all.iter().filter(|at| !shape.key.contains(at)).map(set).collect();
            let sets = if rest.is_empty() { shape.key.iter().map(set).collect() } else { rest };
            sql += &format!(" ON DUPLICATE KEY UPDATE {}", sets.join(", "));
        }
        sql
    }
}
