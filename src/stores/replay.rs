//! Writing a large file to HDFS, from the start again when it must be.
//!
//! hdfs-native goes on when a data node dies under it. When all nodes of a block hang, or the name node is gone for a
//! moment between two blocks, the file is lost, and with it a model that may have taken hours. So what was written is
//! kept until the file is complete: in memory while it is small, else in a temporary file ([`tempfile`]).

use std::io::{Read, Seek, SeekFrom, Write};
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use bytes::Bytes;
use futures::FutureExt;
use object_store::path::Path;
use object_store::{
    Error, MultipartUpload, ObjectStore, PutMultipartOptions, PutPayload, PutResult, Result, UploadPart,
};
use tempfile::SpooledTempFile;
use tokio::sync::{mpsc, oneshot};

use super::failure::Cause;
use super::io;
use super::steady::{Met, PATIENCE, again, in_time};

/// Bytes that are kept in memory.
const IN_MEMORY: usize = 8 * 1024 * 1024;
/// Bytes that are written again at once.
const CHUNK: usize = 4 * 1024 * 1024;
/// How long closing a file may take: data nodes report what they have in their own time.
const COMPLETE: Duration = Duration::from_secs(120);

/// Where a file goes.
#[derive(Debug, Clone)]
pub(super) struct Target {
    pub(super) store: Arc<dyn ObjectStore>,
    pub(super) met: Arc<Met>,
    pub(super) location: Path,
    pub(super) options: PutMultipartOptions,
    /// When a call counts as lost.
    pub(super) limit: Duration,
}

impl Target {
    async fn begin(&self) -> Result<Box<dyn MultipartUpload>> {
        again(&self.met, self.limit, || self.store.put_multipart_opts(&self.location, self.options.clone())).await
    }
}

enum Order {
    Part(PutPayload, oneshot::Sender<Result<()>>),
    Complete(oneshot::Sender<Result<PutResult>>),
    Abort,
}

/// An upload whose parts are kept.
#[derive(Debug)]
pub(super) struct Replayed {
    orders: mpsc::UnboundedSender<Order>,
}

impl Replayed {
    /// Begins the file.
    pub(super) async fn begin(target: Target) -> Result<Replayed> {
        let upload = target.begin().await?;
        let (orders, received) = mpsc::unbounded_channel();
        let kept = SpooledTempFile::new(IN_MEMORY);
        io::handle().spawn(Worker { target, upload, kept, since: None }.run(received));
        Ok(Replayed { orders })
    }

    fn send(&self, order: Order) {
        // Where nobody receives any more, the answer says so.
        let _ = self.orders.send(order);
    }
}

async fn answer<T>(receiver: oneshot::Receiver<Result<T>>) -> Result<T> {
    receiver.await.unwrap_or_else(|_| Err(failed("the upload has ended".into())))
}

#[async_trait]
impl MultipartUpload for Replayed {
    fn put_part(&mut self, data: PutPayload) -> UploadPart {
        let (sender, receiver) = oneshot::channel();
        self.send(Order::Part(data, sender));
        answer(receiver).boxed()
    }

    async fn complete(&mut self) -> Result<PutResult> {
        let (sender, receiver) = oneshot::channel();
        self.send(Order::Complete(sender));
        answer(receiver).await
    }

    async fn abort(&mut self) -> Result<()> {
        self.send(Order::Abort);
        Ok(())
    }
}

fn failed(source: Box<dyn std::error::Error + Send + Sync>) -> Error {
    Error::Generic { store: "HDFS", source }
}

/// The one who writes, part after part.
struct Worker {
    target: Target,
    upload: Box<dyn MultipartUpload>,
    kept: SpooledTempFile,
    /// Since when nothing succeeds.
    since: Option<Instant>,
}

impl Worker {
    async fn run(mut self, mut orders: mpsc::UnboundedReceiver<Order>) {
        let mut is_done = false;
        while let Some(order) = orders.recv().await {
            match order {
                Order::Part(part, answer) => {
                    // Who does not wait for the answer finds out when the file is completed.
                    let _ = answer.send(self.part(part).await);
                }
                Order::Complete(answer) => {
                    is_done = true;
                    let _ = answer.send(self.complete().await);
                }
                Order::Abort => break,
            }
        }
        if !is_done {
            // The file was given up: what is there of it goes.
            let _ = in_time(self.target.limit, self.upload.abort()).await;
        }
    }

    async fn part(&mut self, part: PutPayload) -> Result<()> {
        for bytes in &part {
            self.kept.write_all(bytes).map_err(|error| failed(Box::new(error)))?;
        }
        let put = in_time(self.target.limit, self.upload.put_part(part)).await;
        match put {
            Ok(()) => self.since = None,
            Err(error) => self.recover(error).await?,
        }
        Ok(())
    }

    async fn complete(&mut self) -> Result<PutResult> {
        loop {
            match in_time(COMPLETE.max(self.target.limit), self.upload.complete()).await {
                Ok(done) => return Ok(done),
                Err(error) => self.recover(error).await?,
            }
        }
    }

    /// Writes all parts again, until that succeeds or is given up.
    async fn recover(&mut self, mut error: Error) -> Result<()> {
        loop {
            let since = *self.since.get_or_insert_with(Instant::now);
            if is_final(&error) || since.elapsed() > PATIENCE {
                return Err(error);
            }
            tracing::debug!("{} is written again: {}", self.target.location, super::words(&error));
            let _ = in_time(Duration::from_secs(5), self.upload.abort()).await;
            tokio::time::sleep(Duration::from_millis(500)).await;
            match self.replay().await {
                Ok(()) => return Ok(()),
                Err(next) => error = next,
            }
        }
    }

    async fn replay(&mut self) -> Result<()> {
        self.upload = self.target.begin().await?;
        let io = |error: std::io::Error| failed(Box::new(error));
        self.kept.seek(SeekFrom::Start(0)).map_err(io)?;
        loop {
            let mut chunk = Vec::with_capacity(CHUNK);
            Read::by_ref(&mut self.kept).take(CHUNK as u64).read_to_end(&mut chunk).map_err(io)?;
            if chunk.is_empty() {
                // The next part is written behind this one.
                return Ok(());
            }
            in_time(self.target.limit, self.upload.put_part(PutPayload::from_bytes(Bytes::from(chunk)))).await?;
        }
    }
}

/// True for what writing again does not help against. The client says little about a write that failed half way.
fn is_final(error: &Error) -> bool {
    !matches!(
        Cause::of(error),
        Cause::Unreachable | Cause::Timeout | Cause::Standby | Cause::SafeMode | Cause::DataNodes | Cause::Other
    )
}
