//! Whole projects, twice: every relation and every destination has to be the same.

use super::{Cluster, Pair};
use crate::harness::{Project, text};
use crate::publish_sqlite::sqlite_rows;

const PINNED: &[&str] = &["--vars", "{etl_date: 2023-09-14}"];
const MARTS: &[&str] =
    &["customer_content", "customer_behavior", "search_trend", "mart_totals", "mart_kpis", "mart_customer_360"];

#[test]
fn the_customer360_job_gives_the_same_marts() {
    let cluster = Cluster::start();
    let pair = Pair::new(&cluster, Project::customer360);
    pair.here.ok(&[&["build"], PINNED].concat());
    for threads in ["4", "1"] {
        let output = pair.there.ok(&[&["build", "--threads", threads], PINNED].concat());
        output.says(&["Published   ", "0 failed, 0 skipped"]);
        for mart in MARTS {
            let sql = format!("select * from {mart}");
            let rows = |project: &Project| {
                let mut rows = sqlite_rows(&project.path("warehouse/bi.db"), &sql);
                rows.sort();
                rows
            };
            assert_eq!(rows(&pair.there), rows(&pair.here), "{mart} with {threads} threads");
            assert!(!rows(&pair.there).is_empty(), "{mart}");
        }
    }
    pair.same(MARTS);
    assert!(cluster.jobs() > 20, "{} jobs", cluster.jobs());
}

#[test]
fn the_dirty_lake_loses_nothing_there_either() {
    let cluster = Cluster::start();
    let dirty = [
        "build",
        "--select",
        "+customer_content",
        "--exclude",
        "resource_type:test",
        "--vars",
        "{content_folder: log_content_dirty}",
    ];
    let pair = Pair::new(&cluster, Project::customer360);
    for project in [&pair.here, &pair.there] {
        project.ok(&dirty).says(&["Quarantined lake.log_content  5 records"]);
    }
    pair.same(&["customer_content"]);
    pair.same_rows("select line, text, reason, source from quarantine.lake__log_content");
}

/// A project with one of each: sources, a seed, a view, an ephemeral model, every strategy, a snapshot, tests that keep
/// what they find, a unit test, hooks, a publish.
fn kitchen() -> Project {
    let mut project = Project::new()
        .file("seeds/kinds.csv", "kind,name\nk0,Zero\nk1,One\nk2,Two\n")
        .file("models/_sources.yml", "sources:\n  - name: lake\n    tables:\n      - {name: orders, external: {location: 'lake/*.json'}}\n")
        .file("models/v.sql", "select id, kind, amount, day from {{ source('lake', 'orders') }}")
        .file("models/e.sql", "{{ config(materialized='ephemeral') }} select v.*, k.name from {{ ref('v') }} v left join {{ ref('kinds') }} k using (kind)")
        .file("models/t.sql", "{{ config(materialized='table', publish={'to': 'bi', 'key': ['kind']}) }} select kind, name, count(*) as n, sum(amount) as amount from {{ ref('e') }} group by kind, name")
        .file("models/hooked.sql", "{{ config(materialized='table', pre_hook=\"create table if not exists main.log as select 'start' as what\", post_hook=\"insert into main.log select 'rows ' || count(*) from {{ this }}\") }} select * from {{ ref('e') }}")
        .file(
            "models/_models.yml",
            "models:\n  - name: t\n    columns:\n      - name: kind\n        data_tests: [unique, not_null]\n      - name: n\n        \
             data_tests:\n          - accepted_values: {arguments: {values: [1], quote: false}, config: {severity: warn, store_failures: true}}\n\
             unit_tests:\n  - name: counts\n    model: t\n    given:\n      - input: ref('e')\n        rows: [{kind: a, name: A, amount: 1}, {kind: a, name: A, amount: 2}]\n    \
             expect: {rows: [{kind: a, name: A, n: 2, amount: 3}]}\n",
        )
        .file(
            "snapshots/s.yml",
            "snapshots:\n  - name: s\n    relation: ref('v')\n    config: {unique_key: id, strategy: check, check_cols: [amount]}\n",
        );
    for (name, config) in STRATEGIES {
        let sql = format!(
            "{{{{ config(materialized='incremental', {config}) }}}} select id, kind, amount, day from {{{{ ref('v') }}}}\n\
             {{% if is_incremental() %}}where day >= 2{{% endif %}}"
        );
        project = project.file(&format!("models/{name}.sql"), sql);
    }
    first_day(&project);
    project
}

const STRATEGIES: &[(&str, &str)] = &[
    ("i_append", "incremental_strategy='append'"),
    ("i_merge", "incremental_strategy='merge', unique_key='id'"),
    ("i_merge_some", "incremental_strategy='merge', unique_key='id', merge_update_columns=['amount']"),
    ("i_delete", "incremental_strategy='delete+insert', unique_key='id'"),
    ("i_overwrite", "incremental_strategy='insert_overwrite', partition_by='day'"),
];

fn first_day(project: &Project) {
    for file in 0..4 {
        let line = |id: u32| format!("{{\"id\": {id}, \"kind\": \"k{}\", \"amount\": {}.5, \"day\": 1}}\n", id % 3, id);
        project.write(&format!("lake/1-{file}.json"), (file * 25..file * 25 + 25).map(line).collect::<String>());
    }
}

/// Some ids again with other amounts, some new, some gone.
fn second_day(pair: &Pair) {
    for file in 0..4 {
        let line =
            |id: u32| format!("{{\"id\": {id}, \"kind\": \"k{}\", \"amount\": {}.25, \"day\": 2}}\n", id % 4, id * 2);
        pair.write(&format!("lake/2-{file}.json"), (file * 20 + 60..file * 20 + 80).map(line).collect::<String>());
    }
    pair.write("lake/1-3.json", "");
}

#[test]
fn one_of_everything_twice() {
    let cluster = Cluster::start();
    let pair = Pair::new(&cluster, kitchen);
    let nodes: Vec<&str> =
        ["t", "hooked", "kinds"].into_iter().chain(STRATEGIES.iter().map(|(name, _)| *name)).collect();
    let statuses = |project: &Project, round: &str| (round.to_string(), project.statuses(0, &["build"]));
    for round in ["first", "second", "again"] {
        if round == "second" {
            second_day(&pair);
        }
        assert_eq!(statuses(&pair.there, round), statuses(&pair.here, round));
        pair.same(&nodes);
        pair.same_rows("select id, kind, amount, day, dbt_valid_to is null as current from {{ ref('s') }}");
        pair.same_rows("select * from main.log");
        let published = |project: &Project| sqlite_rows(&project.path("bi.db"), "select * from t order by kind");
        assert_eq!(published(&pair.there), published(&pair.here), "{round}");
    }
    let failures = |project: &Project| {
        let folder = project.path("warehouse");
        let schemas = std::fs::read_dir(folder).expect("a folder").flatten().map(|entry| entry.file_name());
        let mut names: Vec<String> = schemas.map(|name| name.to_string_lossy().into_owned()).collect();
        names.sort();
        names.retain(|name| !name.starts_with('_'));
        names
    };
    assert_eq!(failures(&pair.there), failures(&pair.here));
    pair.ok(&["build", "--full-refresh"]);
    pair.same(&nodes);
}

#[test]
fn counts_of_rows_and_bytes_are_told() {
    let cluster = Cluster::start();
    let project = kitchen().on_cluster(&cluster.url());
    let events = project.events(0, &["build"]);
    let finished = events.iter().find(|event| event["event"] == "unit_finished" && event["name"] == "i_append");
    let finished = finished.unwrap_or_else(|| panic!("{events:?}"));
    assert_eq!(text(&finished["rows"]), "100", "{finished}");
    assert!(finished["bytes"].as_u64().is_some_and(|bytes| bytes > 0), "{finished}");
}

#[test]
fn a_scheduler_on_another_version_of_the_lake_sees_what_a_build_sees() {
    // Tables are sent as the version that the build saw: a second build reads what the first one wrote.
    let cluster = Cluster::start();
    let project = Project::models(&[]).on_cluster(&cluster.url());
    for round in 0..3 {
        project.write(
            "models/a.sql",
            format!(
                "{{{{ config(materialized='table') }}}} select {round} as r, value as v from generate_series(1, 10)"
            ),
        );
        project.write(
            "models/b.sql",
            "{{ config(materialized='table') }} select r, count(*) as n, sum(v) as s from {{ ref('a') }} group by r",
        );
        project.ok(&["build"]);
        assert_eq!(project.table("select * from {{ ref('b') }}"), [format!("{round}|10|55")]);
    }
}
