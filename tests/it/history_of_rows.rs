//! Snapshots: what they keep of rows that change, and under which names.

use crate::harness::Project;

const BOTH: &str = "snapshots:\n  - name: kept\n    relation: ref('rows')\n    config: ";

fn project(config: &str) -> Project {
    Project::new().file("snapshots/s.yml", format!("{BOTH}{config}\n"))
}

/// Gives the source these rows and brings the snapshot up to date.
fn seen(project: &Project, rows: &str) {
    project.write("models/rows.sql", format!("{{{{ config(materialized='table') }}}} {rows}"));
    project.ok(&["build"]);
}

fn rows(values: &str) -> String {
    format!("select id, name from (values {values}) as v(id, name)")
}

#[test]
fn deletes_are_records_of_their_own() {
    let project = project("{strategy: check, unique_key: id, check_cols: all, hard_deletes: new_record}");
    seen(&project, &rows("(1, 'a'), (2, 'b')"));
    seen(&project, &rows("(1, 'a')"));
    let kept = "select id, name, dbt_is_deleted, dbt_valid_to is null as current from {{ ref('kept') }}
        order by id, dbt_valid_from, dbt_is_deleted";
    assert_eq!(project.table(kept), ["1|a|False|true", "2|b|False|false", "2|b|True|true"]);
    // A second look at what is gone is no news; what comes back is.
    seen(&project, &rows("(1, 'a')"));
    assert_eq!(project.table("select count(*) from {{ ref('kept') }}"), ["3"]);
    seen(&project, &rows("(1, 'a'), (2, 'b')"));
    assert_eq!(project.table(kept), ["1|a|False|true", "2|b|False|false", "2|b|True|false", "2|b|False|true"]);
}

#[test]
fn current_rows_may_have_a_far_end_and_columns_other_names() {
    let config = "{strategy: check, unique_key: id, check_cols: [name], dbt_valid_to_current: \"cast('9999-12-31' as timestamp)\",
      snapshot_meta_column_names: {dbt_valid_from: since, dbt_valid_to: until, dbt_scd_id: state_id, dbt_updated_at: seen_at}}";
    let project = project(config);
    seen(&project, &rows("(1, 'a'), (2, 'b')"));
    seen(&project, &rows("(1, 'A'), (2, 'b')"));
    let kept = "select id, name, until = '9999-12-31' as current, since <= until, state_id is not null, seen_at = since
        from {{ ref('kept') }} order by id, since";
    assert_eq!(project.table(kept), ["1|a|false|true|true|true", "1|A|true|true|true|true", "2|b|true|true|true|true"]);
    // Whoever looks for what is current finds it.
    assert_eq!(project.table("select count(*) from {{ ref('kept') }} where now() between since and until"), ["2"]);
}

#[test]
fn a_column_that_is_added_is_compared_too() {
    let project = project("{strategy: check, unique_key: id, check_cols: all}");
    seen(&project, &rows("(1, 'a'), (2, 'b')"));
    seen(
        &project,
        "select id, name, case when id = 2 then 'x' end as more from (values (1, 'a'), (2, 'b')) as v(id, name)",
    );
    // As in dbt, a column more is a change of every row.
    let kept = "select id, name, more, dbt_valid_to is null from {{ ref('kept') }} order by id, dbt_valid_from";
    assert_eq!(project.table(kept), ["1|a|null|false", "1|a|null|true", "2|b|null|false", "2|b|x|true"]);
}

#[test]
fn the_time_of_a_change_may_be_a_date() {
    let project = project("{strategy: timestamp, unique_key: id, updated_at: day, hard_deletes: invalidate}");
    let at =
        |values: &str| format!("select id, name, cast(day as date) as day from (values {values}) as v(id, name, day)");
    seen(&project, &at("(1, 'a', '2024-01-01'), (2, 'b', '2024-01-01')"));
    seen(&project, &at("(1, 'A', '2024-02-01')"));
    let kept =
        "select id, name, cast(dbt_valid_from as date) as f, dbt_valid_to is null, cast(dbt_updated_at as date) as u
        from {{ ref('kept') }} order by id, dbt_valid_from";
    assert_eq!(
        project.table(kept),
        ["1|a|2024-01-01|false|2024-01-01", "1|A|2024-02-01|true|2024-02-01", "2|b|2024-01-01|false|2024-01-01"]
    );
    assert_eq!(
        project.table("select cast(dbt_valid_to as date) as t from {{ ref('kept') }} where name = 'a'"),
        ["2024-02-01"]
    );
    // An older time is no change.
    seen(&project, &at("(1, 'old', '2023-01-01')"));
    assert_eq!(project.table("select count(*) from {{ ref('kept') }} where id = 1"), ["2"]);
}
