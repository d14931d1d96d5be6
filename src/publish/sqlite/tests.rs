use std::sync::Arc;

use arrow::array::{
    ArrayRef, BinaryArray, BooleanArray, Date32Array, Decimal128Array, Float64Array, Int64Array, RecordBatch,
    StringArray, TimestampMicrosecondArray, UInt64Array,
};
use datafusion::prelude::SessionContext;
use serde_json::json;

use super::super::source::timeless;
use super::super::{DestinationConfig, FrameRows, Mode, publish};
use super::*;

struct Bench {
    folder: tempfile::TempDir,
}

impl Bench {
    fn new() -> Bench {
        Bench { folder: tempfile::tempdir().expect("a folder") }
    }

    fn config(&self) -> DestinationConfig {
        let value = json!({"type": "sqlite", "path": "new/folder/bi.db", "lock_timeout": 0});
        DestinationConfig::parse("bi", &value).expect("fine").rooted_at(self.folder.path())
    }

    async fn publish(&self, rows: &dyn Rows, config: serde_json::Value) -> Result<Published> {
        let job = PublishJob::parse("mart", "mart", &config).expect("fine").remove(0);
        publish(&self.config(), "bi", &job, &timeless(rows), &|_| {}).await
    }

    async fn open(&self) -> SqliteConnection {
        let path = self.folder.path().join("new/folder/bi.db");
        SqliteConnectOptions::new().filename(path).connect().await.expect("opens")
    }

    /// First column of every row, as text.
    async fn ask(&self, sql: &str) -> Vec<String> {
        let rows = sqlx::query(AssertSqlSafe(sql)).fetch_all(&mut self.open().await).await.expect("a query");
        rows.iter().map(|row| row.try_get_unchecked::<String, _>(0).expect("text")).collect()
    }
}

fn frame(columns: Vec<(&str, ArrayRef)>) -> FrameRows {
    let batch = RecordBatch::try_from_iter(columns).expect("a batch");
    FrameRows(SessionContext::new().read_batch(batch).expect("a frame"))
}

fn people() -> FrameRows {
    frame(vec![
        ("Contract", Arc::new(StringArray::from(vec!["c", "a", "b"]))),
        ("Total", Arc::new(Int64Array::from(vec![Some(3), None, Some(i64::MAX)]))),
        ("Taste", Arc::new(StringArray::from(vec![Some("Thể Thao 🏐"), Some("it's \"\\\0`"), Some("")]))),
    ])
}

fn notes(error: &Diagnostic) -> String {
    error.notes.join("\n")
}

#[tokio::test]
async fn rows_arrive_sorted_typed_and_indexed() {
    let bench = Bench::new();
    let config = json!({"to": "bi", "key": "contract", "indexes": ["Taste"]});
    let published = bench.publish(&people(), config.clone()).await.expect("published");
    assert_eq!((published.rows, published.mode, published.attempts), (3, Mode::Replace, 1));
    assert_eq!(published.columns[1], ("Total".to_string(), "INTEGER".to_string()));
    assert_eq!(bench.ask("select Contract from mart order by rowid").await, ["a", "b", "c"]);
    let hex = "select hex(Taste) from mart order by Contract";
    assert_eq!(bench.ask(hex).await, ["6974277320225C0060", "", "5468E1BB83205468616F20F09F8F90"]);
    assert_eq!(bench.ask("select typeof(Total) from mart order by 1").await, ["integer", "integer", "null"]);
    assert_eq!(bench.ask("select name from sqlite_schema where name like 'ix_%'").await, ["ix_mart_1"]);
    // Once more, over the first: indexes have the same names.
    bench.publish(&people(), config).await.expect("published");
    assert_eq!(bench.ask("select cast(count(*) as text) from mart").await, ["3"]);
}

#[tokio::test]
async fn every_kind_is_kept() {
    let bench = Bench::new();
    let rows = frame(vec![
        ("flag", Arc::new(BooleanArray::from(vec![true]))),
        ("big", Arc::new(UInt64Array::from(vec![i64::MAX as u64]))),
        ("price", Arc::new(Decimal128Array::from(vec![1230]).with_precision_and_scale(10, 2).expect("fits"))),
        (
            "long",
            Arc::new(
                Decimal128Array::from(vec![i128::pow(10, 30) + 1]).with_precision_and_scale(38, 10).expect("fits"),
            ),
        ),
        ("day", Arc::new(Date32Array::from(vec![19083]))),
        ("at", Arc::new(TimestampMicrosecondArray::from(vec![1_650_000_000_123_456]))),
        ("raw", Arc::new(BinaryArray::from(vec![&b"\0\xff"[..]]))),
        ("real", Arc::new(Float64Array::from(vec![0.1]))),
        ("empty", arrow::array::new_null_array(&arrow::datatypes::DataType::Null, 1)),
    ]);
    bench.publish(&rows, json!("bi")).await.expect("published");
    let sql = "select flag || '|' || big || '|' || price || '|' || long || '|' || day || '|' || at || '|' || hex(raw) || '|' || real from mart";
    let expected =
        "1|9223372036854775807|12.3|100000000000000000000.0000000001|2022-04-01|2022-04-15 05:20:00.123456|00FF|0.1";
    assert_eq!(bench.ask(sql).await, [expected]);
    assert_eq!(bench.ask("select typeof(empty) from mart").await, ["null"]);
}

#[tokio::test]
async fn a_failed_publish_leaves_the_old_table() {
    let bench = Bench::new();
    bench.publish(&people(), json!({"to": "bi", "key": "Contract"})).await.expect("published");
    let id = |values: Vec<Option<&str>>| -> ArrayRef { Arc::new(StringArray::from(values)) };

    let twice = frame(vec![("Contract", id(vec![Some("HN1"), Some("HN2"), Some("HN1")]))]);
    let error = bench.publish(&twice, json!({"to": "bi", "key": "Contract"})).await.expect_err("refused");
    assert_eq!(error.code, codes::PUBLISH_FAILED);
    assert!(notes(&error).contains("Contract = 'HN1'"), "{error:?}");

    let null = frame(vec![("Contract", id(vec![Some("HN1"), None])), ("n", Arc::new(Int64Array::from(vec![7, 8])))]);
    let error = bench.publish(&null, json!({"to": "bi", "key": ["n", "Contract"]})).await.expect_err("refused");
    assert_eq!(error.code, codes::PUBLISH_TYPE);
    assert!(notes(&error).contains("n = '8', Contract = NULL"), "{error:?}");

    let nan: ArrayRef = Arc::new(Float64Array::from(vec![1.0, f64::NAN]));
    let rows = frame(vec![("Contract", id(vec![Some("a"), Some("b")])), ("share", nan)]);
    let error = bench.publish(&rows, json!({"to": "bi", "key": "Contract"})).await.expect_err("refused");
    assert!(error.message.contains("column `share` holds NaN"), "{error:?}");
    assert!(notes(&error).contains("Contract = 'b'"), "{error:?}");

    let large: ArrayRef = Arc::new(UInt64Array::from(vec![u64::MAX]));
    let error = bench.publish(&frame(vec![("n", large)]), json!("bi")).await.expect_err("refused");
    assert!(error.message.contains("holds 18446744073709551615"), "{error:?}");

    assert_eq!(bench.ask("select Contract from mart order by 1").await, ["a", "b", "c"]);
}

#[tokio::test]
async fn readers_see_the_old_table_until_the_commit() {
    let bench = Bench::new();
    bench.publish(&people(), json!("bi")).await.expect("published");
    let mut reader = bench.open().await;
    let mut seen = reader.begin().await.expect("begins");
    let count = "select count(*) from mart";
    let before: i64 = sqlx::query_scalar(count).fetch_one(&mut *seen).await.expect("counts");
    let one = frame(vec![("x", Arc::new(Int64Array::from(vec![1])))]);
    bench.publish(&one, json!("bi")).await.expect("published under a reader");
    let during: i64 = sqlx::query_scalar(count).fetch_one(&mut *seen).await.expect("counts");
    assert_eq!((before, during), (3, 3));
    seen.rollback().await.expect("ends");
    let after: i64 = sqlx::query_scalar(count).fetch_one(&mut reader).await.expect("counts");
    assert_eq!(after, 1);
}

#[tokio::test]
async fn a_locked_file_a_view_and_a_file_that_is_no_database_are_explained() {
    let bench = Bench::new();
    bench.publish(&people(), json!("bi")).await.expect("published");
    let mut other = bench.open().await;
    other.execute("begin immediate").await.expect("locks");
    let error = bench.publish(&people(), json!("bi")).await.expect_err("locked");
    assert!(error.message.contains("locked") && error.helps[0].contains("another program"), "{error:?}");
    other.execute("rollback").await.expect("unlocks");

    other.execute("create view v as select * from mart").await.expect("a view");
    let error = bench.publish(&people(), json!({"to": "bi", "table": "v"})).await.expect_err("a view");
    assert!(error.message.contains("a view has that name"), "{error:?}");
    // A view over the table does not hinder the table.
    bench.publish(&people(), json!("bi")).await.expect("published");
    drop(other);

    let bad = bench.folder.path().join("text.db");
    std::fs::write(&bad, "no database at all, but long enough to have a header".repeat(10)).expect("written");
    let config = DestinationConfig::parse("bi", &json!({"type": "sqlite", "path": bad})).expect("fine");
    let error = super::super::ping(&config, "bi").await.expect_err("no database");
    assert_eq!(error.code, codes::DESTINATION_UNREACHABLE);
    assert!(super::super::ping(&bench.config(), "bi").await.expect("answers").starts_with("SQLite 3"));
}

#[tokio::test]
async fn odd_names_and_empty_relations_are_fine() {
    let bench = Bench::new();
    let empty = frame(vec![("a \"b\" `c`", Arc::new(Int64Array::from(Vec::<i64>::new())))]);
    let published = bench.publish(&empty, json!({"to": "bi", "table": "`bảng \"x.y\"`"})).await.expect("published");
    assert_eq!(published.rows, 0);
    assert_eq!(
        bench.ask("select name from sqlite_schema where name not like '%c360_publish%'").await,
        ["bảng \"x.y\""]
    );
    let error = bench.publish(&empty, json!({"to": "bi", "table": "db.t"})).await.expect_err("refused");
    assert_eq!(error.code, codes::PUBLISH_CONFIG);
    let error = bench.publish(&empty, json!({"to": "bi", "key": "ab"})).await.expect_err("refused");
    assert!(error.message.contains("names column `ab`, which the model does not have"));
}

#[tokio::test]
async fn two_publishes_of_one_process_take_turns() {
    let bench = Bench::new();
    let many: ArrayRef = Arc::new(Int64Array::from_iter_values(0..50_000));
    let (a, b) = (frame(vec![("n", Arc::clone(&many))]), frame(vec![("n", many)]));
    let config = |table: &str| json!({"to": "bi", "table": table, "key": "n"});
    let (one, two) = futures::join!(bench.publish(&a, config("one")), bench.publish(&b, config("two")));
    assert_eq!((one.expect("published").rows, two.expect("published").rows), (50_000, 50_000));
    assert_eq!(
        bench.ask("select cast(count(*) as text) from one union all select count(*) from two").await[0],
        "50000"
    );
}
