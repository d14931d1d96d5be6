//! Rows in the order of a key, in little memory.
//!
//! A sort keeps what the pool gives it, and the pool is made for joins and aggregates. A publish waits for a database, so
//! it gains nothing by that: a few sorters that hold some megabytes each and spill the rest are as fast. The limit is on
//! these sorters alone; what the relation itself needs (it may be a view with joins) comes from the pool as ever.
//!
//! Arrow's text views share the buffers that they were read into. A sort mixes them, and then a handful of rows keeps the
//! buffers of thousands alive. So texts are copied into arrays of their own while they are sorted.

use std::fmt;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
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
use futures::StreamExt;

/// Sorters that work side by side, at most.
const SORTERS: usize = 4;
/// Bytes that a sorter holds before it spills.
const SORTER_BYTES: usize = 16 << 20;
/// Bytes of the spilled files' batches that a sorter merges at once; it merges in several rounds if there are more.
const MERGE_BYTES: usize = 24 << 20;
/// Bytes of these that it keeps back from the start.
const KEPT_BYTES: usize = 4 << 20;
/// Rows of the batches that are sorted and merged.
const SORT_ROWS: usize = 2048;

/// The rows of `frame`, sorted ascending by `order` (names of columns).
pub(super) async fn sorted(frame: DataFrame, order: &[String]) -> Result<SendableRecordBatchStream> {
    let (state, plan) = frame.into_parts();
    let plan = state.create_physical_plan(&plan).await?;
    let plan = few_partitions(plan)?;
    let (schema, task, count) = (plan.schema(), state.task_ctx(), plan.output_partitioning().partition_count());
    let compact = compacted(&schema);
    let partitions = (0..count)
        .map(|number| {
            Arc::new(Part { plan: Arc::clone(&plan), task: Arc::clone(&task), number, schema: Arc::clone(&compact) })
        })
        .map(|part| part as Arc<dyn PartitionStream>)
        .collect();
    let table = StreamingTable::try_new(Arc::clone(&compact), partitions)?;

    let mut runtime = (**state.runtime_env()).clone();
    runtime.memory_pool = Arc::new(SmallSorters(runtime.memory_pool));
    let mut config = state.config().clone().with_target_partitions(count).with_batch_size(SORT_ROWS);
    config.options_mut().execution.sort_spill_reservation_bytes = KEPT_BYTES;
    // A state of DataFusion's own: the sort needs no catalog and no planner of ours.
    let own =
        SessionStateBuilder::new().with_config(config).with_runtime_env(Arc::new(runtime)).with_default_features();
    let order = order.iter().map(|name| ident(name.as_str()).sort(true, true)).collect();
    let frame = SessionContext::new_with_state(own.build()).read_table(Arc::new(table))?.sort(order)?;
    Ok(as_schema(frame.execute_stream().await?, schema))
}

/// `schema` with arrays of their own for texts and bytes.
fn compacted(schema: &SchemaRef) -> SchemaRef {
    let field = |field: &Arc<Field>| match field.data_type() {
        DataType::Utf8View => field.as_ref().clone().with_data_type(DataType::LargeUtf8),
        DataType::BinaryView => field.as_ref().clone().with_data_type(DataType::LargeBinary),
        _ => field.as_ref().clone(),
    };
    Arc::new(Schema::new(schema.fields().iter().map(field).collect::<Vec<_>>()))
}

/// The batches of `stream` with the types of `schema`.
fn as_schema(stream: SendableRecordBatchStream, schema: SchemaRef) -> SendableRecordBatchStream {
    let types = Arc::clone(&schema);
    let batches = stream.map(move |batch| {
        let batch = batch?;
        let cast = |(column, field): (&ArrayRef, &Arc<Field>)| cast(column, field.data_type());
        let columns = batch.columns().iter().zip(types.fields()).map(cast).collect::<std::result::Result<_, _>>()?;
        let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
        Ok(RecordBatch::try_new_with_options(Arc::clone(&types), columns, &options)?)
    });
    Box::pin(RecordBatchStreamAdapter::new(schema, batches))
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
        match self.plan.execute(self.number, Arc::clone(&self.task)) {
            Ok(stream) => as_schema(stream, Arc::clone(&self.schema)),
            Err(error) => {
                let failed = futures::stream::once(async move { Err(error) });
                Box::pin(RecordBatchStreamAdapter::new(Arc::clone(&self.schema), failed))
            }
        }
    }
}

/// A pool that gives sorters no more than they should have. One batch more each may have, however large it is.
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
        let (held, consumer) = (reservation.size(), reservation.consumer());
        let limit = match consumer.can_spill() {
            true => SORTER_BYTES,
            false if consumer.name().starts_with("ExternalSorterMerge") => MERGE_BYTES,
            false => usize::MAX,
        };
        if held > KEPT_BYTES && held.saturating_add(additional) > limit {
            return Err(resources_datafusion_err!("`{}` of a publish holds {limit} bytes at most", consumer.name()));
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
    use arrow::array::{AsArray, Int64Array, StringViewArray};
    use arrow::datatypes::Int64Type;
    use datafusion::datasource::MemTable;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use datafusion::execution::memory_pool::GreedyMemoryPool;
    use datafusion::execution::runtime_env::RuntimeEnvBuilder;
    use datafusion::prelude::SessionConfig;
    use futures::TryStreamExt;

    use super::*;

    /// A large pool that remembers how much of it was used.
    #[derive(Debug)]
    struct Meter(GreedyMemoryPool, AtomicUsize);

    impl fmt::Display for Meter {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("meter")
        }
    }

    impl MemoryPool for Meter {
        fn name(&self) -> &str {
            "meter"
        }

        fn grow(&self, reservation: &MemoryReservation, additional: usize) {
            self.0.grow(reservation, additional);
            self.1.fetch_max(self.0.reserved(), Ordering::SeqCst);
        }

        fn shrink(&self, reservation: &MemoryReservation, shrink: usize) {
            self.0.shrink(reservation, shrink);
        }

        fn try_grow(&self, reservation: &MemoryReservation, additional: usize) -> Result<()> {
            self.0.try_grow(reservation, additional)?;
            self.1.fetch_max(self.0.reserved(), Ordering::SeqCst);
            Ok(())
        }

        fn reserved(&self) -> usize {
            self.0.reserved()
        }
    }

    const ROWS: i64 = 400_000;

    /// Rows of some 200 bytes in several partitions, in no order.
    fn table(partitions: i64) -> MemTable {
        let batch = |from: i64| {
            let ids = (from..from + 4000).map(mixed);
            let text: ArrayRef =
                Arc::new(StringViewArray::from_iter_values(ids.clone().map(|id| format!("{id:0>200}"))));
            let ids: ArrayRef = Arc::new(Int64Array::from_iter_values(ids));
            RecordBatch::try_from_iter([("id", ids), ("text", text)]).expect("a batch")
        };
        let part =
            |number: i64| (0..ROWS / 4000).filter(|at| at % partitions == number).map(|at| batch(at * 4000)).collect();
        let parts: Vec<Vec<RecordBatch>> = (0..partitions).map(part).collect();
        MemTable::try_new(parts[0][0].schema(), parts).expect("a table")
    }

    /// Different numbers for different ones: the modulus is a prime.
    fn mixed(id: i64) -> i64 {
        id * 7_919 % 400_009
    }

    #[tokio::test]
    async fn many_rows_are_sorted_in_little_memory() {
        for (partitions, limit) in [(1, 48 << 20), (10, 110 << 20)] {
            let pool = Arc::new(Meter(GreedyMemoryPool::new(4 << 30), AtomicUsize::new(0)));
            let runtime = RuntimeEnvBuilder::new().with_memory_pool(Arc::clone(&pool) as _).build_arc();
            let config = SessionConfig::new().with_target_partitions(2);
            let context = SessionContext::new_with_config_rt(config, runtime.expect("an environment"));
            let frame = context.read_table(Arc::new(table(partitions))).expect("a frame");
            let stream = sorted(frame, &["id".to_string()]).await.expect("a stream");
            let batches: Vec<RecordBatch> = stream.try_collect().await.expect("rows");
            let ids = batches.iter().flat_map(|batch| batch.column(0).as_primitive::<Int64Type>().values().to_vec());
            let mut expected: Vec<i64> = (0..ROWS).map(mixed).collect();
            expected.sort_unstable();
            assert!(ids.eq(expected), "{partitions}");
            for batch in &batches {
                let (ids, texts) = (batch.column(0).as_primitive::<Int64Type>(), batch.column(1).as_string_view());
                assert_eq!(texts.value(0), format!("{:0>200}", ids.value(0)));
            }
            let peak = pool.1.load(Ordering::SeqCst);
            assert!(peak < limit, "{partitions}: {peak}");
        }
    }
}
