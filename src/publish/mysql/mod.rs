//! MySQL and MariaDB.
//!
//! A control connection holds an advisory lock on the table's name from the preparation to the swap; workers load through
//! connections of their own (`load`). The lock lives and dies with the control connection, so that a publish which lost
//! it finds out before it swaps. What a killed process leaves, at most the tables `t__c360_new` and `t__c360_old`, is removed by the
//! next publish of that table once it has the lock.
//!
//! A lost connection leaves open whether the server ran the last statement. So after one the load starts again with an
//! empty table instead of going on, and the counts before the swap would tell if a straggler had got in.

mod connect;
mod failure;
mod load;
mod table;
mod types;

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use sqlx::Connection;
use sqlx::mysql::MySqlConnection;

use super::config::MysqlConfig;
use super::place::Place;
use super::rows::Rows;
use super::shape::Shape;
use super::statement::{Inserts, Limits, quoted};
use super::survey::{Measure, Survey, survey};
use super::tally::{Tally, reconcile};
use super::{OnProgress, Progress, PublishJob, Published};
use crate::diag::Result;
pub(crate) use connect::connect;
use connect::{Server, server};
use failure::{Failure, judge, no_connection};
use table::Table;

/// Loads that are tried; with the waits between them a server has half a minute to come back.
const ATTEMPTS: u32 = 8;

/// The protocol counts placeholders in 16 bits.
const PLACEHOLDERS: usize = 65_535;

/// Bytes of values that a statement aims at. Larger ones are not faster.
const STATEMENT_BYTES: usize = 1 << 20;

/// Logs in and out.
pub(super) async fn ping(config: &MysqlConfig, place: &Place) -> Result<String> {
    let mut connection = connect(config).await.map_err(|error| no_connection(place, &error))?;
    let server = server(&mut connection).await.map_err(|error| no_connection(place, &error))?;
    let _ = connection.close().await;
    Ok(server.version)
}

/// Replaces the job's table.
pub(super) async fn replace(
    config: &MysqlConfig,
    place: &Place,
    job: &PublishJob,
    rows: &dyn Rows,
    progress: OnProgress<'_>,
) -> Result<Published> {
    let shape = Arc::new(Shape::resolve(job, &rows.schema(), place)?);
    let table = Table::new(config, place)?;
    // A wrong password should not wait for a million rows to be measured.
    let mut first = Some(connect(config).await.map_err(|error| no_connection(place, &error))?);
    let survey = measure(place, &shape, rows).await?;
    let replacement = Replacement { config, place: Arc::new(place.clone()), shape, table, survey, rows, progress };
    let mut attempt = 1;
    loop {
        match replacement.attempt(first.take()).await {
            Ok((tally, types)) => {
                let names = replacement.shape.fields.iter().map(|field| field.name.clone());
                return Ok(Published {
                    destination: place.destination.clone(),
                    table: place.table.clone(),
                    mode: job.mode,
                    rows: tally.rows,
                    bytes: tally.bytes,
                    attempts: attempt,
                    columns: names.zip(types).collect(),
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

/// Measures the rows, unless no type depends on it.
async fn measure(place: &Place, shape: &Shape, rows: &dyn Rows) -> Result<Option<Survey>> {
    match shape.fields.iter().any(|field| field.kind.is_sized()) {
        true => survey(place, shape, rows).await.map(Some),
        false => Ok(None),
    }
}

/// A replacement of one table, as often as it is tried.
struct Replacement<'a> {
    config: &'a MysqlConfig,
    place: Arc<Place>,
    shape: Arc<Shape>,
    table: Table,
    /// None if no type needs a length.
    survey: Option<Survey>,
    rows: &'a dyn Rows,
    progress: OnProgress<'a>,
}

impl Replacement<'_> {
    /// One load from the start to the swap. Gives back what was sent, and the columns' types.
    async fn attempt(&self, connection: Option<MySqlConnection>) -> Result<(Tally, Vec<String>), Failure> {
        let mut control = match connection {
            Some(connection) => connection,
            None => connect(self.config).await.map_err(|error| judge(&self.place, &error))?,
        };
        let waiting = |text| (self.progress)(Progress::Waiting(text));
        self.table.lock(self.config, &self.place, &mut control, waiting).await?;
        let result = self.replace(&mut control).await;
        if result.is_err() {
            // The connection may be what failed; the next publish cleans up then.
            let _ = self.table.drop_new(&mut control).await;
        }
        self.table.unlock(&mut control).await;
        let _ = control.close().await;
        result
    }

    /// What happens under the lock.
    async fn replace(&self, control: &mut MySqlConnection) -> Result<(Tally, Vec<String>), Failure> {
        let failed = |error: sqlx::Error| judge(&self.place, &error);
        let server = server(control).await.map_err(failed)?;
        let (types, indexes) = self.types(&server)?;
        self.table.prepare(&self.place, &server, control).await?;
        self.table.create(self.config, &self.place, &self.shape, &types, control).await?;
        let load = load::Load {
            config: self.config,
            place: &self.place,
            shape: &self.shape,
            expected: self.survey.as_ref().map(|survey| survey.rows),
            max_packet: server.max_packet,
            rows: self.rows,
            progress: self.progress,
        };
        let tally = load.run(self.inserts(&server)).await?;
        self.table.add_indexes(&self.place, &indexes, control).await?;
        let arrived = self.table.arrived(&self.shape, control).await.map_err(failed)?;
        reconcile(&self.place, &self.shape, &tally, &arrived)?;
        self.table.swap(&self.place, &server, control).await?;
        // It is published; a table that cannot be dropped now is dropped by the next publish.
        let _ = self.table.drop_old(control).await;
        Ok((tally, types))
    }

    /// SQL types of the columns, and the columns of each index.
    fn types(&self, server: &Server) -> Result<(Vec<String>, Vec<String>)> {
        let measures = match &self.survey {
            Some(survey) => survey.measures.clone(),
            None => vec![Measure::default(); self.shape.fields.len()],
        };
        let types = types::columns(&self.place, &self.shape, &measures, &server.binary_collation)?;
        let index = |index: &Vec<usize>| {
            types::index_columns(&self.place, &self.shape, &types, index, |name| quoted(name, '`'))
        };
        let indexes = self.shape.indexes.iter().map(index).collect::<Result<_>>()?;
        Ok((types.into_iter().map(|column| column.sql).collect(), indexes))
    }

    fn inserts(&self, server: &Server) -> Inserts {
        let names: Vec<String> = self.shape.fields.iter().map(|field| quoted(&field.name, '`')).collect();
        let head = format!("INSERT INTO {} ({}) VALUES ", self.table.new_name(), names.join(", "));
        // A quarter of the packet is for types and lengths, which are not in the count of bytes.
        let max_bytes = server.max_packet / 4 * 3;
        let limits = Limits { params: PLACEHOLDERS, rows: 4096, bytes: STATEMENT_BYTES.min(max_bytes), max_bytes };
        let row_bytes = match &self.survey {
            Some(survey) => survey.bytes / survey.rows.max(1),
            None => 10 * names.len() as u64,
        };
        Inserts::new(head, names.len(), &limits, row_bytes)
    }
}
