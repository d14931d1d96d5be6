//! What builds that were killed have left in the warehouse: files that belong to nothing.
//!
//! Nothing that a version names is touched, whatever its age: that is what `vacuum` is for. An orphan is
//!
//! - a data file in the folder of a table that no commit of its log names, written for a commit that never came;
//! - a table of staged rows ([`staging`](super::staging()));
//! - what executors of a cluster have spooled;
//! - on a local disk, a file in the making (`name#1`), which stores do not even list.
//!
//! A build that is running has files like these too. They are told apart by their age alone, so whoever calls this says how
//! long a build may take.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use deltalake::kernel::Action;
use deltalake::logstore::get_actions;
use futures::{StreamExt, TryStreamExt};
use object_store::{ObjectMeta, ObjectStoreExt, path::Path as StorePath};

use super::location::unescaped;
use super::{Vacuumed, Warehouse, failed, segment, staging};
use crate::diag::{Diagnostic, Result, codes};
use crate::node::Relation;

/// Commits that are read at a time.
const AT_A_TIME: usize = 16;

impl Warehouse {
    /// Deletes all orphans that were written before `limit`; with `dry_run` it only counts them.
    ///
    /// # Errors
    /// C5006 or C5007 if folders cannot be listed, logs not be read or files not be deleted. What was found until then is
    /// deleted.
    pub async fn delete_orphans(&self, limit: DateTime<Utc>, dry_run: bool) -> Result<Vacuumed> {
        let mut all = Vacuumed::default();
        for schema in self.schemas().await? {
            for name in self.folders(&self.prefix.clone().join(segment(&schema))).await? {
                let relation = Relation::new("", &schema, &name);
                let orphans = match name.as_str() {
                    "_views" => Vec::new(),
                    _ if staging::is_staging(&name) => self.left_staging(&relation, limit).await?,
                    _ => self.unnamed(&relation, limit).await?,
                };
                self.delete_files(orphans, dry_run, &mut all).await?;
            }
        }
        let spooled = self.written_before(&self.prefix.clone().join("_c360"), limit).await?;
        self.delete_files(spooled, dry_run, &mut all).await?;
        self.delete_unfinished(limit, dry_run, &mut all)?;
        Ok(all)
    }

    /// The files of a table of staged rows that nobody writes any more.
    async fn left_staging(&self, relation: &Relation, limit: DateTime<Utc>) -> Result<Vec<ObjectMeta>> {
        let folder = self.folder(relation);
        let files = self.files_below(&folder).await?;
        Ok(if files.iter().all(|file| file.last_modified < limit) { files } else { Vec::new() })
    }

    /// Data files in the folder of a table that its log does not name.
    async fn unnamed(&self, relation: &Relation, limit: DateTime<Utc>) -> Result<Vec<ObjectMeta>> {
        let folder = self.folder(relation);
        let mut old = self.written_before(&folder, limit).await?;
        old.retain(|file| file.location.extension() == Some("parquet") && !is_hidden(&file.location, &folder));
        if old.is_empty() {
            return Ok(old);
        }
        let named = self.named(relation).await?;
        old.retain(|file| {
            let inside: Option<StorePath> = file.location.prefix_match(&folder).map(Iterator::collect);
            inside.is_some_and(|path| !named.contains(&plain(path.as_ref())))
        });
        Ok(old)
    }

    /// Every path that a commit of the table's log adds or takes out, and those of its newest version.
    async fn named(&self, relation: &Relation) -> Result<HashSet<String>> {
        let Some(table) = self.load_table(relation).await? else { return Ok(HashSet::new()) };
        let what = format!("the log of `{relation}` cannot be read");
        let mut named: HashSet<String> = HashSet::new();
        if let Ok(state) = table.snapshot() {
            named.extend(state.log_data().iter().map(|file| plain(file.path().as_ref())));
        }
        let log = table.log_store();
        let reads = futures::stream::iter(0..=table.version().unwrap_or_default()).map(|version| {
            let log = log.clone();
            // Commits before the oldest checkpoint may have been cleaned up: no version needs them.
            async move { log.read_commit_entry(version).await.map(|bytes| (version, bytes)) }
        });
        let mut commits = reads.buffer_unordered(AT_A_TIME);
        while let Some(read) = commits.next().await {
            let (version, bytes) = read.map_err(|error| failed(&what, &error))?;
            let Some(bytes) = bytes else { continue };
            for action in get_actions(version, &bytes).map_err(|error| failed(&what, &error))? {
                match action {
                    Action::Add(add) => drop(named.insert(plain(&add.path))),
                    Action::Remove(remove) => drop(named.insert(plain(&remove.path))),
                    Action::Cdc(change) => drop(named.insert(plain(&change.path))),
                    _ => {}
                }
            }
        }
        Ok(named)
    }

    async fn written_before(&self, folder: &StorePath, limit: DateTime<Utc>) -> Result<Vec<ObjectMeta>> {
        let mut files = self.files_below(folder).await?;
        files.retain(|file| file.last_modified < limit);
        Ok(files)
    }

    async fn files_below(&self, folder: &StorePath) -> Result<Vec<ObjectMeta>> {
        self.store.list(Some(folder)).try_collect().await.map_err(|error| self.not_listed(folder, &error))
    }

    async fn delete_files(&self, files: Vec<ObjectMeta>, dry_run: bool, all: &mut Vacuumed) -> Result<()> {
        for file in files {
            if !dry_run {
                match self.store.delete(&file.location).await {
                    Ok(()) | Err(object_store::Error::NotFound { .. }) => {}
                    Err(error) => return Err(self.not_listed(&file.location, &error)),
                }
            }
            all.files += 1;
            all.bytes += file.size;
        }
        Ok(())
    }

    /// Files of a local disk that were being written: a store gives them their name when they are whole.
    fn delete_unfinished(&self, limit: DateTime<Utc>, dry_run: bool, all: &mut Vacuumed) -> Result<()> {
        let Ok(root) = self.root.to_file_path() else { return Ok(()) };
        for entry in walkdir::WalkDir::new(root).into_iter().flatten() {
            let Ok(meta) = entry.metadata() else { continue };
            let is_old = meta.modified().is_ok_and(|modified| DateTime::<Utc>::from(modified) < limit);
            if !meta.is_file() || !is_old || !is_unfinished(&entry.file_name().to_string_lossy()) {
                continue;
            }
            if !dry_run && let Err(error) = std::fs::remove_file(entry.path()) {
                let what = format!("`{}` cannot be deleted: {error}", entry.path().display());
                return Err(Diagnostic::error(codes::STORE_ERROR, what));
            }
            all.files += 1;
            all.bytes += meta.len();
        }
        Ok(())
    }
}

/// `part.parquet#1`
fn is_unfinished(name: &str) -> bool {
    let digits = name.rsplit_once('#').map_or("", |(_, digits)| digits);
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// True in the log, and in what is kept beside the rows.
fn is_hidden(path: &StorePath, folder: &StorePath) -> bool {
    path.prefix_match(folder).is_some_and(|mut parts| {
        parts.next().is_some_and(|first| matches!(first.as_ref(), "_delta_log" | "_c360" | "_change_data"))
    })
}

/// A path without any encoding: logs and stores do not encode alike, and two files that become one name are both kept.
fn plain(path: &str) -> String {
    let mut text = path.to_string();
    loop {
        let decoded = unescaped(&text, b'%');
        if decoded == text {
            return text;
        }
        text = decoded;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_files_in_the_making() {
        assert!(is_unfinished("part-0.parquet#1") && is_unfinished("00000000000000000007.json#12"));
        assert!(!is_unfinished("part-0.parquet") && !is_unfinished("a#b") && !is_unfinished("a#"));
    }

    #[test]
    fn paths_are_compared_without_encoding() {
        assert_eq!(plain("kind=a%2520b/part.parquet"), plain("kind=a b/part.parquet"));
        assert_eq!(plain("kind=50%/part.parquet"), "kind=50%/part.parquet");
    }
}
