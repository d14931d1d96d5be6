//! Aggregates against plain Rust, through real queries, with rows spread over partitions in several ways.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use datafusion::arrow::array::{
    ArrayRef, BinaryArray, Date32Array, Decimal128Array, Float64Array, Int64Array, RecordBatch, StringArray,
    StringViewArray,
};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Schema};
use datafusion::datasource::MemTable;
use datafusion::error::DataFusionError;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::prelude::{SessionConfig, SessionContext};
use proptest::prelude::*;

use super::super::register;
use super::super::tests::{rows, session};

/// A row: group, value.
type Row = (u8, Option<i16>);

/// How a query may be run: partitions of the session and of the table, and whether partial aggregation gives up at once.
const WAYS: [(usize, usize, bool); 4] = [(1, 1, false), (8, 3, false), (8, 4, true), (2, 1, false)];

fn context(partitions: usize, skip: bool) -> SessionContext {
    let mut config = SessionConfig::new().with_target_partitions(partitions).with_batch_size(7);
    let options = &mut config.options_mut().execution;
    if skip {
        options.skip_partial_aggregation_probe_rows_threshold = 1;
        options.skip_partial_aggregation_probe_ratio_threshold = 0.0;
    }
    let ctx = SessionContext::new_with_config(config);
    register(&ctx).expect("registers");
    ctx
}

/// A table with the value in many types; `n` is its number.
fn table(all: &[Row], partitions: usize) -> MemTable {
    let parts: Vec<Vec<RecordBatch>> = (0..partitions)
        .map(|part| {
            let rows: Vec<Row> = all.iter().copied().skip(part).step_by(partitions).collect();
            rows.chunks(5).map(batch).collect()
        })
        .collect();
    MemTable::try_new(schema(), parts).expect("a table")
}

fn schema() -> Arc<Schema> {
    batch(&[]).schema()
}

fn text(value: i16) -> String {
    format!("value {value}")
}

fn batch(rows: &[Row]) -> RecordBatch {
    let numbers = || rows.iter().map(|row| row.1);
    let n: ArrayRef = Arc::new(numbers().map(|n| n.map(i64::from)).collect::<Int64Array>());
    let s: ArrayRef = Arc::new(numbers().map(|n| n.map(text)).collect::<StringArray>());
    let bytes: Vec<Option<String>> = numbers().map(|n| n.map(text)).collect();
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("g", Arc::new(Int64Array::from_iter_values(rows.iter().map(|row| i64::from(row.0))))),
        ("s", Arc::clone(&s)),
        ("v", Arc::new(numbers().map(|n| n.map(text)).collect::<StringViewArray>())),
        ("b", Arc::new(bytes.iter().map(|n| n.as_deref().map(str::as_bytes)).collect::<BinaryArray>())),
        ("d", Arc::new(numbers().map(|n| n.map(i32::from)).collect::<Date32Array>())),
        ("f", Arc::new(numbers().map(|n| n.map(f64::from)).collect::<Float64Array>())),
        (
            "m",
            Arc::new(
                numbers()
                    .map(|n| n.map(i128::from))
                    .collect::<Decimal128Array>()
                    .with_precision_and_scale(20, 2)
                    .expect("a decimal"),
            ),
        ),
        ("i", cast(&n, &DataType::Int16).expect("small numbers")),
        (
            "k",
            cast(&s, &DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8))).expect("a dictionary"),
        ),
        ("t", cast(&cast(&n, &DataType::Int32).expect("small numbers"), &DataType::Float32).expect("a float")),
        ("n", n),
    ];
    RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, column)| (name, column, true)))
        .expect("columns")
}

fn groups(all: &[Row]) -> BTreeMap<u8, Vec<i16>> {
    let mut groups: BTreeMap<u8, Vec<i16>> = BTreeMap::new();
    for (group, value) in all {
        groups.entry(*group).or_default().extend(value);
    }
    groups
}

/// Runs `sql` over `all` in every way and compares with `expected`.
fn check(all: &[Row], sql: &str, expected: &[String]) -> Result<(), TestCaseError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    for (partitions, parts, skip) in WAYS {
        let ctx = context(partitions, skip);
        ctx.register_table("t", Arc::new(table(all, parts))).expect("registers");
        let found = runtime.block_on(rows(&ctx, sql)).expect(sql);
        prop_assert_eq!(&found, expected, "{} with {} partitions, skip {}", sql, partitions, skip);
    }
    Ok(())
}

fn table_of_rows() -> impl Strategy<Value = Vec<Row>> {
    prop::collection::vec((0..6_u8, prop::option::weighted(0.9, -20..20_i16)), 0..120)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn distinct_counts(all in table_of_rows()) {
        let distinct = |values: &[i16]| values.iter().collect::<BTreeSet<_>>().len();
        let sums = |values: &[i16]| values.iter().collect::<BTreeSet<_>>().into_iter().map(|n| i64::from(*n)).sum::<i64>();
        let mut expected: Vec<String> = groups(&all)
            .iter()
            .map(|(group, values)| {
                let positive: Vec<i16> = values.iter().copied().filter(|n| *n > 0).collect();
                let sum = if values.is_empty() { "NULL".to_string() } else { sums(values).to_string() };
                let mut row = vec![group.to_string()];
                row.extend(std::iter::repeat_n(distinct(values).to_string(), 10));
                row.extend([distinct(&positive).to_string(), sum, values.len().to_string()]);
                row.join("|")
            })
            .collect();
        let sql = "select g, count(distinct s), count(distinct v), count(distinct b), count(distinct d), count(distinct f), \
                   count(distinct m), count(distinct i), count(distinct k), count(distinct t), count(distinct n), \
                   count(distinct s) filter (where n > 0), sum(distinct n), count(n) from t group by g order by g";
        check(&all, sql, &expected)?;
        // Input that is ordered by the group lets groups leave one after the other.
        let ordered = sql.replace("from t", "from (select * from t order by g) t");
        check(&all, &ordered, &expected)?;
        let everything: Vec<i16> = all.iter().filter_map(|row| row.1).collect();
        expected = vec![format!("{0}|{0}|{1}", distinct(&everything), everything.len())];
        check(&all, "select count(distinct s), count(distinct d), count(n) from t", &expected)?;
        let lists: Vec<String> = groups(&all).iter().map(|(group, values)| format!("{group}|{}", distinct(values))).collect();
        check(&all, "select g, count(distinct l) filter (where n is not null) from (select *, [s, v] as l from t) group by g order by g", &lists)?;
    }

    #[test]
    fn percentiles(all in table_of_rows(), hundredth in 0..=100_usize) {
        let share = hundredth as f64 / 100.0;
        let nth = |values: &[i16], descending: bool| {
            let mut sorted = values.to_vec();
            sorted.sort_unstable();
            if descending {
                sorted.reverse();
            }
            let position = (hundredth * sorted.len()).div_ceil(100).max(1);
            sorted.get(position - 1).copied()
        };
        let shown = |value: Option<i16>| value.map_or("NULL".to_string(), |n| n.to_string());
        let row = |values: &[i16]| {
            let mut texts: Vec<String> = values.iter().map(|n| text(*n)).collect();
            texts.sort_unstable();
            let position = (hundredth * texts.len()).div_ceil(100).max(1);
            let word = texts.get(position - 1).cloned().unwrap_or("NULL".to_string());
            let positive: Vec<i16> = values.iter().copied().filter(|n| *n > 0).collect();
            format!("{}|{}|{word}|{word}|{}", shown(nth(values, false)), shown(nth(values, true)), shown(nth(&positive, false)))
        };
        let columns = format!(
            "percentile_disc({share}) within group (order by n), percentile_disc({share}) within group (order by i desc), \
             quantile_disc(s, {share}), percentile_disc({share}) within group (order by v), \
             percentile_disc({share}) within group (order by n) filter (where n > 0)"
        );
        let expected: Vec<String> = groups(&all).iter().map(|(group, values)| format!("{group}|{}", row(values))).collect();
        check(&all, &format!("select g, {columns} from t group by g order by g"), &expected)?;
        check(&all, &format!("select g, {columns} from (select * from t order by g) group by g order by g"), &expected)?;
        let everything: Vec<i16> = all.iter().filter_map(|row| row.1).collect();
        check(&all, &format!("select {columns} from t"), &[row(&everything)])?;
    }

    #[test]
    fn modes_extremes_and_sums(all in table_of_rows()) {
        let shown = |value: Option<i64>| value.map_or("NULL".to_string(), |n| n.to_string());
        let row = |values: &[i16]| {
            let count = |value: i16| values.iter().filter(|n| **n == value).count();
            let mode = values.iter().copied().max_by_key(|n| (count(*n), -n));
            let most = values.iter().copied().max_by_key(|n| n % 7);
            let most = values.iter().copied().filter(|n| most.is_some_and(|most| n % 7 == most % 7)).min();
            let least = values.iter().copied().min_by_key(|n| n % 7);
            let least = values.iter().copied().filter(|n| least.is_some_and(|least| n % 7 == least % 7)).min();
            let sum = if values.is_empty() { None } else { Some(values.iter().map(|n| i64::from(*n)).sum()) };
            format!(
                "{}|{}|{}|{}|{}|{}",
                shown(mode.map(i64::from)), mode.map_or("NULL".to_string(), text), shown(most.map(i64::from)),
                shown(least.map(i64::from)), values.iter().filter(|n| **n > 3).count(), shown(sum)
            )
        };
        // Ties of mode(k) go by text, so that column looks at the texts of modes of n.
        let columns = "mode(n), 'value ' || (mode() within group (order by i)), max_by(n, n % 7), arg_min(i, n % 7), count_if(n > 3), sum(i)";
        let expected: Vec<String> = groups(&all).iter().map(|(group, values)| format!("{group}|{}", row(values))).collect();
        check(&all, &format!("select g, {columns} from t group by g order by g"), &expected)?;
        check(&all, &format!("select g, {columns} from (select * from t order by g) group by g order by g"), &expected)?;
        let everything: Vec<i16> = all.iter().filter_map(|row| row.1).collect();
        check(&all, &format!("select {columns} from t"), &[row(&everything)])?;
    }
}

#[tokio::test]
async fn windows() {
    let ctx = session(1);
    let sql = "select percentile_disc(0.5) within group (order by x) from (values (1)) t(x)";
    assert_eq!(rows(&ctx, sql).await.expect(sql), ["1"]);
    for (columns, expected) in [
        ("quantile_disc(x, 0.5) over (order by y rows between 1 preceding and 1 following)", vec!["3", "3", "2", "1"]),
        ("mode(x) over (partition by y % 2)", vec!["3", "1", "3", "1"]),
        ("max_by(x, y) over (order by y)", vec!["5", "3", "2", "1"]),
        ("count_if(x > 1) over (order by y rows between 1 preceding and current row)", vec!["1", "2", "2", "1"]),
        ("sum(x) over (order by y rows between 1 preceding and current row)", vec!["5", "8", "5", "3"]),
        ("count(distinct x) over (order by y rows between 1 preceding and current row)", vec!["1", "2", "2", "2"]),
        ("sum(distinct x) over (order by y)", vec!["5", "8", "10", "11"]),
    ] {
        let sql = format!("select {columns} as r from (values (5, 1), (3, 2), (2, 3), (1, 4)) t(x, y) order by y");
        let expected: Vec<&str> = match columns.starts_with("mode") {
            true => vec!["2", "1", "2", "1"],
            false => expected,
        };
        assert_eq!(rows(&ctx, &sql).await.expect(&sql), expected, "{sql}");
    }
}

#[tokio::test]
async fn one_distinct_alone_is_still_planned_as_two_steps() {
    let ctx = session(1);
    let sql = "explain select x, count(distinct y) from (values (1, 2)) t(x, y) group by x";
    let plan = rows(&ctx, sql).await.expect(sql).join("\n");
    assert!(plan.contains("aggr=[[count(alias1)]]"), "{plan}");
}

#[tokio::test]
async fn zeros_and_nans_are_one_value_each() {
    let ctx = session(1);
    let sql = "select count(distinct cast(x as double)), count(distinct cast(y as float)), avg(g) \
               from (values (1, '0', 'NaN'), (1, '-0', '-NaN'), (1, '1', '1')) v(g, x, y) group by g";
    assert_eq!(rows(&ctx, sql).await.expect(sql), ["2|2|1.0"]);
}

#[tokio::test]
async fn sums_of_decimals_and_of_parts_too_large() {
    let ctx = session(4);
    for (expression, expected) in [
        (
            "sum(x) from (values (9223372036854775807), (9223372036854775807), (-9223372036854775807)) t(x)",
            "9223372036854775807",
        ),
        ("sum(cast(x as decimal(10, 2))) from (values (1.5), (2.25), (null)) t(x)", "3.75"),
        ("sum(x) from (values (cast(null as bigint))) t(x)", "NULL"),
        ("sum(cast(x as bigint unsigned)) from (values (1), (2)) t(x)", "3"),
        ("sum(x) from (values (1.5), (2.5)) t(x)", "4.0"),
    ] {
        assert_eq!(rows(&ctx, &format!("select {expression}")).await.expect(expression), [expected], "{expression}");
    }
    let nines = "9".repeat(38);
    let sql = format!("select sum(cast(x as decimal(38, 0))) from (values ('{nines}'), ('1')) t(x)");
    let error = rows(&ctx, &sql).await.expect_err("too large");
    let expected = format!("the sum 1{} does not fit into decimal(38, 0)", "0".repeat(38));
    assert_eq!(super::super::overflow_text(&error), Some(expected.as_str()));
}

#[tokio::test]
async fn memory_is_accounted_for_and_groups_spill() {
    let sql = "select count(*), sum(a), sum(b), min(p), max(m) from (
                   select g, count(distinct s) as a, count(distinct v) as b, avg(v), max_by(s, v) as m,
                          percentile_disc(0.5) within group (order by v) as p
                   from (select value % 30000 as g, concat('a rather long value ', value % 70000) as s, value as v
                         from generate_series(0, 119999))
                   group by g)";
    // With one megabyte it depends on the order of batches whether spilling is enough; the rows must be right if it is.
    for (megabytes, must_fit) in [(1000, true), (24, true), (1, false)] {
        let runtime = RuntimeEnvBuilder::new().with_memory_limit(megabytes << 20, 1.0).build_arc().expect("a runtime");
        let config = SessionConfig::new().with_target_partitions(2).with_batch_size(1024);
        let ctx = SessionContext::new_with_config_rt(config, runtime);
        register(&ctx).expect("registers");
        match rows(&ctx, sql).await {
            Ok(rows) => assert_eq!(rows, ["30000|120000|120000|30000|a rather long value 49999"], "{megabytes} MB"),
            Err(error) => {
                assert!(!must_fit, "{megabytes} MB: {error}");
                assert!(matches!(error.find_root(), DataFusionError::ResourcesExhausted(_)), "{error}");
            }
        }
    }
}
