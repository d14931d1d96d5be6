//! The task of one file: compresses what comes, counts it, takes its checksum, and sends it off in parts.

use bytes::Bytes;
use datafusion::datasource::file_format::file_compression_type::FileCompressionType;
use datafusion::error::DataFusionError;
use futures::StreamExt;
use object_store::{MultipartUpload, PutPayload};
use sha2::{Digest, Sha256};
use tokio::sync::mpsc;

/// Bytes of a part of an upload. Stores want all but the last one to be of the same size, of 5 MiB at least.
const PART: usize = 8 << 20;

/// Encoded rows, or the end of a file that is not to be.
pub(super) type Piece = Result<Bytes, DataFusionError>;

/// What a file's task has made.
pub(super) struct Packed {
    /// The upload, unless it is completed.
    pub(super) upload: Option<Box<dyn MultipartUpload>>,
    pub(super) bytes: u64,
    /// In hexadecimal.
    pub(super) sha256: String,
}

/// Writes what is `received` by `upload`, which is completed at the end if `complete` says so.
pub(super) async fn pack(
    mut upload: Box<dyn MultipartUpload>,
    received: mpsc::Receiver<Piece>,
    compression: FileCompressionType,
    complete: bool,
) -> Result<Packed, DataFusionError> {
    let done = send(&mut upload, received, compression, complete).await;
    match done {
        Ok((bytes, sha256)) => Ok(Packed { upload: (!complete).then_some(upload), bytes, sha256 }),
        Err(error) => {
            // The error is what matters; parts that stay are in nobody's way.
            let _ = upload.abort().await;
            Err(error)
        }
    }
}

async fn send(
    upload: &mut Box<dyn MultipartUpload>,
    received: mpsc::Receiver<Piece>,
    compression: FileCompressionType,
    complete: bool,
) -> Result<(u64, String), DataFusionError> {
    let pieces = futures::stream::unfold(received, |mut received| async move {
        let piece = received.recv().await?;
        Some((piece, received))
    });
    let mut packed = compression.convert_to_compress_stream(pieces.boxed())?;
    let (mut buffer, mut bytes, mut hash) = (Vec::with_capacity(PART), 0, Sha256::new());
    let store = |error: object_store::Error| DataFusionError::ObjectStore(Box::new(error));
    while let Some(piece) = packed.next().await {
        let piece = piece?;
        bytes += piece.len() as u64;
        hash.update(&piece);
        buffer.extend_from_slice(&piece);
        while buffer.len() >= PART {
            let rest = buffer.split_off(PART);
            let part = std::mem::replace(&mut buffer, rest);
            upload.put_part(PutPayload::from(part)).await.map_err(store)?;
        }
    }
    if !buffer.is_empty() || bytes == 0 {
        upload.put_part(PutPayload::from(buffer)).await.map_err(store)?;
    }
    if complete {
        upload.complete().await.map_err(store)?;
    }
    Ok((bytes, hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()))
}
