//! `kill -9` at random moments of a build: every table stays readable at a whole version, SQLite too, the next build is right,
//! and nothing is left over once it has been cleaned up.
//!
//! The moment is a random share of the time that a build takes, measured here, so the kills fall into all stages (parsing,
//! scanning, writing, committing, publishing, artifacts); half of them wait for a random event of the log first. Seeded: 20 kills,
//! or `C360_KILLS=200` (`C360_KILL_SEED` for others). No assertion depends on when a kill comes.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::Child;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use serde_json::Value as Json;

use crate::harness::{Project, bars};

const PROFILE: &str = "\
shop:
  target: dev
  outputs:
    dev:
      type: datafusion
      warehouse: warehouse
      schema: main
      threads: 3
      memory_limit: 200MB
      spill_dir: spill
      destinations:
        bi: {type: sqlite, path: bi.db}
";

/// Rows of the lake, in two files.
const ROWS: usize = 20_000;

/// A project with a model of every kind. Each build is of a `round`, and so is every row that it makes.
fn project() -> Project {
    let project = Project::new().file("profiles.yml", PROFILE);
    for (file, from) in [("a", 0), ("b", ROWS / 2)] {
        let line = |id: usize| format!("{{\"id\": {id}, \"v\": \"{}\"}}\n", id * 31 % 1009);
        project.write(&format!("lake/{file}.json"), (from..from + ROWS / 2).map(line).collect::<String>());
    }
    project.write(
        "models/m.yml",
        "sources: [{name: lake, tables: [{name: rows, external: {location: lake/*.json}, \
         columns: [{name: id, data_type: bigint}, {name: v, data_type: varchar}]}]}]\n\
         models: [{name: wide, columns: [{name: id, data_tests: [unique, not_null]}]}]\n",
    );
    let models = [
        ("stg", "select * from {{ source('lake', 'rows') }}"),
        (
            "wide",
            "{{ config(materialized='table', publish={'to': 'bi', 'key': ['id']}) }} \
             select id, md5(v) as m, {{ var('round') }} as r from {{ ref('stg') }} order by m, id",
        ),
        (
            "merged",
            "{{ config(materialized='incremental', unique_key='id', publish={'to': 'bi', 'mode': 'upsert', 'key': ['id']}) }} \
             select id, r from {{ ref('wide') }} where id % 2 = 0",
        ),
        (
            "added",
            "{{ config(materialized='incremental', publish={'to': 'bi', 'mode': 'append'}) }} \
             select {{ var('round') }} as r, count(*) as n from {{ ref('wide') }} \
             {% if is_incremental() %} having {{ var('round') }} not in (select r from {{ this }}) {% endif %}",
        ),
        (
            "totals",
            "{{ config(materialized='table') }} select count(*) as n, min(r) as low, max(r) as high from {{ ref('merged') }}",
        ),
    ];
    for (name, sql) in models {
        project.write(&format!("models/{name}.sql"), sql);
    }
    project.write(
        "snapshots/s.yml",
        "snapshots: [{name: history, relation: ref('totals'), config: {strategy: check, unique_key: n, check_cols: [high]}}]\n",
    );
    project
}

fn vars(round: usize) -> String {
    format!("{{round: {round}}}")
}

/// xorshift64*
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 16) % end.max(1)
    }
}

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().map_or(default, |text| text.parse().unwrap_or_else(|_| panic!("{name} is no number")))
}

/// Lets a build run up to a random moment and kills it. True if it had ended before.
fn kill_at(mut child: Child, random: &mut Random, usual: Duration, events: usize) -> bool {
    let stderr = child.stderr.take().expect("a pipe");
    // Somebody has to read the pipe, or the build waits for that.
    let (tell, told) = std::sync::mpsc::channel();
    let reader = std::thread::spawn(move || {
        for line in BufReader::new(stderr).lines() {
            if line.is_err() || tell.send(()).is_err() {
                break;
            }
        }
    });
    let share = usual * u32::try_from(random.below(1000)).expect("a small number") / 1000;
    let (wanted, share) = match random.below(2) {
        0 => (0, share),
        _ => (random.below(events as u64) as usize, share / 8),
    };
    for _ in 0..wanted {
        // The end of the log is the end of the build.
        if told.recv().is_err() {
            break;
        }
    }
    let deadline = Instant::now() + share;
    // A moment is all that this is: nothing is waited for.
    while Instant::now() < deadline && child.try_wait().expect("a state").is_none() {
        std::thread::yield_now();
    }
    let ended = child.try_wait().expect("a state").is_some();
    child.kill().expect("a signal");
    child.wait().expect("an end");
    drop(told);
    reader.join().expect("the reader ends");
    ended
}

/// Every table, as far as it is there, is a whole one of one round.
fn check_whole(project: &Project, round: usize) {
    let vars = vars(round);
    let rows = |sql: &str| -> Vec<String> { project.rows_with(sql, &["--vars", &vars]).iter().map(bars).collect() };
    let is_built = |name: &str| project.path(&format!("warehouse/main/{name}/_delta_log")).exists();
    for (name, count) in [("wide", ROWS), ("merged", ROWS / 2)] {
        if is_built(name) && project.versions(&format!("main/{name}")) > 0 {
            let sql = format!(
                "select count(*) as n, count(distinct id) as d, max(r) - min(r) as mixed from {{{{ ref('{name}') }}}}"
            );
            assert_eq!(rows(&sql), [format!("{count}|{count}|0")], "{name} in round {round}");
        }
    }
    if project.versions("main/added") > 0 {
        let sql = format!(
            "select count(*) - count(distinct r) as twice, count(*) filter (where n <> {ROWS}) as wrong from {{{{ ref('added') }}}}"
        );
        assert_eq!(rows(&sql), ["0|0"], "added in round {round}");
    }
}

/// What the destination holds is whole as well.
fn check_destination(project: &Project) {
    let path = project.path("bi.db");
    if !path.exists() {
        return;
    }
    let python = "import sqlite3, sys\n\
        db = sqlite3.connect(sys.argv[1])\n\
        assert db.execute('pragma integrity_check').fetchall() == [('ok',)]\n\
        there = {name for (name,) in db.execute(\"select name from sqlite_master where type = 'table'\")}\n\
        for name in ('wide', 'merged'):\n\
        \x20   if name in there:\n\
        \x20       print(name, *db.execute(f'select count(*), count(distinct id), max(r) - min(r) from {name}').fetchone())\n\
        if 'added' in there:\n\
        \x20   print('added', *db.execute('select count(*) - count(distinct r) from added').fetchone())\n";
    let output = std::process::Command::new("python3").args(["-c", python]).arg(&path).output().expect("python3 runs");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    for line in said.lines() {
        let expected = match line.split(' ').next() {
            Some("wide") => format!("wide {ROWS} {ROWS} 0"),
            Some("merged") => format!("merged {0} {0} 0", ROWS / 2),
            _ => "added 0".to_string(),
        };
        assert_eq!(line, expected);
    }
}

/// The rows of everything, without what a clock says.
fn all_rows(project: &Project, round: usize) -> Vec<Vec<String>> {
    let vars = vars(round);
    ["select * from {{ ref('wide') }}", "select * from {{ ref('merged') }}", "select * from {{ ref('totals') }}"]
        .map(|sql| {
            let mut rows: Vec<String> = project.rows_with(sql, &["--vars", &vars]).iter().map(bars).collect();
            rows.sort();
            rows
        })
        .to_vec()
}

/// Files below `folder`, relative to it.
fn files(folder: &Path) -> BTreeSet<String> {
    let below = |path: &Path| path.strip_prefix(folder).expect("below").to_string_lossy().into_owned();
    walkdir::WalkDir::new(folder)
        .into_iter()
        .flatten()
        .filter(|entry| entry.file_type().is_file())
        .map(|entry| below(entry.path()))
        .collect()
}

/// Data files of the warehouse that no version of their table names, and whatever else is left over.
fn left_over(project: &Project) -> Vec<String> {
    let warehouse = project.path("warehouse");
    let all = files(&warehouse);
    let mut named: BTreeSet<String> = BTreeSet::new();
    for log in all.iter().filter(|path| path.contains("/_delta_log/") && path.ends_with(".json")) {
        let table = log.split("/_delta_log/").next().expect("a table");
        for line in std::fs::read_to_string(warehouse.join(log)).expect("a log").lines() {
            let action: Json = serde_json::from_str(line).expect("JSON");
            if let Some(path) = action["add"]["path"].as_str() {
                named.insert(format!("{table}/{path}"));
            }
        }
    }
    let is_meant = |path: &String| {
        let is_staged = path.split('/').any(|part| part.starts_with("_c360_new_"));
        let is_kept = ["/_delta_log/", "/_views/", "/_c360/profile.json"].iter().any(|part| path.contains(part));
        !is_staged && !path.contains('#') && (is_kept || named.contains(path))
    };
    let mut left: Vec<String> = all.iter().filter(|path| !is_meant(path)).cloned().collect();
    left.extend(files(&project.path("spill")));
    left
}

#[test]
fn a_build_that_is_killed_at_any_moment_leaves_everything_whole() {
    let (kills, seed) = (number("C360_KILLS", 20), number("C360_KILL_SEED", 1));
    let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let project = project();
    let started = Instant::now();
    let events = project.events(0, &["build", "--vars", &vars(0)]).len();
    let usual = started.elapsed();
    let undisturbed = self::project();
    for kill in 1..=kills as usize {
        if kill % 7 == 1 {
            // Also a first build, into nothing.
            for folder in ["warehouse", "target", "bi.db"] {
                let path = project.path(folder);
                let _ = if path.is_dir() { std::fs::remove_dir_all(path) } else { std::fs::remove_file(path) };
            }
        }
        let child = project.start(&["build", "--vars", &vars(kill)]);
        kill_at(child, &mut random, usual, events);
        check_whole(&project, kill);
        check_destination(&project);
        if kill % 3 == 0 || kill == kills as usize {
            project.ok(&["build", "--vars", &vars(kill)]);
            check_whole(&project, kill);
            check_destination(&project);
            undisturbed.ok(&["build", "--vars", &vars(kill)]);
            assert_eq!(all_rows(&project, kill), all_rows(&undisturbed, kill), "after kill {kill}");
        }
    }
    let before = all_rows(&project, kills as usize);
    project.ok(&["clean", "--orphans", "--older-than", "0", "--vars", &vars(kills as usize)]);
    assert_eq!(left_over(&project), Vec::<String>::new());
    assert_eq!(all_rows(&project, kills as usize), before);
    project.ok(&["build", "--vars", &vars(kills as usize + 1)]);
    check_whole(&project, kills as usize + 1);
}

/// A build, and a thread that reads what it says, so that it never waits for us.
fn started(project: &Project, round: usize) -> (Child, JoinHandle<usize>) {
    let mut child = project.start(&["build", "--vars", &vars(round)]);
    let stderr = child.stderr.take().expect("a pipe");
    (child, std::thread::spawn(move || BufReader::new(stderr).lines().count()))
}

#[test]
fn readers_beside_a_build_see_whole_tables() {
    let project = project();
    project.ok(&["build", "--vars", &vars(0)]);
    for round in 1..=3 {
        let (mut child, reader) = started(&project, round);
        let mut looks = 0;
        while child.try_wait().expect("a state").is_none() || looks == 0 {
            check_whole(&project, round);
            match looks % 3 {
                0 => project.ok(&["docs", "generate", "--vars", &vars(round), "--target-path", "target/docs"]),
                1 => project.ok(&["vacuum", "--vars", &vars(round), "--target-path", "target/vacuum"]),
                _ => project.ok(&["history", "wide", "--vars", &vars(round), "--target-path", "target/history"]),
            };
            looks += 1;
        }
        assert!(child.wait().expect("an end").success(), "the build beside readers");
        reader.join().expect("the reader ends");
        check_whole(&project, round);
    }
}

#[test]
fn cleaning_up_beside_a_build_takes_nothing_from_it() {
    let project = project();
    project.ok(&["build", "--vars", &vars(0)]);
    for round in 1..=3 {
        let (mut child, reader) = started(&project, round);
        while child.try_wait().expect("a state").is_none() {
            project.ok(&[
                "clean",
                "--orphans",
                "--older-than",
                "1",
                "--vars",
                &vars(round),
                "--target-path",
                "target/other",
            ]);
        }
        assert!(child.wait().expect("an end").success());
        reader.join().expect("the reader ends");
        check_whole(&project, round);
    }
}
