//! Incremental models: what is there stays, what is new comes, as the strategy says.

use crate::harness::Project;

/// A model that reads the seed `rows` and, when it is incremental, only ids above `var('after')`.
fn model(config: &str) -> Project {
    let sql = format!(
        "{{{{ config(materialized='incremental', {config}) }}}}\nselect * from {{{{ ref('rows') }}}}\n\
         {{% if is_incremental() %}}where true /* {{{{ this }}}} */{{% endif %}}"
    );
    Project::models(&[("m", &sql)])
}

/// Builds with these rows and gives the table's.
/// Makes the seed anew: its columns may be others.
fn load(project: &Project, csv: &str) {
    project.write("seeds/rows.csv", csv);
    project.ok(&["seed", "--full-refresh"]);
}

fn build(project: &Project, csv: &str, more: &[&str]) -> Vec<String> {
    load(project, csv);
    project.ok(&[&["build", "--select", "m"], more].concat());
    project.table("select * from {{ ref('m') }} order by 1, 2")
}

const FIRST: &str = "id,v\n1,a\n2,b\n";
const SECOND: &str = "id,v\n2,B\n3,c\n";

#[test]
fn append_adds_and_a_full_refresh_starts_again() {
    let project = model("");
    assert_eq!(build(&project, FIRST, &[]), ["1|a", "2|b"]);
    assert_eq!(build(&project, SECOND, &[]), ["1|a", "2|B", "2|b", "3|c"]);
    assert_eq!(build(&project, SECOND, &["--full-refresh"]), ["2|B", "3|c"]);
}

#[test]
fn rows_with_a_key_replace_those_of_the_same_key() {
    for config in [
        "unique_key='id'",
        "unique_key='id', incremental_strategy='delete+insert'",
        "unique_key=['ID'], incremental_strategy='merge'",
    ] {
        let project = model(config);
        assert_eq!(build(&project, FIRST, &[]), ["1|a", "2|b"], "{config}");
        assert_eq!(build(&project, SECOND, &[]), ["1|a", "2|B", "3|c"], "{config}");
        assert_eq!(build(&project, SECOND, &[]), ["1|a", "2|B", "3|c"], "{config}: again");
        assert_eq!(build(&project, "id,v\n", &[]), ["1|a", "2|B", "3|c"], "{config}: nothing new");
    }
}

#[test]
fn without_new_rows_there_is_no_new_version_and_no_publish() {
    for config in ["", "unique_key='id'", "unique_key='id', incremental_strategy='merge'"] {
        let project = model(&format!("publish={{'to': 'bi'}}, {config}"));
        build(&project, FIRST, &[]);
        let after = |csv: &str| {
            build(&project, csv, &[]);
            let results = project.json("target/run_results.json");
            let all = results["results"].as_array().expect("a list");
            let of = all.iter().find(|one| one["unique_id"] == "model.shop.m").expect("a result");
            let response = &of["adapter_response"];
            (response["version"].as_u64().expect("a version"), response["publish"].to_string())
        };
        let (version, _) = after(SECOND);
        let (same, publish) = after("id,v\n");
        assert_eq!(same, version, "{config}");
        assert!(publish.contains("is already there"), "{config}: {publish}");
        assert_eq!(after("id,v\n9,z\n").0, version + 1, "{config}");
    }
}

#[test]
fn a_key_of_two_columns() {
    for strategy in ["delete+insert", "merge"] {
        let project = model(&format!("unique_key=['id', 'day'], incremental_strategy='{strategy}'"));
        build(&project, "id,day,v\n1,1,a\n1,2,b\n2,1,c\n", &[]);
        assert_eq!(
            build(&project, "id,day,v\n1,2,B\n2,2,D\n", &[]),
            ["1|1|a", "1|2|B", "2|1|c", "2|2|D"],
            "{strategy}"
        );
    }
}

#[test]
fn delete_and_insert_keeps_all_new_rows_of_a_key_and_merge_refuses_them() {
    let twice = "id,v\n2,x\n2,y\n";
    let project = model("unique_key='id', incremental_strategy='delete+insert'");
    build(&project, FIRST, &[]);
    assert_eq!(build(&project, twice, &[]), ["1|a", "2|x", "2|y"]);
    let project = model("unique_key='id', incremental_strategy='merge'");
    build(&project, FIRST, &[]);
    project.write("seeds/rows.csv", twice);
    project.exits(1, &["build"]).says(&["error[C5012]", "2"]);
    assert_eq!(project.table("select * from {{ ref('m') }} order by 1"), ["1|a", "2|b"]);
}

#[test]
fn merge_updates_the_columns_that_it_may() {
    let rows = ("id,a,b\n1,1,1\n", "id,a,b\n1,2,2\n5,5,5\n");
    for (config, expected) in [
        ("merge_update_columns=['a']", ["1|2|1", "5|5|5"]),
        ("merge_exclude_columns=['a']", ["1|1|2", "5|5|5"]),
        ("", ["1|2|2", "5|5|5"]),
    ] {
        let project = model(&format!("unique_key='id', incremental_strategy='merge', {config}"));
        build(&project, rows.0, &[]);
        assert_eq!(build(&project, rows.1, &[]), expected, "{config}");
    }
}

#[test]
fn predicates_limit_which_old_rows_go() {
    let project = model("unique_key='id', incremental_predicates=['DBT_INTERNAL_DEST.day >= 2']");
    build(&project, "id,day\n1,1\n2,2\n", &[]);
    assert_eq!(build(&project, "id,day\n1,3\n2,3\n", &[]), ["1|1", "1|3", "2|3"]);
}

#[test]
fn columns_change_as_on_schema_change_says() {
    let added = "id,v,w\n2,x,7\n";
    let gone = "id\n3\n";
    for (config, more, fewer) in [
        ("", vec!["1|a", "2|x"], vec!["1|a", "2|x", "3|null"]),
        ("on_schema_change='ignore'", vec!["1|a", "2|x"], vec!["1|a", "2|x", "3|null"]),
        ("on_schema_change='append_new_columns'", vec!["1|a|null", "2|x|7"], vec!["1|a|null", "2|x|7", "3|null|null"]),
        ("on_schema_change='sync_all_columns'", vec!["1|a|null", "2|x|7"], vec!["1", "2", "3"]),
    ] {
        let project = model(config);
        build(&project, "id,v\n1,a\n", &[]);
        assert_eq!(build(&project, added, &[]), more, "{config}");
        assert_eq!(build_one_column(&project, gone), fewer, "{config}");
    }
    let project = model("on_schema_change='fail'");
    build(&project, "id,v\n1,a\n", &[]);
    assert_eq!(build(&project, "id,v\n2,b\n", &[]), ["1|a", "2|b"], "the same columns");
    load(&project, added);
    project.exits(1, &["build", "--select", "m"]).says(&["error[C5011]", "new: w", "--full-refresh"]);
    assert_eq!(project.table("select * from {{ ref('m') }} order by 1"), ["1|a", "2|b"]);
    assert_eq!(build(&project, added, &["--full-refresh"]), ["2|x|7"]);
}

fn build_one_column(project: &Project, csv: &str) -> Vec<String> {
    load(project, csv);
    project.ok(&["build", "--select", "m"]);
    project.table("select * from {{ ref('m') }} order by 1")
}

#[test]
fn is_incremental_is_true_when_there_is_a_table_to_add_to() {
    let sql = |config: &str| format!("{{{{ config({config}) }}}} select '{{{{ is_incremental() }}}}' as said");
    let project = Project::models(&[("m", &sql("materialized='incremental'"))]);
    let said = |args: &[&str]| {
        project.ok(&[&["run"], args].concat());
        project.table("select said from {{ ref('m') }} order by said").join(" ")
    };
    assert_eq!(said(&[]), "False", "no table yet");
    assert_eq!(said(&[]), "False True", "a table");
    assert_eq!(said(&["--full-refresh"]), "False", "a full refresh");
    project.write("models/m.sql", sql("materialized='incremental', full_refresh=false"));
    assert_eq!(said(&["--full-refresh"]), "False True", "full_refresh=false wins over the flag");
    project.write("models/m.sql", sql("materialized='incremental', full_refresh=true"));
    assert_eq!(said(&[]), "False", "full_refresh=true");
    project.write("models/m.sql", sql("materialized='table'"));
    assert_eq!(said(&[]), "False", "a table is never incremental");
    project.write("models/m.sql", sql("materialized='view'"));
    assert_eq!(said(&[]), "False", "nor is a view");
    project.write("models/m.sql", sql("materialized='incremental'"));
    assert_eq!(said(&[]), "False", "a view is no table to add to");
    assert_eq!(said(&[]), "False True");
}

#[test]
fn a_model_reads_itself_through_this() {
    let project = Project::models(&[(
        "m",
        "{{ config(materialized='incremental') }}\nselect * from {{ ref('rows') }}\n\
         {% if is_incremental() %}where id > (select max(id) from {{ this }}){% endif %}",
    )]);
    assert_eq!(build(&project, FIRST, &[]), ["1|a", "2|b"]);
    assert_eq!(build(&project, SECOND, &[]), ["1|a", "2|b", "3|c"]);
}

#[test]
fn a_failure_leaves_what_was_there_and_nothing_beside_it() {
    let project = model("unique_key='id'");
    build(&project, FIRST, &[]);
    project.edit("models/m.sql", "select *", "select id, cast('x' || id as int) as v");
    project.exits(1, &["build"]);
    assert_eq!(project.table("select * from {{ ref('m') }} order by 1"), ["1|a", "2|b"]);
    let names: Vec<String> = std::fs::read_dir(project.path("warehouse/main"))
        .expect("a folder")
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    assert!(names.iter().all(|name| ["m", "rows"].contains(&name.as_str())), "{names:?}");
}
