//! Loading a table: one reader, several connections.
//!
//! The caller's task reads, converts and counts; it hands runs of rows to workers, one connection each, over a short
//! channel. Runs are handed out in the order of the key, so the table grows at its end, give or take a few runs that are on
//! their way at the same time. Memory is bounded by the channel and the connections' buffers.
//!
//! A run travels as one statement, which the server takes or undoes as a whole: a `LOAD DATA LOCAL` or an `INSERT` (`writer`).

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures::{StreamExt, pin_mut};
use tokio::sync::{Mutex, mpsc};
use tokio::task::JoinSet;

use super::super::config::MysqlConfig;
use super::super::place::Place;
use super::super::rows::{Rows, batches};
use super::super::shape::{Chunk, Neighbours, Shape};
use super::super::tally::Tally;
use super::super::{OnProgress, Progress};
use super::connect::Server;
use super::failure::{Failure, is_conflict, is_full, judge, refused_value};
use super::watch::{Session, Watch};
use super::writer::{Way, Writer};
use crate::diag::codes;
use crate::stdx::human_bytes;

/// How often one statement is run again after a deadlock or a lock wait.
const CONFLICTS: u32 = 5;

/// Runs that wait for a connection.
const QUEUE: usize = 2;

/// Rows that one statement carries.
pub(super) struct Run {
    pub(super) chunk: Arc<Chunk>,
    pub(super) rows: Range<usize>,
}

/// What every worker needs.
struct Work {
    config: MysqlConfig,
    place: Arc<Place>,
    shape: Arc<Shape>,
    way: Way,
    watch: Arc<Watch>,
    queue: Mutex<mpsc::Receiver<Run>>,
    done: AtomicU64,
}

/// A load: where to, what to read, and whom to tell.
pub(super) struct Load<'a> {
    pub(super) config: &'a MysqlConfig,
    pub(super) place: &'a Arc<Place>,
    pub(super) shape: &'a Arc<Shape>,
    pub(super) server: &'a Server,
    /// The table to fill, quoted.
    pub(super) table: &'a str,
    /// Rows that are expected; none if nobody counted.
    pub(super) expected: Option<u64>,
    /// Bytes of a row's values, roughly.
    pub(super) row_bytes: u64,
    pub(super) rows: &'a dyn Rows,
    pub(super) watch: &'a Arc<Watch>,
    pub(super) progress: OnProgress<'a>,
}

impl Load<'_> {
    /// Loads all rows and tells what was sent.
    pub(super) async fn run(&self) -> Result<Tally, Failure> {
        let (way, first) = Writer::first(self).await?;
        let (sender, receiver) = mpsc::channel(QUEUE);
        let work = Arc::new(Work {
            config: self.config.clone(),
            place: Arc::clone(self.place),
            shape: Arc::clone(self.shape),
            way,
            watch: Arc::clone(self.watch),
            queue: Mutex::new(receiver),
            done: AtomicU64::new(0),
        });
        let mut workers = JoinSet::new();
        workers.spawn(worker(Arc::clone(&work), Some(first)));
        for _ in 1..self.connections(&work.way) {
            workers.spawn(worker(Arc::clone(&work), None));
        }
        let read = self.read(&work, sender).await;
        if read.is_err() {
            workers.shutdown().await;
        }
        let mut failure = None;
        while let Some(ended) = workers.join_next().await {
            let ended = ended.unwrap_or_else(|error| Err(self.place.failed(codes::INTERNAL, error).into()));
            if let Err(error) = ended {
                // The first one is the cause; the others may only have lost their connection with it.
                failure.get_or_insert(error);
            }
        }
        let tally = read?;
        match failure {
            Some(failure) => Err(failure),
            None => {
                (self.progress)(Progress::Rows(tally.rows));
                Ok(tally)
            }
        }
    }

    /// A small table needs no more connections than it has statements.
    fn connections(&self, way: &Way) -> usize {
        let statements = self.expected.map_or(u64::MAX, |rows| rows.div_ceil(way.largest() as u64));
        self.config.connections.min(usize::try_from(statements).unwrap_or(usize::MAX)).max(1)
    }

    /// Reads all rows and hands them out; stops early when no worker takes them any more.
    async fn read(&self, work: &Work, sender: mpsc::Sender<Run>) -> Result<Tally, Failure> {
        let mut tally = Tally::new(self.shape);
        let mut neighbours = Neighbours::default();
        let stream = batches(self.rows, &self.shape.key_names()).await?;
        pin_mut!(stream);
        while let Some(batch) = stream.next().await {
            let chunk = self.shape.convert(self.place, batch?, tally.rows)?;
            neighbours.check(self.place, self.shape, &chunk)?;
            tally.add(&chunk);
            for rows in work.way.cut(&chunk) {
                self.refuse_oversize(&chunk, &rows)?;
                let run = Run { chunk: Arc::clone(&chunk), rows };
                if sender.send(run).await.is_err() {
                    return Ok(tally);
                }
            }
            (self.progress)(Progress::Rows(work.done.load(Ordering::Relaxed)));
        }
        Ok(tally)
    }

    /// A server hangs up on a statement that is too large, which would look like a lost connection.
    fn refuse_oversize(&self, chunk: &Chunk, rows: &Range<usize>) -> Result<(), Failure> {
        let max_packet = self.server.max_packet;
        let room = max_packet.saturating_sub(4096);
        if rows.len() > 1 || chunk.sizes[rows.start] <= room {
            return Ok(());
        }
        let cells = chunk.columns.iter().map(|column| column.cell(rows.start).bytes());
        let largest = cells.enumerate().max_by_key(|(_, bytes)| *bytes).map_or(0, |(at, _)| at);
        let bytes = human_bytes(chunk.columns[largest].cell(rows.start).bytes() as u64);
        let limit = human_bytes(max_packet as u64);
        let name = &self.shape.fields[largest].name;
        let problem = format!("column `{name}` holds a value of {bytes}, and the server takes statements of {limit}");
        let error = self.place.unfit(problem).note(self.shape.whereabouts(&chunk.batch, chunk.first_row, rows.start));
        Err(error.help("raise the server's max_allowed_packet").into())
    }
}

/// Takes runs until there are none. The first worker comes with its connection; another one that the server has no
/// connection left for leaves the work to the rest.
async fn worker(work: Arc<Work>, writer: Option<Writer>) -> Result<(), Failure> {
    let result = match writer {
        Some(writer) => drain(&work, writer).await,
        None => match Writer::connect(&work.config, &work.way).await {
            Ok(writer) => drain(&work, writer).await,
            Err(said) if is_full(said.clone()) => return Ok(()),
            Err(said) => Err(judge(&work.place, said)),
        },
    };
    if result.is_err() {
        // Nobody shall wait for a queue that one worker less empties, and the load is lost anyway.
        work.queue.lock().await.close();
    }
    result
}

async fn drain(work: &Work, mut writer: Writer) -> Result<(), Failure> {
    let id = writer.id().await.map_err(|said| judge(&work.place, said))?;
    let session = work.watch.enter(id);
    loop {
        let run = work.queue.lock().await.recv().await;
        let Some(run) = run else { break };
        write(work, &session, &mut writer, &run).await?;
        work.watch.moved();
        work.done.fetch_add(run.rows.len() as u64, Ordering::Relaxed);
    }
    // All is written; how the goodbye goes does not matter.
    session.close();
    writer.close().await;
    Ok(())
}

/// Runs one statement; again if the server undid it for another client's sake.
async fn write(work: &Work, session: &Session, writer: &mut Writer, run: &Run) -> Result<(), Failure> {
    let _waiting = session.waits();
    let mut conflicts = 0;
    loop {
        let said = match writer.write(&work.way, run).await {
            Ok(()) => return Ok(()),
            Err(said) => said,
        };
        if is_conflict(said.clone()) && conflicts < CONFLICTS {
            conflicts += 1;
            tokio::time::sleep(Duration::from_millis(20 << conflicts)).await;
            continue;
        }
        let refused = refused_value(&work.place, &work.shape, &run.chunk, run.rows.clone(), said.clone());
        return Err(refused.map_or_else(|| judge(&work.place, said), Failure::Final));
    }
}
