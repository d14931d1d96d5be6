//! The client's side: plans become jobs, jobs become rows.

use std::sync::Arc;

use async_trait::async_trait;
use ballista_core::client::BallistaClient;
use ballista_core::serde::protobuf::PartitionLocation;
use datafusion::arrow::datatypes::SchemaRef;
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
use super::job::{Places, Scheduler};
use super::prepare::{limits, may_reject, prepare, ships};
use super::session::{MAX_MESSAGE, Shipped, partitions};
use super::spool::SpoolFolder;
use crate::diag::{Diagnostic, codes};
use crate::engine::quarantine::Quarantine;
use crate::engine::remote::{Remote, RemoteExec};
use crate::failure::execution_error;
use crate::project::ClusterOptions;
use crate::warehouse::{PartFilesExec, store_url};

/// How often a write is tried again whose executors were lost when it was nearly done.
const ATTEMPTS: usize = 3;

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
    ) -> crate::diag::Result<Places> {
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

    /// A folder for what the scans of `plan` reject, if they may.
    fn spool_for(
        &self,
        plan: &Arc<dyn ExecutionPlan>,
        config: &mut SessionConfig,
        context: &TaskContext,
    ) -> Result<Option<SpoolFolder>> {
        let Some(spool) = self.spool.as_ref().filter(|_| may_reject(plan)) else { return Ok(None) };
        let url = spool.join(&format!("{}/", uuid::Uuid::new_v4().simple()));
        let url = url.map_err(|error| DataFusionError::External(Box::new(error)))?;
        config.options_mut().set(Shipped::REJECTS, url.as_str())?;
        SpoolFolder::new(context.runtime_env().object_store(store_url(&url)?)?, &url).map(Some)
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
        let failed = |error: Box<Diagnostic>| DataFusionError::External(error);
        let schema = plan.schema();
        let plan = prepare(plan)?;
        if !plan.is::<PartFilesExec>() {
            let places = self.finish(&plan, &context, &metrics).await.map_err(failed)?;
            return Ok(rows(schema, places));
        }
        // The names of written files are few, and an executor that dies with some of them takes the write with it: they
        // are fetched whole, or the write is made again.
        let mut attempt = 1;
        loop {
            let places = self.finish(&plan, &context, &metrics).await.map_err(failed)?;
            match common::collect(rows(Arc::clone(&schema), places)).await {
                Ok(batches) => {
                    let rows = futures::stream::iter(batches.into_iter().map(Ok));
                    return Ok(Box::pin(RecordBatchStreamAdapter::new(schema, rows)));
                }
                Err(error) if attempt == ATTEMPTS => return Err(error),
                Err(error) => tracing::warn!("a write on the cluster is tried again: {error}"),
            }
            attempt += 1;
        }
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
