//! Selections that look at an earlier invocation.

use crate::harness::Project;

fn ls(project: &Project, select: &str, more: &[&str]) -> String {
    let args = ["ls", "--output", "name", "--state", "before", "--resource-type", "model", "seed", "--select", select];
    let output = project.ok(&[&args, more].concat());
    output.stdout.lines().collect::<Vec<_>>().join(" ")
}

/// `command` is run, and what it leaves in `target` is kept as `before`.
fn after(project: Project, code: i32, command: &str) -> Project {
    project.exits(code, &command.split(' ').collect::<Vec<_>>());
    for name in ["manifest.json", "run_results.json"] {
        if let Ok(text) = std::fs::read(project.path("target").join(name)) {
            project.write(&format!("before/{name}"), text);
        }
    }
    project
}

fn shop() -> Project {
    Project::models(&[
        ("a", "{{ config(materialized=var('kind', 'view')) }} select * from {{ ref('raw') }}"),
        ("b", "{{ config(tags=['x']) }} select {{ one() }} as id from {{ ref('a') }}"),
        ("c", "select 1 as id"),
        ("d", "select 1 as id"),
    ])
    .file("seeds/raw.csv", "id\n1\n")
    .file("macros/one.sql", "{% macro one() %}1{% endmacro %}")
    .file("models/m.yml", "models:\n  - {name: d, config: {meta: {kind: \"{{ var('kind', 'view') }}\"}}}\n")
    .file(
        "dbt_project.yml",
        "name: shop\nversion: '1.0'\nprofile: shop\nmodels:\n  shop:\n    +schema: \"{{ var('kind', 'view') }}\"\n",
    )
}

#[test]
fn an_unchanged_project_is_not_modified() {
    let project = after(shop(), 0, "parse");
    assert_eq!(ls(&project, "state:modified", &[]), "");
    assert_eq!(ls(&project, "state:new", &[]), "");
    assert_eq!(ls(&project, "state:old", &[]), "a b c d raw");
    // Values follow the variable; what is written stays.
    assert_eq!(ls(&project, "state:modified", &["--vars", "kind: table"]), "");
}

#[test]
fn changes_are_told_by_their_kind() {
    let project = after(shop(), 0, "parse");
    project.edit("models/a.sql", "var('kind', 'view')", "'table'");
    project.edit("models/c.sql", "select 1", "{{ config(alias='other') }} select 1");
    project.edit("models/m.yml", "kind', 'view'", "kind', 'table'");
    project.edit("macros/one.sql", "}1{", "}2{");
    project.write("seeds/raw.csv", "id\n1\n2\n");
    project.write("models/e.sql", "select 1 as id");
    for (select, expected) in [
        ("state:modified", "a b c d e raw"),
        ("state:new", "e"),
        ("state:modified.configs", "a d e"),
        ("state:modified.relation", "c e"),
        ("state:modified.macros", "b"),
        ("state:modified.body", "a c e raw"),
        ("state:modified.macros+ state:modified.relation", "b c e"),
        ("state:unmodified", ""),
    ] {
        assert_eq!(ls(&project, select, &[]), expected, "{select}");
    }
}

#[test]
fn a_folder_setting_is_compared_as_written() {
    let project = after(shop(), 0, "parse");
    project.edit("dbt_project.yml", "{{ var('kind', 'view') }}", "view");
    assert_eq!(ls(&project, "state:modified.relation", &[]), "a b c d");
}

#[test]
fn results_of_an_earlier_run_select() {
    let project =
        shop().file("models/c.sql", "select nothing as id").file("models/f.sql", "select * from {{ ref('c') }}");
    let project = after(project, 1, "build --no-check");
    assert_eq!(ls(&project, "result:error", &[]), "c");
    assert_eq!(ls(&project, "result:error+", &[]), "c f");
    assert_eq!(ls(&project, "result:skipped", &[]), "f");
    assert_eq!(ls(&project, "result:success", &[]), "a b d raw");
    project.write("models/c.sql", "select 1 as id");
    let ran = project.statuses(0, &["build", "--select", "result:error+", "--state", "before"]);
    assert_eq!(ran.len(), 2, "{ran:?}");
}

#[test]
fn a_state_that_is_not_there_or_broken_is_an_error() {
    let project = shop();
    project.exits(2, &["ls", "--select", "state:modified"]).says(&["--state"]);
    project.exits(2, &["ls", "--select", "state:modified", "--state", "nowhere"]).says(&["--state"]);
    project.write("before/manifest.json", "[1, 2");
    project.exits(2, &["ls", "--select", "state:modified", "--state", "before"]).says(&["before/manifest.json"]);
}
