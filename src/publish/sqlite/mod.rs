//! SQLite: one file, nothing to install.
//!
//! Everything happens in one transaction: the old table goes, the new one comes, and until the commit every reader sees
//! the old one (the file is in write-ahead mode). A process that is killed before the commit changed nothing.
//!
//! The ledger is a table of the same file and changes in the same transaction. Rows that are added to a table (modes append
//! and upsert) are loaded into a temporary table first, where they are counted like those of a new table (`merge`).
//!
//! SQLite has one writer. Publishes of one process to one file queue up on a lock of their own, since they know that the
//! other one will be done; other processes are waited for as long as `lock_timeout` says.

mod ledger;
mod load;
mod merge;
mod types;

#[cfg(test)]
mod modes_tests;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::Duration;

use futures::future::Either;
use futures::pin_mut;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqliteSynchronous};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Executor, Row};

use super::config::SqliteConfig;
use super::fields::CONFIG;
use super::ledger::{Entry, Step, columns, next};
use super::place::Place;
use super::rows::Rows;
use super::shape::Shape;
use super::source::Source;
use super::statement::{name_parts, quoted};
use super::{OnProgress, Progress, PublishJob, Published};
use crate::diag::{Diagnostic, Result, codes};
use load::Load;

/// After so long it is told that the file is in use.
const PATIENCE: Duration = Duration::from_secs(1);

/// Publishes the job's table.
pub(super) async fn publish(
    config: &SqliteConfig,
    place: &Place,
    job: &PublishJob,
    source: &dyn Source,
    progress: OnProgress<'_>,
) -> Result<Published> {
    if job.partitions.is_some() {
        let problem = "`partitions` is set, and SQLite has none";
        return Err(place.failed(CONFIG, problem).help("leave `partitions` out for this destination"));
    }
    // What does not fit is told before the file is made.
    Shape::resolve(job, &source.rows().schema(), place)?;
    let table = table_name(place)?;
    let turn = turn_of(&config.path);
    // Not worth telling: the one before is a publish of this run, which shows.
    let _turn = turn.lock().await;
    let mut connection = connect(config, place, true).await?;
    let work = Work { place, job, source, table: &table, progress };
    let done = work.run(&mut connection).await;
    if done.is_err() {
        // Dropping the connection would do it too, but later, on a thread of its own.
        let _ = connection.execute("rollback").await;
    }
    let closed = connection.close().await.map_err(|error| failed(place, &error));
    let published = done?;
    closed?;
    Ok(published)
}

/// One publish, inside its transaction.
struct Work<'a> {
    place: &'a Place,
    job: &'a PublishJob,
    source: &'a dyn Source,
    table: &'a str,
    progress: OnProgress<'a>,
}

impl Work<'_> {
    async fn run(&self, connection: &mut SqliteConnection) -> Result<Published> {
        begin(self.place, connection, self.progress).await?;
        let found = ledger::found(self.place, self.table, connection).await?;
        let published = match next(self.place, self.job, self.source, &found).await? {
            Step::Nothing(why, entry) => {
                execute(self.place, connection, "rollback".to_string()).await?;
                return Ok(Published::nothing(self.place, self.job, why, &entry));
            }
            Step::Replace(rows) => self.replace(rows, connection).await?,
            Step::Append(rows) => self.merge(&*rows, None, found.entry.as_ref(), connection).await?,
            Step::Upsert(sent, gone) => self.merge(sent.rows(), Some(gone), found.entry.as_ref(), connection).await?,
        };
        execute(self.place, connection, "commit".to_string()).await?;
        Ok(published)
    }

    async fn replace(&self, rows: &dyn Rows, connection: &mut SqliteConnection) -> Result<Published> {
        let shape = Shape::resolve(self.job, &rows.schema(), self.place)?;
        let types = types::columns(&shape);
        let name = quoted(self.table, '"');
        execute(self.place, connection, format!("drop table if exists {name}")).await?;
        let load = Load { place: self.place, shape: &shape, types: &types, table: &name, progress: self.progress };
        let tally = load.run("table", rows, connection).await?;
        for (number, index) in shape.indexes.iter().enumerate() {
            let index_name = quoted(&format!("ix_{}_{}", self.table, number + 1), '"');
            let columns = names(&shape, index);
            execute(self.place, connection, format!("create index {index_name} on {name} ({columns})")).await?;
        }
        let entry = Entry::new(self.table, self.job, self.source.origin(), columns(&shape));
        ledger::write(self.place, &entry.counted(tally.rows, tally.rows), connection).await?;
        let columns = shape.fields.iter().map(|field| field.name.clone()).zip(types).collect();
        let published = Published::new(self.place, self.job, tally.rows, tally.rows);
        Ok(Published { bytes: tally.bytes, columns, ..published })
    }
}

/// Begins the transaction, and says so if another program has to end its own first.
async fn begin(place: &Place, connection: &mut SqliteConnection, progress: OnProgress<'_>) -> Result<()> {
    let begin = execute(place, connection, "begin immediate".to_string());
    pin_mut!(begin);
    let soon = tokio::time::sleep(PATIENCE);
    pin_mut!(soon);
    match futures::future::select(begin, soon).await {
        Either::Left((begun, _)) => begun,
        Either::Right((_, begin)) => {
            progress(Progress::Waiting("another program writes to the file".to_string()));
            begin.await
        }
    }
}

async fn execute(place: &Place, connection: &mut SqliteConnection, sql: String) -> Result<()> {
    connection.execute(AssertSqlSafe(sql)).await.map(drop).map_err(|error| failed(place, &error))
}

/// Quoted names of columns, with commas.
fn names(shape: &Shape, positions: &[usize]) -> String {
    positions.iter().map(|at| quoted(&shape.fields[*at].name, '"')).collect::<Vec<_>>().join(", ")
}

/// Opens the file without making it; a file that is not there yet is fine if its folder can be made later.
pub(super) async fn ping(config: &SqliteConfig, place: &Place) -> Result<String> {
    let version = |text: String| format!("SQLite {text}");
    if !config.path.exists() {
        let mut memory = SqliteConnectOptions::new().in_memory(true).connect().await.map_err(|e| failed(place, &e))?;
        let row = sqlx::query("select sqlite_version()").fetch_one(&mut memory).await;
        return row.and_then(|row| row.try_get(0)).map(version).map_err(|error| failed(place, &error));
    }
    let mut connection = connect(config, place, false).await?;
    // Counting the schema reads the file's header, which the version alone does not.
    let sql = "select sqlite_version(), (select count(*) from sqlite_schema)";
    let row = sqlx::query(sql).fetch_one(&mut connection).await;
    let found = row.and_then(|row| row.try_get(0)).map(version).map_err(|error| failed(place, &error))?;
    connection.close().await.map_err(|error| failed(place, &error))?;
    Ok(found)
}

/// The name without `main.`; SQLite files have no other databases in them.
fn table_name(place: &Place) -> Result<String> {
    let mut parts = name_parts(&place.node, &place.table)?;
    match parts.pop() {
        Some(table) if parts.iter().all(|part| part.eq_ignore_ascii_case("main")) => Ok(table),
        _ => {
            let message = format!(
                "`table` of `publish` of `{}` is `{}`: a SQLite file has no databases",
                place.node, place.table
            );
            Err(Diagnostic::error(CONFIG, message)
                .help("leave out what is before the point, or put the name in backticks"))
        }
    }
}

/// A queue of writers.
type Turn = Arc<tokio::sync::Mutex<()>>;

/// The queue of this process's writers to `path`.
fn turn_of(path: &Path) -> Turn {
    static TURNS: LazyLock<Mutex<HashMap<PathBuf, Turn>>> = LazyLock::new(Mutex::default);
    let key = std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
    Arc::clone(TURNS.lock().unwrap_or_else(PoisonError::into_inner).entry(key).or_default())
}

async fn connect(config: &SqliteConfig, place: &Place, create: bool) -> Result<SqliteConnection> {
    if create && let Some(folder) = config.path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder).map_err(|error| {
            let problem = format!("the folder {} cannot be made: {error}", folder.display());
            place.failed(codes::DESTINATION_UNREACHABLE, problem)
        })?;
    }
    let mut options = SqliteConnectOptions::new()
        .filename(&config.path)
        .create_if_missing(create)
        // Below a minute or so SQLite's own waiting is a fair queue; zero makes it give up at once.
        .busy_timeout(config.lock_timeout.max(Duration::from_millis(100)))
        .foreign_keys(false)
        .disable_statement_logging();
    if create {
        options = options.journal_mode(SqliteJournalMode::Wal).synchronous(SqliteSynchronous::Full);
    }
    options.connect().await.map_err(|error| failed(place, &error))
}

/// The words of SQLite, and what to do.
fn failed(place: &Place, error: &sqlx::Error) -> Box<Diagnostic> {
    let words = match error {
        sqlx::Error::Database(error) => error.message().to_string(),
        other => other.to_string(),
    };
    // Extended codes have the primary one in their low byte.
    let code = error.as_database_error().and_then(|error| error.code()).and_then(|code| code.parse::<u32>().ok());
    let (registered, help) = match code.map(|code| code & 0xff) {
        Some(5 | 6) => {
            (codes::PUBLISH_FAILED, "another program writes to the file; close it or set a longer `lock_timeout`")
        }
        Some(8) => (codes::PUBLISH_FAILED, "make the file and its folder writable"),
        Some(10 | 13) => (codes::PUBLISH_FAILED, "look at the disk: it may be full"),
        Some(11 | 26) => (codes::DESTINATION_UNREACHABLE, "the file is no SQLite database; move it away"),
        Some(14) => (codes::DESTINATION_UNREACHABLE, "look at the path and at the rights on its folder"),
        _ => (codes::PUBLISH_FAILED, ""),
    };
    place.failed(registered, words).maybe_help((!help.is_empty()).then_some(help))
}
