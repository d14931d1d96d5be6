//! Marts in SQLite: types, keys, and the old table until the new one is whole.

use std::path::Path;

use sqlx::sqlite::{SqliteConnectOptions, SqliteRow};
use sqlx::{AssertSqlSafe, ConnectOptions, Executor, Row, TypeInfo, ValueRef};

use crate::harness::Project;

/// The rows of a query on a SQLite file, columns joined with a bar.
pub(crate) fn sqlite_rows(path: &Path, sql: &str) -> Vec<String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let options = SqliteConnectOptions::new().filename(path).read_only(true);
        let mut connection = options.connect().await.expect("a database");
        let rows =
            connection.fetch_all(AssertSqlSafe(sql.to_string())).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
        rows.iter().map(bars).collect()
    })
}

/// Runs a statement on a SQLite file.
pub(crate) fn write_sqlite(path: &Path, sql: &str) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let mut connection = SqliteConnectOptions::new().filename(path).connect().await.expect("a database");
        connection.execute(AssertSqlSafe(sql.to_string())).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
    });
}

fn bars(row: &SqliteRow) -> String {
    let cell = |at: usize| {
        let value = row.try_get_raw(at).expect("a cell");
        if value.is_null() {
            return "null".to_string();
        }
        // What is stored decides, not what was declared.
        match value.type_info().name() {
            "INTEGER" | "BOOLEAN" => row.get_unchecked::<i64, _>(at).to_string(),
            "REAL" => format!("{:?}", row.get_unchecked::<f64, _>(at)),
            _ => row.get_unchecked::<String, _>(at),
        }
    };
    (0..row.len()).map(cell).collect::<Vec<_>>().join("|")
}

/// Names of the published tables of a SQLite file.
pub(crate) fn tables(path: &Path) -> Vec<String> {
    sqlite_rows(path, "select name from sqlite_schema where type = 'table' and name <> '_c360_publish' order by name")
}

fn mart(publish: &str, sql: &str) -> Project {
    Project::models(&[("mart", &format!("{{{{ config(materialized='table', publish={publish}) }}}}\n{sql}"))])
}

fn bi(project: &Project, sql: &str) -> Vec<String> {
    sqlite_rows(&project.path("bi.db"), sql)
}

const ROWS: &str = "select * from (values (2, 'Phở bò'), (1, 'x''\"\\')) as t(id, name)";

#[test]
fn types_and_values_arrive() {
    let project = mart(
        "'bi'",
        "select 1 as i, cast(9223372036854775807 as bigint) as b, cast(1.5 as double) as d, cast('12.30' as decimal(10, 2)) as m, \
         'Tiếng Việt 😀' as s, true as ok, date '2022-04-01' as day, timestamp '2022-04-01 10:00:00.5' as at, \
         cast(null as int) as n, make_array(1, 2) as list, named_struct('a', 1) as st",
    );
    project.ok(&["build"]).says(&["Published   bi.mart", "1 row"]);
    let row = bi(&project, "select * from mart");
    assert_eq!(
        row,
        ["1|9223372036854775807|1.5|12.3|Tiếng Việt 😀|1|2022-04-01|2022-04-01 10:00:00.500000|null|[1,2]|{\"a\":1}"]
    );
    let types = bi(&project, "select group_concat(name || ' ' || type, ', ') from pragma_table_info('mart')");
    assert_eq!(
        types,
        [
            "i INTEGER, b INTEGER, d REAL, m NUMERIC(10, 2), s TEXT, ok BOOLEAN, day DATE, at DATETIME, n INTEGER, list TEXT, st TEXT"
        ]
    );
}

#[test]
fn keys_and_indexes_are_made() {
    let project = mart("{'to': 'bi', 'table': 'dishes', 'key': ['ID'], 'indexes': [['name'], ['name', 'id']]}", ROWS);
    project.ok(&["build"]);
    assert_eq!(bi(&project, "select name from pragma_table_info('dishes') where pk = 1 and \"notnull\" = 1"), ["id"]);
    let sql = "select group_concat(i.name, ',') from pragma_index_list('dishes') as l, pragma_index_info(l.name) as i \
               where l.origin = 'c' group by l.name order by l.name";
    assert_eq!(bi(&project, sql), ["name", "name,id"]);
    assert_eq!(bi(&project, "select * from dishes"), ["1|x'\"\\", "2|Phở bò"]);
}

#[test]
fn a_second_build_replaces_the_table() {
    let project = mart("'bi'", ROWS);
    project.ok(&["build"]);
    project.edit("models/mart.sql", "t(id, name)", "t(id, dish) where id = 2");
    project.ok(&["build"]);
    assert_eq!(bi(&project, "select id, dish from mart"), ["2|Phở bò"]);
    assert_eq!(tables(&project.path("bi.db")), ["mart"]);
}

#[test]
fn a_failing_test_leaves_the_published_table_and_says_so() {
    let project = mart("'bi'", ROWS);
    project.write("models/m.yml", "models:\n  - name: mart\n    columns: [{name: id, data_tests: [unique]}]\n");
    project.ok(&["build"]);
    project.edit("models/mart.sql", "(1, ", "(2, ");
    let output = project.exits(1, &["build"]);
    output.says(&["bi.mart", "because unique_mart_id failed"]);
    assert!(!output.stderr.contains("Published"), "{}", output.stderr);
    assert_eq!(bi(&project, "select id from mart order by id"), ["1", "2"]);
    let results = project.json("target/run_results.json");
    let model = results["results"].as_array().expect("a list").iter().find(|one| one["unique_id"] == "model.shop.mart");
    assert_eq!(model.expect("a result")["adapter_response"]["publish"]["status"], "skipped");
}

#[test]
fn keys_that_are_null_or_twice_are_refused() {
    let project = mart("{'to': 'bi', 'key': ['id']}", ROWS);
    project.ok(&["build"]);
    for (from, to, says) in [("(1, ", "(null, ", "null"), ("(null, ", "(2, ", "2")] {
        project.edit("models/mart.sql", from, to);
        let output = project.exits(1, &["build"]);
        assert!(output.stderr.contains("C600") && output.stderr.to_lowercase().contains(says), "{}", output.stderr);
        assert_eq!(bi(&project, "select id from mart order by id"), ["1", "2"], "{to}");
    }
}

#[test]
fn a_destination_that_the_target_does_not_have() {
    let project = mart("'bii'", ROWS);
    insta::assert_snapshot!(project.says(2, &["build"]));
    assert!(!project.path("warehouse/main/mart").exists(), "nothing ran");
    project.ok(&["run"]);
}

#[test]
fn a_publish_that_cannot_be() {
    let one = |publish: &str, code: i32| mart(publish, ROWS).says(code, &["build"]);
    insta::assert_snapshot!("an_unknown_setting_of_a_publish", one("{'to': 'bi', 'keys': ['id']}", 2));
    insta::assert_snapshot!("an_unknown_mode_of_a_publish", one("{'to': 'bi', 'mode': 'replcae'}", 2));
    let said = one("{'to': 'bi', 'key': ['idd']}", 2);
    assert!(said.contains("idd") && said.contains("did you mean `id`?"), "{said}");
    mart("{'to': 'bi', 'key': ['idd']}", ROWS).ok(&["run"]);
    mart("{'to': 'bi', 'key': ['idd']}", ROWS).exits(1, &["build", "--no-check"]).says(&["idd"]);
}

#[test]
fn views_and_whole_folders_are_published() {
    let project =
        Project::models(&[("mart/a", "select 1 as id"), ("mart/b", "select 2 as id"), ("c", "select 3 as id")])
            .file("dbt_project.yml", "name: shop\nprofile: shop\nmodels:\n  shop:\n    mart:\n      +publish: bi\n");
    project.ok(&["build"]);
    assert_eq!(tables(&project.path("bi.db")), ["a", "b"]);
    assert_eq!(bi(&project, "select id from b"), ["2"]);
}
