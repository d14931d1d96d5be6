//! Reading: a stream that goes on where it broke.

use std::ops::Range;

use bytes::Bytes;
use futures::stream::{self, BoxStream, StreamExt};
use hdfs_native::HdfsError;
use object_store::{ObjectMeta, Result};

use super::{Hdfs, absolute, error_of, generic};

/// How often in a row a stream may break without giving anything.
const BREAKS: usize = 5;

type Chunks = BoxStream<'static, Result<Bytes>>;

/// What is left of a read.
struct Reading {
    store: Hdfs,
    meta: ObjectMeta,
    range: Range<u64>,
    chunks: Option<Chunks>,
    breaks: usize,
}

/// The bytes of `range` of a file that is as `meta` says.
///
/// # Errors
/// If the file is gone, or another one by now.
pub(super) async fn stream(store: Hdfs, meta: ObjectMeta, range: Range<u64>) -> Result<Chunks> {
    let chunks = Some(open(&store, &meta, &range).await?);
    let reading = Reading { store, meta, range, chunks, breaks: 0 };
    let next = |mut reading: Reading| async move { reading.next().await.transpose().map(|chunk| (chunk, reading)) };
    Ok(stream::unfold(reading, next).boxed())
}

/// Asks where the blocks are. The data nodes are asked when the first bytes are.
async fn open(store: &Hdfs, meta: &ObjectMeta, range: &Range<u64>) -> Result<Chunks> {
    let path = absolute(&meta.location);
    let reader = store.ask(|| async { store.client.read(&path).await.map_err(error_of) }).await?;
    // hdfs-native panics if it is asked for more than there is.
    if reader.file_length() as u64 != meta.size {
        let words = format!("{path} was replaced while it was read: it had {} bytes", meta.size);
        return Err(object_store::Error::Precondition { path, source: words.into() });
    }
    let (start, length) = (in_memory(range.start)?, in_memory(range.end - range.start)?);
    Ok(reader.read_range_stream(start, length).map(|chunk| chunk.map_err(error_of)).boxed())
}

fn in_memory(number: u64) -> Result<usize> {
    usize::try_from(number).map_err(generic)
}

impl Reading {
    async fn next(&mut self) -> Result<Option<Bytes>> {
        while !self.range.is_empty() {
            let error = match self.attempt().await {
                Ok(bytes) => {
                    self.range.start += bytes.len() as u64;
                    self.breaks = 0;
                    return Ok(Some(bytes));
                }
                Err(error) => error,
            };
            self.chunks = None;
            self.breaks += 1;
            // A later attempt learns anew where the replicas are, and by which to begin.
            if self.breaks > BREAKS || !is_transfer(&error) {
                return Err(error);
            }
        }
        Ok(None)
    }

    async fn attempt(&mut self) -> Result<Bytes> {
        let chunks = match &mut self.chunks {
            Some(chunks) => chunks,
            None => self.chunks.insert(open(&self.store, &self.meta, &self.range).await?),
        };
        let next = async {
            let ended = || error_of(HdfsError::DataTransferError("the file ended too early".to_string()));
            chunks.next().await.unwrap_or_else(|| Err(ended()))
        };
        self.store.within(next).await
    }
}

/// True for errors on the way from a data node.
fn is_transfer(error: &object_store::Error) -> bool {
    use HdfsError::{ChecksumError, DataTransferError, IOError, InvalidRPCResponse};
    matches!(super::cause(error), Some(ChecksumError | DataTransferError(_) | IOError(_) | InvalidRPCResponse(_)))
}
