//! `check`, and the look that a build takes before it starts.

use std::fs::File;

use serde_json::Value as Json;

use crate::harness::Project;

const ORDERS: (&str, &str) = ("seeds/orders.csv", "order_id,customer_id,amount\n1,1,10\n2,1,20\n");

fn shop(models: &[(&str, &str)]) -> Project {
    Project::models(models).file(ORDERS.0, ORDERS.1)
}

/// Names of what is in the warehouse.
fn stored(project: &Project) -> Vec<String> {
    let folder = project.path("warehouse/main");
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

#[test]
fn a_project_without_mistakes() {
    let project = shop(&[
        ("paid", "{{ config(materialized='table') }}\nselect order_id, amount * 2 as twice from {{ ref('orders') }}"),
        ("sums", "select sum(twice) as total from {{ ref('paid') }}"),
    ]);
    let said = project.says(0, &["check"]);
    assert!(
        said.contains("checked 2 models, 0 tests and 1 other node") && said.contains("0 errors, 0 warnings"),
        "{said}"
    );
    assert!(stored(&project).is_empty(), "a check writes no relation");
}

#[test]
fn the_message_of_a_mistake() {
    let project = shop(&[
        ("paid", "select\n    order_id,\n    amuont\nfrom {{ ref('orders') }}"),
        ("sums", "select sum(amount) as total from {{ ref('paid') }}"),
    ]);
    let said = project.says(2, &["check"]);
    let said = said.lines().filter(|line| !line.starts_with("checked ")).collect::<Vec<_>>().join("\n");
    insta::assert_snapshot!(said);
}

#[test]
fn the_flagship_has_no_mistakes_and_no_warnings() {
    let project = Project::customer360();
    let said = project.says(0, &["check"]);
    assert!(said.contains("0 errors, 0 warnings") && !said.contains("not checked"), "{said}");
}

#[test]
fn a_build_with_mistakes_starts_nothing() {
    let models = [
        ("good", "{{ config(materialized='table') }}\nselect order_id from {{ ref('orders') }}"),
        ("bad", "{{ config(materialized='table') }}\nselect amuont from {{ ref('orders') }}"),
    ];
    let project = shop(&models);
    let output = project.exits(2, &["build"]);
    output.says(&["error[C4004]", "models/bad.sql:2:8", "nothing was run: 1 error"]);
    assert!(stored(&project).is_empty(), "nothing was touched");
    project.ok(&["build", "--select", "orders good"]);
    assert_eq!(stored(&project), ["good", "orders"]);

    // As dbt does it: what can be built is built.
    let project = shop(&models);
    project.exits(1, &["build", "--no-check"]).says(&["error[C4004]"]);
    assert_eq!(stored(&project), ["good", "orders"]);
    let project = shop(&models).setting("C360_CHECK", "false");
    project.exits(1, &["build"]);
    let flags = "name: shop\nversion: '1.0'\nprofile: shop\nflags: {check: false}\n";
    let project = shop(&models).file("dbt_project.yml", flags);
    project.exits(1, &["build"]);
}

#[test]
fn a_build_reads_what_is_built_of_what_it_does_not_select() {
    let project = shop(&[
        ("first", "{{ config(materialized='table') }}\nselect order_id, amount from {{ ref('orders') }}"),
        ("second", "{{ config(materialized='table') }}\nselect amount from {{ ref('first') }}"),
    ]);
    project.ok(&["build"]);
    project.edit("models/first.sql", "amount", "customer_id");
    project.exits(2, &["build"]).says(&["column `amount` not found"]);
    // The table of `first` still has the column.
    project.ok(&["build", "--select", "second"]);
    project.exits(2, &["check", "--select", "second"]).says(&["column `amount` not found"]);
}

#[test]
fn an_incremental_model_is_checked_on_the_branch_that_runs() {
    let model = "{{ config(materialized='incremental') }}\nselect order_id from {{ ref('orders') }}\n\
                 {% if is_incremental() %}where nothing > 1{% endif %}";
    let project = shop(&[("events", model)]);
    project.exits(2, &["check"]).says(&["column `nothing` not found", "models/events.sql:3:32"]);
    project.ok(&["build"]);
    project.exits(2, &["build"]).says(&["column `nothing` not found", "nothing was run"]);
    project.ok(&["build", "--full-refresh"]);
}

#[test]
fn what_cannot_be_known_is_no_error() {
    let project = shop(&[
        ("asks", "{% set rows = run_query('select max(order_id) as m from ' ~ ref('orders')) %}\nselect {{ rows.rows[0][0] if execute else 0 }} as m"),
        ("below", "select m, other from {{ ref('asks') }}"),
        ("changes", "{% do run_query('create table x as select 1 as y') %}select 1 as z"),
        ("of_files", "select * from {{ source('lake', 'events') }}"),
        ("columns", "select {% for c in adapter.get_columns_in_relation(ref('shape')) %}'{{ c.dtype }}' as {{ c.name }}{{ ',' if not loop.last }}{% endfor %}"),
        ("shape", "{{ config(materialized='table') }}\nselect order_id, amount / 2.0 as half from {{ ref('orders') }}"),
        ("reads_columns", "select order_id, half, quarter from {{ ref('columns') }}"),
    ])
    .file(
        "models/_sources.yml",
        "sources:\n  - name: lake\n    tables:\n      - name: events\n        external: {location: 'lake/*.json'}\n",
    );
    let said = project.says(2, &["check"]);
    for part in [
        "not checked: model asks: a query of its template cannot be answered",
        "not checked: model below: because of `asks`",
        "not checked: model changes: its template runs a statement that changes something",
        "not checked: model of_files, source lake.events: source `lake.events`: no file matches",
        "column `quarter` not found",
        "1 error, 0 warnings, 5 not checked",
    ] {
        assert!(said.contains(part), "{part}\n{said}");
    }
    assert!(stored(&project).is_empty());
    // A build starts, since these may be right by then.
    project.exits(2, &["build"]).says(&["column `quarter` not found"]);
    project.ok(&["build", "--exclude", "reads_columns below changes of_files"]);
}

#[test]
fn the_second_check_reads_no_data() {
    let sources =
        "sources:\n  - name: lake\n    tables:\n      - name: events\n        external: {location: 'lake/*.json'}\n";
    let project = Project::models(&[("a", "select id, name from {{ source('lake', 'events') }}")])
        .file("models/_sources.yml", sources)
        .file("lake/a.json", "{\"id\": 1, \"name\": \"x\"}\n");
    project.ok(&["check"]);
    // Other content under the same name, size and time: who reads it sees other columns.
    let path = project.path("lake/a.json");
    let time = std::fs::metadata(&path).and_then(|meta| meta.modified()).expect("a time");
    std::fs::write(&path, "{\"od\": 1, \"nome\": \"x\"}\n").expect("written");
    File::options().write(true).open(&path).and_then(|file| file.set_modified(time)).expect("the old time");
    project.ok(&["check"]);
    std::fs::write(&path, "{\"od\": 1, \"nomes\": \"x\"}\n").expect("written");
    project.exits(2, &["check"]).says(&["column `id` not found", "column `name` not found"]);
}

#[test]
fn warnings_can_be_errors_or_nothing() {
    let project = shop(&[("a", "select order_id from {{ ref('orders') }} where 'x' = amount")]);
    project.exits(0, &["check"]).says(&["warning[C4103]"]);
    project.exits(2, &["check", "--warn-error"]).says(&["error[C4103]"]);
    project.exits(2, &["check", "--warn-error-options", "{error: [C4103]}"]);
    let said = project.says(0, &["check", "--warn-error-options", "{silence: [C4103]}"]);
    assert!(!said.contains("C4103"), "{said}");
    // A run starts: a warning is no mistake.
    project.ok(&["seed"]);
    project.ok(&["run", "--empty"]);
}

#[test]
fn documents_for_programs() {
    let project = shop(&[("a", "select amuont\nfrom {{ ref('orders') }}")]);
    let output = project.exits(2, &["check", "--output", "json"]);
    let found: Json = serde_json::from_str(&output.stdout).expect("JSON");
    assert_eq!(found[0]["code"], "C4004");
    assert_eq!(found[0]["severity"], "error");
    assert_eq!(found[0]["node"], "model.shop.a");
    assert_eq!((&found[0]["labels"][0]["path"], &found[0]["labels"][0]["line"]), (&"models/a.sql".into(), &1.into()));
    let output = project.exits(2, &["check", "--output", "sarif"]);
    let mut log: Json = serde_json::from_str(&output.stdout).expect("JSON");
    for key in ["version", "semanticVersion"] {
        log["runs"][0]["tool"]["driver"][key] = "[version]".into();
    }
    insta::assert_snapshot!(serde_json::to_string_pretty(&log).expect("text"));
    // Mistakes of the project itself are in the document too.
    let project = project.file("models/b.sql", "select * from {{ ref('nobody') }}");
    let output = project.exits(2, &["check", "--output", "sarif"]);
    let log: Json = serde_json::from_str(&output.stdout).expect("JSON");
    assert_eq!(log["runs"][0]["results"][0]["ruleId"], "C2001");
}
