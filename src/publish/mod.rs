//! Publishing: rows of a tested relation reach a database that people's dashboards read.
//!
//! A destination's table is replaced in one step or stays as it was. The road is the same everywhere:
//!
//! 1. The job is matched against the relation's columns (`shape`): kinds, key, indexes, declared types.
//! 2. Where types need a length, a first pass over the rows measures them (`survey`). It also meets every value that no
//!    destination can hold (NaN, dates without a year of four digits, nulls in the key), before anything is touched.
//! 3. The rows are loaded beside the old table, sorted by key, in statements of many rows. What is sent is counted
//!    (`tally`); equal keys are found as neighbours.
//! 4. What arrived is compared with what was sent: rows, values per column, sums of numbers.
//! 5. The new table takes the old one's name.
//!
//! MySQL does 3 in a table of its own name, which several connections fill, and 5 with one `RENAME TABLE`; an advisory lock
//! keeps two publishes of one table apart. SQLite does all of it in one transaction. A process that is killed anywhere
//! leaves the old table, and at most a work table that the next publish removes.
//!
//! A failure that may pass (a deadlock, a lost connection, a server that restarts) starts the load again from an empty
//! table, so no row is there twice; other failures are told once, with what the server said and what can be done.
//! `kind` documents which type becomes which.

mod column;
mod config;
mod fields;
mod job;
mod kind;
mod mysql;
mod place;
mod rows;
mod shape;
mod sorted;
mod sqlite;
mod statement;
mod survey;
mod tally;

pub use config::{Bulk, DestinationConfig, MysqlConfig, Secret, SqliteConfig, SslMode};
pub use job::{Mode, PublishJob};
pub use rows::{FrameRows, Rows};

use crate::diag::Result;
use fields::CONFIG;
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
    /// Rows in the table.
    pub rows: u64,
    /// Bytes of the values that were sent, roughly.
    pub bytes: u64,
    /// Loads that were needed; more than one if something passed by.
    pub attempts: u32,
    /// Column names and the destination's types for them, in order.
    pub columns: Vec<(String, String)>,
}

/// Publishes `rows` as `job` says to the destination `destination` of the profile, which is `config`.
///
/// `rows` is opened once or more; it is asked to sort by the job's key. Dropping the future aborts the publish and leaves
/// the old table. Errors: C6002 no connection, C6003 the load failed, C6004 a value or type that does not fit, C6005 what
/// arrived is not what was sent, C6006 the job does not fit the columns, and whatever reading `rows` fails with.
pub async fn publish(
    config: &DestinationConfig,
    destination: &str,
    job: &PublishJob,
    rows: &dyn Rows,
    progress: OnProgress<'_>,
) -> Result<Published> {
    let place = Place::new(destination, config, job);
    if job.mode != Mode::Replace {
        let problem = format!("mode `{}` is not there yet", job.mode.word());
        return Err(place.failed(CONFIG, problem).help("use `mode: replace`"));
    }
    match config {
        DestinationConfig::Sqlite(config) => sqlite::replace(config, &place, job, rows, progress).await,
        DestinationConfig::Mysql(config) => mysql::replace(config, &place, job, rows, progress).await,
    }
}

/// Logs in and gives back what answered, such as `MariaDB 10.11.6`. Errors are C6002.
pub async fn ping(config: &DestinationConfig, destination: &str) -> Result<String> {
    let place = Place::of_destination(destination, config);
    match config {
        DestinationConfig::Sqlite(config) => sqlite::ping(config, &place).await,
        DestinationConfig::Mysql(config) => mysql::ping(config, &place).await,
    }
}
