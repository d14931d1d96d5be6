//! The tables that people trust: Delta Lake tables and views under one URL.
//!
//! A relation `schema.identifier` is the folder `<root>/<schema>/<identifier>` with a Delta log in it, or the file
//! `<root>/<schema>/_views/<identifier>.json`. Both change in one step: a Delta commit is one file that appears or does
//! not, a view is one file that is put whole. Where both exist the view is what readers see, so that a relation which
//! changes its kind does so in one step too: the view file appears before the table goes, and goes after the table has
//! come. Together with `publish` this is the only room that replaces or deletes a relation.

mod changes;
mod conflict;
mod location;
mod orphans;
mod part_files;
pub mod profile;
#[cfg_attr(not(feature = "cluster"), allow(dead_code, reason = "clusters alone make such plans"))]
mod remote;
mod remote_write;
mod staging;
mod tap;
#[cfg(test)]
mod tests;
mod tidy;
mod types;
mod versions;
mod view;
mod write;

use std::path::Path;
use std::sync::Arc;

use deltalake::{DeltaTable, DeltaTableError};
use futures::{StreamExt, TryStreamExt};
use object_store::{ObjectStore, ObjectStoreExt, path::Path as StorePath};
use url::Url;

use crate::diag::{Diagnostic, Result, codes};
use crate::node::Relation;
use crate::stores::{self, StoreOptions};

pub use changes::{Appended, Difference, TableVersion};
pub use conflict::Base;
pub use location::{parse_location, segment};
#[cfg(feature = "cluster")]
pub(crate) use part_files::{PartFilesExec, PartFolder};
pub(crate) use part_files::{store_path, store_url};
pub use profile::Profiling;
#[cfg(feature = "cluster")]
pub(crate) use remote::{Remote, RemoteExec};
pub use staging::staging;
pub use tap::{Progress, TapExec};
pub use types::{scanned_schema, storable_schema};
pub use versions::{TableCommit, Vacuumed};
pub use view::View;
pub use write::{Commit, Written};

/// What is stored under a relation's name.
#[derive(Debug, Clone)]
pub enum Stored {
    /// A Delta table at its newest version.
    Table(DeltaTable),
    /// A query.
    View(View),
}

impl Stored {
    /// `table` or `view`.
    pub fn kind(&self) -> &'static str {
        match self {
            Stored::Table(_) => "table",
            Stored::View(_) => "view",
        }
    }
}

/// The warehouse of one target.
#[derive(Debug, Clone)]
pub struct Warehouse {
    root: Url,
    options: StoreOptions,
    store: Arc<dyn ObjectStore>,
    prefix: StorePath,
}

impl Warehouse {
    /// The warehouse at `location`: a path (relative to `base`) or a URL. A local folder is made if it is missing.
    ///
    /// # Errors
    /// C1004 for a location that is no path or URL, C5006 if its store cannot be reached.
    pub fn open(location: &str, base: &Path, options: StoreOptions) -> Result<Warehouse> {
        let root = parse_location(location, base)?;
        if let Ok(folder) = root.to_file_path() {
            std::fs::create_dir_all(&folder).map_err(|error| {
                Diagnostic::error(codes::STORE_ERROR, format!("the warehouse cannot be made: {error}"))
                    .note(format!("folder `{}`", folder.display()))
            })?;
        }
        let (store, prefix) = stores::open(root.as_str(), &options)?;
        Ok(Warehouse { root, options, store, prefix })
    }

    /// Its URL, with a slash at the end.
    pub fn root(&self) -> &Url {
        &self.root
    }

    /// URL of the folder of a table.
    pub fn table_url(&self, relation: &Relation) -> Url {
        let path = format!("{}/{}/", segment(&relation.schema), segment(&relation.identifier));
        self.root.join(&path).unwrap_or_else(|_| self.root.clone())
    }

    /// What is stored under `relation`, if anything is. A name matches exactly, or else whatever its case.
    ///
    /// # Errors
    /// C5007 if it is there and cannot be read.
    pub async fn load(&self, relation: &Relation) -> Result<Option<Stored>> {
        if let Some(stored) = self.load_exact(relation).await? {
            return Ok(Some(stored));
        }
        let same = |name: &String, wanted: &str| name.to_lowercase() == wanted.to_lowercase();
        for schema in self.schemas().await?.into_iter().filter(|schema| same(schema, &relation.schema)) {
            let names = self.identifiers(&schema).await?;
            if let Some(name) = names.into_iter().find(|name| same(name, &relation.identifier)) {
                return self.load_exact(&Relation::new(&relation.database, &schema, &name)).await;
            }
        }
        Ok(None)
    }

    /// `relation` in the spelling under which it is stored, if it is.
    ///
    /// # Errors
    /// C5006 if the store cannot be listed.
    pub async fn spelled(&self, relation: &Relation) -> Result<Relation> {
        let names = self.identifiers(&relation.schema).await?;
        let exact = names.contains(&relation.identifier);
        let twin = names.iter().find(|name| !exact && name.eq_ignore_ascii_case(&relation.identifier));
        Ok(match twin {
            Some(name) => Relation::new(&relation.database, &relation.schema, name),
            None => relation.clone(),
        })
    }

    async fn load_exact(&self, relation: &Relation) -> Result<Option<Stored>> {
        if let Some(view) = self.load_view(relation).await? {
            return Ok(Some(Stored::View(view)));
        }
        Ok(self.load_table(relation).await?.map(Stored::Table))
    }

    /// The Delta table under `relation`, whether or not a view hides it.
    async fn load_table(&self, relation: &Relation) -> Result<Option<DeltaTable>> {
        if !self.has_log(relation).await? {
            return Ok(None);
        }
        match stores::delta::table(&self.table_url(relation), &self.options)?.load().await {
            Ok(table) => Ok(Some(table)),
            Err(DeltaTableError::NotATable(_)) => Ok(None),
            Err(error) => Err(failed(&format!("table `{relation}` cannot be read"), &error)),
        }
    }

    async fn has_log(&self, relation: &Relation) -> Result<bool> {
        let folder = self.folder(relation).join("_delta_log");
        if let Ok(path) = self.table_url(relation).to_file_path() {
            return Ok(path.join("_delta_log").is_dir());
        }
        let mut list = self.store.list(Some(&folder));
        list.try_next().await.map(|first| first.is_some()).map_err(|error| self.store_failed(relation, &error))
    }

    /// C5006: the files of `relation` cannot be reached.
    fn store_failed(&self, relation: &Relation, error: &object_store::Error) -> Box<Diagnostic> {
        let what =
            format!("the files of `{relation}` in `{}` cannot be read or written", stores::clean(self.root.as_str()));
        stores::explain(Diagnostic::error(codes::STORE_ERROR, what), error)
    }

    /// C5006: a folder cannot be listed.
    fn not_listed(&self, folder: &StorePath, error: &object_store::Error) -> Box<Diagnostic> {
        let what = format!("`{folder}` of `{}` cannot be listed", stores::clean(self.root.as_str()));
        stores::explain(Diagnostic::error(codes::STORE_ERROR, what), error)
    }

    fn folder(&self, relation: &Relation) -> StorePath {
        self.prefix.clone().join(segment(&relation.schema)).join(segment(&relation.identifier))
    }

    /// Schemas that exist, sorted.
    ///
    /// # Errors
    /// C5006 if the store cannot be listed.
    pub async fn schemas(&self) -> Result<Vec<String>> {
        let mut schemas = self.folders(&self.prefix).await?;
        // What a cluster leaves on its way is in a folder of ours.
        schemas.retain(|schema| schema != "_c360");
        Ok(schemas)
    }

    /// Names of the tables and views of a schema, sorted.
    ///
    /// # Errors
    /// C5006 if the store cannot be listed.
    pub async fn identifiers(&self, schema: &str) -> Result<Vec<String>> {
        let folder = self.prefix.clone().join(segment(schema));
        let mut names = self.folders(&folder).await?;
        names.retain(|name| !name.starts_with('_'));
        names.extend(self.view_names(schema).await?);
        names.sort();
        names.dedup();
        Ok(names)
    }

    async fn folders(&self, folder: &StorePath) -> Result<Vec<String>> {
        let listed = self.store.list_with_delimiter(Some(folder)).await;
        let listed = listed.map_err(|error| self.not_listed(folder, &error))?;
        let mut names: Vec<String> =
            listed.common_prefixes.iter().filter_map(|path| path.filename()).map(location::unsegment).collect();
        names.sort();
        Ok(names)
    }

    /// Tries out what a warehouse needs of its store.
    ///
    /// # Errors
    /// C5006 if the store refuses any of it, or does not keep two writers apart.
    pub async fn probe(&self) -> Result<stores::probe::Report> {
        stores::probe::write(&self.store, &self.prefix, self.root.as_str(), stores::probe::Use::Warehouse).await
    }

    /// Removes whatever is stored under `relation`.
    ///
    /// # Errors
    /// C5006 if the store refuses.
    pub async fn drop_relation(&self, relation: &Relation) -> Result<()> {
        self.drop_table(relation).await?;
        self.drop_view(relation).await
    }

    /// Removes a Delta table: its log first, so that a half-removed table is no table.
    pub(crate) async fn drop_table(&self, relation: &Relation) -> Result<()> {
        let folder = self.folder(relation);
        for part in [folder.clone().join("_delta_log"), folder] {
            self.delete_all(&part).await.map_err(|error| self.store_failed(relation, &error))?;
        }
        if let Ok(path) = self.table_url(relation).to_file_path() {
            // That the folders are gone is a nicety, as it is on HDFS; object stores have none.
            let _ = std::fs::remove_dir_all(path);
        }
        Ok(())
    }

    /// Gives the folder of a table another name, in one step and with all its versions; false where a store has no such
    /// step.
    ///
    /// # Errors
    /// C5006 if the file system refuses.
    pub(crate) fn move_table(&self, from: &Relation, to: &Relation) -> Result<bool> {
        let (Ok(old), Ok(new)) = (self.table_url(from).to_file_path(), self.table_url(to).to_file_path()) else {
            return Ok(false);
        };
        let moved = || -> std::io::Result<()> {
            if let Some(folder) = new.parent() {
                std::fs::create_dir_all(folder)?;
            }
            // What a dropped table left is no table: a folder without files.
            let _ = std::fs::remove_dir(&new);
            std::fs::rename(&old, &new)
        };
        moved().map(|()| true).map_err(|error| {
            Diagnostic::error(codes::STORE_ERROR, format!("table `{from}` cannot be renamed to `{to}`: {error}"))
        })
    }

    /// Deletes the files under `folder`, many at once, and on HDFS the folders that are empty then.
    async fn delete_all(&self, folder: &StorePath) -> object_store::Result<()> {
        let files: Vec<StorePath> = self.store.list(Some(folder)).map_ok(|meta| meta.location).try_collect().await?;
        let parents = folders_of(&files, folder);
        let mut deleted = self.store.delete_stream(futures::stream::iter(files.into_iter().map(Ok)).boxed());
        while let Some(done) = deleted.next().await {
            match done {
                Ok(_) | Err(object_store::Error::NotFound { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        if matches!(self.root.scheme(), "hdfs" | "viewfs") {
            for parent in parents {
                // A folder that is not empty stays: HDFS refuses.
                let _ = self.store.delete(&parent).await;
            }
        }
        Ok(())
    }
}

/// `root` and the folders of `files` below it, the deepest first.
fn folders_of(files: &[StorePath], root: &StorePath) -> Vec<StorePath> {
    let mut folders = std::collections::BTreeSet::from([root.clone()]);
    for file in files {
        let mut parts: Vec<_> = file.parts().collect();
        while parts.pop().is_some() && parts.len() > root.parts_count() {
            folders.insert(parts.iter().cloned().collect());
        }
    }
    let mut folders: Vec<StorePath> = folders.into_iter().collect();
    folders.sort_by_key(|folder| std::cmp::Reverse(folder.parts_count()));
    folders
}

/// A failure of the warehouse, with the library's words as a note.
pub(crate) fn failed(what: &str, error: &DeltaTableError) -> Box<Diagnostic> {
    if conflict::is_conflict(error) {
        return conflict::conflict(what);
    }
    if let Some(inner) = crate::failure::datafusion_error(error) {
        return crate::failure::execution_error(inner);
    }
    let found = stores::explain(Diagnostic::error(codes::WAREHOUSE_ERROR, what), error);
    // The log was there, and made no sense.
    let is_damaged = matches!(error, DeltaTableError::KernelError(_) | DeltaTableError::InvalidJsonLog { .. });
    let help = "its log is damaged: restore the table's folder, or delete it and build the table again";
    if is_damaged && found.helps.is_empty() { found.help(help) } else { found }
}
