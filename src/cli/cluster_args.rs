//! The command line of a cluster's processes.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// The parts of a cluster.
#[derive(Debug, Subcommand)]
pub(crate) enum ClusterVerb {
    /// Run the scheduler: it takes plans from clients and hands their parts to executors
    ///
    /// It keeps jobs in memory: when it ends, the jobs that run end with it, and executors end when they have not heard of
    /// it for a while. `GET /healthz` and `GET /readyz` on its port tell how it is. Stops on Ctrl-C and SIGTERM.
    Scheduler(SchedulerArgs),
    /// Run an executor: it runs parts of plans, keeps what is shuffled, writes tables
    ///
    /// It needs what the profile's warehouse and sources need: the same paths or URLs, and credentials in its own
    /// environment. Stops on Ctrl-C and SIGTERM, after the tasks that run.
    Executor(ExecutorArgs),
}

/// `cluster scheduler`.
#[derive(Debug, Args)]
pub(crate) struct SchedulerArgs {
    /// IP address to listen on; 0.0.0.0 for all. There is no login: only a trusted network should reach it
    #[arg(long, default_value = "127.0.0.1", value_name = "IP")]
    pub(crate) bind_host: String,
    /// Port to listen on
    #[arg(long, default_value_t = 50050, value_name = "PORT")]
    pub(crate) port: u16,
    /// Name under which executors reach it [default: the bind host]
    #[arg(long, value_name = "HOST")]
    pub(crate) external_host: Option<String>,
    /// An executor without a heartbeat for so long counts as dead: its tasks run elsewhere
    #[arg(long, default_value_t = 15, value_name = "SECONDS")]
    pub(crate) executor_timeout: u64,
    /// How long jobs wait for another executor when the last one is lost
    #[arg(long, default_value_t = 30, value_name = "SECONDS")]
    pub(crate) no_executor_timeout: u64,
    /// How often a task is tried whose machine, disk or network failed
    #[arg(long, default_value_t = 4, value_name = "N")]
    pub(crate) task_attempts: usize,
    /// How long the rows of a finished query are kept for its client
    #[arg(long, default_value_t = 300, value_name = "SECONDS")]
    pub(crate) keep_results: u64,
}

/// `cluster executor`.
#[derive(Debug, Args)]
pub(crate) struct ExecutorArgs {
    /// Where the scheduler is
    #[arg(long, default_value = "127.0.0.1:50050", value_name = "HOST:PORT")]
    pub(crate) scheduler: String,
    /// How long to wait for the scheduler at the start
    #[arg(long, default_value_t = 60, value_name = "SECONDS")]
    pub(crate) scheduler_wait: u16,
    /// IP address to listen on; 0.0.0.0 for all. There is no login: only a trusted network should reach it
    #[arg(long, default_value = "127.0.0.1", value_name = "IP")]
    pub(crate) bind_host: String,
    /// Port on which others fetch rows
    #[arg(long, default_value_t = 50051, value_name = "PORT")]
    pub(crate) port: u16,
    /// Port on which the scheduler hands over tasks
    #[arg(long, default_value_t = 50052, value_name = "PORT")]
    pub(crate) grpc_port: u16,
    /// Name under which others reach it [default: the bind host]
    #[arg(long, value_name = "HOST")]
    pub(crate) external_host: Option<String>,
    /// Tasks at once [default: one a core]
    #[arg(long, default_value_t = 0, hide_default_value = true, value_name = "N")]
    pub(crate) vcores: usize,
    /// Folder for shuffles and spills, on a fast local disk; a folder of its own is made in it, and emptied at the end
    /// [default: the system's temporary folder]
    #[arg(long, value_name = "DIR")]
    pub(crate) work_dir: Option<PathBuf>,
    /// Memory for all tasks, such as 8GB [default: seven tenths of the machine's, or of the container's]
    #[arg(long, value_name = "SIZE")]
    pub(crate) memory: Option<String>,
    /// How often to tell the scheduler of being alive
    #[arg(long, default_value_t = 3, value_name = "SECONDS")]
    pub(crate) heartbeat: u64,
    /// How long files of jobs are kept that nobody has removed
    #[arg(long, default_value_t = 86400, value_name = "SECONDS")]
    pub(crate) keep_files: u64,
}
