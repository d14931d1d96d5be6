//! What is said when the project's files, its configuration or the command line are wrong (C1xxx): one test a code.

use crate::harness::Project;

fn one() -> Project {
    Project::models(&[("a", "select 1 as id")])
}

#[test]
fn no_project() {
    insta::assert_snapshot!(Project::empty().says(2, &["parse"]));
}

#[test]
fn yaml_that_cannot_be_read() {
    let project = one().file("models/m.yml", "models:\n  - name: a\n    description: 'open\n    columns: []\n");
    insta::assert_snapshot!(project.says(2, &["parse"]));
}

#[test]
fn unknown_keys_are_warnings_with_suggestions() {
    let project = one()
        .file(
            "dbt_project.yml",
            "name: shop\nprofile: shop\nmodle-paths: [models]\nmodels:\n  shop:\n    +materialised: table\n",
        )
        .file(
            "models/m.yml",
            "models:\n  - name: a\n    desciption: x\n    columns:\n      - name: id\n        data_test: [unique]\n\
             sources:\n  - name: lake\n    tables:\n      - name: t\n        external:\n          locaton: x\n",
        );
    insta::assert_snapshot!(project.says(2, &["parse"]));
}

#[test]
fn a_value_of_the_wrong_kind() {
    let project = one().file("dbt_project.yml", "name: shop\nprofile: shop\nmodel-paths: {models: true}\nvars: 3\n");
    insta::assert_snapshot!(project.says(2, &["parse"]));
}

#[test]
fn a_profile_that_is_nowhere() {
    let project = one().file("dbt_project.yml", "name: shop\nprofile: shpo\n");
    insta::assert_snapshot!(project.says(2, &["parse"]));
}

#[test]
fn a_target_that_the_profile_does_not_have() {
    insta::assert_snapshot!(one().says(2, &["parse", "--target", "prd"]));
}

#[test]
fn an_environment_variable_that_is_not_set() {
    let project = one();
    project.edit("profiles.yml", "warehouse: warehouse", "warehouse: \"{{ env_var('SHOP_WAREHOUSE') }}\"");
    insta::assert_snapshot!(project.says(2, &["parse"]));
    let output = project.finish(project.command(&["build"]).env("SHOP_WAREHOUSE", "elsewhere"));
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    assert!(project.path("elsewhere/main").is_dir());
}

#[test]
fn a_var_that_is_not_set() {
    let project = Project::models(&[("a", "select\n    {{ var('start') }} as x")]);
    project.ok(&["parse"]);
    insta::assert_snapshot!(project.says(2, &["show", "--select", "a"]));
    project.exits(2, &["build"]).says(&["error[C1008]", "nothing was run"]);
    project.ok(&["build", "--vars", "{start: 3}"]);
    assert_eq!(project.rows_with("select x from {{ ref('a') }}", &["--vars", "start: 3"])[0]["x"], 3);
}

#[test]
fn a_file_that_is_no_text() {
    let project = one().file("models/b.sql", b"select '\xff'");
    insta::assert_snapshot!(project.says(2, &["parse"]));
}

#[test]
fn arguments_that_cannot_be() {
    let project = one();
    insta::assert_snapshot!("vars_that_are_no_mapping", project.says(2, &["parse", "--vars", "[1"]));
    insta::assert_snapshot!("no_threads", project.says(2, &["build", "--threads", "0"]));
    insta::assert_snapshot!("nothing_to_show", project.says(2, &["show"]));
    insta::assert_snapshot!("an_unknown_option", project.says(2, &["build", "--selct", "a"]));
    insta::assert_snapshot!("an_unknown_verb", project.says(2, &["biuld"]));
    insta::assert_snapshot!("an_unknown_code", project.says(2, &["explain", "C2099"]));
}

#[test]
fn a_key_that_is_there_twice() {
    let project = one().file("models/m.yml", "models:\n  - name: a\n    description: x\n    description: y\n");
    insta::assert_snapshot!(project.says(0, &["parse"]));
}

#[test]
fn a_folder_of_settings_that_matches_nothing() {
    let project = one();
    let settings = "name: shop\nprofile: shop\nmodels:\n  shop:\n    stagin:\n      +materialized: table\n";
    project.write("dbt_project.yml", settings);
    insta::assert_snapshot!(project.says(0, &["parse"]));
}

#[test]
fn a_selection_that_matches_nothing() {
    insta::assert_snapshot!(one().says(0, &["ls", "--select", "b"]));
}

#[test]
fn every_mistake_is_reported_at_once() {
    let project = one()
        .file("models/b.sql", "select * from {{ ref('none') }}")
        .file("models/c.sql", "select {{ 1 +")
        .file("models/m.yml", "models:\n  - name: [\n");
    let said = project.says(2, &["parse"]);
    for code in ["C1002", "C2001", "C3001", "the project has 3 errors"] {
        assert!(said.contains(code), "no {code} in:\n{said}");
    }
}

#[test]
fn secrets_are_never_printed() {
    let project = one();
    let bi = "bi: {type: mysql, host: 127.0.0.1, port: 1, user: u, password: \"{{ env_var('SHOP_PASSWORD') }}\", \
              database: d, connect_timeout: 1}";
    project.edit("profiles.yml", "bi: {type: sqlite, path: bi.db}", bi);
    project.write("models/a.sql", "{{ config(publish='bi') }} select 1 as id");
    for verb in ["debug", "build"] {
        let output =
            project.finish(project.command(&[verb]).env("SHOP_PASSWORD", "s3cr3t-w0rd").env("C360_LOG", "debug"));
        assert_eq!(output.code, Some(1), "{}", output.stderr);
        assert!(output.stderr.contains("C6002"), "{}", output.stderr);
        assert!(!output.all().contains("s3cr3t-w0rd"), "{}", output.all());
    }
    for artifact in ["manifest.json", "run_results.json"] {
        assert!(!project.read(&format!("target/{artifact}")).contains("s3cr3t-w0rd"), "{artifact}");
    }
}
