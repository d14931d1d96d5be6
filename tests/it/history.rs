//! `meta.runs`: what every run adds to the warehouse, and what artifacts make of it.

use std::collections::BTreeSet;

use c360::ops::{self, Options, Session};
use serde_json::Value as Json;

use crate::harness::{Project, text};

fn shop() -> Project {
    Project::models(&[
        ("a", "{{ config(materialized='table') }} select 1 as id, 'x' as name union all select 2, null"),
        ("b", "{{ config(materialized='table', publish=['bi', {'to': 'bi', 'table': 'b2'}]) }} select * from {{ ref('a') }}"),
        ("v", "select id from {{ ref('a') }}"),
    ])
    .file("seeds/s.csv", "id,name\n1,one\n2,two\n")
    .file(
        "models/m.yml",
        "models:\n  - name: a\n    description: An a.\n    meta: {owner: the team}\n    columns:\n      - {name: ID, description: Its id., data_tests: [unique]}\n      - {name: name, config: {tags: [pii]}}\n\
         sources: [{name: lake, tables: [{name: t, external: {location: x.csv}}, {name: gone, external: {location: y.csv}}]}]\n",
    )
    .file("x.csv", "k,at\n7,2022-04-01\n")
}

/// Writes the artifacts that pages are made of, as `docs generate` does.
fn artifacts(project: &Project) -> (Json, Json, Vec<String>) {
    let options = options(project);
    let mut found = c360::diag::Diagnostics::default();
    let loaded = ops::load(&options, &mut found).expect("loads");
    let folder = project.path("target");
    let errors = tokio::runtime::Runtime::new().expect("a runtime").block_on(async {
        let session = Session::open(&options, &loaded, Vec::new()).await.expect("starts");
        ops::write_runs(&session, &loaded, &folder).await.expect("writes runs");
        ops::write_catalog(&session, &loaded, &folder).await.expect("writes a catalog")
    });
    (project.json("target/catalog.json"), project.json("target/runs.json"), errors)
}

fn options(project: &Project) -> Options {
    Options {
        command: "docs".into(),
        project_dir: project.path(""),
        profiles_dirs: vec![project.path("")],
        target: Default::default(),
        vars: Default::default(),
        target_path: None,
        threads: None,
        full_refresh: false,
        check: None,
        fail_fast: false,
        criteria: Default::default(),
        state: None,
        defer: false,
        defer_state: None,
        favor_state: false,
        empty: false,
        sample: None,
        store_failures: false,
        explain_analyze: false,
        warn_error: Default::default(),
        event_time: (None, None),
        leftover: None,
        env: Default::default(),
        started_at: chrono::Utc::now(),
        invocation_id: "00000000-0000-0000-0000-000000000000".into(),
    }
}

#[test]
fn every_run_adds_its_units_to_the_warehouse() {
    let project = shop();
    project.ok(&["build"]);
    let units = "select unique_id, kind, status, rows, failures, table_version, destination from meta.runs
                 order by unique_id, kind, destination";
    let found = project.table(units);
    let unique = found.iter().find(|row| row.starts_with("test.")).expect("the test");
    assert!(unique.ends_with("|test|pass|null|0|null|null"), "{unique}");
    assert_eq!(
        found.iter().filter(|row| !row.starts_with("test.")).map(String::as_str).collect::<Vec<_>>(),
        [
            "model.shop.a|build|success|2|null|0|null",
            "model.shop.b|build|success|2|null|0|null",
            "model.shop.b|publish|success|2|null|null|bi.b",
            "model.shop.b|publish|success|2|null|null|bi.b2",
            "model.shop.v|build|success|null|null|null|null",
            "seed.shop.s|build|success|2|null|0|null",
        ]
    );
    let run = "select distinct verb, project, target, run_status, c360_version, run_elapsed > 0, run_started_at <= started_at,
               compile_seconds >= 0 and execute_seconds >= 0 from meta.runs";
    assert_eq!(project.table(run), [format!("build|shop|dev|success|{}|true|true|true", env!("CARGO_PKG_VERSION"))]);
}

#[test]
fn failures_are_remembered_with_their_message() {
    let project = shop().file("models/bad.sql", "{{ config(materialized='table') }} select cast('x' as int) as n");
    project.exits(1, &["run", "--select", "a bad"]);
    let rows = project.table("select unique_id, status, run_status, message from meta.runs order by 1");
    assert_eq!(rows[0], "model.shop.a|success|error|OK 2 rows");
    assert!(rows[1].starts_with("model.shop.bad|error|error|C"), "{rows:?}");
}

#[test]
fn history_can_be_switched_off() {
    for (file, from, to) in [
        ("profiles.yml", "      threads:", "      history: false\n      threads:"),
        ("dbt_project.yml", "profile: shop", "profile: shop\nflags: {history: false}"),
    ] {
        let project = shop();
        project.edit(file, from, to);
        project.ok(&["build"]);
        assert!(!project.path("warehouse/meta").exists(), "{file}");
    }
}

/// A model of that name is the project's own: nothing is added to it.
#[test]
fn a_relation_of_the_project_is_left_alone() {
    let project =
        shop().file("models/runs.sql", "{{ config(materialized='table', schema='x') }} select 1 as mine").file(
            "macros/s.sql",
            "{% macro generate_schema_name(name, node) %}{{ 'meta' if name else 'main' }}{% endmacro %}",
        );
    project.ok(&["build"]);
    assert_eq!(project.table("select * from meta.runs"), ["1"]);
}

/// A table of that name that is something else costs a warning, and the run ends well.
#[test]
fn a_history_that_cannot_be_written_is_a_warning() {
    let project = shop().file("warehouse/meta/runs/_delta_log/00000000000000000000.json", "no log\n");
    let output = project.ok(&["run", "--select", "a"]);
    output.says(&["this run was not added to the history", "history: false"]);
    assert_eq!(project.table("select count(*) from main.a"), ["2"]);
}

#[test]
fn runs_at_the_same_time_are_all_remembered() {
    let project = Project::models(&[
        ("a", "{{ config(materialized='table') }} select 1 as id"),
        ("b", "{{ config(materialized='table') }} select 1 as id"),
        ("c", "{{ config(materialized='table') }} select 1 as id"),
    ]);
    let start = |name| project.command(&["run", "--select", name, "--target-path", name]).spawn().expect("starts");
    let children: Vec<_> = ["a", "b", "c"].into_iter().map(start).collect();
    for mut child in children {
        assert!(child.wait().expect("ends").success());
    }
    assert_eq!(
        project.table("select unique_id from meta.runs order by 1"),
        ["model.shop.a", "model.shop.b", "model.shop.c"]
    );
}

/// More than fifty small files become one, and no run is lost.
#[test]
fn many_small_files_become_one() {
    let project = Project::models(&[("a", "{{ config(materialized='table') }} select 1 as id")]);
    for _ in 0..52 {
        project.ok(&["run", "--quiet"]);
    }
    assert_eq!(project.table("select count(*), count(distinct invocation_id) from meta.runs"), ["52|52"]);
    let log = project.path("warehouse/meta/runs/_delta_log");
    let checkpoint = std::fs::read_dir(log).expect("a log").flatten();
    assert!(checkpoint.into_iter().any(|file| file.file_name().to_string_lossy().contains("checkpoint")));
}

#[test]
fn runs_json_has_the_newest_runs_first() {
    let project = shop();
    assert_eq!(artifacts(&project).1, serde_json::json!({"runs": [], "nodes": {}}));
    project.ok(&["build"]);
    project.ok(&["run", "--select", "a"]);
    let (_, runs, _) = artifacts(&project);
    let list = runs["runs"].as_array().expect("runs");
    let verbs: Vec<String> = list.iter().map(|run| text(&run["verb"])).collect();
    assert_eq!(verbs, ["run", "build"]);
    assert_eq!(list[1]["counts"], serde_json::json!({"success": 6, "pass": 1}));
    assert_eq!((&list[0]["status"], &list[0]["target"]), (&"success".into(), &"dev".into()));
    assert!(chrono::DateTime::parse_from_rfc3339(&text(&list[0]["started_at"])).is_ok());
    let of_a = runs["nodes"]["model.shop.a"].as_array().expect("runs");
    let ids: Vec<&Json> = of_a.iter().map(|run| &run["invocation_id"]).collect();
    assert_eq!(ids, [&list[0]["invocation_id"], &list[1]["invocation_id"]]);
    assert_eq!((&of_a[0]["kind"], &of_a[0]["rows"]), (&"build".into(), &2.into()));
    let of_b = runs["nodes"]["model.shop.b"].as_array().expect("runs");
    let destinations: BTreeSet<String> =
        of_b.iter().filter_map(|run| Some(run["destination"].as_str()?.to_string())).collect();
    assert_eq!(destinations, ["bi.b", "bi.b2"].map(String::from).into());
}

#[test]
fn the_catalog_has_dbts_schema_and_the_profiles() {
    let project = shop();
    project.ok(&["build"]);
    let (catalog, _, errors) = artifacts(&project);
    assert_eq!(catalog["metadata"]["dbt_schema_version"], "https://schemas.getdbt.com/dbt/catalog/v1.json");
    let a = &catalog["nodes"]["model.shop.a"];
    assert_eq!(
        a["metadata"],
        serde_json::json!({"type": "table", "schema": "main", "name": "a", "database": "c360", "comment": "An a.", "owner": "the team"})
    );
    assert_eq!(
        a["columns"]["id"],
        serde_json::json!({"type": "bigint", "index": 1, "name": "id", "comment": "Its id."})
    );
    let stat = |node: &str, id: &str| catalog["nodes"][node]["stats"][id]["value"].clone();
    assert_eq!((stat("model.shop.a", "num_rows"), stat("model.shop.a", "version")), (2.into(), 0.into()));
    assert_eq!((stat("model.shop.a", "has_stats"), stat("model.shop.v", "has_stats")), (true.into(), false.into()));
    let profile: Json = serde_json::from_str(&text(&stat("model.shop.a", "profile:id"))).expect("JSON");
    assert_eq!((&profile["min"], &profile["max"], &profile["distinct"]), (&"1".into(), &"2".into(), &2.into()));
    let hidden: Json = serde_json::from_str(&text(&stat("model.shop.a", "profile:name"))).expect("JSON");
    assert_eq!((&hidden["nulls"], &hidden["min"], &hidden["hidden"]), (&1.into(), &Json::Null, &true.into()));
    assert_eq!(catalog["nodes"]["model.shop.v"]["metadata"]["type"], "view");
    let source = &catalog["sources"]["source.shop.lake.t"];
    assert_eq!((&source["metadata"]["type"], &source["columns"]["at"]["type"]), (&"external".into(), &"date".into()));
    assert_eq!(catalog["errors"].as_array().map(Vec::len), Some(1), "{errors:?}");
    assert!(errors[0].starts_with("source.shop.lake.gone: C"), "{errors:?}");
}

/// Others read the artifact by their own types.
#[test]
fn the_catalog_is_read_by_others() {
    let project = shop();
    project.ok(&["build"]);
    artifacts(&project);
    let script = "import json, sys\nfrom dbt_artifacts_parser.parser import parse_catalog_v1\n\
                  parse_catalog_v1(json.load(open(sys.argv[1])))\n";
    let python = |code: &str| {
        std::process::Command::new("python3").args(["-c", code]).arg(project.path("target/catalog.json")).output()
    };
    if !python("import dbt_artifacts_parser").is_ok_and(|output| output.status.success()) {
        return crate::harness::skip("dbt-artifacts-parser is not installed");
    }
    let output = python(script).expect("runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
