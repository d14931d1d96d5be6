//! `manifest.json` and `run_results.json`: dbt's schemas, and the same bytes for the same inputs.

use regex::Regex;
use serde_json::Value as Json;

use crate::harness::{Project, text};

fn shop() -> Project {
    Project::models(&[
        ("a", "{{ config(materialized='table', tags=['x']) }} select 1 as id"),
        ("b", "{{ config(publish='bi') }} select id, {{ twice('id') }} as two from {{ ref('a') }}"),
    ])
    .file("macros/m.sql", "{% macro twice(x) %}{{ x }} * 2{% endmacro %}")
    .file("seeds/s.csv", "id\n1\n")
    .file("tests/t.sql", "select 1 from {{ ref('a') }} where id > 1")
    .file(
        "models/m.yml",
        "models:\n  - name: a\n    description: An a.\n    columns: [{name: id, description: Its id., data_tests: [unique]}]\n\
         sources: [{name: lake, tables: [{name: t, external: {location: x.csv}}]}]\n\
         exposures: [{name: board, type: dashboard, owner: {name: team}, depends_on: [ref('b')]}]\n",
    )
}

#[test]
fn the_manifest_has_dbts_schema() {
    let project = shop();
    project.ok(&["build"]);
    let manifest = project.json("target/manifest.json");
    assert_eq!(manifest["metadata"]["dbt_schema_version"], "https://schemas.getdbt.com/dbt/manifest/v12.json");
    assert_eq!(manifest["metadata"]["project_name"], "shop");
    assert_eq!(manifest["metadata"]["adapter_type"], "datafusion");
    for part in [
        "nodes",
        "sources",
        "macros",
        "docs",
        "exposures",
        "metrics",
        "groups",
        "selectors",
        "disabled",
        "parent_map",
        "child_map",
        "group_map",
        "saved_queries",
        "semantic_models",
        "unit_tests",
    ] {
        assert!(manifest[part].is_object(), "{part}");
    }
    let a = &manifest["nodes"]["model.shop.a"];
    assert_eq!((&a["description"], &a["tags"]), (&"An a.".into(), &serde_json::json!(["x"])));
    assert_eq!(a["config"]["materialized"], "table");
    assert_eq!(a["columns"]["id"]["description"], "Its id.");
    assert_eq!(a["original_file_path"], "models/a.sql");
    assert_eq!(a["relation_name"], "\"c360\".\"main\".\"a\"");
    let b = &manifest["nodes"]["model.shop.b"];
    assert_eq!(b["depends_on"], serde_json::json!({"macros": ["macro.shop.twice"], "nodes": ["model.shop.a"]}));
    assert_eq!(manifest["child_map"]["model.shop.b"], serde_json::json!(["exposure.shop.board"]));
    let ids: Vec<&str> = manifest["nodes"].as_object().expect("a map").keys().map(String::as_str).collect();
    for id in ["model.shop.a", "model.shop.b", "seed.shop.s", "test.shop.t"] {
        assert!(ids.contains(&id), "{id} in {ids:?}");
    }
    assert!(ids.iter().any(|id| id.starts_with("test.shop.unique_a_id.")), "{ids:?}");
}

#[test]
fn the_run_results_have_dbts_schema_and_our_measures() {
    let project = shop();
    project.ok(&["build"]);
    let results = project.json("target/run_results.json");
    assert_eq!(results["metadata"]["dbt_schema_version"], "https://schemas.getdbt.com/dbt/run-results/v6.json");
    assert!(results["elapsed_time"].as_f64().is_some_and(|seconds| seconds > 0.0));
    let list = results["results"].as_array().expect("a list");
    let statuses: Vec<(String, String)> =
        list.iter().map(|one| (text(&one["unique_id"]), text(&one["status"]))).collect();
    assert_eq!(list.len(), 6, "{statuses:?}");
    let find = |id: &str| list.iter().find(|one| text(&one["unique_id"]).starts_with(id)).expect("a result");
    let a = find("model.shop.a");
    assert_eq!((&a["status"], &a["failures"]), (&"success".into(), &Json::Null));
    assert!(a["timing"].as_array().is_some_and(|timing| timing.len() == 2), "{a}");
    let response = &a["adapter_response"];
    assert_eq!(
        (&response["rows_affected"], response["bytes"].as_u64().is_some_and(|bytes| bytes > 0)),
        (&1.into(), true),
        "{response}"
    );
    for key in ["peak_memory", "spilled"] {
        assert!(response[key].is_u64(), "{key}: {response}");
    }
    assert_eq!(find("test.shop.t")["failures"], 0);
    assert_eq!(find("test.shop.t")["status"], "pass");
    assert_eq!(find("model.shop.b")["adapter_response"]["publish"]["status"], "success");
    assert!(text(&find("model.shop.b")["compiled_code"]).contains("id * 2"));
}

#[test]
fn operators_are_told_when_they_are_asked_for() {
    let grouped = "{{ config(materialized='table') }} select id % 3 as k, count(*) as n from {{ source('lake', 't') }} group by 1";
    let lines: String = (0..100).map(|id| format!("{{\"id\": {id}}}\n")).collect();
    let yaml = "sources: [{name: lake, tables: [{name: t, external: {location: t.json, file_format: json}, \
                columns: [{name: id, data_type: bigint}]}]}]\n";
    let project = Project::models(&[("g", grouped)]).file("models/s.yml", yaml).file("t.json", &lines);
    let response = |project: &Project| {
        project.json("target/run_results.json")["results"][0]["adapter_response"]["operators"].clone()
    };
    let output = project.ok(&["build", "--explain-analyze"]);
    output.says(&["g: ", "operator", "Aggregate", "DataSource"]);
    let operators = response(&project);
    let operators = operators[0].as_array().expect("the operators of one plan");
    assert_eq!((operators[0]["depth"].as_u64(), operators[0]["rows"].as_u64()), (Some(0), Some(3)), "{operators:?}");
    let scan = operators.iter().find(|operator| operator["name"] == "DataSourceExec").expect("a scan");
    let read = (scan["rows"].as_u64(), scan["bytes_read"].as_u64(), scan["files_opened"].as_u64());
    assert_eq!(read, (Some(100), Some(lines.len() as u64), Some(1)), "{scan}");
    let quiet = project.ok(&["build"]);
    assert!(!quiet.stderr.contains("operator"), "{}", quiet.stderr);
    assert_eq!(response(&project), Json::Null);
}

#[test]
fn files_that_a_filter_rules_out_are_counted() {
    let yaml = "sources: [{name: lake, tables: [{name: t, external: {location: 'lake/*.json', path_columns: \
                [{name: day, pattern: '(\\d{8})', data_type: date, format: '%Y%m%d'}]}, columns: [{name: id, data_type: bigint}]}]}]\n";
    let sql = "{{ config(materialized='table') }} select id from {{ source('lake', 't') }} where day > '2022-04-02'";
    let mut project = Project::models(&[("late", sql)]).file("models/s.yml", yaml);
    for day in 1..=3 {
        project = project.file(&format!("lake/2022040{day}.json"), format!("{{\"id\": {day}}}\n"));
    }
    project.ok(&["build", "--explain-analyze"]).says(&["pruned"]);
    let results = project.json("target/run_results.json");
    let operators = results["results"][0]["adapter_response"]["operators"][0].as_array().cloned().expect("operators");
    let scan = operators.iter().find(|operator| operator["name"] == "DataSourceExec").expect("a scan");
    let files = (scan["files_opened"].as_u64(), scan["files_pruned"].as_u64());
    assert_eq!(files, (Some(1), Some(2)), "{scan}");
}

/// An artifact without what is named as a time or an id, and results in the order of their ids.
fn stable(project: &Project, path: &str) -> String {
    let mut json = project.json(path);
    if let Some(results) = json.get_mut("results").and_then(Json::as_array_mut) {
        results.sort_by_key(|one| text(&one["unique_id"]));
    }
    forget(&mut json);
    project.scrub(&serde_json::to_string_pretty(&json).expect("JSON"))
}

fn forget(json: &mut Json) {
    let changing =
        Regex::new(r"(_at|^time|_time|_seconds|^seconds|invocation_id|peak_memory.*|thread_id)$").expect("a pattern");
    match json {
        Json::Object(map) => {
            for (key, value) in map.iter_mut() {
                match changing.is_match(key) {
                    true => *value = Json::Null,
                    false => forget(value),
                }
            }
        }
        Json::Array(list) => list.iter_mut().for_each(forget),
        _ => {}
    }
}

#[test]
fn the_same_inputs_give_the_same_artifacts() {
    let (one, two) = (shop(), shop());
    one.ok(&["build", "--threads", "1"]);
    two.ok(&["build", "--threads", "4"]);
    two.ok(&["build", "--threads", "4", "--full-refresh"]);
    one.ok(&["build", "--threads", "4", "--full-refresh"]);
    for path in ["target/manifest.json", "target/run_results.json"] {
        assert_eq!(stable(&one, path), stable(&two, path), "{path}");
    }
    // The bytes of the manifest, but for times and ids: also their order.
    let bytes = |project: &Project| {
        let changing =
            Regex::new(r#""(generated_at|created_at|invocation_id|invocation_started_at)": ?("[^"]*"|[\d.]+)"#)
                .expect("a pattern");
        changing.replace_all(&project.scrub(&project.read("target/manifest.json")), "").into_owned()
    };
    one.ok(&["parse"]);
    two.ok(&["parse"]);
    assert_eq!(bytes(&one), bytes(&two));
}

#[test]
fn failures_are_in_the_artifacts_too() {
    let project = Project::models(&[("a", "select nothing as id"), ("b", "select * from {{ ref('a') }}")]);
    project.exits(1, &["build", "--no-check"]);
    let results = project.json("target/run_results.json");
    let list: Vec<(String, String)> = (results["results"].as_array().expect("a list").iter())
        .map(|one| (text(&one["unique_id"]), text(&one["status"])))
        .collect();
    assert_eq!(list, crate::harness::pairs(&[("model.shop.a", "error"), ("model.shop.b", "skipped")]));
    assert!(text(&results["results"][0]["message"]).contains("nothing"), "{results}");
}

#[test]
fn the_target_path_is_where_it_is_said() {
    let project = shop();
    project.ok(&["build", "--target-path", "elsewhere"]);
    assert!(project.path("elsewhere/run_results.json").exists() && !project.path("target").exists());
    let project = shop().file("dbt_project.yml", "name: shop\nprofile: shop\ntarget-path: out/c360\n");
    project.ok(&["build"]);
    assert!(project.path("out/c360/manifest.json").exists() && !project.path("target").exists());
}

#[test]
fn semantic_models_and_metrics_are_kept_for_others() {
    let yaml = "semantic_models:
  - name: orders
    model: ref('a')
    defaults: {agg_time_dimension: day}
    entities: [{name: order_id, type: primary}]
    measures: [{name: revenue, agg: sum, expr: 1}]
    dimensions: [{name: day, type: time, type_params: {time_granularity: day}}]
metrics:
  - name: total
    label: Total
    type: simple
    type_params: {measure: revenue}
    filter: \"{{ Dimension('order_id__day') }} > '2024-01-01'\"
  - name: share
    label: Share
    type: ratio
    type_params: {numerator: total, denominator: {name: total, offset_window: 7 days}}
saved_queries:
  - name: weekly
    query_params: {metrics: [total], group_by: [\"TimeDimension('metric_time', 'week')\"], where: [\"{{ x }} > 1\"]}
    exports: [{name: weekly, config: {export_as: table, schema: reports}}]
exposures: [{name: board, type: dashboard, owner: {name: team}, depends_on: [ref('a'), metric('total')]}]
";
    let project = Project::models(&[("a", "select 1 as order_id, now() as day")]).file("models/m.yml", yaml);
    project.ok(&["parse"]);
    let manifest = project.json("target/manifest.json");
    let orders = &manifest["semantic_models"]["semantic_model.shop.orders"];
    assert_eq!(orders["depends_on"]["nodes"], serde_json::json!(["model.shop.a"]));
    assert_eq!((&orders["node_relation"]["alias"], &orders["measures"][0]["expr"]), (&"a".into(), &"1".into()));
    let total = &manifest["metrics"]["metric.shop.total"];
    assert_eq!(total["type_params"]["measure"], serde_json::json!({"name": "revenue"}));
    assert_eq!(
        total["filter"]["where_filters"][0]["where_sql_template"],
        "{{ Dimension('order_id__day') }} > '2024-01-01'"
    );
    assert_eq!(total["depends_on"]["nodes"], serde_json::json!(["semantic_model.shop.orders"]));
    let share = &manifest["metrics"]["metric.shop.share"]["type_params"];
    assert_eq!(share["denominator"]["offset_window"], serde_json::json!({"count": 7, "granularity": "day"}));
    let weekly = &manifest["saved_queries"]["saved_query.shop.weekly"];
    assert_eq!(weekly["depends_on"]["nodes"], serde_json::json!(["metric.shop.total"]));
    assert_eq!(weekly["exports"][0]["config"]["schema_name"], "reports");
    assert_eq!(manifest["parent_map"]["exposure.shop.board"], serde_json::json!(["model.shop.a"]));
}

#[test]
fn versions_have_a_latest_one_and_may_go_away() {
    let project = Project::models(&[
        ("dim_v1", "select 1 as id"),
        ("dim_v2", "select 2 as id"),
        ("newest", "select * from {{ ref('dim') }}"),
        ("old", "select * from {{ ref('dim', v=1) }}"),
    ])
    .file(
        "models/m.yml",
        "models:\n  - name: dim\n    latest_version: 2\n    versions: [{v: 1, deprecation_date: 2020-01-01}, {v: 2}]\n  \
         - {name: newest, deprecation_date: '2999-01-01'}\n",
    );
    let said = project.ok(&["build"]).stderr;
    assert!(said.contains("warning[C2014]: model `dim.v1` should be gone since 2020-01-01"), "{said}");
    assert!(said.contains("`old` refers to `dim.v1`, which should be gone since 2020-01-01"), "{said}");
    assert!(said.contains("the latest version is 2") && !said.contains("`newest` refers"), "{said}");
    assert_eq!(
        project.table("select (select id from {{ ref('newest') }}) as n, (select id from {{ ref('old') }}) as o"),
        ["2|1"]
    );
    let manifest = project.json("target/manifest.json");
    assert_eq!(manifest["nodes"]["model.shop.dim.v1"]["deprecation_date"], "2020-01-01T00:00:00+00:00");
    assert_eq!(manifest["nodes"]["model.shop.dim.v2"]["deprecation_date"], serde_json::Value::Null);
    project.exits(2, &["--warn-error-options", "{error: [DeprecatedModel]}", "parse"]).says(&["error[C2014]"]);
    project.edit("models/m.yml", "2020-01-01", "someday");
    project.exits(2, &["parse"]).says(&["`deprecation_date` is `someday`"]);
}
