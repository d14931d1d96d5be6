//! `show`: the forms of its output, and what goes where.

use crate::harness::Project;

const SQL: &str =
    "select * from (values (1, 'Phở', 1.5), (2, null, 2.0), (3, 'a,\"b\"', null)) as t(id, name, price) order by id";

fn show(args: &[&str]) -> String {
    let project = Project::new();
    let output = project.ok(&[&["show", "--inline", SQL], args].concat());
    assert_eq!(output.stderr, "");
    output.stdout
}

#[test]
fn forms_of_output() {
    insta::assert_snapshot!("show_as_a_table", show(&[]));
    insta::assert_snapshot!("show_as_json", show(&["--output", "json"]));
    insta::assert_snapshot!("show_as_json_lines", show(&["--output", "jsonl"]));
    insta::assert_snapshot!("show_as_csv", show(&["--output", "csv"]));
}

#[test]
fn limits() {
    let project = Project::new();
    let count = |args: &[&str]| {
        let all = ["show", "--inline", "select value from generate_series(1, 3000)", "--output", "jsonl"];
        project.ok(&[&all[..], args].concat()).stdout.lines().count()
    };
    assert_eq!(
        (count(&[]), count(&["--limit", "7"]), count(&["--limit", "-1"]), count(&["--limit=0"])),
        (5, 7, 3000, 0)
    );
}

#[test]
fn exact_values_in_json() {
    let project = Project::new();
    let sql = "select 9223372036854775807 as big, cast('0.10' as decimal(5, 2)) as d, date '2022-04-01' as day, \
               make_array(1, null) as list, named_struct('a', true) as st, 'NaN'::double as nan, '' as empty";
    let line = project.ok(&["show", "--inline", sql, "--output", "jsonl"]).stdout;
    assert_eq!(
        line.trim(),
        "{\"big\":9223372036854775807,\"d\":0.10,\"day\":\"2022-04-01\",\"list\":[1,null],\"st\":{\"a\":true},\"nan\":null,\"empty\":\"\"}"
    );
}

#[test]
fn quiet_leaves_data_alone() {
    let project =
        Project::models(&[("a", "{% do exceptions.warn('careful') %}{{ log('hello', info=true) }}select 1 as id")]);
    let loud = project.ok(&["show", "--select", "a", "--output", "jsonl"]);
    loud.says(&["careful"]);
    let quiet = project.ok(&["show", "--select", "a", "--output", "jsonl", "--quiet"]);
    assert_eq!((quiet.stdout.as_str(), quiet.stderr.as_str()), ("{\"id\":1}\n", ""));
    let build = project.ok(&["build", "--quiet"]);
    assert_eq!((build.stdout.as_str(), build.stderr.as_str()), ("", ""));
    let failing = Project::models(&[("a", "select nothing as id")]);
    let output = failing.exits(2, &["show", "--select", "a", "--quiet"]);
    output.says(&["error[C4004]"]);
    assert_eq!(output.stdout, "");
}

#[test]
fn global_options_stand_before_and_after_the_verb() {
    let project = Project::models(&[("a", "select {{ var('x') }} as x")]);
    let after =
        project.ok(&["show", "--select", "a", "--output", "csv", "--vars", "x: 3", "--quiet", "--target", "dev"]);
    let before =
        project.ok(&["--vars", "x: 3", "--quiet", "--target", "dev", "show", "--select", "a", "--output", "csv"]);
    assert_eq!((before.stdout.as_str(), after.stdout.as_str()), ("x\n3\n", "x\n3\n"));
    let elsewhere = Project::empty();
    let root = project.path("").display().to_string();
    let output =
        elsewhere.ok(&["--project-dir", &root, "show", "--select", "a", "--vars", "{x: 4}", "--output", "csv"]);
    assert_eq!(output.stdout, "x\n4\n");
    let output = elsewhere.finish(
        elsewhere
            .command(&["show", "--select", "a", "--output", "csv"])
            .env("C360_PROJECT_DIR", &root)
            .env("DBT_VARS", "{x: 5}"),
    );
    assert_eq!(output.stdout, "x\n5\n", "{}", output.stderr);
}

#[test]
fn nodes_of_every_kind_are_shown() {
    let project =
        Project::models(&[("a", "select 1 as id"), ("e", "{{ config(materialized='ephemeral') }} select 2 as id")])
            .file("seeds/s.csv", "id\n3\n")
            .file("lake/t.csv", "id\n4\n")
            .file("analyses/n.sql", "select id + 4 as id from {{ ref('e') }}")
            .file("models/m.yml", "sources: [{name: lake, tables: [{name: t, external: {location: lake/t.csv}}]}]\n");
    project.ok(&["seed"]);
    for (select, id) in [("a", "1"), ("e", "2"), ("s", "3"), ("source:lake.t", "4"), ("n", "6")] {
        let output = project.ok(&["show", "--select", select, "--output", "csv"]);
        assert_eq!(output.stdout, format!("id\n{id}\n"), "{select}");
    }
}

#[test]
fn show_changes_nothing() {
    let project = Project::models(&[("a", "{{ config(materialized='table') }} select 1 as id")]);
    project.ok(&["build"]);
    let copied = project.path("copied.csv");
    let copy = format!("copy (select 1 as x) to '{}'", copied.display());
    let statements = ["insert into main.a select 2", "insert into {{ ref('a') }} select 2", "drop table main.a", &copy];
    for sql in statements {
        let output = project.exits(2, &["show", "--inline", sql]);
        output.says(&["error[C4002]", "a query is expected here"]);
        assert_eq!(output.stdout, "");
        project.write("models/b.sql", format!("{{{{ config(materialized='table') }}}} {sql}"));
        project.exits(2, &["build", "--select", "b"]).says(&["a query is expected here"]);
    }
    assert_eq!((project.sorted("a"), project.versions("main/a"), copied.exists()), (vec!["1".to_string()], 1, false));
    assert!(project.ok(&["show", "--inline", "explain select 1 as x"]).stdout.contains("logical_plan"));
}
