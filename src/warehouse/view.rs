//! Views: queries that survive the process.

use futures::TryStreamExt;
use object_store::{ObjectStoreExt, path::Path as StorePath};
use serde::{Deserialize, Serialize};

use super::{Warehouse, segment};
use crate::diag::{Diagnostic, Result, codes};
use crate::node::Relation;

/// A stored query.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct View {
    /// The compiled query.
    pub sql: String,
    /// Unique id of the model that made it.
    pub node: String,
    /// Id of the invocation that made it.
    pub invocation_id: String,
}

impl Warehouse {
    fn view_path(&self, relation: &Relation) -> StorePath {
        let file = format!("{}.json", segment(&relation.identifier));
        self.prefix.clone().join(segment(&relation.schema)).join("_views").join(file)
    }

    /// Stores `view` under `relation` in one step; a table of that name goes afterwards.
    ///
    /// # Errors
    /// C5006 if the store refuses.
    pub async fn put_view(&self, relation: &Relation, view: &View) -> Result<()> {
        let bytes = serde_json::to_vec_pretty(view).map_err(|error| {
            Diagnostic::error(codes::INTERNAL, format!("view `{relation}` cannot be written: {error}"))
        })?;
        let path = self.view_path(relation);
        self.store.put(&path, bytes.into()).await.map_err(|error| self.store_failed(relation, &error))?;
        if self.has_log(relation).await? {
            self.drop_table(relation).await?;
        }
        Ok(())
    }

    pub(super) async fn load_view(&self, relation: &Relation) -> Result<Option<View>> {
        let bytes = match self.store.get(&self.view_path(relation)).await {
            Ok(found) => found.bytes().await.map_err(|error| self.store_failed(relation, &error))?,
            Err(object_store::Error::NotFound { .. }) => return Ok(None),
            Err(error) => return Err(self.store_failed(relation, &error)),
        };
        serde_json::from_slice(&bytes).map(Some).map_err(|error| {
            Diagnostic::error(codes::WAREHOUSE_ERROR, format!("view `{relation}` cannot be read: {error}"))
                .help("build its model again")
        })
    }

    pub(super) async fn drop_view(&self, relation: &Relation) -> Result<()> {
        match self.store.delete(&self.view_path(relation)).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(self.store_failed(relation, &error)),
        }
    }

    pub(super) async fn view_names(&self, schema: &str) -> Result<Vec<String>> {
        let folder = self.prefix.clone().join(segment(schema)).join("_views");
        let files: Vec<_> =
            self.store.list(Some(&folder)).try_collect().await.map_err(|error| self.not_listed(&folder, &error))?;
        let names = files.iter().filter_map(|meta| meta.location.filename()?.strip_suffix(".json"));
        Ok(names.map(super::location::unsegment).collect())
    }
}
