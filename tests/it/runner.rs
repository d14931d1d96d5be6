//! What dbt's runner can do beside building: clones, samples, batches, logs of templates, flags of the project, the
//! project as tables.

use serde_json::Value as Json;

use crate::harness::{Project, pairs};

const SCHEMAS: &str =
    "{% macro generate_schema_name(custom_schema_name, node) %}{{ var('to', target.schema) }}{% endmacro %}";

/// Three nodes in the schema that `--vars '{to: ..}'` names.
fn cloned() -> Project {
    Project::models(&[
        ("tab", "{{ config(materialized='table') }} select 1 as id, 'a' as name"),
        ("vis", "{{ config(materialized='view') }} select id from {{ ref('tab') }}"),
        ("eph", "{{ config(materialized='ephemeral') }} select 1 as id"),
    ])
    .file(
        "models/m.yml",
        "models: [{name: tab, config: {contract: {enforced: true}}, columns: [{name: id, data_type: bigint, \
         constraints: [{type: not_null}, {type: primary_key}]}, {name: name, data_type: varchar}]}]\n",
    )
    .file("seeds/plain.csv", "id\n7\n")
    .file("macros/schema.sql", SCHEMAS)
}

#[test]
fn clone_takes_over_what_another_state_has_built() {
    let project = cloned();
    project.ok(&["build", "--vars", "{to: prod}", "--target-path", "state"]);
    let clone = ["clone", "--state", "state", "--vars", "{to: dev}"];
    let all = pairs(&[("plain", "success"), ("tab", "success"), ("vis", "success")]);
    assert_eq!(project.statuses(0, &clone), all);
    assert_eq!(project.table("select * from dev.tab"), ["1|a"]);
    assert_eq!(project.table("select * from dev.vis"), ["1"]);
    assert_eq!(project.table("select * from dev.plain"), ["7"]);
    assert!(
        project.path("warehouse/dev/tab/_delta_log").is_dir() && project.path("warehouse/dev/_views/vis.json").exists()
    );
    // A view of the other one sees what becomes of that; a copy does not, and is no part of it.
    project.edit("models/tab.sql", "1 as id", "2 as id");
    project.ok(&["run", "--vars", "{to: prod}", "--target-path", "state"]);
    assert_eq!(project.table("select (select max(id) from dev.tab), (select max(id) from dev.vis)"), ["1|2"]);
    // What is there stays.
    project.ok(&clone);
    let results = project.json("target/run_results.json");
    let messages: Vec<_> = results["results"].as_array().expect("results").iter().map(|one| &one["message"]).collect();
    assert!(messages.iter().all(|message| *message == "No-op"), "{messages:?}");
    assert_eq!(project.table("select id from dev.tab"), ["1"]);
    project.ok(&["clone", "--state", "state", "--vars", "{to: dev}", "--full-refresh", "--select", "tab"]);
    assert_eq!(project.table("select id from dev.tab"), ["2"]);
    assert_eq!(project.versions("dev/plain"), 1);
}

#[test]
fn clone_needs_a_state_and_says_what_is_not_there() {
    let project = cloned();
    project.exits(2, &["clone"]).says(&["clone needs a state"]);
    project.ok(&["parse", "--vars", "{to: prod}", "--target-path", "state"]);
    let clone = ["clone", "--state", "state", "--vars", "{to: dev}", "--select", "tab"];
    project.exits(1, &clone).says(&["there is no `prod.tab` to clone"]);
    // It is done again when it can be.
    project.ok(&["build", "--vars", "{to: prod}", "--target-path", "state"]);
    project.ok(&["retry"]);
    assert_eq!(project.table("select id from dev.tab"), ["1"]);
}

/// Rows of five days, and models that read them.
fn timed(model: &str) -> Project {
    let rows = "select cast(d as timestamp) as at, n from (values ('2024-01-01', 1), ('2024-01-02 12:00:00', 2),
        ('2024-01-03', 3), ('2024-01-04', 4), ('2024-01-05', 5)) as v(d, n)";
    let rows = format!("{{{{ config(materialized='table', event_time='at') }}}} {rows}");
    Project::models(&[("rows", &rows), ("below", model)])
}

#[test]
fn a_sample_reads_a_stretch_of_time() {
    let project = timed("select n from {{ ref('rows') }}");
    project.ok(&["run", "--select", "rows"]);
    project.ok(&["run", "--select", "below", "--sample", "{start: 2024-01-02, end: 2024-01-04}"]);
    assert_eq!(project.sorted("below"), ["2", "3"]);
    // The end is now, and the rows are long ago.
    project.ok(&["run", "--select", "below", "--sample", "3 days"]);
    assert_eq!(project.sorted("below"), Vec::<String>::new());
    project.ok(&["run", "--select", "below", "--sample", "100 Years"]);
    assert_eq!(project.sorted("below").len(), 5);
    let project = project.setting("DBT_SAMPLE", "{'start': '2024-01-05', 'end': '2024-01-06'}");
    project.ok(&["run", "--select", "below"]);
    assert_eq!(project.sorted("below"), ["5"]);
    for wrong in ["3", "three days", "3 fortnights", "{start: 2024-01-01}"] {
        project.exits(2, &["run", "--sample", wrong]).says(&["--sample is `", "3 days"]);
    }
    project.exits(2, &["test", "--sample", "3 days"]).says(&["--sample means nothing to `test`"]);
}

const BATCHED: &str = "{{ config(materialized='incremental', incremental_strategy='microbatch', event_time='at',
    batch_size='day', begin='2024-01-01', lookback=0) }}
    select at, n, '{{ model.batch.id }}' as id, '{{ model.batch.event_time_start }}' as s,
      '{{ model.batch.event_time_end.strftime('%d.%m.') }}' as e from {{ ref('rows') }}";

#[test]
fn a_batch_knows_itself() {
    let project = timed(BATCHED);
    let run = ["run", "--no-check", "--event-time-start", "2024-01-02", "--event-time-end", "2024-01-04"];
    project.ok(&run);
    let rows = project.table("select n, id, s, e from {{ ref('below') }} order by n");
    assert_eq!(rows, ["2|20240102|2024-01-02 00:00:00+00:00|03.01.", "3|20240103|2024-01-03 00:00:00+00:00|04.01."]);
    // A sample says which batches, and which rows of them.
    project.ok(&[
        "run",
        "--no-check",
        "--select",
        "below",
        "--full-refresh",
        "--sample",
        "{start: 2024-01-02 13:00, end: 2024-01-05}",
    ]);
    assert_eq!(project.table("select n, id from {{ ref('below') }} order by n"), ["3|20240103", "4|20240104"]);
    project.ok(&[
        "run",
        "--no-check",
        "--select",
        "below",
        "--full-refresh",
        "--empty",
        "--event-time-start",
        "2024-01-02",
        "--event-time-end",
        "2024-01-03",
    ]);
    assert_eq!(project.table("select count(*) from {{ ref('below') }}"), ["0"]);
}

#[test]
fn templates_are_heard_in_every_verb() {
    let project = Project::models(&[(
        "a",
        "{{ log('logged', info=true) }}{{ log('silent') }}{{ print('printed') }} select 1 as id",
    )])
    .file(
        "macros/m.sql",
        "{% macro say(what) %}{{ log('I say ' ~ what, info=true) }}{{ print('you hear ' ~ what) }}{% endmacro %}",
    );
    for args in [&["parse"][..], &["compile"], &["compile", "--select", "a"], &["show", "--select", "a"], &["run"]] {
        let output = project.ok(args);
        assert_eq!(output.stderr.matches("logged").count(), 1, "{args:?}\n{}", output.stderr);
        assert_eq!(output.stdout.matches("printed").count(), 1, "{args:?}\n{}", output.stdout);
        assert!(!output.all().contains("silent"), "{args:?}");
    }
    let inline = project.ok(&["show", "--inline", "{{ say('x') }} select 1 as id"]);
    assert!(inline.stderr.contains("I say x") && inline.stdout.contains("you hear x"), "{}", inline.all());
    let operation = project.ok(&["run-operation", "say", "--args", "{what: 'y'}"]);
    assert!(operation.stderr.contains("I say y") && operation.stdout.contains("you hear y"), "{}", operation.all());
}

#[test]
fn a_refused_build_writes_its_results() {
    let project = Project::models(&[
        ("good", "select 1 as id"),
        ("bad", "select nothing from {{ ref('good') }}"),
        ("below", "select * from {{ ref('bad') }}"),
    ]);
    project.exits(2, &["build"]);
    let results = project.json("target/run_results.json");
    let status = |id: &str| {
        let found = results["results"].as_array().expect("results").iter().find(|one| one["unique_id"] == id);
        found.map(|one| (one["status"].clone(), one["message"].clone())).expect("a result")
    };
    assert_eq!(status("model.shop.good").0, "skipped");
    assert_eq!(status("model.shop.below").0, "skipped");
    let (bad, message) = status("model.shop.bad");
    assert_eq!(bad, "error");
    assert!(message.as_str().is_some_and(|message| message.contains("nothing")), "{message}");
    // What did not run is run again once it can be.
    project.edit("models/bad.sql", "nothing", "id");
    let done = project.statuses(0, &["retry"]);
    assert_eq!(done, pairs(&[("bad", "success"), ("below", "success"), ("good", "success")]));
}

#[test]
fn the_project_sets_flags() {
    let project = Project::models(&[("a", "{{ exceptions.warn('careful') }} select 1 as id")]);
    project.ok(&["run"]);
    let set = |flags: &str| {
        project.write("dbt_project.yml", format!("name: shop\nprofile: shop\nversion: '1.0'\nflags: {flags}\n"))
    };
    set("{warn_error: true, no_such_flag: 1, send_anonymous_usage_stats: false, partial_parse: false}");
    project.exits(2, &["run"]).says(&["error[C3007]", "careful"]);
    set("{warn_error_options: {include: [JinjaLogWarning]}}");
    project.exits(2, &["run"]);
    project.ok(&["run", "--warn-error-options", "{include: all, exclude: [JinjaLogWarning]}"]);
    set("{warn_error_options: {error: all, warn: [C3007]}}");
    project.ok(&["run"]);
    set("{log_format: json}");
    let said = project.ok(&["run"]).stderr;
    assert!(said.lines().all(|line| serde_json::from_str::<Json>(line).is_ok()), "{said}");
    let said = project.ok(&["run", "--log-format", "text"]).stderr;
    assert!(said.lines().any(|line| serde_json::from_str::<Json>(line).is_err()), "{said}");
    // What dbt alone knows is taken and does nothing.
    project.ok(&[
        "--no-partial-parse",
        "--debug",
        "run",
        "--no-version-check",
        "--printer-width",
        "80",
        "--log-path",
        "x",
        "--no-use-colors",
    ]);
}

#[test]
fn a_package_may_keep_its_models_to_itself() {
    let project =
        Project::models(&[("a", "select * from {{ ref('lib', 'kept') }} union all select * from {{ ref('open') }}")])
            .file("packages.yml", "packages: [{local: lib}]\n")
            .file("lib/dbt_project.yml", "name: lib\nversion: '1.0'\nrestrict-access: true\n")
            .file("lib/models/kept.sql", "select 1 as id")
            .file("lib/models/inside.sql", "select * from {{ ref('kept') }}")
            .file("lib/models/open.sql", "select 2 as id")
            .file("lib/models/m.yml", "models: [{name: open, access: public}]\n");
    project.ok(&["deps"]);
    project.exits(2, &["parse"]).says(&["model `kept` is protected, and `lib` restricts access", "models/a.sql"]);
    project.edit("dbt_packages/lib/dbt_project.yml", "restrict-access: true", "restrict-access: false");
    project.ok(&["build"]);
}

#[test]
fn the_project_is_queried_as_tables() {
    let project = Project::models(&[
        ("a", "select 1 as id, 'x' as name"),
        ("b", "{{ config(materialized='table', tags=['nightly'], meta={'owner': 'me'}) }} select id + 1 as next, name from {{ ref('a') }}"),
    ])
    .file("models/m.yml", "models:\n  - name: b\n    description: the second\n    columns:\n      - {name: next, description: follows, data_tests: [not_null]}\n");
    let nodes = "select name, resource_type, materialized, description, array_to_string(tags, ','), parents, children
        from c360.meta.nodes where resource_type = 'model' order by name";
    assert_eq!(project.table(nodes), ["a|model|view|||0|1", "b|model|table|the second|nightly|1|1"]);
    let edges = "select parent, child from c360.meta.edges where child like 'model%'";
    assert_eq!(project.table(edges), ["model.shop.a|model.shop.b"]);
    let columns = "select name, position, \"type\", nullable, declared, description, expression from c360.meta.columns
        where unique_id = 'model.shop.b' order by position";
    assert_eq!(
        project.table(columns),
        ["next|1|bigint|false|true|follows|id + 1", "name|2|varchar|false|false|null|null"]
    );
    let made =
        "select from_column, to_column, kind from c360.meta.column_edges where to_node = 'model.shop.b' order by 2";
    assert_eq!(project.table(made), ["name|name|copied", "id|next|transformed"]);
    let tests = "select t.test, t.\"column\", t.severity, n.name from c360.meta.tests t
        join c360.meta.nodes n on n.unique_id = t.node";
    assert_eq!(project.table(tests), ["not_null|next|error|b"]);
    assert_eq!(project.table("select count(*) from c360.meta.runs"), ["0"]);
    project.ok(&["build"]);
    assert_eq!(
        project
            .table("select count(distinct r.unique_id) from c360.meta.runs r join c360.meta.nodes n using (unique_id)"),
        ["3"]
    );
    // Whatever the database of the target is called.
    project.edit("profiles.yml", "schema: main", "schema: main\n      database: lake");
    assert_eq!(project.table("select count(*) from c360.meta.edges"), ["2"]);
}

#[test]
fn retry_repeats_whatever_failed() {
    let project = Project::models(&[("a", "select 1 as id")])
        .file("seeds/s.csv", "id,n\n1,x\n")
        .file("seeds/m.yml", "seeds: [{name: s, config: {column_types: {n: int}}}]\n")
        .file("tests/t.sql", "select * from {{ ref('a') }}")
        .file(
            "macros/m.sql",
            "{% macro go(to) %}{% do run_query('create table ' ~ to ~ ' as select nothing') %}{% endmacro %}",
        );
    project.exits(1, &["seed"]);
    project.edit("seeds/m.yml", "int", "varchar");
    assert_eq!(project.statuses(0, &["retry"]), pairs(&[("s", "success")]));
    project.ok(&["run"]);
    project.exits(1, &["test"]);
    project.edit("tests/t.sql", "ref('a') }}", "ref('a') }} where false");
    assert_eq!(project.statuses(0, &["retry"]), pairs(&[("t", "pass")]));
    project.ok(&["retry"]).says(&["nothing is left to do"]);
    let operation = ["run-operation", "go", "--args", "{to: made}"];
    project.exits(1, &operation).says(&["nothing"]);
    project.edit("macros/m.sql", "select nothing", "select 1 as id");
    project.ok(&["retry"]);
    assert_eq!(project.table("select * from main.made"), ["1"]);
    project.ok(&["retry"]).says(&["nothing is left to do"]);
}

#[test]
fn hooks_of_the_project_run_before_and_after_everything() {
    let project = Project::models(&[("a", "select count(*) as n from main.heard")]);
    project.edit(
        "dbt_project.yml",
        "profile: shop",
        "profile: shop\non-run-start: [\"{{ heard() }}\", \"insert into main.heard values ('start')\"]\n\
         on-run-end: [\"insert into main.heard values ('end {{ results | length }}')\"]",
    );
    project
        .write("macros/m.sql", "{% macro heard() %}create table if not exists main.heard (what varchar){% endmacro %}");
    project.ok(&["build"]);
    assert_eq!(project.table("select what from main.heard order by 1"), ["end 1", "start"]);
}

#[test]
fn compile_prints_what_was_named() {
    let project = Project::models(&[("orders", "select 1 as id"), ("more", "select 2 as id from {{ ref('orders') }}")])
        .file("models/m.yml", "models: [{name: orders, columns: [{name: id, data_tests: [not_null]}]}]\n");
    assert_eq!(project.ok(&["compile", "--select", "orders"]).stdout, "select 1 as id\n");
    project.ok(&["compile", "--select", "tag:none"]);
    project.ok(&["compile", "--select", "path:models"]).says(&["3 nodes compiled"]);
}

#[test]
fn packages_can_be_locked_without_installing_them() {
    let project = Project::models(&[("a", "select 1 as id")])
        .file("packages.yml", "packages: [{local: lib}]\n")
        .file("lib/dbt_project.yml", "name: lib\nversion: '1.0'\n");
    project.ok(&["deps", "--lock"]).says(&["locked"]);
    assert!(project.read("package-lock.yml").contains("name: lib"));
    assert!(!project.path("dbt_packages/lib").exists());
    project.ok(&["deps"]).says(&["installed"]);
    project.ok(&["build"]);
}
