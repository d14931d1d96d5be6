//! Parquet: DataFusion's own scan, with its pruning of row groups and pages, and a reader that tells which files were
//! opened and names the file when one is damaged.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use datafusion::arrow::datatypes::Fields;
use datafusion::catalog::Session;
use datafusion::datasource::file_format::FileFormat;
use datafusion::datasource::file_format::parquet::ParquetFormat;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::parquet::CachedParquetFileReaderFactory;
#[cfg(feature = "cluster")]
use datafusion::datasource::physical_plan::{FileScanConfig, FileScanConfigBuilder};
use datafusion::datasource::physical_plan::{ParquetFileReaderFactory, ParquetSource};
use datafusion::datasource::table_schema::TableSchema;
use datafusion::error::Result;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::parquet::arrow::arrow_reader::ArrowReaderOptions;
use datafusion::parquet::arrow::async_reader::AsyncFileReader;
use datafusion::parquet::errors::{ParquetError, Result as ParquetResult};
use datafusion::parquet::file::metadata::ParquetMetaData;
use datafusion::physical_plan::metrics::ExecutionPlanMetricsSet;
use futures::FutureExt;
use futures::future::BoxFuture;
use object_store::{ObjectMeta, ObjectStore};

use crate::diag;

use super::errors::{guarded, unreadable, unreadable_df};
use super::location::label;
#[cfg(feature = "cluster")]
use super::rejects::NoRejects;
use super::rejects::ScanRun;
#[cfg(feature = "cluster")]
use super::spec::{Format, ScanSpec};

/// The columns of one file, from its footer.
pub(super) async fn infer(
    session: &dyn Session,
    store: &Arc<dyn ObjectStore>,
    meta: &ObjectMeta,
    label: &str,
) -> diag::Result<Fields> {
    // Views do not travel well: each batch of a shuffle would carry all of the text that it was cut from.
    let views = session.config_options().execution.parquet.schema_force_view_types;
    let format =
        ParquetFormat::default().with_options(session.table_options().parquet.clone()).with_force_view_types(views);
    let schema = guarded(label, format.infer_schema(session, store, std::slice::from_ref(meta))).await?;
    Ok(schema.map_err(|error| unreadable_df(label, &error))?.fields().clone())
}

/// DataFusion's source for Parquet, reading through our reader.
pub(super) fn source(
    session: &dyn Session,
    table_schema: TableSchema,
    url: &ObjectStoreUrl,
    run: Arc<ScanRun>,
) -> Result<ParquetSource> {
    let store = session.runtime_env().object_store(url)?;
    let cache = session.runtime_env().cache_manager.get_file_metadata_cache();
    let inner = Arc::new(CachedParquetFileReaderFactory::new(store, cache));
    let readers = Readers { inner, url: url.clone(), run };
    Ok(ParquetSource::new(table_schema)
        .with_table_parquet_options(session.table_options().parquet.clone())
        .with_parquet_file_reader_factory(Arc::new(readers)))
}

/// `scan` with readers that name the file when one is damaged, if it reads Parquet: a scan that has travelled has others.
#[cfg(feature = "cluster")]
pub(crate) fn naming(scan: &FileScanConfig) -> Option<FileScanConfig> {
    let source = scan.file_source().downcast_ref::<ParquetSource>()?;
    let inner = Arc::clone(source.parquet_file_reader_factory()?);
    let url = scan.object_store_url.clone();
    let spec = Arc::new(ScanSpec::new("parquet", url.as_str(), Format::Parquet));
    let run = Arc::new(ScanRun::new(spec, Arc::default(), Arc::new(NoRejects)));
    let source = source.clone().with_parquet_file_reader_factory(Arc::new(Readers { inner, url, run }));
    Some(FileScanConfigBuilder::from(scan.clone()).with_source(Arc::new(source)).build())
}

/// Makes readers that count.
struct Readers {
    inner: Arc<dyn ParquetFileReaderFactory>,
    url: ObjectStoreUrl,
    run: Arc<ScanRun>,
}

impl fmt::Debug for Readers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Readers({})", self.run.spec.name)
    }
}

impl ParquetFileReaderFactory for Readers {
    fn create_reader(
        &self,
        partition: usize,
        file: PartitionedFile,
        metadata_size_hint: Option<usize>,
        metrics: &ExecutionPlanMetricsSet,
    ) -> Result<Box<dyn AsyncFileReader + Send>> {
        let label = label(&self.url, file.path());
        self.run.opened(&label);
        let inner = self.inner.create_reader(partition, file, metadata_size_hint, metrics)?;
        Ok(Box::new(CountingReader { inner, label, run: Arc::clone(&self.run) }))
    }
}

/// Reads one file.
struct CountingReader {
    inner: Box<dyn AsyncFileReader + Send>,
    label: String,
    run: Arc<ScanRun>,
}

/// The error with the file's name, as a diagnostic.
fn named(label: &str, error: ParquetError) -> ParquetError {
    ParquetError::External(unreadable(label, &error))
}

impl AsyncFileReader for CountingReader {
    fn get_bytes(&mut self, range: Range<u64>) -> BoxFuture<'_, ParquetResult<Bytes>> {
        self.run.stats.add_bytes((range.end - range.start) as usize);
        let CountingReader { inner, label, .. } = self;
        async move { inner.get_bytes(range).await.map_err(|error| named(label, error)) }.boxed()
    }

    fn get_byte_ranges(&mut self, ranges: Vec<Range<u64>>) -> BoxFuture<'_, ParquetResult<Vec<Bytes>>> {
        self.run.stats.add_bytes(ranges.iter().map(|range| (range.end - range.start) as usize).sum());
        let CountingReader { inner, label, .. } = self;
        async move { inner.get_byte_ranges(ranges).await.map_err(|error| named(label, error)) }.boxed()
    }

    fn get_metadata<'a>(
        &'a mut self,
        options: Option<&'a ArrowReaderOptions>,
    ) -> BoxFuture<'a, ParquetResult<Arc<ParquetMetaData>>> {
        let CountingReader { inner, label, .. } = self;
        async move {
            let found = guarded(label, inner.get_metadata(options)).await;
            found.map_err(|error| ParquetError::External(error))?.map_err(|error| named(label, error))
        }
        .boxed()
    }
}
