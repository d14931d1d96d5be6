//! `deps`: packages from folders, repositories, archives and a hub; the lock file; what happens without them.

use std::process::Command;

use serde_json::json;

use crate::harness::Project;

const PACKAGE: &str = "name: pk\nversion: '1.0'\n";
const MACRO: &str = "{% macro two() %}2{% endmacro %}";
const MODEL: &str = "select {{ pk.two() }} as n";

fn package(project: Project, folder: &str) -> Project {
    project
        .file(&format!("{folder}/dbt_project.yml"), PACKAGE)
        .file(&format!("{folder}/macros/two.sql"), MACRO)
        .file(&format!("{folder}/models/pa.sql"), "select 1 as one")
}

/// A project with a model that calls a macro of the package `pk`.
fn project(packages: &str) -> Project {
    Project::models(&[("m", MODEL)]).file("packages.yml", packages)
}

fn git(project: &Project, folder: &str, arguments: &[&str]) -> String {
    let output = Command::new("git")
        .args(["-c", "user.name=c360", "-c", "user.email=c360@example.com", "-c", "init.defaultBranch=main"])
        .args(arguments)
        .current_dir(project.path(folder))
        .output()
        .expect("git runs");
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim().to_string()
}

#[test]
fn without_deps_a_build_says_what_to_do() {
    let project = package(project("packages:\n  - local: pk\n"), "pk");
    let output = project.run(&["build"]);
    assert_eq!(output.code, Some(2), "{}", output.stderr);
    assert!(output.stderr.contains("C1013") && output.stderr.contains("c360 deps"), "{}", output.stderr);
}

#[test]
fn a_local_package_is_linked_and_its_nested_package_comes_along() {
    let project = package(project("packages:\n  - local: pk\n"), "pk")
        .file("pk/packages.yml", "packages:\n  - local: ../inner\n")
        .file("inner/dbt_project.yml", "name: inner\nversion: '1.0'\n")
        .file("inner/models/deep.sql", "select 3 as three");
    project.ok(&["deps"]);
    project.ok(&["build"]);
    assert_eq!(project.rows("select n from main.m"), [json!({ "n": 2 })]);
    assert_eq!(project.rows("select three from main.deep"), [json!({ "three": 3 })]);
    // It is the folder itself: a change counts at once.
    project.write("pk/macros/two.sql", "{% macro two() %}4{% endmacro %}");
    project.ok(&["build", "--select", "m"]);
    assert_eq!(project.rows("select n from main.m"), [json!({ "n": 4 })]);
}

#[test]
fn a_repository_is_pinned_to_its_commit_until_upgraded() {
    let project = package(project("packages:\n  - git: repository\n    revision: main\n"), "repository");
    git(&project, "repository", &["init", "--quiet"]);
    git(&project, "repository", &["add", "."]);
    git(&project, "repository", &["commit", "--quiet", "-m", "one"]);
    let first = git(&project, "repository", &["rev-parse", "HEAD"]);
    let url = format!("file://{}", project.path("repository").display());
    project.edit("packages.yml", "git: repository", &format!("git: {url}"));
    project.ok(&["deps"]);
    assert!(project.read("package-lock.yml").contains(&first));
    project.ok(&["build"]);

    project.write("repository/macros/two.sql", "{% macro two() %}5{% endmacro %}");
    git(&project, "repository", &["commit", "--quiet", "-a", "-m", "two"]);
    std::fs::remove_dir_all(project.path("dbt_packages")).expect("removed");
    project.ok(&["deps"]);
    project.ok(&["build", "--select", "m"]);
    assert_eq!(project.rows("select n from main.m"), [json!({ "n": 2 })], "the lock file's commit");

    // What is in its place is not fetched again, so the repository may be away.
    std::fs::rename(project.path("repository"), project.path("away")).expect("renamed");
    project.ok(&["deps"]);
    std::fs::rename(project.path("away"), project.path("repository")).expect("renamed");

    project.ok(&["deps", "--upgrade"]);
    project.ok(&["build", "--select", "m"]);
    assert_eq!(project.rows("select n from main.m"), [json!({ "n": 5 })], "the newest commit");
}

#[test]
fn an_archive_is_checked_against_the_lock_file() {
    let project = package(project("packages:\n  - tarball: pk.tar.gz\n    name: pk\n"), "work/pk-1.0");
    let pack = || {
        let done =
            Command::new("tar").args(["-czf", "../pk.tar.gz", "pk-1.0"]).current_dir(project.path("work")).status();
        assert!(done.expect("tar runs").success());
    };
    pack();
    project.ok(&["deps"]);
    project.ok(&["build"]);
    assert_eq!(project.rows("select n from main.m"), [json!({ "n": 2 })]);

    project.write("work/pk-1.0/macros/two.sql", "{% macro two() %}6{% endmacro %}");
    pack();
    std::fs::remove_dir_all(project.path("dbt_packages")).expect("removed");
    let output = project.run(&["deps"]);
    assert_eq!(output.code, Some(1), "{}", output.stderr);
    assert!(output.stderr.contains("C1017") && output.stderr.contains("--upgrade"), "{}", output.stderr);
    assert!(!project.path("dbt_packages/pk").exists());
}

#[test]
fn packages_that_contradict_each_other_are_told() {
    let two = package(package(project("packages:\n  - local: a\n  - local: b\n"), "a"), "b");
    let output = two.run(&["deps"]);
    assert_eq!(output.code, Some(2), "{}", output.stderr);
    assert!(output.stderr.contains("two packages are called `pk`"), "{}", output.stderr);

    let missing = project("packages:\n  - local: nowhere\n").run(&["deps"]);
    assert_eq!(missing.code, Some(1), "{}", missing.stderr);
    assert!(missing.stderr.contains("C1016") && missing.stderr.contains("packages.yml:2"), "{}", missing.stderr);
}

#[test]
fn a_secret_of_a_url_is_printed_nowhere() {
    let project = project(
        "packages:\n  - git: \"file:///nowhere/{{ env_var('DBT_ENV_SECRET_TOKEN') }}/a.git\"\n    revision: v1\n",
    );
    let output = project.command(&["deps"]).env("DBT_ENV_SECRET_TOKEN", "hunter2").output().expect("it runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("C1016") && !said.contains("hunter2"), "{said}");
}

/// Answers GET requests by path until the test ends.
fn serve(files: Vec<(String, Vec<u8>)>) -> String {
    use std::io::{BufRead, BufReader, Write};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = format!("http://{}", listener.local_addr().expect("an address"));
    let base = address.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let mut lines = BufReader::new(stream.try_clone().expect("a stream")).lines();
            let Some(Ok(request)) = lines.next() else { continue };
            while lines.next().is_some_and(|line| line.is_ok_and(|line| !line.is_empty())) {}
            let path = request.split(' ').nth(1).unwrap_or_default().to_string();
            let found = files.iter().find(|(name, _)| *name == path);
            let body = found.map(|(_, body)| {
                String::from_utf8(body.clone()).map_or(body.clone(), |text| text.replace("HUB", &base).into_bytes())
            });
            let status = if body.is_some() { "200 OK" } else { "404 Not Found" };
            let body = body.unwrap_or_default();
            let head = format!(
                "HTTP/1.1 {status}\r\nContent-Length: {}\r\nLast-Modified: Thu, 01 Jan 2026 00:00:00 GMT\r\nConnection: close\r\n\r\n",
                body.len()
            );
            let _ = stream.write_all(head.as_bytes());
            if request.starts_with("GET") {
                let _ = stream.write_all(&body);
            }
        }
    });
    address
}

#[test]
fn the_hub_gives_the_newest_version_that_everybody_wants() {
    let project =
        package(project("packages:\n  - package: shop/pk\n    version: ['>=1.0.0', '<2.0.0']\n"), "work/pk-1.1");
    let archive = |name: &str| {
        let done = Command::new("tar").args(["-czf", name, "pk-1.1"]).current_dir(project.path("work")).status();
        assert!(done.expect("tar runs").success());
        std::fs::read(project.path("work").join(name)).expect("an archive")
    };
    let right = archive("right.tar.gz");
    project.write("work/pk-1.1/macros/two.sql", "{% macro two() %}9{% endmacro %}");
    let wrong = archive("wrong.tar.gz");
    let release = |name: &str| json!({ "downloads": { "tarball": format!("HUB/{name}") } });
    let versions = json!({ "versions": {
        "0.9.0": release("wrong.tar.gz"), "1.2.0": release("wrong.tar.gz"), "1.10.0": release("right.tar.gz"),
        "2.0.0": release("wrong.tar.gz"), "1.11.0-rc1": release("wrong.tar.gz"),
    } });
    let hub = serve(vec![
        ("/api/v1/shop/pk.json".into(), versions.to_string().into_bytes()),
        ("/right.tar.gz".into(), right),
        ("/wrong.tar.gz".into(), wrong),
    ]);
    let output = project.finish(project.command(&["deps"]).env("DBT_PACKAGE_HUB_URL", &hub));
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    assert!(project.read("package-lock.yml").contains("version: 1.10.0"));
    project.ok(&["build"]);
    assert_eq!(project.rows("select n from main.m"), [json!({ "n": 2 })]);

    project.edit("packages.yml", "'>=1.0.0'", "'>=1.20.0'");
    let output = project.finish(project.command(&["deps"]).env("DBT_PACKAGE_HUB_URL", &hub));
    assert_eq!(output.code, Some(2), "{}", output.stderr);
    output.says(&["C1015", "the newest is 2.0.0"]);
    project.ok(&["build"]);
}

/// A package with macros as the widely used ones have them.
fn with_tools() -> Project {
    let tools = "{% macro hello(name) %}{{ print('hello ' ~ name) }}{% endmacro %}
        {% macro is_relation(x) %}{{ return(x is mapping and x.get('metadata', {}).get('type', '').endswith('Relation')) }}{% endmacro %}
        {% macro pick(relation) %}
            {%- if not tools.is_relation(relation) %}{{ exceptions.raise_compiler_error('no relation: ' ~ relation) }}{% endif -%}
            {%- if not execute %}{{ return('*') }}{% endif -%}
            {{ return(adapter.get_columns_in_relation(relation) | map(attribute='name') | join(', ')) }}
        {% endmacro %}
        {% test in_range(model, column_name, bounds=[]) %}
        select * from {{ model }} where {{ column_name }} < {{ bounds[0] }} or {{ column_name }} > {{ bounds[1] }}
        {% endtest %}";
    Project::models(&[("a", "select 1 as id, 2 as n"), ("b", "select {{ tools.pick(ref('a')) }} from {{ ref('a') }}")])
        .file("packages.yml", "packages:\n  - local: tools\n")
        .file("tools/dbt_project.yml", "name: tools\nversion: '1.0'\n")
        .file("tools/macros/tools.sql", tools)
}

#[test]
fn relations_are_mappings_while_parsing_too() {
    let project = with_tools();
    project.ok(&["deps"]);
    project.ok(&["build"]);
    let shown = project.ok(&["show", "--select", "b", "--output", "csv", "--quiet"]).stdout;
    assert_eq!(shown, "id,n\n1,2\n");
}

#[test]
fn an_operation_may_be_a_macro_of_any_package() {
    let project = with_tools();
    project.ok(&["deps"]);
    let hello = |project: &Project| {
        project.ok(&["run-operation", "hello", "--args", "{name: you}", "--quiet"]).stdout.trim().to_string()
    };
    assert_eq!(hello(&project), "hello you");
    project.write("macros/own.sql", "{% macro hello(name) %}{{ print('own ' ~ name) }}{% endmacro %}");
    assert_eq!(hello(&project), "own you");
}

#[test]
fn templates_inside_of_a_tests_lists_are_rendered() {
    let properties = "models:\n  - name: a\n    columns:\n      - name: n\n        data_tests:\n          - tools.in_range: {bounds: ['{{ var(\"low\") }}', 5], config: {error_if: '>5'}}\n";
    let project = with_tools().file("models/a.yml", properties);
    project.ok(&["deps"]);
    project.ok(&["build", "--vars", "{low: 3}"]);
    let results = project.json("target/run_results.json");
    let test = results["results"]
        .as_array()
        .expect("results")
        .iter()
        .find(|result| result["unique_id"].as_str().is_some_and(|id| id.starts_with("test.")));
    let test = test.expect("a test");
    assert_eq!((test["status"].as_str(), test["failures"].as_i64()), (Some("warn"), Some(1)));
}
