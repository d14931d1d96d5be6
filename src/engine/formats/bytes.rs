//! The bytes of a file, chunk by chunk, decompressed on the way.
//!
//! Files on local disks are read directly, a megabyte at a time; of those elsewhere, the next bytes are on their way while
//! these are looked at. Compression is told by the file's extension.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use datafusion::datasource::file_format::file_compression_type::FileCompressionType;
use datafusion::error::DataFusionError;
use futures::StreamExt;
use futures::stream::BoxStream;
use object_store::path::Path;
use object_store::{GetOptions, GetRange, GetResultPayload, ObjectMeta, ObjectStore};

use crate::diag;

use super::errors::{unreadable, unreadable_df};
use super::rejects::ScanStats;
use super::spec::Encoding;

/// How much is read at once from a local file.
const CHUNK: usize = 1024 * 1024;

/// A file's bytes from some offset on.
pub(super) struct ByteSource {
    label: String,
    input: Input,
    encoding: Encoding,
}

enum Input {
    Reader(Box<dyn Read + Send>),
    Stream(BoxStream<'static, Result<Bytes, DataFusionError>>),
}

impl ByteSource {
    /// Opens `meta`, whose name in messages is `label`, at the start of `part`; compressed files only at 0. Reading may go
    /// on behind the end of `part`.
    pub(super) async fn open(
        store: &Arc<dyn ObjectStore>,
        meta: &ObjectMeta,
        label: &str,
        part: Range<u64>,
        stats: Arc<ScanStats>,
    ) -> diag::Result<ByteSource> {
        let input = match is_local(label) {
            true => local(store.as_ref(), meta, label, part.start, stats).await?,
            false => remote(store, meta, label, part, stats)?,
        };
        Ok(ByteSource { label: label.to_string(), input, encoding: Encoding::Utf8 })
    }

    /// The same, with bytes turned from `encoding` to UTF-8.
    pub(super) fn decoding(mut self, encoding: Encoding) -> ByteSource {
        self.encoding = encoding;
        self
    }

    /// Appends some bytes to `buffer`; false at the end of the file.
    pub(super) async fn fill(&mut self, buffer: &mut Vec<u8>) -> diag::Result<bool> {
        let start = buffer.len();
        match &mut self.input {
            Input::Reader(reader) => {
                buffer.resize(start + CHUNK, 0);
                let read = read_some(reader.as_mut(), &mut buffer[start..]);
                buffer.truncate(start + *read.as_ref().unwrap_or(&0));
                if read.map_err(|error| unreadable(&self.label, &error))? == 0 {
                    return Ok(false);
                }
            }
            Input::Stream(stream) => match stream.next().await {
                None => return Ok(false),
                Some(chunk) => {
                    buffer.extend_from_slice(&chunk.map_err(|error| unreadable_df(&self.label, &error))?);
                }
            },
        }
        if self.encoding == Encoding::Latin1 {
            let decoded: String = buffer[start..].iter().map(|byte| *byte as char).collect();
            buffer.truncate(start);
            buffer.extend_from_slice(decoded.as_bytes());
        }
        Ok(true)
    }
}

/// Labels of files are paths or URLs.
fn is_local(label: &str) -> bool {
    !label.contains("://")
}

async fn local(
    store: &dyn ObjectStore,
    meta: &ObjectMeta,
    label: &str,
    from: u64,
    stats: Arc<ScanStats>,
) -> diag::Result<Input> {
    let range = (from > 0).then_some(GetRange::Offset(from));
    let result = store.get_opts(&meta.location, GetOptions { range, ..Default::default() }).await;
    match result.map_err(|error| unreadable(label, &error))?.payload {
        GetResultPayload::File(mut file, _) => {
            let size = file.metadata().map_err(|error| unreadable(label, &error))?.len();
            if size < meta.size {
                return Err(unreadable(label, &shrunk(meta.size, size)));
            }
            file.seek(SeekFrom::Start(from)).map_err(|error| unreadable(label, &error))?;
            let reader = compression(&meta.location).convert_read(Counted { file, size, at: from, stats });
            Ok(Input::Reader(reader.map_err(|error| unreadable_df(label, &error))?))
        }
        GetResultPayload::Stream(chunks) => streamed(chunks, meta, label, stats),
    }
}

fn remote(
    store: &Arc<dyn ObjectStore>,
    meta: &ObjectMeta,
    label: &str,
    part: Range<u64>,
    stats: Arc<ScanStats>,
) -> diag::Result<Input> {
    streamed(crate::stores::chunks(store, &meta.location, part, meta.size), meta, label, stats)
}

fn streamed(
    chunks: BoxStream<'static, object_store::Result<Bytes>>,
    meta: &ObjectMeta,
    label: &str,
    stats: Arc<ScanStats>,
) -> diag::Result<Input> {
    let counted = chunks.map(move |chunk| {
        let chunk = chunk.map_err(DataFusionError::from)?;
        stats.add_bytes(chunk.len());
        Ok(chunk)
    });
    let stream = compression(&meta.location).convert_stream(counted.boxed());
    Ok(Input::Stream(stream.map_err(|error| unreadable_df(label, &error))?))
}

/// Reads until `buffer` is full or the input ends.
fn read_some(reader: &mut dyn Read, buffer: &mut [u8]) -> std::io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match reader.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

/// A file that counts what is read of it, and does not end before it should: a file that somebody cuts or writes anew while it
/// is read would look like one with fewer records.
struct Counted {
    file: File,
    /// Its size when it was opened.
    size: u64,
    at: u64,
    stats: Arc<ScanStats>,
}

fn shrunk(before: u64, now: u64) -> std::io::Error {
    std::io::Error::other(format!("it was changed while it was read: it had {before} bytes and has {now}"))
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.file.read(buffer)?;
        self.stats.add_bytes(read);
        self.at += read as u64;
        if read == 0 && !buffer.is_empty() && self.at < self.size {
            return Err(shrunk(self.size, self.at));
        }
        Ok(read)
    }
}

/// How a file is compressed, by its extension.
pub(super) fn compression(path: &Path) -> FileCompressionType {
    match path.extension().map(str::to_ascii_lowercase).as_deref() {
        Some("gz" | "gzip") => FileCompressionType::GZIP,
        Some("zst" | "zstd") => FileCompressionType::ZSTD,
        Some("bz2" | "bzip2") => FileCompressionType::BZIP2,
        Some("xz") => FileCompressionType::XZ,
        _ => FileCompressionType::UNCOMPRESSED,
    }
}
