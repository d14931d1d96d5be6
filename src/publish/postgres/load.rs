//! Loading: one reader, one COPY after the other.
//!
//! A COPY carries a few megabytes. The server tells what is wrong with a value only when a COPY ends, and then by the
//! line; so the rows of the COPY that runs are kept, and the message can name the key. Memory is bounded by that. All of
//! them are in the publish's one transaction.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures::{StreamExt, pin_mut};
use sqlx::postgres::{PgConnection, PgCopyIn};

use super::super::place::Place;
use super::super::rows::{Rows, batches};
use super::super::shape::{Chunk, Neighbours, Shape};
use super::super::statement::quoted;
use super::super::tally::Tally;
use super::super::{OnProgress, Progress};
use super::encode::encode;
use super::failure::{Failure, judge, refused_value};

/// Bytes of text that one COPY carries, or a little more.
const COPY_BYTES: usize = 8 << 20;

/// A load: what to read, where to, and whom to tell.
pub(super) struct Load<'a> {
    pub(super) place: &'a Place,
    pub(super) shape: &'a Shape,
    /// The table, quoted.
    pub(super) table: &'a str,
    pub(super) rows: &'a dyn Rows,
    pub(super) progress: OnProgress<'a>,
}

/// The longest values of the columns in keys and indexes: what to name when one is too long for them.
#[derive(Debug, Default)]
pub(super) struct Longest(BTreeMap<usize, LongValue>);

/// A value, in words.
#[derive(Debug)]
pub(super) struct LongValue {
    pub(super) bytes: usize,
    pub(super) shown: String,
    pub(super) whereabouts: String,
}

impl Longest {
    /// Bytes below which nobody needs to remember a value.
    const SHORT: usize = 256;

    fn take(&mut self, shape: &Shape, chunk: &Chunk) {
        for at in shape.key.iter().chain(shape.indexes.iter().flatten()) {
            let mut most = self.0.get(at).map_or(Longest::SHORT, |value| value.bytes);
            let mut found = None;
            for row in 0..chunk.rows() {
                let bytes = chunk.columns[*at].cell(row).bytes();
                if bytes > most {
                    (most, found) = (bytes, Some(row));
                }
            }
            if let Some(row) = found {
                let shown = chunk.columns[*at].cell(row).show();
                let whereabouts = shape.whereabouts(&chunk.batch, chunk.first_row, row);
                self.0.insert(*at, LongValue { bytes: most, shown, whereabouts });
            }
        }
    }

    /// The longest value of these columns, and its column.
    pub(super) fn of(&self, columns: &[usize]) -> Option<(usize, &LongValue)> {
        let known = columns.iter().filter_map(|at| Some((*at, self.0.get(at)?)));
        known.max_by_key(|(_, value)| value.bytes)
    }
}

/// What the COPY that runs carries.
#[derive(Default)]
struct Carried {
    chunks: Vec<Arc<Chunk>>,
    bytes: usize,
}

impl Load<'_> {
    /// Loads all rows, sorted by key, and tells what was sent.
    pub(super) async fn run(&self, connection: &mut PgConnection) -> Result<(Tally, Longest), Failure> {
        let mut longest = Longest::default();
        let mut tally = Tally::new(self.shape);
        let mut neighbours = Neighbours::default();
        let names: Vec<String> = self.shape.fields.iter().map(|field| quoted(&field.name, '"')).collect();
        let sql = format!("copy {} ({}) from stdin", self.table, names.join(", "));
        let stream = batches(self.rows, &self.shape.key_names()).await?;
        pin_mut!(stream);
        let mut buffer = Vec::new();
        let mut batch = stream.next().await;
        while batch.is_some() {
            let mut copy = connection.copy_in_raw(&sql).await.map_err(|error| judge(self.place, &error))?;
            let mut carried = Carried::default();
            let filled = async {
                while carried.bytes < COPY_BYTES
                    && let Some(rows) = batch.take()
                {
                    let chunk = self.shape.convert(self.place, rows?, tally.rows)?;
                    neighbours.check(self.place, self.shape, &chunk)?;
                    tally.add(&chunk);
                    longest.take(self.shape, &chunk);
                    self.send(&mut copy, &mut carried, chunk, &mut buffer).await?;
                    batch = stream.next().await;
                }
                Ok::<(), Failure>(())
            };
            if let Err(failure) = filled.await {
                // The caller rolls back, which needs a connection that is done with its COPY.
                let _ = copy.abort("the rows could not be read").await;
                return Err(failure);
            }
            self.finish(copy, &carried).await?;
            (self.progress)(Progress::Rows(tally.rows));
        }
        Ok((tally, longest))
    }

    async fn send(
        &self,
        copy: &mut PgCopyIn<&mut PgConnection>,
        carried: &mut Carried,
        chunk: Arc<Chunk>,
        buffer: &mut Vec<u8>,
    ) -> Result<(), Failure> {
        buffer.clear();
        encode(self.place, self.shape, &chunk, buffer)?;
        carried.bytes += buffer.len();
        carried.chunks.push(chunk);
        copy.send(buffer.as_slice()).await.map(drop).map_err(|error| judge(self.place, &error))
    }

    async fn finish(&self, copy: PgCopyIn<&mut PgConnection>, carried: &Carried) -> Result<(), Failure> {
        match copy.finish().await {
            Ok(_) => Ok(()),
            Err(error) => {
                let refused = refused_value(self.place, self.shape, &carried.chunks, &error);
                Err(refused.map_or_else(|| judge(self.place, &error), Failure::Final))
            }
        }
    }
}
