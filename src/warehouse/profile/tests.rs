//! Profiles against what the engine's own SQL says of the same rows.

use std::sync::Arc;

use datafusion::arrow::array::*;
use datafusion::arrow::datatypes::{DataType, Field, Int32Type, IntervalMonthDayNano, Schema};
use datafusion::arrow::util::display::array_value_to_string;
use datafusion::prelude::SessionContext;
use proptest::prelude::*;
use serde_json::Value as Json;

use super::kept::Kept;
use super::profiler::{Columns, merged};
use super::*;

/// What is counted of `batches`, batch after batch, in as many partitions.
fn count(batches: &[RecordBatch], partitions: usize) -> (Arc<Profiler>, Columns) {
    let profiler = Profiler::new(&batches[0].schema());
    let mut parts: Vec<Part> = (0..partitions).map(|partition| profiler.part(partition)).collect();
    for (index, batch) in batches.iter().enumerate() {
        parts[index % partitions].see(batch);
    }
    drop(parts);
    let columns = profiler.finish();
    (profiler, columns)
}

fn profile(batches: &[RecordBatch], partitions: usize) -> Vec<ColumnProfile> {
    let (profiler, columns) = count(batches, partitions);
    shown(&profiler, &columns)
}

fn shown(profiler: &Profiler, columns: &Columns) -> Vec<ColumnProfile> {
    let fields = profiler.schema().fields().iter();
    let show = |(field, column): (&Arc<Field>, &Option<column::Column>)| {
        ColumnProfile::new(column.as_ref().expect("counted"), field.data_type(), false)
    };
    fields.zip(columns).map(show).collect()
}

/// `columns` in batches of `size` rows.
fn batches(columns: Vec<ArrayRef>, size: usize) -> Vec<RecordBatch> {
    let columns = columns.into_iter().enumerate().map(|(index, array)| (format!("c{index}"), array, true));
    let whole = RecordBatch::try_from_iter_with_nullable(columns).expect("a batch");
    let slice = |start: usize| whole.slice(start, size.min(whole.num_rows() - start));
    (0..whole.num_rows().max(1)).step_by(size.max(1)).map(slice).collect()
}

/// The first row of a query over `batches`, as text.
fn sql(batches: &[RecordBatch], query: &str) -> Vec<String> {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let rows = runtime.block_on(async {
        let context = SessionContext::new();
        let frame = context.read_batches(batches.to_vec()).expect("a frame");
        context.register_table("t", frame.into_view()).expect("a table");
        context.sql(query).await.expect("plans").collect().await.expect("runs")
    });
    rows[0].columns().iter().map(|column| array_value_to_string(column, 0).expect("text")).collect()
}

/// `count(*)`, nulls, minimum, maximum and different values of a column, as the engine counts them.
fn expected(batches: &[RecordBatch], column: &str) -> Vec<String> {
    let is_float = matches!(
        batches[0].schema().field_with_name(column).expect("a column").data_type(),
        DataType::Float32 | DataType::Float64
    );
    let valid = if is_float { format!("case when isnan({column}) then null else {column} end") } else { column.into() };
    let query = format!(
        "select count(*), count(*) - count({column}), min({valid}), max({valid}), count(distinct {valid}) from t"
    );
    sql(batches, &query)
}

fn told(profile: &ColumnProfile) -> Vec<String> {
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    let distinct = profile.distinct.expect("counted").to_string();
    vec![profile.rows.to_string(), profile.nulls.to_string(), text(&profile.min), text(&profile.max), distinct]
}

#[derive(Debug, Clone)]
struct Row(
    Option<i64>,
    Option<i128>,
    Option<f64>,
    Option<f32>,
    Option<String>,
    Option<bool>,
    Option<i32>,
    Option<Vec<u8>>,
);

fn some<T: Clone + std::fmt::Debug>(strategy: impl Strategy<Value = T>) -> impl Strategy<Value = Option<T>> {
    proptest::option::weighted(0.8, strategy)
}

fn row() -> impl Strategy<Value = Row> {
    let floats = prop_oneof![
        8 => -1e9..1e9_f64, 1 => Just(f64::NAN), 1 => Just(f64::INFINITY), 1 => Just(f64::NEG_INFINITY), 1 => Just(0.5)
    ];
    let whole = prop_oneof![any::<i64>(), -3..3_i64];
    let decimal = -99_999_999_999_999_999_999_i128..99_999_999_999_999_999_999;
    let texts = prop_oneof!["[a-c]{0,2}", "same beginning [a-z]{0,3}", "\\PC{0,12}"];
    let bytes = proptest::collection::vec(any::<u8>(), 0..12);
    let parts = (
        some(whole),
        some(decimal),
        some(floats),
        some(-1e6..1e6_f32),
        some(texts),
        some(any::<bool>()),
        some(-200_000..200_000),
        some(bytes),
    );
    parts.prop_map(|(a, b, c, d, e, f, g, h)| Row(a, b, c, d, e, f, g, h))
}

fn columns(rows: &[Row]) -> Vec<ArrayRef> {
    let decimals = Decimal128Array::from_iter(rows.iter().map(|row| row.1));
    let moments = TimestampMicrosecondArray::from_iter(rows.iter().map(|row| row.0.map(|value| value / 1_000)));
    let texts = StringArray::from_iter(rows.iter().map(|row| row.4.clone()));
    vec![
        Arc::new(Int64Array::from_iter(rows.iter().map(|row| row.0))),
        Arc::new(decimals.with_precision_and_scale(20, 3).expect("fits")),
        Arc::new(Float64Array::from_iter(rows.iter().map(|row| row.2))),
        Arc::new(Float32Array::from_iter(rows.iter().map(|row| row.3))),
        Arc::new(BooleanArray::from_iter(rows.iter().map(|row| row.5))),
        Arc::new(Date32Array::from_iter(rows.iter().map(|row| row.6))),
        Arc::new(BinaryArray::from_iter(rows.iter().map(|row| row.7.clone()))),
        Arc::new(moments.with_timezone("UTC")),
        Arc::new(StringViewArray::from_iter(texts.iter())),
        Arc::new(DictionaryArray::<Int32Type>::from_iter(texts.iter())),
        Arc::new(texts),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Few rows: everything is exact, however they are cut into batches and partitions.
    #[test]
    fn profiles_say_what_sql_says(
        rows in proptest::collection::vec(row(), 1..200), size in 1..80_usize, partitions in 1..4_usize
    ) {
        let batches = batches(columns(&rows), size);
        for (index, profile) in profile(&batches, partitions).iter().enumerate() {
            let column = format!("c{index}");
            prop_assert_eq!(told(profile), expected(&batches, &column), "{}", &column);
            prop_assert!(profile.distinct_exact);
            if let Some(histogram) = &profile.histogram {
                let total: u64 = histogram.counts.iter().sum();
                let infinite = rows.iter().filter(|row| index == 2 && row.2.is_some_and(f64::is_infinite)).count();
                let finite = profile.rows - profile.nulls - profile.nan.unwrap_or(0) - infinite as u64;
                prop_assert_eq!(total, finite, "{}", &column);
                prop_assert_eq!(histogram.edges.len(), histogram.counts.len() + 1);
            }
        }
    }

    /// What is kept of some rows, with others counted to it, is what all of them give.
    #[test]
    fn rows_that_are_added_are_counted_to_what_was_kept(
        old in proptest::collection::vec(row(), 1..300), new in proptest::collection::vec(row(), 1..300)
    ) {
        let all: Vec<Row> = old.iter().chain(&new).cloned().collect();
        let (profiler, before) = count(&batches(columns(&old), 64), 1);
        let (_, added) = count(&batches(columns(&new), 64), 1);
        let mut whole = Columns::new();
        for ((field, before), added) in profiler.schema().fields().iter().zip(before).zip(added) {
            let before = before.expect("counted");
            let kept = Kept::new(&before, field.data_type(), false);
            let text = serde_json::to_string(&kept).expect("JSON");
            prop_assert!(text.len() < 2048, "{}: {}", text.len(), text);
            let kept: Kept = serde_json::from_str(&text).expect("reads");
            whole.push(merged(kept.column(field.data_type(), before.rows, before.nulls), added));
        }
        let found = shown(&profiler, &whole);
        for (found, expected) in found.iter().zip(profile(&batches(columns(&all), 64), 1)) {
            prop_assert_eq!((found.rows, found.nulls, found.nan), (expected.rows, expected.nulls, expected.nan));
            prop_assert_eq!((&found.min, &found.max), (&expected.min, &expected.max));
            let (found, expected) = (found.distinct.expect("counted"), expected.distinct.expect("counted"));
            prop_assert!(found.abs_diff(expected) as f64 <= (0.092 * expected as f64).max(3.0), "{found} {expected}");
        }
    }
}

/// Skewed values, many of them: the estimates are within what they promise, also after three appends.
#[test]
fn estimates_of_many_rows_are_within_their_errors() {
    let value = |row: u64| (distinct::mix(row) % 1_000_000) as f64 / 1_000_000.0;
    let all: Vec<f64> = (0..300_000).map(|row| (value(row) * 12.0).exp()).collect();
    let of = |values: &[f64]| {
        let texts = StringArray::from_iter_values(values.iter().map(|value| format!("value {}", *value as u64)));
        batches(vec![Arc::new(Float64Array::from(values.to_vec())), Arc::new(texts)], 8192)
    };
    let mut sorted = all.clone();
    sorted.sort_by(f64::total_cmp);
    let rank = |value: &Json| {
        let value = value.as_f64().expect("a number");
        sorted.partition_point(|other| *other <= value) as f64 / sorted.len() as f64
    };
    let whole = of(&all);
    let exact: Vec<f64> = ["c0", "c1"].map(|column| expected(&whole, column)[4].parse().expect("a number")).to_vec();
    let check = |profiles: &[ColumnProfile], error: f64| {
        for (profile, exact) in profiles.iter().zip(&exact) {
            let distinct = profile.distinct.expect("counted") as f64;
            assert!(!profile.distinct_exact && (distinct - exact).abs() <= 0.092 * exact, "{distinct} {exact}");
        }
        let quantiles = profiles[0].quantiles.as_ref().expect("numbers");
        let all = [&quantiles.p05, &quantiles.p25, &quantiles.p50, &quantiles.p75, &quantiles.p95];
        for (value, wanted) in all.into_iter().zip([0.05, 0.25, 0.5, 0.75, 0.95]) {
            assert!((rank(value) - wanted).abs() < error, "{wanted}: {}", rank(value));
        }
        assert_eq!(profiles[0].histogram.as_ref().expect("bars").counts.iter().sum::<u64>(), 300_000);
        let mean: f64 = all_mean(&sorted);
        assert!((profiles[0].mean.expect("a mean") / mean - 1.0).abs() < 1e-9);
    };
    // Four standard errors of the sample.
    check(&profile(&whole, 1), 0.032);
    check(&profile(&whole, 3), 0.032);
    let mut sum: Option<Columns> = None;
    let mut schema = None;
    for part in all.chunks(75_000) {
        let (profiler, columns) = count(&of(part), 2);
        let fields = profiler.schema().fields().clone();
        sum = Some(match sum {
            None => columns,
            Some(before) => {
                let kept = before.into_iter().zip(&fields).map(|(column, field)| {
                    let column = column.expect("counted");
                    let kept = Kept::new(&column, field.data_type(), false);
                    assert!(serde_json::to_string(&kept).expect("JSON").len() < 2048);
                    kept.column(field.data_type(), column.rows, column.nulls)
                });
                kept.zip(columns).map(|(one, two)| merged(one, two)).collect()
            }
        });
        schema = Some(profiler);
    }
    check(&shown(&schema.expect("parts"), &sum.expect("parts")), 0.06);
}

fn all_mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// Types without an order or without a text of their own.
#[test]
fn every_type_of_a_table_has_a_profile() {
    let lists = ListArray::from_iter_primitive::<Int32Type, _, _>([
        Some(vec![Some(1), None, Some(3)]),
        None,
        Some(vec![]),
        Some(vec![Some(7)]),
    ]);
    let structs = StructArray::from((
        vec![(
            Arc::new(Field::new("a", DataType::Int32, true)),
            Arc::new(Int32Array::from(vec![1, 2, 3, 4])) as ArrayRef,
        )],
        arrow::buffer::Buffer::from([0b0000_1101]),
    ));
    let long = "x".repeat(5_000);
    let texts = StringArray::from(vec![Some(long.as_str()), Some("b"), None, Some("b")]);
    let bytes = BinaryArray::from(vec![Some([255_u8; 40].as_slice()), Some(&[0, 1]), None, Some(&[])]);
    let intervals = IntervalMonthDayNanoArray::from(vec![Some(IntervalMonthDayNano::new(1, 2, 0)), None, None, None]);
    let columns: Vec<ArrayRef> = vec![
        Arc::new(lists),
        Arc::new(structs),
        Arc::new(texts),
        Arc::new(bytes),
        Arc::new(intervals),
        Arc::new(NullArray::new(4)),
        Arc::new(UInt64Array::from(vec![1, 2, 3, i64::MAX as u64])),
        Arc::new(Float64Array::from(vec![Some(f64::NAN), Some(1.5), Some(f64::INFINITY), None])),
        Arc::new(Time32SecondArray::from(vec![Some(3_661), None, None, Some(0)])),
    ];
    let lines: Vec<String> = profile(&batches(columns, 3), 1)
        .iter()
        .map(|profile| serde_json::to_string(profile).expect("JSON").replace(&"x".repeat(253), "xx"))
        .collect();
    insta::assert_snapshot!(lines.join("\n"));
}

#[test]
fn a_table_without_rows_has_a_profile_too() {
    let schema = Schema::new(vec![Field::new("a", DataType::Int64, true), Field::new("b", DataType::Utf8, true)]);
    let profiler = Profiler::new(&schema);
    let profiles = shown(&profiler, &profiler.finish());
    assert!(profiles.iter().all(|profile| (profile.rows, profile.distinct, &profile.top) == (0, Some(0), &None)));
}
