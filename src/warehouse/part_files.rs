//! Rows become Parquet files where they are computed.
//!
//! [`PartFilesExec`] stands on top of a plan that runs on a cluster: each partition writes its rows into files of the
//! table's folder, and hands on one row a file, the Delta log's `add` action as JSON. The process that asked for it
//! commits those rows; a file that no row names (of a task that died and ran again) is never part of the table.
//!
//! All files of one write are in a folder of their own below the table's, so that those of a write that failed can be
//! found and removed.

use std::fmt;
use std::sync::{Arc, LazyLock};

use datafusion::arrow::array::{RecordBatch, StringArray};
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties, Partitioning, PlanProperties,
};
use deltalake::datafile::writer::{DeltaWriter, WriterConfig};
use deltalake::kernel::Add;
use futures::{StreamExt, TryStreamExt};
use object_store::ObjectStore;
use object_store::path::Path as StorePath;
use object_store::prefix::PrefixStore;
use serde::{Deserialize, Serialize};
use url::Url;

use super::write::writer_properties;

/// The one column of the rows that come out.
static OUTPUT: LazyLock<SchemaRef> =
    LazyLock::new(|| Arc::new(Schema::new(vec![Field::new("add", DataType::Utf8, false)])));

/// Where the files go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PartFolder {
    /// URL of the table's folder, with a slash at the end.
    pub(crate) table: Url,
    /// Name of the folder below it.
    pub(crate) folder: String,
}

impl PartFolder {
    /// A folder that nobody has written to below the table at `table`.
    pub(crate) fn new(table: Url) -> PartFolder {
        PartFolder { table, folder: format!("part-{}", uuid::Uuid::new_v4().simple()) }
    }

    /// The store that holds the table.
    pub(crate) fn store_url(&self) -> Result<ObjectStoreUrl> {
        store_url(&self.table)
    }

    /// The folder within its store.
    pub(crate) fn path(&self) -> Result<StorePath> {
        Ok(store_path(&self.table)?.join(self.folder.as_str()))
    }
}

/// The store of a URL: its scheme and authority.
pub(crate) fn store_url(url: &Url) -> Result<ObjectStoreUrl> {
    ObjectStoreUrl::parse(&url[..url::Position::BeforePath])
}

/// The path of a URL within its store.
pub(crate) fn store_path(url: &Url) -> Result<StorePath> {
    StorePath::from_url_path(url.path()).map_err(|error| DataFusionError::External(Box::new(error)))
}

/// See the module.
#[derive(Debug)]
pub(crate) struct PartFilesExec {
    input: Arc<dyn ExecutionPlan>,
    target: PartFolder,
    properties: Arc<PlanProperties>,
}

impl PartFilesExec {
    /// Writes the rows of `input` to `target`.
    pub(crate) fn new(input: Arc<dyn ExecutionPlan>, target: PartFolder) -> PartFilesExec {
        let partitions = input.output_partitioning().partition_count();
        let properties = PlanProperties::new(
            EquivalenceProperties::new(Arc::clone(&OUTPUT)),
            Partitioning::UnknownPartitioning(partitions),
            EmissionType::Final,
            Boundedness::Bounded,
        );
        PartFilesExec { input, target, properties: Arc::new(properties) }
    }

    /// Where the files go.
    #[cfg(feature = "cluster")]
    pub(crate) fn target(&self) -> &PartFolder {
        &self.target
    }
}

impl DisplayAs for PartFilesExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PartFilesExec: table={}", self.target.table)
    }
}

impl ExecutionPlan for PartFilesExec {
    fn name(&self) -> &str {
        "PartFilesExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn apply_expressions(
        &self,
        _visit: &mut dyn for<'a> FnMut(&'a Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(self: Arc<Self>, children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        let [input] = <[_; 1]>::try_from(children)
            .map_err(|_| DataFusionError::Internal("PartFilesExec has one child".to_string()))?;
        Ok(Arc::new(PartFilesExec::new(input, self.target.clone())))
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let rows = self.input.execute(partition, Arc::clone(&context))?;
        let target = self.target.clone();
        let files = async move { write(rows, &target, &context).await };
        Ok(Box::pin(RecordBatchStreamAdapter::new(Arc::clone(&OUTPUT), futures::stream::once(files))))
    }
}

/// Writes all rows, and gives back one row a file.
async fn write(mut rows: SendableRecordBatchStream, target: &PartFolder, context: &TaskContext) -> Result<RecordBatch> {
    let failed = |error: deltalake::DeltaTableError| DataFusionError::External(Box::new(error));
    let store = context.runtime_env().object_store(target.store_url()?)?;
    let store: Arc<dyn ObjectStore> = Arc::new(PrefixStore::new(store, target.path()?));
    let properties = Some(writer_properties());
    let config = WriterConfig::new(rows.schema(), Vec::new(), properties, None, None, Default::default(), None);
    let mut writer = DeltaWriter::new(store, config);
    loop {
        let written = match rows.next().await {
            None => break,
            Some(Ok(batch)) if batch.num_rows() == 0 => Ok(()),
            Some(Ok(batch)) => writer.write(&batch).await.map_err(failed),
            Some(Err(error)) => Err(error),
        };
        if let Err(error) = written {
            // Says nothing new if it fails as well.
            let _ = writer.abort().await;
            return Err(error);
        }
    }
    let added = writer.close().await.map_err(failed)?;
    let lines = added.into_iter().map(|add| to_line(add, &target.folder)).collect::<Result<Vec<_>>>()?;
    Ok(RecordBatch::try_new(Arc::clone(&OUTPUT), vec![Arc::new(StringArray::from(lines))])?)
}

/// An action as one row, its path seen from the table.
fn to_line(add: Add, folder: &str) -> Result<String> {
    let add = Add { path: format!("{folder}/{}", add.path), ..add };
    serde_json::to_string(&add).map_err(|error| DataFusionError::External(Box::new(error)))
}

/// The actions behind the rows of a [`PartFilesExec`].
pub(super) async fn added(files: SendableRecordBatchStream) -> Result<Vec<Add>> {
    let batches: Vec<RecordBatch> = files.try_collect().await?;
    let mut added = Vec::new();
    for batch in &batches {
        let lines = datafusion::common::cast::as_string_array(batch.column(0))?;
        for line in lines.iter().flatten() {
            added.push(serde_json::from_str(line).map_err(|error| DataFusionError::External(Box::new(error)))?);
        }
    }
    Ok(added)
}
