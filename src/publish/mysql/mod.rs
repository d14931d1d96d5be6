//! MySQL and MariaDB.
//!
//! A control connection holds an advisory lock on the table's name from the preparation to the swap; workers load through
//! connections of their own (`load`). The lock lives and dies with the control connection, so that a publish which lost
//! it finds out before it swaps. What a killed process leaves, at most the tables `t__c360_new` and `t__c360_old`, is removed by the
//! next publish of that table once it has the lock.
//!
//! A table that stays (modes append and upsert) gets its rows from one that is loaded beside it, in one transaction
//! together with the ledger (`merge`); how the ledger keeps up with a swap is told in `ledger`.
//!
//! Rows travel by `LOAD DATA LOCAL` or by inserts (`writer`). A server that is slow is told from one that is gone by asking it
//! (`watch`).
//!
//! A lost connection leaves open whether the server ran the last statement. So after one the load starts again with an
//! empty table instead of going on, and the counts before the swap would tell if a straggler had got in.

mod bulk;
mod connect;
mod evolve;
mod failure;
mod infile;
mod ledger;
mod load;
mod lock;
mod merge;
mod partitions;
mod table;
mod types;
mod watch;
mod writer;

#[cfg(test)]
mod modes_tests;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_bulk;

use std::sync::Arc;
use std::time::Duration;

use sqlx::Connection;
use sqlx::mysql::MySqlConnection;

use super::config::MysqlConfig;
use super::ledger::{Entry, Found, Step, columns, next};
use super::place::Place;
use super::rows::Rows;
use super::server::patient;
use super::shape::Shape;
use super::source::Source;
use super::statement::quoted;
use super::survey::{Measure, Survey, survey};
use super::tally::{Tally, reconcile};
use super::{OnProgress, Progress, PublishJob, Published};
use crate::diag::Result;
pub(crate) use connect::connect;
use connect::{Server, server};
use failure::{Failure, judge, no_connection};
use ledger::Ledger;
use table::{Create, Table};
use watch::Watch;

/// Logs in and out.
pub(super) async fn ping(config: &MysqlConfig, place: &Place) -> Result<String> {
    let mut connection = connect(config).await.map_err(|error| no_connection(place, &error))?;
    let server = server(&mut connection).await.map_err(|error| no_connection(place, &error))?;
    let _ = connection.close().await;
    Ok(server.version)
}

/// Publishes the job's table.
pub(super) async fn publish(
    config: &MysqlConfig,
    place: &Place,
    job: &PublishJob,
    source: &dyn Source,
    progress: OnProgress<'_>,
) -> Result<Published> {
    // What does not fit is told without a server.
    Shape::resolve(job, &source.rows().schema(), place)?;
    let table = Table::new(config, place)?;
    partitions::check(place, job, &source.rows().schema())?;
    let mut first = Some(connect(config).await.map_err(|error| no_connection(place, &error))?);
    let measured = tokio::sync::OnceCell::new();
    let watch = Arc::new(Watch::default());
    let work = Work { config, place: Arc::new(place.clone()), job, source, table, measured, watch, progress };
    let mut attempt = 1;
    loop {
        match work.attempt(first.take(), attempt).await {
            Ok(published) => return Ok(Published { attempts: attempt, ..published }),
            Err(Failure::Passing(diagnostic)) if attempt <= config.retries => {
                progress(Progress::Retrying(place.cause(&diagnostic).to_string()));
                tokio::time::sleep(Duration::from_millis((250 << attempt.min(5)).min(8000))).await;
                attempt += 1;
            }
            Err(Failure::Passing(diagnostic)) => return Err(diagnostic.note(format!("it was tried {attempt} times"))),
            Err(Failure::Final(diagnostic)) => return Err(diagnostic),
        }
    }
}

/// A publish of one table, as often as it is tried.
struct Work<'a> {
    config: &'a MysqlConfig,
    place: Arc<Place>,
    job: &'a PublishJob,
    source: &'a dyn Source,
    table: Table,
    /// What all rows of the source measure, once that is known; none if no type needs a length.
    measured: tokio::sync::OnceCell<Option<Survey>>,
    watch: Arc<Watch>,
    progress: OnProgress<'a>,
}

/// Rows to load into a table beside the published one.
struct Beside<'a> {
    /// The table's name, quoted.
    name: &'a str,
    shape: Arc<Shape>,
    rows: &'a dyn Rows,
    /// None if no type needs a length.
    survey: Option<&'a Survey>,
    /// What stands behind the columns in `CREATE TABLE`.
    tail: &'a str,
}

impl Work<'_> {
    /// One try from the lock to the end.
    async fn attempt(&self, connection: Option<MySqlConnection>, number: u32) -> Result<Published, Failure> {
        let mut control = match connection {
            Some(connection) => connection,
            None => connect(self.config).await.map_err(|error| judge(&self.place, &error))?,
        };
        self.watch.sweep(&mut control).await.map_err(|error| judge(&self.place, &error))?;
        let session = self.watch.enter_sqlx(&mut control).await.map_err(|error| judge(&self.place, &error))?;
        let result = self.watch.guard(self.config, &self.place, self.locked(&mut control, number)).await;
        if !self.watch.lost() {
            session.close();
            let _ = patient(self.config.connect_timeout, self.leave(control, result.is_err())).await;
        }
        result
    }

    /// Takes the lock and does what there is to do.
    async fn locked(&self, control: &mut MySqlConnection, number: u32) -> Result<Published, Failure> {
        let waiting = |text| (self.progress)(Progress::Waiting(text));
        self.table.lock(self.config, &self.place, control, waiting).await?;
        self.step(control, number).await
    }

    /// Tidies up and says goodbye, as far as the connection is of use: it may be what failed, and then the next publish
    /// tidies up. Without the lock, as after waiting for it in vain, the tables are somebody else's.
    async fn leave(&self, mut control: MySqlConnection, failed: bool) {
        if failed && self.table.has_lock(&mut control).await.unwrap_or(false) {
            let _ = self.table.drop_work(&mut control).await;
        }
        self.table.unlock(&mut control).await;
        let _ = control.close().await;
    }

    /// What happens under the lock.
    async fn step(&self, control: &mut MySqlConnection, number: u32) -> Result<Published, Failure> {
        let failed = |error: sqlx::Error| judge(&self.place, &error);
        let server = server(control).await.map_err(failed)?;
        let found = match self.table.prepare(&self.place, &server, control).await? {
            true => Ledger::of(&self.table).found(control).await.map_err(failed)?,
            false => Found::default(),
        };
        match next(&self.place, self.job, self.source, &found).await? {
            // The connection was lost while the server had already done what it was asked.
            Step::Nothing(_, entry) if number > 1 && entry.run == self.source.origin().run => {
                Ok(Published::new(&self.place, self.job, entry.rows, entry.sent))
            }
            Step::Nothing(why, entry) => Ok(Published::nothing(&self.place, self.job, why, &entry)),
            Step::Replace(rows) => self.replace(rows, &server, control).await,
            Step::Append(rows) => self.merge(&*rows, None, found.entry, &server, control).await,
            Step::Upsert(sent, gone) => self.merge(sent.rows(), Some(gone), found.entry, &server, control).await,
        }
    }

    /// Loads a new table and swaps it in.
    async fn replace(
        &self,
        rows: &dyn Rows,
        server: &Server,
        control: &mut MySqlConnection,
    ) -> Result<Published, Failure> {
        let failed = |error: sqlx::Error| judge(&self.place, &error);
        self.table.refuse_ties(&self.place, control).await?;
        let shape = Arc::new(Shape::resolve(self.job, &rows.schema(), &self.place)?);
        let survey = self.measured.get_or_try_init(|| survey(&shape, rows)).await?.as_ref();
        let parts = partitions::clause(&self.place, self.job, rows).await?;
        let entry = Entry::new(&self.table.name, self.job, self.source.origin(), columns(&shape));
        let (name, tail) = (self.table.new_name(), format!("{}{parts}", ledger::comment(&entry)));
        let beside = Beside { name: &name, shape, rows, survey, tail: &tail };
        let (tally, types) = self.load(&beside, server, control).await?;
        let indexes = self.indexes(&beside.shape, survey, server)?;
        self.table.add_indexes(&self.place, &indexes, control).await?;
        let arrived = self.table.arrived(&beside.shape, control).await.map_err(failed)?;
        reconcile(&self.place, &beside.shape, &tally, &arrived)?;
        let (ledger, entry) = (Ledger::of(&self.table), entry.counted(tally.rows, tally.rows));
        ledger.create(control).await.map_err(failed)?;
        ledger.insert(&entry, control).await.map_err(failed)?;
        self.table.swap(&self.place, server, control).await?;
        // It is published; what cannot be removed now is removed by the next publish.
        let _ = ledger.forget_others(&entry, control).await;
        let _ = self.table.drop_old(control).await;
        let names = beside.shape.fields.iter().map(|field| field.name.clone());
        let published = Published::new(&self.place, self.job, tally.rows, tally.rows);
        Ok(Published { bytes: tally.bytes, columns: names.zip(types).collect(), ..published })
    }

    /// Makes a table and fills it. Gives back what was sent, and the columns' types.
    async fn load(
        &self,
        beside: &Beside<'_>,
        server: &Server,
        control: &mut MySqlConnection,
    ) -> Result<(Tally, Vec<String>), Failure> {
        let types = self.types(&beside.shape, beside.survey, server)?;
        let types: Vec<String> = types.into_iter().map(|column| column.sql).collect();
        let create = Create {
            name: beside.name,
            shape: &beside.shape,
            types: &types,
            tail: beside.tail,
            collation: self.config.collation.as_deref(),
        };
        self.table.create(&self.place, &create, control).await?;
        let load = load::Load {
            config: self.config,
            place: &self.place,
            shape: &beside.shape,
            server,
            table: beside.name,
            expected: beside.survey.map(|survey| survey.rows),
            row_bytes: match beside.survey {
                Some(survey) => survey.bytes / survey.rows.max(1),
                None => 10 * beside.shape.fields.len() as u64,
            },
            rows: beside.rows,
            watch: &self.watch,
            progress: self.progress,
        };
        let tally = load.run().await?;
        Ok((tally, types))
    }

    /// SQL types of the columns.
    fn types(&self, shape: &Shape, survey: Option<&Survey>, server: &Server) -> Result<Vec<types::ColumnType>> {
        let measures = match survey {
            Some(survey) => survey.measures.clone(),
            None => vec![Measure::default(); shape.fields.len()],
        };
        types::columns(&self.place, shape, &measures, &server.binary_collation)
    }

    /// The columns of each index.
    fn indexes(&self, shape: &Shape, survey: Option<&Survey>, server: &Server) -> Result<Vec<String>> {
        let types = self.types(shape, survey, server)?;
        let index =
            |index: &Vec<usize>| types::index_columns(&self.place, shape, &types, index, |name| quoted(name, '`'));
        shape.indexes.iter().map(index).collect()
    }
}
