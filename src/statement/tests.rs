use datafusion::arrow::util::pretty::pretty_format_batches;
use futures::TryStreamExt;

use super::*;
use crate::engine::{EngineOptions, SessionOptions};

struct Room {
    engine: Engine,
    meter: Meter,
    trail: Trail,
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
    Room { engine, meter, trail: Trail::default(), _folder: folder }
}

impl Room {
    async fn run(&self, text: &str) -> Result<Option<SendableRecordBatchStream>> {
        let commit = Commit::new("operation.test", "1");
        let executor = Executor { engine: &self.engine, meter: &self.meter, commit, trail: &self.trail };
        executor.run("a hook", text).await
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

#[tokio::test]
async fn rows_of_another_table_decide() {
    let room = room();
    room.run("create table t as select * from (values (1, 'a', 10), (2, 'b', 20), (3, 'c', 30)) as v(id, name, n)")
        .await
        .expect("a table");
    room.run("create table s as select * from (values (2, 'B', 5), (2, 'B', 5), (3, 'C', null)) as v(id, name, n)")
        .await
        .expect("a table");
    // Two rows that fit change a row once.
    room.run("update t set n = t.n + s.n, name = s.name from s where s.id = t.id").await.expect("an update");
    assert_eq!(room.rows("select * from t order by id").await, "1,a,10;2,B,25;3,C,");
    room.run(
        "update main.t as x set n = x.n * y.n from s as y, (select 5 as n) as five where x.id = y.id and y.n = five.n",
    )
    .await
    .expect("an update");
    assert_eq!(room.rows("select n from t order by id").await, "10;125;");
    room.run("delete from db.main.t using db.main.s where db.main.s.id = db.main.t.id and db.main.s.n is null")
        .await
        .expect("a delete");
    assert_eq!(room.rows("select id from t order by id").await, "1;2");
    room.run("delete from t where (id) in (select distinct id from s)").await.expect("a delete");
    assert_eq!(room.rows("select id from t order by id").await, "1");
    assert_eq!(room.code("update t set nothing = s.n from s where s.id = t.id").await, "C4004");
}

#[tokio::test]
async fn merges_update_delete_and_insert() {
    let room = room();
    let fill =
        "create or replace table t as select * from (values (1, 'a'), (2, 'b'), (3, 'c'), (4, null)) as v(id, name)";
    room.run(fill).await.expect("a table");
    room.run("create table s as select * from (values (1, 'A'), (2, null), (9, 'I')) as v(id, name)")
        .await
        .expect("rows");
    let merge = "merge into t as d using s on d.id = s.id \
        when matched and s.name is null then delete \
        when matched then update set name = s.name || d.name \
        when not matched then insert (name, id) values (s.name, s.id)";
    room.run(merge).await.expect("a merge");
    assert_eq!(room.rows("select * from t order by id").await, "1,Aa;3,c;4,;9,I");
    // Names in full, clauses for rows that the source has not, and a source that is a query.
    room.run(fill).await.expect("a table");
    let merge = "merge into db.main.t using (select id, name, random() as r from s) as src on src.id = db.main.t.id \
        when not matched by source and db.main.t.name is null then update set name = 'none' \
        when not matched by source then delete \
        when matched and src.r > 2 then delete \
        when not matched by target and src.id > 100 then insert values (src.id, 'never') \
        when not matched then insert values (src.id, upper(src.name))";
    room.run(merge).await.expect("a merge");
    assert_eq!(room.rows("select * from t order by id").await, "1,a;2,b;4,none;9,I");
    let versions = room.engine.warehouse.history(&Relation::new("db", "main", "t"), 9).await.expect("a log");
    assert_eq!(versions.map(|versions| versions.len()), Some(4), "each statement is one commit");
    // A condition that is never true, as an overwrite of everything.
    room.run("merge into t using s on false when not matched by source then delete when not matched then insert values (id, name)")
        .await
        .expect("a merge");
    assert_eq!(room.rows("select * from t order by id").await, "1,A;2,;9,I");
    let staged = room.engine.warehouse.identifiers("main").await.expect("names");
    assert_eq!(staged, ["s", "t"]);
}

#[tokio::test]
async fn a_merge_that_cannot_be_right_changes_nothing() {
    let room = room();
    room.run("create table t as select 1 as id, 'a' as name; create table s as select * from (values (1, 'x'), (1, 'y')) as v(id, name)")
        .await
        .expect("tables");
    let twice = "merge into t using s on t.id = s.id when matched then update set name = s.name";
    assert_eq!(room.code(twice).await, codes::DUPLICATE_MERGE_KEY.id);
    // One of the two has nothing to say.
    room.run("merge into t using s on t.id = s.id when matched and s.name = 'y' then update set name = s.name")
        .await
        .expect("a merge");
    assert_eq!(room.rows("select name from t").await, "y");
    for wrong in [
        "merge into t using s on t.id = s.id when matched then update set nothing = 1",
        "merge into t using s on t.id = s.id when not matched then insert (id, nothing) values (1, 2)",
    ] {
        assert_eq!(room.code(wrong).await, "C4004", "{wrong}");
    }
    let wrong = "merge into t using s on t.id = s.id when not matched then insert (id) values (1, 2)";
    assert_eq!(room.code(wrong).await, "C4002");
    for wrong in [
        "merge into t using s on t.id = s.id when not matched then delete",
        "merge into t using s on t.id = s.id when matched then insert values (1, 2)",
    ] {
        assert_ne!(room.code(wrong).await, "", "{wrong}");
    }
    assert_eq!(room.rows("select * from t").await, "1,y");
}

#[tokio::test]
async fn relations_get_other_names_and_temporary_ones_go() {
    let room = room();
    room.run("create table a as select 1 as x; insert into a values (2); create view v as select 3 as x")
        .await
        .expect("two");
    assert_eq!(room.code("alter table a rename to v").await, "C4002");
    room.run("alter table a rename to b; alter view v rename to w").await.expect("names");
    assert_eq!(room.rows("select x from b order by 1").await, "1;2");
    assert_eq!(room.rows("select x from w").await, "3");
    assert_eq!(room.code("select * from a").await, "C4006");
    room.run("alter table b add column y int, rename column x to z, alter column z type bigint")
        .await
        .expect("columns");
    assert_eq!(room.rows("select z, y, arrow_typeof(z) from b order by 1").await, "1,,Int64;2,,Int64");
    room.run("create temporary table tmp as select 1 as x; create temporary table tmp as select 2 as x")
        .await
        .expect("tables");
    assert_eq!(room.rows("select x from tmp").await, "2");
    assert_eq!(room.code("create temporary table b as select 2 as x").await, "C4002");
    room.trail.drop_temporary(&room.engine).await;
    assert_eq!(room.engine.warehouse.identifiers("main").await.expect("names"), ["b", "w"]);
    room.run("create index if not exists i on b (z)").await.expect("nothing");
}
