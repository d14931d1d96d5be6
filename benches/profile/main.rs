//! What column profiles cost: the same rows written to a table with and without them, in turn.
//!
//! The rows are in memory, so this is the encoding and the commit alone: a model has its query on top of that. What is
//! compared is the time of the processors, where the system tells it: it does not depend on what else the machine does.
//!
//! `cargo bench --bench profile -- [ROWS [ROUNDS]]`. One table has the columns of an event log (ids, texts of few and of many
//! values, times, numbers), one has numbers alone, which is the hardest case: nothing else is as quick to write.
#![expect(clippy::print_stdout, reason = "it is what the program is for")]

use std::sync::Arc;
use std::time::Instant;

use c360::node::Relation;
use c360::warehouse::{Commit, Profiling, Warehouse};
use datafusion::execution::SessionStateBuilder;
use datafusion::prelude::{SessionConfig, SessionContext};
use deltalake::delta_datafusion::planner::DeltaPlanner;

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

/// Queries over a series of numbers `value`.
const TABLES: &[(&str, &str)] = &[
    (
        "events",
        "select concat('HNH', value % 90001) as contract, concat('B046FC', md5(cast(value % 150000 as varchar))) as mac,
                case value % 5 when 0 then 'IPTV' when 1 then 'VOD' when 2 then 'CHILD' when 3 then 'SPORT' end as app,
                date '2022-04-01' + cast(value % 30 as int) as day,
                to_timestamp(1648771200 + value) as at, value % 86400 as seconds,
                cast(value % 99991 as double) / 7 as score, value as id, value % 3 = 0 as active,
                concat('a longer text that somebody wrote about ', value % 7919, ' things') as note
         from generate_series(0, {last})",
    ),
    (
        "numbers",
        "select value as id, value % 1000 as thousand, value * 7919 % 1000003 as spread, cast(value as double) / 3 as x,
                cast(value % 100 as smallint) as small, cast(value % 5000 as decimal(12, 2)) as price
         from generate_series(0, {last})",
    ),
];

fn main() -> Outcome<()> {
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| arg != "--bench").collect();
    let number = |index: usize, default: u64| args.get(index).and_then(|arg| arg.parse().ok()).unwrap_or(default);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(measure(number(0, 2_000_000), number(1, 7) as usize))
}

async fn measure(rows: u64, rounds: usize) -> Outcome<()> {
    let folder = tempfile::tempdir()?;
    let warehouse = Warehouse::open("warehouse", folder.path(), Default::default())?;
    let config = SessionConfig::new().with_target_partitions(2);
    let state = SessionStateBuilder::new_with_default_features()
        .with_config(config)
        .with_query_planner(DeltaPlanner::new())
        .build();
    let context = SessionContext::new_with_state(state.clone());
    for (name, query) in TABLES {
        let batches = context.sql(&query.replace("{last}", &(rows - 1).to_string())).await?.collect().await?;
        let mut times = [Vec::new(), Vec::new()];
        let mut ratios = Vec::new();
        for round in 0..=rounds {
            let mut pair = [0.0; 2];
            for on in [round % 2, 1 - round % 2] {
                let plan = context.read_batches(batches.clone())?.create_physical_plan().await?;
                let profiling = if on == 1 { Profiling::On { hidden: Vec::new() } } else { Profiling::Off };
                let commit = Commit::new("bench", "bench").profiled(profiling);
                let start = (Instant::now(), cpu());
                let relation = Relation::new("c360", "main", name);
                warehouse.overwrite(&state, &relation, plan, &Arc::default(), &commit).await?;
                pair[on] = match (start.1, cpu()) {
                    (Some(before), Some(now)) => now - before,
                    _ => start.0.elapsed().as_secs_f64(),
                };
                warehouse.drop_relation(&relation).await?;
            }
            // The first round warms up.
            if round > 0 {
                ratios.push(pair[1] / pair[0]);
                times.iter_mut().zip(pair).for_each(|(times, time)| times.push(time));
            }
        }
        let [off, on] = times.map(median);
        let columns = batches.first().map_or(0, |batch| batch.num_columns());
        let each = (on - off) * 1e9 / (rows as f64 * columns as f64);
        println!(
            "{name:>8}: {rows} rows of {columns} columns, {off:.3} s without, {on:.3} s with profiles; median ratio {:.3}, {each:.1} ns a value",
            median(ratios)
        );
    }
    Ok(())
}

/// Seconds that all threads have computed so far.
fn cpu() -> Option<f64> {
    let mut nanoseconds = 0.0;
    for task in std::fs::read_dir("/proc/self/task").ok()? {
        let text = std::fs::read_to_string(task.ok()?.path().join("schedstat")).ok()?;
        nanoseconds += text.split_whitespace().next()?.parse::<f64>().ok()?;
    }
    Some(nanoseconds / 1e9)
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
