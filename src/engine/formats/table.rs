//! A source as a table: its files were listed and its columns are known; a scan picks the files that a query needs.

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use datafusion::arrow::array::{Array, AsArray, RecordBatch};
use datafusion::arrow::datatypes::{Schema, SchemaRef};
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::stats::Precision;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::common::{DFSchema, ScalarValue, Statistics};
use datafusion::datasource::TableType;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfigBuilder, FileSource};
use datafusion::datasource::source::DataSourceExec;
use datafusion::datasource::table_schema::TableSchema;
use datafusion::error::Result;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::logical_expr::utils::conjunction;
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown, Volatility};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::empty::EmptyExec;
use datafusion::physical_plan::metrics::MetricBuilder;
use object_store::ObjectMeta;

use super::parquet;
use super::rejects::{RejectSink, ScanRun, ScanStats};
use super::source::SourceScan;
use super::spec::{Format, ScanSpec};
use crate::engine::operators::FILES_PRUNED;

/// How many bytes of text a row is guessed to have, for the planner's choice of join sides.
const GUESSED_ROW: usize = 100;

/// A file of a source and the values that its path spells.
#[derive(Debug, Clone)]
pub(super) struct SourceFile {
    pub(super) meta: ObjectMeta,
    pub(super) path_values: Vec<ScalarValue>,
}

/// A source as DataFusion sees it.
pub(super) struct SourceTable {
    pub(super) spec: Arc<ScanSpec>,
    pub(super) url: ObjectStoreUrl,
    pub(super) files: Vec<SourceFile>,
    pub(super) table_schema: TableSchema,
    pub(super) stats: Arc<ScanStats>,
    pub(super) rejects: Arc<dyn RejectSink>,
    /// Rows of all files, if that is known.
    pub(super) rows: Option<usize>,
}

impl fmt::Debug for SourceTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SourceTable({}, {} files)", self.spec.name, self.files.len())
    }
}

impl SourceTable {
    /// True if `filter` can be decided for a file by its path alone.
    fn is_about_paths(&self, filter: &Expr) -> bool {
        let columns = self.table_schema.table_partition_cols();
        let known: HashSet<&str> = columns.iter().map(|field| field.name().as_str()).collect();
        let mut decidable = true;
        let mut any = false;
        // The closure never fails.
        let _ = filter.apply(|expr| {
            match expr {
                Expr::Column(column) => {
                    any = true;
                    decidable &= known.contains(column.name());
                }
                Expr::ScalarFunction(call) => decidable &= call.func.signature().volatility == Volatility::Immutable,
                Expr::HigherOrderFunction(_)
                | Expr::AggregateFunction(_)
                | Expr::WindowFunction(_)
                | Expr::Exists(_)
                | Expr::InSubquery(_)
                | Expr::ScalarSubquery(_)
                | Expr::SetComparison(_)
                | Expr::OuterReferenceColumn(..)
                | Expr::ScalarVariable(..)
                | Expr::Unnest(_)
                | Expr::Placeholder(_) => decidable = false,
                _ => {}
            }
            Ok(if decidable { TreeNodeRecursion::Continue } else { TreeNodeRecursion::Stop })
        });
        decidable && any
    }

    /// The files for which all `filters` that are about paths are true. All files are decided in one go: a batch with a
    /// row a file.
    fn pruned(&self, session: &dyn Session, filters: &[Expr]) -> Result<Vec<SourceFile>> {
        let about_paths = filters.iter().filter(|filter| self.is_about_paths(filter)).cloned();
        let Some(filter) = conjunction(about_paths) else { return Ok(self.files.clone()) };
        let fields = self.table_schema.table_partition_cols().clone();
        let schema = Arc::new(Schema::new(fields));
        let mut columns = Vec::with_capacity(schema.fields().len());
        for at in 0..schema.fields().len() {
            columns.push(ScalarValue::iter_to_array(self.files.iter().map(|file| file.path_values[at].clone()))?);
        }
        let batch = RecordBatch::try_new(Arc::clone(&schema), columns)?;
        // Names of tables in the filter mean nothing here: there is only this one.
        let filter = filter.transform(|expr| {
            Ok(match expr {
                Expr::Column(column) => datafusion::common::tree_node::Transformed::yes(Expr::Column(
                    datafusion::common::Column::new_unqualified(column.name),
                )),
                other => datafusion::common::tree_node::Transformed::no(other),
            })
        })?;
        let filter = session.create_physical_expr(filter.data, &DFSchema::try_from(schema)?)?;
        let kept = filter.evaluate(&batch)?.into_array(self.files.len())?;
        let kept = kept.as_boolean();
        let keep = |at: &usize| kept.is_valid(*at) && kept.value(*at);
        Ok((0..self.files.len()).filter(keep).map(|at| self.files[at].clone()).collect())
    }

    /// What is known of the files without reading them: how big they are.
    fn statistics(&self, files: &[SourceFile]) -> Statistics {
        let bytes: usize = files.iter().map(|file| file.meta.size as usize).sum();
        let guess = bytes / GUESSED_ROW;
        let rows = self.rows.map_or(guess, |rows| rows * files.len() / self.files.len().max(1));
        Statistics {
            num_rows: Precision::Inexact(rows),
            total_byte_size: Precision::Inexact(bytes),
            column_statistics: Statistics::unknown_column(self.table_schema.table_schema()),
        }
    }
}

#[async_trait]
impl TableProvider for SourceTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(self.table_schema.table_schema())
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn supports_filters_pushdown(&self, filters: &[&Expr]) -> Result<Vec<TableProviderFilterPushDown>> {
        let support = |filter: &&Expr| match (self.is_about_paths(filter), self.spec.format) {
            (true, _) => TableProviderFilterPushDown::Exact,
            (false, Format::Parquet) => TableProviderFilterPushDown::Inexact,
            (false, _) => TableProviderFilterPushDown::Unsupported,
        };
        Ok(filters.iter().map(support).collect())
    }

    async fn scan(
        &self,
        session: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let files = self.pruned(session, filters)?;
        if files.is_empty() {
            let schema = match projection {
                Some(projection) => Arc::new(self.schema().project(projection)?),
                None => self.schema(),
            };
            return Ok(Arc::new(EmptyExec::new(schema)));
        }
        let run = Arc::new(ScanRun::new(Arc::clone(&self.spec), Arc::clone(&self.stats), Arc::clone(&self.rejects)));
        let source: Arc<dyn FileSource> = match self.spec.format {
            Format::Parquet => Arc::new(parquet::source(session, self.table_schema.clone(), &self.url, run)?),
            _ => Arc::new(SourceScan::new(self.table_schema.clone(), self.url.clone(), run)),
        };
        MetricBuilder::new(source.metrics()).global_counter(FILES_PRUNED).add(self.files.len() - files.len());
        let statistics = self.statistics(&files);
        let files = files
            .into_iter()
            .map(|file| PartitionedFile::new_from_meta(file.meta).with_partition_values(file.path_values))
            .collect();
        let groups = FileGroup::new(files).split_files(session.config().target_partitions().max(1));
        let config = FileScanConfigBuilder::new(self.url.clone(), source)
            .with_file_groups(groups)
            .with_statistics(statistics)
            .with_projection_indices(projection.cloned())?
            .with_limit(limit)
            .build();
        Ok(DataSourceExec::from_data_source(config))
    }
}
