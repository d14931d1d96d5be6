//! Data tests: what they find, and what that means.

use crate::harness::{Project, pairs};

/// The model `a` (ids 1, 2, 2, null) with one test.
fn project(test: &str) -> Project {
    Project::models(&[
        ("a", "select * from (values (1, 'x'), (2, 'y'), (2, 'y'), (null, 'z')) as t(id, kind)"),
        ("b", "select 1 as id union all select 2 as id"),
    ])
    .file(
        "models/m.yml",
        format!("models:\n  - name: a\n    columns:\n      - name: id\n        data_tests:\n          - {test}\n"),
    )
}

/// Status and number of failures of the only test.
fn outcome(test: &str) -> String {
    outcome_of(&project(test))
}

fn outcome_of(project: &Project) -> String {
    let output = project.run(&["build", "--log-format", "json"]);
    let events = output.stderr.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).expect("JSON"));
    let test = events.filter(|event| event["event"] == "unit_finished").find(|event| event["resource_type"] == "test");
    let test = test.unwrap_or_else(|| panic!("no test ran: {}", output.stderr));
    let status = test["status"].as_str().expect("a status");
    let failed = matches!(status, "fail" | "error");
    assert_eq!(output.code, Some(i32::from(failed)), "{}", output.stderr);
    format!("{status} {}", test["failures"])
}

#[test]
fn the_four_generic_tests() {
    assert_eq!(outcome("unique"), "fail 1");
    assert_eq!(outcome("not_null"), "fail 1");
    assert_eq!(outcome("accepted_values: {values: [1, 2], quote: false}"), "pass 0");
    assert_eq!(outcome("accepted_values: {values: [1], quote: false}"), "fail 1");
    assert_eq!(outcome("accepted_values: {arguments: {values: ['1']}}"), "fail 1");
    assert_eq!(outcome("relationships: {to: ref('b'), field: id}"), "pass 0");
    assert_eq!(outcome("relationships: {to: ref('b'), field: id, config: {where: 'id > 0'}}"), "pass 0");
    let project = project("relationships: {to: ref('b'), field: id}");
    project.write("models/b.sql", "select 1 as id");
    assert_eq!(outcome_of(&project), "fail 2");
}

#[test]
fn settings_decide_what_a_finding_means() {
    for (config, expected) in [
        ("{severity: warn}", "warn 1"),
        ("{severity: WARN}", "warn 1"),
        ("{where: 'id < 2'}", "pass 0"),
        ("{where: \"kind = 'y'\"}", "fail 1"),
        ("{enabled: true}", "fail 1"),
        ("{error_if: '> 1'}", "warn 1"),
        ("{error_if: '> 1', warn_if: '> 1'}", "pass 1"),
        ("{severity: warn, warn_if: '> 1'}", "pass 1"),
        ("{severity: warn, error_if: '>= 1'}", "warn 1"),
        ("{fail_calc: 'sum(n_records)'}", "fail 2"),
        ("{fail_calc: 'sum(n_records)', error_if: '> 2'}", "warn 2"),
    ] {
        assert_eq!(outcome(&format!("unique: {{config: {config}}}")), expected, "{config}");
    }
    assert_eq!(outcome("not_null: {config: {limit: 1, where: 'true'}}"), "fail 1");
    let project = project("accepted_values: {values: [7], quote: false, config: {limit: 1}}");
    assert_eq!(outcome_of(&project), "fail 1", "of two rows one is looked at");
}

#[test]
fn singular_tests() {
    let project = Project::models(&[("a", "select 1 as id")])
        .file("tests/few.sql", "{{ config(severity='warn') }} select * from {{ ref('a') }} where id > 0")
        .file("tests/none.sql", "select * from {{ ref('a') }} where id > 1;\n")
        .file("tests/many.sql", "{{ config(error_if='> 1') }} select * from {{ ref('a') }} union all select 2");
    let expected = [("a", "success"), ("few", "warn"), ("none", "pass"), ("many", "fail")];
    assert_eq!(project.statuses(1, &["build"]), pairs(&expected));
}

#[test]
fn generic_tests_of_the_project() {
    let macros = "{% test at_least(model, column_name, least=0) %}\nselect * from {{ model }} where {{ column_name }} < {{ least }}\n{% endtest %}\n";
    for (arguments, expected) in [("least: 2", "fail 1"), ("least: 1", "pass 0"), ("arguments: {least: 3}", "fail 3")] {
        let project = project(&format!("at_least: {{{arguments}}}"));
        project.write("tests/generic/at_least.sql", macros);
        assert_eq!(outcome_of(&project), expected, "{arguments}");
    }
}

#[test]
fn a_test_that_cannot_run_is_an_error() {
    let project = project("not_null");
    project.edit("models/m.yml", "name: id", "name: idd");
    project.exits(2, &["build"]).says(&["idd", "models/m.yml"]);
    project.exits(1, &["build", "--no-check"]).says(&["idd", "1 failed"]);
    assert_eq!(outcome("unique: {config: {fail_calc: 'max(cast(null as int))'}}"), "error null");
}

#[test]
fn a_failing_test_says_how_to_see_its_rows() {
    let project = project("unique");
    let output = project.exits(1, &["build"]);
    output.says(&["error[C7001]: test `unique_a_id` found 1 row", "models/m.yml:6", "c360 show --select unique_a_id"]);
    let rows = project.ok(&["show", "--select", "unique_a_id", "--output", "jsonl", "--quiet"]).stdout;
    assert_eq!(rows, "{\"unique_field\":2,\"n_records\":2}\n");
}

#[test]
fn tests_of_sources() {
    let project = Project::new().file("lake/a.csv", "id\n1\n1\n").file(
        "models/m.yml",
        "sources:\n  - name: lake\n    tables:\n      - name: t\n        external: {location: lake/a.csv}\n        \
         columns: [{name: id, data_tests: [unique, not_null]}]\n",
    );
    let expected = [("source_unique_lake_t_id", "fail"), ("source_not_null_lake_t_id", "pass")];
    assert_eq!(project.statuses(1, &["test"]), pairs(&expected));
}

#[test]
fn tests_of_a_seed_that_stands_under_models_run() {
    let project = Project::models(&[("staging.orders", "select 1 as id")]).file("seeds/base.csv", "id\n1\n1\n").file(
        "seeds/base.yml",
        "models:\n  - name: base\n    columns:\n      - name: id\n        data_tests: [unique]\n",
    );
    let out = project.run(&["build"]);
    assert_eq!(out.code, Some(1), "{}", out.stderr);
    assert!(out.stderr.contains("`base` is no model"), "{}", out.stderr);
    let results = project.json("target/run_results.json");
    let ids: Vec<&str> = results["results"]
        .as_array()
        .expect("results")
        .iter()
        .filter_map(|result| result["unique_id"].as_str())
        .collect();
    assert!(ids.contains(&"model.shop.staging.orders"), "{ids:?}");
    assert!(ids.iter().any(|id| id.starts_with("test.shop.unique_base_id")), "{ids:?}");
}
