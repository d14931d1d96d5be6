//! Writing to HDFS while data nodes are dead.
//!
//! For a while after a data node died, ten minutes with Hadoop's defaults, the name node hands it out for new blocks.
//! Hadoop's own client then asks for other nodes. hdfs-native survives a node that dies while it takes a block, but not
//! one that is dead when the block begins, and it cannot exclude a node: writing the file again helps where there are many
//! nodes, and where there are few every choice of as many nodes as there should be replicas has the dead one in it.
//!
//! So for a while after a write failed, files are written with one replica, and when such a file is whole the name node is
//! told how many there should be: it makes them. [`Steady`](super::steady::Steady) repeats what fails here; one of the
//! next attempts meets a node that lives.
//!
//! Writes have no timeouts in hdfs-native. Here a node that takes no byte for as long as a call may take has failed.

use std::fmt;
use std::future::Future;
use std::io::{Error as IoError, ErrorKind};
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use bytes::Bytes;
use futures::FutureExt;
use futures::stream::BoxStream;
use hdfs_native::file::FileWriter;
use hdfs_native::{Client, HdfsError, WriteOptions};
use hdfs_native_object_store::HdfsObjectStore;
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore, PutMode,
    PutMultipartOptions, PutOptions, PutPayload, PutResult, RenameOptions, Result, UploadPart,
};

use super::failure::Cause;
use super::steady::in_time;

/// For how long after a failure files are written with one replica.
const TROUBLE: Duration = Duration::from_secs(120);
/// What has to be on its way to the data nodes within the time of a call.
const PIECE: usize = 1 << 20;

/// A cluster whose data nodes may die.
#[derive(Clone)]
pub(super) struct Replicas {
    client: Client,
    inner: HdfsObjectStore,
    /// How long a call may take.
    call: Duration,
    trouble: Arc<Mutex<Trouble>>,
}

/// What went wrong lately.
#[derive(Default)]
struct Trouble {
    /// When a data node failed.
    last: Option<Instant>,
    /// How many replicas a file of the cluster has; known once there is a reason to ask.
    usual: Option<u32>,
}

impl Replicas {
    pub(super) fn new(client: Client, call: Duration) -> Replicas {
        Replicas { inner: HdfsObjectStore::new(client.clone()), client, call, trouble: Arc::default() }
    }

    async fn in_time<T>(&self, call: impl Future<Output = hdfs_native::Result<T>>) -> Result<T> {
        in_time(self.call, call.map(|answer| answer.map_err(of_name_node))).await
    }

    /// How many replicas there should be, if it is better to begin with one.
    fn usual_if_narrow(&self) -> Option<u32> {
        let trouble = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        let is_recent = trouble.last.is_some_and(|last| last.elapsed() < TROUBLE);
        trouble.usual.filter(|usual| is_recent && *usual > 1)
    }

    /// Takes a note that data nodes failed `file`.
    async fn note(&self, file: &Writer) {
        let known = self.trouble.lock().unwrap_or_else(PoisonError::into_inner).usual;
        let usual = match known {
            None if file.usual.is_none() => {
                self.in_time(self.client.get_file_info(&file.temporary)).await.ok().and_then(|found| found.replication)
            }
            known => known,
        };
        let mut trouble = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        (trouble.last, trouble.usual) = (Some(Instant::now()), usual);
    }
}

/// A file that is being written, under a name that nobody else has.
struct Writer {
    store: Replicas,
    temporary: String,
    file: FileWriter,
    /// How many replicas there should be, if it has one for now.
    usual: Option<u32>,
}

impl Writer {
    async fn begin(store: &Replicas, location: &Path) -> Result<Writer> {
        let path = absolute(location);
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", &path));
        let temporary = format!("{folder}/.{name}.{}.tmp", uuid::Uuid::new_v4().simple());
        let mut usual = store.usual_if_narrow();
        let options = match usual {
            Some(_) => WriteOptions::default().replication(1),
            None => WriteOptions::default(),
        };
        let file = match store.in_time(store.client.create(&temporary, &options)).await {
            // The cluster may want more than one.
            Err(error) if usual.is_some() && error.to_string().contains("replication factor") => {
                usual = None;
                store.in_time(store.client.create(&temporary, &WriteOptions::default())).await?
            }
            file => file?,
        };
        Ok(Writer { store: store.clone(), temporary, file, usual })
    }

    async fn write(&mut self, mut bytes: Bytes) -> Result<()> {
        while !bytes.is_empty() {
            let piece = bytes.split_to(bytes.len().min(PIECE));
            let sent = self.file.write(piece).map(|sent| sent.map(drop).map_err(of_data_node));
            let sent = in_time(self.store.call, sent).await;
            self.noted(sent).await?;
        }
        Ok(())
    }

    /// Ends the file, and gives it its name.
    async fn finish(&mut self, location: &Path, overwrite: bool) -> Result<PutResult> {
        let closed = in_time(self.store.call, self.file.close().map(|done| done.map_err(of_data_node))).await;
        self.noted(closed).await?;
        if let Some(usual) = self.usual {
            // The file is there; that it has few replicas is no reason to fail.
            let told = self.store.in_time(self.store.client.set_replication(&self.temporary, usual)).await;
            tracing::debug!("{location} gets {usual} replicas: {}", told.is_ok());
        }
        let path = absolute(location);
        let rename = self.store.client.rename(&self.temporary, &path, overwrite);
        self.store.in_time(rename).await?;
        Ok(PutResult { e_tag: None, version: None })
    }

    async fn noted(&self, done: Result<()>) -> Result<()> {
        if done.as_ref().is_err_and(|error| Cause::of(error).passes()) {
            self.store.note(self).await;
        }
        done
    }

    async fn remove(&self) {
        // What is left there is in nobody's way.
        let _ = self.store.in_time(self.store.client.delete(&self.temporary, false)).await;
    }
}

fn absolute(location: &Path) -> String {
    format!("/{location}")
}

/// An error of the name node.
fn of_name_node(error: HdfsError) -> Error {
    match error {
        HdfsError::FileNotFound(path) => {
            Error::NotFound { path: path.clone(), source: HdfsError::FileNotFound(path).into() }
        }
        HdfsError::AlreadyExists(path) => {
            Error::AlreadyExists { path: path.clone(), source: HdfsError::AlreadyExists(path).into() }
        }
        error => Error::Generic { store: "HDFS", source: error.into() },
    }
}

/// An error while bytes travel. What is no refusal of the name node is a connection that broke, whatever it is called.
fn of_data_node(error: HdfsError) -> Error {
    match error {
        HdfsError::DataTransferError(_) | HdfsError::OperationFailed(_) => {
            let source = IoError::new(ErrorKind::ConnectionReset, format!("connection closed: {error}"));
            Error::Generic { store: "HDFS", source: source.into() }
        }
        error => of_name_node(error),
    }
}

impl fmt::Debug for Replicas {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl fmt::Display for Replicas {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HDFS")
    }
}

#[async_trait]
impl ObjectStore for Replicas {
    async fn put_opts(&self, location: &Path, payload: PutPayload, options: PutOptions) -> Result<PutResult> {
        let overwrite = match options.mode {
            PutMode::Overwrite => true,
            PutMode::Create => false,
            PutMode::Update(_) => return self.inner.put_opts(location, payload, options).await,
        };
        let mut writer = Writer::begin(self, location).await?;
        let write = async {
            for bytes in payload {
                writer.write(bytes).await?;
            }
            writer.finish(location, overwrite).await
        };
        let done = write.await;
        if done.is_err() {
            writer.remove().await;
        }
        done
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        _options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        let writer = Arc::new(tokio::sync::Mutex::new(Writer::begin(self, location).await?));
        Ok(Box::new(Parts { writer, location: location.clone() }))
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        self.inner.get_opts(location, options).await
    }

    async fn get_ranges(&self, location: &Path, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        self.inner.get_ranges(location, ranges).await
    }

    fn delete_stream(&self, locations: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        self.inner.delete_stream(locations)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.inner.list(prefix)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.inner.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.inner.copy_opts(from, to, options).await
    }

    async fn rename_opts(&self, from: &Path, to: &Path, options: RenameOptions) -> Result<()> {
        self.inner.rename_opts(from, to, options).await
    }
}

/// An object in parts, which come one after the other.
struct Parts {
    writer: Arc<tokio::sync::Mutex<Writer>>,
    location: Path,
}

impl fmt::Debug for Parts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Parts").field("location", &self.location).finish_non_exhaustive()
    }
}

#[async_trait]
impl MultipartUpload for Parts {
    fn put_part(&mut self, data: PutPayload) -> UploadPart {
        let writer = Arc::clone(&self.writer);
        async move {
            let mut writer = writer.lock().await;
            for bytes in data {
                writer.write(bytes).await?;
            }
            Ok(())
        }
        .boxed()
    }

    async fn complete(&mut self) -> Result<PutResult> {
        self.writer.lock().await.finish(&self.location, true).await
    }

    async fn abort(&mut self) -> Result<()> {
        self.writer.lock().await.remove().await;
        Ok(())
    }
}
