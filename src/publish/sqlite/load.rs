//! Rows into a new table.

use futures::{StreamExt, pin_mut};
use sqlx::sqlite::{SqliteArguments, SqliteConnection};
use sqlx::{Arguments, AssertSqlSafe};

use super::super::column::Cell;
use super::super::place::Place;
use super::super::rows::{Rows, batches};
use super::super::shape::{Chunk, Neighbours, Shape};
use super::super::statement::{Inserts, Limits, quoted};
use super::super::tally::{Tally, reconcile};
use super::super::{OnProgress, Progress};
use super::{execute, failed, names, types};
use crate::diag::{Diagnostic, Result, codes};

/// SQLite's own limit on placeholders is 32766; bytes are no concern of a library in the same process.
const LIMITS: Limits = Limits { params: 32_766, rows: 1024, bytes: 1 << 20, max_bytes: 64 << 20 };

/// A table to make and fill.
pub(super) struct Load<'a> {
    pub(super) place: &'a Place,
    pub(super) shape: &'a Shape,
    /// SQL types of the columns.
    pub(super) types: &'a [String],
    /// Its name, quoted.
    pub(super) table: &'a str,
    pub(super) progress: OnProgress<'a>,
}

impl Load<'_> {
    /// Makes the table (`kind` is `table` or `temp table`), fills it, and compares what arrived with what was sent.
    pub(super) async fn run(&self, kind: &str, rows: &dyn Rows, connection: &mut SqliteConnection) -> Result<Tally> {
        execute(self.place, connection, self.create(kind)).await?;
        let tally = self.insert(rows, connection).await?;
        let arrived = types::arrived(connection, self.shape, self.table).await;
        reconcile(self.place, self.shape, &tally, &arrived.map_err(|error| failed(self.place, &error))?)?;
        Ok(tally)
    }

    fn create(&self, kind: &str) -> String {
        let mut lines: Vec<String> = Vec::new();
        for (at, (field, sql_type)) in self.shape.fields.iter().zip(self.types).enumerate() {
            let not_null = if self.shape.key.contains(&at) { " not null" } else { "" };
            lines.push(format!("{} {sql_type}{not_null}", quoted(&field.name, '"')));
        }
        if !self.shape.key.is_empty() {
            lines.push(format!("primary key ({})", names(self.shape, &self.shape.key)));
        }
        format!("create {kind} {} ({})", self.table, lines.join(", "))
    }

    async fn insert(&self, rows: &dyn Rows, connection: &mut SqliteConnection) -> Result<Tally> {
        let head = format!("insert into {} values ", self.table);
        let inserts = Inserts::new(head, self.shape.fields.len(), &LIMITS, 64);
        let mut tally = Tally::new(self.shape);
        let mut neighbours = Neighbours::default();
        let stream = batches(rows, &self.shape.key_names()).await?;
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
