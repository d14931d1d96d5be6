//! Append, upsert, the ledger, and what is skipped.

use std::collections::BTreeMap;

use arrow::array::ArrayRef;
use async_trait::async_trait;

use super::super::super::source::{Added, Changed, Origin, Version};
use super::*;

/// A relation with versions: maps from the key to a name.
struct Versions {
    all: Vec<BTreeMap<String, Option<&'static str>>>,
    number: usize,
    origin: Origin,
    rows: FrameRows,
    /// The earlier versions' files are gone.
    vacuumed: bool,
}

type Pairs<'a> = &'a [(&'a str, Option<&'static str>)];

fn versions(all: &[Pairs<'_>]) -> Versions {
    let all: Vec<BTreeMap<_, _>> =
        all.iter().map(|pairs| pairs.iter().map(|(key, name)| (key.to_string(), *name)).collect()).collect();
    let number = all.len() - 1;
    let version = Some(Version { table_id: "t".into(), number: number as u64 });
    let origin = Origin { relation: "main.mart".into(), version, run: format!("run {number}"), full_refresh: false };
    let rows = table(all[number].iter().map(|(key, name)| (key.as_str(), *name)));
    Versions { all, number, origin, rows, vacuumed: false }
}

fn table<'a>(pairs: impl Iterator<Item = (&'a str, Option<&'a str>)>) -> FrameRows {
    let (keys, names): (Vec<_>, Vec<_>) = pairs.map(|(key, name)| (Some(key), name)).unzip();
    let lengths: ArrayRef = numbers(names.iter().map(|name| name.map_or(0, str::len) as i64));
    frame(vec![("Id", texts(keys)), ("name", texts(names)), ("length", lengths)])
}

#[async_trait]
impl Source for Versions {
    fn origin(&self) -> &Origin {
        &self.origin
    }

    fn rows(&self) -> &dyn Rows {
        &self.rows
    }

    fn count(&self) -> Option<u64> {
        Some(self.all[self.number].len() as u64)
    }

    async fn added(&self, since: u64) -> Result<Added> {
        let (old, new) = (&self.all[since as usize], &self.all[self.number]);
        if old.iter().any(|(key, name)| new.get(key) != Some(name)) {
            return Ok(Added::Unclear("version 2 replaced rows".to_string()));
        }
        let added = new.iter().filter(|(key, _)| !old.contains_key(*key));
        Ok(Added::Rows(Box::new(table(added.map(|(key, name)| (key.as_str(), *name))))))
    }

    async fn changed(&self, since: u64, _: &[String]) -> Result<Option<Changed>> {
        let (old, new) = (&self.all[since as usize], &self.all[self.number]);
        let changed = new.iter().filter(|(key, name)| old.get(*key) != Some(name));
        let rows = Box::new(table(changed.map(|(key, name)| (key.as_str(), *name))));
        let gone = old.keys().filter(|key| !new.contains_key(*key)).map(|key| Some(key.as_str())).collect();
        let gone = Box::new(frame(vec![("Id", texts(gone))]));
        Ok((!self.vacuumed).then_some(Changed { rows, gone }))
    }
}

impl Bench {
    async fn source(&self, source: &dyn Source, config: &Value) -> Result<Published> {
        let job = PublishJob::parse("mart", "mart", config).expect("fine").remove(0);
        publish(&self.config(&[]), "bi", &job, source, &|_| {}).await
    }

    async fn rows(&mut self) -> Vec<String> {
        self.ask("select \"Id\", name, length::text from mart order by 1, 2").await
    }
}

const ONE: Pairs<'_> = &[("a", Some("x")), ("b", None)];
const TWO: Pairs<'_> = &[("a", Some("x")), ("b", None), ("c", Some("zz"))];
const THREE: Pairs<'_> = &[("a", Some("new")), ("c", Some("zz")), ("d", None)];

#[tokio::test]
async fn append_adds_what_is_new_exactly_once() {
    let Some(mut bench) = bench("append").await else { return };
    let config = json!({"to": "bi", "mode": "append", "key": "id"});
    let first = bench.source(&versions(&[ONE]), &config).await.expect("published");
    assert_eq!((first.sent, first.rows), (2, 2));
    for _ in 0..2 {
        let published = bench.source(&versions(&[ONE, TWO]), &config).await.expect("published");
        assert_eq!((published.rows, published.sent + published.skipped.iter().count() as u64), (3, 1));
    }
    assert_eq!(bench.rows().await, ["a|x|1", "b|NULL|0", "c|zz|2"]);
    let error = bench.source(&versions(&[ONE, TWO, THREE]), &config).await.expect_err("unclear");
    assert!(error.message.contains("version 2 replaced rows"), "{error:?}");
    let sql = "select destination_table, node, warehouse_version::text, mode, is_exact::text, table_rows::text, \
               sent_rows::text, run_id from _c360_publish";
    assert_eq!(bench.ask(sql).await, ["mart|mart|1|append|1|3|1|run 1"]);
    // A table that somebody has dropped is made anew.
    bench.execute("drop table mart").await;
    assert_eq!(bench.source(&versions(&[ONE, TWO]), &config).await.expect("published").sent, 3);
}

#[tokio::test]
async fn upsert_sends_what_has_changed() {
    let Some(mut bench) = bench("upsert").await else { return };
    let keep = json!({"to": "bi", "mode": "upsert", "key": "id"});
    let delete = json!({"to": "bi", "mode": "upsert", "key": "id", "vanished": "delete"});
    bench.source(&versions(&[ONE]), &keep).await.expect("published");
    bench.execute("create view seen as select * from mart").await;
    let published = bench.source(&versions(&[ONE, TWO, THREE]), &keep).await.expect("published");
    assert_eq!((published.sent, published.deleted, published.rows), (3, 0, 4));
    assert_eq!(bench.rows().await, ["a|new|3", "b|NULL|0", "c|zz|2", "d|NULL|0"]);
    // The kept row goes as soon as deletes are asked for, though the version is there.
    let published = bench.source(&versions(&[ONE, TWO, THREE]), &delete).await.expect("published");
    assert_eq!((published.sent, published.deleted, published.rows), (3, 1, 3));
    let published = bench.source(&versions(&[ONE, TWO, THREE, ONE]), &delete).await.expect("published");
    assert_eq!((published.sent, published.deleted, published.rows), (2, 2, 2));
    assert_eq!(bench.rows().await, ["a|x|1", "b|NULL|0"]);
    // Rows that are as they were stay untouched, also if all of them travel.
    let before = bench.ask("select xmin::text || ctid::text from mart where \"Id\" = 'b'").await;
    let mut vacuumed = versions(&[ONE, TWO, THREE, ONE, &[("a", Some("y")), ("b", None), ("é", None)]]);
    vacuumed.vacuumed = true;
    let published = bench.source(&vacuumed, &delete).await.expect("published");
    assert_eq!((published.sent, published.deleted, published.rows), (3, 0, 3));
    assert_eq!(bench.ask("select xmin::text || ctid::text from mart where \"Id\" = 'b'").await, before);
    assert_eq!(bench.rows().await, ["a|y|1", "b|NULL|0", "é|NULL|0"]);
}

#[tokio::test]
async fn a_version_that_is_there_is_not_sent_again() {
    let Some(mut bench) = bench("skips").await else { return };
    let config = json!({"to": "bi", "key": "id"});
    bench.source(&versions(&[ONE, TWO]), &config).await.expect("published");
    let why = bench.source(&versions(&[ONE, TWO]), &config).await.expect("fine").skipped;
    assert_eq!(why.as_deref(), Some("warehouse version 1 is already there"));
    let why = bench.source(&versions(&[ONE]), &config).await.expect("fine").skipped;
    assert_eq!(why.as_deref(), Some("a newer warehouse version, 1, is already there"));
    let mut again = versions(&[ONE, TWO]);
    again.origin.full_refresh = true;
    assert_eq!(bench.source(&again, &config).await.expect("published").sent, 3);
    // The ledger is one for all tables of the schema, also if publishes of several make it at once.
    bench.execute("drop table _c360_publish").await;
    let all = ["t1", "t2", "t3"].map(|table| json!({"to": "bi", "table": table}));
    let sources = [versions(&[ONE]), versions(&[ONE]), versions(&[ONE])];
    let jobs = all.iter().zip(&sources).map(|(config, source)| bench.source(source, config));
    for published in futures::future::join_all(jobs).await {
        published.expect("published");
    }
    assert_eq!(bench.ask("select destination_table from _c360_publish order by 1").await, ["t1", "t2", "t3"]);
}

/// The same relation with other columns, one version later.
struct Evolved(Versions, FrameRows);

#[async_trait]
impl Source for Evolved {
    fn origin(&self) -> &Origin {
        &self.0.origin
    }

    fn rows(&self) -> &dyn Rows {
        &self.1
    }

    async fn added(&self, _: u64) -> Result<Added> {
        Ok(Added::Unclear(String::new()))
    }

    async fn changed(&self, _: u64, _: &[String]) -> Result<Option<Changed>> {
        Ok(None)
    }
}

#[tokio::test]
async fn columns_follow_the_relation_as_asked() {
    let Some(mut bench) = bench("evolve").await else { return };
    let config = |policy: &str| json!({"to": "bi", "mode": "upsert", "key": "id", "on_schema_change": policy});
    let other = || {
        let rows =
            frame(vec![("Id", texts(vec![Some("z")])), ("length", texts(vec![Some("7")])), ("more", numbers([1]))]);
        Evolved(versions(&[ONE, TWO]), rows)
    };
    bench.source(&versions(&[ONE]), &config("fail")).await.expect("published");
    let error = bench.source(&other(), &config("fail")).await.expect_err("changed");
    assert_eq!(error.code, codes::PUBLISH_SCHEMA, "{error:?}");
    bench.source(&other(), &config("sync_all_columns")).await.expect("published");
    assert_eq!(bench.columns("mart").await, ["Id text not null", "length text", "more bigint"]);
    let rows = bench.ask("select \"Id\", length, more::text from mart order by 1").await;
    assert_eq!(rows, ["a|1|NULL", "b|0|NULL", "z|7|1"]);
    bench.execute("alter table mart drop constraint mart_pkey").await;
    let mut third = other();
    third.0.origin.version = Some(Version { table_id: "t".into(), number: 5 });
    let error = bench.source(&third, &config("fail")).await.expect_err("no key");
    assert!(error.message.contains("no primary key or unique index"), "{error:?}");
}

#[tokio::test]
async fn partitions_are_refused() {
    let Some(bench) = bench("parts").await else { return };
    let error = bench.source(&versions(&[ONE]), &json!({"to": "bi", "partitions": "Id"})).await.expect_err("refused");
    assert!(error.message.contains("makes no partitions on PostgreSQL"), "{error:?}");
}
