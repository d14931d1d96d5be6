//! What is sent to servers, and that it means there what it means here.

use datafusion::arrow::array::{
    BooleanArray, Date32Array, Decimal128Array, Int64Array, StringViewArray, TimestampMicrosecondArray,
};
use datafusion::arrow::datatypes::{Field, Schema, TimeUnit};
use datafusion::datasource::MemTable;
use datafusion::prelude::{SessionConfig, SessionContext};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, TestRunner};

use super::*;

/// A row: a key with NULLs and ends of its range, text that collations confuse, a decimal, a date, a time, a flag.
#[derive(Debug, Clone)]
struct Line {
    n: Option<i64>,
    s: Option<&'static str>,
    m: Option<i64>,
    d: Option<i32>,
    at: Option<i64>,
    ok: Option<bool>,
}

const TEXTS: [&str; 18] =
    ["", " ", "a", "A", "a ", "á", "ä", "Ä", "b", "ss", "ß", "Z", "z", "😀", "ab", "a'b", "a\\", "a%"];

fn line() -> impl Strategy<Value = Line> {
    let n = prop_oneof![Just(i64::MIN), Just(i64::MAX), -6i64..6, any::<i64>()];
    let m = prop_oneof![Just(0), Just(-9_999_999_999), Just(9_999_999_999), -300i64..300];
    // 1000-01-01, 9999-12-31 and days around 2020-02-29.
    let d = prop_oneof![Just(-354_285), Just(2_932_896), 18_318i32..18_323];
    let at = prop_oneof![
        Just(1_640_995_200_000_000),
        Just(1_640_995_200_000_001),
        1_577_836_800_000_000i64..1_640_995_300_000_000
    ];
    let texts = proptest::sample::select(&TEXTS[..]);
    let ok = any::<bool>();
    (maybe(n), maybe(texts), maybe(m), maybe(d), maybe(at), maybe(ok)).prop_map(|(n, s, m, d, at, ok)| Line {
        n,
        s,
        m,
        d,
        at,
        ok,
    })
}

/// A value, or sometimes none.
fn maybe<S: Strategy>(value: S) -> impl Strategy<Value = Option<S::Value>> {
    proptest::option::weighted(0.88, value)
}

fn memory(lines: &[Line]) -> SessionContext {
    let schema = Arc::new(Schema::new(vec![
        Field::new("n", DataType::Int64, true),
        Field::new("s", DataType::Utf8View, true),
        Field::new("m", DataType::Decimal128(12, 2), true),
        Field::new("d", DataType::Date32, true),
        Field::new("at", DataType::Timestamp(TimeUnit::Microsecond, None), true),
        Field::new("ok", DataType::Boolean, true),
    ]));
    let money: Decimal128Array = lines.iter().map(|line| line.m.map(i128::from)).collect();
    let batch = RecordBatch::try_new(
        Arc::clone(&schema),
        vec![
            Arc::new(lines.iter().map(|line| line.n).collect::<Int64Array>()),
            Arc::new(lines.iter().map(|line| line.s).collect::<StringViewArray>()),
            Arc::new(money.with_precision_and_scale(12, 2).expect("fits")),
            Arc::new(lines.iter().map(|line| line.d).collect::<Date32Array>()),
            Arc::new(lines.iter().map(|line| line.at).collect::<TimestampMicrosecondArray>()),
            Arc::new(lines.iter().map(|line| line.ok).collect::<BooleanArray>()),
        ],
    );
    let table = MemTable::try_new(schema, vec![vec![batch.expect("a batch")]]).expect("a table");
    let context = SessionContext::new_with_config(SessionConfig::new().with_target_partitions(1));
    context.register_table("t", Arc::new(table)).expect("registered");
    context
}

async fn fill(place: &Place, lines: &[Line]) {
    let t = place.named("t");
    let quote = |text: &str| {
        let escaped = if place.kind == "mysql" { text.replace('\\', "\\\\") } else { text.to_string() };
        format!("'{}'", escaped.replace('\'', "''"))
    };
    let null = || "null".to_string();
    let row = |line: &Line| {
        let date = |days: i32| chrono::NaiveDate::from_epoch_days(days).expect("a date").to_string();
        let time = |micros: i64| {
            chrono::DateTime::from_timestamp_micros(micros).expect("a time").format("%Y-%m-%d %H:%M:%S%.6f").to_string()
        };
        let cells = [
            line.n.map_or_else(null, |n| n.to_string()),
            line.s.map_or_else(null, quote),
            line.m.map_or_else(null, |m| {
                format!("{}{}.{:02}", if m < 0 { "-" } else { "" }, m.abs() / 100, m.abs() % 100)
            }),
            line.d.map_or_else(null, |d| quote(&date(d))),
            line.at.map_or_else(null, |at| quote(&time(at))),
            line.ok.map_or_else(null, |ok| ok.to_string()),
        ];
        format!("({})", cells.join(", "))
    };
    let types = match place.kind {
        // A collation for which a = A = á = "a ", and `ß` is `ss`.
        "mysql" => {
            "n bigint, s varchar(20) collate utf8mb4_unicode_ci, m decimal(12, 2), d date, at datetime(6), ok boolean"
        }
        "postgres" => "n bigint, s varchar(20), m numeric(12, 2), d date, at timestamp, ok boolean",
        _ => "n bigint, s varchar(20) collate nocase, m decimal(12, 2), d date, at datetime, ok boolean",
    };
    place.execute(&format!("drop table if exists {t}")).await;
    place.execute(&format!("create table {t} ({types})")).await;
    if !lines.is_empty() {
        let rows: Vec<String> = lines.iter().map(row).collect();
        place.execute(&format!("insert into {t} values {}", rows.join(", "))).await;
    }
}

/// Conditions; those of the first list are decided by every server.
const SENT: &[&str] = &[
    "n = 1",
    "-1 <> n",
    "n < 0",
    "n >= 9223372036854775807",
    "n > -9223372036854775808",
    "n in (1, 2, 3, 4, 5)",
    "n not in (1, 2, 3, 4, 5)",
    "n between -3 and 3",
    "not (n between -3 and 3)",
    "n is null",
    "n is not null and s is not null",
    "d = date '2020-02-29'",
    "d < date '2020-03-01'",
    "d in (date '2020-02-29', date '9999-12-31', date '1000-01-01', date '2020-02-28')",
    "ok",
    "not ok",
    "ok is null or n > 2",
    "s = 'a'",
    "s <> 'a'",
    "s = 'SS'",
    "s < 'b'",
    "s >= 'Z'",
    "s between 'A' and 'a'",
    "s in ('a', 'ä', 'ss', '😀')",
    "s not in ('a', 'ä', 'ss', '')",
    "s = 'a ' or s = 'a''b' or s = 'a\\'",
    "(n > 0 or s = 'A') and not (d is null or n = 3)",
];

const OTHERS: &[&str] = &[
    "true",
    "m = 1.5",
    "m < 0",
    "m in (0.00, 99999999.99)",
    "m >= -99999999.99 and n < 100",
    "at = timestamp '2022-01-01 00:00:00.000001'",
    "at > timestamp '2022-01-01 00:00:00'",
    "at between timestamp '2020-01-01' and timestamp '2021-06-01'",
    "n % 2 = 0",
    "lower(s) = 'a'",
    "s like 'a%'",
    "n > m",
    "s = 'a' and lower(s) = 'a'",
    "n = 1 is not true",
    "case when n > 0 then s else 'x' end = 'a'",
];

/// Proptest's own runner is not of this world of futures; its values are.
fn samples<T>(strategy: impl Strategy<Value = T>, count: usize) -> Vec<T> {
    let mut runner = TestRunner::new(Config::default());
    let sample = |_| strategy.new_tree(&mut runner).expect("a value").current();
    (0..count).map(sample).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn filters_and_ranges_mean_the_same_there() {
    for place in places("filters").await {
        for (round, lines) in samples(proptest::collection::vec(line(), 0..40), 4).into_iter().enumerate() {
            fill(&place, &lines).await;
            let memory = memory(&lines);
            let key = ["n", "d"][round % 2];
            let engine = |partitions: usize| {
                place.engine(|spec| {
                    spec.partition_column = Some(key.into());
                    spec.partitions = Some(partitions);
                    spec.fetch_size = 3;
                })
            };
            let engines = [1, 2, 3, 7].map(engine);
            for (at, filter) in SENT.iter().chain(OTHERS).enumerate() {
                let mut here: Vec<String> = Vec::new();
                let sql = format!("select * from t where {filter}");
                for batch in memory.sql(&sql).await.expect("a plan").collect().await.expect("rows") {
                    here.extend(texts(&batch));
                }
                let engine = &engines[(at + round) % engines.len()];
                let mut there = rows(engine, &format!("select * from src.t where {filter}")).await;
                here.sort();
                there.sort();
                assert_eq!(there, here, "{}, ranges of {key}: {filter}\n{lines:?}", place.kind);
            }
        }
    }
}

#[tokio::test]
async fn what_can_be_decided_there_is_sent() {
    for place in places("sent").await {
        fill(&place, &[]).await;
        let engine = place.engine(|_| {});
        for filter in SENT {
            let scan = scan_of(&engine, &format!("select n from src.t where {filter}")).await;
            assert!(scan.contains(" where ") && !scan.ends_with("a filter here"), "{}: {filter}: {scan}", place.kind);
        }
        for filter in ["lower(s) = 'a'", "n % 2 = 0", "s like 'a%'"] {
            let scan = scan_of(&engine, &format!("select n from src.t where {filter}")).await;
            assert!(scan.ends_with("a filter here"), "{}: {filter}: {scan}", place.kind);
        }
    }
}

#[tokio::test]
async fn the_plan_shows_the_question() {
    for place in places("shown").await {
        fill(&place, &[]).await;
        let engine = place.engine(|spec| {
            spec.partition_column = Some("N".into());
            spec.partitions = Some(3);
        });
        let sql = "select s from src.t where n > 5 and s = 'x' and lower(s) = 'y'";
        let (name, question) = match place.kind {
            "mysql" => (
                "mysql",
                "select `s` from `c360_source_shown`.`t` where (`n` > ?) and ((`s` = ? and cast(convert(`s` using utf8mb4) as \
                 binary) = cast(? as binary))) with 5, \"x\", \"x\"",
            ),
            "postgres" => (
                "postgres",
                "select \"s\" from \"c360_source_shown\".\"t\" where (\"n\" > $1) and ((\"s\" = $2 and \"s\" collate \"C\" = $3)) \
                 with 5, \"x\", \"x\"",
            ),
            _ => (
                "sqlite",
                "select \"s\" from \"t\" where (\"n\" > ? or typeof(\"n\") not in ('integer', 'null')) and \
                 (\"s\" collate binary = ? or typeof(\"s\") not in ('text', 'null')) with 5, \"x\"",
            ),
        };
        let expected = format!("DatabaseScan: {name} of `bi`, 3 ranges of n, {question} and a filter here");
        assert_eq!(scan_of(&engine, sql).await, expected);
        let money = scan_of(&engine, "select n from src.t where m > 1.5").await;
        let sent = match place.kind {
            "mysql" => "(`m` > cast(? as decimal(12, 2))) with \"1.50\"",
            "postgres" => "(\"m\" > $1::numeric) with \"1.50\"",
            _ => "and a filter here",
        };
        assert!(money.ends_with(sent), "{money}");
        let limited = scan_of(&engine, "select n from src.t limit 7").await;
        assert!(limited.ends_with(" limit 7") && !limited.contains("ranges"), "{limited}");
        assert!(scan_of(&engine, "select count(*) from src.t").await.contains("select 1 from"));
    }
}

#[tokio::test]
async fn all_ranges_of_postgres_see_one_state() {
    let Some(place) = place("postgres", "state").await else { return };
    let t = place.named("t");
    place
        .execute(&format!("create table {t} (id bigint primary key); insert into {t} select generate_series(1, 40000)"))
        .await;
    let engine = place.engine(|spec| spec.partitions = Some(4));
    let meter = engine.meter().expect("a session");
    let plan = engine.plan(&meter.state, &SourceFile::new("query", "select id from src.t")).await.expect("a plan");
    let scan = engine.physical(&meter.state, &plan).await.expect("a physical plan");
    let leaf = leaf(&scan);
    // The first range begins, then everything is deleted, then the others begin.
    let mut first = leaf.execute(0, meter.state.task_ctx()).expect("starts");
    let batch = first.try_next().await.expect("rows").expect("a batch");
    place.execute(&format!("delete from {t}")).await;
    let mut count = batch.num_rows();
    count += first.try_fold(0, |sum, batch| async move { Ok(sum + batch.num_rows()) }).await.expect("rows");
    for partition in 1..4 {
        let stream = leaf.execute(partition, meter.state.task_ctx()).expect("starts");
        count += stream.try_fold(0, |sum, batch| async move { Ok(sum + batch.num_rows()) }).await.expect("rows");
    }
    assert_eq!(count, 40_000);
    // A second execution sees what is there now.
    assert_eq!(rows(&engine, "select count(*) from src.t").await, ["0"]);
}

fn leaf(plan: &Arc<dyn datafusion::physical_plan::ExecutionPlan>) -> Arc<dyn datafusion::physical_plan::ExecutionPlan> {
    match plan.children().first() {
        Some(child) => leaf(child),
        None => Arc::clone(plan),
    }
}

#[tokio::test]
async fn keys_are_found_and_few_rows_need_no_ranges() {
    for place in places("keys").await {
        let t = place.named("t");
        place
            .execute(
                &format!("create table {t} (a int, b date, \"c d\" int, primary key (a))")
                    .replace('"', if place.kind == "mysql" { "`" } else { "\"" }),
            )
            .await;
        place.execute(&format!("insert into {t} values (1, '2020-01-01', 1), (2, '2020-01-02', 2)")).await;
        let scan = scan_of(&place.engine(|spec| spec.partitions = Some(2)), "select b from src.t").await;
        assert!(scan.contains("2 ranges of a"), "{scan}");
        assert!(!scan_of(&place.engine(|_| {}), "select b from src.t").await.contains("ranges"), "two rows");
        let engine = place.engine(|spec| {
            spec.partition_column = Some("C D".into());
            spec.partitions = Some(64);
        });
        assert_eq!(rows(&engine, "select \"c d\" from src.t order by 1").await, ["1", "2"]);
        assert_eq!(rows(&engine, "select count(*) from src.t").await, ["2"]);
    }
}

/// What the server itself says it was asked.
#[tokio::test]
async fn the_log_of_mysql_has_columns_filters_and_ranges() {
    let Some(place) = place("mysql", "log").await else { return };
    let t = place.named("t");
    place.execute(&format!("create table {t} (id int primary key, day date, note text)")).await;
    place
        .execute(&format!(
            "insert into {t} values (1, '2020-01-01', 'x'), (2, '2020-01-02', 'y'), (9, '2020-01-03', 'z')"
        ))
        .await;
    place.execute("set global log_output = 'TABLE'").await;
    // An earlier run on the same server asked the same.
    place.execute("truncate table mysql.general_log").await;
    place.execute("set global general_log = 'ON'").await;
    let engine = place.engine(|spec| spec.partitions = Some(3));
    let found = rows(&engine, "select day from src.t where id > 0 and day < date '2020-01-03' order by 1").await;
    place.execute("set global general_log = 'OFF'").await;
    assert_eq!(found, ["2020-01-01", "2020-01-02"]);
    let log = place.engine(|spec| {
        spec.table = TableName { schema: Some("mysql".into()), guessed: false, name: "general_log".into() };
    });
    let sql = "select argument from src.t where command_type = 'Execute' and argument like '%c360_source_log%'";
    let mut asked = rows(&log, sql).await;
    asked.retain(|line| line.starts_with("select `") || line.starts_with("select min"));
    asked.sort();
    let question = |range: &str| {
        format!(
            "select `day` from `c360_source_log`.`t` where (`id` > 0) and (`day` < cast('2020-01-03' as date)) and {range}"
        )
    };
    let expected = [
        question("`id` < 4"),
        question("`id` >= 4 and `id` < 7"),
        question("`id` >= 7"),
        "select min(`id`), max(`id`) from `c360_source_log`.`t` where (`id` > 0)".to_string(),
    ];
    assert_eq!(asked, expected);
}
