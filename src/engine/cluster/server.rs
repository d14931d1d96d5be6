//! The processes of a cluster: Ballista's scheduler and executor with our parts in them.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use ballista_core::utils::GrpcServerConfig;
use ballista_executor::executor_process::{ExecutorProcessConfig, start_executor_process};
use ballista_scheduler::cluster::BallistaCluster;
use ballista_scheduler::config::SchedulerConfig;
use ballista_scheduler::scheduler_process::{create_scheduler, start_grpc_service};

use super::codec::Codec;
use super::recovery::{Server, Watched};
use super::session::{MAX_MESSAGE, function_registry, runtime, server_config, server_session};
use super::stage::StageEngine;
use crate::diag::{Diagnostic, Result, codes};

/// How a scheduler is started.
#[derive(Debug, Clone)]
pub struct SchedulerOptions {
    /// Address to listen on.
    pub bind_host: String,
    /// Port to listen on.
    pub port: u16,
    /// Name under which executors and clients reach it.
    pub external_host: Option<String>,
    /// Seconds after which an executor that sends no heartbeat counts as dead.
    pub executor_timeout: u64,
    /// Seconds that jobs wait for an executor after the last one was lost.
    pub no_executor_timeout: u64,
    /// How often a task that failed for reasons of its machine is tried.
    pub task_attempts: usize,
    /// Seconds that rows of a finished job stay on the executors.
    pub keep_results: u64,
}

/// How an executor is started.
#[derive(Debug, Clone)]
pub struct ExecutorOptions {
    /// The scheduler's host.
    pub scheduler_host: String,
    /// The scheduler's port.
    pub scheduler_port: u16,
    /// Seconds to wait for the scheduler at the start.
    pub scheduler_wait: u16,
    /// Address to listen on.
    pub bind_host: String,
    /// Port for rows.
    pub port: u16,
    /// Port for tasks.
    pub grpc_port: u16,
    /// Name under which the scheduler, other executors and clients reach it.
    pub external_host: Option<String>,
    /// Tasks at once; 0: one a core.
    pub vcores: usize,
    /// Folder for shuffles and spills.
    pub work_dir: PathBuf,
    /// Bytes for all tasks; none: seven tenths of the machine's, or the container's.
    pub memory: Option<u64>,
    /// Seconds between heartbeats.
    pub heartbeat: u64,
    /// Seconds after which forgotten files of jobs are removed.
    pub keep_files: u64,
}

fn failed(what: &str, error: &dyn std::fmt::Display) -> Box<Diagnostic> {
    Diagnostic::error(codes::CLUSTER_FAILED, format!("{what} cannot go on: {error}")).maybe_help(
        is_address(error)
            .then_some("look at `--bind-host` and the ports: the address has to be this machine's, the port free"),
    )
}

/// True if the system refused the address or the port.
fn is_address(error: &dyn std::fmt::Display) -> bool {
    let text = error.to_string();
    ["Cannot assign requested address", "Address already in use", "Address in use", "Permission denied"]
        .iter()
        .any(|words| text.contains(words))
}

/// Runs a scheduler until `stop` is ready.
///
/// # Errors
/// C1010 for an address that is none, C5032 if its port is taken.
pub async fn run_scheduler(options: SchedulerOptions, stop: impl Future<Output = ()>) -> Result<()> {
    let address = address(&options.bind_host, options.port)?;
    let message = u32::try_from(MAX_MESSAGE).unwrap_or(u32::MAX);
    let config = SchedulerConfig {
        external_host: options.external_host.unwrap_or_else(|| options.bind_host.clone()),
        bind_host: options.bind_host,
        bind_port: options.port,
        executor_timeout_seconds: options.executor_timeout,
        expire_dead_executor_interval_seconds: (options.executor_timeout / 4).max(1),
        no_executors_grace_period_seconds: options.no_executor_timeout,
        task_max_failures: options.task_attempts,
        // Results that are lost are not repaired: see `recovery`.
        stage_max_failures: 1,
        finished_job_data_clean_up_interval_seconds: options.keep_results,
        finished_job_state_clean_up_interval_seconds: options.keep_results,
        grpc_server_max_decoding_message_size: message,
        grpc_server_max_encoding_message_size: message,
        grpc_client_max_message_size: message,
        // Clients need to reach the scheduler alone: results are few, tables are written by the executors.
        enable_embedded_flight_proxy: true,
        override_config_producer: Some(Arc::new(server_config)),
        override_session_builder: Some(Arc::new(server_session)),
        override_physical_codec: Some(Arc::new(Codec::default())),
        ..SchedulerConfig::default()
    };
    let start = async {
        let (watched, cluster) = Watched::of(&BallistaCluster::new_from_config(&config).await?);
        let server: Server = create_scheduler(cluster, Arc::new(config)).await?;
        watched.serve(server.clone());
        start_grpc_service(address, server).await
    };
    tokio::select! {
        ended = start => ended.map_err(|error| failed("the scheduler", &error)),
        () = stop => Ok(()),
    }
}

/// Runs an executor until it is told to stop (by a signal, or by its scheduler); tasks that run are finished.
///
/// # Errors
/// C1010 for an address that is none, C5006 if there is no working folder, C5032 if the scheduler cannot be reached.
pub async fn run_executor(options: ExecutorOptions) -> Result<()> {
    address(&options.bind_host, options.port)?;
    std::fs::create_dir_all(&options.work_dir).map_err(|error| {
        Diagnostic::error(codes::STORE_ERROR, format!("`{}` cannot be made: {error}", options.work_dir.display()))
    })?;
    let functions = function_registry().map_err(|error| failed("the executor", &error))?;
    let message = u32::try_from(MAX_MESSAGE).unwrap_or(u32::MAX);
    let work_dir = options.work_dir.clone();
    let config = ExecutorProcessConfig {
        external_host: Some(options.external_host.unwrap_or_else(|| options.bind_host.clone())),
        bind_host: options.bind_host,
        port: options.port,
        grpc_port: options.grpc_port,
        scheduler_host: options.scheduler_host,
        scheduler_port: options.scheduler_port,
        scheduler_connect_timeout_seconds: options.scheduler_wait,
        vcores: match options.vcores {
            0 => std::thread::available_parallelism().map_or(1, usize::from),
            vcores => vcores,
        },
        work_dir: Some(options.work_dir.to_string_lossy().into_owned()),
        job_data_ttl_seconds: options.keep_files,
        job_data_clean_up_interval_seconds: (options.keep_files / 4).max(1),
        grpc_max_decoding_message_size: message,
        grpc_max_encoding_message_size: message,
        grpc_server_config: GrpcServerConfig::default(),
        executor_heartbeat_interval_seconds: options.heartbeat,
        memory_pool_size: options.memory,
        override_execution_engine: Some(Arc::new(StageEngine::new())),
        override_function_registry: Some(Arc::new(functions)),
        override_runtime_producer: Some(Arc::new(move |config| runtime(config, Some(work_dir.clone())))),
        override_config_producer: Some(Arc::new(server_config)),
        override_physical_codec: Some(Arc::new(Codec::default())),
        ..ExecutorProcessConfig::default()
    };
    start_executor_process(Arc::new(config)).await.map_err(|error| failed("the executor", &error))
}

fn address(host: &str, port: u16) -> Result<SocketAddr> {
    format!("{host}:{port}").parse().map_err(|_| {
        Diagnostic::error(codes::BAD_ARGUMENT, format!("`{host}:{port}` is no address to listen on"))
            .help("`--bind-host` is an IP address: 127.0.0.1, or 0.0.0.0 for all of the machine's")
    })
}
