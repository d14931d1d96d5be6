//! HDFS as an object store that lives through what happens to a cluster.
//!
//! hdfs-native speaks the protocol, and reads on from another replica when a data node dies. What it leaves to its
//! callers is done here:
//!
//! - **Nothing waits for ever.** It has no timeouts: a node that is frozen, or behind a broken switch, would stop a build
//!   without a word. Here every answer has `dfs.client.socket-timeout` (of the profile's options; Hadoop's 60 seconds
//!   otherwise) to arrive ([`Hdfs::within`]).
//! - **Writing goes around dead data nodes.** For a while after a node died, ten minutes with Hadoop's defaults, the name
//!   node hands it out for new blocks. Hadoop's own client then asks for other nodes; hdfs-native fails the write, and
//!   has no way to exclude a node. So the file is written again ([`upload`]).
//! - **A name node may restart, or another one may take over.** A store that has answered before is asked again for a
//!   while ([`Hdfs::ask`]). One that never answered is reported at once: its address may be wrong.
//! - **A rename whose answer was lost** is not done twice, and not taken for a conflict: the temporary file has a name that
//!   nobody else has, so if it is gone, it was renamed ([`Hdfs::place`]). Commits of Delta tables rest on that: they are
//!   renames that do not overwrite.

mod read;
mod upload;

use std::future::Future;
use std::io::ErrorKind;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use chrono::DateTime;
use futures::stream::{self, BoxStream};
use futures::{FutureExt, StreamExt};
use hdfs_native::client::FileStatus;
use hdfs_native::{Client, ClientBuilder, HdfsError};
use hdfs_native_object_store::HdfsObjectStore;
use object_store::path::Path;
use object_store::{
    CopyOptions, GetOptions, GetResult, GetResultPayload, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
    PutMode, PutMultipartOptions, PutOptions, PutPayload, PutResult, RenameOptions, RenameTargetMode, Result,
};
use tokio::runtime::Handle;

use url::Url;

use super::failure::Cause;
use super::options::Resolved;
use super::steady::{Habits, Steady};
use super::{io, store_error};
use crate::diag;
use upload::{Parts, Upload};

/// How long an answer may take, where no option says otherwise: Hadoop's default.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long a cluster that did answer may be gone: a name node that takes over, or restarts.
const OUTAGE: Duration = Duration::from_secs(60);

/// The port of a name node whose URL has none and is no name service, as Hadoop has it.
const PORT: u16 = 8020;

/// The store of a name node, a name service or a mount table.
pub(super) fn open(root: &Url, options: &Resolved) -> diag::Result<Arc<dyn ObjectStore>> {
    let build = |url: &Url| Hdfs::open(url.as_str(), options.hadoop(), io::handle()).map_err(error_of);
    let built = match build(root) {
        Err(error) if Cause::of(&error) == Cause::NameService && is_address(root) => {
            let mut url = root.clone();
            // It fails for URLs without a host alone.
            let _ = url.set_port(Some(PORT));
            build(&url)
        }
        built => built,
    };
    let store = built.map_err(|error| store_error(root.as_str(), &error))?;
    let patience = store.patience;
    Ok(Arc::new(Steady::new(Arc::new(store), Habits::Hdfs, patience)))
}

/// True for what is the name of a machine rather than of a service: one with a dot in it, or `localhost`.
fn is_address(root: &Url) -> bool {
    root.scheme() == "hdfs" && root.host_str().is_some_and(|host| host.contains('.') || host == "localhost")
}

/// A cluster, or what is mounted of several.
#[derive(Clone)]
pub(super) struct Hdfs {
    client: Client,
    inner: HdfsObjectStore,
    patience: Duration,
    /// Whether the name node ever answered.
    reached: Arc<AtomicBool>,
}

impl Hdfs {
    /// The cluster at `url`, with properties beside those of Hadoop's configuration files.
    ///
    /// # Errors
    /// If the configuration cannot be read, or names no name node.
    fn open(url: &str, properties: Vec<(String, String)>, io: Handle) -> hdfs_native::Result<Hdfs> {
        let patience = properties.iter().find(|(key, _)| key == "dfs.client.socket-timeout");
        let patience = patience.and_then(|(_, millis)| millis.parse().ok()).map_or(PATIENCE, Duration::from_millis);
        let client = ClientBuilder::new().with_url(url).with_config(properties).with_io_runtime(io).build()?;
        let inner = HdfsObjectStore::new(client.clone());
        Ok(Hdfs { client, inner, patience, reached: Arc::default() })
    }

    /// `call`, or an error if it takes too long.
    async fn within<T>(&self, call: impl Future<Output = Result<T>>) -> Result<T> {
        match tokio::time::timeout(self.patience, call).await {
            Ok(answer) => answer,
            Err(_) => Err(generic(self.too_late())),
        }
    }

    fn too_late(&self) -> HdfsError {
        let words = format!("timed out: no answer within {} s", self.patience.as_secs_f64());
        HdfsError::IOError(std::io::Error::new(ErrorKind::TimedOut, words))
    }

    /// Asks the name node, again and again while it is gone, if it has been there before.
    async fn ask<T, F: Future<Output = Result<T>>>(&self, mut call: impl FnMut() -> F) -> Result<T> {
        let mut pauses = Pauses::new();
        loop {
            let answer = self.within(call()).await;
            let gone = answer.as_ref().err().is_some_and(is_outage);
            if !gone {
                self.reached.store(true, Ordering::Relaxed);
            }
            if !gone || !self.reached.load(Ordering::Relaxed) || !pauses.pause().await {
                return answer;
            }
        }
    }

    /// The file at `path`.
    ///
    /// # Errors
    /// `NotFound` if there is none, or a folder.
    async fn status(&self, path: &str) -> Result<FileStatus> {
        let status = self.ask(|| self.client.get_file_info(path).map(|answer| answer.map_err(error_of))).await?;
        if status.isdir {
            return Err(error_of(HdfsError::FileNotFound(path.to_string())));
        }
        Ok(status)
    }

    async fn remove(&self, path: &str) -> Result<()> {
        self.ask(|| self.client.delete(path, false).map(|answer| answer.map_err(error_of))).await.map(|_| ())
    }

    /// Gives the temporary file `from` its name.
    async fn place(&self, from: &str, to: &str, overwrite: bool) -> Result<()> {
        let mut pauses = Pauses::new();
        loop {
            let answer = self.within(self.client.rename(from, to, overwrite).map(|a| a.map_err(error_of))).await;
            let Err(error) = answer else { return Ok(()) };
            match self.status(from).await {
                // The answer was lost, the rename was not.
                Err(object_store::Error::NotFound { .. }) => return Ok(()),
                Ok(_) if is_outage(&error) && pauses.pause().await => {}
                Ok(_) => {
                    // What is left of a loser is of no use to anybody; that it could not be removed is not the news.
                    let _ = self.remove(from).await;
                    return Err(error);
                }
                Err(_) => return Err(error),
            }
        }
    }
}

impl std::fmt::Debug for Hdfs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Hdfs").field("patience", &self.patience).finish_non_exhaustive()
    }
}

impl std::fmt::Display for Hdfs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("HDFS")
    }
}

#[async_trait]
impl ObjectStore for Hdfs {
    async fn put_opts(&self, location: &Path, payload: PutPayload, options: PutOptions) -> Result<PutResult> {
        let overwrite = match options.mode {
            PutMode::Create => false,
            PutMode::Overwrite => true,
            PutMode::Update(_) => {
                return Err(object_store::Error::NotImplemented {
                    operation: "put of a certain version".to_string(),
                    implementer: self.to_string(),
                });
            }
        };
        let path = absolute(location);
        // Who comes late is told so before a file is written for nothing.
        if !overwrite && self.status(&path).await.is_ok() {
            return Err(error_of(HdfsError::AlreadyExists(path)));
        }
        let mut upload = Upload::new(self.clone(), &path, usize::MAX);
        for bytes in payload {
            upload.write(bytes).await?;
        }
        upload.finish(overwrite).await?;
        Ok(PutResult { e_tag: None, version: None })
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        _options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        Ok(Box::new(Parts::new(Upload::new(self.clone(), &absolute(location), upload::KEPT))))
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        let meta = meta_of(location, &self.status(&absolute(location)).await?);
        options.check_preconditions(&meta)?;
        if options.head {
            let payload = GetResultPayload::Stream(stream::empty().boxed());
            return Ok(GetResult { payload, range: 0..0, meta, attributes: object_store::Attributes::default() });
        }
        let range = options.range.as_ref().map(|range| range.as_range(meta.size)).transpose();
        let range = range.map_err(|source| generic(source))?.unwrap_or(0..meta.size);
        let stream = read::stream(self.clone(), meta.clone(), range.clone()).await?;
        let payload = GetResultPayload::Stream(stream);
        Ok(GetResult { payload, meta, range, attributes: object_store::Attributes::default() })
    }

    fn delete_stream(&self, locations: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        let store = self.clone();
        let delete = move |location: Result<Path>| {
            let store = store.clone();
            async move {
                let location = location?;
                store.remove(&absolute(&location)).await?;
                Ok(location)
            }
        };
        locations.map(delete).buffered(10).boxed()
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        let (store, prefix) = (self.clone(), prefix.cloned());
        // The first answer tells whether the name node is there; what is listed once is not listed twice.
        let start = async move {
            let start = || async {
                let mut list = store.inner.list(prefix.as_ref());
                let first = list.next().await.transpose()?;
                Ok((first, list))
            };
            match store.ask(start).await {
                Ok((Some(first), rest)) => stream::iter([Ok(first)]).chain(rest).boxed(),
                // A stream that has ended may not be asked again.
                Ok((None, _)) => stream::empty().boxed(),
                Err(error) => stream::iter([Err(error)]).boxed(),
            }
        };
        start.flatten_stream().boxed()
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.ask(|| self.inner.list_with_delimiter(prefix)).await
    }

    async fn rename_opts(&self, from: &Path, to: &Path, options: RenameOptions) -> Result<()> {
        if let Some((folder, _)) = absolute(to).rsplit_once('/')
            && !folder.is_empty()
        {
            self.ask(|| self.client.mkdirs(folder, 0o755, true).map(|answer| answer.map_err(error_of))).await?;
        }
        let overwrite = matches!(options.target_mode, RenameTargetMode::Overwrite);
        let (from, to) = (absolute(from), absolute(to));
        self.within(self.client.rename(&from, &to, overwrite).map(|answer| answer.map_err(error_of))).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.inner.copy_opts(from, to, options).await
    }
}

/// Waits between attempts, longer each time.
struct Pauses {
    next: Duration,
    until: Instant,
}

impl Pauses {
    fn new() -> Pauses {
        Pauses { next: Duration::from_millis(50), until: Instant::now() + OUTAGE }
    }

    /// Waits; false if it has been long enough.
    async fn pause(&mut self) -> bool {
        if Instant::now() + self.next > self.until {
            return false;
        }
        tokio::time::sleep(self.next).await;
        self.next = (self.next * 2).min(Duration::from_secs(2));
        true
    }
}

/// True if a name node is not there, or not yet ready, as far as `error` tells.
fn is_outage(error: &object_store::Error) -> bool {
    match cause(error) {
        Some(HdfsError::IOError(_)) => true,
        Some(HdfsError::RPCError(class, message) | HdfsError::FatalRPCError(class, message)) => {
            // Safe mode that somebody has turned on lasts; that of a name node that starts does not.
            class.ends_with("SafeModeException") && !message.contains("turned on manually")
                || class.ends_with("StandbyException")
                || class.ends_with("RetriableException")
        }
        _ => false,
    }
}

/// hdfs-native's error in one of object_store.
fn cause(error: &object_store::Error) -> Option<&HdfsError> {
    match error {
        object_store::Error::Generic { source, .. } => source.downcast_ref(),
        _ => None,
    }
}

/// The path from the root.
fn absolute(location: &Path) -> String {
    format!("/{location}")
}

fn generic(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> object_store::Error {
    object_store::Error::Generic { store: "HDFS", source: source.into() }
}

fn error_of(error: HdfsError) -> object_store::Error {
    match error {
        HdfsError::FileNotFound(path) => {
            object_store::Error::NotFound { path: path.clone(), source: Box::new(HdfsError::FileNotFound(path)) }
        }
        HdfsError::AlreadyExists(path) => {
            object_store::Error::AlreadyExists { path: path.clone(), source: Box::new(HdfsError::AlreadyExists(path)) }
        }
        error => generic(error),
    }
}

fn meta_of(location: &Path, status: &FileStatus) -> ObjectMeta {
    ObjectMeta {
        location: location.clone(),
        last_modified: i64::try_from(status.modification_time)
            .ok()
            .and_then(DateTime::from_timestamp_millis)
            .unwrap_or_default(),
        size: status.length as u64,
        // As HdfsObjectStore makes it, whose lists are ours.
        e_tag: Some(format!("{:x}-{:x}", status.modification_time, status.length)),
        version: None,
    }
}
