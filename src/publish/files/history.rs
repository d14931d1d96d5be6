//! The versions of a table: reading the last one, finishing what a publish that died has left, and adding one.
//!
//! Version n is the file `_c360/n.json`, which is made only if it is not there yet. Every store can do that in one step,
//! and it is the commit of a publish: whoever makes the file has published, and whoever finds it made has not.
//! Everything after it (the copy for readers, the removal of replaced files) can be done again, and is done again by the
//! next publish if a process dies before the end.

use chrono::{TimeDelta, Utc};

use super::super::place::Place;
use super::folder::{Folder, HIDDEN};
use super::manifest::Manifest;
use super::write::staging;
use crate::diag::{Result, codes};

/// What readers look at: the last version.
pub(super) const MANIFEST: &str = "_manifest.json";
/// An empty file that says that the folder is whole.
pub(super) const SUCCESS: &str = "_SUCCESS";

/// Versions that are kept. A publish that hangs for as many others could take a number again.
const KEPT: u64 = 20;

/// After so long a publish that has shown its files and not committed is taken for dead. Between the two it has nothing to do
/// but to commit.
const DEAD_AFTER: TimeDelta = TimeDelta::minutes(30);

/// The same for files that are being written, which may take long.
const STALE_AFTER: TimeDelta = TimeDelta::days(2);

/// The last version of a table, and what else is in the hidden folder.
#[derive(Debug, Default)]
pub(super) struct History {
    pub(super) last: Option<Manifest>,
    /// Numbers of the versions that are there.
    versions: Vec<u64>,
    /// Ids of publishes that have not ended.
    begun: Vec<String>,
    /// Those of them that died.
    dead: Vec<String>,
    /// Files in the making that nobody can be at work on any more.
    stale: Vec<String>,
}

fn name_of(version: u64) -> String {
    format!("{HIDDEN}/{version:020}.json")
}

fn intent_of(id: &str) -> String {
    format!("{HIDDEN}/intent-{id}.json")
}

impl History {
    /// Reads what is there.
    pub(super) async fn read(folder: &Folder, place: &Place) -> Result<History> {
        let mut history = History::default();
        for (path, meta) in folder.list(HIDDEN).await? {
            // On the local disk the lock is ours, so nothing is in the making.
            let left = |after| folder.local.is_some() || meta.last_modified < Utc::now() - after;
            if path.contains("/new-") && left(STALE_AFTER) {
                history.stale.push(path);
                continue;
            }
            let name = path.strip_prefix(HIDDEN).and_then(|rest| rest.strip_prefix('/'));
            let Some(name) = name.and_then(|name| name.strip_suffix(".json")) else { continue };
            if let Some(id) = name.strip_prefix("intent-") {
                history.begun.push(id.to_string());
                if left(DEAD_AFTER) {
                    history.dead.push(id.to_string());
                }
            } else if let Ok(version) = name.parse() {
                history.versions.push(version);
            }
        }
        history.versions.sort_unstable();
        if let Some(version) = history.versions.last() {
            let name = name_of(*version);
            let bytes = folder.get(&name).await?;
            history.last = bytes.and_then(|bytes| Manifest::from_json(&bytes));
            if history.last.is_none() {
                let problem = format!("`{name}` is no manifest that this c360 can read");
                let help = "was it written by a newer c360? Publish to another folder, or delete this one";
                return Err(place.failed(codes::PUBLISH_FAILED, problem).help(help));
            }
        } else if !folder.is_empty_but(HIDDEN).await? {
            let problem = "the folder holds files that c360 did not write";
            let help = "publish to a folder of its own: set another `table`, or another `path` of the destination";
            return Err(place.failed(codes::PUBLISH_FAILED, problem).help(help));
        }
        Ok(history)
    }

    /// Finishes what publishes before us may have left half done. Nobody else writes meanwhile, or what they write is not
    /// touched.
    pub(super) async fn settle(&self, folder: &Folder) -> Result<()> {
        if let Some(last) = &self.last {
            let copy = folder.get(MANIFEST).await?;
            let known = copy.as_deref().and_then(Manifest::from_json).is_some_and(|copy| copy.id == last.id);
            if !known || self.begun.contains(&last.id) {
                self.announce(last, folder).await?;
            }
        }
        let mut orphans = self.stale.clone();
        for id in &self.dead {
            let bytes = folder.get(&intent_of(id)).await?.unwrap_or_default();
            orphans.extend(serde_json::from_slice::<Vec<String>>(&bytes).unwrap_or_default());
        }
        let live = |path: &String| self.last.iter().any(|last| last.files.iter().any(|file| file.path == *path));
        orphans.retain(|path| !live(path));
        folder.delete(&orphans).await;
        folder.delete(&self.dead.iter().map(|id| intent_of(id)).collect::<Vec<_>>()).await;
        folder.forget_uploads();
        Ok(())
    }

    /// Notes which files are about to be shown, so that they can be removed if their publish dies before it commits.
    pub(super) async fn intend(folder: &Folder, id: &str, paths: &[String]) -> Result<()> {
        folder.put(&intent_of(id), serde_json::to_vec(paths).unwrap_or_default()).await
    }

    /// Commits `next`; false if somebody else has committed that version.
    pub(super) async fn commit(&self, next: &Manifest, folder: &Folder) -> Result<bool> {
        if !folder.create(&name_of(next.version), next.to_json()).await? {
            return Ok(false);
        }
        self.announce(next, folder).await?;
        let old = self.versions.iter().filter(|version| **version + KEPT <= next.version);
        folder.delete(&old.map(|version| name_of(*version)).collect::<Vec<_>>()).await;
        Ok(true)
    }

    /// Tells readers of a version, and removes what it has replaced.
    async fn announce(&self, manifest: &Manifest, folder: &Folder) -> Result<()> {
        folder.put(MANIFEST, manifest.to_json()).await?;
        folder.put(SUCCESS, Vec::new()).await?;
        folder.delete(&manifest.replaced).await;
        History::end(folder, &manifest.id).await;
        Ok(())
    }

    /// Removes the traces of a publish that is over.
    pub(super) async fn end(folder: &Folder, id: &str) {
        folder.delete(&[intent_of(id)]).await;
        folder.remove_local(&staging(id));
    }
}
