use datafusion::arrow::util::pretty::pretty_format_batches;
use futures::TryStreamExt;

use super::*;
use crate::engine::{EngineOptions, SessionOptions};

struct Room {
    engine: Engine,
    meter: Meter,
    _folder: tempfile::TempDir,
}

fn room() -> Room {
    let folder = tempfile::tempdir().expect("a folder");
    let engine = Engine::open(EngineOptions {
        cluster: None,
        session: SessionOptions {
            database: "db".into(),
            schema: "main".into(),
            memory_limit: Some(1 << 28),
            spill_dir: None,
        },
        warehouse: "wh".into(),
        base: folder.path().to_path_buf(),
        storage_options: Default::default(),
        sources: Vec::new(),
        memory: None,
        built_by: Vec::new(),
    })
    .expect("an engine");
    let meter = engine.meter().expect("a session");
    Room { engine, meter, _folder: folder }
}

impl Room {
    async fn run(&self, text: &str) -> Result<Option<SendableRecordBatchStream>> {
        let commit = Commit::new("operation.test", "1");
        Executor { engine: &self.engine, meter: &self.meter, commit }.run("a hook", text).await
    }

    /// Values of the rows of a query, rows apart by `;`.
    async fn rows(&self, query: &str) -> String {
        let rows = self.run(query).await.expect("a query").expect("rows");
        let batches: Vec<_> = rows.try_collect().await.expect("rows");
        let text = pretty_format_batches(&batches).expect("text").to_string();
        let lines = text.lines().skip(3).filter(|line| line.starts_with('|'));
        let cells = |line: &str| line.trim_matches('|').split('|').map(str::trim).collect::<Vec<_>>().join(",");
        lines.map(cells).collect::<Vec<_>>().join(";")
    }

    async fn code(&self, text: &str) -> &'static str {
        match self.run(text).await {
            Ok(_) => "",
            Err(error) => error.code.id,
        }
    }
}

#[tokio::test]
async fn rows_are_inserted_changed_and_deleted() {
    let room = room();
    room.run("create table if not exists log (Word varchar, n int)").await.expect("a table");
    room.run("insert into main.LOG values ('a', 1), ('b', 2); insert into log (word) select 'c'").await.expect("rows");
    assert_eq!(room.rows("select * from log order by 1").await, "a,1;b,2;c,");
    room.run("update log set n = n + 1, word = upper(word) where n >= 2").await.expect("an update");
    assert_eq!(room.rows("select * from log order by 1").await, "B,3;a,1;c,");
    // A condition that is null deletes nothing.
    room.run("delete from log where n > 2").await.expect("a delete");
    assert_eq!(room.rows("select * from log order by 1").await, "a,1;c,");
    room.run("truncate table log").await.expect("a truncate");
    assert_eq!(room.rows("select count(*) from log").await, "0");
}

#[tokio::test]
async fn tables_are_made_altered_and_dropped() {
    let room = room();
    room.run("create table t as select 1 as a, 'x' as b").await.expect("a table");
    assert_eq!(room.code("create table t as select 2 as a").await, "C4002");
    room.run("create table if not exists t as select 2 as a").await.expect("nothing");
    room.run("alter table t add column c double; alter table t drop column b; alter table t rename column a to k")
        .await
        .expect("columns");
    assert_eq!(room.rows("select k, c from t").await, "1,");
    room.run("create or replace view v as select k + 1 as k from t").await.expect("a view");
    assert_eq!(room.rows("select k from v").await, "2");
    assert_eq!(room.code("insert into v values (1)").await, "C4002");
    room.run("alter table t rename to u").await.expect("a new name");
    assert_eq!(room.rows("select k from u").await, "1");
    room.run("drop table u; drop view if exists v; drop table if exists never").await.expect("drops");
    assert_eq!(room.code("select * from u").await, "C4006");
    assert_eq!(room.code("drop table u").await, "C4006");
}

#[tokio::test]
async fn mistakes_change_nothing() {
    let room = room();
    room.run("begin; create table t as select 1 as a; commit;").await.expect("a table");
    assert_eq!(room.code("insert into t values (1, 2)").await, "C4002");
    assert_eq!(room.code("insert into t (b) values (1)").await, "C4004");
    assert_eq!(room.code("insert into nowhere values (1)").await, "C4006");
    assert_eq!(room.code("update t set b = 1").await, "C4004");
    assert_eq!(room.code("delete from t where nothing = 1").await, "C4004");
    assert_eq!(room.code("grant select on t to someone").await, "C4002");
    assert_eq!(room.rows("select a from t").await, "1");
    assert!(room.run("-- nothing to do").await.expect("nothing").is_none());
}
