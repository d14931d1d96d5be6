//! Unit tests: rows in every format, what they override, and what a failing one says.

use crate::harness::Project;

const MODEL: &str = "{{ config(materialized='incremental', unique_key='id') }}
    select r.id, upper(r.name) as name, c.rate * {{ var('factor', 1) }} as rate, '{{ env_var('WHERE_I_AM', 'nowhere') }}' as place,
      {{ label() }} as label
    from {{ ref('rows') }} r left join {{ source('raw', 'rates') }} c on c.id = r.id
    {% if is_incremental() %} where r.id > (select max(id) from {{ this }}) {% endif %}";

/// A model whose parents were never built.
fn project(unit_tests: &str) -> Project {
    Project::models(&[("rows", "select cast(1 as int) as id, 'a' as name, true as ok"), ("out", MODEL)])
        .file("macros/label.sql", "{% macro label() %}'real'{% endmacro %}")
        .file("models/m.yml", "sources: [{name: raw, tables: [{name: rates}]}]\n")
        .file("models/u.yml", format!("unit_tests:\n{unit_tests}"))
}

#[test]
fn rows_are_given_as_dictionaries_csv_sql_and_files() {
    let project = project(
        "  - name: formats
    model: out
    given:
      - input: ref('rows')
        format: csv
        rows: |
          id,name
          1,x
          2,
      - input: source('raw', 'rates')
        format: sql
        rows: select 1 as id, 10 as rate union all select 2, 20
    expect:
      rows:
        - {id: 1, name: X, rate: 10, label: real}
        - {id: 2, name: null, rate: 20, label: real}
  - name: files
    model: out
    given:
      - {input: ref('rows'), format: csv, fixture: some_rows}
      - {input: \"source('raw', 'rates')\", rows: [{id: 1, rate: 5}]}
    expect: {format: sql, fixture: wanted}
",
    )
    .file("tests/fixtures/some_rows.csv", "id,name\n1,q\n")
    .file("tests/fixtures/wanted.sql", "select 'Q' as name, 5 as rate")
    .file("dbt_project.yml", "name: shop\nversion: '1.0'\nprofile: shop\n");
    project.ok(&["test", "--select", "test_type:unit"]);
}

#[test]
fn a_test_overrides_macros_vars_and_the_environment() {
    let project = project(
        "  - name: overridden
    model: out
    overrides:
      macros: {is_incremental: true, label: \"'other'\"}
      vars: {factor: 3}
      env_vars: {WHERE_I_AM: here}
    given:
      - {input: ref('rows'), rows: [{id: 1, name: a}, {id: 2, name: b}]}
      - {input: \"source('raw', 'rates')\", rows: [{id: 2, rate: 7}]}
      - {input: this, rows: [{id: 1}]}
    expect:
      rows: [{id: 2, name: B, rate: 21, place: here, label: other}]
  - name: first_time
    model: out
    given:
      - {input: ref('rows'), rows: [{id: 1, name: a}]}
      - {input: \"source('raw', 'rates')\", rows: [{id: 9, rate: 1}]}
    expect:
      rows: [{id: 1, place: nowhere, label: real}]
",
    );
    project.ok(&["test", "--select", "test_type:unit"]);
}

#[test]
fn a_difference_is_shown_row_by_row() {
    let project = project(
        "  - name: wrong
    model: out
    given:
      - {input: ref('rows'), rows: [{id: 1, name: a}, {id: 2, name: long name}]}
      - {input: \"source('raw', 'rates')\", rows: [{id: 1, rate: 5}]}
    expect:
      rows: [{id: 1, name: A, rate: 6}, {id: 2, name: LONG NAME, rate: null}]
",
    );
    let said = project.exits(1, &["test", "--select", "wrong"]).stderr;
    for line in ["id  name  rate", "- 1   A     6", "+ 1   A     5"] {
        assert!(said.contains(line), "no `{line}` in\n{said}");
    }
    // What is as it should be is not repeated.
    assert!(!said.contains("LONG NAME"), "{said}");
    let results = project.json("target/run_results.json");
    assert_eq!(results["results"][0]["status"], "fail");
    assert_eq!(results["results"][0]["failures"], 1);
}

#[test]
fn an_input_that_is_missing_is_named() {
    let project = project(
        "  - name: lacking
    model: out
    given:
      - {input: ref('rows'), rows: [{id: 1, name: a}]}
    expect: {rows: []}
",
    );
    project
        .exits(1, &["test", "--no-check", "--select", "lacking"])
        .says(&["gives no rows for `raw.rates`", "add `- input: "]);
}
