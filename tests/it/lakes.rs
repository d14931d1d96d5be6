//! What holds on every store: the same project gives the same rows as on the local disk, whoever writes at the same time.
//! [`crate::lakes_azure`], [`crate::lakes_hdfs`] and [`crate::lakes_s3`] run it, and know how each of them fails.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use futures::TryStreamExt;
use object_store::path::Path as Location;
use object_store::{ObjectStore, ObjectStoreExt, PutPayload};
use serde_json::Value as Json;

use crate::customer360::{MARTS, PINNED, marts};
use crate::harness::{Output, Project, bars, repository};

/// A folder of a test's own on a store.
pub(crate) struct Place {
    /// Of the folder, without a slash at its end.
    pub(crate) url: String,
    pub(crate) store: Arc<dyn ObjectStore>,
    /// Of the folder, in the store.
    pub(crate) folder: Location,
    /// What the program has to find in its environment.
    pub(crate) settings: Vec<(String, String)>,
}

impl Place {
    /// The environment and the warehouse of this place.
    pub(crate) fn adopt(&self, project: Project) -> Project {
        project.edit("profiles.yml", "warehouse: warehouse\n", &format!("warehouse: {}/warehouse\n", self.url));
        self.settings.iter().fold(project, |project, (name, value)| project.setting(name, value))
    }

    /// The flagship job with lake and warehouse here.
    pub(crate) fn customer360(&self) -> Project {
        self.upload(&repository().join("data/lake"), "lake");
        let project = self.adopt(Project::customer360());
        project.edit("dbt_project.yml", "lake: data/lake", &format!("lake: {}/lake", self.url));
        std::fs::remove_dir_all(project.path("data/lake")).expect("the local lake goes");
        project
    }

    /// Copies a folder of the local disk to `to`.
    pub(crate) fn upload(&self, from: &Path, to: &str) {
        for entry in walkdir::WalkDir::new(from) {
            let entry = entry.expect("an entry");
            if entry.file_type().is_file() {
                let inside = entry.path().strip_prefix(from).expect("a path inside").to_string_lossy().into_owned();
                self.put(&format!("{to}/{inside}"), std::fs::read(entry.path()).expect("a file"));
            }
        }
    }

    /// Writes a file.
    pub(crate) fn put(&self, path: &str, bytes: impl Into<PutPayload>) {
        let at = Location::from(format!("{}/{path}", self.folder));
        wait(self.store.put(&at, bytes.into())).unwrap_or_else(|error| panic!("{at}: {error}"));
    }

    /// The files under `path`, with their sizes.
    pub(crate) fn files(&self, path: &str) -> BTreeMap<String, u64> {
        let at = Location::from(format!("{}/{path}", self.folder));
        let list = wait(self.store.list(Some(&at)).try_collect::<Vec<_>>()).expect("a list");
        list.into_iter().map(|file| (file.location.to_string(), file.size)).collect()
    }

    /// Commits of a table of the warehouse.
    pub(crate) fn commits(&self, table: &str) -> usize {
        let log = self.files(&format!("warehouse/main/{table}/_delta_log"));
        log.keys().filter(|name| name.ends_with(".json")).count()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        wait(async {
            let files: Vec<_> = self.store.list(Some(&self.folder)).try_collect().await.unwrap_or_default();
            for file in files {
                let _ = self.store.delete(&file.location).await;
            }
        });
    }
}

/// Waits for the end of `work`.
pub(crate) fn wait<T>(work: impl Future<Output = T>) -> T {
    static RUNTIME: OnceLock<tokio::runtime::Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| tokio::runtime::Runtime::new().expect("a runtime")).block_on(work)
}

/// The marts of the flagship job on the local disk.
pub(crate) fn local_marts() -> &'static BTreeMap<&'static str, Vec<String>> {
    static LOCAL: OnceLock<BTreeMap<&str, Vec<String>>> = OnceLock::new();
    LOCAL.get_or_init(|| {
        let project = Project::customer360();
        project.ok(&[&["build"], PINNED].concat());
        marts(&project)
    })
}

/// The job here gives what it gives locally, in the warehouse and at the destination, and again over what is there.
pub(crate) fn the_job(place: &Place) {
    let project = place.customer360();
    for turn in ["first", "second"] {
        project.ok(&[&["build"], PINNED].concat());
        assert_eq!(&marts(&project), local_marts(), "{turn}");
        for mart in MARTS {
            let sql = format!("select * from {mart}");
            let mut there = crate::publish_sqlite::sqlite_rows(&project.path("warehouse/bi.db"), &sql);
            there.sort();
            assert_eq!(there, local_marts()[mart], "{turn}: {mart}");
        }
    }
    assert!(!project.path("warehouse/main").exists(), "no relation is written locally");
}

/// Every kind of relation, in two builds and a change of kind: the same rows as locally.
pub(crate) fn relations(place: &Place) {
    let here = place.adopt(every_kind());
    files_go_to(&here, &format!("{}/out", place.url));
    let local = every_kind();
    files_go_to(&local, "out");
    for project in [&here, &local] {
        project.ok(&["build", "--vars", "{day: 1}"]);
        project.write("seeds/cities.csv", "id,city\n1,Hue\n2,Vinh\n4,Da Lat\n");
        project.ok(&["build", "--vars", "{day: 2}"]);
        // A view where a table was, and the other way round.
        project.edit("models/t.sql", "materialized='table'", "materialized='view'");
        project.edit("models/v.sql", "materialized='view'", "materialized='table'");
        project.ok(&["build", "--vars", "{day: 3}", "--exclude", "history"]);
    }
    for relation in ["cities", "t", "v", "appended", "merged", "replaced"] {
        let rows = here.sorted(relation);
        assert!(!rows.is_empty(), "{relation}");
        assert_eq!(rows, local.sorted(relation), "{relation}");
    }
    check_files(place);
    let history = "select id, city, dbt_valid_to is null as current from {{ ref('history') }} order by id, city";
    assert_eq!(
        here.table(history),
        ["1|Hue|true", "2|Da Nang|false", "2|Vinh|true", "3|Sai Gon|true", "4|Da Lat|true"]
    );
    here.ok(&["build", "--vars", "{day: 4}", "--full-refresh", "--exclude", "history"]);
    assert_eq!(here.table("select count(*) as n from {{ ref('appended') }}"), ["3"]);
}

fn files_go_to(project: &Project, path: &str) {
    let out = format!("destinations:\n        out: {{type: files, path: \"{path}\", format: csv}}\n");
    project.edit("profiles.yml", "destinations:\n", &out);
}

/// The files of the last publish of `merged`, as its manifest names them.
fn check_files(place: &Place) {
    let read = |name: &str| {
        let at = Location::from(format!("{}/out/merged/{name}", place.folder));
        wait(async { place.store.get(&at).await.expect("a file").bytes().await.expect("its bytes") })
    };
    let manifest: Json = serde_json::from_slice(&read("_manifest.json")).expect("JSON");
    let mut rows: Vec<String> = Vec::new();
    for file in manifest["files"].as_array().expect("files") {
        let text = String::from_utf8(read(file["path"].as_str().expect("a path")).to_vec()).expect("UTF-8");
        rows.extend(text.lines().skip(1).map(str::to_string));
    }
    rows.sort();
    assert_eq!(rows, ["1,Hue,3", "2,Vinh,3", "3,Sai Gon,1", "4,Da Lat,3"]);
}

fn every_kind() -> Project {
    let incremental = |how: &str| {
        format!(
            "{{{{ config(materialized='incremental', {how}) }}}} \
             select id, city, {{{{ var('day') }}}} as day from {{{{ ref('cities') }}}}"
        )
    };
    Project::new()
        .file("seeds/cities.csv", "id,city\n1,Hue\n2,Da Nang\n3,Sai Gon\n")
        .file("models/t.sql", "{{ config(materialized='table') }} select id, city from {{ ref('cities') }}")
        .file("models/v.sql", "{{ config(materialized='view') }} select count(*) as n from {{ ref('t') }}")
        .file("models/appended.sql", incremental("incremental_strategy='append'"))
        .file("models/merged.sql", incremental("unique_key='id', publish={'to': 'out'}"))
        .file("models/replaced.sql", incremental("unique_key='id', incremental_strategy='delete+insert'"))
        .file(
            "snapshots/history.sql",
            "{% snapshot history %}{{ config(unique_key='id', strategy='check', check_cols=['city']) }} \
             select id, city from {{ ref('cities') }}{% endsnapshot %}",
        )
}

/// A build that fails with one clear error for `node`, and leaves what was there.
pub(crate) fn fails_and_loses_nothing(place: &Place, project: &Project, words: &[&str]) -> Output {
    let before = (project.table(ROWS), place.files("warehouse"));
    let output = project.exits(1, &["build", "--vars", "{round: 2}"]);
    output.says(words);
    assert_eq!(output.stderr.matches("error[").count(), 1, "{}", output.stderr);
    assert!(!output.stderr.contains("Error {") && !output.stderr.contains("Exception"), "{}", output.stderr);
    assert_eq!(project.table(ROWS), before.0);
    let visible =
        |files: BTreeMap<String, u64>| files.into_keys().filter(|name| name.ends_with(".json")).collect::<Vec<_>>();
    assert_eq!(visible(place.files("warehouse")), visible(before.1), "no commit");
    output
}

const ROWS: &str = "select count(*) as n, min(round) as low, max(round) as high from {{ ref('a') }}";

/// A project of one table, built once: ten thousand rows of round 1.
pub(crate) fn one_table(place: &Place) -> Project {
    let sql = "{{ config(materialized='table') }} \
               select value as v, md5(cast(value as varchar)) as m, {{ var('round', 0) }} as round from generate_series(1, 10000)";
    let project = place.adopt(Project::models(&[("a", sql)]));
    project.ok(&["build", "--vars", "{round: 1}"]);
    assert_eq!(project.table(ROWS), ["10000|1|1"]);
    project
}

/// Builds the second round, and expects it to be there.
pub(crate) fn recovers(project: &Project) {
    project.ok(&["build", "--vars", "{round: 2}"]);
    assert_eq!(project.table(ROWS), ["10000|2|2"]);
}

/// Two processes that append to one table at the same time: every build that says it is done has its rows there once, and
/// every other one has none and says why.
pub(crate) fn two_writers(place: &Place) {
    const TURNS: usize = 6;
    let sql = "{{ config(materialized='incremental', incremental_strategy='append') }} \
               select '{{ var('who') }}' as who, {{ var('turn') }} as turn, value as v from generate_series(1, 10)";
    let project = place.adopt(Project::models(&[("log", sql)]));
    project.ok(&["build", "--vars", "{who: nobody, turn: 0}"]);
    let write = |who: &'static str| {
        let project = &project;
        move || -> Vec<(usize, Output)> {
            let build = |turn| {
                let (vars, target) = (format!("{{who: {who}, turn: {turn}}}"), format!("target/{who}"));
                (turn, project.run(&["build", "--vars", &vars, "--target-path", &target]))
            };
            (1..=TURNS).map(build).collect()
        }
    };
    let outputs = std::thread::scope(|scope| {
        let writers = ["one", "two"].map(|who| (who, scope.spawn(write(who))));
        writers.map(|(who, writer)| (who, writer.join().expect("a writer")))
    });
    let mut expected = vec!["nobody|0|10".to_string()];
    for (who, outputs) in outputs {
        for (turn, output) in outputs {
            match output.code {
                Some(0) => expected.push(format!("{who}|{turn}|10")),
                Some(1) => assert!(output.stderr.contains("error[C"), "{}", output.stderr),
                _ => panic!("{}", output.all()),
            }
        }
    }
    expected.sort();
    let counts = "select who, turn, count(*) as n from {{ ref('log') }} group by who, turn order by who, turn";
    let found = project.rows_with(counts, &["--vars", "{who: x, turn: 0}"]);
    let mut found: Vec<String> = found.iter().map(bars).collect();
    found.sort();
    assert_eq!(found, expected);
    assert!(expected.len() > TURNS, "the writers kept each other from writing: {expected:?}");
    assert_eq!(place.commits("log"), expected.len(), "a commit for each");
}

/// Reads the events of a build; at the first one that `at` accepts, `then` happens. The build has to succeed.
pub(crate) fn build_with(project: &Project, args: &[&str], at: impl Fn(&Json) -> bool, then: impl FnOnce()) {
    use std::io::{BufRead, BufReader};
    let mut child = project.start(&[&["build"], args].concat());
    let mut then = Some(then);
    let mut log = String::new();
    for line in BufReader::new(child.stderr.take().expect("a pipe")).lines() {
        let line = line.expect("a line");
        let event: Json = serde_json::from_str(&line).expect("JSON");
        if at(&event)
            && let Some(then) = then.take()
        {
            then();
        }
        log += &line;
        log.push('\n');
    }
    assert_eq!(child.wait().expect("an end").code(), Some(0), "{log}");
    assert!(then.is_none(), "the moment never came:\n{log}");
}
