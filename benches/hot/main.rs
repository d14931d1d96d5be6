//! The hot pieces, each alone: `cargo bench --bench hot [-- NAME]`.
//!
//! What a whole job costs, beside other engines, is told by `benches/peers/run`.

use std::io::Write;
use std::sync::Arc;

use c360::diag::SourceFile;
use c360::engine::formats::{self, NoRejects, ScanSpec};
use c360::graph::{Dag, Direction};
use c360::jinja::{Environment, Interpreter, NoContext, Options, parse_blocks, parse_template};
use c360::node::Relation;
use c360::warehouse::{Commit, Warehouse};
use datafusion::arrow::array::RecordBatch;
use datafusion::execution::SessionStateBuilder;
use datafusion::prelude::{SessionConfig, SessionContext};
use deltalake::delta_datafusion::planner::DeltaPlanner;
use divan::{Bencher, counter::BytesCount, counter::ItemsCount};
use tokio::runtime::Runtime;

fn main() {
    divan::main();
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime")
}

fn context() -> SessionContext {
    let config = SessionConfig::new().with_target_partitions(2);
    let builder = SessionStateBuilder::new().with_config(config).with_default_features();
    let context = SessionContext::new_with_state(builder.with_query_planner(DeltaPlanner::new()).build());
    c360::engine::functions::register(&context).expect("functions");
    context
}

fn rows(runtime: &Runtime, context: &SessionContext, sql: &str) -> Vec<RecordBatch> {
    runtime.block_on(async { context.sql(sql).await?.collect().await }).expect("rows")
}

/// Two fields of nested objects out of a file of 200,000 lines; the others are passed over.
#[divan::bench(sample_count = 10)]
fn json_lines(bencher: Bencher) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("log.json");
    let mut file = std::io::BufWriter::new(std::fs::File::create(&path).expect("a file"));
    for n in 0..200_000_u64 {
        let (contract, device) = (n * 7919 % 22_000, n * 104_729 % 30_000);
        writeln!(
            file,
            r#"{{"_index":"history","_type":"vod","_id":"AX_{n:016}","_score":0,"_source":{{"Contract":"HNH{contract:06}","Mac":"B046FC{device:06}","TotalDuration":{},"AppName":"VOD"}}}}"#,
            n % 86_400
        )
        .expect("a line");
    }
    drop(file);
    let size = std::fs::metadata(&path).expect("a file").len();
    let (runtime, context) = (runtime(), context());
    let mut spec = ScanSpec::new("log", path.display().to_string(), formats::Format::Json);
    let kind = r#"struct<"Contract" varchar, "Mac" varchar, "TotalDuration" bigint, "AppName" varchar>"#;
    spec.columns = Some(vec![formats::ColumnSpec { name: "_source".into(), data_type: kind.into() }]);
    let opened = runtime.block_on(formats::open(&context.state(), Arc::new(spec), Arc::new(NoRejects)));
    context.register_table("log", opened.expect("a source").provider).expect("a table");
    let sql = "select max(_source['Contract']), sum(_source['TotalDuration']) from log";
    bencher.counter(BytesCount::new(size)).bench_local(|| rows(&runtime, &context, sql));
}

/// Distinct counts of text with many values and of a date with few, beside a sum.
#[divan::bench(args = [1_000, 100_000], sample_count = 10)]
fn distinct_counts(bencher: Bencher, groups: u64) {
    let (runtime, context) = (runtime(), context());
    let made = format!(
        "select concat('HNH', value % {groups}) as contract, concat('B046FC', (value * 7919) % {groups}) as mac,
                date '2022-04-01' + cast(value / {groups} * 7 % 30 as int) as day, value % 86400 as seconds
         from generate_series(0, 999999)"
    );
    let batches = rows(&runtime, &context, &made);
    let table = datafusion::datasource::MemTable::try_new(batches[0].schema(), vec![batches]).expect("a table");
    context.register_table("log", Arc::new(table)).expect("a table");
    let sql = "select contract, count(distinct mac), count(distinct day), sum(seconds) from log group by contract";
    bencher.counter(ItemsCount::new(1_000_000_usize)).bench_local(|| rows(&runtime, &context, sql));
}

/// A million rows of five columns become a table.
#[divan::bench(sample_count = 5)]
fn delta_write(bencher: Bencher) {
    let folder = tempfile::tempdir().expect("a folder");
    let (runtime, context) = (runtime(), context());
    let made = "select concat('HNH', value % 90001) as contract, value * 7919 % 1000003 as spent, value % 31 as days,
                       case value % 5 when 0 then 'Sport' when 1 then 'Movies' else 'TV' end as most, value as id
                from generate_series(0, 999999)";
    let batches = rows(&runtime, &context, made);
    let warehouse = Warehouse::open("warehouse", folder.path(), Default::default()).expect("a warehouse");
    let relation = Relation::new("c360", "main", "written");
    bencher.counter(ItemsCount::new(1_000_000_usize)).bench_local(|| {
        runtime.block_on(async {
            let plan =
                context.read_batches(batches.clone()).expect("rows").create_physical_plan().await.expect("a plan");
            let commit = Commit::new("bench", "bench");
            warehouse.overwrite(&context.state(), &relation, plan, &Arc::default(), &commit).await.expect("a commit")
        })
    });
}

/// 10,000 nodes with three parents each: their order, and what is downstream of one in a hundred.
#[divan::bench]
fn graph(bencher: Bencher) {
    let mut dag = Dag::new(10_000);
    for node in 100..10_000_u32 {
        (1..=3).for_each(|n| dag.add_edge((node - 1).wrapping_mul(7919 * n) % node, node));
    }
    let starts: Vec<u32> = (0..10_000).step_by(100).collect();
    bencher.bench_local(|| (dag.order().map(|order| order.len()), dag.reach(&starts, Direction::Downstream, None)));
}

/// A model that loops over columns and calls a macro for each.
#[divan::bench]
fn jinja(bencher: Bencher) {
    let mut environment = Environment::new("bench");
    let macros = "{% macro column(name, n) -%} sum({{ name }}) filter (where kind = {{ n }}) as {{ name ~ '_' ~ n }} {%- endmacro %}";
    for item in parse_blocks(&SourceFile::new("macros/m.sql", macros), "bench").macros() {
        environment.add_macro(Arc::clone(item));
    }
    let text = "{% set names = ['a', 'b', 'c', 'd'] %}select{% for n in range(25) %}{% for name in names %}
                {{ column(name, n) }},{% endfor %}{% endfor %} count(*) from t";
    let template = parse_template(&SourceFile::new("models/m.sql", text)).expect("a template");
    bencher.bench_local(|| {
        Interpreter::new(&environment, &NoContext, Options::default()).render(&template).expect("text")
    });
}
