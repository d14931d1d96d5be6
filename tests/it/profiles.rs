//! Profiles of columns, as builds leave them beside their tables.

use serde_json::Value as Json;

use crate::harness::Project;

fn profile(project: &Project, table: &str) -> Option<Json> {
    let path = format!("warehouse/{table}/_c360/profile.json");
    project.path(&path).exists().then(|| project.json(&path))
}

fn column(profile: &Json, name: &str) -> Json {
    let columns = profile["columns"].as_array().expect("columns");
    let found = columns.iter().find(|column| column["name"] == name);
    found.expect("the column")["profile"].clone()
}

/// Every way to write a table leaves a profile of the version that came of it.
#[test]
fn every_write_leaves_a_profile_of_its_version() {
    let project = Project::models(&[
        ("t", "{{ config(materialized='table') }} select value as id from generate_series(1, 1000)"),
        ("v", "select 1 as id"),
        (
            "added",
            "{{ config(materialized='incremental') }} select {{ 100 if is_incremental() else 1 }} + value as id
             from generate_series(1, 10)",
        ),
        (
            "merged",
            "{{ config(materialized='incremental', unique_key='id') }}
             select value as id, {{ '2' if is_incremental() else '1' }} as run from generate_series(1, 4)",
        ),
    ])
    .file("seeds/s.csv", "id,day\n1,2022-04-01\n2,\n")
    .file(
        "snapshots/n.sql",
        "{% snapshot n %}{{ config(strategy='check', unique_key='id', check_cols='all') }}select * from {{ ref('s') }}{% endsnapshot %}",
    );
    project.ok(&["build"]);
    project.ok(&["build"]);
    let told = |table: &str, name: &str| {
        let profile = profile(&project, &format!("main/{table}")).expect("a profile");
        let column = column(&profile, name);
        assert_eq!(
            profile["version"].as_u64().map(|version| version as usize + 1),
            Some(project.versions(&format!("main/{table}")))
        );
        (profile["rows"].as_u64(), column["min"].clone(), column["max"].clone(), column["distinct"].as_u64())
    };
    let is = |rows, min: &str, max: &str, distinct| (Some(rows), Json::from(min), Json::from(max), Some(distinct));
    assert_eq!(told("added", "id"), is(20, "2", "110", 20));
    assert_eq!(told("merged", "run"), is(4, "2", "2", 1));
    assert_eq!(told("s", "day"), is(2, "2022-04-01", "2022-04-01", 1));
    assert_eq!(told("n", "id"), is(2, "1", "2", 2));
    let (rows, min, max, distinct) = told("t", "id");
    assert_eq!((rows, min, max), (Some(1000), "1".into(), "1000".into()));
    assert!(distinct.is_some_and(|distinct| distinct.abs_diff(1000) < 92), "{distinct:?}");
    assert!(profile(&project, "main/v").is_none());
}

/// A hook that changes the table of its model keeps the profile true.
#[test]
fn hooks_keep_profiles_true() {
    let project = Project::models(&[(
        "t",
        "{{ config(materialized='table', post_hook='delete from {{ this }} where id > 3') }}
         select value as id from generate_series(1, 10)",
    )]);
    project.ok(&["run"]);
    let profile = profile(&project, "main/t").expect("a profile");
    assert_eq!((profile["rows"].as_u64(), project.versions("main/t")), (Some(3), 2));
    assert_eq!((profile["version"].as_u64(), &column(&profile, "id")["max"]), (Some(1), &"3".into()));
}

#[test]
fn profiles_are_switched_off_for_a_model_or_for_all() {
    let models = [
        ("on", "{{ config(materialized='table') }} select 1 as id"),
        ("off", "{{ config(materialized='table', profile=false) }} select 1 as id"),
        ("off_by_meta", "{{ config(materialized='table', meta={'profile': false}) }} select 1 as id"),
    ];
    let project = Project::models(&models);
    project.ok(&["run"]);
    let has = |project: &Project| models.map(|(name, _)| profile(project, &format!("main/{name}")).is_some());
    assert_eq!(has(&project), [true, false, false]);
    let project = Project::models(&models);
    project.edit("profiles.yml", "      threads:", "      column_profiles: false\n      threads:");
    project.ok(&["run"]);
    assert_eq!(has(&project), [false; 3]);
}

/// Values of tagged columns are nowhere in the file.
#[test]
fn tagged_columns_show_no_values() {
    let project = Project::models(&[("t", "{{ config(materialized='table') }} select 'top-secret' as email, 1 as id")])
        .file("models/m.yml", "models: [{name: t, columns: [{name: Email, tags: [Sensitive]}]}]\n");
    project.ok(&["run"]);
    assert!(!project.read("warehouse/main/t/_c360/profile.json").contains("top-secret"));
    let profile = profile(&project, "main/t").expect("a profile");
    assert_eq!(column(&profile, "email")["hidden"], true);
    assert_eq!(column(&profile, "id")["top"], serde_json::json!([["1", 1]]));
}

/// What is made of a tagged column is as personal as that: no profile shows it.
#[test]
fn columns_made_of_tagged_ones_show_no_values() {
    let project = Project::models(&[
        ("t", "{{ config(materialized='table') }} select 'top-secret' as email, 1 as id"),
        ("u", "{{ config(materialized='table') }} select upper(email) as shouted, id from {{ ref('t') }}"),
    ])
    .file("models/m.yml", "models: [{name: t, columns: [{name: email, tags: [pii]}]}]\n");
    project.ok(&["run"]);
    assert!(!project.read("warehouse/main/u/_c360/profile.json").contains("TOP-SECRET"));
    let profile = profile(&project, "main/u").expect("a profile");
    assert_eq!((&column(&profile, "shouted")["hidden"], &column(&profile, "id")["max"]), (&true.into(), &"1".into()));
}
