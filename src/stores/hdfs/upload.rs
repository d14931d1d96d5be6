//! Writing: to a temporary file, which is written again when data nodes fail, and renamed when it is whole.
//!
//! hdfs-native survives a data node that dies while it takes a block. It does not survive one that is dead when the block
//! begins, and the name node goes on naming such a node for a while. Then the file is begun again. Where few nodes are
//! left, every choice of as many nodes as there should be replicas has the dead one in it; so every other attempt asks for
//! one replica alone, and when the file is whole the name node is told how many there should be: it makes them.
//!
//! What was written has to be kept for that. An object that comes whole is in memory anyway. Of one that comes in parts
//! the beginning is kept ([`KEPT`]), which is more than the queues between here and the data node hold: by then it is
//! known whether the pipeline stands.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use futures::FutureExt;
use hdfs_native::file::FileWriter;
use hdfs_native::{HdfsError, WriteOptions};
use object_store::{MultipartUpload, PutPayload, PutResult, Result, UploadPart};
use tokio::sync::Mutex;

use super::{Hdfs, Pauses, cause, error_of, generic};

/// As much of an object in parts is kept to be written again.
pub(super) const KEPT: usize = 32 << 20;

/// What has to be on its way to the data nodes within one wait.
const PIECE: usize = 1 << 20;

/// A file that is being written.
pub(super) struct Upload {
    store: Hdfs,
    path: String,
    temporary: String,
    writer: Option<FileWriter>,
    /// What was written so far; `None` when that has become too much.
    kept: Option<Vec<Bytes>>,
    limit: usize,
    attempts: usize,
    /// How many replicas there should be, if fewer were asked for.
    replicas: Option<u32>,
}

impl Upload {
    /// A file for `path`, of which `limit` bytes may be kept in memory. Nothing happens before the first write.
    pub(super) fn new(store: Hdfs, path: &str, limit: usize) -> Upload {
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        // The dot hides it from whoever lists the folder for data.
        let temporary = format!("{folder}/.{name}.{}.tmp", uuid::Uuid::new_v4().simple());
        let path = path.to_string();
        Upload { store, path, temporary, writer: None, kept: Some(Vec::new()), limit, attempts: 0, replicas: None }
    }

    /// Appends `bytes`.
    pub(super) async fn write(&mut self, bytes: Bytes) -> Result<()> {
        if let Some(kept) = &mut self.kept {
            kept.push(bytes.clone());
        }
        let written = match self.begin().await {
            Ok(()) => self.send(bytes).await,
            Err(error) => Err(error),
        };
        if let Err(error) = written {
            self.again(error, false).await?;
        }
        if self.kept.as_ref().is_some_and(|kept| kept.iter().map(Bytes::len).sum::<usize>() > self.limit) {
            self.kept = None;
        }
        Ok(())
    }

    /// Completes the file and gives it its name.
    pub(super) async fn finish(&mut self, overwrite: bool) -> Result<()> {
        let closed = match self.begin().await {
            Ok(()) => self.close().await,
            Err(error) => Err(error),
        };
        if let Err(error) = closed {
            self.again(error, true).await?;
        }
        if let Some(replicas) = self.replicas.take() {
            let restore = || self.store.client.set_replication(&self.temporary, replicas);
            // The file is there; one replica less is no reason to fail.
            let _ = self.store.ask(|| restore().map(|answer| answer.map_err(error_of))).await;
        }
        self.store.place(&self.temporary, &self.path, overwrite).await
    }

    /// Removes what was written.
    pub(super) async fn abandon(&mut self) -> Result<()> {
        if self.writer.take().is_some() { self.store.remove(&self.temporary).await } else { Ok(()) }
    }

    /// Makes the temporary file, if there is none.
    async fn begin(&mut self) -> Result<()> {
        if self.writer.is_some() {
            return Ok(());
        }
        let mut options = WriteOptions::default().overwrite(true);
        if self.replicas.is_some() && self.attempts.is_multiple_of(2) {
            options = options.replication(1);
        }
        let store = &self.store;
        let create = || store.client.create(&self.temporary, &options).map(|answer| answer.map_err(error_of));
        self.writer = Some(store.ask(create).await?);
        Ok(())
    }

    async fn send(&mut self, mut bytes: Bytes) -> Result<()> {
        let Some(writer) = &mut self.writer else { return Ok(()) };
        // In pieces, so that what may take its time is not the whole.
        while !bytes.is_empty() {
            let piece = bytes.split_to(bytes.len().min(PIECE));
            self.store.within(writer.write(piece).map(|answer| answer.map(|_| ()).map_err(error_of))).await?;
        }
        Ok(())
    }

    async fn close(&mut self) -> Result<()> {
        let Some(writer) = &mut self.writer else { return Ok(()) };
        self.store.within(writer.close().map(|answer| answer.map_err(error_of))).await
    }

    /// Writes everything again because of `error`, and closes the file if it is whole.
    async fn again(&mut self, mut error: object_store::Error, whole: bool) -> Result<()> {
        let mut pauses = Pauses::new();
        while is_passing(&error) && self.kept.is_some() && pauses.pause().await {
            self.attempts += 1;
            self.give_up().await;
            match self.replay(whole).await {
                Ok(()) => return Ok(()),
                Err(next) => error = next,
            }
        }
        // What is left of it is of no use to anybody; that it could not be removed is not the news.
        let _ = self.abandon().await;
        Err(error)
    }

    /// Ends an attempt; after the second one it is known how many replicas there should have been.
    async fn give_up(&mut self) {
        self.writer = None;
        if self.attempts > 1 && self.replicas.is_none() {
            self.replicas = self.store.status(&self.temporary).await.ok().and_then(|status| status.replication);
        }
        // The next attempt overwrites the file if it is still there.
        let _ = self.store.remove(&self.temporary).await;
    }

    async fn replay(&mut self, whole: bool) -> Result<()> {
        self.begin().await?;
        for bytes in self.kept.clone().unwrap_or_default() {
            self.send(bytes).await?;
        }
        if whole { self.close().await } else { Ok(()) }
    }
}

/// True for errors that another attempt may not meet: those of data nodes, and of a name node that finds none.
fn is_passing(error: &object_store::Error) -> bool {
    match cause(error) {
        Some(HdfsError::IOError(_) | HdfsError::DataTransferError(_) | HdfsError::OperationFailed(_)) => true,
        Some(HdfsError::RPCError(_, message)) => {
            message.contains("could only be written to") || message.contains("Requested replication factor")
        }
        _ => super::is_outage(error),
    }
}

/// The turn after a part that could not be written: nobody's.
const FAILED: usize = usize::MAX;

/// An object in parts. They are written one after the other, in the order in which they were given.
pub(super) struct Parts {
    upload: Arc<Mutex<Upload>>,
    /// Of the next part, and of the one whose turn it is.
    next: usize,
    turn: tokio::sync::watch::Sender<usize>,
}

impl Parts {
    pub(super) fn new(upload: Upload) -> Parts {
        Parts { upload: Arc::new(Mutex::new(upload)), next: 0, turn: tokio::sync::watch::Sender::new(0) }
    }
}

impl std::fmt::Debug for Parts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Parts").field("parts", &self.next).finish_non_exhaustive()
    }
}

#[async_trait]
impl MultipartUpload for Parts {
    fn put_part(&mut self, data: PutPayload) -> UploadPart {
        let (upload, turn, mine) = (Arc::clone(&self.upload), self.turn.clone(), self.next);
        self.next += 1;
        async move {
            turn.subscribe().wait_for(|turn| *turn >= mine).await.map_err(generic)?;
            if *turn.borrow() == FAILED {
                return Err(generic("an earlier part could not be written"));
            }
            let mut upload = upload.lock().await;
            for bytes in data {
                if let Err(error) = upload.write(bytes).await {
                    turn.send_replace(FAILED);
                    return Err(error);
                }
            }
            turn.send_replace(mine + 1);
            Ok(())
        }
        .boxed()
    }

    async fn complete(&mut self) -> Result<PutResult> {
        if *self.turn.borrow() != self.next {
            return Err(generic("not all parts were written"));
        }
        self.upload.lock().await.finish(true).await?;
        Ok(PutResult { e_tag: None, version: None })
    }

    async fn abort(&mut self) -> Result<()> {
        self.upload.lock().await.abandon().await
    }
}
