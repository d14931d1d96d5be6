//! Writing a plan that runs on a cluster: its machines write the files, this process commits them.

use std::sync::Arc;

use datafusion::arrow::datatypes::{Schema, SchemaRef};
use datafusion::execution::SessionState;
use deltalake::kernel::engine::arrow_conversion::TryIntoKernel;
use deltalake::kernel::transaction::{CommitBuilder, CommitProperties};
use deltalake::kernel::{Action, Add, StructType};
use deltalake::operations::create::CreateBuilder;
use deltalake::protocol::{DeltaOperation, SaveMode};
use deltalake::{DeltaResult, DeltaTable};
use futures::TryStreamExt;
use object_store::ObjectStoreExt;

use super::part_files::{PartFilesExec, PartFolder, added};
use super::write::cast_plan;
use super::{Progress, Warehouse, failed};
use crate::diag::Result;
use crate::engine::RemoteExec;
use crate::failure::execution_error;
use crate::node::Relation;

/// What is to be written, and how.
pub(super) struct RemoteWrite<'a> {
    pub(super) session: &'a SessionState,
    pub(super) relation: &'a Relation,
    pub(super) progress: &'a Arc<Progress>,
    pub(super) mode: SaveMode,
    pub(super) properties: CommitProperties,
}

impl Warehouse {
    /// Replaces `before`, or adds to it, by the rows of a plan that runs elsewhere.
    pub(super) async fn write_remote(
        &self,
        write: &RemoteWrite<'_>,
        plan: &RemoteExec,
        table: DeltaTable,
        before: Option<&DeltaTable>,
    ) -> Result<DeltaTable> {
        let rows = cast_plan(Arc::clone(plan.plan())).map_err(|error| execution_error(&error))?;
        let schema = rows.schema();
        let target = PartFolder::new(self.table_url(write.relation));
        let files = Arc::new(PartFilesExec::new(rows, target.clone()));
        let sent = async { added(plan.send(files, write.session.task_ctx()).await?).await };
        let files = match sent.await {
            Ok(files) => files,
            Err(error) => {
                self.remove_parts(&target, &[]).await;
                return Err(execution_error(&error));
            }
        };
        let rows: i64 = files.iter().filter_map(records).sum();
        let bytes: i64 = files.iter().map(|file| file.size).sum();
        write.progress.add(usize::try_from(rows).unwrap_or(0), usize::try_from(bytes).unwrap_or(0));
        match commit(write, table, before, &schema, files.clone()).await {
            Ok(done) => {
                self.remove_parts(&target, &files).await;
                Ok(done)
            }
            Err(error) => {
                self.remove_parts(&target, &[]).await;
                Err(failed(&format!("table `{}` cannot be written", write.relation), &error))
            }
        }
    }

    /// Removes the files of one write that are not among `kept`: those of tasks that died and ran again. That this fails
    /// is no reason for the write to fail: they are no part of the table.
    async fn remove_parts(&self, target: &PartFolder, kept: &[Add]) {
        let Ok(folder) = target.path() else { return };
        let found: Vec<_> = match self.store.list(Some(&folder)).try_collect().await {
            Ok(found) => found,
            Err(object_store::Error::NotFound { .. }) => return,
            Err(error) => return tracing::warn!("files of `{folder}` cannot be listed: {error}"),
        };
        for file in found {
            if kept.iter().any(|add| file.location.as_ref().ends_with(&add.path)) {
                continue;
            }
            if let Err(error) = self.store.delete(&file.location).await {
                tracing::warn!("`{}` was left behind: {error}", file.location);
            }
        }
    }
}

/// Rows of a file, as its statistics tell.
fn records(add: &Add) -> Option<i64> {
    let stats: serde_json::Value = serde_json::from_str(add.stats.as_deref()?).ok()?;
    stats.get("numRecords")?.as_i64()
}

/// Makes `files` the content of the table, or a part of it, in one commit.
async fn commit(
    write: &RemoteWrite<'_>,
    mut table: DeltaTable,
    before: Option<&DeltaTable>,
    schema: &SchemaRef,
    files: Vec<Add>,
) -> DeltaResult<DeltaTable> {
    let schema: StructType = schema.as_ref().try_into_kernel()?;
    let mut actions: Vec<Action> = files.into_iter().map(Action::Add).collect();
    let properties = write.properties.clone();
    let create = CreateBuilder::new()
        .with_log_store(table.log_store())
        .with_columns(schema.fields().cloned())
        .with_commit_properties(properties.clone());
    let Some(before) = before else {
        return create.with_actions(actions).await;
    };
    let snapshot = before.snapshot()?;
    if write.mode == SaveMode::Overwrite && *snapshot.schema() != schema {
        return create.with_save_mode(SaveMode::Overwrite).with_actions(actions).await;
    }
    if write.mode == SaveMode::Overwrite {
        actions.extend(snapshot.log_data().iter().map(|file| Action::Remove(file.remove_action(true))));
    }
    let operation = DeltaOperation::Write { mode: write.mode, partition_by: None, predicate: None };
    let committed = CommitBuilder::from(properties)
        .with_actions(actions)
        .build(Some(snapshot.snapshot()), table.log_store(), operation)
        .await?;
    table.load_version(committed.version()).await?;
    Ok(table)
}

/// True if files can be written for `table` without asking it anything: it has no properties, no partitions, and, if its
/// rows stay, the columns of `schema`.
pub(super) fn takes_files(table: &DeltaTable, schema: &Schema, mode: SaveMode) -> bool {
    let Ok(snapshot) = table.snapshot() else { return false };
    let metadata = snapshot.metadata();
    if !metadata.configuration().is_empty() || !metadata.partition_columns().is_empty() {
        return false;
    }
    mode == SaveMode::Overwrite || fits(&snapshot.schema(), schema)
}

/// True if rows of `schema` are rows of `table`, as they are.
fn fits(table: &StructType, schema: &Schema) -> bool {
    let stored = super::storable_schema(schema);
    let Ok(rows): Result<StructType, _> = stored.as_ref().try_into_kernel() else { return false };
    let same = table.fields().zip(rows.fields()).zip(schema.fields());
    table.fields().count() == schema.fields().len()
        && same.into_iter().all(|((column, row), field)| {
            let nulls = column.is_nullable() || !field.is_nullable();
            column.name() == row.name() && column.data_type() == row.data_type() && nulls
        })
}
