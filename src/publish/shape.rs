//! A job matched against the columns that really come: kinds, key, indexes, and batches converted accordingly.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::Schema;
use arrow::util::display::array_value_to_string;

use super::PublishJob;
use super::column::{Cell, Column, Unfit};
use super::fields::CONFIG;
use super::kind::Kind;
use super::place::Place;
use crate::diag::{Diagnostic, Result, codes};
use crate::stdx::closest;

/// One column to publish.
#[derive(Debug, Clone)]
pub(super) struct FieldShape {
    /// Its name, as the relation spells it.
    pub(super) name: String,
    /// What it holds.
    pub(super) kind: Kind,
    /// The destination's type, if the job says it.
    pub(super) declared: Option<String>,
}

/// The columns of a table, in order, and the positions of those that key and indexes consist of.
#[derive(Debug, Clone)]
pub(super) struct Shape {
    pub(super) fields: Vec<FieldShape>,
    pub(super) key: Vec<usize>,
    pub(super) indexes: Vec<Vec<usize>>,
}

/// Rows on their way: converted columns, and the batch they come from for messages.
#[derive(Debug)]
pub(super) struct Chunk {
    pub(super) columns: Vec<Column>,
    pub(super) batch: RecordBatch,
    /// Rows of the stream before this chunk.
    pub(super) first_row: u64,
    /// Bytes of the values of each row, as they travel.
    pub(super) sizes: Vec<usize>,
}

impl Chunk {
    /// Number of rows.
    pub(super) fn rows(&self) -> usize {
        self.batch.num_rows()
    }

    /// Bytes of all values.
    pub(super) fn bytes(&self) -> u64 {
        self.sizes.iter().map(|size| *size as u64).sum()
    }
}

impl Shape {
    /// Looks up the job's columns in `schema`. Names match whatever their case, as in SQL.
    pub(super) fn resolve(job: &PublishJob, schema: &Schema, place: &Place) -> Result<Shape> {
        if schema.fields().is_empty() {
            return Err(place.unfit("it has no columns"));
        }
        let mut fields: Vec<FieldShape> = Vec::with_capacity(schema.fields().len());
        for field in schema.fields() {
            let name = field.name();
            if let Some(other) = fields.iter().find(|other| other.name.to_lowercase() == name.to_lowercase()) {
                let problem =
                    format!("columns `{}` and `{name}` would be one, since case does not count there", other.name);
                return Err(place.unfit(problem).help("rename one of the columns in the model"));
            }
            let Some(kind) = Kind::of(field.data_type()) else {
                return Err(
                    place.unfit(format!("column `{name}` has type {}, which has no counterpart", field.data_type()))
                );
            };
            fields.push(FieldShape { name: name.clone(), kind, declared: None });
        }
        let mut shape = Shape { fields, key: Vec::new(), indexes: Vec::new() };
        shape.key = shape.positions(job, "key", &job.key)?;
        shape.indexes =
            job.indexes.iter().map(|index| shape.positions(job, "indexes", index)).collect::<Result<_>>()?;
        for (name, sql_type) in &job.columns {
            let at = shape.position(job, "columns", name)?;
            shape.fields[at].declared = Some(sql_type.trim().to_string());
        }
        Ok(shape)
    }

    /// Names of the key's columns.
    pub(super) fn key_names(&self) -> Vec<String> {
        self.key.iter().map(|at| self.fields[*at].name.clone()).collect()
    }

    /// `job` for a table of keys alone.
    pub(super) fn keys_job(&self, job: &PublishJob) -> PublishJob {
        let key = self.key_names();
        let is_key = |name: &String| key.iter().any(|other| other.to_lowercase() == name.to_lowercase());
        let columns =
            job.columns.iter().filter(|(name, _)| is_key(name)).map(|(a, b)| (a.clone(), b.clone())).collect();
        PublishJob { key, indexes: Vec::new(), columns, ..job.clone() }
    }

    fn positions(&self, job: &PublishJob, setting: &str, names: &[String]) -> Result<Vec<usize>> {
        let mut found = Vec::with_capacity(names.len());
        for name in names {
            let at = self.position(job, setting, name)?;
            if found.contains(&at) {
                let message = format!("`{setting}` of `publish` of `{}` names column `{name}` twice", job.node);
                return Err(Diagnostic::error(CONFIG, message));
            }
            found.push(at);
        }
        Ok(found)
    }

    fn position(&self, job: &PublishJob, setting: &str, name: &str) -> Result<usize> {
        if let Some(at) = self.fields.iter().position(|field| field.name.to_lowercase() == name.to_lowercase()) {
            return Ok(at);
        }
        let names = || self.fields.iter().map(|field| field.name.as_str());
        let help = match closest(name, names()) {
            Some(near) => format!("a column named `{near}` exists"),
            None => format!("its columns are {}", names().collect::<Vec<_>>().join(", ")),
        };
        let message =
            format!("`{setting}` of `publish` of `{}` names column `{name}`, which the model does not have", job.node);
        Err(Diagnostic::error(CONFIG, message).help(help))
    }

    /// Converts a batch; finds values that no destination holds, and nulls in the key.
    pub(super) fn convert(&self, place: &Place, batch: RecordBatch, first_row: u64) -> Result<Arc<Chunk>> {
        if batch.num_columns() != self.fields.len() {
            let message =
                format!("a batch of `{}` has {} columns, not {}", place.node, batch.num_columns(), self.fields.len());
            return Err(Diagnostic::error(codes::INTERNAL, message));
        }
        let mut columns = Vec::with_capacity(self.fields.len());
        for (field, array) in self.fields.iter().zip(batch.columns()) {
            match Column::new(&field.name, field.kind, array) {
                Ok(column) => columns.push(column),
                Err(Unfit::Value { row, value, reason }) => {
                    let problem = format!("column `{}` holds {value}, which is {reason}", field.name);
                    let found = place.unfit(problem).note(self.whereabouts(&batch, first_row, row));
                    return Err(found.help("let the model give null, or a value that it can hold, in its place"));
                }
                Err(Unfit::Type(error)) => {
                    let problem = format!("column `{}` cannot be converted: {error}", field.name);
                    return Err(place.unfit(problem).help("cast the column in the model"));
                }
            }
        }
        let mut sizes = vec![0; batch.num_rows()];
        for column in &columns {
            sizes.iter_mut().enumerate().for_each(|(row, size)| *size += column.cell(row).bytes());
        }
        let chunk = Chunk { columns, batch, first_row, sizes };
        self.refuse_null_keys(place, &chunk)?;
        Ok(Arc::new(chunk))
    }

    fn refuse_null_keys(&self, place: &Place, chunk: &Chunk) -> Result<()> {
        for at in &self.key {
            let column = &chunk.columns[*at];
            if let Some(row) = (0..chunk.rows()).find(|row| column.cell(*row) == Cell::Null) {
                let name = &self.fields[*at].name;
                return Err(place
                    .unfit(format!("column `{name}` belongs to the key and is NULL"))
                    .note(self.whereabouts(&chunk.batch, chunk.first_row, row))
                    .help(format!("filter such rows in the model, and add a `not_null` test to `{name}`")));
            }
        }
        Ok(())
    }

    /// Where a row is, for people: by its key, or by its number and first values when it has no key.
    pub(super) fn whereabouts(&self, batch: &RecordBatch, first_row: u64, row: usize) -> String {
        let positions: Vec<usize> =
            if self.key.is_empty() { (0..self.fields.len().min(3)).collect() } else { self.key.clone() };
        let values: Vec<String> = positions
            .into_iter()
            .map(|at| {
                let value = array_value_to_string(batch.column(at), row).unwrap_or_default();
                let null = arrow::array::Array::is_null(batch.column(at), row);
                let value = if null { "NULL".to_string() } else { super::column::show_text(&value) };
                format!("{} = {value}", self.fields[at].name)
            })
            .collect();
        match self.key.is_empty() {
            true => format!("in row {} ({})", first_row + row as u64 + 1, values.join(", ")),
            false => format!("in the row with the key {}", values.join(", ")),
        }
    }
}

/// Finds equal keys in rows that come sorted by key.
#[derive(Debug, Default)]
pub(super) struct Neighbours {
    last: Option<(Arc<Chunk>, usize)>,
}

impl Neighbours {
    /// Looks at the keys of `chunk`, which follows the chunks seen before.
    pub(super) fn check(&mut self, place: &Place, shape: &Shape, chunk: &Arc<Chunk>) -> Result<()> {
        if shape.key.is_empty() || chunk.rows() == 0 {
            return Ok(());
        }
        for row in 0..chunk.rows() {
            let (before, before_row) = match (row, &self.last) {
                (0, None) => continue,
                (0, Some((last, last_row))) => (last, *last_row),
                _ => (chunk, row - 1),
            };
            let same = |at: &usize| before.columns[*at].cell(before_row) == chunk.columns[*at].cell(row);
            if shape.key.iter().all(same) {
                let names = shape.key_names().join("`, `");
                return Err(place
                    .failed(codes::PUBLISH_FAILED, "two rows have the same key")
                    .note(shape.whereabouts(&chunk.batch, chunk.first_row, row))
                    .help(format!("make the rows unique in the model, and add a `unique` test on `{names}`")));
            }
        }
        self.last = Some((Arc::clone(chunk), chunk.rows() - 1));
        Ok(())
    }
}
