//! Scans that travel to other machines, and Delta tables as plain lists of files, which travel by themselves.

use std::collections::HashMap;
use std::sync::Arc;

use datafusion::arrow::datatypes::{FieldRef, Schema};
use datafusion::catalog::TableProvider;
use datafusion::common::ScalarValue;
use datafusion::datasource::physical_plan::FileSource;
use datafusion::datasource::table_schema::TableSchema;
use datafusion::datasource::{ViewTable, provider_as_source};
use datafusion::error::Result;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::logical_expr::{LogicalPlanBuilder, ident};
use deltalake::DeltaTable;
use deltalake::kernel::engine::arrow_conversion::TryIntoArrow;
use object_store::ObjectMeta;

use super::rejects::{NoRejects, RejectSink, ScanRun, ScanStats};
use super::source::SourceScan;
use super::spec::{Format, ScanSpec};
use super::table::{SourceFile, SourceTable};
use crate::warehouse::{store_path, store_url};

/// Tells the engine's tables that scans of them run on other machines. An extension of the session's configuration.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ships;

/// What is to be known of a scan beside its files and columns, if it is one of ours.
#[cfg(feature = "cluster")]
pub(crate) fn spec_of(source: &dyn FileSource) -> Option<&Arc<ScanSpec>> {
    source.downcast_ref::<SourceScan>().map(|scan| &scan.run().spec)
}

/// Where a scan's rejected records go, if it is one of ours.
#[cfg(feature = "cluster")]
pub(crate) fn rejects_of(source: &dyn FileSource) -> Option<&Arc<dyn RejectSink>> {
    source.downcast_ref::<SourceScan>().map(|scan| scan.run().sink())
}

/// A scan of all columns of `table_schema`.
#[cfg(feature = "cluster")]
pub(crate) fn scan(
    table_schema: TableSchema,
    url: ObjectStoreUrl,
    spec: Arc<ScanSpec>,
    rejects: Arc<dyn RejectSink>,
) -> Arc<dyn FileSource> {
    let run = Arc::new(ScanRun::new(spec, Arc::new(ScanStats::default()), rejects));
    Arc::new(SourceScan::new(table_schema, url, run))
}

/// `table` as a list of Parquet files, if that is all there is to it: none if rows of files are deleted by vectors, or
/// columns have other names in the files.
pub(crate) fn delta_files(table: &DeltaTable, name: &str) -> Result<Option<Arc<dyn TableProvider>>> {
    let Ok(snapshot) = table.snapshot() else { return Ok(None) };
    let mapped = snapshot.metadata().configuration().contains_key("delta.columnMapping.mode");
    let log = snapshot.log_data();
    if mapped || log.iter().any(|file| file.deletion_vector_descriptor().is_some()) {
        return Ok(None);
    }
    let schema: Schema = snapshot.schema().as_ref().try_into_arrow()?;
    let partitioned_by = snapshot.metadata().partition_columns();
    let (path_fields, fields): (Vec<FieldRef>, Vec<FieldRef>) =
        schema.fields().iter().cloned().partition(|field| partitioned_by.contains(field.name()));
    let log_store = table.log_store();
    let root = store_path(log_store.root_url())?;
    let mut files = Vec::new();
    let mut rows = Some(0);
    for file in log.iter() {
        let Some(path_values) = path_values(&path_fields, &file.partition_values_map()) else { return Ok(None) };
        let location = file.object_store_path().parts().fold(root.clone(), |path, part| path.join(part));
        let size = file.size().max(0) as u64;
        let last_modified = file.modification_datetime().unwrap_or_default();
        files.push(SourceFile {
            meta: ObjectMeta { location, last_modified, size, e_tag: None, version: None },
            path_values,
        });
        rows = rows.zip(file.num_records()).map(|(sum, rows)| sum + rows);
    }
    let files = SourceTable {
        spec: Arc::new(ScanSpec::new(name, log_store.root_url().as_str(), Format::Parquet)),
        url: store_url(log_store.root_url())?,
        files,
        table_schema: TableSchema::builder(Arc::new(Schema::new(fields)))
            .with_table_partition_cols(path_fields)
            .build(),
        stats: Arc::new(ScanStats::default()),
        rejects: Arc::new(NoRejects),
        rows,
    };
    in_order(Arc::new(files), &schema).map(Some)
}

/// `files` with its columns in the order of `schema`: those that paths spell come last otherwise.
fn in_order(files: Arc<dyn TableProvider>, schema: &Schema) -> Result<Arc<dyn TableProvider>> {
    let same = files.schema().fields().iter().zip(schema.fields()).all(|(a, b)| a.name() == b.name());
    if same {
        return Ok(files);
    }
    let columns = schema.fields().iter().map(|field| ident(field.name()));
    let plan = LogicalPlanBuilder::scan("files", provider_as_source(files), None)?.project(columns)?.build()?;
    Ok(Arc::new(ViewTable::new(plan, None)))
}

/// The values of a file's partition columns; none if one cannot be read.
fn path_values(fields: &[FieldRef], values: &HashMap<String, Option<String>>) -> Option<Vec<ScalarValue>> {
    let value = |field: &FieldRef| match values.get(field.name()) {
        None | Some(None) => ScalarValue::try_from(field.data_type()).ok(),
        Some(Some(text)) => ScalarValue::Utf8(Some(text.clone())).cast_to(field.data_type()).ok(),
    };
    fields.iter().map(value).collect()
}
