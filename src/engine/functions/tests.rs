//! The list of functions against itself, and what only a whole query shows.

use std::collections::HashSet;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::util::display::{ArrayFormatter, FormatOptions};
use datafusion::error::{DataFusionError, Result};
use datafusion::prelude::{SessionConfig, SessionContext};

use super::{Kind, catalog, overflow_text, register};

/// A session with our functions.
pub(super) fn session(partitions: usize) -> SessionContext {
    let ctx = SessionContext::new_with_config(SessionConfig::new().with_target_partitions(partitions));
    register(&ctx).expect("registers");
    ctx
}

/// Rows of a query, columns joined with `|`.
pub(super) async fn rows(ctx: &SessionContext, sql: &str) -> Result<Vec<String>> {
    let batches = ctx.sql(sql).await?.collect().await?;
    Ok(batches.iter().flat_map(batch_rows).collect())
}

fn batch_rows(batch: &RecordBatch) -> Vec<String> {
    let options = FormatOptions::default().with_null("NULL");
    let columns: Vec<ArrayFormatter> = batch
        .columns()
        .iter()
        .map(|column| ArrayFormatter::try_new(column.as_ref(), &options).expect("can be shown"))
        .collect();
    (0..batch.num_rows())
        .map(|row| columns.iter().map(|column| column.value(row).to_string()).collect::<Vec<_>>().join("|"))
        .collect()
}

async fn value(ctx: &SessionContext, expression: &str) -> Result<String> {
    let rows = rows(ctx, &format!("select {expression}")).await?;
    assert_eq!(rows.len(), 1, "{expression}");
    Ok(rows.into_iter().next().unwrap_or_default())
}

async fn failure(ctx: &SessionContext, expression: &str) -> DataFusionError {
    match value(ctx, expression).await {
        Ok(value) => panic!("{expression} gives {value}"),
        Err(error) => error,
    }
}

#[tokio::test]
async fn every_example_gives_its_result() {
    let ctx = session(2);
    let mut wrong = Vec::new();
    for entry in catalog() {
        match value(&ctx, entry.example).await {
            Ok(value) if value == entry.result => {}
            Ok(value) => wrong.push(format!("{} = {value}, not {}", entry.example, entry.result)),
            Err(error) => wrong.push(format!("{}: {error}", entry.example)),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn every_entry_is_registered_once() {
    let ctx = session(1);
    let state = ctx.state();
    let mut seen = HashSet::new();
    for entry in catalog() {
        assert!(seen.insert(entry.name), "{} is listed twice", entry.name);
        let known = state.scalar_functions().contains_key(entry.name)
            || state.aggregate_functions().contains_key(entry.name)
            || state.window_functions().contains_key(entry.name);
        assert!(known, "{} is not registered", entry.name);
        assert!(entry.doc.ends_with('.') && !entry.doc.contains("  "), "{}", entry.doc);
    }
}

#[test]
fn only_what_must_be_replaced_is_replaced() {
    let stock = SessionContext::new().state();
    for entry in catalog() {
        let there =
            stock.scalar_functions().contains_key(entry.name) || stock.aggregate_functions().contains_key(entry.name);
        let ours = !matches!(entry.kind, Kind::Present);
        let meant = matches!(entry.name, "count" | "sum" | "coalesce");
        assert!(!(there && ours) || meant, "{} shadows DataFusion's", entry.name);
    }
}

#[tokio::test]
async fn integers_never_wrap() {
    let ctx = session(1);
    rows(&ctx, "create table t as select column1 as x, column2 as y from (values (9223372036854775807, 1), (5, 2))")
        .await
        .expect("a table");
    let overflows = [
        ("9223372036854775807 + 1", "9223372036854775807 + 1 does not fit into bigint"),
        ("x + y from t", "9223372036854775807 + 1 does not fit into bigint"),
        ("-x - 2 from t", "-9223372036854775807 - 2 does not fit into bigint"),
        ("x * 2 from t where y = 1", "9223372036854775807 * 2 does not fit into bigint"),
        ("cast(2147483647 as int) * cast(2 as int)", "2147483647 * 2 does not fit into integer"),
        ("-cast(-128 as tinyint)", "- -128 does not fit into tinyint"),
        ("-(-9223372036854775807 - 1)", "- -9223372036854775808 does not fit into bigint"),
        ("sum(x) from t", "the sum 9223372036854775812 does not fit into bigint"),
        ("(select max(x + 1) from t)", "9223372036854775807 + 1 does not fit into bigint"),
        ("abs(-9223372036854775807 - 1)", "Int64Array overflow on abs(-9223372036854775808)"),
        (
            "sum(x) over (order by y rows between 1 preceding and current row) from t",
            "the sum 9223372036854775812 does not fit into bigint",
        ),
    ];
    for (expression, text) in overflows {
        let error = match rows(&ctx, &format!("select {expression}")).await {
            Ok(rows) => panic!("{expression} gives {rows:?}"),
            Err(error) => error,
        };
        assert_eq!(overflow_text(&error), Some(text), "{expression}: {error}");
    }
    assert_eq!(value(&ctx, "count(*) from t where x + y > 0 and y = 2").await.ok(), None);
    assert_eq!(value(&ctx, "sum(x) - 5 from t where y = 1").await.expect("fits"), "9223372036854775802");
}

#[tokio::test]
async fn checked_arithmetic_keeps_names_types_and_results() {
    let ctx = session(2);
    let stock = SessionContext::new();
    for ctx in [&ctx, &stock] {
        rows(ctx, "create table t as select * from (values (1, 2, 'a'), (3, 4, 'b'), (null, 5, 'b')) v(x, y, z)")
            .await
            .expect("a table");
    }
    for sql in [
        "select x + y, x - 1, -x, x * y + 2 as q from t order by y",
        "select x + y from t group by x + y order by x + y",
        "select z, sum(x + 1) as s, count(*) from t group by z having sum(x + 1) > 1 order by z",
        "select a.x from t a join t b on a.y = b.y + 1 order by 1",
        "with recursive r as (select 1 as n union all select n + 1 from r where n < 5) select * from r",
        "select x, (select count(*) + 1 from t b where b.y = t.x) as c from t order by y",
        "select date '2022-06-01' + 1, date '2022-06-03' - date '2022-06-01', 1.5 + 2",
        "select y from t order by y limit 1 + 1",
        "select case when y - 2 > 0 then 10 / (y - 2) else 0 end as d from t order by y",
    ] {
        let ours = ctx.sql(sql).await.expect(sql);
        let theirs = stock.sql(sql).await.expect(sql);
        let names = |frame: &datafusion::dataframe::DataFrame| {
            frame
                .schema()
                .fields()
                .iter()
                .map(|field| (field.name().clone(), field.data_type().clone()))
                .collect::<Vec<_>>()
        };
        assert_eq!(names(&ours), names(&theirs), "{sql}");
        let optimized = ctx.state().optimize(ours.logical_plan()).expect(sql);
        let planned: Vec<String> = optimized.schema().fields().iter().map(|field| field.name().clone()).collect();
        let expected: Vec<String> = theirs.schema().fields().iter().map(|field| field.name().clone()).collect();
        assert_eq!(planned, expected, "{sql}");
        assert_eq!(rows(&ctx, sql).await.expect(sql), rows(&stock, sql).await.expect(sql), "{sql}");
    }
}

#[tokio::test]
async fn gaps_and_islands_may_go_below_zero() {
    let ctx = session(1);
    let sql = "select row_number() over (order by x) - row_number() over (order by x desc) as d \
               from (values (1), (2), (3)) t(x) order by d";
    assert_eq!(rows(&ctx, sql).await.expect("plans"), ["-2", "0", "2"]);
    let sql = "select arrow_typeof(row_number() over () - 1), arrow_typeof(2 * rank() over (order by x)), \
               row_number() over () % 2 from (values (1)) t(x)";
    assert_eq!(rows(&ctx, sql).await.expect("plans"), ["Int64|Int64|1"]);
}

#[tokio::test]
async fn nulls_and_columns() {
    let ctx = session(1);
    rows(
        &ctx,
        "create table t as select * from (values ('a1', '2022-06-01', 1), (null, null, 2), ('é', '2022-06-31', 3)) v(s, d, n)",
    )
    .await
    .expect("a table");
    for (sql, expected) in [
        (
            "select nfd(s) = s, regexp_extract(s, '\\d'), try_to_date(d), ascii_digits(s) from t order by n",
            ["true|1|2022-06-01|a1", "NULL|NULL|NULL|NULL", "false||NULL|é"],
        ),
        (
            "select string_split(s, ''), try_strptime(d, '%Y-%m-%d'), locate('1', s), year(try_to_date(d)) from t order by n",
            ["[a, 1]|2022-06-01T00:00:00|2|2022", "NULL|NULL|NULL|NULL", "[é]|NULL|0|NULL"],
        ),
        (
            "select date_diff('day', try_to_date(d), date '2022-06-02'), date_add(try_to_date(d), n), dayname(try_to_date(d)) from t order by n",
            ["1|2022-06-02|Wednesday", "NULL|NULL|NULL", "NULL|NULL|NULL"],
        ),
    ] {
        assert_eq!(rows(&ctx, sql).await.expect(sql), expected, "{sql}");
    }
}

#[tokio::test]
async fn messages_say_what_is_wrong() {
    let ctx = session(1);
    for (expression, text) in [
        ("strptime('x', '%Y')", "strptime: 'x' is not written as '%Y' (try_strptime gives null)"),
        ("regexp_extract('a', '(', 1)", "regexp_extract: `(` is not a regular expression: unclosed group"),
        ("regexp_extract('a', 'a', 1)", "regexp_extract: there is no group 1 in `a`, which has 0"),
        ("normalize('a', 'nfx')", "normalize: `NFX` is not a normal form; NFC, NFD, NFKC and NFKD are"),
        (
            "date_diff('fortnight', date '2022-01-01', date '2022-01-02')",
            "date_diff: `fortnight` is not a unit of time",
        ),
        ("year(5)", "year wants a date or a timestamp, not bigint"),
        ("nfc('a', 'b')", "nfc takes one argument, not 2"),
        ("percentile_disc(2) within group (order by x) from (values (1)) t(x)", "must be between 0 and 1, not 2"),
        ("1 / 0", "Divide by zero"),
    ] {
        let error = failure(&ctx, expression).await.to_string();
        assert!(error.contains(text), "{expression}: {error}");
    }
}
