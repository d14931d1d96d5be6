//! `history`, `restore`, `vacuum` and `publish`: the versions that tables have, and marts without a build.

use serde_json::Value as Json;

use crate::harness::Project;
use crate::publish_sqlite::sqlite_rows;

const MART: &str = "{{ config(materialized='table', publish={'to': 'bi', 'key': ['id']}) }}\n\
                    select value as id, {{ var('round', 1) }} as round from generate_series(1, {{ var('round', 1) }})";

/// A mart that was built in the rounds 1 to `rounds`: versions 0 to `rounds - 1`.
fn built(rounds: u64) -> Project {
    let project = Project::models(&[("mart", MART)]);
    for round in 1..=rounds {
        project.ok(&["build", "--vars", &format!("{{round: {round}}}")]);
    }
    project
}

fn history(project: &Project) -> Vec<Json> {
    let output = project.exits(0, &["history", "mart", "--output", "jsonl"]);
    output.stdout.lines().map(|line| serde_json::from_str(line).expect("an object")).collect()
}

fn published(project: &Project) -> Vec<String> {
    sqlite_rows(&project.path("bi.db"), "select id, round from mart order by id")
}

fn files(project: &Project) -> usize {
    let folder = std::fs::read_dir(project.path("warehouse/main/mart")).expect("a folder");
    folder
        .filter(|entry| entry.as_ref().is_ok_and(|entry| entry.path().extension().is_some_and(|e| e == "parquet")))
        .count()
}

#[test]
fn a_history_tells_every_version_and_who_made_it() {
    let project = built(3);
    let all = history(&project);
    let versions: Vec<u64> = all.iter().map(|one| one["version"].as_u64().expect("a version")).collect();
    assert_eq!(versions, [2, 1, 0]);
    let rows: Vec<u64> = all.iter().map(|one| one["rows_added"].as_u64().expect("rows")).collect();
    assert_eq!(rows, [3, 2, 1]);
    for one in &all {
        assert_eq!(one["operation"], "overwrite");
        assert_eq!(one["node"], "model.shop.mart");
    }
    let last = &project.json("target/run_results.json")["metadata"]["invocation_id"];
    assert_eq!(&all[0]["invocation"], last);
    let limited = project.exits(0, &["history", "mart", "--limit", "1", "--output", "csv"]).stdout;
    assert_eq!(limited.lines().count(), 2, "{limited}");
}

#[test]
fn a_restored_version_is_published_again_and_loses_nothing() {
    let project = built(3);
    assert_eq!(published(&project), ["1|3", "2|3", "3|3"]);
    let output = project.exits(0, &["restore", "mart", "--version", "1"]);
    output.says(&["version 1", "2 rows"]);
    assert_eq!(project.table("select * from {{ ref('mart') }} order by id"), ["1|2", "2|2"]);
    assert_eq!(published(&project), ["1|2", "2|2"]);
    assert_eq!(history(&project)[0]["operation"], "restore");
    project.exits(0, &["restore", "mart", "--version", "2", "--no-publish"]);
    assert_eq!(project.table("select count(*) from {{ ref('mart') }}"), ["3"]);
    assert_eq!(published(&project), ["1|2", "2|2"]);
    // Without a build: what is there, and its tests, are enough.
    project.exits(0, &["publish", "--select", "mart"]);
    assert_eq!(published(&project), ["1|3", "2|3", "3|3"]);
}

#[test]
fn what_is_restored_or_published_passes_its_tests_first() {
    let project = built(2);
    project.write(
        "models/mart.yml",
        "models: [{name: mart, columns: [{name: round, tests: [{accepted_values: {values: [2]}}]}]}]\n",
    );
    project.exits(1, &["restore", "mart", "--version", "0"]);
    assert_eq!(project.table("select count(*) from {{ ref('mart') }}"), ["1"]);
    assert_eq!(published(&project), ["1|2", "2|2"], "a version that fails its tests is not published");
    project.exits(0, &["restore", "mart", "--version", "1"]);
    project.exits(0, &["publish"]);
    assert_eq!(published(&project), ["1|2", "2|2"]);
}

#[test]
fn versions_that_are_not_there_are_one_clear_error() {
    let project = built(2);
    project.exits(2, &["restore", "mart", "--version", "9"]).says(&[
        "error[C5014]",
        "no version 9",
        "newest version is 1",
    ]);
    project.exits(2, &["restore", "mart", "--version", "1"]).says(&["error[C5014]"]);
    project.exits(2, &["history", "marts"]).says(&["marts"]);
    project.write("models/looks.sql", "select * from {{ ref('mart') }}");
    project.exits(1, &["history", "looks"]).says(&["error[C5010]", "c360 build --select looks"]);
    project.ok(&["build", "--select", "looks", "--vars", "{round: 1}"]);
    project.exits(2, &["history", "looks"]).says(&["is a view"]);
}

#[test]
fn a_vacuum_deletes_what_no_kept_version_needs() {
    let project = built(3);
    std::fs::write(project.path("warehouse/main/mart/part-of-nobody.parquet"), b"left behind").expect("a file");
    assert_eq!(files(&project), 4);
    project.exits(0, &["vacuum"]).says(&["deleted: 0 files"]);
    assert_eq!(files(&project), 4, "what is younger than the retention stays");
    project.exits(0, &["vacuum", "--retention-hours", "0", "--dry-run"]).says(&["would be deleted: 3 files"]);
    assert_eq!(files(&project), 4);
    project.exits(0, &["vacuum", "--retention-hours", "0"]).says(&["deleted: 3 files"]);
    assert_eq!(files(&project), 1);
    assert_eq!(project.table("select count(*) from {{ ref('mart') }}"), ["3"]);
    assert_eq!(history(&project).len(), 3, "a vacuum is no version");
    project.exits(2, &["restore", "mart", "--version", "0"]).says(&["error[C5014]", "was deleted", "c360 vacuum"]);
    assert_eq!(project.table("select count(*) from {{ ref('mart') }}"), ["3"]);
    project.edit("models/mart.sql", "publish=", "retention_hours=48, publish=");
    project.ok(&["build", "--vars", "{round: 1}"]);
    project.exits(0, &["vacuum", "--retention-hours", "0"]).says(&["deleted: 0 files"]);
}
