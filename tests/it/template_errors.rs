//! What is said when a template fails (C3xxx): one test a code, with places through macros.

use crate::harness::Project;

fn model(sql: &str) -> Project {
    Project::models(&[("a", sql)])
}

#[test]
fn a_template_that_cannot_be_read() {
    insta::assert_snapshot!("an_open_expression", model("select\n  {{ 1 + }} as x").says(2, &["parse"]));
    insta::assert_snapshot!("an_open_block", model("{% if true %}\nselect 1 as x").says(2, &["parse"]));
    insta::assert_snapshot!("an_unknown_block", model("select 1 as x {% endfi %}").says(2, &["parse"]));
}

#[test]
fn an_expression_that_fails() {
    insta::assert_snapshot!("a_division", model("select {{ 1 / 0 }} as x").says(2, &["parse"]));
    insta::assert_snapshot!("a_sum_of_kinds", model("select\n{% set n = 'a' + 1 %}\n{{ n }} as x").says(2, &["parse"]));
}

// What is not there may come with the phase that executes, so it is no mistake before that, as in dbt.
#[test]
fn an_undefined_variable() {
    let said = |sql: &str| {
        let project = model(sql);
        project.ok(&["parse"]);
        project.says(2, &["compile"])
    };
    insta::assert_snapshot!("an_undefined_call", said("select {{ nothing() }} as x"));
    insta::assert_snapshot!("an_undefined_attribute", said("select {{ nothing.here }} as x"));
}

#[test]
fn an_error_raised_in_a_macro_shows_both_places() {
    let project = model("select\n    {{ check_day('2022-13-01') }} as day").file(
        "macros/days.sql",
        "{% macro check_day(day) %}\n  {% if '-13-' in day %}\n    {{ exceptions.raise_compiler_error('no month 13 in ' ~ day) }}\n  {% endif %}\n{% endmacro %}\n",
    );
    insta::assert_snapshot!(project.says(2, &["parse"]));
}

#[test]
fn an_error_deep_in_macros_has_the_chain() {
    let project = model("select {{ outer(3) }} as x").file(
        "macros/m.sql",
        "{% macro outer(n) %}{% for i in range(n) %}{{ inner(i) }}{% endfor %}{% endmacro %}\n\n{% macro inner(i) %}\n{{ 1 / (2 - i) }}\n{% endmacro %}\n",
    );
    insta::assert_snapshot!(project.says(2, &["parse"]));
}

#[test]
fn a_template_that_does_not_end() {
    let macros = "{% macro again(n) %}{{ again(n + 1) }}{% endmacro %}\n";
    let project = model("select {{ again(0) }} as x").file("macros/m.sql", macros);
    let said = project.says(2, &["parse"]);
    assert!(said.contains("error[C3005]") && said.contains("again"), "{said}");
    let said = model("{% for a in range(100000) %}{% for b in range(100000) %}{% endfor %}{% endfor %}select 1 as x");
    assert!(said.says(2, &["parse"]).contains("error[C3005]"));
}

#[test]
fn a_macro_that_does_not_exist() {
    let project =
        model("select {{ cents('x') }} as x").file("macros/m.sql", "{% macro cent(x) %}{{ x }}{% endmacro %}");
    insta::assert_snapshot!(project.says(2, &["compile"]));
}

#[test]
fn a_warning_of_a_template() {
    let project = model("{% do exceptions.warn('the old rate is used') %}select 1 as x");
    let output = project.ok(&["build"]);
    output.says(&["warning[C3007]", "the old rate is used", "models/a.sql:1"]);
}

#[test]
fn a_template_that_fails_while_it_runs_fails_its_node() {
    let sql = "{% if execute %}{{ exceptions.raise_compiler_error('not today') }}{% endif %}select 1 as x";
    let project = Project::models(&[("a", sql), ("b", "select * from {{ ref('a') }}"), ("c", "select 1 as x")]);
    let output = project.exits(1, &["build", "--no-check"]);
    output.says(&["error[C3004]", "not today", "models/a.sql:1", "1 built", "1 failed, 1 skipped"]);
}
