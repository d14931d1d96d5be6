//! Texts that are about to be sorted, in buffers of their own.
//!
//! An array of views holds the buffers of the batch that it was cut from, however few of their bytes it shows. A sort counts
//! all of them as its memory, batch by batch, so that it spills long before its rows need to. [`CompactExec`] copies the
//! bytes that are shown where that is a small part of what is held.

use std::fmt;
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, GenericByteViewArray, RecordBatch, RecordBatchOptions};
use datafusion::arrow::datatypes::{ByteViewType, DataType};
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode, TreeNodeRecursion};
use datafusion::common::{Result, internal_err};
use datafusion::execution::TaskContext;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::sorts::sort::SortExec;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, PlanProperties, SendableRecordBatchStream,
};
use futures::StreamExt;

use super::first_rows::over;

/// Bytes that an array may hold without showing them.
const SLACK: usize = 64 << 10;
/// How many times as much as it shows an array may hold.
const TIMES: usize = 2;

/// See the module.
#[derive(Debug)]
pub(super) struct CompactViews;

impl PhysicalOptimizerRule for CompactViews {
    fn optimize(&self, plan: Arc<dyn ExecutionPlan>, _config: &ConfigOptions) -> Result<Arc<dyn ExecutionPlan>> {
        plan.transform_up(|node| match node.downcast_ref::<SortExec>() {
            // Of the first few rows a sort holds no more than those.
            Some(sort) if sort.fetch().is_none() && has_views(sort.input()) => {
                let input = Arc::new(CompactExec { input: Arc::clone(sort.input()) });
                over(&node, vec![input]).map(Transformed::yes)
            }
            _ => Ok(Transformed::no(node)),
        })
        .data()
    }

    fn name(&self) -> &str {
        "compact_views"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

fn has_views(plan: &Arc<dyn ExecutionPlan>) -> bool {
    let is_view = |data_type: &DataType| matches!(data_type, DataType::Utf8View | DataType::BinaryView);
    plan.schema().fields().iter().any(|field| is_view(field.data_type()))
}

/// The rows of its input.
#[derive(Debug)]
struct CompactExec {
    input: Arc<dyn ExecutionPlan>,
}

impl DisplayAs for CompactExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CompactExec")
    }
}

impl ExecutionPlan for CompactExec {
    fn name(&self) -> &str {
        "CompactExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        self.input.properties()
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn maintains_input_order(&self) -> Vec<bool> {
        vec![true]
    }

    fn benefits_from_input_partitioning(&self) -> Vec<bool> {
        vec![false]
    }

    fn apply_expressions(
        &self,
        _visit: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(self: Arc<Self>, mut children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        match (children.pop(), children.is_empty()) {
            (Some(input), true) => Ok(Arc::new(CompactExec { input })),
            _ => internal_err!("CompactExec has one input"),
        }
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let rows = self.input.execute(partition, context)?.map(|batch| compact(&batch?));
        Ok(Box::pin(RecordBatchStreamAdapter::new(self.schema(), rows)))
    }
}

fn compact(batch: &RecordBatch) -> Result<RecordBatch> {
    let column = |array: &ArrayRef| match array.data_type() {
        DataType::Utf8View => compacted(array.as_string_view()).unwrap_or_else(|| Arc::clone(array)),
        DataType::BinaryView => compacted(array.as_binary_view()).unwrap_or_else(|| Arc::clone(array)),
        _ => Arc::clone(array),
    };
    let columns = batch.columns().iter().map(column).collect();
    let rows = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    Ok(RecordBatch::try_new_with_options(batch.schema(), columns, &rows)?)
}

/// A copy that holds what it shows, if `array` holds a lot more.
fn compacted<T: ByteViewType>(array: &GenericByteViewArray<T>) -> Option<ArrayRef> {
    let held: usize = array.data_buffers().iter().map(|buffer| buffer.capacity()).sum();
    let shown = array.total_buffer_bytes_used();
    (held > SLACK + TIMES * shown).then(|| Arc::new(array.gc()) as ArrayRef)
}

#[cfg(test)]
mod tests {
    use super::*;
    use datafusion::arrow::array::StringViewArray;

    #[test]
    fn what_is_not_shown_is_not_held() {
        let all = StringViewArray::from_iter_values((0..10_000).map(|n| format!("a text of some length, number {n}")));
        let few = all.slice(40, 20);
        let copy = compacted(&few).expect("a lot more is held than shown");
        assert_eq!(copy.as_string_view(), &few);
        assert!(copy.get_array_memory_size() < 4_000 && few.get_array_memory_size() > 300_000);
        assert!(compacted(&all).is_none(), "a copy would be no smaller");
    }
}
