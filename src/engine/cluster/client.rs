//! The client's side: plans become jobs, jobs become rows.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use ballista_core::client::BallistaClient;
use ballista_core::serde::protobuf::PartitionLocation;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::internal_err;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_plan::metrics::{ExecutionPlanMetricsSet, MetricBuilder};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{ExecutionPlan, common};
use datafusion::prelude::SessionConfig;
use datafusion_proto::physical_plan::AsExecutionPlan;
use datafusion_proto::protobuf::PhysicalPlanNode;
use futures::{StreamExt, TryStreamExt};
use url::Url;

use super::codec::Codec;
use super::job::{Ended, Places, Scheduler};
use super::prepare::{limits, may_reject, prepare, ships};
use super::session::{MAX_MESSAGE, Shipped, partitions};
use super::spool::SpoolFiles;
use crate::diag::{Diagnostic, codes};
use crate::engine::quarantine::Quarantine;
use crate::failure::execution_error;
use crate::project::ClusterOptions;
use crate::warehouse::{Remote, RemoteExec};

/// How often a job is run whose executors are lost.
const ATTEMPTS: usize = 6;
/// How long is waited before the second time; longer each time. Some executors are missed only after a while.
const PAUSE: Duration = Duration::from_millis(500);
/// Results up to so many bytes are fetched before anything is made of them.
const SMALL: u64 = 32 << 20;

/// A cluster, as the engine uses it.
#[derive(Debug)]
pub(in crate::engine) struct Cluster {
    scheduler: Scheduler,
    /// The folder below which rejected records are spooled.
    spool: Option<Url>,
    quarantine: Arc<Quarantine>,
    options: ClusterOptions,
}

impl Cluster {
    /// The cluster at an address. Nothing is connected yet.
    pub(in crate::engine) fn new(
        options: ClusterOptions,
        warehouse: &Url,
        quarantine: Arc<Quarantine>,
    ) -> Arc<Cluster> {
        let spool = warehouse.join("_c360/rejects/").ok();
        Arc::new(Cluster { scheduler: Scheduler::new(&options.host, options.port), spool, quarantine, options })
    }

    /// Settings for a plan that is about to be made: into how many parts work is cut depends on the executors.
    pub(in crate::engine) async fn tune(&self, config: SessionConfig) -> crate::diag::Result<SessionConfig> {
        let executors = self.scheduler.executors().await?;
        let partitions = self.options.partitions.unwrap_or_else(|| partitions(executors));
        Ok(config.with_target_partitions(partitions))
    }

    /// `plan` wrapped, if it is one for the cluster.
    pub(in crate::engine) fn wrap(self: &Arc<Self>, plan: Arc<dyn ExecutionPlan>) -> Arc<dyn ExecutionPlan> {
        match ships(&plan) {
            true => Arc::new(RemoteExec::new(plan, Arc::clone(self) as Arc<dyn Remote>)),
            false => plan,
        }
    }

    /// Runs a plan to its end; gives back where its rows are.
    async fn finish(
        &self,
        plan: &Arc<dyn ExecutionPlan>,
        context: &TaskContext,
        metrics: &ExecutionPlanMetricsSet,
    ) -> Result<Places, Ended> {
        let mut config = context.session_config().clone();
        let spool = self.spool_for(plan, &mut config, context).map_err(|error| execution_error(&error))?;
        let bytes = encode(plan).map_err(|error| {
            Diagnostic::error(codes::INTERNAL, "a plan cannot be sent to the cluster").note(error.strip_backtrace())
        })?;
        let job = self.scheduler.submit(bytes, &config, &context.session_id()).await?;
        let ended = job.wait().await;
        let told = match &spool {
            Some(spool) => spool.collect(self.quarantine.as_ref(), &limits(plan)).await,
            None => Ok(()),
        };
        let places = ended?;
        told.map_err(|error| execution_error(&error))?;
        MetricBuilder::new(metrics).spilled_bytes(0).add(job.spilled_bytes().await);
        Ok(places)
    }

    /// Files for what the scans of `plan` reject, if they may.
    fn spool_for(
        &self,
        plan: &Arc<dyn ExecutionPlan>,
        config: &mut SessionConfig,
        context: &TaskContext,
    ) -> Result<Option<SpoolFiles>> {
        let Some(spool) = self.spool.as_ref().filter(|_| may_reject(plan)) else { return Ok(None) };
        let (files, url) = SpoolFiles::new(context, spool)?;
        config.options_mut().set(Shipped::REJECTS, url.as_str())?;
        Ok(Some(files))
    }
}

#[async_trait]
impl Remote for Cluster {
    async fn run(
        &self,
        plan: Arc<dyn ExecutionPlan>,
        context: Arc<TaskContext>,
        metrics: ExecutionPlanMetricsSet,
    ) -> Result<SendableRecordBatchStream> {
        let schema = plan.schema();
        let plan = prepare(plan)?;
        let mut pause = PAUSE;
        for attempt in 1.. {
            let lost = match self.finish(&plan, &context, &metrics).await {
                Ok(places) if !places.fit_in(SMALL) => return Ok(rows(schema, places)),
                // Few rows are fetched whole: an executor that ends in the middle of that costs time alone.
                Ok(places) => match common::collect(rows(Arc::clone(&schema), places)).await {
                    Ok(batches) => {
                        let batches = futures::stream::iter(batches.into_iter().map(Ok));
                        return Ok(Box::pin(RecordBatchStreamAdapter::new(schema, batches)));
                    }
                    Err(error) => execution_error(&error),
                },
                Err(Ended::Lost(why)) => {
                    Diagnostic::error(codes::CLUSTER_FAILED, "executors were lost again and again")
                        .note(why)
                        .help("the logs of the scheduler and the executors tell why")
                }
                Err(Ended::Failed(found)) => return Err(DataFusionError::External(found)),
            };
            if attempt == ATTEMPTS {
                return Err(DataFusionError::External(lost));
            }
            tracing::warn!("a job is run again, because an executor was lost");
            tokio::time::sleep(pause).await;
            pause *= 2;
        }
        internal_err!("a job was neither run nor given up")
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.scheduler.part();
    }
}

/// The bytes of a plan.
fn encode(plan: &Arc<dyn ExecutionPlan>) -> Result<Vec<u8>> {
    let node = PhysicalPlanNode::try_from_physical_plan(Arc::clone(plan), &Codec::default())?;
    let mut bytes = Vec::new();
    node.try_encode(&mut bytes)?;
    Ok(bytes)
}

/// The rows of all partitions, one after the other.
fn rows(schema: SchemaRef, places: Places) -> SendableRecordBatchStream {
    let Places { parts, proxy } = places;
    let parts = futures::stream::iter(parts).then(move |part| fetch(part, proxy.clone())).try_flatten();
    Box::pin(RecordBatchStreamAdapter::new(schema, parts))
}

/// The rows of one partition, from the executor that holds them.
async fn fetch(place: PartitionLocation, proxy: Option<(String, u16)>) -> Result<SendableRecordBatchStream> {
    let lost = |text: String| {
        DataFusionError::External(
            Diagnostic::error(codes::CLUSTER_FAILED, "rows of a finished job cannot be fetched from an executor")
                .note(text)
                .help("the executor may have ended; run it again"),
        )
    };
    let layout = place.layout();
    let executor = place.executor_meta.ok_or_else(|| lost("the scheduler did not say from which".to_string()))?;
    let part = place.partition_id.ok_or_else(|| lost("the scheduler did not say which".to_string()))?;
    let port = u16::try_from(executor.port).unwrap_or_default();
    let (host, asked) = proxy.unwrap_or_else(|| (executor.host.clone(), port));
    let client = BallistaClient::try_new(&host, asked, MAX_MESSAGE, false, None, 3, 500, 0, 0).await;
    let mut client = client.map_err(|error| lost(error.to_string()))?;
    let part = part.into();
    let rows = client.fetch_partition_proxied(&executor.id, &part, place.file_id, layout, &executor.host, port, true);
    let rows = rows.await;
    let rows = rows.map_err(|error| lost(error.to_string()))?;
    let schema = rows.schema();
    let rows = rows.map_err(move |error| lost(error.strip_backtrace()));
    Ok(Box::pin(RecordBatchStreamAdapter::new(schema, rows)))
}
