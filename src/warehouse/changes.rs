//! One version of a table, and what has changed since an earlier one, as the Delta log tells it.
//!
//! Two questions are asked of the log, and they differ. *Which rows were added?* has an answer only if every commit in
//! between did nothing but add: a commit that removes a file of rows (`overwrite`, `delete`, `merge`) may have dropped rows,
//! or written old ones again. A commit that only arranges rows anew (`optimize`) says so in its actions and is looked
//! through. *Which files are different?* always has an answer, as long as the old version can be read: files of the old
//! version that the new one lacks, and the other way round. Rows that are in none of them are the same in both.
//!
//! Both answers are tables over chosen files of a version, so nothing else is read.

use std::collections::HashSet;
use std::sync::Arc;

use datafusion::catalog::TableProvider;
use datafusion::execution::SessionState;
use deltalake::DeltaTable;
use deltalake::kernel::{Action, CommitInfo, DeletionVectorDescriptor, LogicalFileView};
use deltalake::logstore::get_actions;
use futures::{StreamExt, TryStreamExt};
use object_store::{ObjectStoreExt, path::Path as StorePath};

use super::failed;
use crate::diag::Result;

/// Files whose presence is asked for at a time.
const LOOKS: usize = 16;

/// A table at one version.
#[derive(Debug, Clone)]
pub struct TableVersion {
    table: DeltaTable,
    name: String,
}

/// Rows that were added since a version.
pub enum Appended {
    /// They are the rows of these tables. Some may lack columns that were added later.
    Rows(Vec<Arc<dyn TableProvider>>),
    /// It cannot be told; the words say which version is to blame.
    Unclear(String),
}

/// What tells two versions apart. Rows that are in neither table are in both versions.
pub struct Difference {
    /// Rows of files that only the earlier version has.
    pub old: Arc<dyn TableProvider>,
    /// Rows of files that only the later version has.
    pub new: Arc<dyn TableProvider>,
}

impl TableVersion {
    /// The version at which `table` was loaded; `name` is for messages.
    pub fn new(table: DeltaTable, name: String) -> TableVersion {
        TableVersion { table, name }
    }

    /// The table's own id.
    ///
    /// # Errors
    /// C5007 if the table was not loaded.
    pub fn table_id(&self) -> Result<String> {
        let state = self.table.snapshot().map_err(|error| failed(&self.what(), &error))?;
        Ok(state.metadata().id().to_string())
    }

    /// The number of the version.
    pub fn number(&self) -> u64 {
        self.table.version().unwrap_or_default()
    }

    /// How many rows it has, as the statistics of its files tell.
    pub fn count(&self) -> Option<u64> {
        super::Stored::Table(self.table.clone()).total_rows()
    }

    /// Bytes of its files.
    pub fn bytes(&self) -> u64 {
        super::write::total_bytes(&self.table)
    }

    /// When it was written, in milliseconds since 1970.
    pub fn modified(&self) -> Option<i64> {
        self.table.snapshot().ok()?.version_timestamp(self.number())
    }

    /// All rows.
    ///
    /// # Errors
    /// C5007 if the table cannot be read.
    pub async fn rows(&self, state: &SessionState) -> Result<Arc<dyn TableProvider>> {
        self.table.update_datafusion_session(state).map_err(|error| failed(&self.what(), &error))?;
        self.table.table_provider().await.map_err(|error| crate::failure::execution_error(&error))
    }

    fn what(&self) -> String {
        format!("table `{}` cannot be read", self.name)
    }

    /// The rows that were added after version `since`.
    ///
    /// # Errors
    /// C5006 or C5007 if the log or the table cannot be read.
    pub async fn appended(&self, state: &SessionState, since: u64) -> Result<Appended> {
        let mut adds: Vec<(u64, Vec<File>)> = Vec::new();
        for version in since + 1..=self.number() {
            match self.added_by(version).await? {
                Ok(found) => adds.push((version, found)),
                Err(why) => return Ok(Appended::Unclear(why)),
            }
        }
        let active: HashSet<File> = self.files()?.into_iter().collect();
        let mut whole = Vec::new();
        let mut tables = Vec::new();
        for (version, found) in adds {
            let (still, rewritten): (Vec<File>, Vec<File>) = found.into_iter().partition(|file| active.contains(file));
            whole.extend(still);
            if rewritten.is_empty() {
                continue;
            }
            // A later commit has arranged these rows in other files; as the version saw them they are still there, or
            // they were vacuumed.
            match self.at(version).await {
                Some(earlier) if earlier.has_all(&rewritten).await? => {
                    tables.push(earlier.selected(state, rewritten).await?);
                }
                _ => return Ok(Appended::Unclear(format!("the files of version {version} are gone (vacuum)"))),
            }
        }
        tables.push(self.selected(state, whole).await?);
        Ok(Appended::Rows(tables))
    }

    /// Who made version `number` and how, as far as the log tells: ` (write overwrite by invocation 0f1e...)`.
    pub(super) async fn told(&self, number: u64) -> String {
        let bytes = self.table.log_store().read_commit_entry(number).await.ok().flatten();
        let actions = bytes.and_then(|bytes| get_actions(number, &bytes).ok()).unwrap_or_default();
        let info = actions.into_iter().find_map(|action| match action {
            Action::CommitInfo(info) => Some(info),
            _ => None,
        });
        told(info.as_ref())
    }

    /// Files of rows that the commit `version` has added, or why that is not all that it did.
    async fn added_by(&self, version: u64) -> Result<std::result::Result<Vec<File>, String>> {
        let log = self.table.log_store();
        let bytes = log.read_commit_entry(version).await.map_err(|error| failed(&self.what(), &error))?;
        let Some(bytes) = bytes else { return Ok(Err(format!("the log no longer has version {version}"))) };
        let actions = get_actions(version, &bytes).map_err(|error| failed(&self.what(), &error))?;
        let mut adds = Vec::new();
        let mut removes = false;
        let mut info = None;
        for action in actions {
            match action {
                Action::Add(add) if add.data_change => adds.push(File::new(&add.path, add.deletion_vector.as_ref())),
                Action::Remove(remove) => removes |= remove.data_change,
                Action::CommitInfo(found) => info = Some(found),
                _ => {}
            }
        }
        Ok(match removes {
            true => Err(format!("version {version} replaced or removed rows{}", told(info.as_ref()))),
            false => Ok(adds),
        })
    }

    /// The files that differ between version `since` and this one; none if the earlier version can no longer be read.
    ///
    /// # Errors
    /// C5006 or C5007 if this version cannot be read.
    pub async fn difference(&self, state: &SessionState, since: u64) -> Result<Option<Difference>> {
        let Some(earlier) = self.at(since).await else { return Ok(None) };
        let (before, after): (HashSet<File>, HashSet<File>) =
            (earlier.files()?.into_iter().collect(), self.files()?.into_iter().collect());
        let gone: Vec<File> = before.difference(&after).cloned().collect();
        let come: Vec<File> = after.difference(&before).cloned().collect();
        if !earlier.has_all(&gone).await? {
            return Ok(None);
        }
        Ok(Some(Difference { old: earlier.selected(state, gone).await?, new: self.selected(state, come).await? }))
    }

    /// The same table at an earlier version, if the log still reaches that far.
    async fn at(&self, version: u64) -> Option<TableVersion> {
        let mut table = self.table.clone();
        match table.load_version(version).await {
            Ok(()) => Some(TableVersion { table, name: self.name.clone() }),
            Err(error) => {
                tracing::debug!("version {version} of {} cannot be read: {error}", self.name);
                None
            }
        }
    }

    /// The files of this version.
    fn files(&self) -> Result<Vec<File>> {
        let state = self.table.snapshot().map_err(|error| failed(&self.what(), &error))?;
        let file = |file: LogicalFileView| File::new(&file.path(), file.deletion_vector_descriptor().as_ref());
        Ok(state.log_data().iter().map(file).collect())
    }

    /// False if one of the files is no longer in the store.
    async fn has_all(&self, files: &[File]) -> Result<bool> {
        let paths = files.iter().map(|file| file.path.clone()).collect();
        let missing = first_missing(&self.table, paths).await;
        missing.map(|path| path.is_none()).map_err(|error| failed(&self.what(), &error.into()))
    }

    /// The rows of some files of this version.
    async fn selected(&self, state: &SessionState, files: Vec<File>) -> Result<Arc<dyn TableProvider>> {
        self.table.update_datafusion_session(state).map_err(|error| failed(&self.what(), &error))?;
        let builder = self.table.table_provider().with_file_paths(files.into_iter().map(|file| file.path.to_string()));
        builder.await.map_err(|error| crate::failure::execution_error(&error))
    }
}

/// The first of `paths` that is not in the store of `table`.
pub(super) async fn first_missing(
    table: &DeltaTable,
    paths: Vec<StorePath>,
) -> std::result::Result<Option<StorePath>, object_store::Error> {
    let store = table.object_store();
    let looks = futures::stream::iter(paths).map(|path| {
        let store = Arc::clone(&store);
        async move {
            match store.head(&path).await {
                Ok(_) => Ok(None),
                Err(object_store::Error::NotFound { .. }) => Ok(Some(path)),
                Err(error) => Err(error),
            }
        }
    });
    let found: Vec<Option<StorePath>> = looks.buffered(LOOKS).try_collect().await?;
    Ok(found.into_iter().flatten().next())
}

/// A file of a version: its path, and which of its rows count as deleted.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct File {
    path: StorePath,
    deleted: Option<String>,
}

impl File {
    /// The file at `path`, whose percent signs mean themselves.
    fn new(path: &str, deleted: Option<&DeletionVectorDescriptor>) -> File {
        File { path: StorePath::from(path), deleted: deleted.map(|vector| format!("{vector:?}")) }
    }
}

/// What a commit says about itself, in parentheses.
fn told(info: Option<&CommitInfo>) -> String {
    let Some(info) = info else { return String::new() };
    let operation = info.operation.as_deref().unwrap_or("a commit");
    let mode = info.operation_parameters.as_ref().and_then(|all| all.get("mode")).and_then(|mode| mode.as_str());
    let mode = mode.map(|mode| format!(" {}", mode.to_lowercase())).unwrap_or_default();
    match info.info.get("c360.invocation").and_then(|id| id.as_str()) {
        Some(id) => format!(" ({}{mode} by invocation {id})", operation.to_lowercase()),
        None => format!(" ({}{mode})", operation.to_lowercase()),
    }
}
