//! The folder of a table in its store, and the few things that are done there.

use std::fs::{File, TryLockError};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt, stream};
use object_store::path::Path;
use object_store::{Error, MultipartUpload, ObjectMeta, ObjectStore, ObjectStoreExt, PutMode};

use super::super::fields::CONFIG;
use super::super::place::Place;
use super::super::statement::name_parts;
use super::super::{OnProgress, Progress};
use super::config::FilesConfig;
use crate::diag::{Diagnostic, Result, codes};
use crate::stores::{explain, probe};

/// Where manifests and files in the making are. Readers pass over names that start so.
pub(super) const HIDDEN: &str = "_c360";

/// Requests at once.
const AT_ONCE: usize = 16;

/// A table's folder.
#[derive(Debug, Clone)]
pub(super) struct Folder {
    store: Arc<dyn ObjectStore>,
    base: Path,
    /// The same on the local disk.
    pub(super) local: Option<PathBuf>,
    /// True if files can be renamed at no cost.
    pub(super) renames: bool,
    place: Place,
}

impl Folder {
    /// The folder of the table that `place` names, or of the destination if it names none.
    pub(super) fn open(config: &FilesConfig, place: &Place) -> Result<Folder> {
        let (store, base) = crate::stores::open(&config.path, &config.stores)?;
        let names = if place.table.is_empty() { Vec::new() } else { names(place)? };
        let base = match names.is_empty() {
            true => base,
            // Not by parts, which would spell what is not ASCII by percents.
            false => Path::parse(format!("{base}/{}", names.join("/"))).map_err(|error| bad_name(place, &error))?,
        };
        let scheme = config.path.split_once("://").map(|(scheme, _)| scheme.to_lowercase());
        let local = matches!(scheme.as_deref(), None | Some("file"));
        Ok(Folder {
            renames: local || matches!(scheme.as_deref(), Some("hdfs" | "viewfs")),
            local: local.then(|| PathBuf::from("/").join(base.as_ref())),
            store,
            base,
            place: place.clone(),
        })
    }

    /// A path below it. The parts are names that a store takes as they are.
    fn path(&self, below: &str) -> Path {
        let whole = format!("{}/{below}", self.base);
        Path::parse(&whole).unwrap_or_else(|_| Path::from(whole))
    }

    /// A failure of the store.
    pub(super) fn failed(&self, what: &str, error: &(dyn std::error::Error + 'static)) -> Box<Diagnostic> {
        explain(self.place.failed(codes::PUBLISH_FAILED, what), error)
    }

    /// The bytes of a file; none if it is not there.
    pub(super) async fn get(&self, below: &str) -> Result<Option<Bytes>> {
        let failed = |error: Error| self.failed(&format!("`{below}` cannot be read"), &error);
        match self.store.get(&self.path(below)).await {
            Ok(found) => found.bytes().await.map(Some).map_err(failed),
            Err(Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(failed(error)),
        }
    }

    /// Writes a file whole, over what is there.
    pub(super) async fn put(&self, below: &str, bytes: Vec<u8>) -> Result<()> {
        let done = self.store.put(&self.path(below), bytes.into()).await;
        done.map(drop).map_err(|error| self.failed(&format!("`{below}` cannot be written"), &error))
    }

    /// Writes a file that must not be there yet; false if somebody else was faster.
    pub(super) async fn create(&self, below: &str, bytes: Vec<u8>) -> Result<bool> {
        let ours = Bytes::from(bytes);
        let done = self.store.put_opts(&self.path(below), ours.clone().into(), PutMode::Create.into()).await;
        match done {
            Ok(_) => Ok(true),
            // A request that is repeated because its answer was lost finds its own file.
            Err(Error::AlreadyExists { .. } | Error::Precondition { .. }) => {
                Ok(self.get(below).await?.is_some_and(|there| there == ours))
            }
            Err(error) => Err(self.failed(&format!("`{below}` cannot be written"), &error)),
        }
    }

    /// The files below a folder, by their paths from the table's folder.
    pub(super) async fn list(&self, below: &str) -> Result<Vec<(String, ObjectMeta)>> {
        let prefix = if below.is_empty() { self.base.clone() } else { self.path(below) };
        let found: std::result::Result<Vec<ObjectMeta>, Error> = self.store.list(Some(&prefix)).try_collect().await;
        let found = match found {
            Ok(found) => found,
            Err(Error::NotFound { .. }) => Vec::new(),
            Err(error) => return Err(self.failed("the folder cannot be listed", &error)),
        };
        let base = format!("{}/", self.base);
        let below = |meta: ObjectMeta| {
            let path = meta.location.as_ref().strip_prefix(base.as_str())?.to_string();
            Some((path, meta))
        };
        Ok(found.into_iter().filter_map(below).collect())
    }

    /// True if there is no file in the folder, but for those in `hidden`.
    pub(super) async fn is_empty_but(&self, hidden: &str) -> Result<bool> {
        let hidden = self.path(hidden);
        let mut found = self.store.list(Some(&self.base));
        while let Some(next) = found.next().await {
            match next {
                Ok(meta) if meta.location.prefix_matches(&hidden) => {}
                Ok(_) => return Ok(false),
                Err(Error::NotFound { .. }) => return Ok(true),
                Err(error) => return Err(self.failed("the folder cannot be listed", &error)),
            }
        }
        Ok(true)
    }

    /// Writes a file, reads it and deletes it.
    pub(super) async fn probe(&self, path: &str) -> Result<probe::Report> {
        probe::write(&self.store, &self.base, path, probe::Use::Destination).await
    }

    /// Removes an empty folder of the local disk.
    pub(super) fn remove_local(&self, below: &str) {
        if let Some(root) = &self.local {
            // One that is not empty stays.
            let _ = std::fs::remove_dir(root.join(below));
        }
    }

    /// Removes parts of files that a process which was killed has left on the local disk: lists do not show them.
    pub(super) fn forget_uploads(&self) {
        let Some(root) = &self.local else { return };
        for entry in std::fs::read_dir(root.join(HIDDEN)).into_iter().flatten().flatten() {
            if entry.file_name().to_string_lossy().starts_with("new-") {
                let _ = std::fs::remove_dir_all(entry.path());
            }
        }
    }

    /// The size of each of these files; none if one is not there.
    pub(super) async fn sizes(&self, paths: &[String]) -> Result<Vec<Option<u64>>> {
        let head = |path: String| async move {
            match self.store.head(&self.path(&path)).await {
                Ok(meta) => Ok(Some(meta.size)),
                Err(Error::NotFound { .. }) => Ok(None),
                Err(error) => Err(self.failed(&format!("`{path}` cannot be found"), &error)),
            }
        };
        stream::iter(paths.to_vec()).map(head).buffered(AT_ONCE).try_collect().await
    }

    /// Deletes files; those that are not there are fine. Tells how many could not be deleted: they are in nobody's way, and
    /// the next publish tries again.
    pub(super) async fn delete(&self, paths: &[String]) -> usize {
        let delete = |path: String| async move {
            match self.store.delete(&self.path(&path)).await {
                Ok(()) | Err(Error::NotFound { .. }) => 0,
                Err(_) => 1,
            }
        };
        let failures = stream::iter(paths.to_vec())
            .map(delete)
            .buffer_unordered(AT_ONCE)
            .fold(0, |all, one| async move { all + one })
            .await;
        self.sweep(paths);
        failures
    }

    /// Removes local folders that have become empty.
    fn sweep(&self, paths: &[String]) {
        let Some(root) = &self.local else { return };
        for path in paths {
            let mut folder = root.join(path);
            // A folder that is not empty stays: removing it fails.
            while folder.pop() && folder != *root && std::fs::remove_dir(&folder).is_ok() {}
        }
    }

    /// Gives files their names.
    pub(super) async fn rename(&self, pairs: Vec<(String, String)>) -> Result<()> {
        let rename = |(from, to): (String, String)| async move {
            let done = self.store.rename(&self.path(&from), &self.path(&to)).await;
            done.map_err(|error| self.failed(&format!("`{to}` cannot be written"), &error))
        };
        stream::iter(pairs).map(rename).buffer_unordered(AT_ONCE).try_collect().await
    }

    /// Begins a large file.
    pub(super) async fn upload(&self, below: &str) -> Result<Box<dyn MultipartUpload>> {
        let begun = self.store.put_multipart(&self.path(below)).await;
        begun.map_err(|error| self.failed("a file cannot be written", &error))
    }

    /// Brings files of the local disk to the disk, so that a machine that stops keeps what a manifest names.
    pub(super) fn sync(&self, paths: &[String]) -> Result<()> {
        let Some(root) = &self.local else { return Ok(()) };
        for path in paths {
            let synced = File::open(root.join(path)).and_then(|file| file.sync_all());
            synced.map_err(|error| self.failed(&format!("`{path}` cannot be written"), &error))?;
        }
        Ok(())
    }

    /// On the local disk, waits until nobody else publishes to the folder; elsewhere the manifests' numbers tell publishes
    /// apart. The lock is the operating system's, which lets go of it whenever a process ends.
    pub(super) async fn lock(&self, patience: Duration, progress: OnProgress<'_>) -> Result<Option<File>> {
        let Some(root) = &self.local else { return Ok(None) };
        let failed =
            |error: std::io::Error| self.failed(&format!("the folder {} cannot be written", root.display()), &error);
        let folder = root.join(HIDDEN);
        std::fs::create_dir_all(&folder).map_err(failed)?;
        let options = File::options().create(true).truncate(false).write(true).open(folder.join("lock"));
        let file = options.map_err(failed)?;
        let started = Instant::now();
        let mut told = false;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(Some(file)),
                Err(TryLockError::Error(error)) => return Err(failed(error)),
                Err(TryLockError::WouldBlock) if started.elapsed() >= patience => {
                    let problem =
                        format!("another publish writes to {}, for more than {} s", root.display(), patience.as_secs());
                    let help = "wait for it and try again, or set a longer `lock_timeout`";
                    return Err(self.place.failed(codes::PUBLISH_FAILED, problem).help(help));
                }
                Err(TryLockError::WouldBlock) => {
                    if !told {
                        progress(Progress::Waiting(format!("another publish writes to {}", root.display())));
                        told = true;
                    }
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            }
        }
    }
}

/// The folders of a table's name: `sales.orders` and `sales/orders` are `orders` in `sales`.
fn names(place: &Place) -> Result<Vec<String>> {
    let parts = name_parts(&place.node, &place.table)?;
    let names: Vec<String> = parts.iter().flat_map(|part| part.split('/')).map(str::to_string).collect();
    match names.iter().find(|name| name.is_empty() || name.starts_with(['.', '_'])) {
        None => Ok(names),
        Some(_) => Err(bad_name(place, &"names of folders are not empty and start with no `.` or `_`")),
    }
}

fn bad_name(place: &Place, why: &dyn std::fmt::Display) -> Box<Diagnostic> {
    let message =
        format!("`table` of `publish` of `{}` is `{}`, which is no name of a folder", place.node, place.table);
    Diagnostic::error(CONFIG, message).help(why.to_string())
}
