//! Modes, the ledger, and publishes that have nothing to do; with a real warehouse behind them.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use proptest::prelude::*;
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Row};

use super::super::testing::{History, Model, batch, model, read};
use super::super::{Added, DestinationConfig, Source, publish};
use super::*;

struct Bench {
    history: History,
}

impl Bench {
    fn new() -> Bench {
        Bench { history: History::new() }
    }

    async fn publish(&self, config: &Value) -> Result<Published> {
        self.publish_with(config, false).await
    }

    async fn publish_with(&self, config: &Value, full_refresh: bool) -> Result<Published> {
        let job = PublishJob::parse("mart", "mart", config).expect("fine").remove(0);
        let destination = DestinationConfig::parse("bi", &json!({"type": "sqlite", "path": "bi.db"})).expect("fine");
        let source = self.history.source(full_refresh).await;
        publish(&destination.rooted_at(self.history.folder()), "bi", &job, &source, &|_| {}).await
    }

    /// The rows of a query as text, columns joined with a bar.
    async fn ask(&self, sql: &str) -> Vec<String> {
        let path = self.history.folder().join("bi.db");
        let mut connection = SqliteConnectOptions::new().filename(path).connect().await.expect("opens");
        let rows = sqlx::query(AssertSqlSafe(sql)).fetch_all(&mut connection).await.expect("a query");
        let cell = |row: &sqlx::sqlite::SqliteRow, at| {
            row.try_get_unchecked::<Option<String>, _>(at).expect("text").unwrap_or_else(|| "NULL".into())
        };
        rows.iter().map(|row| (0..row.len()).map(|at| cell(row, at)).collect::<Vec<_>>().join("|")).collect()
    }

    async fn rows(&self) -> Vec<String> {
        self.ask("select cast(id as text), name from mart order by id").await
    }
}

fn shown(rows: &Model) -> Vec<String> {
    rows.iter().map(|(id, name)| format!("{id}|{}", name.as_deref().unwrap_or("NULL"))).collect()
}

fn config(mode: &str) -> Value {
    json!({"to": "bi", "key": "id", "mode": mode})
}

#[tokio::test]
async fn a_version_that_is_there_is_not_published_again() {
    let bench = Bench::new();
    bench.history.overwrite(batch(&model(&[(1, "a"), (2, "b")]))).await;
    for mode in ["replace", "append", "upsert"] {
        let config = json!({"to": "bi", "key": "id", "mode": mode, "table": mode});
        assert_eq!(bench.publish(&config).await.expect("published").skipped, None);
        let again = bench.publish(&config).await.expect("published");
        assert_eq!(again.skipped.as_deref(), Some("warehouse version 0 is already there"), "{mode}");
        assert_eq!((again.rows, again.sent), (2, 0));
        assert_eq!(bench.publish_with(&config, true).await.expect("published").skipped, None, "--full-refresh");
    }
    // Another shape, or a table that somebody has dropped, is published.
    let config = json!({"to": "bi", "key": "id", "table": "replace", "indexes": ["name"]});
    assert_eq!(bench.publish(&config).await.expect("published").skipped, None);
    bench.ask("drop table \"replace\"").await;
    assert_eq!(bench.publish(&config).await.expect("published").skipped, None);
    // The same version of another table of that name is another version.
    bench.history.drop_table().await;
    bench.history.overwrite(batch(&model(&[(3, "c")]))).await;
    assert_eq!(bench.publish(&config).await.expect("published").rows, 1);
}

#[tokio::test]
async fn the_ledger_tells_what_is_there() {
    let bench = Bench::new();
    bench.history.overwrite(batch(&model(&[(1, "a")]))).await;
    bench.publish(&config("append")).await.expect("published");
    bench.history.append(batch(&model(&[(2, "b"), (3, "c")]))).await;
    bench.publish(&config("append")).await.expect("published");
    let ledger = "select destination_table, node, warehouse_relation, cast(warehouse_version as text), mode, \
                  cast(table_rows as text), cast(sent_rows as text), run_id, columns from _c360_publish";
    let columns = r#"[["id","int64"],["name","text"]]"#;
    assert_eq!(bench.ask(ledger).await, [format!("mart|mart|main.mart|1|append|3|2|run 2|{columns}")]);
    let id =
        "select cast(length(warehouse_table_id) as text) from _c360_publish where published_at like '20__-__-__ %'";
    assert_eq!(bench.ask(id).await, ["36"]);
}

#[tokio::test]
async fn append_sends_what_is_new_and_refuses_what_cannot_be_told() {
    let bench = Bench::new();
    bench.history.overwrite(batch(&model(&[(1, "a"), (2, "b")]))).await;
    assert_eq!(bench.publish(&config("append")).await.expect("published").sent, 2);
    bench.history.append(batch(&model(&[(3, "c")]))).await;
    bench.history.append(batch(&model(&[(4, "d")]))).await;
    let published = bench.publish(&config("append")).await.expect("published");
    assert_eq!((published.sent, published.rows), (2, 4));
    // Rows that were only arranged anew are no new rows.
    bench.history.append(batch(&model(&[(5, "e")]))).await;
    bench.history.optimize().await;
    let published = bench.publish(&config("append")).await.expect("published");
    assert_eq!((published.sent, published.rows), (1, 5));
    assert_eq!(bench.rows().await, ["1|a", "2|b", "3|c", "4|d", "5|e"]);
    // An overwrite may have changed anything.
    bench.history.overwrite(batch(&model(&[(1, "x")]))).await;
    let error = bench.publish(&config("append")).await.expect_err("refused");
    assert_eq!(error.code, codes::PUBLISH_FAILED);
    assert!(error.message.contains("new since warehouse version 4: version 5 replaced or removed rows"), "{error:?}");
    assert!(error.message.contains("by invocation run 1"), "{error:?}");
    assert_eq!(bench.rows().await.len(), 5);
    assert_eq!(bench.publish_with(&config("append"), true).await.expect("published").rows, 1);
    assert_eq!(bench.rows().await, ["1|x"]);
    // A key that is there already breaks the primary key, and nothing arrives.
    bench.history.append(batch(&model(&[(1, "y"), (2, "z")]))).await;
    bench.publish(&config("append")).await.expect_err("refused");
    assert_eq!(bench.rows().await, ["1|x"]);
}

#[tokio::test]
async fn append_does_not_touch_a_table_that_it_does_not_know() {
    let bench = Bench::new();
    bench.history.overwrite(batch(&model(&[(1, "a")]))).await;
    bench.publish(&json!({"to": "bi", "table": "other"})).await.expect("published");
    bench.ask("create table mart (id integer primary key, name text)").await;
    let error = bench.publish(&config("append")).await.expect_err("refused");
    assert!(error.message.contains("the ledger does not know which rows are in it"), "{error:?}");
    // The table of another model neither.
    let job = PublishJob::parse("second", "other", &json!({"to": "bi", "mode": "append"})).expect("fine").remove(0);
    let destination = DestinationConfig::parse("bi", &json!({"type": "sqlite", "path": "bi.db"})).expect("fine");
    let source = bench.history.source(false).await;
    let error = publish(&destination.rooted_at(bench.history.folder()), "bi", &job, &source, &|_| {}).await;
    assert!(error.expect_err("refused").message.contains("published by `mart`"));
}

#[tokio::test]
async fn upsert_sends_what_has_changed() {
    let bench = Bench::new();
    let keeps = config("upsert");
    let deletes = json!({"to": "bi", "key": "id", "mode": "upsert", "vanished": "delete", "table": "exact"});
    bench.history.overwrite(batch(&model(&[(1, "a"), (2, "b"), (3, "c")]))).await;
    for config in [&keeps, &deletes] {
        assert_eq!(bench.publish(config).await.expect("published").sent, 3);
    }
    bench.history.overwrite(batch(&model(&[(2, "b"), (3, "C"), (4, "d")]))).await;
    let published = bench.publish(&keeps).await.expect("published");
    assert_eq!((published.sent, published.deleted, published.rows), (2, 0, 4));
    assert_eq!(bench.rows().await, ["1|a", "2|b", "3|C", "4|d"]);
    let published = bench.publish(&deletes).await.expect("published");
    assert_eq!((published.sent, published.deleted, published.rows), (2, 1, 3));
    // Rows that an upsert has kept go when it no longer keeps them, though no version is new.
    let mut now = keeps.clone();
    now["vanished"] = json!("delete");
    let published = bench.publish(&now).await.expect("published");
    assert_eq!((published.sent, published.deleted, published.rows), (3, 1, 3));
    assert_eq!(bench.rows().await, ["2|b", "3|C", "4|d"]);
}

#[tokio::test]
async fn upsert_sends_everything_where_the_old_files_are_gone() {
    let bench = Bench::new();
    let deletes = json!({"to": "bi", "key": "id", "mode": "upsert", "vanished": "delete"});
    bench.history.overwrite(batch(&model(&[(1, "a"), (2, "b")]))).await;
    let old: Vec<_> = parquet_files(&bench);
    bench.publish(&deletes).await.expect("published");
    bench.history.overwrite(batch(&model(&[(2, "b"), (3, "c")]))).await;
    old.iter().for_each(|path| std::fs::remove_file(path).expect("removed"));
    let published = bench.publish(&deletes).await.expect("published");
    assert_eq!((published.sent, published.deleted), (2, 1));
    assert_eq!(bench.rows().await, ["2|b", "3|c"]);
}

fn parquet_files(bench: &Bench) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(bench.history.table()).expect("a folder").flatten();
    entries.map(|entry| entry.path()).filter(|path| path.extension().is_some_and(|end| end == "parquet")).collect()
}

#[tokio::test]
async fn upsert_goes_into_a_table_of_somebody_else() {
    let bench = Bench::new();
    bench.history.overwrite(batch(&model(&[(1, "a"), (2, "b")]))).await;
    bench.publish(&json!({"to": "bi", "table": "other"})).await.expect("published");
    bench.ask("create table mart (id integer primary key, name text)").await;
    bench.ask("insert into mart values (2, 'old'), (9, 'own')").await;
    bench.publish(&config("upsert")).await.expect("published");
    assert_eq!(bench.rows().await, ["1|a", "2|b", "9|own"]);
    bench.ask("create table keyless (id integer, name text)").await;
    let config = json!({"to": "bi", "key": "id", "mode": "upsert", "table": "keyless"});
    let error = bench.publish(&config).await.expect_err("refused");
    assert!(error.message.contains("no primary key on the columns of `key`"), "{error:?}");
}

#[tokio::test]
async fn somebody_elses_change_is_noticed_where_the_table_has_to_be_the_relation() {
    let bench = Bench::new();
    let deletes = json!({"to": "bi", "key": "id", "mode": "upsert", "vanished": "delete"});
    bench.history.overwrite(batch(&model(&[(1, "a"), (2, "b")]))).await;
    bench.publish(&deletes).await.expect("published");
    bench.ask("delete from mart where id = 1").await;
    bench.history.append(batch(&model(&[(3, "c")]))).await;
    let error = bench.publish(&deletes).await.expect_err("noticed");
    assert_eq!(error.code, codes::PUBLISH_MISMATCH);
    assert_eq!(bench.rows().await, ["2|b"], "and nothing was done");
}

#[tokio::test]
async fn a_changed_config_asks_for_a_full_refresh() {
    let bench = Bench::new();
    bench.history.overwrite(batch(&model(&[(1, "a")]))).await;
    for mode in ["append", "upsert"] {
        let config = json!({"to": "bi", "key": "id", "mode": mode, "table": mode});
        bench.publish(&config).await.expect("published");
        let other = json!({"to": "bi", "key": "id", "mode": mode, "table": mode, "indexes": ["name"]});
        let error = bench.publish(&other).await.expect_err("refused");
        assert!(error.helps.iter().any(|help| help.contains("--full-refresh")), "{error:?}");
        bench.publish_with(&other, true).await.expect("published");
    }
}

/// A batch with the columns `id` and `extra`.
fn other_columns() -> RecordBatch {
    let ids: ArrayRef = Arc::new(Int64Array::from(vec![7]));
    let extra: ArrayRef = Arc::new(StringArray::from(vec!["new"]));
    RecordBatch::try_from_iter_with_nullable([("id", ids, true), ("extra", extra, true)]).expect("a batch")
}

#[tokio::test]
async fn columns_change_as_on_schema_change_says() {
    let bench = Bench::new();
    bench.history.overwrite(batch(&model(&[(1, "a")]))).await;
    let with =
        |policy: &str| json!({"to": "bi", "key": "id", "mode": "append", "table": policy, "on_schema_change": policy});
    let policies = ["fail", "ignore", "append_new_columns", "sync_all_columns"];
    for policy in policies {
        bench.publish(&with(policy)).await.expect("published");
    }
    bench.history.append(other_columns()).await;
    let error = bench.publish(&with("fail")).await.expect_err("refused");
    assert_eq!(error.code, codes::PUBLISH_SCHEMA);
    for policy in &policies[1..] {
        assert_eq!(bench.publish(&with(policy)).await.expect("published").sent, 1, "{policy}");
    }
    let all = |table: &str| format!("select * from {table} where id = 7");
    let text = |columns: &str, table: &str| all(table).replace('*', columns);
    assert_eq!(bench.ask(&text("name", "ignore")).await, ["NULL"]);
    assert_eq!(bench.ask(&text("name, extra", "append_new_columns")).await, ["NULL|new"]);
    assert_eq!(bench.ask(&text("extra", "sync_all_columns")).await, ["new"]);
    let columns = "select group_concat(name) from pragma_table_info('ignore')";
    assert_eq!(bench.ask(columns).await, ["id,name"]);

    // A column that is gone from the relation.
    let ids: ArrayRef = Arc::new(Int64Array::from(vec![8]));
    bench.history.overwrite(RecordBatch::try_from_iter_with_nullable([("id", ids, true)]).expect("a batch")).await;
    let upsert =
        |policy: &str| json!({"to": "bi", "key": "id", "mode": "upsert", "table": policy, "on_schema_change": policy});
    bench.publish(&upsert("ignore")).await.expect("published");
    assert_eq!(bench.ask("select cast(id as text), name from ignore order by id").await, ["1|a", "7|NULL", "8|NULL"]);
    bench.publish(&upsert("sync_all_columns")).await.expect("published");
    let columns = "select group_concat(name) from pragma_table_info('sync_all_columns')";
    assert_eq!(bench.ask(columns).await, ["id"]);
}

#[tokio::test]
async fn partitions_are_refused() {
    let bench = Bench::new();
    bench.history.overwrite(batch(&model(&[(1, "a")]))).await;
    let error = bench.publish(&json!({"to": "bi", "partitions": "id"})).await.expect_err("refused");
    assert_eq!(error.code, codes::PUBLISH_CONFIG);
}

#[tokio::test]
async fn differences_are_told_by_value() {
    let bench = Bench::new();
    let mut rows = model(&[(1, "a"), (2, "b"), (3, "c")]);
    rows.insert(4, None);
    rows.insert(5, None);
    bench.history.overwrite(batch(&rows)).await;
    rows.remove(&1);
    rows.insert(2, None);
    rows.insert(5, Some("e".into()));
    rows.insert(6, None);
    bench.history.overwrite(batch(&rows)).await;
    let source = bench.history.source(false).await;
    let changed = source.changed(0, &["ID".to_string()]).await.expect("reads").expect("there");
    assert_eq!(read(&*changed.rows).await, ["2|NULL", "5|e", "6|NULL"]);
    assert_eq!(read(&*changed.gone).await, ["1"]);
    assert!(matches!(source.added(0).await.expect("reads"), Added::Unclear(_)));
    assert!(source.changed(1, &["id".to_string()]).await.expect("reads").is_some());
}

/// What happens to the relation between publishes.
#[derive(Debug, Clone)]
enum Op {
    /// So many rows with new keys are added.
    Append(i64),
    /// All rows are written again: some changed, some gone.
    Rewrite { change: u8, drop: u8 },
    /// Files are arranged anew.
    Optimize,
    /// A publish.
    Publish,
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        3 => (0_i64..4).prop_map(Op::Append),
        2 => (any::<u8>(), any::<u8>()).prop_map(|(change, drop)| Op::Rewrite { change, drop }),
        1 => Just(Op::Optimize),
        3 => Just(Op::Publish),
    ]
}

/// Runs `ops`, publishing after each `Publish`; compares the table with what it has to be.
async fn check(mode: &str, vanished: Option<&str>, ops: &[Op]) {
    let bench = Bench::new();
    let mut job = config(mode);
    if let Some(vanished) = vanished {
        job["vanished"] = json!(vanished);
    }
    let mut relation = model(&[(0, "first")]);
    bench.history.overwrite(batch(&relation)).await;
    let mut there: Option<Model> = None;
    let (mut next, mut round, mut rewritten) = (1, 0, false);
    for op in ops.iter().chain([&Op::Publish]) {
        round += 1;
        match op {
            Op::Append(count) => {
                let new: Model = (next..next + count).map(|id| (id, Some(format!("r{round}")))).collect();
                next += count;
                bench.history.append(batch(&new)).await;
                relation.extend(new);
            }
            Op::Rewrite { change, drop } => {
                let was_empty = relation.is_empty();
                relation.retain(|id, _| id % 7 != i64::from(drop % 7));
                let hit = |id: &i64| id % 3 == i64::from(change % 3);
                relation.iter_mut().filter(|(id, _)| hit(id)).for_each(|(id, name)| {
                    *name = (id % 2 == 0).then(|| format!("c{round}"));
                });
                bench.history.overwrite(batch(&relation)).await;
                // Nothing in the place of nothing is no change.
                rewritten |= there.is_some() && !(was_empty && relation.is_empty());
            }
            Op::Optimize => bench.history.optimize().await,
            Op::Publish => {
                let published = bench.publish(&job).await;
                if mode == "append" && rewritten {
                    published.expect_err("it cannot be told what is new");
                } else {
                    published.expect("published");
                    match (&mut there, vanished, mode) {
                        (Some(there), None, "upsert") => there.extend(relation.clone()),
                        (there, ..) => *there = Some(relation.clone()),
                    }
                }
                assert_eq!(
                    bench.rows().await,
                    shown(there.as_ref().expect("published")),
                    "{mode} {vanished:?} {ops:?}"
                );
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_table_is_what_the_mode_says_whatever_happens(ops in proptest::collection::vec(op(), 1..9)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            check("replace", None, &ops).await;
            check("append", None, &ops).await;
            check("upsert", None, &ops).await;
            check("upsert", Some("delete"), &ops).await;
        });
    }
}
