//! A store that keeps its temper: what fails for a moment is tried again, what never answers fails, and a file that must
//! be new is made exactly once.
//!
//! object_store repeats requests over HTTP by itself. hdfs-native knows neither waiting nor giving up, so that is done
//! here: a name node that restarts, changes its role or leaves its safe mode is waited for (`PATIENCE`), unless it has
//! never answered at all, which is more likely a mistake in the URL.
//!
//! Delta commits by making a file that must not exist yet. When the answer to that request is lost, the question is
//! whether the file that is there now is ours. Who guesses wrong loses a commit or makes it twice. So:
//!
//! - on HDFS the content goes to a file with a name of its own, which is then renamed. If that file is gone, the rename
//!   happened; if it is there, it did not.
//! - elsewhere the file is read back. A commit holds ids that are random, so the same bytes are our bytes.

use std::fmt;
use std::future::Future;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::{self, BoxStream, StreamExt, TryStreamExt};
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetRange, GetResult, GetResultPayload, ListResult, MultipartUpload, ObjectMeta,
    ObjectStore, ObjectStoreExt, PutMode, PutMultipartOptions, PutOptions, PutPayload, PutResult, RenameOptions,
    RenameTargetMode, Result,
};

use super::failure::Cause;
use super::replay::{Replayed, Target};

/// How long a server that has answered before is waited for.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);
/// How long one that has not is.
const FIRST_PATIENCE: Duration = Duration::from_secs(4);
/// When one call, or the next bytes of a file, count as lost.
pub(super) const CALL: Duration = Duration::from_secs(60);
/// How often is tried at least what a server that has answered before does not answer in time.
const TRIES: usize = 4;
/// Bytes a second that a file is written with at least.
const SLOWEST: usize = 1024 * 1024;
/// When a long list counts as lost.
const LIST: Duration = Duration::from_secs(300);
/// Deletes at once.
const DELETES: usize = 10;

/// Whose habits the store has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Habits {
    /// HDFS: nothing is repeated, files can be renamed.
    Hdfs,
    /// HTTP: requests are repeated by the client.
    Cloud,
}

/// A store that tries again.
pub(super) struct Steady {
    inner: Arc<dyn ObjectStore>,
    habits: Habits,
    /// When one call counts as lost.
    call: Duration,
    met: Arc<Met>,
}

/// Whether a server has answered before.
#[derive(Debug, Default)]
pub(super) struct Met(AtomicU8);

impl Met {
    /// How long the server is waited for.
    fn patience(&self) -> Duration {
        match self.0.load(Ordering::Relaxed) {
            0 => FIRST_PATIENCE,
            1 => PATIENCE,
            _ => Duration::ZERO,
        }
    }

    /// It has answered.
    fn answered(&self) {
        self.0.store(1, Ordering::Relaxed);
    }

    /// It was waited for in vain. One that never answered is not waited for again.
    fn gave_up(&self) {
        // That it has answered stays true.
        let _ = self.0.compare_exchange(0, 2, Ordering::Relaxed, Ordering::Relaxed);
    }
}

impl Steady {
    pub(super) fn new(inner: Arc<dyn ObjectStore>, habits: Habits, call: Duration) -> Steady {
        Steady { inner, habits, call, met: Arc::default() }
    }

    /// Repeats `call` while it fails with what may pass.
    async fn again<T, F: Future<Output = Result<T>>>(&self, limit: Duration, call: impl Fn() -> F) -> Result<T> {
        again(&self.met, limit, call).await
    }

    /// How long a file may take.
    fn put_limit(&self, payload: &PutPayload) -> Duration {
        self.call + Duration::from_secs((payload.content_length() / SLOWEST) as u64)
    }

    /// Makes a file that must not exist yet, on HDFS.
    async fn create_by_rename(&self, location: &Path, payload: PutPayload) -> Result<PutResult> {
        if self.exists(location).await? {
            return Err(taken(location));
        }
        let own = own_name(location);
        let put = || self.inner.put_opts(&own, payload.clone(), PutMode::Overwrite.into());
        let written = self.again(self.put_limit(&payload), put).await;
        let renamed = match written {
            Ok(_) => self.rename_new(&own, location).await,
            Err(error) => Err(error),
        };
        match renamed {
            Ok(()) => Ok(PutResult { e_tag: None, version: None }),
            Err(error) => {
                // What is left there is in nobody's way.
                let _ = self.inner.delete(&own).await;
                Err(error)
            }
        }
    }

    /// Renames `from`, which nobody else knows, to `to`, which must be free.
    async fn rename_new(&self, from: &Path, to: &Path) -> Result<()> {
        let options = RenameOptions { target_mode: RenameTargetMode::Create, ..Default::default() };
        let start = Instant::now();
        let mut wait = Wait::default();
        loop {
            let renamed = in_time(self.call, self.inner.rename_opts(from, to, options.clone())).await;
            let Err(error) = renamed else { return Ok(()) };
            // The answer may be that of a second request, after the first one had done it.
            if !self.exists(from).await? {
                return Ok(());
            }
            if matches!(error, Error::AlreadyExists { .. }) || !Cause::of(&error).passes() || start.elapsed() > PATIENCE
            {
                return Err(error);
            }
            wait.next().await;
        }
    }

    async fn exists(&self, location: &Path) -> Result<bool> {
        match self.again(self.call, || self.inner.head(location)).await {
            Ok(_) => Ok(true),
            Err(Error::NotFound { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Makes a commit where the client may have repeated the request, or lost its answer.
    async fn create_and_look(&self, location: &Path, payload: PutPayload, options: PutOptions) -> Result<PutResult> {
        let error = match self.inner.put_opts(location, payload.clone(), options).await {
            Err(error) if matches!(error, Error::AlreadyExists { .. }) || Cause::of(&error).passes() => error,
            done => return done,
        };
        let there = match self.inner.get(location).await {
            Ok(found) => found.bytes().await.ok(),
            Err(_) => None,
        };
        if there.is_some_and(|there| there == Bytes::from(payload)) {
            return Ok(PutResult { e_tag: None, version: None });
        }
        Err(error)
    }
}

/// A name beside `location` that nobody else has, and that readers of tables pass over.
fn own_name(location: &Path) -> Path {
    let name = format!(".{}.{}.new", location.filename().unwrap_or_default(), uuid::Uuid::new_v4().simple());
    let mut parts: Vec<String> = location.parts().map(|part| part.as_ref().to_string()).collect();
    parts.pop();
    parts.push(name);
    Path::from_iter(parts)
}

fn taken(location: &Path) -> Error {
    Error::AlreadyExists { path: location.to_string(), source: "the file exists".into() }
}

/// True for what Delta commits with.
fn is_commit(location: &Path) -> bool {
    location.parts().rev().nth(1).is_some_and(|folder| folder.as_ref() == "_delta_log")
}

/// Pauses that grow.
struct Wait(Duration);

impl Default for Wait {
    fn default() -> Wait {
        Wait(Duration::from_millis(100))
    }
}

impl Wait {
    async fn next(&mut self) {
        tokio::time::sleep(self.0).await;
        self.0 = (self.0 * 2).min(Duration::from_secs(5));
    }
}

pub(super) async fn in_time<T>(limit: Duration, call: impl Future<Output = Result<T>>) -> Result<T> {
    let late = || Error::Generic { store: "HDFS", source: format!("timed out after {} s", limit.as_secs()).into() };
    tokio::time::timeout(limit, call).await.unwrap_or_else(|_| Err(late()))
}

pub(super) async fn again<T, F: Future<Output = Result<T>>>(
    met: &Met,
    limit: Duration,
    call: impl Fn() -> F,
) -> Result<T> {
    let start = Instant::now();
    let mut wait = Wait::default();
    let mut tries = 0;
    loop {
        tries += 1;
        let done = in_time(limit, call()).await;
        let passes = done.as_ref().is_err_and(|error| Cause::of(error).passes());
        if !passes {
            met.answered();
            return done;
        }
        let patience = met.patience();
        if start.elapsed() >= patience && (tries >= TRIES || patience < PATIENCE) {
            met.gave_up();
            return done;
        }
        tracing::debug!("tried again: {}", done.as_ref().err().map(|error| super::words(error)).unwrap_or_default());
        wait.next().await;
    }
}

/// Logs of libraries print stores. Those of clouds hold their credentials.
impl fmt::Debug for Steady {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.inner)
    }
}

impl fmt::Display for Steady {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

#[async_trait]
impl ObjectStore for Steady {
    async fn put_opts(&self, location: &Path, payload: PutPayload, options: PutOptions) -> Result<PutResult> {
        match (&options.mode, self.habits) {
            (PutMode::Create, Habits::Hdfs) => self.create_by_rename(location, payload).await,
            (PutMode::Create, Habits::Cloud) if is_commit(location) => {
                self.create_and_look(location, payload, options).await
            }
            (PutMode::Overwrite, Habits::Hdfs) => {
                let put = || self.inner.put_opts(location, payload.clone(), options.clone());
                self.again(self.put_limit(&payload), put).await
            }
            _ => self.inner.put_opts(location, payload, options).await,
        }
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        match self.habits {
            Habits::Hdfs => {
                let target = Target {
                    store: Arc::clone(&self.inner),
                    met: Arc::clone(&self.met),
                    location: location.clone(),
                    options,
                    limit: self.call,
                };
                Ok(Box::new(Replayed::begin(target).await?))
            }
            Habits::Cloud => self.inner.put_multipart_opts(location, options).await,
        }
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        if self.habits == Habits::Cloud {
            return self.inner.get_opts(location, options).await;
        }
        let mut result = self.again(self.call, || self.inner.get_opts(location, options.clone())).await?;
        if let GetResultPayload::Stream(first) = result.payload {
            let rest = Rest {
                store: Arc::clone(&self.inner),
                met: Arc::clone(&self.met),
                location: location.clone(),
                left: result.range.clone(),
                call: self.call,
                stream: Some(first),
                since: None,
            };
            result.payload = GetResultPayload::Stream(rest.into_stream());
        }
        Ok(result)
    }

    async fn get_ranges(&self, location: &Path, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        match self.habits {
            Habits::Cloud => self.inner.get_ranges(location, ranges).await,
            Habits::Hdfs => {
                let get = |range: Range<u64>| self.get_range(location, range);
                object_store::coalesce_ranges(ranges, get, object_store::OBJECT_STORE_COALESCE_DEFAULT).await
            }
        }
    }

    fn delete_stream(&self, locations: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        if self.habits == Habits::Cloud {
            return self.inner.delete_stream(locations);
        }
        let (store, met, call) = (Arc::clone(&self.inner), Arc::clone(&self.met), self.call);
        let delete = move |location: Result<Path>| {
            let (store, met) = (Arc::clone(&store), Arc::clone(&met));
            async move {
                let location = location?;
                again(&met, call, || store.delete(&location)).await?;
                Ok(location)
            }
        };
        locations.map(delete).buffered(DELETES).boxed()
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        if self.habits == Habits::Cloud {
            return self.inner.list(prefix);
        }
        let (store, met, prefix) = (Arc::clone(&self.inner), Arc::clone(&self.met), prefix.cloned());
        let all = async move {
            let files = again(&met, LIST, || store.list(prefix.as_ref()).try_collect::<Vec<_>>()).await?;
            Ok::<_, Error>(stream::iter(files.into_iter().map(Ok)))
        };
        stream::once(all).try_flatten().boxed()
    }

    fn list_with_offset(&self, prefix: Option<&Path>, offset: &Path) -> BoxStream<'static, Result<ObjectMeta>> {
        if self.habits == Habits::Cloud {
            return self.inner.list_with_offset(prefix, offset);
        }
        let offset = offset.clone();
        self.list(prefix).try_filter(move |file| futures::future::ready(file.location > offset)).boxed()
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        match self.habits {
            Habits::Cloud => self.inner.list_with_delimiter(prefix).await,
            Habits::Hdfs => self.again(self.call, || self.inner.list_with_delimiter(prefix)).await,
        }
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.inner.copy_opts(from, to, options).await
    }

    async fn rename_opts(&self, from: &Path, to: &Path, options: RenameOptions) -> Result<()> {
        match (options.target_mode, self.habits) {
            (RenameTargetMode::Create, Habits::Hdfs) => self.rename_new(from, to).await,
            _ => self.inner.rename_opts(from, to, options).await,
        }
    }
}

/// What is left to read of a file of HDFS. A stream that fails or stalls goes on from where it was.
struct Rest {
    store: Arc<dyn ObjectStore>,
    met: Arc<Met>,
    location: Path,
    left: Range<u64>,
    /// When the next bytes count as lost.
    call: Duration,
    stream: Option<BoxStream<'static, Result<Bytes>>>,
    /// Since when nothing has come.
    since: Option<Instant>,
}

impl Rest {
    fn into_stream(self) -> BoxStream<'static, Result<Bytes>> {
        stream::try_unfold(self, |mut rest| async move {
            let chunk = rest.next().await?;
            Ok(chunk.map(|chunk| (chunk, rest)))
        })
        .boxed()
    }

    async fn next(&mut self) -> Result<Option<Bytes>> {
        while self.left.start < self.left.end {
            let mut stream = match self.stream.take() {
                Some(stream) => stream,
                None => self.open().await?,
            };
            let error = match in_time(self.call, async { stream.next().await.transpose() }).await {
                Ok(Some(chunk)) => {
                    self.since = None;
                    self.left.start += chunk.len() as u64;
                    self.stream = Some(stream);
                    return Ok(Some(chunk));
                }
                Ok(None) => Error::Generic { store: "HDFS", source: "the file ends early: connection closed".into() },
                Err(error) => error,
            };
            let since = *self.since.get_or_insert_with(Instant::now);
            if !Cause::of(&error).passes() || since.elapsed() > PATIENCE {
                return Err(error);
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        Ok(None)
    }

    fn open(&self) -> impl Future<Output = Result<BoxStream<'static, Result<Bytes>>>> + Send + use<> {
        let (store, met, call) = (Arc::clone(&self.store), Arc::clone(&self.met), self.call);
        let location = self.location.clone();
        let options = GetOptions { range: Some(GetRange::Bounded(self.left.clone())), ..Default::default() };
        async move {
            let result = again(&met, call, || store.get_opts(&location, options.clone())).await?;
            Ok(result.into_stream())
        }
    }
}
