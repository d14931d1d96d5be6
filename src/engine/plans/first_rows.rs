//! `row_number() over (partition by k order by o) = 1`: the first row for each key.
//!
//! The window operator numbers every row and a filter throws nearly all of them away. Its input is sorted by key and order,
//! so what is asked for is the first row of each run of equal keys: [`FirstRowsExec`] takes these and looks at nothing else.

use std::fmt;
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, RecordBatch, UInt64Array};
use datafusion::arrow::compute::{partition, take_record_batch};
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode, TreeNodeRecursion};
use datafusion::common::{Result, ScalarValue, internal_err};
use datafusion::execution::TaskContext;
use datafusion::logical_expr::Operator;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::{BinaryExpr, Column, Literal};
use datafusion::physical_expr::window::StandardWindowExpr;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::execution_plan::{ChildrenPropertiesMode, ReplaceChildrenOptions};
use datafusion::physical_plan::filter::FilterExec;
use datafusion::physical_plan::metrics::{BaselineMetrics, ExecutionPlanMetricsSet, MetricsSet, RecordOutput};
use datafusion::physical_plan::projection::ProjectionExec;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::windows::{BoundedWindowAggExec, WindowUDFExpr};
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, InputOrderMode, PlanProperties, SendableRecordBatchStream,
    apply_expression_roots,
};
use futures::StreamExt;

/// See the module.
#[derive(Debug)]
pub(super) struct FirstRows;

impl PhysicalOptimizerRule for FirstRows {
    fn optimize(&self, plan: Arc<dyn ExecutionPlan>, _config: &ConfigOptions) -> Result<Arc<dyn ExecutionPlan>> {
        plan.transform_up(|node| match node.downcast_ref::<FilterExec>() {
            Some(filter) => Ok(match first_rows(filter)? {
                Some(better) => Transformed::yes(better),
                None => Transformed::no(node),
            }),
            None => Ok(Transformed::no(node)),
        })
        .data()
    }

    fn name(&self) -> &str {
        "first_rows"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

/// What `filter` becomes if it keeps the first row of each key alone.
fn first_rows(filter: &FilterExec) -> Result<Option<Arc<dyn ExecutionPlan>>> {
    let Some(mut column) = is_first(filter.predicate()) else { return Ok(None) };
    let mut below = filter.input();
    let projection = below.downcast_ref::<ProjectionExec>();
    if let Some(projection) = projection {
        let Some(inner) = projection.expr()[column].expr.downcast_ref::<Column>() else { return Ok(None) };
        column = inner.index();
        below = projection.input();
    }
    if !below.downcast_ref::<BoundedWindowAggExec>().is_some_and(|window| numbers_rows(window, column)) {
        return Ok(None);
    }
    let rows: Arc<dyn ExecutionPlan> = Arc::new(FirstRowsExec::new(Arc::clone(below)));
    let rows = match projection {
        Some(_) => over(filter.input(), vec![rows])?,
        None => rows,
    };
    let Some(kept) = filter.projection() else { return Ok(Some(rows)) };
    let schema = rows.schema();
    let kept = kept.iter().map(|at| {
        let name = schema.field(*at).name();
        let column: Arc<dyn PhysicalExpr> = Arc::new(Column::new(name, *at));
        (column, name.clone())
    });
    Ok(Some(Arc::new(ProjectionExec::try_new(kept.collect::<Vec<_>>(), rows)?)))
}

/// `plan` over other inputs.
pub(super) fn over(
    plan: &Arc<dyn ExecutionPlan>,
    inputs: Vec<Arc<dyn ExecutionPlan>>,
) -> Result<Arc<dyn ExecutionPlan>> {
    Arc::clone(plan).replace_children(inputs, ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute))
}

/// The column of which `predicate` says that it is 1, or that it is no more.
fn is_first(predicate: &Arc<dyn PhysicalExpr>) -> Option<usize> {
    let comparison = predicate.downcast_ref::<BinaryExpr>()?;
    let column = comparison.left().downcast_ref::<Column>()?;
    let number = match comparison.right().downcast_ref::<Literal>()?.value() {
        ScalarValue::UInt64(Some(number)) => *number,
        _ => return None,
    };
    let first = matches!((comparison.op(), number), (Operator::Eq | Operator::LtEq, 1) | (Operator::Lt, 2));
    first.then(|| column.index())
}

/// True if `column` is the only one that `window` adds, and is the number of a row among those of the same key, which
/// come one after another.
fn numbers_rows(window: &BoundedWindowAggExec, column: usize) -> bool {
    let [function] = window.window_expr() else { return false };
    if column != window.input().schema().fields().len() || window.input_order_mode != InputOrderMode::Sorted {
        return false;
    }
    let standard = function.as_any().downcast_ref::<StandardWindowExpr>();
    let udf = standard.and_then(|expr| expr.get_standard_func_expr().as_any().downcast_ref::<WindowUDFExpr>());
    udf.is_some_and(|udf| udf.fun().name() == "row_number") && !function.partition_by().is_empty()
}

/// The first row of each run of equal keys, with 1 as its number.
#[derive(Debug)]
struct FirstRowsExec {
    /// The window operator in whose place it stands: its schema, its keys, its input.
    window: Arc<dyn ExecutionPlan>,
    metrics: ExecutionPlanMetricsSet,
}

impl FirstRowsExec {
    fn new(window: Arc<dyn ExecutionPlan>) -> FirstRowsExec {
        FirstRowsExec { window, metrics: ExecutionPlanMetricsSet::new() }
    }

    fn keys(&self) -> &[Arc<dyn PhysicalExpr>] {
        let window = self.window.downcast_ref::<BoundedWindowAggExec>();
        window.and_then(|window| window.window_expr().first()).map_or(&[], |function| function.partition_by())
    }
}

impl DisplayAs for FirstRowsExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keys: Vec<String> = self.keys().iter().map(|key| key.to_string()).collect();
        write!(f, "FirstRowsExec: keys=[{}]", keys.join(", "))
    }
}

impl ExecutionPlan for FirstRowsExec {
    fn name(&self) -> &str {
        "FirstRowsExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        self.window.properties()
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        self.window.children()
    }

    fn maintains_input_order(&self) -> Vec<bool> {
        vec![true]
    }

    fn apply_expressions(
        &self,
        visit: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        apply_expression_roots(self.keys().iter(), visit)
    }

    fn with_new_children(self: Arc<Self>, children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(Arc::new(FirstRowsExec::new(over(&self.window, children)?)))
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let [input] = self.children()[..] else { return internal_err!("a window has one input") };
        let rows = input.execute(partition, context)?;
        let metrics = BaselineMetrics::new(&self.metrics, partition);
        let mut runs = Runs { keys: self.keys().to_vec(), schema: self.schema(), last: None };
        let firsts = rows.map(move |batch| {
            let _timer = metrics.elapsed_compute().timer();
            Ok(runs.firsts(&batch?)?.record_output(&metrics))
        });
        Ok(Box::pin(RecordBatchStreamAdapter::new(self.schema(), firsts)))
    }

    fn metrics(&self) -> Option<MetricsSet> {
        Some(self.metrics.clone_inner())
    }
}

/// Where the runs of equal keys start.
struct Runs {
    keys: Vec<Arc<dyn PhysicalExpr>>,
    schema: SchemaRef,
    /// The key of the last row that was seen.
    last: Option<Vec<ScalarValue>>,
}

impl Runs {
    /// The rows of `batch` that are the first ones of their key.
    fn firsts(&mut self, batch: &RecordBatch) -> Result<RecordBatch> {
        let rows = batch.num_rows();
        if rows == 0 {
            return Ok(RecordBatch::new_empty(Arc::clone(&self.schema)));
        }
        let keys =
            self.keys.iter().map(|key| key.evaluate(batch)?.into_array(rows)).collect::<Result<Vec<ArrayRef>>>()?;
        let at = |row: usize| keys.iter().map(|key| ScalarValue::try_from_array(key, row)).collect::<Result<Vec<_>>>();
        let goes_on = self.last.take().is_some_and(|last| at(0).is_ok_and(|first| first == last));
        self.last = Some(at(rows - 1)?);
        let starts = partition(&keys)?.ranges().into_iter().skip(usize::from(goes_on)).map(|run| run.start as u64);
        let starts = UInt64Array::from_iter_values(starts);
        let mut columns = take_record_batch(batch, &starts)?.columns().to_vec();
        columns.push(Arc::new(UInt64Array::from_value(1, starts.len())));
        Ok(RecordBatch::try_new(Arc::clone(&self.schema), columns)?)
    }
}
