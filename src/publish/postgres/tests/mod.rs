//! Against a real server: `eval "$(scripts/services env)"` says where one is. Every test has a schema of its own.

mod faults;
mod modes;
mod values;

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use datafusion::prelude::SessionContext;
use serde_json::{Value, json};
use sqlx::postgres::PgRow;
use sqlx::{AssertSqlSafe, Executor, Row};

use super::super::source::timeless;
use super::super::{DestinationConfig, FrameRows, publish};
use super::*;
use crate::diag::codes;

const URL: &str = "C360_TEST_POSTGRES_URL";

/// A schema on the test server.
struct Bench {
    settings: Value,
    admin: PgConnection,
    schema: String,
}

/// The server's settings with an empty schema called `name`; none, and a word about it, if there is no server.
#[expect(clippy::print_stderr, reason = "a skipped test must not look like one that passed")]
async fn bench(name: &str) -> Option<Bench> {
    let Ok(url) = std::env::var(URL) else {
        assert!(std::env::var_os("CI_REQUIRE_SERVICES").is_none_or(|flag| flag != "1"), "{URL} is not set");
        eprintln!("skipped: {URL} is not set; try: eval \"$(scripts/services env)\"");
        return None;
    };
    let url = url::Url::parse(&url).expect("a URL");
    let schema = format!("c360_test_{name}");
    let settings = json!({
        "type": "postgres", "host": url.host_str(), "port": url.port(), "user": url.username(),
        "password": url.password(), "database": url.path().trim_start_matches('/'), "schema": schema, "lock_timeout": 20,
    });
    let mut admin = connect(&postgres(&settings)).await.expect("logs in");
    let sql = format!(
        "set client_min_messages = error; drop schema if exists {schema} cascade; create schema {schema}; set search_path = {schema}"
    );
    admin.execute(AssertSqlSafe(sql)).await.expect("an empty schema");
    Some(Bench { settings, admin, schema })
}

fn postgres(settings: &Value) -> PostgresConfig {
    match DestinationConfig::parse("bi", settings).expect("fine") {
        DestinationConfig::Postgres(config) => *config,
        other => panic!("{}", other.kind()),
    }
}

impl Bench {
    fn config(&self, changes: &[(&str, Value)]) -> DestinationConfig {
        let mut settings = self.settings.clone();
        changes.iter().for_each(|(key, value)| settings[*key] = value.clone());
        DestinationConfig::parse("bi", &settings).expect("fine")
    }

    async fn publish(&self, rows: &dyn Rows, config: Value) -> Result<Published> {
        let job = PublishJob::parse("mart", "mart", &config).expect("fine").remove(0);
        publish(&self.config(&[]), "bi", &job, &timeless(rows), &|_| {}).await
    }

    async fn execute(&mut self, sql: &str) {
        self.admin.execute(AssertSqlSafe(sql)).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
    }

    /// Rows as text, columns with a bar between; the columns have to be text.
    async fn ask(&mut self, sql: &str) -> Vec<String> {
        let rows = self.admin.fetch_all(AssertSqlSafe(sql)).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
        rows.iter().map(bars).collect()
    }

    /// Names and types of a table's columns.
    async fn columns(&mut self, table: &str) -> Vec<String> {
        let sql = format!(
            "select attname || ' ' || format_type(atttypid, atttypmod) || case when attnotnull then ' not null' else '' end \
             from pg_attribute where attrelid = '{table}'::regclass and attnum > 0 and not attisdropped order by attnum"
        );
        self.ask(&sql).await
    }

    /// Everything in the schema that has a name, but for the ledger.
    async fn names(&mut self) -> Vec<String> {
        let sql = format!(
            "select relname::text from pg_class where relnamespace = '{}'::regnamespace and relkind not in ('t', 'c') \
             and relname not like '\\_c360\\_publish%' order by 1",
            self.schema
        );
        self.ask(&sql).await
    }
}

fn bars(row: &PgRow) -> String {
    let cell = |at| row.try_get_unchecked::<Option<String>, _>(at).expect("text").unwrap_or_else(|| "NULL".into());
    (0..row.len()).map(cell).collect::<Vec<_>>().join("|")
}

fn frame(columns: Vec<(&str, ArrayRef)>) -> FrameRows {
    let batch = RecordBatch::try_from_iter(columns).expect("a batch");
    FrameRows(SessionContext::new().read_batch(batch).expect("a frame"))
}

fn texts(values: Vec<Option<&str>>) -> ArrayRef {
    Arc::new(StringArray::from(values))
}

fn numbers(values: impl IntoIterator<Item = i64>) -> ArrayRef {
    Arc::new(Int64Array::from_iter_values(values))
}

fn people() -> FrameRows {
    frame(vec![
        ("Contract", texts(vec![Some("c"), Some("a"), Some("a "), Some("A")])),
        ("Taste", texts(vec![Some("Thể Thao 🏐"), Some("it's \"\\\t\r\n`"), Some(""), None])),
    ])
}

#[tokio::test]
async fn a_table_is_replaced_with_its_key_and_indexes() {
    let Some(mut bench) = bench("replace").await else { return };
    let config = json!({"to": "bi", "key": "contract", "indexes": [["Taste", "Contract"], "Taste"]});
    for _ in 0..2 {
        let published = bench.publish(&people(), config.clone()).await.expect("published");
        assert_eq!((published.rows, published.attempts), (4, 1));
    }
    assert_eq!(bench.columns("mart").await, ["Contract text not null", "Taste text"]);
    // Keys compare as bytes: case and trailing spaces count.
    let sql = "select '<' || \"Contract\" || '>', \"Taste\" from mart order by \"Contract\"";
    assert_eq!(bench.ask(sql).await, ["<A>|NULL", "<a>|it's \"\\\t\r\n`", "<a >|", "<c>|Thể Thao 🏐"]);
    assert_eq!(bench.names().await, ["mart", "mart_ix1", "mart_ix2", "mart_pkey"]);
    let sql = "select indexdef from pg_indexes where schemaname = current_schema() order by indexname";
    let indexes = bench.ask(sql).await.join("\n");
    for part in ["mart_ix1 ", "btree (\"Taste\", \"Contract\")", "UNIQUE INDEX mart_pkey", "btree (\"Contract\")"] {
        assert!(indexes.contains(part), "{indexes}");
    }
}

#[tokio::test]
async fn names_may_be_odd_long_and_in_another_schema() {
    let Some(mut bench) = bench("names").await else { return };
    bench.execute("drop schema if exists \"c360_test_names_Ö\" cascade").await;
    let rows = frame(vec![("a `b` \"c\" ?'", numbers([1]))]);
    let odd = "\"c360_test_names_Ö\".\"bảng'\"\".x\"";
    let long = "t".repeat(63);
    for name in [odd, long.as_str()] {
        for _ in 0..2 {
            let config = json!({"to": "bi", "table": name, "key": "A `B` \"c\" ?'", "indexes": ["A `B` \"c\" ?'"]});
            bench.publish(&rows, config).await.expect("published");
        }
    }
    assert_eq!(bench.ask(&format!("select count(*)::text from {odd}")).await, ["1"], "its schema was made");
    assert!(bench.names().await.contains(&long));
    bench.execute("drop schema \"c360_test_names_Ö\" cascade").await;
    let error = bench.publish(&rows, json!({"to": "bi", "table": "t".repeat(64)})).await.expect_err("refused");
    assert!(error.message.contains("more than 63 bytes"), "{error:?}");
    let long = frame(vec![("ế".repeat(22).as_str(), numbers([1]))]);
    let error = bench.publish(&long, json!("bi")).await.expect_err("refused");
    assert_eq!(error.code, codes::PUBLISH_TYPE, "{error:?}");
}

#[tokio::test]
async fn grants_owner_and_comments_are_inherited() {
    let Some(mut bench) = bench("grants").await else { return };
    bench.publish(&people(), json!("bi")).await.expect("published");
    bench
        .execute(
            "drop role if exists c360_test_reader; create role c360_test_reader; drop role if exists \"c360 test Owner\"; \
             create role \"c360 test Owner\"; grant all on schema c360_test_grants to \"c360 test Owner\"; \
             alter table mart owner to \"c360 test Owner\"; grant select, insert on mart to c360_test_reader; \
             grant update (\"Taste\") on mart to c360_test_reader with grant option; grant select on mart to public; \
             comment on table mart is 'it''s ours'; comment on column mart.\"Taste\" is 'sweet'",
        )
        .await;
    let rights = "select coalesce(relacl::text, '') || coalesce((select attacl::text from pg_attribute where attrelid = c.oid \
                  and attname = 'Taste'), ''), pg_get_userbyid(relowner)::text, obj_description(oid, 'pg_class'), \
                  col_description(oid, 2) from pg_class c where oid = 'mart'::regclass";
    let before = bench.ask(rights).await;
    let oid = bench.ask("select 'mart'::regclass::oid::text").await;
    bench.publish(&people(), json!("bi")).await.expect("published");
    assert_ne!(bench.ask("select 'mart'::regclass::oid::text").await, oid, "it is another table");
    let sorted = |row: &[String]| {
        let mut parts: Vec<String> = row.join("").split(['{', '}', ',', '|']).map(str::to_string).collect();
        parts.sort();
        parts
    };
    assert_eq!(sorted(&bench.ask(rights).await), sorted(&before));
    assert!(before[0].contains("it's ours|sweet") && before[0].contains("c360 test Owner"), "{before:?}");
    bench
        .execute("drop schema c360_test_grants cascade; drop role c360_test_reader; drop role \"c360 test Owner\"")
        .await;
}

#[tokio::test]
async fn what_others_hold_on_to_gets_new_rows() {
    let Some(mut bench) = bench("ties").await else { return };
    let one = |id: i64| frame(vec![("id", numbers([id])), ("name", texts(vec![Some("x")]))]);
    let config = json!({"to": "bi", "key": "id"});
    bench.publish(&one(1), config.clone()).await.expect("published");
    bench.execute("create view seen as select id from mart; create materialized view kept as select * from seen").await;
    let oid = bench.ask("select 'mart'::regclass::oid::text").await;
    bench.publish(&one(2), config.clone()).await.expect("published");
    assert_eq!(bench.ask("select id::text from seen").await, ["2"]);
    assert_eq!(bench.ask("select 'mart'::regclass::oid::text").await, oid, "it is the same table");

    // What does not fit leaves all as it was.
    let other = frame(vec![("id", texts(vec![Some("3")])), ("name", texts(vec![Some("x")]))]);
    let error = bench.publish(&other, config.clone()).await.expect_err("refused");
    let said = "column `id` is bigint in it and text now, and it cannot be replaced: the view c360_test_ties.seen depends on it";
    assert!(error.message.contains(said), "{error:?}");
    let more = frame(vec![("id", numbers([3])), ("name", texts(vec![None])), ("new", numbers([1]))]);
    let error = bench.publish(&more, config.clone()).await.expect_err("refused");
    assert!(error.message.contains("column `new` is not in it"), "{error:?}");
    assert_eq!(bench.ask("select id::text from seen").await, ["2"]);

    bench.execute("drop view seen cascade; drop table mart").await;
    bench
        .execute("create table mart (id bigint, name text, at timestamptz default now()) partition by range (id)")
        .await;
    bench.execute("create table mart_low partition of mart for values from (0) to (10)").await;
    bench.publish(&one(4), config.clone()).await.expect("published");
    assert_eq!(bench.ask("select id::text from mart_low where at is not null").await, ["4"]);
    let error = bench.publish(&one(40), config.clone()).await.expect_err("no partition");
    assert!(error.message.contains("no partition of relation"), "{error:?}");
    assert_eq!(bench.ask("select id::text from mart").await, ["4"]);

    bench.execute("drop table mart; create table mart (id bigint primary key, name text)").await;
    bench.execute("create table child (id bigint references mart (id))").await;
    let error = bench.publish(&one(5), config.clone()).await.expect_err("refused");
    assert!(error.message.contains("the foreign key child_id_fkey of table c360_test_ties.child"), "{error:?}");
    bench.execute("drop table child; drop table mart; create view mart as select 1 as id").await;
    let error = bench.publish(&one(5), config).await.expect_err("refused");
    assert!(error.message.contains("a view has that name"), "{error:?}");
}

#[tokio::test]
async fn readers_see_the_old_rows_until_the_commit_and_hold_the_swap_up() {
    let Some(mut bench) = bench("readers").await else { return };
    bench.publish(&people(), json!("bi")).await.expect("published");
    bench.settings["lock_timeout"] = json!(0);
    bench.execute("begin").await;
    bench.ask("select \"Contract\" from mart").await;
    let error = bench.publish(&people(), json!("bi")).await.expect_err("a reader");
    assert!(error.message.contains("keep hold of the old one"), "{error:?}");
    bench.execute("rollback").await;
    assert_eq!(bench.names().await, ["mart"]);
    bench.publish(&people(), json!("bi")).await.expect("published");
    // Where a view keeps the table, nobody waits for anybody.
    bench.execute("create view seen as select * from mart").await;
    bench.execute("begin isolation level repeatable read").await;
    assert_eq!(bench.ask("select count(*)::text from seen").await, ["4"]);
    let config = json!({"to": "bi", "columns": {}});
    let two = frame(vec![("Contract", texts(vec![Some("x")])), ("Taste", texts(vec![None]))]);
    bench.publish(&two, config).await.expect("published");
    assert_eq!(bench.ask("select count(*)::text from seen").await, ["4"], "as it was when the transaction began");
    bench.execute("commit").await;
    assert_eq!(bench.ask("select \"Contract\" from seen").await, ["x"]);
}
