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
//! A lost connection leaves open whether the server committed. Doing it all again gives the same table.

mod config;
mod connect;
mod encode;
mod failure;
mod load;
mod swap;
mod table;
mod types;

#[cfg(test)]
mod tests;

use std::time::Duration;

use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Connection, Executor};

use super::place::Place;
use super::rows::Rows;
use super::shape::Shape;
use super::tally::{Tally, reconcile};
use super::{OnProgress, Progress, PublishJob, Published};
use crate::diag::Result;
pub use config::{PostgresConfig, PostgresSslMode};
use connect::{begin, connect, product};
use failure::{Failure, judge, no_connection};
use swap::Swap;
use table::{Old, Table};

/// Publishes that are tried; with the waits between them a server has half a minute to come back.
const ATTEMPTS: u32 = 8;

/// Logs in and out.
pub(super) async fn ping(config: &PostgresConfig, place: &Place) -> Result<String> {
    let mut connection = connect(config).await.map_err(|error| no_connection(place, &error))?;
    let product = product(&mut connection).await.map_err(|error| no_connection(place, &error))?;
    let _ = connection.close().await;
    Ok(product)
}

/// Replaces the job's table.
pub(super) async fn replace(
    config: &PostgresConfig,
    place: &Place,
    job: &PublishJob,
    rows: &dyn Rows,
    progress: OnProgress<'_>,
) -> Result<Published> {
    let shape = Shape::resolve(job, &rows.schema(), place)?;
    let types = types::columns(place, &shape)?;
    let table = Table::new(config, place)?;
    let mut first = Some(connect(config).await.map_err(|error| no_connection(place, &error))?);
    let replacement = Replacement { config, place, shape: &shape, types: &types, table: &table, rows, progress };
    let mut attempt = 1;
    loop {
        match replacement.attempt(first.take()).await {
            Ok(tally) => {
                return Ok(Published {
                    destination: place.destination.clone(),
                    table: place.table.clone(),
                    mode: job.mode,
                    rows: tally.rows,
                    bytes: tally.bytes,
                    attempts: attempt,
                    columns: shape.fields.iter().map(|field| field.name.clone()).zip(types).collect(),
                });
            }
            Err(Failure::Passing(diagnostic)) if attempt < ATTEMPTS => {
                progress(Progress::Retrying(place.cause(&diagnostic).to_string()));
                tokio::time::sleep(Duration::from_millis((250 << attempt).min(8000))).await;
                attempt += 1;
            }
            Err(Failure::Passing(diagnostic)) => return Err(diagnostic.note(format!("it was tried {attempt} times"))),
            Err(Failure::Final(diagnostic)) => return Err(diagnostic),
        }
    }
}

/// A replacement of one table, as often as it is tried.
struct Replacement<'a> {
    config: &'a PostgresConfig,
    place: &'a Place,
    shape: &'a Shape,
    types: &'a [String],
    table: &'a Table,
    rows: &'a dyn Rows,
    progress: OnProgress<'a>,
}

impl Replacement<'_> {
    /// One transaction from the start to the commit. Gives back what was sent.
    async fn attempt(&self, connection: Option<PgConnection>) -> Result<Tally, Failure> {
        let failed = |error: sqlx::Error| judge(self.place, &error);
        let mut connection = match connection {
            Some(connection) => connection,
            None => connect(self.config).await.map_err(failed)?,
        };
        self.table.make_schema(self.config, self.place, &mut connection).await?;
        begin(self.config, &mut connection).await.map_err(failed)?;
        let result = self.transact(&mut connection).await;
        let result = match result {
            Ok(tally) => connection.execute("commit").await.map(|_| tally).map_err(failed),
            Err(failure) => {
                // The connection may be what failed; the server rolls back then.
                let _ = connection.execute("rollback").await;
                Err(failure)
            }
        };
        let _ = connection.close().await;
        result
    }

    /// What happens inside of the transaction.
    async fn transact(&self, connection: &mut PgConnection) -> Result<Tally, Failure> {
        let waiting = |text| (self.progress)(Progress::Waiting(text));
        self.table.lock(self.config, self.place, connection, waiting).await?;
        match self.table.find(self.place, connection).await? {
            Some(old) if old.tie.is_some() => self.refill(&old, connection).await,
            old => self.rebuild(old.as_ref(), connection).await,
        }
    }

    /// A new table takes the name.
    async fn rebuild(&self, old: Option<&Old>, connection: &mut PgConnection) -> Result<Tally, Failure> {
        let new = self.table.new_name();
        self.table.create(self.place, self.shape, self.types, false, connection).await?;
        let (tally, longest) = self.load(&new, connection).await?;
        let swap = Swap { config: self.config, place: self.place, shape: self.shape, table: self.table };
        swap.add_indexes(&longest, connection).await?;
        self.reconcile(&tally, &new, connection).await?;
        if let Some(old) = old {
            swap.inherit(old, connection).await?;
        }
        swap.swap(old, connection).await?;
        Ok(tally)
    }

    /// The table stays, with new rows.
    async fn refill(&self, old: &Old, connection: &mut PgConnection) -> Result<Tally, Failure> {
        let failed = |error: sqlx::Error| judge(self.place, &error);
        self.table.compare(self.place, self.shape, self.types, old, connection).await?;
        let name = self.table.sql_name();
        connection.execute(AssertSqlSafe(format!("delete from {name}"))).await.map_err(failed)?;
        let (tally, _) = self.load(&name, connection).await?;
        self.reconcile(&tally, &name, connection).await?;
        Ok(tally)
    }

    async fn load(&self, table: &str, connection: &mut PgConnection) -> Result<(Tally, load::Longest), Failure> {
        let load = load::Load { place: self.place, shape: self.shape, table, rows: self.rows, progress: self.progress };
        load.run(connection).await
    }

    async fn reconcile(&self, sent: &Tally, table: &str, connection: &mut PgConnection) -> Result<(), Failure> {
        let arrived = types::arrived(connection, self.shape, sent, table).await;
        let arrived = arrived.map_err(|error| judge(self.place, &error))?;
        Ok(reconcile(self.place, self.shape, sent, &arrived)?)
    }
}
