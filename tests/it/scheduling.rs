//! What runs, in which order, how many at a time, and what a failure takes out.

use std::collections::HashMap;

use serde_json::Value as Json;

use crate::harness::{Project, pairs, text};

const FAILING: &str = "models:\n  - name: a\n    columns: [{name: id, data_tests: [{accepted_values: {values: [7], config: {severity: SEVERITY}}}]}]\n";
const TEST: &str = "accepted_values_a_id__7";

/// `a` with a test that finds a row, `b` below it, `other` beside it.
fn chain(severity: &str) -> Project {
    Project::models(&[
        ("a", "{{ config(materialized='table', publish='bi') }} select 1 as id"),
        ("b", "select * from {{ ref('a') }}"),
        ("c", "select * from {{ ref('b') }}"),
        ("other", "select 1 as id"),
    ])
    .file("models/m.yml", FAILING.replace("SEVERITY", severity))
}

/// Names in the order in which they started and ended.
fn moments(events: &[Json]) -> Vec<(&str, String)> {
    let wanted = |event: &&Json| event["event"] == "unit_started" || event["event"] == "unit_finished";
    let moment = |event: &Json| {
        let name = if event["action"] == "publish" { "publish".to_string() } else { text(&event["name"]) };
        (if event["event"] == "unit_started" { "start" } else { "end" }, name)
    };
    events.iter().filter(wanted).map(moment).collect()
}

/// Most units at a time.
fn most(events: &[Json]) -> i32 {
    let mut running = 0;
    let mut most = 0;
    for (what, _) in moments(events) {
        running += if what == "start" { 1 } else { -1 };
        most = most.max(running);
    }
    most
}

#[test]
fn a_failing_test_stops_what_is_below() {
    let project = chain("error");
    let expected = [("a", "success"), ("b", "skipped"), ("c", "skipped"), ("other", "success"), (TEST, "fail")];
    assert_eq!(project.statuses(1, &["build"]), pairs(&expected));
    let output = project.exits(1, &["build"]);
    output.says(&["error[C7001]", "1 failed, 3 skipped"]);
    assert!(!project.path("bi.db").exists() || crate::publish_sqlite::tables(&project.path("bi.db")).is_empty());
}

#[test]
fn a_warning_stops_nothing() {
    let project = chain("warn");
    let expected = [("a", "success"), ("b", "success"), ("c", "success"), ("other", "success"), (TEST, "warn")];
    assert_eq!(project.statuses(0, &["build"]), pairs(&expected));
    assert_eq!(crate::publish_sqlite::tables(&project.path("bi.db")), ["a"]);
}

#[test]
fn a_failed_node_skips_its_descendants_alone() {
    let project = chain("error");
    project.write("models/a.sql", "{{ config(materialized='table') }} select cast('x' as int) as id");
    let expected = [("a", "error"), ("b", "skipped"), ("c", "skipped"), ("other", "success"), (TEST, "skipped")];
    assert_eq!(project.statuses(1, &["build"]), pairs(&expected));
    let results = project.json("target/run_results.json");
    let skipped = results["results"].as_array().expect("a list").iter().find(|one| one["unique_id"] == "model.shop.c");
    assert_eq!(skipped.expect("a result")["message"], "because a failed");
}

#[test]
fn fail_fast_starts_nothing_else() {
    let project = Project::models(&[
        ("a", "{{ config(materialized='table') }} select cast('x' as int) as id"),
        ("b", "select 1 as id"),
        ("c", "select 1 as id"),
    ]);
    let args = ["build", "--threads", "1"];
    assert_eq!(project.statuses(1, &args), pairs(&[("a", "error"), ("b", "success"), ("c", "success")]));
    let args = [&args[..], &["--fail-fast"]].concat();
    assert_eq!(project.statuses(1, &args), pairs(&[("a", "error"), ("b", "skipped"), ("c", "skipped")]));
}

#[test]
fn tests_run_before_descendants_and_publishes_after_tests() {
    let project = chain("warn");
    project.write("tests/both.sql", "select 1 from {{ ref('a') }} as a join {{ ref('b') }} as b on a.id <> b.id");
    for threads in ["1", "8"] {
        let events = project.events(0, &["build", "--threads", threads]);
        let moments = moments(&events);
        let at = |what: &str, name: &str| {
            let found = moments.iter().position(|(kind, other)| *kind == what && other == name);
            found.unwrap_or_else(|| panic!("{what} {name}: {moments:?}"))
        };
        assert!(at("end", "a") < at("start", TEST));
        assert!(at("end", TEST) < at("start", "b"));
        assert!(at("end", TEST) < at("start", "publish"));
        assert!(at("end", "b") < at("start", "both"));
        assert!(at("end", "both") < at("start", "c"), "a test of two models stands before what is below both");
        assert!(at("end", "both") < at("start", "publish"), "a singular test that reads the mart is one of its tests");
    }
}

#[test]
fn a_mart_whose_tests_do_not_run_is_not_published() {
    let project = chain("warn");
    let output = project.ok(&["build", "--select", "a", "--exclude", TEST]);
    output.says(&["its tests are not part of this run", TEST]);
    assert!(!project.path("bi.db").exists() || crate::publish_sqlite::tables(&project.path("bi.db")).is_empty());
    project.ok(&["run"]);
    assert!(!project.path("bi.db").exists(), "`run` publishes nothing");
}

#[test]
fn a_dry_run_prints_an_order_that_respects_the_edges() {
    let project = Project::customer360();
    let plan = project.ok(&["build", "--dry-run"]);
    assert!(!project.path("warehouse").exists() && !project.path("target").exists());
    let lines: Vec<Vec<&str>> = plan.stdout.lines().map(|line| line.split_whitespace().collect()).collect();
    let manifest_run = Project::customer360();
    manifest_run.ok(&["parse"]);
    let manifest = manifest_run.json("target/c360/manifest.json");
    let place: HashMap<&str, usize> = lines
        .iter()
        .enumerate()
        .filter(|(_, line)| line[0] != "publish")
        .map(|(at, line)| (line[line.len() - 1], at))
        .collect();
    let mut edges = 0;
    for (child, parents) in manifest["parent_map"].as_object().expect("a map") {
        for parent in parents.as_array().expect("a list") {
            let name = |id: &str| manifest["nodes"].get(id).map(|node| text(&node["name"]));
            let (Some(child), Some(parent)) = (name(child), name(parent.as_str().expect("an id"))) else { continue };
            assert!(place[parent.as_str()] < place[child.as_str()], "{parent} before {child}");
            edges += 1;
        }
    }
    assert!(edges > 50, "{edges}");
}

/// Models that take long enough to overlap: each sorts a few hundred thousand rows.
fn wide() -> Project {
    let sql = "{{ config(materialized='table') }} select value as v, md5(cast(value as varchar)) as m \
               from generate_series(1, 200000) order by m";
    Project::models(&[("a", sql), ("b", sql), ("c", sql), ("d", sql)])
}

#[test]
fn nodes_run_side_by_side_up_to_the_number_of_threads() {
    let project = wide();
    assert_eq!(most(&project.events(0, &["build", "--threads", "1"])), 1);
    assert_eq!(most(&project.events(0, &["build", "--threads", "3"])), 3);
    assert_eq!(most(&project.events(0, &["build", "--threads", "8"])), 4);
    let started = project.events(0, &["build"]).remove(0);
    assert_eq!((&started["event"], &started["threads"]), (&"started".into(), &2.into()), "the profile's");
}

#[test]
fn ephemeral_models_do_not_run_and_pass_edges_on() {
    let project = Project::models(&[
        ("a", "select 1 as id"),
        ("e", "{{ config(materialized='ephemeral') }} select id + 1 as id from {{ ref('a') }}"),
        (
            "f",
            "{{ config(materialized='ephemeral') }} with x as (select * from {{ ref('e') }}) select id + 1 as id from x",
        ),
        (
            "b",
            "{{ config(materialized='table') }} with mine as (select * from {{ ref('f') }}) select * from mine union all select * from {{ ref('e') }}",
        ),
    ]);
    assert_eq!(project.statuses(0, &["build"]), pairs(&[("a", "success"), ("b", "success")]));
    assert_eq!(project.table("select id from {{ ref('b') }} order by id"), ["2", "3"]);
    assert_eq!(project.table("select id from {{ ref('f') }}"), ["3"]);
}

#[test]
fn work_larger_than_the_memory_limit_spills() {
    let sql = "{{ config(materialized='table') }} select value % 500000 as v, count(*) as n, \
               max(md5(cast(value as varchar))) as m from generate_series(1, 600000) group by 1";
    let project = Project::models(&[("a", sql)]);
    project.edit("profiles.yml", "memory_limit: 1GB", "memory_limit: 64MB");
    project.ok(&["build"]);
    let result = project.json("target/run_results.json")["results"][0].clone();
    assert!(result["adapter_response"]["spilled"].as_u64().is_some_and(|bytes| bytes > 0), "{result}");
    assert_eq!(project.table("select count(*) as n, sum(n) as s from {{ ref('a') }}"), ["500000|600000"]);
}
