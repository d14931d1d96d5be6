//! The scan operator's side of a source: DataFusion's [`FileSource`] over our readers.
//!
//! DataFusion hands down the projection, down to fields of structs; it becomes a wish ([`Wanted`]) for the columns that
//! are decoded. What the readers give is brought to the query's shape by DataFusion's own projection, which also puts in
//! the values of path columns.

use std::fmt;
use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, FieldRef, Schema, SchemaRef};
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::config::ConfigOptions;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::{
    FileGroupPartitioner, FileOpenFuture, FileOpener, FileScanConfig, FileSource,
};
use datafusion::datasource::projection::{ProjectionOpener, SplitProjection};
use datafusion::datasource::table_schema::TableSchema;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::physical_expr::projection::ProjectionExprs;
use datafusion::physical_expr::{LexOrdering, PhysicalExpr, ScalarFunctionExpr};
use datafusion::physical_plan::expressions::{Column as ColumnExpr, Literal};
use datafusion::physical_plan::metrics::{Count, ExecutionPlanMetricsSet, MetricBuilder};
use datafusion::physical_plan::{DisplayFormatType, apply_expression_roots};
use futures::FutureExt;
use futures::stream::{BoxStream, StreamExt, try_unfold};
use object_store::ObjectStore;

use crate::diag;

use super::columns::{StructColumn, Wanted, unsupported};
use super::csv::Csv;
use super::errors::into_datafusion;
use super::json::{JsonArray, JsonLines};
use super::location::label;
use super::records::{MAX_RECORD, Part, RecordFormat, RecordStream};
use super::rejects::ScanRun;
use super::spec::{Encoding, Format, JsonLayout};
use super::{binary, bytes, xlsx};

/// Reads the files of one source.
#[derive(Clone)]
pub(super) struct SourceScan {
    table_schema: TableSchema,
    projection: SplitProjection,
    batch_size: usize,
    metrics: ExecutionPlanMetricsSet,
    run: Arc<ScanRun>,
    url: ObjectStoreUrl,
}

impl SourceScan {
    /// A scan of all columns of `table_schema`.
    pub(super) fn new(table_schema: TableSchema, url: ObjectStoreUrl, run: Arc<ScanRun>) -> SourceScan {
        SourceScan {
            projection: SplitProjection::unprojected(&table_schema),
            table_schema,
            batch_size: 8192,
            metrics: ExecutionPlanMetricsSet::new(),
            run,
            url,
        }
    }

    /// What it counts and rejects.
    #[cfg(feature = "cluster")]
    pub(super) fn run(&self) -> &ScanRun {
        &self.run
    }

    /// What the projection wants of each column of the files.
    fn wanted(&self) -> Vec<Wanted> {
        let fields = self.table_schema.file_schema().fields();
        let mut wanted = vec![Wanted::Nothing; fields.len()];
        for projected in &self.projection.source {
            // The closure never fails.
            let _ = projected.expr.apply(|expr| Ok(want(expr, &mut wanted)));
        }
        wanted.into_iter().zip(fields).map(|(wanted, field)| wanted.fit(field.data_type())).collect()
    }

    /// True if a file may be read in several parts.
    fn splits(&self) -> bool {
        let options = &self.run.spec.options;
        match self.run.spec.format {
            Format::Json => options.json == JsonLayout::Lines,
            // Its records may hold line breaks, so every part must be cut from the file's start: too much to transfer.
            Format::Csv => options.csv.encoding == Encoding::Utf8 && self.url.as_str().starts_with("file:"),
            _ => false,
        }
    }
}

/// Adds what `expr` wants of the columns: a path of fields if it gets one out of a column, else all of the column.
fn want(expr: &Arc<dyn PhysicalExpr>, wanted: &mut [Wanted]) -> TreeNodeRecursion {
    if let Some(column) = expr.downcast_ref::<ColumnExpr>() {
        if let Some(wanted) = wanted.get_mut(column.index()) {
            wanted.add(&[]);
        }
        return TreeNodeRecursion::Continue;
    }
    let Some(call) = expr.downcast_ref::<ScalarFunctionExpr>() else { return TreeNodeRecursion::Continue };
    let Some((base, path)) = call.args().split_first() else { return TreeNodeRecursion::Continue };
    if call.fun().name() != "get_field" {
        return TreeNodeRecursion::Continue;
    }
    let names: Option<Vec<&str>> = path
        .iter()
        .map(|name| name.downcast_ref::<Literal>().and_then(|literal| literal.value().try_as_str().flatten()))
        .collect();
    match (base.downcast_ref::<ColumnExpr>(), names) {
        (Some(column), Some(names)) => {
            if let Some(wanted) = wanted.get_mut(column.index()) {
                wanted.add(&names);
            }
            TreeNodeRecursion::Jump
        }
        _ => TreeNodeRecursion::Continue,
    }
}

impl FileSource for SourceScan {
    fn create_file_opener(
        &self,
        object_store: Arc<dyn ObjectStore>,
        _base_config: &FileScanConfig,
        partition: usize,
    ) -> Result<Arc<dyn FileOpener>> {
        let wanted = self.wanted();
        let declared = self.table_schema.file_schema();
        let pruned: Vec<FieldRef> = declared
            .fields()
            .iter()
            .zip(&wanted)
            .map(|(field, wanted)| Arc::new(field.as_ref().clone().with_data_type(wanted.prune(field.data_type()))))
            .collect();
        let pruned = Schema::new(pruned);
        let opener = SourceOpener {
            store: object_store,
            run: Arc::clone(&self.run),
            url: self.url.clone(),
            declared: Arc::clone(declared),
            emitted: Arc::new(pruned.project(&self.projection.file_indices)?),
            wanted,
            batch_size: self.batch_size,
            read: MetricBuilder::new(&self.metrics).counter("bytes_scanned", partition),
        };
        ProjectionOpener::try_new(self.projection.clone(), Arc::new(opener), &pruned)
    }

    fn table_schema(&self) -> &TableSchema {
        &self.table_schema
    }

    fn with_batch_size(&self, batch_size: usize) -> Arc<dyn FileSource> {
        Arc::new(SourceScan { batch_size, ..self.clone() })
    }

    fn projection(&self) -> Option<&ProjectionExprs> {
        Some(&self.projection.source)
    }

    fn try_pushdown_projection(&self, projection: &ProjectionExprs) -> Result<Option<Arc<dyn FileSource>>> {
        let merged = self.projection.source.try_merge(projection)?;
        let projection = SplitProjection::new(self.table_schema.file_schema(), &merged);
        Ok(Some(Arc::new(SourceScan { projection, ..self.clone() })))
    }

    fn repartitioned(
        &self,
        target_partitions: usize,
        min_size: usize,
        output_ordering: Option<LexOrdering>,
        config: &FileScanConfig,
    ) -> Result<Option<FileScanConfig>> {
        let files = || config.file_groups.iter().flat_map(|group| group.iter());
        if !self.splits() || files().any(|file| bytes::compression(file.path()).is_compressed()) {
            return Ok(None);
        }
        let groups = FileGroupPartitioner::new()
            .with_target_partitions(target_partitions)
            .with_repartition_file_min_size(min_size)
            .with_preserve_order_within_groups(output_ordering.is_some())
            .repartition_file_groups(&config.file_groups);
        Ok(groups.map(|file_groups| {
            let mut config = config.clone();
            config.file_groups = file_groups;
            config
        }))
    }

    fn metrics(&self) -> &ExecutionPlanMetricsSet {
        &self.metrics
    }

    fn file_type(&self) -> &str {
        self.run.spec.format.name()
    }

    fn supports_repartitioning(&self) -> bool {
        self.splits()
    }

    fn fmt_extra(&self, _kind: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, ", source={}", self.run.spec.name)
    }

    fn try_pushdown_filters(
        &self,
        filters: Vec<Arc<dyn PhysicalExpr>>,
        _config: &ConfigOptions,
    ) -> Result<datafusion::physical_plan::filter_pushdown::FilterPushdownPropagation<Arc<dyn FileSource>>> {
        use datafusion::physical_plan::filter_pushdown::{FilterPushdownPropagation, PushedDown};
        Ok(FilterPushdownPropagation::with_parent_pushdown_result(vec![PushedDown::No; filters.len()]))
    }

    fn apply_expressions(
        &self,
        f: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        apply_expression_roots(self.projection.source.iter(), f)
    }
}

/// Opens files, and parts of them.
struct SourceOpener {
    store: Arc<dyn ObjectStore>,
    run: Arc<ScanRun>,
    url: ObjectStoreUrl,
    /// All columns of the files.
    declared: SchemaRef,
    /// What batches hold.
    emitted: SchemaRef,
    wanted: Vec<Wanted>,
    batch_size: usize,
    read: Count,
}

impl SourceOpener {
    /// Columns for the rows of a file.
    fn root(&self) -> diag::Result<StructColumn> {
        let fields = self.declared.fields();
        let wanted = fields.iter().zip(&self.wanted).map(|(field, wanted)| (field.name().clone(), wanted.clone()));
        let wanted = Wanted::Fields(wanted.filter(|(_, wanted)| *wanted != Wanted::Nothing).collect());
        StructColumn::new(fields, &wanted).map_err(|data_type| {
            let culprit = fields.iter().find(|field| holds(field.data_type(), &data_type));
            match culprit.or(fields.first()) {
                Some(field) => unsupported(field, &data_type),
                None => diag::Diagnostic::error(diag::codes::INTERNAL, "a source without columns"),
            }
        })
    }

    fn part(&self, file: &PartitionedFile, label: String) -> Part {
        let range = file.range.as_ref().map(|range| (range.start.max(0) as u64, range.end.max(0) as u64));
        let encoding = match self.run.spec.format {
            Format::Csv => self.run.spec.options.csv.encoding,
            _ => Encoding::Utf8,
        };
        Part {
            store: Arc::clone(&self.store),
            meta: file.object_meta.clone(),
            label,
            range,
            encoding,
            batch_size: self.batch_size,
            schema: Arc::clone(&self.emitted),
            max_record: MAX_RECORD,
            read: self.read.clone(),
        }
    }
}

/// True if `data_type` is `part`, or nests it.
fn holds(data_type: &DataType, part: &DataType) -> bool {
    data_type == part
        || match data_type {
            DataType::Struct(fields) => fields.iter().any(|field| holds(field.data_type(), part)),
            DataType::List(item) | DataType::Map(item, _) => holds(item.data_type(), part),
            _ => false,
        }
}

impl FileOpener for SourceOpener {
    fn open(&self, file: PartitionedFile) -> Result<FileOpenFuture> {
        let label = label(&self.url, file.path());
        let run = Arc::clone(&self.run);
        let options = &self.run.spec.options;
        let part = self.part(&file, label.clone());
        let root = || self.root().map_err(into_datafusion);
        Ok(match self.run.spec.format {
            Format::Json if options.json == JsonLayout::Array => records(part, JsonArray::new(root()?), run),
            Format::Json => records(part, JsonLines::new(root()?), run),
            Format::Csv => {
                let csv = Csv::new(options.csv.clone(), Arc::clone(&self.declared), root()?, label);
                records(part, csv, run)
            }
            Format::Xlsx => {
                let (declared, root) = (Arc::clone(&self.declared), root()?);
                async move { xlsx::read(part, declared, root, run).await.map_err(into_datafusion) }.boxed()
            }
            Format::Avro | Format::Arrow => {
                async move { binary::read(part, run).await.map_err(into_datafusion) }.boxed()
            }
            Format::Parquet | Format::Delta => {
                return Err(DataFusionError::Internal("parquet and delta have scans of their own".to_string()));
            }
        })
    }
}

/// The batches of a text file.
fn records<F: RecordFormat + 'static>(part: Part, format: F, run: Arc<ScanRun>) -> FileOpenFuture {
    async move {
        let stream = RecordStream::open(part, format, run).await.map_err(into_datafusion)?;
        let batches = try_unfold(stream, |mut stream| async move {
            let batch = stream.next_batch().await.map_err(into_datafusion)?;
            Ok(batch.map(|batch| (batch, stream)))
        });
        let batches: BoxStream<'static, Result<_>> = batches.boxed();
        Ok(batches)
    }
    .boxed()
}
