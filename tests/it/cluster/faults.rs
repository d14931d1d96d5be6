//! What is killed, missing or full while a build runs, and what then is true.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use serde_json::Value as Json;

use super::Cluster;
use super::servers::PATIENCE;
use crate::harness::{Output, Project, text};

/// Far less than the minutes that a lost server takes by Ballista's own settings.
const SOON: Duration = Duration::from_secs(30);

fn small() -> Project {
    Project::models(&[("a", "{{ config(materialized='table') }} select value as v from generate_series(1, 10)")])
}

/// A table over many files, slow enough to be interrupted: every row is hashed over and over.
fn slow() -> Project {
    let hashed = (0..12).fold("cast(id as varchar)".to_string(), |inner, _| format!("encode(sha512({inner}), 'hex')"));
    let mut project = Project::new()
        .file("models/_sources.yml", "sources:\n  - name: lake\n    tables:\n      - {name: n, external: {location: 'lake/*.csv'}}\n")
        .file(
            "models/a.sql",
            format!(
                "{{{{ config(materialized='table') }}}} select id % 1000 as k, count(distinct {hashed}) as n, {{{{ var('round') }}}} as r \
                 from {{{{ source('lake', 'n') }}}} group by 1"
            ),
        )
        .file(
            "models/b.sql",
            "{{ config(materialized='table') }} select count(*) as groups, sum(n) as n, min(r) as r from {{ ref('a') }}",
        );
    for file in 0..16 {
        let rows: String = (0..ROWS / 16).map(|row| format!("{}\n", file * ROWS / 16 + row)).collect();
        project = project.file(&format!("lake/{file}.csv"), format!("id\n{rows}"));
    }
    project
}

const ROWS: usize = 48_000;

fn round(round: u32) -> [String; 2] {
    ["--vars".to_string(), format!("{{round: {round}}}")]
}

fn build(project: &Project, at: u32) -> Output {
    let [flag, vars] = round(at);
    project.run(&["build", &flag, &vars])
}

/// A build in the background, after node `a` was started and the cluster has work of it.
fn started(project: &Project, at: u32, cluster: &mut Cluster) -> Child {
    let [flag, vars] = round(at);
    let jobs = cluster.jobs();
    let child = project.start(&["build", &flag, &vars]);
    cluster.wait_until("a query is on the cluster", |cluster| cluster.jobs() > jobs);
    child
}

/// Events of a build until its end, and its exit code.
fn finish(mut child: Child) -> (Option<i32>, Vec<Json>) {
    let stderr = child.stderr.take().expect("a pipe");
    let parse = |line: std::io::Result<String>| serde_json::from_str(&line.expect("a line")).expect("JSON");
    let events = BufReader::new(stderr).lines().map(parse).collect();
    (child.wait().expect("an end").code(), events)
}

fn whole(project: &Project, at: u32) {
    let [flag, vars] = round(at);
    let rows = project.rows_with("select groups, n, r from {{ ref('b') }}", &[&flag, &vars]);
    assert_eq!(rows, [serde_json::json!({"groups": 1000, "n": ROWS, "r": at})]);
}

/// The project again, read without the cluster.
fn locally(project: &Project) {
    let profile = project.read("profiles.yml");
    let lines: Vec<&str> = profile.lines().filter(|line| !line.contains("cluster:")).collect();
    project.write("profiles.yml", lines.join("\n") + "\n");
}

#[test]
fn without_a_scheduler_a_build_says_so_in_seconds() {
    let cluster = Cluster::nothing();
    let project = small().on_cluster(&cluster.url());
    let start = Instant::now();
    let output = project.exits(1, &["build"]);
    assert!(start.elapsed() < SOON, "{:?}", start.elapsed());
    let address = cluster.url().replace("df://", "");
    output.says(&["error[C5030]", &address, "c360 cluster scheduler"]);
    assert_eq!(project.versions("main/a"), 0);
    // A verb that needs no rows needs no cluster.
    project.ok(&["parse"]);
    project.ok(&["ls"]);
}

#[test]
fn something_else_on_the_port_is_no_scheduler() {
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let project = small();
    project.edit("profiles.yml", "      threads:", &format!("      cluster: df://127.0.0.1:{port}\n      threads:"));
    let start = Instant::now();
    project.exits(1, &["build"]).says(&["error[C5030]", &port.to_string()]);
    assert!(start.elapsed() < SOON, "{:?}", start.elapsed());
}

#[test]
fn an_address_that_is_none_is_a_mistake_of_the_profile() {
    let project = small();
    project.edit("profiles.yml", "      threads:", "      cluster: scheduler without a port\n      threads:");
    project.exits(2, &["build"]).says(&["error[C1004]", "profiles.yml", "df://host:50050"]);
}

#[test]
fn without_executors_a_build_says_so_in_seconds() {
    let mut cluster = Cluster::scheduler_alone();
    let project = small().on_cluster(&cluster.url());
    let start = Instant::now();
    project.exits(1, &["build"]).says(&["error[C5031]", "c360 cluster executor"]);
    assert!(start.elapsed() < SOON, "{:?}", start.elapsed());
    assert_eq!(project.versions("main/a"), 0);
    cluster.add_executor();
    cluster.wait_for_executors(1);
    project.ok(&["build"]);
    assert_eq!(project.table("select count(*) as n from {{ ref('a') }}"), ["10"]);
}

#[test]
fn a_killed_executor_does_not_stop_a_build() {
    let mut cluster = Cluster::start();
    let project = slow().on_cluster(&cluster.url());
    let child = started(&project, 1, &mut cluster);
    cluster.kill_executor(0);
    let (code, events) = finish(child);
    assert_eq!(code, Some(0), "{events:?}\n{}", cluster.logs());
    locally(&project);
    whole(&project, 1);
}

#[test]
fn an_executor_that_stands_still_does_not_stop_a_build() {
    let mut cluster = Cluster::start();
    let project = slow().on_cluster(&cluster.url());
    let child = started(&project, 1, &mut cluster);
    cluster.freeze_executor(0);
    let (code, events) = finish(child);
    assert_eq!(code, Some(0), "{events:?}\n{}", cluster.logs());
    locally(&project);
    whole(&project, 1);
}

#[test]
fn a_scheduler_that_stands_still_is_one_that_is_away() {
    let mut cluster = Cluster::start();
    let project = slow().on_cluster(&cluster.url());
    let child = started(&project, 1, &mut cluster);
    cluster.freeze_scheduler();
    let (code, events) = finish(child);
    assert_eq!(code, Some(1), "{events:?}");
    let messages = events.iter().map(Json::to_string).collect::<String>();
    assert!(messages.contains("C5030"), "{messages}");
    assert_eq!(project.versions("main/a"), 0);
}

#[test]
fn an_executor_that_is_asked_to_stop_does_not_stop_a_build() {
    let mut cluster = Cluster::start();
    let project = slow().on_cluster(&cluster.url());
    let child = started(&project, 1, &mut cluster);
    assert_eq!(cluster.stop_executor(1), Some(0), "{}", cluster.logs());
    let (code, events) = finish(child);
    assert_eq!(code, Some(0), "{events:?}\n{}", cluster.logs());
    whole(&project, 1);
}

#[test]
fn when_all_executors_die_the_build_fails_and_a_later_one_is_fine() {
    let mut cluster = Cluster::start();
    let project = slow().on_cluster(&cluster.url());
    assert_eq!(build(&project, 1).code, Some(0), "{}", cluster.logs());
    let before = (project.versions("main/a"), project.versions("main/b"));
    let child = started(&project, 2, &mut cluster);
    cluster.kill_executor(0);
    cluster.kill_executor(1);
    let start = Instant::now();
    let (code, events) = finish(child);
    assert_eq!(code, Some(1), "{events:?}\n{}", cluster.logs());
    assert!(start.elapsed() < PATIENCE, "{:?}", start.elapsed());
    let messages = events.iter().map(Json::to_string).collect::<String>();
    assert!(messages.contains("C5031"), "{messages}");
    assert_eq!((project.versions("main/a"), project.versions("main/b")), before);
    cluster.add_executor();
    cluster.wait_for_executors(1);
    whole(&project, 1);
    assert_eq!(build(&project, 3).code, Some(0), "{}", cluster.logs());
    whole(&project, 3);
}

#[test]
fn a_scheduler_that_dies_leaves_the_tables_and_comes_back() {
    let mut cluster = Cluster::start();
    let project = slow().on_cluster(&cluster.url());
    assert_eq!(build(&project, 1).code, Some(0), "{}", cluster.logs());
    let before = (project.versions("main/a"), project.versions("main/b"));
    let child = started(&project, 2, &mut cluster);
    cluster.kill_scheduler();
    let start = Instant::now();
    let (code, events) = finish(child);
    assert_eq!(code, Some(1), "{events:?}\n{}", cluster.logs());
    assert!(start.elapsed() < SOON, "{:?}", start.elapsed());
    let messages = events.iter().map(Json::to_string).collect::<String>();
    assert!(messages.contains("C5030"), "{messages}");
    assert_eq!((project.versions("main/a"), project.versions("main/b")), before);
    cluster.start_scheduler();
    cluster.add_executor();
    cluster.wait_until("an executor is there", |cluster| cluster.ready().is_some_and(|count| count > 0));
    assert_eq!(build(&project, 3).code, Some(0), "{}", cluster.logs());
    locally(&project);
    whole(&project, 3);
}

#[test]
fn an_interrupt_cancels_the_job() {
    let mut cluster = Cluster::start();
    let project = slow().on_cluster(&cluster.url());
    assert_eq!(build(&project, 1).code, Some(0), "{}", cluster.logs());
    let before = project.versions("main/a");
    let mut child = started(&project, 2, &mut cluster);
    let interrupt = |child: &Child| {
        let done = Command::new("kill").args(["-INT", &child.id().to_string()]).status().expect("kill runs");
        assert!(done.success());
    };
    // The first drains, the second stops what runs.
    interrupt(&child);
    let stderr = child.stderr.take().expect("a pipe");
    let mut events = Vec::new();
    for line in BufReader::new(stderr).lines().map_while(Result::ok) {
        if line.contains("\"interrupted\"") {
            interrupt(&child);
        }
        events.push(line);
    }
    assert_eq!(child.wait().expect("an end").code(), Some(130), "{events:?}");
    cluster.wait_until("the scheduler cancelled the job", |cluster| cluster.logs().contains("Job cancelled"));
    assert_eq!(project.versions("main/a"), before);
    // What it held is free again.
    assert_eq!(build(&project, 3).code, Some(0), "{}", cluster.logs());
    whole(&project, 3);
}

#[test]
fn servers_stop_when_they_are_asked_to() {
    let mut cluster = Cluster::start();
    // Who has run something has come far enough to listen to signals.
    super::formats::orders("bad_records: drop").on_cluster(&cluster.url()).ok(&["build"]);
    assert_eq!(cluster.stop_executor(0), Some(0), "{}", cluster.logs());
    cluster.wait_for_executors(1);
    assert_eq!(cluster.stop_executor(1), Some(0), "{}", cluster.logs());
    assert_eq!(cluster.stop_scheduler(), Some(0), "{}", cluster.logs());
    assert_eq!(cluster.ready(), None);
}

#[test]
fn a_warehouse_that_cannot_be_written_is_a_clear_error() {
    let cluster = Cluster::start();
    let project = small().on_cluster(&cluster.url());
    project.write("warehouse/main", "a file where a folder has to be");
    let output = project.exits(1, &["build"]);
    output.says(&["error[C500", "main"]);
    assert!(!output.stderr.contains("DataFusionError"), "{}", output.stderr);
}

#[test]
fn the_events_of_a_killed_executor_name_no_internals() {
    let mut cluster = Cluster::scheduler_alone();
    cluster.add_executor();
    cluster.wait_for_executors(1);
    let project = slow().on_cluster(&cluster.url());
    let child = started(&project, 1, &mut cluster);
    cluster.kill_executor(0);
    let (code, events) = finish(child);
    assert_eq!(code, Some(1), "{events:?}");
    let failed: Vec<&Json> =
        events.iter().filter(|event| event["event"] == "unit_finished" && event["status"] == "error").collect();
    assert_eq!(failed.len(), 1, "{events:?}");
    let message = text(failed[0]);
    for noise in ["DataFusionError", "Status {", "TonicError"] {
        assert!(!message.contains(noise), "{noise}: {message}");
    }
}
