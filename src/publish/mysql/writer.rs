//! A connection that writes runs of rows, in one of two ways.

use std::ops::Range;

use sqlx::mysql::{MySqlArguments, MySqlConnection};
use sqlx::{Arguments, AssertSqlSafe, Connection, Row};

use super::super::Progress;
use super::super::column::Cell;
use super::super::config::{Bulk as Wish, MysqlConfig};
use super::super::rows::BATCH_ROWS;
use super::super::shape::Chunk;
use super::super::statement::{Inserts, Limits, quoted};
use super::bulk::Bulk;
use super::connect::connect;
use super::failure::{Failure, Said, judge};
use super::infile;
use super::load::{Load, Run};
use crate::stdx::plural;

/// The protocol counts placeholders in 16 bits.
const PLACEHOLDERS: usize = 65_535;

/// Bytes of values that a statement aims at. Larger ones are not faster.
const STATEMENT_BYTES: usize = 1 << 20;

/// How rows travel.
pub(super) enum Way {
    /// As `INSERT` of many rows.
    Insert(Inserts),
    /// As the file of this `LOAD DATA LOCAL`.
    LoadData(String),
}

impl Way {
    /// Rows of the largest statement.
    pub(super) fn largest(&self) -> usize {
        match self {
            Way::Insert(inserts) => inserts.largest(),
            Way::LoadData(_) => BATCH_ROWS,
        }
    }

    /// Cuts the rows of `chunk` into the runs that a statement each carries.
    pub(super) fn cut(&self, chunk: &Chunk) -> Vec<Range<usize>> {
        match self {
            Way::Insert(inserts) => inserts.cut(chunk),
            Way::LoadData(_) => cut(&chunk.sizes),
        }
    }
}

/// Runs of about [`STATEMENT_BYTES`], twice that at most unless one row has more; few if there are few bytes.
fn cut(sizes: &[usize]) -> Vec<Range<usize>> {
    let mut runs = Vec::new();
    let (mut start, mut bytes) = (0, 0);
    for (row, size) in sizes.iter().enumerate() {
        if bytes > 0 && bytes + size > 2 * STATEMENT_BYTES {
            runs.push(start..row);
            (start, bytes) = (row, 0);
        }
        bytes += size;
    }
    if start < sizes.len() {
        runs.push(start..sizes.len());
    }
    runs
}

/// A connection.
pub(super) enum Writer {
    /// For inserts.
    Sqlx(MySqlConnection),
    /// For `LOAD DATA LOCAL`.
    Bulk(Box<Bulk>),
}

impl Writer {
    /// Chooses the way of a load, and opens its first connection.
    pub(super) async fn first(load: &Load<'_>) -> Result<(Way, Writer), Failure> {
        let connections = plural(load.config.connections as u64, "connection");
        if load.config.bulk != Wish::Insert {
            let reason = match Writer::bulk(load).await {
                Ok(found) => {
                    (load.progress)(Progress::Loading(format!("LOAD DATA LOCAL over at most {connections}")));
                    return Ok(found);
                }
                Err(said) if load.config.bulk == Wish::LoadData => return Err(judge(load.place, said)),
                Err(said) => said.words,
            };
            let how = format!("inserts over at most {connections}, since LOAD DATA LOCAL is not possible: {reason}");
            (load.progress)(Progress::Loading(how));
        }
        let way = Way::Insert(inserts(load));
        let writer = Writer::connect(load.config, &way).await.map_err(|said| judge(load.place, said))?;
        Ok((way, writer))
    }

    /// Tries whether an empty file can be loaded. Settings of the server do not tell all: a proxy may forbid it too.
    async fn bulk(load: &Load<'_>) -> Result<(Way, Writer), Said> {
        if !load.server.local_infile {
            return Err(Said::by_server(4166, "the server has `local_infile` switched off".to_string()));
        }
        let statement = infile::statement(load.table, load.shape);
        let mut bulk = Bulk::connect(load.config).await?;
        bulk.load(&statement, bytes::Bytes::new()).await?;
        Ok((Way::LoadData(statement), Writer::Bulk(Box::new(bulk))))
    }

    /// Opens one more connection.
    pub(super) async fn connect(config: &MysqlConfig, way: &Way) -> Result<Writer, Said> {
        match way {
            Way::Insert(_) => connect(config).await.map(Writer::Sqlx).map_err(|error| Said::from(&error)),
            Way::LoadData(_) => Ok(Writer::Bulk(Box::new(Bulk::connect(config).await?))),
        }
    }

    /// The server's number for the connection.
    pub(super) async fn id(&mut self) -> Result<u64, Said> {
        match self {
            Writer::Sqlx(connection) => {
                let row = sqlx::query("select connection_id()").fetch_one(connection).await;
                row.and_then(|row| row.try_get_unchecked(0)).map_err(|error| Said::from(&error))
            }
            Writer::Bulk(bulk) => bulk.id().await,
        }
    }

    /// Writes the rows of `run` in one statement.
    pub(super) async fn write(&mut self, way: &Way, run: &Run) -> Result<(), Said> {
        match (self, way) {
            (Writer::Sqlx(connection), Way::Insert(inserts)) => {
                let query = sqlx::query_with(AssertSqlSafe(inserts.sql(run.rows.len())), arguments(run)?);
                query.execute(connection).await.map(drop).map_err(|error| Said::from(&error))
            }
            (Writer::Bulk(bulk), Way::LoadData(statement)) => {
                bulk.load(statement, infile::file(&run.chunk, run.rows.clone())).await
            }
            _ => Err(Said::settings("a connection cannot write this way")),
        }
    }

    /// Says goodbye.
    pub(super) async fn close(self) {
        match self {
            Writer::Sqlx(connection) => {
                let _ = connection.close().await;
            }
            Writer::Bulk(bulk) => bulk.close().await,
        }
    }
}

fn inserts(load: &Load<'_>) -> Inserts {
    let names: Vec<String> = load.shape.fields.iter().map(|field| quoted(&field.name, '`')).collect();
    let head = format!("INSERT INTO {} ({}) VALUES ", load.table, names.join(", "));
    // A quarter of the packet is for types and lengths, which are not in the count of bytes.
    let max_bytes = load.server.max_packet / 4 * 3;
    let limits = Limits { params: PLACEHOLDERS, rows: 4096, bytes: STATEMENT_BYTES.min(max_bytes), max_bytes };
    Inserts::new(head, names.len(), &limits, load.row_bytes)
}

fn arguments(run: &Run) -> Result<MySqlArguments, Said> {
    let columns = &run.chunk.columns;
    let mut arguments = MySqlArguments::default();
    arguments.reserve(run.rows.len() * columns.len(), run.chunk.sizes[run.rows.clone()].iter().sum());
    for row in run.rows.clone() {
        for column in columns {
            let added = match column.cell(row) {
                Cell::Null => arguments.add(None::<i64>),
                Cell::Bool(flag) => arguments.add(i8::from(flag)),
                Cell::Int(number) => arguments.add(number),
                Cell::UInt(number) => arguments.add(number),
                Cell::Float(number) => arguments.add(number),
                Cell::Text(text) => arguments.add(text),
                Cell::Bytes(bytes) => arguments.add(bytes),
            };
            added.map_err(|error| Said::settings(error.to_string()))?;
        }
    }
    Ok(arguments)
}

#[cfg(test)]
mod tests {
    use super::{STATEMENT_BYTES, cut};

    #[test]
    fn runs_are_cut_by_bytes() {
        assert!(cut(&[]).is_empty());
        assert_eq!(cut(&[100; 8192]), std::iter::once(0..8192).collect::<Vec<_>>());
        assert_eq!(cut(&[STATEMENT_BYTES; 5]), [0..2, 2..4, 4..5]);
        assert_eq!(cut(&[1, 9 * STATEMENT_BYTES, 1]), [0..1, 1..2, 2..3]);
    }
}
