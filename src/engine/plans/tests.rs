//! The rules change plans and never results: each query gives the same with them and without.

use datafusion::arrow::util::pretty::pretty_format_batches;
use datafusion::common::Result;
use datafusion::execution::SessionStateBuilder;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::physical_plan::displayable;
use datafusion::prelude::{SessionConfig, SessionContext};

use super::{spilling, with_rules};

/// Rows in an order of their own, with keys that are NULL, many runs and small batches.
const ROWS: &str = "select case when v % 7 = 0 then null else concat('k', v % 7) end as k, v % 11 as o, \
                    case when v % 5 = 0 then null else concat('value ', v * 7919 % 101) end as t, v \
                    from (select value * 2654435761 % 1009 as v from generate_series(1, 1000))";

fn context(ours: bool) -> SessionContext {
    let config = SessionConfig::new().with_target_partitions(3).with_batch_size(16);
    let builder = SessionStateBuilder::new().with_config(config).with_default_features();
    let builder = if ours { with_rules(builder, true) } else { builder };
    SessionContext::new_with_state(builder.build())
}

async fn plan_and_rows(context: &SessionContext, sql: &str) -> Result<(String, String)> {
    let frame = context.sql(&sql.replace("ROWS", &format!("({ROWS}) as r"))).await?;
    let plan = frame.create_physical_plan().await?;
    let shown = displayable(plan.as_ref()).indent(false).to_string();
    let batches = datafusion::physical_plan::collect(plan, context.task_ctx()).await?;
    let mut lines: Vec<String> = pretty_format_batches(&batches)?.to_string().lines().map(str::to_string).collect();
    lines.sort();
    Ok((shown, lines.join("\n")))
}

/// The plan with the rules, after results were compared.
async fn checked(sql: &str) -> String {
    let (_, expected) = plan_and_rows(&context(false), sql).await.expect("DataFusion's own rows");
    let (plan, rows) = plan_and_rows(&context(true), sql).await.expect("rows");
    assert_eq!(rows, expected, "{sql}\n{plan}");
    assert!(rows.lines().count() > 4, "{rows}");
    plan
}

#[tokio::test]
async fn the_first_row_of_each_key_needs_no_window() {
    for sql in [
        "select k, o, t from (select *, row_number() over (partition by k order by o, v) as n from ROWS) where n = 1",
        "select * from (select *, row_number() over (partition by k, t order by v desc) as n from ROWS) where n <= 1",
        "select k, v from ROWS qualify row_number() over (partition by k order by v) < 2",
    ] {
        let plan = checked(sql).await;
        assert!(plan.contains("FirstRowsExec") && !plan.contains("BoundedWindowAggExec"), "{plan}");
    }
}

#[tokio::test]
async fn other_numbers_stay() {
    for sql in [
        "select k, v from (select *, row_number() over (partition by k order by v) as n from ROWS) where n = 2",
        "select k, v from (select *, row_number() over (order by v) as n from ROWS) where n < 3",
        "select k, v from (select *, rank() over (partition by k order by o) as n from ROWS) where n = 1",
        "select k, v from (select *, row_number() over (partition by k order by v) as n from ROWS) where n = 1 or v = 3",
    ] {
        let plan = checked(sql).await;
        assert!(!plan.contains("FirstRowsExec"), "{plan}");
    }
}

#[tokio::test]
async fn an_extreme_of_a_key_is_the_key() {
    let plan = checked("select k, min(k) as a, max(k) as b, count(*) as n, min(t) from ROWS group by k").await;
    let aggregates: Vec<&str> = plan.lines().filter(|line| line.contains("AggregateExec")).collect();
    assert!(aggregates.iter().all(|line| !line.contains("(r.k)") && line.contains("min(r.t)")), "{plan}");
    let stays = "select k, min(k) filter (where v > 400) as a, min(v) as b from ROWS group by k";
    assert!(checked(stays).await.contains("FILTER"), "{stays}");
    checked("select upper(k), max(upper(k)), min(o) from ROWS group by 1").await;
    checked("select k, t, min(k), count(*) from ROWS group by grouping sets ((k), (t), ())").await;
}

#[tokio::test]
async fn distinct_values_are_counted_once() {
    let sql =
        "select k, count(distinct t), count(distinct o) filter (where v > 300), sum(v), min(t) from ROWS group by k";
    let plan = checked(sql).await;
    assert!(plan.contains("mode=SinglePartitioned") && !plan.contains("mode=Partial"), "{plan}");
    let stays = "select k, count(distinct t), count(distinct o) from ROWS group by rollup (k)";
    assert!(checked(stays).await.contains("mode=Partial"), "{stays}");
    let stays = "select k, t, o, sum(v) from ROWS group by k, t, o";
    assert!(checked(stays).await.contains("mode=Partial"), "{stays}");
}

#[tokio::test]
async fn a_cross_join_holds_the_one_row() {
    let sql = "with r as (select * from ROWS), m as (select max(v) as most, count(*) as n from r) \
               select r.k, r.v, m.most - r.v, m.n from r cross join m where r.v > 990";
    let plan = checked(sql).await;
    let join = plan.lines().position(|line| line.contains("CrossJoinExec")).expect("a cross join");
    let below: Vec<&str> = plan.lines().skip(join + 1).take(3).collect();
    assert!(below.iter().any(|line| line.contains("AggregateExec: mode=Final")), "{plan}");
}

/// Two tables whose sizes are known.
async fn with_tables(limit: usize) -> SessionContext {
    let runtime = RuntimeEnvBuilder::new().with_memory_limit(limit, 1.0).build_arc().expect("a runtime");
    let config = SessionConfig::new().with_target_partitions(3).with_batch_size(16);
    let builder = SessionStateBuilder::new().with_config(config).with_runtime_env(runtime).with_default_features();
    let context = SessionContext::new_with_state(with_rules(builder, true).build());
    for table in ["a", "b"] {
        let sql = format!("create table {table} as select * from ({ROWS})");
        context.sql(&sql).await.expect("a query").collect().await.expect("a table");
    }
    context
}

#[tokio::test]
async fn joins_that_would_hold_too_much_merge_sorted_rows() {
    let context = with_tables(200 << 20).await;
    let mut seen = 0;
    for kind in ["join", "left join", "right join", "full join", "left semi join", "left anti join"] {
        let columns = if kind.contains("semi") || kind.contains("anti") { "a.*" } else { "a.k, a.v, b.t, b.v as w" };
        for condition in ["a.v = b.v", "a.k = b.k and a.o = b.o and a.v > b.v", "a.t = b.t and a.v % 3 = 1"] {
            let sql = format!("select {columns} from a {kind} b on {condition}");
            let plan = context.sql(&sql).await.expect("a query").into_optimized_plan().expect("a plan");
            let state = context.state();
            let hashed = state.create_physical_plan(&plan).await.expect("a plan");
            assert!(spilling(&state, &hashed).is_none(), "there is enough for {sql}");
            // A thousand rows of up to four columns, fewer of them behind a filter.
            let runtime = RuntimeEnvBuilder::new().with_memory_limit(10_000, 1.0).build_arc().expect("a runtime");
            let small = SessionStateBuilder::new_from_existing(state.clone()).with_runtime_env(runtime).build();
            let shown = displayable(hashed.as_ref()).indent(false).to_string();
            if shown.contains("filter=") && kind != "join" {
                assert!(spilling(&small, &hashed).is_none(), "an outer join with a further condition: {sql}");
                continue;
            }
            let spills = spilling(&small, &hashed).expect("too much to hold");
            let merged = spills.create_physical_plan(&plan).await.expect("a plan");
            let shown = displayable(merged.as_ref()).indent(false).to_string();
            assert!(shown.contains("SortMergeJoin") && !shown.contains("HashJoin"), "{shown}");
            let rows = async |plan| {
                let batches = datafusion::physical_plan::collect(plan, context.task_ctx())
                    .await
                    .unwrap_or_else(|error| panic!("{sql}: {error}"));
                let shown = pretty_format_batches(&batches).expect("rows").to_string();
                let mut lines: Vec<String> = shown.lines().map(str::to_string).collect();
                lines.sort();
                lines
            };
            let expected = rows(hashed).await;
            seen += expected.len();
            assert_eq!(rows(merged).await, expected, "{sql}");
        }
    }
    assert!(seen > 5_000, "{seen} rows were compared");
}
