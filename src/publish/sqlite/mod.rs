//! SQLite: one file, nothing to install.
//!
//! Everything happens in one transaction: the old table goes, the new one comes, and until the commit every reader sees
//! the old one (the file is in write-ahead mode). A process that is killed before the commit changed nothing.
//!
//! SQLite has one writer. Publishes of one process to one file queue up on a lock of their own, since they know that the
//! other one will be done; other processes are waited for as long as `lock_timeout` says.

mod types;

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::Duration;

use futures::{StreamExt, pin_mut};
use sqlx::sqlite::{SqliteArguments, SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqliteSynchronous};
use sqlx::{Arguments, AssertSqlSafe, ConnectOptions, Connection, Executor, Row};

use super::column::Cell;
use super::config::SqliteConfig;
use super::fields::CONFIG;
use super::place::Place;
use super::rows::{Rows, batches};
use super::shape::{Chunk, Neighbours, Shape};
use super::statement::{Inserts, Limits, name_parts, quoted};
use super::tally::{Tally, reconcile};
use super::{OnProgress, Progress, PublishJob, Published};
use crate::diag::{Diagnostic, Result, codes};

/// SQLite's own limit on placeholders is 32766; bytes are no concern of a library in the same process.
const LIMITS: Limits = Limits { params: 32_766, rows: 1024, bytes: 1 << 20, max_bytes: 64 << 20 };

/// Replaces the job's table.
pub(super) async fn replace(
    config: &SqliteConfig,
    place: &Place,
    job: &PublishJob,
    rows: &dyn Rows,
    progress: OnProgress<'_>,
) -> Result<Published> {
    let shape = Shape::resolve(job, &rows.schema(), place)?;
    let columns = types::columns(&shape);
    let table = table_name(place)?;
    let turn = turn_of(&config.path);
    let _turn = match turn.try_lock() {
        Ok(guard) => guard,
        Err(_) => {
            progress(Progress::Waiting(format!("another publish writes to {}", config.path.display())));
            turn.lock().await
        }
    };
    let mut connection = connect(config, place, true).await?;
    let load = Load { place, shape: &shape, columns: &columns, table: &table, rows, progress };
    let loaded = load.run(&mut connection).await;
    if loaded.is_err() {
        // Dropping the connection would do it too, but later, on a thread of its own.
        let _ = connection.execute("rollback").await;
    }
    let closed = connection.close().await.map_err(|error| failed(place, &error));
    let tally = loaded?;
    closed?;
    let columns = shape.fields.iter().map(|field| field.name.clone()).zip(columns).collect();
    Ok(Published {
        destination: place.destination.clone(),
        table: place.table.clone(),
        mode: job.mode,
        rows: tally.rows,
        bytes: tally.bytes,
        attempts: 1,
        columns,
    })
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

/// One replacement, inside its transaction.
struct Load<'a> {
    place: &'a Place,
    shape: &'a Shape,
    columns: &'a [String],
    table: &'a str,
    rows: &'a dyn Rows,
    progress: OnProgress<'a>,
}

impl Load<'_> {
    async fn run(&self, connection: &mut SqliteConnection) -> Result<Tally> {
        self.execute(connection, "begin immediate".to_string()).await?;
        self.refuse_views(connection).await?;
        self.execute(connection, format!("drop table if exists {}", quoted(self.table, '"'))).await?;
        self.execute(connection, self.create()).await?;
        let tally = self.insert(connection).await?;
        for (number, index) in self.shape.indexes.iter().enumerate() {
            let name = quoted(&format!("ix_{}_{}", self.table, number + 1), '"');
            let columns = self.names(index);
            self.execute(connection, format!("create index {name} on {} ({columns})", quoted(self.table, '"'))).await?;
        }
        let arrived = types::arrived(connection, self.shape, &quoted(self.table, '"')).await;
        reconcile(self.place, self.shape, &tally, &arrived.map_err(|error| failed(self.place, &error))?)?;
        self.execute(connection, "commit".to_string()).await?;
        Ok(tally)
    }

    async fn execute(&self, connection: &mut SqliteConnection, sql: String) -> Result<()> {
        connection.execute(AssertSqlSafe(sql)).await.map(drop).map_err(|error| failed(self.place, &error))
    }

    async fn refuse_views(&self, connection: &mut SqliteConnection) -> Result<()> {
        let sql = "select count(*) from sqlite_schema where type = 'view' and lower(name) = lower(?)";
        let row = sqlx::query(sql).bind(self.table).fetch_one(connection).await;
        let views: i64 = row.and_then(|row| row.try_get(0)).map_err(|error| failed(self.place, &error))?;
        if views == 0 {
            return Ok(());
        }
        let problem = "a view has that name there";
        Err(self.place.failed(codes::PUBLISH_FAILED, problem).help("drop the view, or set another `table`"))
    }

    fn names(&self, positions: &[usize]) -> String {
        positions.iter().map(|at| quoted(&self.shape.fields[*at].name, '"')).collect::<Vec<_>>().join(", ")
    }

    fn create(&self) -> String {
        let mut lines: Vec<String> = Vec::new();
        for (at, (field, sql_type)) in self.shape.fields.iter().zip(self.columns).enumerate() {
            let not_null = if self.shape.key.contains(&at) { " not null" } else { "" };
            lines.push(format!("{} {sql_type}{not_null}", quoted(&field.name, '"')));
        }
        if !self.shape.key.is_empty() {
            lines.push(format!("primary key ({})", self.names(&self.shape.key)));
        }
        format!("create table {} ({})", quoted(self.table, '"'), lines.join(", "))
    }

    async fn insert(&self, connection: &mut SqliteConnection) -> Result<Tally> {
        let head = format!("insert into {} values ", quoted(self.table, '"'));
        let inserts = Inserts::new(head, self.shape.fields.len(), &LIMITS, 64);
        let mut tally = Tally::new(self.shape);
        let mut neighbours = Neighbours::default();
        let stream = batches(self.rows, &self.shape.key_names()).await?;
        pin_mut!(stream);
        while let Some(batch) = stream.next().await {
            let chunk = self.shape.convert(self.place, batch?, tally.rows)?;
            neighbours.check(self.place, self.shape, &chunk)?;
            for run in inserts.cut(&chunk) {
                let arguments = self.arguments(&chunk, run.clone())?;
                let query = sqlx::query_with(AssertSqlSafe(inserts.sql(run.len())), arguments);
                query.execute(&mut *connection).await.map_err(|error| failed(self.place, &error))?;
            }
            tally.add(&chunk);
            (self.progress)(Progress::Rows(tally.rows));
        }
        Ok(tally)
    }

    fn arguments(&self, chunk: &Chunk, run: std::ops::Range<usize>) -> Result<SqliteArguments> {
        let mut arguments = SqliteArguments::default();
        arguments.reserve(run.len() * chunk.columns.len(), 0);
        for row in run {
            for (column, field) in chunk.columns.iter().zip(&self.shape.fields) {
                let cell = column.cell(row);
                let added = match cell {
                    Cell::Null => arguments.add(None::<i64>),
                    Cell::Bool(flag) => arguments.add(i64::from(flag)),
                    Cell::Int(number) => arguments.add(number),
                    Cell::UInt(number) => match i64::try_from(number) {
                        Ok(number) => arguments.add(number),
                        Err(_) => return Err(self.too_large(chunk, row, &field.name, &cell)),
                    },
                    Cell::Float(number) => arguments.add(number),
                    Cell::Text(text) => arguments.add(text),
                    Cell::Bytes(bytes) => arguments.add(bytes),
                };
                added.map_err(|error| self.place.failed(codes::PUBLISH_FAILED, error))?;
            }
        }
        Ok(arguments)
    }

    fn too_large(&self, chunk: &Chunk, row: usize, column: &str, cell: &Cell<'_>) -> Box<Diagnostic> {
        let problem = format!("column `{column}` holds {}, which is more than SQLite's largest integer", cell.show());
        self.place
            .unfit(problem)
            .note(self.shape.whereabouts(&chunk.batch, chunk.first_row, row))
            .help("cast the column to decimal(20, 0) or to text in the model")
    }
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
