//! What is said when nodes don't fit together (C2xxx): one test a code.

use crate::harness::Project;

/// The models of a project and what `parse` says about it.
fn parse(models: &[(&str, &str)], yaml: &str) -> String {
    let project = Project::models(models);
    if !yaml.is_empty() {
        project.write("models/m.yml", yaml);
    }
    project.says(2, &["parse"])
}

/// What a project whose models go round in a circle is told: it can be read, and nothing else.
fn circle(models: &[(&str, &str)]) -> String {
    let project = Project::models(models);
    let warned = project.says(0, &["parse"]);
    assert!(warned.contains("warning[C2004]"), "{warned}");
    project.says(2, &["ls"])
}

#[test]
fn a_missing_ref() {
    insta::assert_snapshot!(parse(
        &[("stg_orders", "select 1 as id"), ("marts/totals", "select count(*) as n\n\nfrom {{ ref('stg_order') }}")],
        ""
    ));
}

#[test]
fn a_disabled_ref() {
    insta::assert_snapshot!(parse(
        &[("a", "{{ config(enabled=false) }} select 1 as id"), ("b", "select * from {{ ref('a') }}")],
        ""
    ));
}

#[test]
fn a_missing_source() {
    let yaml = "sources:\n  - name: lake\n    tables:\n      - {name: orders, external: {location: x.json}}\n";
    insta::assert_snapshot!(parse(&[("a", "select * from {{ source('lake', 'order') }}")], yaml));
}

#[test]
fn a_cycle() {
    insta::assert_snapshot!(circle(&[
        ("a", "select * from {{ ref('c') }}"),
        ("b", "select * from {{ ref('a') }}"),
        ("c", "select * from {{ ref('b') }}"),
        ("d", "select * from {{ ref('c') }}"),
    ]));
}

#[test]
fn a_model_that_reads_itself() {
    insta::assert_snapshot!(circle(&[("a", "select * from {{ ref('a') }}")]));
}

#[test]
fn two_models_of_one_name() {
    insta::assert_snapshot!(parse(&[("x/a", "select 1 as id"), ("y/a", "select 2 as id")], ""));
}

#[test]
fn properties_without_a_node() {
    let project = Project::models(&[("orders", "select 1 as id")]);
    project.write("models/m.yml", "models:\n  - name: order\n    description: x\n");
    insta::assert_snapshot!(project.says(0, &["parse"]));
}

#[test]
fn properties_twice() {
    let project = Project::models(&[("a", "select 1 as id")]);
    project.write("models/one.yml", "models:\n  - name: a\n");
    project.write("models/two.yml", "models:\n  - name: a\n");
    insta::assert_snapshot!(project.says(2, &["parse"]));
}

#[test]
fn two_nodes_in_one_relation() {
    insta::assert_snapshot!(parse(&[("a", "select 1 as id"), ("b", "{{ config(alias='a') }} select 1 as id")], ""));
}

#[test]
fn selectors_that_cannot_be_read() {
    let project = Project::models(&[("a", "select 1 as id")]);
    insta::assert_snapshot!("an_unknown_method", project.says(2, &["ls", "--select", "tga:x"]));
    insta::assert_snapshot!("an_at_with_a_plus", project.says(2, &["ls", "--select", "@a+"]));
}

#[test]
fn a_test_that_does_not_exist() {
    let yaml = "models:\n  - name: a\n    columns:\n      - name: id\n        data_tests: [uniqe]\n";
    insta::assert_snapshot!(parse(&[("a", "select 1 as id")], yaml));
}

#[test]
fn a_test_without_its_argument() {
    let yaml = "models:\n  - name: a\n    columns:\n      - name: id\n        data_tests: [accepted_values]\n";
    let project = Project::models(&[("a", "select 1 as id")]).file("models/m.yml", yaml);
    insta::assert_snapshot!(project.says(2, &["parse"]));
}

#[test]
fn configurations_that_cannot_be() {
    let sql = |config: &str| format!("{{{{ config(materialized='incremental', {config}) }}}}\nselect 1 as id");
    let project = Project::models(&[("a", &sql("incremental_strategy='merge'"))]);
    project.run(&["build"]);
    insta::assert_snapshot!("merge_without_a_key", project.says(1, &["build"]));
    project.write("models/a.sql", sql("incremental_strategy='upsert', unique_key='id'"));
    insta::assert_snapshot!("an_unknown_strategy", project.says(1, &["build"]));
}

#[test]
fn an_unknown_materialization() {
    let project = Project::models(&[("a", "{{ config(materialized='tabel') }}\nselect 1 as id")]);
    insta::assert_snapshot!(project.says(2, &["build"]));
}
