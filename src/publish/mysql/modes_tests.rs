//! Modes, the ledger, and publishes that have nothing to do; against a real server, with a real warehouse.

use std::sync::Mutex;

use arrow::array::{ArrayRef, Date32Array, Int64Array, RecordBatch, StringArray};
use serde_json::{Value, json};

use super::super::testing::{History, batch, model};
use super::super::{DestinationConfig, publish};
use super::tests::{Bench, bench};
use super::*;
use crate::diag::codes;

/// A server's database and a relation that is published to it.
struct Modes {
    bench: Bench,
    history: History,
}

async fn modes(name: &str) -> Option<Modes> {
    Some(Modes { bench: bench(name).await?, history: History::new() })
}

impl Modes {
    async fn publish(&self, config: &Value) -> Result<Published> {
        self.publish_with(config, false, &|_| {}).await
    }

    async fn publish_with(&self, config: &Value, full_refresh: bool, told: OnProgress<'_>) -> Result<Published> {
        let job = PublishJob::parse("mart", "mart", config).expect("fine").remove(0);
        let destination = DestinationConfig::parse("bi", &self.bench.settings).expect("fine");
        let source = self.history.source(full_refresh).await;
        publish(&destination, "bi", &job, &source, told).await
    }

    async fn rows(&mut self) -> Vec<String> {
        self.bench.ask("select cast(id as char), name from mart order by id").await
    }
}

fn config(mode: &str) -> Value {
    json!({"to": "bi", "key": "id", "mode": mode})
}

#[tokio::test]
async fn append_and_upsert_send_what_is_new() {
    let Some(mut modes) = modes("modes").await else { return };
    modes.history.overwrite(batch(&model(&[(1, "a"), (2, "b"), (3, "c")]))).await;
    assert_eq!(modes.publish(&config("append")).await.expect("published").sent, 3);
    let again = modes.publish(&config("append")).await.expect("published");
    assert_eq!(again.skipped.as_deref(), Some("warehouse version 0 is already there"));
    modes.history.append(batch(&model(&[(4, "d")]))).await;
    let published = modes.publish(&config("append")).await.expect("published");
    assert_eq!((published.sent, published.rows), (1, 4));
    modes.history.overwrite(batch(&model(&[(2, "b"), (3, "C"), (5, "e")]))).await;
    let error = modes.publish(&config("append")).await.expect_err("refused");
    assert!(error.message.contains("version 2 replaced or removed rows"), "{error:?}");
    let published = modes.publish(&config("upsert")).await.expect("published");
    assert_eq!((published.sent, published.deleted, published.rows), (2, 0, 5));
    assert_eq!(modes.rows().await, ["1|a", "2|b", "3|C", "4|d", "5|e"]);
    let deletes = json!({"to": "bi", "key": "id", "mode": "upsert", "vanished": "delete"});
    let published = modes.publish(&deletes).await.expect("published");
    assert_eq!((published.sent, published.deleted, published.rows), (3, 2, 3));
    modes.history.overwrite(batch(&model(&[(2, "x"), (3, "C")]))).await;
    let published = modes.publish(&deletes).await.expect("published");
    assert_eq!((published.sent, published.deleted, published.rows), (1, 1, 2));
    assert_eq!(modes.rows().await, ["2|x", "3|C"]);
    assert_eq!(modes.bench.tables().await, ["mart"], "and nothing beside it");
    let ledger = "select destination_table, node, warehouse_relation, cast(warehouse_version as char), mode, \
                  cast(table_rows as char), cast(sent_rows as char), run_id from _c360_publish";
    assert_eq!(modes.bench.ask(ledger).await, ["mart|mart|main.mart|3|upsert|2|1|run 2"]);
}

#[tokio::test]
async fn a_ledger_that_a_crash_left_behind_is_not_believed() {
    let Some(mut modes) = modes("crash").await else { return };
    modes.history.overwrite(batch(&model(&[(1, "a")]))).await;
    modes.publish(&config("replace")).await.expect("published");
    // The process died after it had noted version 7 and before the swap.
    let copy = "insert into _c360_publish select destination_table, 'feedfeedfeedfeed', node, warehouse_relation, \
                warehouse_table_id, 7, mode, is_exact, config, columns, table_rows, sent_rows, run_id, published_at \
                from _c360_publish";
    modes.bench.execute(copy).await;
    modes.history.append(batch(&model(&[(2, "b")]))).await;
    let published = modes.publish(&config("append")).await.expect("published");
    assert_eq!((published.skipped, published.sent), (None, 1));
    assert_eq!(modes.rows().await, ["1|a", "2|b"]);
    // It died after the swap: the table has the token of the row that was written before.
    modes.bench.execute("alter table mart comment = 'c360 feedfeedfeedfeed'").await;
    let published = modes.publish(&config("replace")).await.expect("published");
    assert_eq!(published.skipped.as_deref(), Some("a newer warehouse version, 7, is already there"));
    // A table that somebody else has made has no row.
    modes.bench.execute("alter table mart comment = ''").await;
    assert_eq!(modes.publish(&config("replace")).await.expect("published").skipped, None);
    assert_eq!(modes.bench.ask("select cast(count(*) as char) from _c360_publish").await, ["1"]);
}

#[tokio::test]
async fn upsert_needs_a_table_with_the_key() {
    let Some(mut modes) = modes("foreign").await else { return };
    modes.history.overwrite(batch(&model(&[(1, "a"), (2, "b")]))).await;
    modes.bench.execute("create table mart (id bigint, name varchar(40))").await;
    let error = modes.publish(&config("upsert")).await.expect_err("refused");
    assert!(error.message.contains("no primary key on the columns of `key`"), "{error:?}");
    modes.bench.execute("alter table mart add primary key (id), add unique index by_name (name)").await;
    let error = modes.publish(&config("upsert")).await.expect_err("refused");
    assert!(error.message.contains("another unique index, `by_name`"), "{error:?}");
    modes.bench.execute("alter table mart drop index by_name").await;
    modes.bench.execute("insert into mart values (2, 'old'), (9, 'own')").await;
    assert_eq!(modes.publish(&config("upsert")).await.expect("published").sent, 2);
    assert_eq!(modes.rows().await, ["1|a", "2|b", "9|own"]);
    let again = modes.publish(&config("upsert")).await.expect("published");
    assert!(again.skipped.is_some(), "it is known now");
    let append = modes.publish(&json!({"to": "bi", "key": "id", "mode": "append"})).await.expect("published");
    assert!(append.skipped.is_some());
}

#[tokio::test]
async fn texts_that_grow_find_room() {
    let Some(mut modes) = modes("grow").await else { return };
    modes.history.overwrite(batch(&model(&[(1, "short")]))).await;
    modes.publish(&config("append")).await.expect("published");
    assert_eq!(modes.bench.columns("mart").await[1], "name|varchar(16)|YES");
    modes.history.append(batch(&model(&[(2, &"ế".repeat(100))]))).await;
    modes.publish(&config("append")).await.expect("published");
    assert_eq!(modes.bench.columns("mart").await[1], "name|varchar(128)|YES");
    modes.history.append(batch(&model(&[(3, &"x".repeat(20_000))]))).await;
    modes.publish(&config("upsert")).await.expect("published");
    assert_eq!(modes.bench.columns("mart").await[1], "name|text|YES");
    modes.history.append(batch(&model(&[(4, &"ế".repeat(40_000))]))).await;
    modes.publish(&config("append")).await.expect("published");
    let lengths = modes.bench.ask("select cast(char_length(name) as char) from mart order by id").await;
    assert_eq!(lengths, ["5", "100", "20000", "40000"]);
    // A text that is short again does not make the column short.
    modes.history.append(batch(&model(&[(5, "s")]))).await;
    modes.publish(&config("append")).await.expect("published");
    assert_eq!(modes.bench.columns("mart").await[1], "name|mediumtext|YES");
}

#[tokio::test]
async fn columns_come_and_go() {
    let Some(mut modes) = modes("columns").await else { return };
    modes.history.overwrite(batch(&model(&[(1, "1"), (2, "2")]))).await;
    modes.publish(&config("upsert")).await.expect("published");
    let ids: ArrayRef = Arc::new(Int64Array::from(vec![1, 3]));
    let names: ArrayRef = Arc::new(Int64Array::from(vec![10, 30]));
    let days: ArrayRef = Arc::new(Date32Array::from(vec![19083, 19084]));
    let columns = [("id", ids, true), ("name", names, true), ("day", days, true)];
    modes.history.overwrite(RecordBatch::try_from_iter_with_nullable(columns).expect("a batch")).await;
    let error = modes.publish(&config("upsert")).await.expect_err("refused");
    assert_eq!(error.code, codes::PUBLISH_SCHEMA);
    assert!(error.notes.contains(&"of another type: name".to_string()), "{error:?}");
    let mut sync = config("upsert");
    sync["on_schema_change"] = json!("sync_all_columns");
    modes.publish(&sync).await.expect("published");
    assert_eq!(modes.bench.columns("mart").await, ["id|bigint(20)|NO", "name|bigint(20)|YES", "day|date|YES"]);
    let rows = "select concat_ws(',', id, name, day) from mart order by id";
    assert_eq!(modes.bench.ask(rows).await, ["1,10,2022-04-01", "2,2", "3,30,2022-04-02"]);
    modes.history.overwrite(batch(&model(&[(4, "four")]))).await;
    modes.publish(&sync).await.expect("published");
    assert_eq!(modes.bench.columns("mart").await, ["id|bigint(20)|NO", "name|varchar(16)|YES"]);
    assert_eq!(modes.rows().await, ["1|10", "2|2", "3|30", "4|four"]);
}

#[tokio::test]
async fn tables_are_cut_into_parts() {
    let Some(mut modes) = modes("parts").await else { return };
    let days = |ids: Vec<i64>, days: Vec<i32>| {
        let ids: ArrayRef = Arc::new(Int64Array::from(ids));
        let days: ArrayRef = Arc::new(Date32Array::from(days));
        RecordBatch::try_from_iter_with_nullable([("id", ids, true), ("day", days, true)]).expect("a batch")
    };
    // 2022-04-01, 2022-05-31.
    modes.history.overwrite(days(vec![1, 2], vec![19083, 19143])).await;
    let months = json!({"to": "bi", "key": ["id", "day"], "mode": "append",
        "partitions": {"column": "Day", "every": "month"}});
    modes.publish(&months).await.expect("published");
    // 2022-05-31 again, 2022-08-15.
    modes.history.append(days(vec![3, 4], vec![19143, 19219])).await;
    modes.publish(&months).await.expect("published");
    // Earlier than every part: it goes into the first.
    modes.history.append(days(vec![5], vec![0])).await;
    modes.publish(&months).await.expect("published");
    let parts = "select partition_name, (select group_concat(id order by id) from mart where \
                 case partition_name when 'p202204' then day < '2022-05-01' when 'p202205' then month(day) = 5 \
                 when 'p202208' then month(day) = 8 end) from information_schema.partitions \
                 where table_schema = database() and table_name = 'mart' order by partition_ordinal_position";
    let expected = ["p202204|1,5", "p202205|2,3", "p202206|NULL", "p202207|NULL", "p202208|4", "p_rest|NULL"];
    assert_eq!(modes.bench.ask(parts).await, expected);
    let hashed = json!({"to": "bi", "table": "hashed", "key": "id", "partitions": {"columns": ["id"], "count": 4}});
    modes.publish(&hashed).await.expect("published");
    let count = "select cast(count(*) as char) from information_schema.partitions where table_schema = database() \
                 and table_name = 'hashed'";
    assert_eq!(modes.bench.ask(count).await, ["4"]);
    for (parts, says) in [
        (json!("day"), "for files"),
        (json!({"column": "day", "every": "year"}), "not in `key`"),
        (json!({"columns": "nix", "count": 2}), "does not have"),
    ] {
        let job = json!({"to": "bi", "table": "other", "key": "id", "partitions": parts});
        let error = modes.publish(&job).await.expect_err("refused");
        assert!(error.message.contains(says), "{error:?}");
    }
}

#[tokio::test]
async fn the_second_of_two_waits_and_has_nothing_to_do() {
    let Some(modes) = modes("turns").await else { return };
    let ids: ArrayRef = Arc::new(Int64Array::from_iter_values(0..30_000));
    let names: ArrayRef = Arc::new(StringArray::from_iter_values((0..30_000).map(|id| id.to_string())));
    let rows = RecordBatch::try_from_iter_with_nullable([("id", ids, true), ("name", names, true)]).expect("a batch");
    modes.history.overwrite(rows).await;
    let waited = Mutex::new(Vec::new());
    let told = |progress| {
        if let Progress::Waiting(why) = progress {
            waited.lock().expect("a lock").push(why);
        }
    };
    for mode in ["replace", "append", "upsert"] {
        let job = json!({"to": "bi", "key": "id", "mode": mode, "table": mode});
        let (one, two) = futures::join!(modes.publish_with(&job, false, &told), modes.publish_with(&job, false, &told));
        let mut skipped = [one, two].map(|one| one.expect("published").skipped.is_some());
        skipped.sort_unstable();
        assert_eq!(skipped, [false, true], "{mode}");
    }
    let waited = waited.into_inner().expect("a lock");
    assert_eq!(waited.len(), 3, "{waited:?}");
    let me = modes.bench.settings["user"].as_str().expect("a user");
    assert!(waited.iter().all(|why| why.contains("(connection ") && why.contains(&format!("of {me}@"))), "{waited:?}");
}
