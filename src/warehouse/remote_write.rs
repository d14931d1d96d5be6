//! Writing a plan that runs on a cluster: its machines write the files, this process commits them.

use std::sync::Arc;

use datafusion::arrow::datatypes::{Schema, SchemaRef};
use datafusion::execution::SessionState;
use deltalake::kernel::engine::arrow_conversion::TryIntoKernel;
use deltalake::kernel::transaction::{CommitBuilder, CommitProperties};
use deltalake::kernel::{Action, Add, DataType, MetadataExt, StructType};
use deltalake::operations::create::CreateBuilder;
use deltalake::protocol::{DeltaOperation, SaveMode};
use deltalake::{DeltaResult, DeltaTable};
use futures::TryStreamExt;
use object_store::ObjectStoreExt;

use super::part_files::{PartFilesExec, PartFolder, added};
use super::remote::RemoteExec;
use super::write::cast_plan;
use super::{Progress, Warehouse};
use crate::diag::Result;
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
    ) -> Result<DeltaResult<DeltaTable>> {
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
        let done = commit(write, table, before, &schema, files.clone()).await;
        // A commit that failed may still have arrived: then the files are the table's.
        if done.is_ok() {
            self.remove_parts(&target, &files).await;
        }
        Ok(done)
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
    let Some(before) = before else {
        let create = CreateBuilder::new().with_log_store(table.log_store()).with_columns(schema.fields().cloned());
        return create.with_commit_properties(properties).with_actions(actions).await;
    };
    let snapshot = before.snapshot()?;
    if *snapshot.schema() != schema && write.mode == SaveMode::Overwrite {
        actions.push(Action::Metadata(snapshot.metadata().clone().with_schema(&schema)?));
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
    let stored = super::storable_schema(schema);
    let Ok(rows): Result<StructType, _> = stored.as_ref().try_into_kernel() else { return false };
    match mode {
        // Times without a zone are a feature that the table's protocol would have to name.
        SaveMode::Overwrite => !has_local_times(&rows) || has_local_times(&snapshot.schema()),
        _ => fits(&snapshot.schema(), &rows, schema),
    }
}

fn has_local_times(schema: &StructType) -> bool {
    fn is_local(data_type: &DataType) -> bool {
        match data_type {
            DataType::Array(array) => is_local(array.element_type()),
            DataType::Map(map) => is_local(map.key_type()) || is_local(map.value_type()),
            DataType::Struct(fields) => has_local_times(fields),
            other => *other == DataType::TIMESTAMP_NTZ,
        }
    }
    schema.fields().any(|field| is_local(field.data_type()))
}

/// True if rows of `schema` are rows of `table`, as they are.
fn fits(table: &StructType, rows: &StructType, schema: &Schema) -> bool {
    let same = table.fields().zip(rows.fields()).zip(schema.fields());
    table.fields().count() == schema.fields().len()
        && same.into_iter().all(|((column, row), field)| {
            let nulls = column.is_nullable() || !field.is_nullable();
            column.name() == row.name() && column.data_type() == row.data_type() && nulls
        })
}
