//! Memory and time of two `count(distinct ..)` beside another aggregate: DataFusion's `count` and ours.
//!
//! `cargo bench --bench distinct_counts -- [GROUPS [ROWS_PER_GROUP]]`; each runs in a process of its own, so that the peak
//! that the operating system gives is its own.
#![expect(clippy::print_stdout, reason = "it is what the program is for")]

use std::process::Command;
use std::time::Instant;

use datafusion::prelude::{SessionConfig, SessionContext};

type Outcome = Result<(), Box<dyn std::error::Error>>;

fn main() -> Outcome {
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| arg != "--bench").collect();
    let number = |index: usize, default: u64| args.get(index).and_then(|arg| arg.parse().ok()).unwrap_or(default);
    if let Some(kind @ ("stock" | "ours")) = args.first().map(String::as_str) {
        return measure(kind, number(1, 112_000), number(2, 10));
    }
    for kind in ["stock", "ours"] {
        let size = [number(0, 112_000).to_string(), number(1, 10).to_string()];
        Command::new(std::env::current_exe()?).arg(kind).args(size).status()?;
    }
    Ok(())
}

fn measure(kind: &str, groups: u64, rows: u64) -> Outcome {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let ctx = SessionContext::new_with_config(SessionConfig::new().with_target_partitions(2));
    if kind == "ours" {
        c360::engine::functions::register(&ctx)?;
    }
    let last = groups * rows - 1;
    let sql = format!(
        "select count(*), sum(devices), sum(days), sum(mean) from (
             select contract, count(distinct mac) as devices, count(distinct day) as days, avg(duration) as mean
             from (
                 select concat('HNH', value % {groups}) as contract,
                        concat('B046FC', (value * 7919) % {groups}) as mac,
                        date '2022-04-01' + cast(value / {groups} * 7 % 30 as int) as day,
                        value % 86400 as duration
                 from generate_series(0, {last})
             )
             group by contract
         )"
    );
    let start = Instant::now();
    let batches = runtime.block_on(async { ctx.sql(&sql).await?.collect().await })?;
    let result = batches.iter().map(|batch| batch.num_rows()).sum::<usize>();
    let seconds = start.elapsed().as_secs_f64();
    println!("{kind:>5}: {groups} groups x {rows} rows, {seconds:.2} s, peak {}, {result} row", peak());
    println!("{}", arrow::util::pretty::pretty_format_batches(&batches)?);
    Ok(())
}

/// The most memory that the process ever had, where the system tells.
fn peak() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok());
    kilobytes.map_or("unknown".to_string(), |kilobytes| format!("{} MB", kilobytes / 1024))
}
