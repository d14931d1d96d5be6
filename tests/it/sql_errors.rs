//! What is said when SQL is wrong (C4xxx): the place is in the template that a person wrote.

use crate::harness::Project;

fn show(models: &[(&str, &str)]) -> String {
    Project::models(models).says(2, &["show", "--select", "a"])
}

#[test]
fn sql_that_cannot_be_read() {
    insta::assert_snapshot!(show(&[("a", "select\n    1 as id\nfrom (select 1 as y as t\nwhere y = 1")]));
}

#[test]
fn a_column_that_is_not_there() {
    insta::assert_snapshot!(show(&[(
        "a",
        "{% set columns = ['amount', 'amuont'] %}\nselect\n{% for column in columns %}\n    sum({{ column }}) as s{{ loop.index }},\n{% endfor %}\n    1 as one\nfrom (select 1 as amount) as t"
    )]));
}

#[test]
fn a_mistake_in_a_macro_points_into_the_macro() {
    let project = Project::models(&[(
        "a",
        "select\n    1 as id,\n    {{ cents('amuont') }} as cents\nfrom (select 2 as amount) as t",
    )])
    .file("macros/m.sql", "{% macro cents(column) %}\n    round({{ column }} * 100)\n{% endmacro %}\n");
    insta::assert_snapshot!(project.says(2, &["show", "--select", "a"]));
}

#[test]
fn a_function_that_is_not_there() {
    insta::assert_snapshot!(show(&[("a", "select coalesc(1, 2) as x")]));
}

#[test]
fn types_that_do_not_fit() {
    insta::assert_snapshot!(show(&[("a", "select\n    1 as x,\n    date_trunc('month', true) as y")]));
}

#[test]
fn a_relation_that_is_not_there() {
    insta::assert_snapshot!("a_plain_name", show(&[("a", "select * from order_items")]));
    let project = Project::models(&[("orders", "select 1 as id"), ("a", "select * from {{ ref('orders') }}")]);
    insta::assert_snapshot!(
        "a_model_that_was_never_built",
        project.scrub(&project.run(&["show", "--select", "a"]).stderr)
    );
}

#[test]
fn a_query_that_fails_while_it_runs() {
    let project = Project::models(&[(
        "a",
        "{{ config(materialized='table') }}\nselect cast(x as int) as n from (values ('1'), ('one')) as t(x)",
    )]);
    let said = project.says(1, &["build"]);
    assert!(said.contains("error[C4003]") && said.contains("one") && said.contains("models/a.sql"), "{said}");
    let project = Project::models(&[(
        "a",
        "{{ config(materialized='table') }}\nselect sum(x) as n from (values (9223372036854775807), (1)) as t(x)",
    )]);
    project.exits(1, &["build"]).says(&["error[C4007]"]);
}
