//! The versions of a table: what they were, going back to one, and letting go of the files that none needs.
//!
//! A commit of the Delta log tells who made it and what it did. Going back is a commit of its own that names the files
//! of the earlier version again; nothing is copied, and the versions in between stay in the log. Files that no version
//! within the retention names are deleted by [`Warehouse::vacuum`], without a commit: the table stays the version that
//! it was, so whoever compares versions (a publish, a profile) sees that nothing has happened.

use chrono::{DateTime, TimeDelta, Utc};
use deltalake::DeltaTable;
use deltalake::kernel::{Action, Add, CommitInfo};
use deltalake::logstore::get_actions;
use deltalake::operations::vacuum::VacuumMode;
use futures::{StreamExt, TryStreamExt};
use object_store::{ObjectStoreExt, path::Path as StorePath};

use super::changes::first_missing;
use super::{Commit, Warehouse, Written, failed};
use crate::diag::{Diagnostic, Result, codes};
use crate::node::Relation;

/// Files that are looked at or deleted at a time.
const AT_A_TIME: usize = 16;

/// One commit of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableCommit {
    /// The version that it made.
    pub version: u64,
    /// When, by the clock of whoever made it.
    pub at: Option<DateTime<Utc>>,
    /// `overwrite`, `append`, `restore`, ...
    pub operation: String,
    /// Rows of the files that it added, if they say how many they have.
    pub rows_added: Option<u64>,
    /// Files that it added.
    pub files_added: u64,
    /// Files that it took out.
    pub files_removed: u64,
    /// Unique id of the node that it was made for; none if it was made by another program.
    pub node: Option<String>,
    /// Id of the invocation that made it.
    pub invocation_id: Option<String>,
}

/// What a vacuum deleted, or would delete.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Vacuumed {
    /// Files.
    pub files: u64,
    /// Their size.
    pub bytes: u64,
}

impl Warehouse {
    /// The newest `limit` commits of a table, newest first; none if there is no such table. It ends early where the log
    /// was cleaned up.
    ///
    /// # Errors
    /// C5006 or C5007 if the log cannot be read.
    pub async fn history(&self, relation: &Relation, limit: usize) -> Result<Option<Vec<TableCommit>>> {
        let Some(table) = self.load_table(relation).await? else { return Ok(None) };
        let newest = table.version().unwrap_or_default();
        let oldest = (newest + 1).saturating_sub(limit as u64);
        let log = table.log_store();
        let what = format!("the log of `{relation}` cannot be read");
        let mut commits = Vec::new();
        for version in (oldest..=newest).rev() {
            let bytes = log.read_commit_entry(version).await.map_err(|error| failed(&what, &error))?;
            let Some(bytes) = bytes else { break };
            let actions = get_actions(version, &bytes).map_err(|error| failed(&what, &error))?;
            commits.push(TableCommit::of(version, actions));
        }
        Ok(Some(commits))
    }

    /// Makes version `version` the newest one of `relation`, by a commit that names its files again.
    ///
    /// # Errors
    /// C5010 if there is no such table, C5014 if there is no such version or its files are gone, C5007 if the commit
    /// fails; the table is as it was.
    pub async fn restore(&self, relation: &Relation, version: u64, commit: &Commit) -> Result<Written> {
        let Some(table) = self.load_table(relation).await? else {
            return Err(Diagnostic::error(codes::RELATION_NOT_BUILT, format!("there is no table `{relation}`")));
        };
        let newest = table.version().unwrap_or_default();
        if version >= newest {
            let message = match version == newest {
                true => format!("version {version} is what `{relation}` is"),
                false => format!("`{relation}` has no version {version} yet"),
            };
            return Err(Diagnostic::error(codes::VERSION_GONE, message)
                .help(format!("the newest version is {newest}; `c360 history {}` lists them", relation.identifier)));
        }
        let gone = |why: String| {
            Diagnostic::error(codes::VERSION_GONE, format!("version {version} of `{relation}` is gone: {why}")).help(
                format!(
                    "`c360 history {}` lists versions; `c360 vacuum` deletes the files of old ones",
                    relation.identifier
                ),
            )
        };
        let mut earlier = table.clone();
        earlier.load_version(version).await.map_err(|error| gone(error.to_string()))?;
        let properties = commit.properties().with_max_retries(0);
        let missing = missing(&earlier).await.map_err(|error| failed(&gone(String::new()).message, &error.into()))?;
        if let Some(path) = missing {
            return Err(gone(format!("its file `{path}` was deleted")));
        }
        let (done, metrics) = table
            .restore()
            .with_version_to_restore(version)
            .with_commit_properties(properties)
            .await
            .map_err(|error| failed(&format!("version {version} of `{relation}` cannot be restored"), &error))?;
        tracing::debug!("{relation}: {metrics:?}");
        let rows = super::write::total_rows(&done);
        Ok(Written {
            rows: rows.unwrap_or_default(),
            bytes: super::write::total_bytes(&done),
            version: done.version().unwrap_or_default(),
            total_rows: rows,
        })
    }

    /// Deletes the files in the folder of `relation` that no version of the last `retention` names, those that no
    /// version ever named among them; with `dry_run` it only counts them. None if there is no such table.
    ///
    /// # Errors
    /// C5006 or C5007 if files cannot be listed or deleted.
    pub async fn vacuum(&self, relation: &Relation, retention: TimeDelta, dry_run: bool) -> Result<Option<Vacuumed>> {
        let Some(table) = self.load_table(relation).await? else { return Ok(None) };
        let what = format!("the old files of `{relation}` cannot be deleted");
        let store = table.object_store();
        // A dry run of the library tells what is not needed, for the deletion of its own it would make two commits.
        let (_, plan) = table
            .vacuum()
            .with_retention_period(retention)
            .with_enforce_retention_duration(false)
            .with_mode(VacuumMode::Full)
            .with_dry_run(true)
            .await
            .map_err(|error| failed(&what, &error))?;
        let paths: Vec<StorePath> = plan.files_deleted.iter().map(|path| StorePath::from(path.as_str())).collect();
        let deletes = futures::stream::iter(paths).map(|path| {
            let store = store.clone();
            async move {
                let bytes = match store.head(&path).await {
                    Ok(meta) => meta.size,
                    // Somebody else was faster.
                    Err(object_store::Error::NotFound { .. }) => return Ok(None),
                    Err(error) => return Err(error),
                };
                match dry_run {
                    true => Ok(Some(bytes)),
                    false => match store.delete(&path).await {
                        Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(Some(bytes)),
                        Err(error) => Err(error),
                    },
                }
            }
        });
        let sizes: Vec<Option<u64>> = deletes
            .buffer_unordered(AT_A_TIME)
            .try_collect()
            .await
            .map_err(|error: object_store::Error| failed(&what, &error.into()))?;
        let sizes: Vec<u64> = sizes.into_iter().flatten().collect();
        Ok(Some(Vacuumed { files: sizes.len() as u64, bytes: sizes.iter().sum() }))
    }
}

/// The first file of a version that is no longer in the store.
async fn missing(table: &DeltaTable) -> std::result::Result<Option<StorePath>, object_store::Error> {
    let Ok(state) = table.snapshot() else { return Ok(None) };
    let paths = state.log_data().iter().map(|file| StorePath::from(file.path().as_ref())).collect();
    first_missing(table, paths).await
}

impl TableCommit {
    fn of(version: u64, actions: Vec<Action>) -> TableCommit {
        let mut rows: Option<u64> = Some(0);
        let (mut added, mut removed, mut info) = (0, 0, None);
        for action in actions {
            match action {
                Action::Add(add) => {
                    added += 1;
                    rows = rows.zip(records(&add)).map(|(sum, more)| sum + more);
                }
                Action::Remove(_) => removed += 1,
                Action::CommitInfo(found) => info = Some(found),
                _ => {}
            }
        }
        let own = |key: &str| info.as_ref().and_then(|info| Some(info.info.get(key)?.as_str()?.to_string()));
        TableCommit {
            version,
            at: info.as_ref().and_then(|info| DateTime::from_timestamp_millis(info.timestamp?)),
            operation: info.as_ref().map_or_else(|| "commit".into(), operation),
            rows_added: rows,
            files_added: added,
            files_removed: removed,
            node: own("c360.node"),
            invocation_id: own("c360.invocation"),
        }
    }
}

fn records(add: &Add) -> Option<u64> {
    let stats: serde_json::Value = serde_json::from_str(add.stats.as_deref()?).ok()?;
    stats.get("numRecords")?.as_u64()
}

/// What a commit did: the mode of a write, or else the name of the operation.
fn operation(info: &CommitInfo) -> String {
    let mode = info.operation_parameters.as_ref().and_then(|all| all.get("mode")).and_then(|mode| mode.as_str());
    let name = mode.or(info.operation.as_deref()).unwrap_or("commit");
    name.to_lowercase()
}
