//! The scan of a table: ranges of its key, each on a connection of its own.
//!
//! Whichever partition starts first asks for the bounds of the key and cuts the ranges; the others wait for that. On
//! Postgres it also exports its snapshot, and stays until all the others have it: they all see one state of the table. MySQL
//! and SQLite have nothing like that, so there each range has a snapshot of its own.

use std::collections::HashSet;
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use datafusion::arrow::array::{ArrayRef, AsArray, RecordBatch};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Date32Type, Decimal128Type, SchemaRef, TimestampMicrosecondType};
use datafusion::common::Statistics;
use datafusion::common::stats::Precision;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::error::Result as DataFusionResult;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{EquivalenceProperties, Partitioning, PhysicalExpr};
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType};
use datafusion::physical_plan::metrics::{BaselineMetrics, ExecutionPlanMetricsSet, MetricsSet};
use datafusion::physical_plan::stream::{RecordBatchReceiverStreamBuilder, RecordBatchStreamAdapter};
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, PlanProperties};
use futures::StreamExt;
use tokio::sync::OnceCell;
use tokio::sync::mpsc::Sender;

use super::super::formats::into_datafusion;
use super::collect::{Collector, Outlet, Stop, schema_of};
use super::column::{Column, Compare, Table};
use super::failure::{Doing, diagnose};
use super::ranges::{Range, cut};
use super::server::Server;
use super::spec::DatabaseSpec;
use super::statement::Query;

/// Batches that wait between a connection and the plan.
const WAITING: usize = 2;

/// What a scan reads.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) spec: Arc<DatabaseSpec>,
    pub(super) table: Arc<Table>,
    pub(super) query: Query,
    /// The column whose ranges are cut.
    pub(super) key: Option<usize>,
    pub(super) partitions: usize,
}

impl Job {
    fn columns(&self) -> Vec<Column> {
        self.query.projection.iter().map(|at| self.table.columns[*at].clone()).collect()
    }
}

/// What the partitions of one execution share.
#[derive(Default)]
struct Shared {
    cut: OnceCell<Cut>,
    /// Partitions that have what they need of the first one.
    ready: AtomicUsize,
    /// Keeps the exported snapshot alive.
    holder: Mutex<Option<Server>>,
}

/// The ranges of an execution, and the snapshot that they are read in.
#[derive(Clone, Default)]
struct Cut {
    parts: Vec<Vec<Range>>,
    snapshot: Option<String>,
}

/// An execution and the partitions of it that have started. One that starts twice begins another execution.
#[derive(Default)]
struct Run {
    started: HashSet<usize>,
    shared: Arc<Shared>,
}

/// The operator.
pub(super) struct DatabaseScan {
    job: Arc<Job>,
    schema: SchemaRef,
    properties: Arc<PlanProperties>,
    metrics: ExecutionPlanMetricsSet,
    run: Mutex<Run>,
}

impl DatabaseScan {
    pub(super) fn new(job: Job) -> DatabaseScan {
        let schema = schema_of(&job.columns());
        let properties = PlanProperties::new(
            EquivalenceProperties::new(Arc::clone(&schema)),
            Partitioning::UnknownPartitioning(job.partitions),
            EmissionType::Incremental,
            Boundedness::Bounded,
        );
        DatabaseScan {
            job: Arc::new(job),
            schema,
            properties: Arc::new(properties),
            metrics: ExecutionPlanMetricsSet::new(),
            run: Mutex::default(),
        }
    }
}

impl fmt::Debug for DatabaseScan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DatabaseScan({})", self.job.spec.name)
    }
}

impl DisplayAs for DatabaseScan {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Job { spec, table, query, key, partitions } = &*self.job;
        write!(f, "DatabaseScan: {} of `{}`", spec.config.kind(), spec.connection)?;
        if let Some(key) = key.filter(|_| *partitions > 1) {
            write!(f, ", {partitions} ranges of {}", table.columns[key].name)?;
        }
        write!(f, ", {}", query.statement(table, None, &Range::All))
    }
}

impl ExecutionPlan for DatabaseScan {
    fn name(&self) -> &'static str {
        "DatabaseScan"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        Vec::new()
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> DataFusionResult<TreeNodeRecursion>,
    ) -> DataFusionResult<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(self: Arc<Self>, _: Vec<Arc<dyn ExecutionPlan>>) -> DataFusionResult<Arc<dyn ExecutionPlan>> {
        Ok(self)
    }

    fn execute(&self, partition: usize, _: Arc<TaskContext>) -> DataFusionResult<SendableRecordBatchStream> {
        let shared = {
            let mut run = self.run.lock().unwrap_or_else(PoisonError::into_inner);
            if !run.started.insert(partition) {
                *run = Run { started: HashSet::from([partition]), shared: Arc::default() };
            }
            Arc::clone(&run.shared)
        };
        let mut stream = RecordBatchReceiverStreamBuilder::new(Arc::clone(&self.schema), WAITING);
        let (job, sender) = (Arc::clone(&self.job), stream.tx());
        stream.spawn(async move {
            match read(&job, &shared, partition, sender).await {
                Ok(()) => Ok(()),
                Err((doing, stop)) => match diagnose(&job.spec, doing, stop) {
                    Some(found) => Err(into_datafusion(found)),
                    None => Ok(()),
                },
            }
        });
        let baseline = BaselineMetrics::new(&self.metrics, partition);
        let counted = stream.build().inspect(move |batch| {
            if let Ok(batch) = batch {
                baseline.record_output(batch.num_rows());
            }
        });
        Ok(Box::pin(RecordBatchStreamAdapter::new(Arc::clone(&self.schema), counted)))
    }

    fn metrics(&self) -> Option<MetricsSet> {
        Some(self.metrics.clone_inner())
    }

    fn partition_statistics(&self, partition: Option<usize>) -> DataFusionResult<Arc<Statistics>> {
        let mut statistics = Statistics::new_unknown(&self.schema);
        if partition.is_none()
            && let Some(rows) = self.job.table.rows
        {
            statistics.num_rows = Precision::Inexact(usize::try_from(rows).unwrap_or(usize::MAX));
        }
        Ok(Arc::new(statistics))
    }
}

type Failed = (Doing, Stop);

/// Reads one partition.
async fn read(
    job: &Job,
    shared: &Shared,
    partition: usize,
    sender: Sender<DataFusionResult<RecordBatch>>,
) -> Result<(), Failed> {
    let connecting = |stop| (Doing::Connecting, stop);
    let reading = |stop| (Doing::Reading(0), stop);
    let Cut { parts, snapshot } = shared.cut.get_or_try_init(|| prepare(job, shared)).await?.clone();
    let Some(ranges) = parts.get(partition) else {
        let_go(job, shared);
        return Ok(());
    };
    let mut server = Server::connect(&job.spec).await.map_err(connecting)?;
    server.begin(snapshot.as_deref()).await.map_err(reading)?;
    let_go(job, shared);
    let key = job.key.map(|key| job.table.columns[key].name.as_str());
    let outlet = Outlet::Channel(sender.clone());
    let collector = Collector::new(job.columns(), &job.table.to_string(), key, job.spec.fetch_size, outlet);
    let mut collector = collector.map_err(|found| reading(found.into()))?;
    for range in ranges {
        let statement = job.query.statement(&job.table, job.key, range);
        let fetched = tokio::select! {
            fetched = server.fetch(&job.spec, statement, &mut collector) => fetched,
            // A query that finds nothing for long learns here that nobody waits any more.
            () = sender.closed() => Err(Stop::Unwanted),
        };
        fetched.map_err(|stop| (Doing::Reading(collector.sent), stop))?;
    }
    Ok(())
}

/// One more partition needs the first one's snapshot no longer.
fn let_go(job: &Job, shared: &Shared) {
    if shared.ready.fetch_add(1, Ordering::SeqCst) + 1 >= job.partitions {
        shared.holder.lock().unwrap_or_else(PoisonError::into_inner).take();
    }
}

/// Cuts the ranges. With one partition there is nothing to ask.
async fn prepare(job: &Job, shared: &Shared) -> Result<Cut, Failed> {
    let (Some(key), true) = (job.key, job.partitions > 1) else {
        return Ok(Cut { parts: vec![vec![Range::All]], snapshot: None });
    };
    let mut server = Server::connect(&job.spec).await.map_err(|stop| (Doing::Connecting, stop))?;
    let reading = |stop| (Doing::Reading(0), stop);
    server.begin(None).await.map_err(reading)?;
    let snapshot = server.export().await.map_err(reading)?;
    let bounds = bounds(job, key, &mut server).await.map_err(reading)?;
    let column = &job.table.columns[key];
    let parts = match bounds {
        Some((least, greatest)) => cut(column.compare, least, greatest, job.partitions, column.nullable),
        None => vec![vec![Range::All]],
    };
    if snapshot.is_some() {
        *shared.holder.lock().unwrap_or_else(PoisonError::into_inner) = Some(server);
    }
    Ok(Cut { parts, snapshot })
}

/// The least and the greatest value of the key; none if there is none, or none that is of its type.
async fn bounds(job: &Job, key: usize, server: &mut Server) -> Result<Option<(i128, i128)>, Stop> {
    let column = Column { wanted: None, ..job.table.columns[key].clone() };
    let (mut least, mut greatest) = (column.clone(), column);
    least.name = "least".to_string();
    greatest.name = "greatest".to_string();
    let compare = least.compare;
    let mut collector =
        Collector::new(vec![least, greatest], &job.table.to_string(), None, 1, Outlet::Kept(Vec::new()))?;
    match server.fetch(&job.spec, job.query.bounds(&job.table, key), &mut collector).await {
        // The scan will meet the value and say where it is.
        Err(Stop::Found(_)) => return Ok(None),
        other => other?,
    }
    let kept = collector.into_kept();
    let Some(batch) = kept.first() else { return Ok(None) };
    Ok(number(compare, batch.column(0)).zip(number(compare, batch.column(1))))
}

/// The first value of `array` as a number: days, microseconds or itself.
fn number(compare: Compare, array: &ArrayRef) -> Option<i128> {
    if array.is_null(0) {
        return None;
    }
    match compare {
        Compare::Date => Some(array.as_primitive_opt::<Date32Type>()?.value(0).into()),
        Compare::Timestamp { .. } => Some(array.as_primitive_opt::<TimestampMicrosecondType>()?.value(0).into()),
        _ => {
            let wide = cast(array, &DataType::Decimal128(38, 0)).ok()?;
            Some(wide.as_primitive_opt::<Decimal128Type>()?.value(0))
        }
    }
}
