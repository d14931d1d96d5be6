//! A relation is replaced in one step, or left as it was: whatever fails, and whenever the program dies.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command};

use serde_json::Value as Json;

use crate::harness::{Project, text};

#[test]
fn a_view_survives_the_process() {
    let project = Project::models(&[
        ("v", "select 1 as id union all select 2"),
        ("w", "select id + 1 as id from {{ ref('v') }}"),
        ("t", "{{ config(materialized='table') }} select * from {{ ref('w') }}"),
    ]);
    project.ok(&["run", "--select", "v"]);
    project.ok(&["run", "--select", "w"]);
    project.ok(&["run", "--select", "t"]);
    assert_eq!(project.table("select id from {{ ref('w') }} order by id"), ["2", "3"]);
    assert_eq!(project.table("select id from {{ ref('t') }} order by id"), ["2", "3"]);
    // A view is what was built, not what its file says by now.
    project.write("models/v.sql", "select 5 as id");
    assert_eq!(project.table("select id from {{ ref('w') }} order by id"), ["2", "3"]);
    project.ok(&["run", "--select", "v"]);
    assert_eq!(project.table("select id from {{ ref('w') }}"), ["6"]);
}

#[test]
fn a_relation_may_change_its_kind_and_back() {
    let project = Project::new();
    for (step, kind) in ["table", "view", "table", "incremental", "view", "incremental"].iter().enumerate() {
        project.write("models/a.sql", format!("{{{{ config(materialized='{kind}') }}}} select {step} as step"));
        project.write("models/b.sql", "select * from {{ ref('a') }}");
        project.ok(&["build"]);
        let newest = project.rows("select max(step) as step from {{ ref('b') }}")[0]["step"].clone();
        assert_eq!(newest, step, "{kind}");
    }
}

#[test]
fn a_failed_build_leaves_the_last_good_version() {
    for kind in ["table", "view", "incremental"] {
        let model = |sql: &str| format!("{{{{ config(materialized='{kind}') }}}} {sql}");
        let project = Project::models(&[("a", &model("select 1 as id"))]);
        project.ok(&["build"]);
        let before = project.versions("main/a");
        for bad in
            ["select nothing as id", "select 1 as", "select cast(x as int) as id from (values ('1'), ('x')) as t(x)"]
        {
            project.write("models/a.sql", model(bad));
            if kind == "view" && bad.contains("cast") {
                continue;
            }
            project.exits(1, &["build", "--no-check"]);
            assert_eq!(project.table("select * from {{ ref('a') }}"), ["1"], "{kind}: {bad}");
            assert_eq!(project.versions("main/a"), before, "{kind}: {bad}");
        }
    }
}

/// Tables that take a moment, each twice as long as the one before, and views above them.
fn slow() -> Project {
    let project = Project::new();
    for (name, rows) in [("a", 40_000), ("b", 80_000), ("c", 160_000)] {
        let sql = format!(
            "{{{{ config(materialized='table') }}}} select value as v, md5(cast(value as varchar)) as m, {{{{ var('round') }}}} as r \
             from generate_series(1, {rows}) order by m"
        );
        project.write(&format!("models/{name}.sql"), sql);
    }
    project.write(
        "models/i.sql",
        "{{ config(materialized='incremental', unique_key='v') }} select v, r from {{ ref('a') }} where v <= 1000",
    );
    project.write("models/w.sql", "select count(*) as n, min(r) as low, max(r) as high from {{ ref('c') }}");
    project
}

fn round(round: usize) -> String {
    format!("{{round: {round}}}")
}

/// Reads events of a child up to the `stop`th.
fn read_events(child: &mut Child, stop: usize) -> Vec<Json> {
    let stderr = child.stderr.take().expect("a pipe");
    let lines = BufReader::new(stderr).lines().take(stop);
    lines.map(|line| serde_json::from_str(&line.expect("a line")).expect("JSON")).collect()
}

/// Every table as it is: whole, and of one round.
fn check_whole(project: &Project, vars: &str) {
    for (name, rows) in [("a", 40_000), ("b", 80_000), ("c", 160_000), ("i", 1_000)] {
        let sql = format!(
            "select count(*) as n, count(distinct v) as v, max(r) - min(r) as mixed from {{{{ ref('{name}') }}}}"
        );
        let found: Vec<String> = project.rows_with(&sql, &["--vars", vars]).iter().map(crate::harness::bars).collect();
        assert_eq!(found, [format!("{rows}|{rows}|0")], "{name}");
    }
}

#[test]
fn a_killed_build_leaves_every_table_readable() {
    let project = slow();
    project.ok(&["build", "--vars", &round(0)]);
    for turn in 1..=10 {
        let vars = round(turn);
        // The moment: after so many events of the log, and some events later the next time.
        let mut child = project.start(&["build", "--vars", &vars, "--threads", "3"]);
        let seen = read_events(&mut child, 1 + turn);
        child.kill().expect("a signal");
        child.wait().expect("an end");
        assert_eq!(seen[0]["event"], "started");
        check_whole(&project, &vars);
        if turn % 5 == 0 {
            project.ok(&["build", "--vars", &vars]);
            assert_eq!(
                project.rows_with("select * from {{ ref('w') }}", &["--vars", &vars])[0],
                serde_json::json!({"n": 160_000, "low": turn, "high": turn})
            );
            check_whole(&project, &vars);
        }
    }
}

#[cfg(unix)]
#[test]
fn the_first_interrupt_drains_and_writes_the_artifacts() {
    let sql = "{{ config(materialized='table') }} select value as v, md5(cast(value as varchar)) as m \
               from generate_series(1, 600000) order by m";
    let project =
        Project::models(&[("a", sql), ("b", "select * from {{ ref('a') }}"), ("c", "select * from {{ ref('b') }}")]);
    let mut child = project.start(&["build"]);
    let stderr = child.stderr.take().expect("a pipe");
    let mut events: Vec<Json> = Vec::new();
    for line in BufReader::new(stderr).lines() {
        let event: Json = serde_json::from_str(&line.expect("a line")).expect("JSON");
        if event["event"] == "unit_started" && event["name"] == "a" {
            let done = Command::new("kill").args(["-INT", &child.id().to_string()]).status().expect("kill runs");
            assert!(done.success());
        }
        events.push(event);
    }
    assert_eq!(child.wait().expect("an end").code(), Some(130));
    assert!(events.iter().any(|event| event["event"] == "interrupted"), "{events:?}");
    let results = project.json("target/run_results.json");
    let mut found: Vec<(String, String)> = (results["results"].as_array().expect("a list").iter())
        .map(|one| (text(&one["unique_id"]), text(&one["status"])))
        .collect();
    found.sort();
    let expected = [("model.shop.a", "success"), ("model.shop.b", "skipped"), ("model.shop.c", "skipped")];
    assert_eq!(found, crate::harness::pairs(&expected));
    assert!(project.path("target/manifest.json").exists());
    assert_eq!(project.table("select count(*) as n from {{ ref('a') }}"), ["600000"]);
}

#[test]
fn two_builds_at_a_time_leave_whole_tables() {
    let project = slow();
    project.ok(&["build", "--vars", &round(0)]);
    let vars = [round(1), round(2)];
    let target = ["--target-path", "target/other"];
    let mut first = project.start(&["build", "--vars", &vars[0]]);
    let mut second = project.start(&[&["build", "--vars", &vars[1]], &target[..]].concat());
    for child in [&mut first, &mut second] {
        // The pipe has to be read, or the child waits for it.
        read_events(child, usize::MAX);
        child.wait().expect("an end");
    }
    check_whole(&project, &vars[1]);
    project.ok(&["build", "--vars", &vars[1]]);
    check_whole(&project, &vars[1]);
}
