//! What an executor does around a stage of Ballista's: errors are sealed, rejected records are spooled.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use ballista_core::JobId;
use ballista_core::serde::protobuf::{RuntimeStatsReport, ShuffleWritePartition, TaskColumnStats, WindowStateReport};
use ballista_executor::execution_engine::{DefaultExecutionEngine, ExecutionEngine, QueryStageExecutor};
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::datasource::source::DataSourceExec;
use datafusion::error::Result;
use datafusion::execution::TaskContext;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::metrics::MetricsSet;
use datafusion::prelude::SessionConfig;

use super::codec::file_scan;
use super::envelope::seal;
use super::pool::Pool;
use super::spool;
use crate::engine::formats;

/// Ballista's own engine in our wrapping.
pub(super) struct StageEngine {
    inner: DefaultExecutionEngine,
}

impl StageEngine {
    pub(super) fn new() -> StageEngine {
        StageEngine { inner: DefaultExecutionEngine::with_client_pool(Arc::new(Pool::default())) }
    }
}

impl ExecutionEngine for StageEngine {
    fn create_query_stage_exec(
        &self,
        job_id: JobId,
        stage_id: usize,
        task_id: usize,
        global_output_partition_ids: Vec<usize>,
        plan: Arc<dyn ExecutionPlan>,
        work_dir: &str,
        config: &SessionConfig,
    ) -> Result<Arc<dyn QueryStageExecutor>> {
        let named = plan.transform_up(|node| {
            let named = file_scan(node.as_ref()).and_then(formats::naming);
            Ok(named
                .map_or_else(|| Transformed::no(node), |scan| Transformed::yes(DataSourceExec::from_data_source(scan))))
        });
        let plan = named.map_err(seal)?.data;
        let scans = Arc::clone(&plan);
        let partitions = global_output_partition_ids;
        let inner = self
            .inner
            .create_query_stage_exec(job_id, stage_id, task_id, partitions, plan, work_dir, config)
            .map_err(seal)?;
        Ok(Arc::new(Stage { inner, scans }))
    }
}

#[derive(Debug)]
struct Stage {
    inner: Arc<dyn QueryStageExecutor>,
    /// The plan, for the sinks of its scans: the inner one shares them.
    scans: Arc<dyn ExecutionPlan>,
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

#[async_trait]
impl QueryStageExecutor for Stage {
    async fn execute_query_stage(
        &self,
        task_id: usize,
        context: Arc<TaskContext>,
    ) -> Result<Vec<ShuffleWritePartition>> {
        let done = self.inner.execute_query_stage(task_id, Arc::clone(&context)).await.map_err(seal);
        let spooled = spool::write(&self.scans, &context).await.map_err(seal);
        done.and_then(|done| spooled.map(|()| done))
    }

    fn collect_plan_metrics(&self) -> Vec<MetricsSet> {
        self.inner.collect_plan_metrics()
    }

    fn collect_runtime_stats_reports(&self) -> Vec<RuntimeStatsReport> {
        self.inner.collect_runtime_stats_reports()
    }

    fn collect_window_state_reports(&self) -> Result<Vec<WindowStateReport>> {
        self.inner.collect_window_state_reports()
    }

    fn collect_column_stats(&self) -> Vec<TaskColumnStats> {
        self.inner.collect_column_stats()
    }
}
