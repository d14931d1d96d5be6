//! Commits: rows become a new version of a table, or nothing happens.

use std::sync::Arc;

use datafusion::arrow::datatypes::Schema;
use datafusion::datasource::provider_as_source;
use datafusion::execution::SessionState;
use datafusion::logical_expr::LogicalPlanBuilder;
use datafusion::parquet::basic::{Compression, ZstdLevel};
use datafusion::parquet::file::properties::WriterProperties;
use datafusion::physical_expr::expressions::{Column, cast};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::projection::ProjectionExec;
use deltalake::kernel::transaction::CommitProperties;
use deltalake::operations::write::{SchemaMode, WriteBuilder};
use deltalake::protocol::SaveMode;
use deltalake::{DeltaResult, DeltaTable};

use super::conflict::is_conflict;
use super::profile::{Counted, Profiler, Profiling};
use super::remote::RemoteExec;
use super::remote_write::{RemoteWrite, takes_files};
use super::tap::PlannedTable;
use super::{Base, Progress, Stored, TapExec, Warehouse, failed, storable_schema};
use crate::diag::{Diagnostic, Result, codes};
use crate::failure::execution_error;
use crate::node::Relation;

/// Rows that a Parquet row group has at most: small enough to be buffered, large enough to be scanned fast.
const ROW_GROUP_ROWS: usize = 256 * 1024;

/// A column whose dictionary gets larger is written without one: ids and names would only be looked up in vain.
const DICTIONARY_BYTES: usize = 256 * 1024;

/// What goes into the log with the rows.
#[derive(Debug, Clone)]
pub struct Commit {
    /// Unique id of the node.
    pub node: String,
    /// Id of the invocation.
    pub invocation_id: String,
    /// Whether the rows are looked at on their way.
    pub profiling: Profiling,
}

impl Commit {
    /// A commit whose rows nobody looks at.
    pub fn new(node: impl Into<String>, invocation_id: impl Into<String>) -> Commit {
        Commit { node: node.into(), invocation_id: invocation_id.into(), profiling: Profiling::Off }
    }

    /// The same, with a profile of the table.
    pub fn profiled(self, profiling: Profiling) -> Commit {
        Commit { profiling, ..self }
    }

    /// What the log keeps of it.
    pub(super) fn properties(&self) -> CommitProperties {
        let metadata = [("c360.node", &self.node), ("c360.invocation", &self.invocation_id)];
        let metadata = metadata.map(|(key, value)| (key.to_string(), serde_json::Value::from(value.clone())));
        CommitProperties::default().with_metadata(metadata)
    }
}

/// What a commit did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// Rows that were written.
    pub rows: u64,
    /// Bytes of the files that were written.
    pub bytes: u64,
    /// Version of the table afterwards.
    pub version: u64,
    /// Rows of the table afterwards, as its statistics tell.
    pub total_rows: Option<u64>,
}

impl Warehouse {
    /// Replaces the content and the schema of `relation` by the rows of `plan`, in one commit.
    ///
    /// # Errors
    /// What the plan fails with, or C5007. The relation is as it was.
    pub async fn overwrite(
        &self,
        session: &SessionState,
        relation: &Relation,
        plan: Arc<dyn ExecutionPlan>,
        progress: &Arc<Progress>,
        commit: &Commit,
    ) -> Result<Written> {
        self.overwrite_on(Base::Any, session, relation, plan, progress, commit).await
    }

    /// The same, with rows that were computed from the version `base`.
    ///
    /// # Errors
    /// As [`Warehouse::overwrite`], and C5013 if the relation is another version by now.
    pub async fn overwrite_on(
        &self,
        base: Base,
        session: &SessionState,
        relation: &Relation,
        plan: Arc<dyn ExecutionPlan>,
        progress: &Arc<Progress>,
        commit: &Commit,
    ) -> Result<Written> {
        let written = self.write(session, relation, plan, progress, commit, (SaveMode::Overwrite, base)).await?;
        // A view of that name hid the table until now.
        self.drop_view(relation).await?;
        Ok(written)
    }

    /// Adds the rows of `plan` to `relation`, in one commit. Columns that the table lacks are added.
    ///
    /// # Errors
    /// What the plan fails with, or C5007. The relation is as it was.
    pub async fn append(
        &self,
        session: &SessionState,
        relation: &Relation,
        plan: Arc<dyn ExecutionPlan>,
        progress: &Arc<Progress>,
        commit: &Commit,
    ) -> Result<Written> {
        self.append_on(Base::Any, session, relation, plan, progress, commit).await
    }

    /// The same, with rows that were computed from the version `base`.
    ///
    /// # Errors
    /// As [`Warehouse::append`], and C5013 if the relation is another version by now.
    pub async fn append_on(
        &self,
        base: Base,
        session: &SessionState,
        relation: &Relation,
        plan: Arc<dyn ExecutionPlan>,
        progress: &Arc<Progress>,
        commit: &Commit,
    ) -> Result<Written> {
        self.write(session, relation, plan, progress, commit, (SaveMode::Append, base)).await
    }

    async fn write(
        &self,
        session: &SessionState,
        relation: &Relation,
        plan: Arc<dyn ExecutionPlan>,
        progress: &Arc<Progress>,
        commit: &Commit,
        (mode, base): (SaveMode, Base),
    ) -> Result<Written> {
        let what = format!("table `{relation}` cannot be written");
        check_columns(&plan.schema(), relation)?;
        let before = self.load_table(relation).await?;
        if base.is_stale(before.as_ref().and_then(DeltaTable::version)) {
            return Err(self.conflict(relation, &what, base.seen()).await);
        }
        let table = match &before {
            Some(table) => table.clone(),
            None => self.new_table(relation)?,
        };
        let bytes_before = before.as_ref().map_or(0, total_bytes);
        let mut properties = commit.properties();
        let overwrites = mode == SaveMode::Overwrite;
        if overwrites || base != Base::Any {
            properties = properties.with_max_retries(0);
        }
        let profiler = (commit.profiling != Profiling::Off).then(|| Profiler::new(&plan.schema()));
        let takes_files = before.as_ref().is_none_or(|table| takes_files(table, &plan.schema(), mode));
        let done = match plan.downcast_ref::<RemoteExec>().filter(|_| takes_files) {
            Some(plan) => {
                let write = RemoteWrite { session, relation, progress, mode, properties };
                self.write_remote(&write, plan, table, before.as_ref()).await?
            }
            None => {
                let plan = Arc::new(TapExec::new(
                    cast_plan(plan).map_err(|error| execution_error(&error))?,
                    Arc::clone(progress),
                    profiler.clone(),
                ));
                write_rows(session, plan, (table, before.as_ref()), mode, properties).await
            }
        };
        let done = match (done, progress.take_failure()) {
            (Ok(done), _) => done,
            (Err(_), Some(failure)) => return Err(failure),
            (Err(error), None) if is_conflict(&error) => {
                let seen = before.as_ref().and_then(DeltaTable::version);
                return Err(self.conflict(relation, &what, seen).await);
            }
            (Err(error), None) => return Err(failed(&what, &error)),
        };
        let version = done.version().unwrap_or_default();
        if let Some(profiler) = profiler {
            let added_to = before.as_ref().filter(|_| !overwrites).and_then(DeltaTable::version);
            let (profiling, invocation_id) = (&commit.profiling, commit.invocation_id.as_str());
            let rows = progress.rows();
            let counted = Counted { profiler: &profiler, profiling, invocation_id, added_to, version, rows };
            self.keep_profile(relation, counted).await;
        }
        let total = total_bytes(&done);
        Ok(Written {
            rows: progress.rows(),
            bytes: if overwrites { total } else { total.saturating_sub(bytes_before) },
            version,
            total_rows: total_rows(&done),
        })
    }

    fn new_table(&self, relation: &Relation) -> Result<DeltaTable> {
        let what = format!("table `{relation}` cannot be made");
        let url = self.table_url(relation);
        if let Ok(folder) = url.to_file_path() {
            std::fs::create_dir_all(&folder).map_err(|error| {
                Diagnostic::error(codes::STORE_ERROR, format!("{what}: {error}"))
                    .note(format!("folder `{}`", folder.display()))
            })?;
        }
        crate::stores::delta::table(&url, &self.options)?.build().map_err(|error| failed(&what, &error))
    }
}

/// Writes the rows of a plan that runs here.
async fn write_rows(
    session: &SessionState,
    plan: Arc<dyn ExecutionPlan>,
    (table, before): (DeltaTable, Option<&DeltaTable>),
    mode: SaveMode,
    properties: CommitProperties,
) -> DeltaResult<DeltaTable> {
    let input = LogicalPlanBuilder::scan("rows", provider_as_source(Arc::new(PlannedTable { plan })), None)?.build()?;
    let snapshot = before.map(DeltaTable::snapshot).transpose()?.map(|state| state.snapshot().clone());
    let overwrites = mode == SaveMode::Overwrite;
    WriteBuilder::new(table.log_store(), snapshot)
        .with_save_mode(mode)
        .with_schema_mode(if overwrites { SchemaMode::Overwrite } else { SchemaMode::Merge })
        .with_input_plan(input)
        .with_session_state(Arc::new(session.clone()))
        .with_writer_properties(writer_properties())
        .with_commit_properties(properties)
        .await
}

impl Stored {
    /// Rows of a table, as its statistics tell.
    pub fn total_rows(&self) -> Option<u64> {
        match self {
            Stored::Table(table) => total_rows(table),
            Stored::View(_) => None,
        }
    }
}

pub(super) fn total_bytes(table: &DeltaTable) -> u64 {
    table.snapshot().map_or(0, |state| state.log_data().iter().map(|file| file.size().max(0) as u64).sum())
}

pub(super) fn total_rows(table: &DeltaTable) -> Option<u64> {
    let state = table.snapshot().ok()?;
    state.log_data().iter().map(|file| file.num_records().map(|rows| rows as u64)).sum()
}

pub(super) fn writer_properties() -> WriterProperties {
    WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(1).unwrap_or_default()))
        .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
        .set_dictionary_page_size_limit(DICTIONARY_BYTES)
        .build()
}

/// Column names have to be there, and differ by more than their case.
fn check_columns(schema: &Schema, relation: &Relation) -> Result<()> {
    if schema.fields().is_empty() {
        return Err(Diagnostic::error(codes::SQL_PLAN, format!("the query of `{relation}` has no columns")));
    }
    let mut seen: Vec<String> = Vec::new();
    for field in schema.fields() {
        let lower = field.name().to_lowercase();
        if seen.contains(&lower) {
            return Err(Diagnostic::error(
                codes::SQL_PLAN,
                format!("the query of `{relation}` has two columns named `{}`", field.name()),
            )
            .help("give one of them another name with `as`; names that differ by case alone count as the same"));
        }
        seen.push(lower);
    }
    Ok(())
}

/// `plan` with every column in a type that a table can hold. A cast that loses a value is an error.
pub(super) fn cast_plan(plan: Arc<dyn ExecutionPlan>) -> datafusion::common::Result<Arc<dyn ExecutionPlan>> {
    let schema = plan.schema();
    let target = storable_schema(&schema);
    if schema.fields().iter().zip(target.fields()).all(|(a, b)| a.data_type() == b.data_type()) {
        return Ok(plan);
    }
    let mut columns = Vec::new();
    for (index, (from, to)) in schema.fields().iter().zip(target.fields()).enumerate() {
        let column = Arc::new(Column::new(from.name(), index));
        columns.push((cast(column, &schema, to.data_type().clone())?, from.name().clone()));
    }
    Ok(Arc::new(ProjectionExec::try_new(columns, plan)?))
}
