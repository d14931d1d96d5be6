//! Which nodes an expression takes, as `ls` lists them.

use crate::harness::Project;

/// ```text
/// seed raw -> stg_a -> int_a -> mart_x (tests: unique on int_a, not_null on mart_x)
///             stg_b -------/ \-> mart_y
/// ```
fn shop() -> Project {
    Project::models(&[
        ("staging/stg_a", "{{ config(tags=['nightly', 'core']) }} select * from {{ ref('raw') }}"),
        ("staging/stg_b", "{{ config(tags='nightly') }} select 2 as id"),
        ("int_a", "select * from {{ ref('stg_a') }} union all select * from {{ ref('stg_b') }}"),
        ("mart/mart_x", "{{ config(tags=['core']) }} select * from {{ ref('int_a') }}"),
        ("mart/mart_y", "select * from {{ ref('int_a') }}"),
    ])
    .file("seeds/raw.csv", "id\n1\n")
    .file(
        "models/m.yml",
        "models:\n  - name: int_a\n    columns: [{name: id, data_tests: [unique]}]\n  - name: mart_x\n    \
         columns: [{name: id, data_tests: [not_null]}]\n",
    )
}

fn ls(project: &Project, args: &[&str]) -> String {
    let output = project.ok(&[&["ls", "--output", "name"], args].concat());
    output.stdout.lines().collect::<Vec<_>>().join(" ")
}

#[test]
fn expressions_take_what_they_say() {
    let project = shop();
    let models = ["--resource-type", "model", "seed"];
    for (select, expected) in [
        ("stg_a", "stg_a"),
        ("mart", "mart_x mart_y"),
        ("shop.mart", "mart_x mart_y"),
        ("shop.mart.mart_x", "mart_x"),
        ("mart.*", "mart_x mart_y"),
        ("mart_?", "mart_x mart_y"),
        ("+mart", "int_a mart_x mart_y raw stg_a stg_b"),
        ("mart+", "mart_x mart_y"),
        ("staging+", "int_a mart_x mart_y stg_a stg_b"),
        ("stg_b+", "int_a mart_x mart_y stg_b"),
        ("stg_b+1", "int_a stg_b"),
        ("1+mart_x", "int_a mart_x"),
        ("2+mart_x", "int_a mart_x stg_a stg_b"),
        ("1+int_a+1", "int_a mart_x mart_y stg_a stg_b"),
        ("@stg_b", "int_a mart_x mart_y raw stg_a stg_b"),
        ("path:models/staging", "stg_a stg_b"),
        ("path:models/mart/mart_x.sql", "mart_x"),
        ("models/mart", "mart_x mart_y"),
        ("tag:nightly", "stg_a stg_b"),
        ("tag:core", "mart_x stg_a"),
        ("tag:nightly,tag:core", "stg_a"),
        ("tag:nightly,stg_b+", "stg_b"),
        ("stg_a mart_y", "mart_y stg_a"),
        ("+tag:core,staging", "stg_a stg_b"),
        ("resource_type:seed", "raw"),
        ("config.materialized:view", "int_a mart_x mart_y stg_a stg_b"),
        ("file:mart_y.sql", "mart_y"),
        ("*", "int_a mart_x mart_y raw stg_a stg_b"),
        ("nothing", ""),
    ] {
        assert_eq!(ls(&project, &[&["--select", select], &models[..]].concat()), expected, "{select}");
    }
}

#[test]
fn words_options_and_repeats_are_a_union() {
    let project = shop();
    let expected = "mart_y stg_a";
    for args in
        [&["--select", "stg_a", "mart_y"][..], &["-s", "stg_a", "--select", "mart_y"], &["--models", "stg_a mart_y"]]
    {
        assert_eq!(ls(&project, args), expected, "{args:?}");
    }
}

#[test]
fn exclusions_are_taken_away() {
    let project = shop();
    let models = ["--resource-type", "model"];
    for (args, expected) in [
        (&["--exclude", "mart"][..], "int_a stg_a stg_b"),
        (&["--select", "staging+", "--exclude", "stg_a", "mart_x"], "int_a mart_y stg_b"),
        (&["--select", "staging+", "--exclude", "tag:core,mart"], "int_a mart_y stg_a stg_b"),
        (&["--exclude", "+mart_x"], "mart_y"),
    ] {
        assert_eq!(ls(&project, &[args, &models[..]].concat()), expected, "{args:?}");
    }
}

#[test]
fn tests_follow_the_nodes_that_they_test() {
    let project = shop();
    assert_eq!(ls(&project, &["--select", "int_a"]), "int_a unique_int_a_id");
    assert_eq!(ls(&project, &["--select", "int_a", "--indirect-selection", "empty"]), "int_a");
    assert_eq!(ls(&project, &["--select", "int_a", "--exclude", "unique_int_a_id"]), "int_a");
    assert_eq!(ls(&project, &["--select", "test_name:not_null"]), "not_null_mart_x_id");
    assert_eq!(ls(&project, &["--select", "mart_x", "--exclude-resource-type", "test"]), "mart_x");
}

#[test]
fn what_ls_prints_pastes_back() {
    let project = Project::customer360();
    let output = project.ok(&["ls"]);
    let all: Vec<&str> = output.stdout.lines().collect();
    assert!(all.len() > 100, "{}", output.stdout);
    // Each line alone takes itself; a run for each of them would take long, so a few of each kind.
    let mut kinds = std::collections::BTreeMap::<String, Vec<&str>>::new();
    for line in &all {
        let depth = line.split(':').next().unwrap_or_default().len().min(7);
        let kind = format!("{} {} {depth}", line.contains(':'), line.matches('.').count());
        kinds.entry(kind).or_default().push(line);
    }
    for line in kinds.values().flat_map(|lines| lines.iter().take(2)) {
        let again = project.ok(&["ls", "--select", line, "--indirect-selection", "empty"]);
        assert_eq!(again.stdout.lines().collect::<Vec<_>>(), [*line]);
    }
    let again = project.ok(&[&["ls", "--select"], &all[..]].concat());
    assert_eq!(again.stdout, output.stdout, "all lines at once");
}

#[test]
fn ls_prints_paths_and_json() {
    let project = shop();
    let paths = project.ok(&["ls", "--select", "mart", "--output", "path", "--resource-type", "model"]);
    assert_eq!(paths.stdout, "models/mart/mart_x.sql\nmodels/mart/mart_y.sql\n");
    let args = ["ls", "--select", "stg_a", "--output", "json", "--output-keys", "name", "tags", "config.materialized"];
    let line: serde_json::Value = serde_json::from_str(&project.ok(&args).stdout).expect("JSON");
    assert_eq!(line, serde_json::json!({"name": "stg_a", "tags": ["nightly", "core"], "config.materialized": "view"}));
}

#[test]
fn selectors_of_the_file_of_selectors() {
    let project = shop().file(
        "selectors.yml",
        "selectors:\n  - name: nightly\n    definition:\n      union:\n        - 'tag:nightly'\n        - intersection:\n            \
         - method: path\n              value: models/mart\n            - 'tag:core'\n        - exclude: [stg_b]\n",
    );
    assert_eq!(ls(&project, &["--selector", "nightly", "--resource-type", "model"]), "mart_x stg_a");
    project.exits(2, &["ls", "--selector", "nigthly"]).says(&["nigthly", "nightly"]);
}

#[test]
fn selectors_are_templates_and_all_of_them_are_checked() {
    let project = shop().file(
        "selectors.yml",
        "selectors:\n  - name: mine\n    definition: {method: tag, value: \"{{ var('which', 'core') }}\"}\n",
    );
    let only = ["--selector", "mine", "--resource-type", "model"];
    assert_eq!(ls(&project, &only), "mart_x stg_a");
    assert_eq!(ls(&project, &[&only[..], &["--vars", "which: nightly"]].concat()), "stg_a stg_b");
    project.edit("selectors.yml", "method: tag", "method: tga");
    project.exits(2, &["parse"]).says(&["tga", "selectors.yml"]);
}

#[test]
fn ls_leaves_out_what_has_to_be_asked_for() {
    let project = shop().file("analyses/why.sql", "select * from {{ ref('mart_x') }}").file(
        "models/u.yml",
        "unit_tests:\n  - {name: adds, model: mart_y, given: [], expect: {rows: []}}\n\
         exposures:\n  - {name: board, type: dashboard, owner: {name: a}, depends_on: [\"ref('mart_x')\"]}\n",
    );
    assert_eq!(ls(&project, &["--select", "mart_x+"]), "board mart_x not_null_mart_x_id");
    assert_eq!(ls(&project, &["--select", "why"]), "");
    assert_eq!(ls(&project, &["--resource-types", "analysis"]), "why");
    assert_eq!(ls(&project, &["--select", "mart_x+", "--resource-type", "all"]), "board mart_x not_null_mart_x_id why");
    assert_eq!(
        ls(&project, &["--select", "mart_x+", "--resource-type", "default", "--exclude-resource-type", "test"]),
        "board mart_x"
    );
    assert_eq!(ls(&project, &["--models", "mart_x+"]), "mart_x", "of --models, ls takes models alone");
    assert_eq!(ls(&project, &["--resource-type", "metric"]), "", "there are no nodes of this type");
    project.exits(2, &["ls", "--models", "mart_x", "--select", "mart_y"]).says(&["--models"]);
    let output = project.ok(&["ls", "--select", "unit_test:adds"]);
    assert_eq!(output.stdout, "unit_test:shop.adds\n");
}

#[test]
fn empty_files_are_listed_and_not_built() {
    let project = Project::models(&[("a", "select 1 as id"), ("later", " \n")]).file(
        "models/e.yml",
        "exposures:\n  - {name: board, type: dashboard, owner: {name: a}, depends_on: [\"ref('a')\"]}\n",
    );
    assert_eq!(ls(&project, &[]), "a board later");
    let named = |verb: &str| {
        let all: Vec<String> =
            project.statuses(0, &[verb]).into_iter().map(|(name, status)| format!("{name} {status}")).collect();
        all.join(", ")
    };
    assert_eq!(named("run"), "a success");
    assert_eq!(named("build"), "a success, board no-op");
    project.write("models/a.sql", "select 1 / 'x' as");
    let statuses = project.statuses(1, &["build", "--no-check"]);
    assert!(statuses.iter().any(|(name, status)| name == "board" && status == "skipped"), "{statuses:?}");
}

#[test]
fn each_verb_runs_its_kinds_of_nodes() {
    let project = shop();
    let ran = |verb: &str| {
        let names: Vec<String> = project.statuses(0, &[verb]).into_iter().map(|(name, _)| name).collect();
        names.join(" ")
    };
    assert_eq!(ran("seed"), "raw");
    assert_eq!(ran("run"), "int_a mart_x mart_y stg_a stg_b");
    assert_eq!(ran("test"), "not_null_mart_x_id unique_int_a_id");
    assert_eq!(ran("build"), "int_a mart_x mart_y not_null_mart_x_id raw stg_a stg_b unique_int_a_id");
}
