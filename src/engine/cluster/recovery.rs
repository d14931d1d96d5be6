//! What happens to jobs when an executor is lost: they are run again from the start.
//!
//! Ballista 55 repairs such a job: tasks that ran on the lost executor, and tasks whose results were there, run again. In a
//! chain of three stages that goes wrong. If results of the first *and* of the second stage are lost while the third one
//! runs, all of the second stage is run again although some of its results are still there; both are then read, and rows
//! are there twice (`StaticExecutionGraph::reset_stages_internal` rolls back a stage that it has just made run again, and
//! forgets which of its tasks were done). A wrong answer is worse than a late one, so the scheduler cancels the jobs that
//! have anything on an executor before it lets Ballista know that the executor is gone, and clients submit them again
//! (`client`). For the same reason a shuffle that cannot be fetched fails its job at once (`stage_max_failures`).
//!
//! Tasks that fail by themselves for a reason of their machine (a disk, a network) are still repeated by Ballista alone:
//! no results are lost by that.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use ballista_core::JobId;
use ballista_core::error::Result;
use ballista_core::serde::protobuf::{ExecutorHeartbeat, task_status};
use ballista_core::serde::scheduler::{ExecutorData, ExecutorMetadata};
use ballista_scheduler::cluster::{BallistaCluster, BoundTask, ClusterState, ClusterStateEventStream, ExecutorSlot};
use ballista_scheduler::config::TaskDistributionPolicy;
use ballista_scheduler::scheduler_server::SchedulerServer;
use ballista_scheduler::state::execution_graph::ExecutionGraphBox;
use ballista_scheduler::state::task_manager::JobInfoCache;
use datafusion_proto::protobuf::{LogicalPlanNode, PhysicalPlanNode};

/// A scheduler.
pub(super) type Server = SchedulerServer<LogicalPlanNode, PhysicalPlanNode>;

/// Ballista's own state of the executors; their end is told to the jobs first.
pub(super) struct Watched {
    inner: Arc<dyn ClusterState>,
    server: OnceLock<Server>,
}

impl Watched {
    /// Watches the executors of `cluster`.
    pub(super) fn of(cluster: &BallistaCluster) -> (Arc<Watched>, BallistaCluster) {
        let watched = Arc::new(Watched { inner: cluster.cluster_state(), server: OnceLock::new() });
        let cluster = BallistaCluster::new(Arc::clone(&watched) as Arc<dyn ClusterState>, cluster.job_state());
        (watched, cluster)
    }

    /// Says whose jobs they are.
    pub(super) fn serve(&self, server: Server) {
        let _ = self.server.set(server);
    }

    /// Cancels the jobs that need something of an executor.
    async fn cancel_jobs_on(&self, executor: &str) {
        let Some(server) = self.server.get() else { return };
        for (job, info) in server.state.task_manager.get_running_job_cache().iter() {
            if !needs(&*info.execution_graph.read().await, executor) {
                continue;
            }
            tracing::warn!("executor {executor} is lost: job {job} has to be run again");
            if let Err(error) = server.cancel_job(job.clone()).await {
                tracing::error!("job {job} cannot be cancelled: {error}");
            }
        }
    }
}

/// True if a task of the job runs on `executor`, or has left its result there.
fn needs(graph: &ExecutionGraphBox, executor: &str) -> bool {
    let tasks = graph.stages().values().filter_map(|stage| stage.task_infos()).flatten();
    let mut executors = tasks.filter_map(|task| match &task.task_status {
        task_status::Status::Running(task) => Some(&task.executor_id),
        task_status::Status::Successful(task) => Some(&task.executor_id),
        task_status::Status::Failed(_) => None,
    });
    executors.any(|id| id == executor)
}

#[async_trait]
impl ClusterState for Watched {
    async fn init(&self) -> Result<()> {
        self.inner.init().await
    }

    async fn bind_schedulable_tasks(
        &self,
        distribution: TaskDistributionPolicy,
        active_jobs: Arc<HashMap<JobId, JobInfoCache>>,
        executors: Option<HashSet<String>>,
    ) -> Result<Vec<BoundTask>> {
        self.inner.bind_schedulable_tasks(distribution, active_jobs, executors).await
    }

    async fn unbind_tasks(&self, executor_slots: Vec<ExecutorSlot>) -> Result<()> {
        self.inner.unbind_tasks(executor_slots).await
    }

    async fn register_executor(&self, metadata: ExecutorMetadata, spec: ExecutorData) -> Result<()> {
        self.inner.register_executor(metadata, spec).await
    }

    async fn save_executor_metadata(&self, metadata: ExecutorMetadata) -> Result<()> {
        self.inner.save_executor_metadata(metadata).await
    }

    async fn get_executor_metadata(&self, executor_id: &str) -> Result<ExecutorMetadata> {
        self.inner.get_executor_metadata(executor_id).await
    }

    async fn registered_executor_metadata(&self) -> Vec<ExecutorMetadata> {
        self.inner.registered_executor_metadata().await
    }

    async fn save_executor_heartbeat(&self, heartbeat: ExecutorHeartbeat) -> Result<()> {
        self.inner.save_executor_heartbeat(heartbeat).await
    }

    async fn remove_executor(&self, executor_id: &str) -> Result<()> {
        self.cancel_jobs_on(executor_id).await;
        self.inner.remove_executor(executor_id).await
    }

    fn executor_heartbeats(&self) -> HashMap<String, ExecutorHeartbeat> {
        self.inner.executor_heartbeats()
    }

    fn get_executor_heartbeat(&self, executor_id: &str) -> Option<ExecutorHeartbeat> {
        self.inner.get_executor_heartbeat(executor_id)
    }

    async fn cluster_state_events(&self) -> Result<ClusterStateEventStream> {
        self.inner.cluster_state_events().await
    }
}
