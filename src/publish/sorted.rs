//! Rows in the order of a key, in little memory.
//!
//! A sort keeps what the pool gives it, and the pool is made for joins and aggregates. A publish waits for a database, so
//! it gains nothing by that: a few sorters that hold some megabytes each and spill the rest are as fast. The limit is on
//! these sorters alone; what the relation itself needs (it may be a view with joins) comes from the pool as ever.

use std::fmt;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use datafusion::catalog::streaming::StreamingTable;
use datafusion::common::resources_datafusion_err;
use datafusion::dataframe::DataFrame;
use datafusion::error::Result;
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryLimit, MemoryPool, MemoryReservation};
use datafusion::execution::{SendableRecordBatchStream, SessionStateBuilder, TaskContext};
use datafusion::physical_plan::repartition::RepartitionExec;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::streaming::PartitionStream;
use datafusion::physical_plan::{ExecutionPlan, ExecutionPlanProperties, Partitioning};
use datafusion::prelude::{SessionContext, ident};

/// Sorters that work side by side, at most.
const SORTERS: usize = 4;
/// Bytes that a sorter holds before it spills. One batch it may always hold.
const SORTER_BYTES: usize = 16 << 20;
/// Bytes that a sorter keeps back for merging.
const MERGE_BYTES: usize = 4 << 20;

/// The rows of `frame`, sorted ascending by `order` (names of columns).
pub(super) async fn sorted(frame: DataFrame, order: &[String]) -> Result<SendableRecordBatchStream> {
    let (state, plan) = frame.into_parts();
    let plan = state.create_physical_plan(&plan).await?;
    let plan = few_partitions(plan)?;
    let (schema, task) = (plan.schema(), state.task_ctx());
    let partitions = (0..plan.output_partitioning().partition_count())
        .map(|number| {
            Arc::new(Part { plan: Arc::clone(&plan), task: Arc::clone(&task), number, schema: Arc::clone(&schema) })
        })
        .map(|part| part as Arc<dyn PartitionStream>)
        .collect();
    let table = StreamingTable::try_new(schema, partitions)?;

    let mut runtime = (**state.runtime_env()).clone();
    runtime.memory_pool = Arc::new(SmallSorters(runtime.memory_pool));
    let mut config = state.config().clone().with_target_partitions(SORTERS);
    config.options_mut().execution.sort_spill_reservation_bytes = MERGE_BYTES;
    // A state of DataFusion's own: the sort needs no catalog and no planner of ours.
    let own =
        SessionStateBuilder::new().with_config(config).with_runtime_env(Arc::new(runtime)).with_default_features();
    let order = order.iter().map(|name| ident(name.as_str()).sort(true, true)).collect();
    SessionContext::new_with_state(own.build()).read_table(Arc::new(table))?.sort(order)?.execute_stream().await
}

/// Every partition gets a sorter, and a large machine has many partitions.
fn few_partitions(plan: Arc<dyn ExecutionPlan>) -> Result<Arc<dyn ExecutionPlan>> {
    match plan.output_partitioning().partition_count() > SORTERS {
        true => Ok(Arc::new(RepartitionExec::try_new(plan, Partitioning::RoundRobinBatch(SORTERS))?)),
        false => Ok(plan),
    }
}

/// A partition of the unsorted rows, run with the memory that it would have without the sort.
#[derive(Debug)]
struct Part {
    plan: Arc<dyn ExecutionPlan>,
    task: Arc<TaskContext>,
    number: usize,
    schema: SchemaRef,
}

impl PartitionStream for Part {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, _: Arc<TaskContext>) -> SendableRecordBatchStream {
        self.plan.execute(self.number, Arc::clone(&self.task)).unwrap_or_else(|error| {
            let failed = futures::stream::once(async move { Err(error) });
            Box::pin(RecordBatchStreamAdapter::new(Arc::clone(&self.schema), failed))
        })
    }
}

/// A pool that lets consumers who can spill hold [`SORTER_BYTES`] each.
#[derive(Debug)]
struct SmallSorters(Arc<dyn MemoryPool>);

impl fmt::Display for SmallSorters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "small sorters({})", self.0)
    }
}

impl MemoryPool for SmallSorters {
    fn name(&self) -> &str {
        "small sorters"
    }

    fn register(&self, consumer: &MemoryConsumer) {
        self.0.register(consumer);
    }

    fn unregister(&self, consumer: &MemoryConsumer) {
        self.0.unregister(consumer);
    }

    fn grow(&self, reservation: &MemoryReservation, additional: usize) {
        self.0.grow(reservation, additional);
    }

    fn shrink(&self, reservation: &MemoryReservation, shrink: usize) {
        self.0.shrink(reservation, shrink);
    }

    fn try_grow(&self, reservation: &MemoryReservation, additional: usize) -> Result<()> {
        let held = reservation.size();
        if reservation.consumer().can_spill() && held > 0 && held + additional > SORTER_BYTES {
            return Err(resources_datafusion_err!("a sorter of a publish holds {SORTER_BYTES} bytes at most"));
        }
        self.0.try_grow(reservation, additional)
    }

    fn reserved(&self) -> usize {
        self.0.reserved()
    }

    fn memory_limit(&self) -> MemoryLimit {
        self.0.memory_limit()
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::{ArrayRef, AsArray, Int64Array, RecordBatch, StringArray};
    use arrow::datatypes::Int64Type;
    use datafusion::datasource::MemTable;
    use datafusion::execution::memory_pool::GreedyMemoryPool;
    use datafusion::execution::runtime_env::RuntimeEnvBuilder;
    use datafusion::prelude::SessionConfig;
    use futures::TryStreamExt;

    use super::*;

    /// 200,000 rows of some 200 bytes in several partitions, in no order.
    fn table(partitions: i64) -> MemTable {
        let batch = |from: i64| {
            let ids = (from..from + 4000).map(|id| id * 7_919 % 200_003);
            let text: ArrayRef = Arc::new(StringArray::from_iter_values(ids.clone().map(|id| format!("{id:0>200}"))));
            let ids: ArrayRef = Arc::new(Int64Array::from_iter_values(ids));
            RecordBatch::try_from_iter([("id", ids), ("text", text)]).expect("a batch")
        };
        let part = |number: i64| (0..50).filter(|at| at % partitions == number).map(|at| batch(at * 4000)).collect();
        let parts: Vec<Vec<RecordBatch>> = (0..partitions).map(part).collect();
        MemTable::try_new(parts[0][0].schema(), parts).expect("a table")
    }

    #[tokio::test]
    async fn many_rows_are_sorted_in_little_memory() {
        for (partitions, limit) in [(1, 40 << 20), (2, 60 << 20), (10, 120 << 20)] {
            let pool = Arc::new(GreedyMemoryPool::new(limit));
            let runtime = RuntimeEnvBuilder::new().with_memory_pool(pool).build_arc().expect("an environment");
            let config = SessionConfig::new().with_target_partitions(2);
            let context = SessionContext::new_with_config_rt(config, runtime);
            let frame = context.read_table(Arc::new(table(partitions))).expect("a frame");
            let stream = sorted(frame, &["id".to_string()]).await.expect("a stream");
            let batches: Vec<RecordBatch> = stream.try_collect().await.expect("rows");
            let ids: Vec<i64> = batches
                .iter()
                .flat_map(|batch| batch.column(0).as_primitive::<Int64Type>().values().to_vec())
                .collect();
            let mut expected: Vec<i64> = (0..200_000).map(|id| id * 7_919 % 200_003).collect();
            expected.sort_unstable();
            assert_eq!(ids, expected, "{partitions}");
            for batch in &batches {
                let (id, text) =
                    (batch.column(0).as_primitive::<Int64Type>().value(0), batch.column(1).as_string::<i32>());
                assert_eq!(text.value(0), format!("{id:0>200}"));
            }
        }
    }
}
