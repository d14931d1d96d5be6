//! Which plans are shipped, and what is changed before they are.

use std::sync::Arc;

use datafusion::arrow::array::{RecordBatch, RecordBatchOptions, new_null_array};
use datafusion::common::JoinType;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::datasource::memory::MemorySourceConfig;
use datafusion::datasource::source::DataSourceExec;
use datafusion::error::Result;
use datafusion::physical_plan::coalesce_partitions::CoalescePartitionsExec;
use datafusion::physical_plan::empty::EmptyExec;
use datafusion::physical_plan::joins::NestedLoopJoinExec;
use datafusion::physical_plan::memory::LazyMemoryExec;
use datafusion::physical_plan::placeholder_row::PlaceholderRowExec;
use datafusion::physical_plan::{ExecutionPlan, ExecutionPlanProperties, replace_children_if_necessary};

use super::codec::file_scan;

/// Nodes that only one process can run, by name.
const LOCAL: &[&str] = &[
    // Their parts meet in the memory of one process.
    "RecursiveQueryExec",
    "SymmetricHashJoinExec",
    "ScalarSubqueryExec",
    // Deletion vectors and renamed columns.
    "DeltaScanExec",
    // A test of the plan itself.
    "AnalyzeExec",
    "ExplainExec",
];
/// Rows in memory that are sent along with a plan at most, in bytes.
const MEMORY: usize = 4 << 20;

/// True if `plan` is to run on the cluster: it reads files, and nothing in it is bound to this process.
pub(super) fn ships(plan: &Arc<dyn ExecutionPlan>) -> bool {
    let mut reads = false;
    let mut memory = 0;
    let bound = plan.exists(|node| {
        reads |= file_scan(node.as_ref()).is_some();
        memory += memory_of(node.as_ref());
        let foreign = node.children().is_empty() && !is_known_leaf(node.as_ref());
        Ok(foreign || LOCAL.contains(&node.name()) || memory > MEMORY)
    });
    reads && !bound.unwrap_or(true)
}

/// True for leaves that can be sent and cut into partitions; tables of databases are none.
fn is_known_leaf(node: &dyn ExecutionPlan) -> bool {
    let memory = |source: &DataSourceExec| source.data_source().downcast_ref::<MemorySourceConfig>().is_some();
    file_scan(node).is_some()
        || node.downcast_ref::<DataSourceExec>().is_some_and(memory)
        || node.is::<LazyMemoryExec>()
        || node.is::<EmptyExec>()
        || node.is::<PlaceholderRowExec>()
}

/// Bytes of rows that `node` itself holds.
fn memory_of(node: &dyn ExecutionPlan) -> usize {
    let source = node.downcast_ref::<DataSourceExec>();
    let memory = source.and_then(|source| source.data_source().downcast_ref::<MemorySourceConfig>());
    let batches = memory.into_iter().flat_map(|memory| memory.partitions().iter().flatten());
    batches.map(|batch| batch.get_array_memory_size()).sum()
}

/// `plan` in a shape whose partitions know nothing of each other.
///
/// - A nested loop join that gives out rows of its left side, matched or not, marks the matched ones in memory that all
///   partitions of the right side share. Ballista sees to that for hash joins alone; here the right side is made one
///   partition.
/// - Leaves that make rows up (`select 1`, no rows) become rows in memory. In a union, Ballista replaces them by that in
///   the tasks that do not own them, and then refuses the reports of those tasks because they have another number of
///   metrics than the others: the job never ends.
pub(super) fn prepare(plan: Arc<dyn ExecutionPlan>) -> Result<Arc<dyn ExecutionPlan>> {
    let prepared = plan.transform_up(|node| {
        if let Some(join) = node.downcast_ref::<NestedLoopJoinExec>() {
            return gathered(Arc::clone(&node), join);
        }
        let rows = match made_up(node.as_ref())? {
            Some(rows) => rows,
            None => return Ok(Transformed::no(node)),
        };
        let leaf: Arc<dyn ExecutionPlan> = MemorySourceConfig::try_new_exec(&rows, node.schema(), None)?;
        Ok(Transformed::yes(leaf))
    })?;
    Ok(prepared.data)
}

/// `node`, which is `join`, with its right side in one partition if it has to be.
fn gathered(node: Arc<dyn ExecutionPlan>, join: &NestedLoopJoinExec) -> Result<Transformed<Arc<dyn ExecutionPlan>>> {
    let right = join.right();
    if !shares_left(*join.join_type()) || right.output_partitioning().partition_count() <= 1 {
        return Ok(Transformed::no(node));
    }
    let right: Arc<dyn ExecutionPlan> = Arc::new(CoalescePartitionsExec::new(Arc::clone(right)));
    let children = vec![Arc::clone(join.left()), right];
    replace_children_if_necessary(node, children).map(Transformed::yes)
}

/// The rows of a leaf that makes them up, by partition; none if `node` is another one.
fn made_up(node: &dyn ExecutionPlan) -> Result<Option<Vec<Vec<RecordBatch>>>> {
    let partitions = node.output_partitioning().partition_count();
    if node.is::<EmptyExec>() {
        return Ok(Some(vec![Vec::new(); partitions]));
    }
    if !node.is::<PlaceholderRowExec>() {
        return Ok(None);
    }
    let schema = node.schema();
    let nulls = schema.fields().iter().map(|field| new_null_array(field.data_type(), 1)).collect();
    let options = RecordBatchOptions::new().with_row_count(Some(1));
    let row = RecordBatch::try_new_with_options(schema, nulls, &options)?;
    Ok(Some(vec![vec![row]; partitions]))
}

fn shares_left(join: JoinType) -> bool {
    matches!(join, JoinType::Left | JoinType::Full | JoinType::LeftSemi | JoinType::LeftAnti | JoinType::LeftMark)
}

/// Scans of ours in `plan` that may leave out records.
pub(super) fn may_reject(plan: &Arc<dyn ExecutionPlan>) -> bool {
    use crate::engine::formats::{BadRecords, spec_of};
    let mut rejects = false;
    // The closure never fails.
    let _ = plan.apply(|node| {
        let spec = file_scan(node.as_ref()).and_then(|scan| spec_of(scan.file_source().as_ref()));
        rejects |= spec.is_some_and(|spec| spec.bad_records != BadRecords::Fail);
        Ok(if rejects { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
    });
    rejects
}

/// How many bad records each source in `plan` may leave out, by its name.
pub(super) fn limits(plan: &Arc<dyn ExecutionPlan>) -> std::collections::BTreeMap<String, u64> {
    let mut limits = std::collections::BTreeMap::new();
    // The closure never fails.
    let _ = plan.apply(|node| {
        let scan = file_scan(node.as_ref());
        let spec = scan.and_then(|scan| crate::engine::formats::spec_of(scan.file_source().as_ref()));
        if let Some((spec, max)) = spec.and_then(|spec| Some((spec, spec.max_bad_records?))) {
            limits.insert(spec.name.clone(), max);
        }
        Ok(TreeNodeRecursion::Continue)
    });
    limits
}
