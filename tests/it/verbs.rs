//! `init`, `debug`, `clean`, `parse`, `compile`, `explain`, and the settings of all verbs.

use crate::harness::Project;

#[test]
fn init_makes_a_project_that_builds() {
    let folder = Project::empty();
    folder.ok(&["init", "my_shop"]).says(&["c360 build"]);
    let output = folder.ok(&["--project-dir", "my_shop", "build"]);
    output.says(&["Published   bi.daily_sales", "0 failed, 0 skipped"]);
    let rows = crate::publish_sqlite::sqlite_rows(&folder.path("my_shop/warehouse/bi.db"), "select * from daily_sales");
    assert_eq!(rows, ["2026-01-01|2|200", "2026-01-02|1|45", "2026-01-03|1|230"]);
    folder.exits(2, &["init", "my_shop"]).says(&["my_shop"]);
    folder.exits(2, &["init", "my-shop"]).says(&["my-shop"]);
}

#[test]
fn debug_says_what_works_and_what_does_not() {
    let project = Project::models(&[("a", "select 1 as id")]);
    insta::assert_snapshot!(scrub(&project, &project.ok(&["debug"]).stdout));
    project.write(
        "bi.db",
        "this is no database, it is a long enough text to be taken for a file that was damaged somehow",
    );
    let output = project.exits(1, &["debug"]);
    assert!(output.stdout.contains("destination bi  FAILED"), "{}", output.stdout);
    output.says(&["error[C6002]"]);
}

fn scrub(project: &Project, text: &str) -> String {
    let changing = regex::Regex::new(
        r"[\d.]+ ms a round trip, written at [^,]+, read at [^,]+|SQLite [\d.]+|c360( +)ok( +)[\d.]+",
    )
    .expect("a pattern");
    changing.replace_all(&project.scrub(text), "<changing>").into_owned()
}

#[test]
fn clean_deletes_what_clean_targets_names_and_nothing_outside() {
    let project = Project::models(&[("a", "{{ config(materialized='table') }} select 1 as id")]);
    project.ok(&["build"]);
    project.ok(&["clean"]).says(&["deleted", "target"]);
    assert!(!project.path("target").exists() && project.path("warehouse/main/a").exists());
    project.ok(&["clean"]).says(&["nothing to delete"]);
    project.write("inner/dbt_project.yml", "name: inner\nprofile: shop\nclean-targets: ['../keep', keep]\n");
    project.write("keep/x", "x");
    project.write("inner/keep/x", "x");
    let output = project.run(&["clean", "--project-dir", "inner", "--profiles-dir", "."]);
    assert!(project.path("keep/x").exists(), "{}", output.stderr);
    assert_ne!(output.code, Some(0), "a folder outside of the project is refused");
}

#[test]
fn parse_writes_the_manifest_and_runs_nothing() {
    let project = Project::models(&[("a", "{{ config(materialized='table') }} select 1 as id")]);
    project.ok(&["parse"]).says(&["1 node read", "manifest.json"]);
    assert_eq!(project.json("target/manifest.json")["nodes"]["model.shop.a"]["name"], "a");
    assert!(!project.path("warehouse/main").exists());
}

#[test]
fn compile_writes_and_prints_sql() {
    let project = Project::models(&[
        ("x/a", "select {{ var('n', 2) }} as id"),
        ("b", "{% set t = ref('a') %}\nselect * from {{ t }}"),
    ]);
    project.ok(&["compile"]).says(&["2 nodes compiled"]);
    assert_eq!(project.read("target/compiled/shop/models/x/a.sql").trim(), "select 2 as id");
    let printed = project.ok(&["compile", "--select", "b"]).stdout;
    assert_eq!(printed.trim(), "select * from \"c360\".\"main\".\"a\"");
    assert_eq!(project.read("target/compiled/shop/models/b.sql").trim(), printed.trim());
    let inline = project.ok(&["compile", "--inline", "select '{{ target.name }}' as t", "--output", "json"]).stdout;
    let inline: serde_json::Value = serde_json::from_str(&inline).expect("JSON");
    assert_eq!(inline["compiled"], "select 'dev' as t");
    assert!(!project.path("warehouse/main").exists(), "nothing ran");
}

#[test]
fn help_names_every_verb() {
    let project = Project::empty();
    let help = project.ok(&["--help"]).stdout;
    for verb in ["build", "run", "test", "seed", "ls", "parse", "compile", "show", "debug", "clean", "init", "explain"]
    {
        assert!(help.lines().any(|line| line.trim_start().starts_with(verb)), "{verb}");
        let own = project.ok(&[verb, "--help"]).stdout;
        assert!(own.contains("Usage: c360 ") && own.contains("--project-dir"), "{verb}");
    }
}

#[test]
fn settings_come_from_arguments_then_environment_then_files() {
    let project = Project::models(&[("a", "select 1 as id")]);
    let threads = |args: &[&str], env: &[(&str, &str)]| {
        let mut command = project.command(&[&["build", "--log-format", "json"], args].concat());
        let output = project.finish(command.envs(env.iter().copied()));
        assert_eq!(output.code, Some(0), "{}", output.stderr);
        let first = output.stderr.lines().next().expect("an event").to_string();
        serde_json::from_str::<serde_json::Value>(&first).expect("JSON")["threads"].as_u64()
    };
    assert_eq!(threads(&[], &[]), Some(2));
    assert_eq!(threads(&[], &[("DBT_THREADS", "3")]), Some(3));
    assert_eq!(threads(&[], &[("DBT_THREADS", "3"), ("C360_THREADS", "4")]), Some(4));
    assert_eq!(threads(&["--threads", "5"], &[("C360_THREADS", "4")]), Some(5));
}
