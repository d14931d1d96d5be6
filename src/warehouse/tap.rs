//! A plan whose rows are counted as they pass, and looked at for the profile of the table.
//!
//! The Delta writer plans its input itself; [`TapExec`] hands it a finished physical plan as a leaf, so that the plan is
//! executed as it was optimised and its metrics can be read afterwards.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use datafusion::arrow::array::{RecordBatch, RecordBatchOptions};
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{DataFusionError, Result, internal_err};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::{Expr, TableType};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, PlanProperties};
use futures::StreamExt;

use super::profile::Profiler;
use crate::diag::Diagnostic;
use crate::failure::execution_error;

/// Rows and bytes that have passed; read by whoever shows progress.
#[derive(Debug, Default)]
pub struct Progress {
    rows: AtomicU64,
    bytes: AtomicU64,
    /// The first failure of the plan: the writer would tell of it in words alone.
    failure: Mutex<Option<Box<Diagnostic>>>,
}

impl Progress {
    /// Rows so far.
    pub fn rows(&self) -> u64 {
        self.rows.load(Ordering::Relaxed)
    }

    /// Bytes so far, as Arrow holds them in memory.
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Counts from nothing again.
    pub(crate) fn reset(&self) {
        self.rows.store(0, Ordering::Relaxed);
        self.bytes.store(0, Ordering::Relaxed);
        self.take_failure();
    }

    /// What the plan failed with, if it did.
    pub(super) fn take_failure(&self) -> Option<Box<Diagnostic>> {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn failed(&self, error: &DataFusionError) {
        let mut failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
        failure.get_or_insert_with(|| execution_error(error));
    }

    pub(crate) fn add(&self, rows: usize, bytes: usize) {
        self.rows.fetch_add(rows as u64, Ordering::Relaxed);
        self.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }
}

/// A leaf that executes `inner` and counts.
#[derive(Debug)]
pub struct TapExec {
    inner: Arc<dyn ExecutionPlan>,
    progress: Arc<Progress>,
    profiler: Option<Arc<Profiler>>,
}

impl TapExec {
    /// Counts the rows of `inner` in `progress`, and what they hold in `profiler`.
    pub fn new(inner: Arc<dyn ExecutionPlan>, progress: Arc<Progress>, profiler: Option<Arc<Profiler>>) -> TapExec {
        TapExec { inner, progress, profiler }
    }
}

impl DisplayAs for TapExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "TapExec")
    }
}

impl ExecutionPlan for TapExec {
    fn name(&self) -> &str {
        "TapExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        self.inner.properties()
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        Vec::new()
    }

    fn apply_expressions(
        &self,
        _visit: &mut dyn for<'a> FnMut(&'a Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(self: Arc<Self>, _: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(self)
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let progress = Arc::clone(&self.progress);
        let stream = self.inner.execute(partition, context).inspect_err(|error| progress.failed(error))?;
        let mut part = self.profiler.as_ref().map(|profiler| profiler.part(partition));
        let schema = self.inner.schema();
        let counted =
            stream.map(move |batch| batch.and_then(|batch| with_schema(batch, &schema))).inspect(move |batch| {
                match batch {
                    Ok(batch) => {
                        progress.add(batch.num_rows(), batch.get_array_memory_size());
                        if let Some(part) = &mut part {
                            part.see(batch);
                        }
                    }
                    Err(error) => progress.failed(error),
                }
            });
        Ok(Box::pin(RecordBatchStreamAdapter::new(self.inner.schema(), counted)))
    }
}

/// `batch` with the schema of its plan. A scan of several files may promise less than its batches keep: a column that the path
/// spells is a constant of each file, and a constant that is not NULL, while the plan says only that it may be NULL.
fn with_schema(batch: RecordBatch, schema: &SchemaRef) -> Result<RecordBatch> {
    if batch.schema_ref() == schema {
        return Ok(batch);
    }
    let rows = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    Ok(RecordBatch::try_new_with_options(Arc::clone(schema), batch.columns().to_vec(), &rows)?)
}

/// A table whose scan is a plan that exists already.
#[derive(Debug)]
pub(super) struct PlannedTable {
    pub(super) plan: Arc<dyn ExecutionPlan>,
}

#[async_trait]
impl TableProvider for PlannedTable {
    fn schema(&self) -> SchemaRef {
        self.plan.schema()
    }

    fn table_type(&self) -> TableType {
        TableType::Temporary
    }

    async fn scan(
        &self,
        _state: &dyn Session,
        projection: Option<&Vec<usize>>,
        _filters: &[Expr],
        _limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        match projection {
            None => Ok(Arc::clone(&self.plan)),
            Some(columns) if columns.iter().copied().eq(0..self.plan.schema().fields().len()) => {
                Ok(Arc::clone(&self.plan))
            }
            Some(_) => internal_err!("a planned table is read whole"),
        }
    }
}
