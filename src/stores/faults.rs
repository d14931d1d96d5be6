//! What becomes of requests whose answers are lost: a store that does what it is asked and then says that it failed.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use futures::stream::BoxStream;
use object_store::memory::InMemory;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStoreExt, PutMode,
    PutMultipartOptions, PutOptions, PutPayload, PutResult, RenameOptions, UploadPart,
};

use super::steady::{Habits, Steady};
use super::*;

type Outcome<T> = object_store::Result<T>;

/// Loses the answers to `lost` writes, after `kept` ones.
#[derive(Debug)]
struct Lossy {
    inner: InMemory,
    kept: AtomicUsize,
    lost: AtomicUsize,
    /// Parts of uploads fail before they are written.
    parts: bool,
}

impl std::fmt::Display for Lossy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Lossy")
    }
}

impl Lossy {
    fn is_lost(&self) -> bool {
        let counts = |number: &AtomicUsize| {
            number.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok()
        };
        !counts(&self.kept) && counts(&self.lost)
    }

    fn answer<T>(&self, done: Outcome<T>) -> Outcome<T> {
        if self.is_lost() { Err(lost()) } else { done }
    }
}

fn lost() -> Error {
    Error::Generic { store: "test", source: "Connection reset by peer".into() }
}

#[async_trait]
impl ObjectStore for Lossy {
    async fn put_opts(&self, location: &Path, payload: PutPayload, options: PutOptions) -> Outcome<PutResult> {
        let done = self.inner.put_opts(location, payload, options).await;
        self.answer(done)
    }

    async fn put_multipart_opts(&self, at: &Path, options: PutMultipartOptions) -> Outcome<Box<dyn MultipartUpload>> {
        let upload = self.inner.put_multipart_opts(at, options).await?;
        let broken = self.parts && self.is_lost();
        Ok(Box::new(Upload { upload, parts: 0, broken }))
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Outcome<GetResult> {
        self.inner.get_opts(location, options).await
    }

    fn delete_stream(&self, locations: BoxStream<'static, Outcome<Path>>) -> BoxStream<'static, Outcome<Path>> {
        self.inner.delete_stream(locations)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Outcome<ObjectMeta>> {
        self.inner.list(prefix)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Outcome<ListResult> {
        self.inner.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Outcome<()> {
        self.inner.copy_opts(from, to, options).await
    }

    async fn rename_opts(&self, from: &Path, to: &Path, options: RenameOptions) -> Outcome<()> {
        let done = self.inner.rename_opts(from, to, options).await;
        self.answer(done)
    }
}

/// An upload whose third part fails, if it is a broken one.
#[derive(Debug)]
struct Upload {
    upload: Box<dyn MultipartUpload>,
    parts: usize,
    broken: bool,
}

#[async_trait]
impl MultipartUpload for Upload {
    fn put_part(&mut self, data: PutPayload) -> UploadPart {
        self.parts += 1;
        if self.broken && self.parts == 3 {
            return Box::pin(async { Err(lost()) });
        }
        self.upload.put_part(data)
    }

    async fn complete(&mut self) -> Outcome<PutResult> {
        self.upload.complete().await
    }

    async fn abort(&mut self) -> Outcome<()> {
        self.upload.abort().await
    }
}

fn steady(kept: usize, lost: usize, parts: bool, habits: Habits) -> Steady {
    let (kept, lost) = (AtomicUsize::new(kept), AtomicUsize::new(lost));
    let store = Lossy { inner: InMemory::new(), kept, lost, parts };
    Steady::new(Arc::new(store), habits, Duration::from_secs(5))
}

async fn create(store: &Steady, at: &Path, text: &'static str) -> Outcome<PutResult> {
    store.put_opts(at, PutPayload::from_static(text.as_bytes()), PutMode::Create.into()).await
}

#[tokio::test]
async fn a_commit_whose_answer_is_lost_was_made_once() {
    let at = Path::from("t/_delta_log/00000000000000000001.json");
    let hdfs = [(0, 0), (0, 1), (0, 3), (1, 1), (1, 2)].map(|(kept, lost)| (Habits::Hdfs, kept, lost));
    let cloud = [0, 1].map(|lost| (Habits::Cloud, 0, lost));
    for (habits, kept, lost) in hdfs.into_iter().chain(cloud) {
        let store = steady(kept, lost, false, habits);
        create(&store, &at, "mine").await.expect("made");
        let other = create(&store, &at, "yours").await;
        assert!(matches!(other, Err(Error::AlreadyExists { .. })), "{habits:?} {kept} {lost}: {other:?}");
        let there = store.get(&at).await.expect("there").bytes().await.expect("read");
        assert_eq!(there, "mine");
        let files: Vec<ObjectMeta> = futures::TryStreamExt::try_collect(store.list(None)).await.expect("listed");
        assert_eq!(files.len(), 1, "nothing is left beside it: {files:?}");
    }
}

#[tokio::test]
async fn a_loser_that_asks_again_does_not_take_the_winners_commit_for_its_own() {
    let at = Path::from("t/_delta_log/00000000000000000001.json");
    let store = steady(0, 0, false, Habits::Cloud);
    create(&store, &at, "winner").await.expect("made");
    assert!(matches!(create(&store, &at, "loser").await, Err(Error::AlreadyExists { .. })));
    // A lock that has the same content every time is no commit: it is taken.
    let lock = Path::from("t/lock");
    create(&store, &lock, "lock").await.expect("made");
    assert!(matches!(create(&store, &lock, "lock").await, Err(Error::AlreadyExists { .. })));
}

#[tokio::test]
async fn a_large_file_is_written_again_from_its_start() {
    let store = steady(0, 1, true, Habits::Hdfs);
    let at = Path::from("t/part-0.parquet");
    let mut upload = store.put_multipart(&at).await.expect("begun");
    let mut whole = Vec::new();
    for number in 0..5u8 {
        // More than what is kept in memory.
        let part = vec![number; 3 * 1024 * 1024 + number as usize];
        whole.extend_from_slice(&part);
        upload.put_part(part.into()).await.expect("written");
    }
    upload.complete().await.expect("completed");
    let there = store.get(&at).await.expect("there").bytes().await.expect("read");
    assert!(there == whole);
}
