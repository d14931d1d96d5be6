//! Modes append and upsert, the ledger, and publishes that have nothing to do: exactly once, whoever dies or comes at the
//! same time. SQLite always; MariaDB where `C360_TEST_MYSQL_URL` says that there is one.

use std::process::{Child, Stdio};

use serde_json::Value as Json;

use crate::harness::{Output, Project};
use crate::publish_mysql::Server;
use crate::publish_sqlite::{sqlite_rows, tables, write_sqlite};

/// A destination of the tests.
enum Bi {
    Sqlite,
    Mysql(Server),
}

impl Bi {
    /// SQLite, and a MySQL server if there is one.
    fn all(name: &str) -> Vec<Bi> {
        [Some(Bi::Sqlite), Server::new(name).map(Bi::Mysql)].into_iter().flatten().collect()
    }

    /// A project whose destination `bi` is this one.
    fn project(&self, models: &[(&str, &str)]) -> Project {
        let project = Project::models(models);
        if let Bi::Mysql(server) = self {
            let bi = format!("bi: {}", server.destination());
            project.edit("profiles.yml", "bi: {type: sqlite, path: bi.db}", &bi);
        }
        project
    }

    fn ask(&self, project: &Project, sql: &str) -> Vec<String> {
        match self {
            Bi::Sqlite => sqlite_rows(&project.path("bi.db"), sql),
            Bi::Mysql(server) => server.ask(sql),
        }
    }

    /// Names of all tables but the ledger.
    fn tables(&self, project: &Project) -> Vec<String> {
        match self {
            Bi::Sqlite => tables(&project.path("bi.db")),
            Bi::Mysql(server) => {
                let mut all = server.ask("show tables");
                all.retain(|name| name != "_c360_publish");
                all
            }
        }
    }

    fn rows(&self, project: &Project) -> Vec<String> {
        self.ask(project, "select id, name from mart order by id")
    }
}

/// An incremental model that adds the rows of each `round`.
fn growing(publish: &str) -> String {
    format!(
        "{{{{ config(materialized='incremental', publish={publish}) }}}}\n\
         select cast(value as bigint) as id, 'r{{{{ var(\"round\") }}}}' as name \
         from generate_series({{{{ var('round') }}}} * var_size, {{{{ var('round') }}}} * var_size + var_size - 1)"
    )
    .replace("var_size", "{{ var('size', 3) }}")
}

fn round(round: usize, size: usize) -> String {
    format!("{{round: {round}, size: {size}}}")
}

fn publish_of(project: &Project, model: &str) -> Json {
    let results = project.json("target/run_results.json");
    let model = format!("model.shop.{model}");
    let found = results["results"].as_array().expect("a list").iter().find(|one| one["unique_id"] == model.as_str());
    found.expect("a result")["adapter_response"]["publish"].clone()
}

#[test]
fn append_twice_sends_each_row_once() {
    for bi in Bi::all("append") {
        let project = bi.project(&[("mart", &growing("{'to': 'bi', 'key': 'id', 'mode': 'append'}"))]);
        project.ok(&["build", "--vars", &round(0, 3)]).says(&["PUB"]);
        project.ok(&["build", "--vars", &round(1, 3)]);
        assert_eq!(bi.rows(&project), ["0|r0", "1|r0", "2|r0", "3|r1", "4|r1", "5|r1"]);
        let publish = publish_of(&project, "mart");
        assert_eq!((&publish["status"], &publish["tables"][0]["sent"]), (&"success".into(), &3.into()), "{publish}");
        let ledger = "select warehouse_relation, warehouse_version, mode, table_rows, sent_rows from _c360_publish";
        assert_eq!(bi.ask(&project, ledger), ["main.mart|1|append|6|3"]);
        let run = project.json("target/run_results.json")["metadata"]["invocation_id"].clone();
        assert_eq!(bi.ask(&project, "select run_id from _c360_publish"), [run.as_str().expect("an id")]);
        assert_eq!(bi.tables(&project), ["mart"]);
    }
}

#[test]
fn a_version_that_is_there_is_told_and_not_sent() {
    let project = Project::models(&[("mart", "{{ config(materialized='table', publish='bi') }} select 1 as id")]);
    project.ok(&["build"]).says(&["Published   bi.mart"]);
    // Somebody has published a later version: the table stays as it is.
    write_sqlite(&project.path("bi.db"), "update _c360_publish set warehouse_version = 99");
    let output = project.ok(&["build"]);
    output.says(&["FRESH", "bi.mart", "a newer warehouse version, 99, is already there"]);
    assert!(!output.stderr.contains("Published"), "{}", output.stderr);
    let publish = publish_of(&project, "mart");
    assert_eq!(publish["status"], "no-op");
    assert_eq!(publish["tables"][0]["message"], "a newer warehouse version, 99, is already there");
    project.ok(&["build", "--full-refresh"]).says(&["Published   bi.mart"]);
}

#[test]
fn lists_of_destinations_do_not_hide_each_other() {
    let project = Project::models(&[(
        "mart",
        "{{ config(materialized='table', publish=['broken', 'bi', {'to': 'bi', 'table': 'second'}]) }} select 1 as id",
    )]);
    project.edit(
        "profiles.yml",
        "bi: {type: sqlite, path: bi.db}",
        "bi: {type: sqlite, path: bi.db}\n        broken: {type: sqlite, path: broken.db}",
    );
    project.write("broken.db", "no database at all, but long enough to be read as the header of one, which it is not");
    let output = project.exits(1, &["build"]);
    output.says(&["C6002", "broken", "Published   bi.mart", "bi.second"]);
    assert_eq!(tables(&project.path("bi.db")), ["mart", "second"]);
    let publish = publish_of(&project, "mart");
    let statuses: Vec<&Json> = (0..3).map(|at| &publish["tables"][at]["status"]).collect();
    assert_eq!(statuses, ["error", "success", "success"]);
    assert_eq!(publish["status"], "error");
}

#[test]
fn a_failed_test_keeps_every_mode_back() {
    for mode in ["replace", "append", "upsert"] {
        let publish = format!("{{'to': 'bi', 'key': 'id', 'mode': '{mode}'}}");
        let project = Bi::Sqlite.project(&[("mart", &growing(&publish))]);
        project.write(
            "models/m.yml",
            "models:\n  - name: mart\n    columns:\n      - name: name\n        data_tests: [{accepted_values: {values: [r0]}}]\n",
        );
        project.ok(&["build", "--vars", &round(0, 3)]);
        project.exits(1, &["build", "--vars", &round(1, 3)]).says(&["SKIP"]);
        assert_eq!(Bi::Sqlite.rows(&project).len(), 3, "{mode}");
        assert_eq!(Bi::Sqlite.ask(&project, "select warehouse_version from _c360_publish"), ["0"], "{mode}");
    }
}

/// Reads all that a child says; it has been killed, or ends by itself.
fn wait(mut child: Child) -> Output {
    let read = |pipe: &mut dyn std::io::Read| {
        let mut text = String::new();
        pipe.read_to_string(&mut text).expect("text");
        text
    };
    let stderr = child.stderr.take().map(|mut pipe| read(&mut pipe)).unwrap_or_default();
    let code = child.wait().expect("an end").code();
    Output { code, stdout: String::new(), stderr }
}

fn start(project: &Project, args: &[&str]) -> Child {
    project.command(args).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("starts")
}

/// Kills builds at moments that come later from turn to turn, and publishes again: the table is the relation.
#[test]
fn a_killed_publish_neither_loses_nor_doubles_rows() {
    for bi in Bi::all("killed") {
        for mode in ["append", "upsert"] {
            let publish = format!("{{'to': 'bi', 'key': 'id', 'mode': '{mode}'}}");
            let project = bi.project(&[("mart", &growing(&publish))]);
            let size = 20_000;
            project.ok(&["build", "--vars", &round(0, size)]);
            let mut killed = 0;
            for turn in 1..=10 {
                let vars = round(turn, size);
                let mut child = project.start(&["build", "--vars", &vars]);
                killed += usize::from(kill_during_publish(&mut child, turn));
                let count = bi.ask(&project, "select count(*) from mart")[0].parse::<usize>().expect("a number");
                assert_eq!(count % size, 0, "{mode} turn {turn}: a part of a publish is there");
                // The relation may or may not have the round; what is in it reaches the destination.
                project.write("models/mart.sql", growing(&publish) + " where false");
                project.ok(&["build", "--vars", &vars]);
                project.write("models/mart.sql", growing(&publish));
                let here = project.rows_with(
                    "select count(*) as n, count(distinct id) as d, sum(id) as s from {{ ref('mart') }}",
                    &["--vars", &vars],
                );
                let here = crate::harness::bars(&here[0]);
                let there = "select count(*), count(distinct id), sum(id) from mart";
                assert_eq!(bi.ask(&project, there), [here], "{mode} turn {turn}");
            }
            assert!(killed > 0, "no build was killed while it published");
            assert_eq!(bi.tables(&project), ["mart"], "and nothing beside it");
            if let Bi::Mysql(server) = &bi {
                server.ask("drop table mart");
            }
        }
    }
}

/// Kills `child` some time after its publish has started; true if it was running then.
fn kill_during_publish(child: &mut Child, turn: usize) -> bool {
    use std::io::{BufRead, BufReader};
    let lines = BufReader::new(child.stderr.take().expect("a pipe")).lines();
    for line in lines {
        let event: Json = serde_json::from_str(&line.expect("a line")).expect("JSON");
        if event["event"] == "unit_started" && event["action"] == "publish" {
            // Another moment in every turn; where it falls is up to the machine.
            std::thread::sleep(std::time::Duration::from_millis(25 * turn as u64));
            break;
        }
    }
    let runs = child.try_wait().expect("a state").is_none();
    let _ = child.kill();
    child.wait().expect("an end");
    runs
}

#[test]
fn two_builds_at_once_publish_each_row_once() {
    for bi in Bi::all("two") {
        for mode in ["append", "upsert", "replace"] {
            let publish = format!("{{'to': 'bi', 'key': 'id', 'mode': '{mode}'}}");
            let project = bi.project(&[("mart", &growing(&publish))]);
            let size = 20_000;
            project.ok(&["build", "--vars", &round(0, size)]);
            let (one, two) = (round(1, size), round(2, size));
            let builds = [
                start(&project, &["build", "--vars", &one]),
                start(&project, &["build", "--vars", &two, "--target-path", "target/other"]),
            ];
            for child in builds {
                let output = wait(child);
                assert_eq!(output.code, Some(0), "{mode}\n{}", output.stderr);
            }
            let rows = 3 * size;
            let sum: usize = (0..rows).sum();
            let there = "select count(*), count(distinct id), sum(id) from mart";
            assert_eq!(bi.ask(&project, there), [format!("{rows}|{rows}|{sum}")], "{mode}");
            if let Bi::Mysql(server) = &bi {
                server.ask("drop table mart");
            }
        }
    }
}

#[test]
fn full_refresh_loads_everything_again() {
    for bi in Bi::all("refresh") {
        let project = bi.project(&[("mart", &growing("{'to': 'bi', 'key': 'id', 'mode': 'append'}"))]);
        project.ok(&["build", "--vars", &round(0, 3)]);
        let vars = round(5, 3);
        project.ok(&["build", "--vars", &vars, "--full-refresh"]);
        assert_eq!(bi.rows(&project), ["15|r5", "16|r5", "17|r5"]);
    }
}

#[test]
fn an_overwritten_relation_is_not_appended() {
    let project = Bi::Sqlite.project(&[(
        "mart",
        "{{ config(materialized='table', publish={'to': 'bi', 'key': 'id', 'mode': 'append'}) }} select 1 as id",
    )]);
    project.ok(&["build"]);
    let said = project.exits(1, &["build"]);
    said.says(&["C6003", "version 1 replaced or removed rows", "by invocation", "mode: upsert", "--full-refresh"]);
}
