//! Publishing: rows of a tested relation reach a database that people's dashboards read.
//!
//! A destination's table is replaced in one step or stays as it was. The road is the same everywhere:
//!
//! 1. The job is matched against the relation's columns (`shape`): kinds, key, indexes, declared types.
//! 2. Where types need a length, a first pass over the columns that do measures them (`survey`).
//! 3. The rows are loaded beside the old table, sorted by key, in statements of many rows. What is sent is counted
//!    (`tally`); equal keys are found as neighbours, and values that no destination can hold (NaN, dates without a year of
//!    four digits, nulls in the key) where they are converted.
//! 4. What arrived is compared with what was sent: rows, values per column, sums of numbers.
//! 5. The new table takes the old one's name.
//!
//! MySQL does 3 in a table of its own name, which several connections fill, and 5 with one `RENAME TABLE`; an advisory lock
//! keeps two publishes of one table apart. SQLite and PostgreSQL do all of it in one transaction; files become a table by their
//! manifest. A process that is killed anywhere leaves the old table, and at most a work table or files that the next publish
//! removes.
//!
//! A failure that may pass (a deadlock, a lost connection, a server that restarts) starts the load again from an empty
//! table, so no row is there twice; other failures are told once, with what the server said and what can be done.
//! `kind` documents which type becomes which.

mod column;
mod config;
mod difference;
mod evolution;
mod fields;
mod files;
mod job;
mod kind;
mod ledger;
mod mysql;
mod partitions;
mod place;
mod postgres;
mod rows;
mod server;
mod shape;
mod sorted;
mod source;
mod sqlite;
mod statement;
mod survey;
mod table;
mod tally;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod unfit_tests;

pub use config::{Bulk, DestinationConfig, MysqlConfig, Secret, SqliteConfig, SslMode};
pub use files::{Compression, CsvStyle, FileFormat, FilesConfig};
pub use job::{Mode, OnSchemaChange, PublishJob, Vanished};
pub(crate) use mysql::connect as connect_mysql;
pub use partitions::{Every, Partitions};
pub(crate) use postgres::connect as connect_postgres;
pub use postgres::{PostgresConfig, PostgresSslMode};
pub use rows::{FrameRows, Rows};
pub(crate) use server::words as driver_words;
pub use source::{Added, Changed, Origin, Source, Timeless, Version};
pub use table::TableSource;

use crate::diag::Result;
use place::Place;

/// What happens while a publish runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress {
    /// So many rows are in the new table.
    Rows(u64),
    /// It waits for someone; the words say for whom.
    Waiting(String),
    /// How the rows travel, and why so.
    Loading(String),
    /// A passing failure; the load starts again. The words say what failed.
    Retrying(String),
}

/// Is told what happens while a publish runs.
pub type OnProgress<'a> = &'a (dyn Fn(Progress) + Send + Sync);

/// A publish that is done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// Name of the destination in the profile.
    pub destination: String,
    /// The table, as the job spells it.
    pub table: String,
    /// How.
    pub mode: Mode,
    /// Why nothing was sent, if so: "warehouse version 7 is already there".
    pub skipped: Option<String>,
    /// Rows in the table now.
    pub rows: u64,
    /// Rows that were sent.
    pub sent: u64,
    /// Rows that were deleted because their key has vanished from the relation.
    pub deleted: u64,
    /// Bytes of the values that were sent, roughly.
    pub bytes: u64,
    /// Loads that were needed; more than one if something passed by.
    pub attempts: u32,
    /// Column names and the destination's types for them, in order.
    pub columns: Vec<(String, String)>,
}

impl Published {
    /// A publish of `rows` rows, `sent` of which were sent just now.
    fn new(place: &Place, job: &PublishJob, rows: u64, sent: u64) -> Published {
        Published {
            destination: place.destination.clone(),
            table: place.table.clone(),
            mode: job.mode,
            skipped: None,
            rows,
            sent,
            deleted: 0,
            bytes: 0,
            attempts: 1,
            columns: Vec::new(),
        }
    }

    /// A publish that had nothing to do, for the reason `why`.
    fn nothing(place: &Place, job: &PublishJob, why: String, entry: &ledger::Entry) -> Published {
        Published { skipped: Some(why), ..Published::new(place, job, entry.rows, 0) }
    }
}

/// Publishes the rows of `source` as `job` says to the destination `destination` of the profile, which is `config`.
///
/// Rows are read once or more; they are asked for sorted by the job's key. Dropping the future aborts the publish and leaves
/// the old table. Errors: C6002 no connection, C6003 the load failed, C6004 a value or type that does not fit, C6005 what
/// arrived is not what was sent, C6006 the job does not fit the columns, and whatever reading `rows` fails with.
pub async fn publish(
    config: &DestinationConfig,
    destination: &str,
    job: &PublishJob,
    source: &dyn Source,
    progress: OnProgress<'_>,
) -> Result<Published> {
    let place = Place::new(destination, config, job);
    match config {
        DestinationConfig::Sqlite(config) => sqlite::publish(config, &place, job, source, progress).await,
        DestinationConfig::Mysql(config) => mysql::publish(config, &place, job, source, progress).await,
        DestinationConfig::Files(config) => files::publish(config, &place, job, source, progress).await,
        DestinationConfig::Postgres(config) => postgres::publish(config, &place, job, source, progress).await,
    }
}

/// Logs in and gives back what answered, such as `MariaDB 10.11.6`. Errors are C6002.
pub async fn ping(config: &DestinationConfig, destination: &str) -> Result<String> {
    let place = Place::of_destination(destination, config);
    match config {
        DestinationConfig::Sqlite(config) => sqlite::ping(config, &place).await,
        DestinationConfig::Mysql(config) => mysql::ping(config, &place).await,
        DestinationConfig::Files(config) => files::ping(config, &place).await,
        DestinationConfig::Postgres(config) => postgres::ping(config, &place).await,
    }
}
