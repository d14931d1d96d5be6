//! PostgreSQL.
//!
//! A publish is one transaction, tables and all: the new table is made and loaded in it, gets its key and indexes, is
//! compared with what was sent, and takes the name of the old one, which is dropped. Readers see the old table until the
//! commit; a process or a server that dies leaves nothing behind. An advisory lock of the transaction keeps two publishes of
//! one table apart.
//!
//! Some tables cannot be dropped without loss: views depend on them, they have triggers, row security, partitions, or another
//! owner. Then the rows are replaced and the table stays: everything is deleted and loaded again in the same transaction.
//! Readers see the old rows until the commit here too, and never wait; what is paid is a table that is twice as large until
//! the server has cleaned up. That needs columns of the same types, and the key and indexes stay as they are.
//!
//! The ledger is a table of the same schema and changes in the same transaction. Rows that are added to a table (modes
//! append and upsert) are loaded into a temporary table first, where they are counted like those of a new one (`merge`).
//!
//! A lost connection leaves open whether the server committed; the ledger tells the next attempt.

mod config;
mod connect;
mod encode;
mod failure;
mod ledger;
mod load;
mod merge;
mod swap;
mod table;
mod types;
mod watch;

#[cfg(test)]
mod tests;

use std::time::Duration;

use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Connection, Executor};

use super::fields::CONFIG;
use super::ledger::{Entry, Found, Sent, Step, columns, next};
use super::place::Place;
use super::rows::Rows;
use super::shape::Shape;
use super::source::Source;
use super::tally::{Tally, reconcile};
use super::{OnProgress, Progress, PublishJob, Published};
use crate::diag::{Diagnostic, Result, codes};
pub use config::{PostgresConfig, PostgresSslMode};
pub(crate) use connect::connect;
use connect::{begin, product};
use failure::{Failure, judge, no_connection};
use swap::Swap;
use table::{Old, Table};
use watch::Session;

/// Publishes that are tried; with the waits between them a server has half a minute to come back.
const ATTEMPTS: u32 = 8;

/// Logs in and out.
pub(super) async fn ping(config: &PostgresConfig, place: &Place) -> Result<String> {
    let mut connection = connect(config).await.map_err(|error| no_connection(place, &error))?;
    let product = product(&mut connection).await.map_err(|error| no_connection(place, &error))?;
    let _ = connection.close().await;
    Ok(product)
}

/// Publishes the job's table.
pub(super) async fn publish(
    config: &PostgresConfig,
    place: &Place,
    job: &PublishJob,
    source: &dyn Source,
    progress: OnProgress<'_>,
) -> Result<Published> {
    if job.partitions.is_some() {
        let problem = "`partitions` is set, and c360 makes no partitions on PostgreSQL";
        let help = "leave it out; a table that you make partitioned yourself stays so";
        return Err(place.failed(CONFIG, problem).help(help));
    }
    // What does not fit is told before anybody logs in.
    let shape = Shape::resolve(job, &source.rows().schema(), place)?;
    types::columns(place, &shape)?;
    let table = Table::new(config, place)?;
    let mut first = Some(connect(config).await.map_err(|error| no_connection(place, &error))?);
    let mut work = Work { config, place, job, source, table: &table, before: None, progress };
    let mut attempt = 1;
    loop {
        match work.attempt(first.take(), attempt).await {
            Ok(published) => return Ok(Published { attempts: attempt, ..published }),
            Err(Failure::Passing(diagnostic) | Failure::Lost(diagnostic)) if attempt < ATTEMPTS => {
                progress(Progress::Retrying(place.cause(&diagnostic).to_string()));
                tokio::time::sleep(Duration::from_millis((250 << attempt).min(8000))).await;
                attempt += 1;
            }
            Err(Failure::Passing(diagnostic) | Failure::Lost(diagnostic)) => {
                return Err(diagnostic.note(format!("it was tried {attempt} times")));
            }
            Err(Failure::Final(diagnostic)) => return Err(diagnostic),
        }
    }
}

/// A publish of one table, as often as it is tried.
struct Work<'a> {
    config: &'a PostgresConfig,
    place: &'a Place,
    job: &'a PublishJob,
    source: &'a dyn Source,
    table: &'a Table,
    /// The session of the last attempt, if it was lost.
    before: Option<Session>,
    progress: OnProgress<'a>,
}

impl Work<'_> {
    fn failed(&self, error: &sqlx::Error) -> Failure {
        judge(self.place, error)
    }

    /// One transaction from the start to the commit.
    async fn attempt(&mut self, connection: Option<PgConnection>, number: u32) -> Result<Published, Failure> {
        let mut connection = match connection {
            Some(connection) => connection,
            None => connect(self.config).await.map_err(|error| self.failed(&error))?,
        };
        if let Some(before) = self.before.take() {
            before.end(&mut connection).await;
        }
        let session = Session::of(&mut connection).await.map_err(|error| self.failed(&error))?;
        let result = session.guard(self.config, self.place, self.talk(number, &mut connection)).await;
        match &result {
            Err(Failure::Lost(_)) => self.before = Some(session),
            _ => drop(connection.close().await),
        }
        result
    }

    async fn talk(&self, number: u32, connection: &mut PgConnection) -> Result<Published, Failure> {
        self.table.make_schema(self.config, self.place, connection).await?;
        begin(self.config, connection).await.map_err(|error| self.failed(&error))?;
        match self.transact(number, connection).await {
            Ok(published) => connection.execute("commit").await.map(|_| published).map_err(|error| self.failed(&error)),
            Err(failure) => {
                // The connection may be what failed; the server rolls back then.
                let _ = connection.execute("rollback").await;
                Err(failure)
            }
        }
    }

    /// What happens inside of the transaction.
    async fn transact(&self, attempt: u32, connection: &mut PgConnection) -> Result<Published, Failure> {
        let waiting = |text| (self.progress)(Progress::Waiting(text));
        self.table.lock(self.config, self.place, connection, waiting).await?;
        let old = self.table.find(self.place, connection).await?;
        let entry = ledger::read(self.place, self.table, connection).await?;
        let found = Found { exists: old.is_some(), entry: entry.filter(|_| old.is_some()) };
        match (next(self.place, self.job, self.source, &found).await?, old) {
            // An earlier attempt of ours was committed, and the answer was lost.
            (Step::Nothing(_, entry), _) if attempt > 1 && entry.run == self.source.origin().run => {
                Ok(Published::new(self.place, self.job, entry.rows, entry.sent))
            }
            (Step::Nothing(why, entry), _) => Ok(Published::nothing(self.place, self.job, why, &entry)),
            (Step::Replace(rows), old) => self.replace(rows, old.as_ref(), connection).await,
            (Step::Append(rows), Some(old)) => self.merge(&*rows, None, false, &old, &found, connection).await,
            (Step::Upsert(sent, gone), Some(old)) => {
                let all = matches!(sent, Sent::All(_));
                self.merge(sent.rows(), Some(gone), all, &old, &found, connection).await
            }
            (_, None) => {
                let message = "rows are to be added to a table that is not there";
                Err(Diagnostic::error(codes::INTERNAL, message).into())
            }
        }
    }

    /// All rows: by a new table that takes the name, or in the table that has it.
    async fn replace(
        &self,
        rows: &dyn Rows,
        old: Option<&Old>,
        connection: &mut PgConnection,
    ) -> Result<Published, Failure> {
        if let Some(tie) = old.and_then(|old| old.block.as_ref()) {
            let error = self.place.failed(codes::PUBLISH_FAILED, format!("replacing it would break {tie}"));
            return Err(error.help("drop the foreign key, use `mode: upsert`, or set another `table`").into());
        }
        let shape = Shape::resolve(self.job, &rows.schema(), self.place)?;
        let types = types::columns(self.place, &shape)?;
        let tally = match old {
            Some(old) if old.tie.is_some() => self.refill(rows, &shape, &types, old, connection).await?,
            old => self.rebuild(rows, &shape, &types, old, connection).await?,
        };
        let entry = Entry::new(&self.table.name, self.job, self.source.origin(), columns(&shape));
        ledger::write(self.place, self.table, &entry.counted(tally.rows, tally.rows), connection).await?;
        let columns = shape.fields.iter().map(|field| field.name.clone()).zip(types).collect();
        let published = Published::new(self.place, self.job, tally.rows, tally.rows);
        Ok(Published { bytes: tally.bytes, columns, ..published })
    }

    /// A new table takes the name.
    async fn rebuild(
        &self,
        rows: &dyn Rows,
        shape: &Shape,
        types: &[String],
        old: Option<&Old>,
        connection: &mut PgConnection,
    ) -> Result<Tally, Failure> {
        let new = self.table.new_name();
        self.table.create(self.place, shape, types, connection).await?;
        let (tally, longest) = self.load(rows, shape, &new, connection).await?;
        let swap = Swap { config: self.config, place: self.place, shape, table: self.table };
        swap.add_indexes(&longest, connection).await?;
        self.reconcile(shape, &tally, &new, connection).await?;
        if let Some(old) = old {
            swap.inherit(old, connection).await?;
        }
        swap.swap(old, connection).await?;
        Ok(tally)
    }

    /// The table stays, with new rows.
    async fn refill(
        &self,
        rows: &dyn Rows,
        shape: &Shape,
        types: &[String],
        old: &Old,
        connection: &mut PgConnection,
    ) -> Result<Tally, Failure> {
        self.table.compare(self.place, shape, types, old, connection).await?;
        let name = self.table.sql_name();
        self.execute(format!("delete from {name}"), connection).await?;
        let (tally, _) = self.load(rows, shape, &name, connection).await?;
        self.reconcile(shape, &tally, &name, connection).await?;
        Ok(tally)
    }

    async fn load(
        &self,
        rows: &dyn Rows,
        shape: &Shape,
        table: &str,
        connection: &mut PgConnection,
    ) -> Result<(Tally, load::Longest), Failure> {
        load::Load { place: self.place, shape, table, rows, progress: self.progress }.run(connection).await
    }

    async fn reconcile(
        &self,
        shape: &Shape,
        sent: &Tally,
        table: &str,
        connection: &mut PgConnection,
    ) -> Result<(), Failure> {
        let arrived = types::arrived(connection, shape, sent, table).await;
        let arrived = arrived.map_err(|error| self.failed(&error))?;
        Ok(reconcile(self.place, shape, sent, &arrived)?)
    }

    /// Runs a statement; gives back how many rows it concerned.
    async fn execute(&self, sql: String, connection: &mut PgConnection) -> Result<u64, Failure> {
        let done = connection.execute(AssertSqlSafe(sql)).await;
        done.map(|done| done.rows_affected()).map_err(|error| self.failed(&error))
    }
}
