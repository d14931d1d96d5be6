//! `cluster scheduler` and `cluster executor`.

use super::runtime;
use crate::cli::FINE;
use crate::cli::cluster_args::{ClusterVerb, ExecutorArgs, SchedulerArgs};
use crate::cli::interrupt::interrupts;
use crate::cli::settings::Environment;
use crate::diag::{Diagnostic, Result, codes};
use crate::engine::cluster::{ExecutorOptions, SchedulerOptions, run_executor, run_scheduler};
use crate::project::parse_bytes;

/// What these processes tell unless they are asked for more or less.
const LOG: &str = "warn,c360=info,ballista_core=info,ballista_scheduler=info,ballista_executor=info";

pub(in crate::cli) fn cluster(verb: ClusterVerb, env: &Environment) -> Result<u8> {
    log(env);
    match verb {
        ClusterVerb::Scheduler(args) => runtime()?.block_on(scheduler(args))?,
        ClusterVerb::Executor(args) => runtime()?.block_on(run_executor(executor(args)?))?,
    }
    Ok(FINE)
}

/// Servers log; the levels are those of `C360_LOG` or `RUST_LOG`.
fn log(env: &Environment) {
    let rust = std::env::var("RUST_LOG").ok();
    let filter = tracing_subscriber::EnvFilter::new(env.option("LOG").or(rust.as_deref()).unwrap_or(LOG));
    // It is there already if `C360_LOG` is set.
    let _ = tracing_subscriber::fmt().with_env_filter(filter).with_ansi(false).with_writer(std::io::stderr).try_init();
}

async fn scheduler(args: SchedulerArgs) -> Result<()> {
    let mut interrupts = interrupts();
    let stop = async move {
        // The sender lives as long as the runtime.
        let _ = interrupts.changed().await;
        tracing::info!("the scheduler stops");
    };
    let options = SchedulerOptions {
        bind_host: args.bind_host,
        port: args.port,
        external_host: args.external_host,
        executor_timeout: args.executor_timeout,
        no_executor_timeout: args.no_executor_timeout,
        task_attempts: args.task_attempts,
        keep_results: args.keep_results,
    };
    run_scheduler(options, stop).await
}

fn executor(args: ExecutorArgs) -> Result<ExecutorOptions> {
    let bad = |what: String, help: &str| Diagnostic::error(codes::BAD_ARGUMENT, what).help(help);
    let address = args.scheduler.trim_start_matches("df://").trim_end_matches('/');
    let (host, port) = address.rsplit_once(':').unwrap_or((address, "50050"));
    let port = port.parse().map_err(|_| {
        bad(format!("`--scheduler {}` is no address", args.scheduler), "write HOST:PORT, such as 127.0.0.1:50050")
    })?;
    let memory = args.memory.as_deref().map(|text| {
        parse_bytes(text).ok_or_else(|| bad(format!("`--memory {text}` is no size"), "write a size such as 8GB"))
    });
    let work_dir = args.work_dir.unwrap_or_else(std::env::temp_dir);
    Ok(ExecutorOptions {
        scheduler_host: host.to_string(),
        scheduler_port: port,
        scheduler_wait: args.scheduler_wait,
        bind_host: args.bind_host,
        port: args.port,
        grpc_port: args.grpc_port,
        external_host: args.external_host,
        vcores: args.vcores,
        // What is in the folder goes when the executor ends, so it is one that nobody else has.
        work_dir: work_dir.join(format!("c360-executor-{}", args.port)),
        memory: memory.transpose()?,
        heartbeat: args.heartbeat,
        keep_files: args.keep_files,
    })
}
