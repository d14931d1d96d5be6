//! Stores by themselves: two writers are kept apart, `debug` tries everything out, and what is wrong is said.
//!
//! The servers are those of `scripts/services`: `C360_TEST_HDFS_URL`, `C360_TEST_S3_ENDPOINT`. What can be tested without
//! them is tested on the local disk too.

use std::path::Path as FsPath;
use std::sync::{Arc, PoisonError, RwLockReadGuard};

use c360::stores::{self, StoreOptions, probe};
use deltalake::logstore::CommitOrBytes;
use futures::TryStreamExt;
use object_store::path::Path;
use object_store::{Error, ObjectStore, ObjectStoreExt, PutMode, PutPayload};
use url::Url;

use crate::harness::{Project, skip};
use crate::lakes_hdfs::CLUSTER;

/// A folder of a test's own.
struct Place {
    url: Url,
    options: Vec<(String, String)>,
    _local: Option<tempfile::TempDir>,
    /// No other test breaks the cluster meanwhile.
    _calm: Option<RwLockReadGuard<'static, ()>>,
}

fn variable(name: &str) -> Option<String> {
    let value = std::env::var(name).ok();
    if value.is_none() {
        assert!(std::env::var_os("CI_REQUIRE_SERVICES").is_none_or(|flag| flag != "1"), "{name} is not set");
        skip(&format!("{name} is not set; try: eval \"$(scripts/services env)\""));
    }
    value
}

fn local() -> Place {
    let folder = tempfile::tempdir().expect("a folder");
    let url = Url::from_directory_path(folder.path()).expect("a URL");
    Place { url, options: Vec::new(), _local: Some(folder), _calm: None }
}

fn hdfs(name: &str) -> Option<Place> {
    let root = variable("C360_TEST_HDFS_URL")?;
    let url = Url::parse(&format!("{root}/c360-stores/{name}-{}/", std::process::id())).expect("a URL");
    let calm = CLUSTER.read().unwrap_or_else(PoisonError::into_inner);
    Some(Place { url, options: Vec::new(), _local: None, _calm: Some(calm) })
}

fn s3(name: &str) -> Option<Place> {
    let endpoint = variable("C360_TEST_S3_ENDPOINT")?;
    let get = |name: &str| std::env::var(name).expect("the server's settings");
    let bucket = get("C360_TEST_S3_BUCKET");
    let url = Url::parse(&format!("s3://{bucket}/c360-stores/{name}-{}/", std::process::id())).expect("a URL");
    let options = [
        ("aws_endpoint_url", endpoint),
        ("aws_region", get("C360_TEST_S3_REGION")),
        ("aws_access_key_id", get("C360_TEST_S3_KEY")),
        ("aws_secret_access_key", get("C360_TEST_S3_SECRET")),
    ];
    Some(Place { url, options: options.map(|(key, value)| (key.to_string(), value)).into(), _local: None, _calm: None })
}

impl Place {
    fn options(&self) -> StoreOptions {
        StoreOptions::new(self.options.clone())
    }

    fn open(&self) -> (Arc<dyn ObjectStore>, Path) {
        stores::open(self.url.as_str(), &self.options()).expect("a store")
    }

    /// Deletes what is there; gives back the names that were.
    async fn clear(&self) -> Vec<String> {
        let (store, folder) = self.open();
        let files: Vec<Path> =
            store.list(Some(&folder)).map_ok(|file| file.location).try_collect().await.expect("a list");
        for file in &files {
            store.delete(file).await.expect("deleted");
        }
        files.iter().map(Path::to_string).collect()
    }
}

async fn one_of_many_writers_wins(place: Place) {
    let (store, folder) = place.open();
    for round in 0..10 {
        let path = folder.clone().join("_delta_log").join(format!("{round:020}.json"));
        let create = |writer: usize| {
            let (store, path) = (Arc::clone(&store), path.clone());
            tokio::spawn(async move {
                let payload = PutPayload::from(format!("writer {writer}"));
                (writer, store.put_opts(&path, payload, PutMode::Create.into()).await)
            })
        };
        let mut winners = Vec::new();
        for task in (0..8).map(create).collect::<Vec<_>>() {
            match task.await.expect("it ends") {
                (writer, Ok(_)) => winners.push(writer),
                (_, Err(Error::AlreadyExists { .. })) => {}
                (writer, Err(error)) => panic!("writer {writer}: {error}"),
            }
        }
        assert_eq!(winners.len(), 1, "round {round}");
        let there = store.get(&path).await.expect("there").bytes().await.expect("read");
        assert_eq!(there, format!("writer {}", winners[0]));
    }
    assert_eq!(place.clear().await.len(), 10, "nothing is left of those who lost");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_of_many_writers_wins_on_the_local_disk() {
    one_of_many_writers_wins(local()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_of_many_writers_wins_on_hdfs() {
    if let Some(place) = hdfs("writers") {
        one_of_many_writers_wins(place).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_of_many_writers_wins_on_s3() {
    if let Some(place) = s3("writers") {
        one_of_many_writers_wins(place).await;
    }
}

/// Delta's log store over a store of ours: the second commit of a version is refused as a conflict.
async fn the_second_commit_of_a_version_is_a_conflict(place: Place) {
    use deltalake::kernel::transaction::TransactionError;
    let table = stores::delta::table(&place.url, &place.options()).expect("a store").build().expect("a table");
    let log = table.log_store();
    let commit =
        |text: &'static str| log.write_commit_entry(7, CommitOrBytes::LogBytes(text.into()), uuid::Uuid::new_v4());
    commit("{\"mine\":1}").await.expect("committed");
    assert!(matches!(commit("{\"yours\":1}").await, Err(TransactionError::VersionAlreadyExists(7))));
    // The first one again, as when its answer was lost: it is there, and it is ours.
    commit("{\"mine\":1}").await.ok();
    assert_eq!(log.read_commit_entry(7).await.expect("read").expect("there"), "{\"mine\":1}");
    assert_eq!(place.clear().await.len(), 1);
}

#[tokio::test]
async fn the_second_commit_is_a_conflict_on_the_local_disk() {
    the_second_commit_of_a_version_is_a_conflict(local()).await;
}

#[tokio::test]
async fn the_second_commit_is_a_conflict_on_hdfs() {
    if let Some(place) = hdfs("commit") {
        the_second_commit_of_a_version_is_a_conflict(place).await;
    }
}

#[tokio::test]
async fn the_second_commit_is_a_conflict_on_s3() {
    if let Some(place) = s3("commit") {
        the_second_commit_of_a_version_is_a_conflict(place).await;
    }
}

async fn a_probe_leaves_nothing(place: Place) {
    let (store, folder) = place.open();
    let report = probe::write(&store, &folder, place.url.as_str(), probe::Use::Warehouse).await.expect("it works");
    assert!(report.write.is_some_and(|speed| speed > 0.0) && report.read.is_some_and(|speed| speed > 0.0));
    assert_eq!(report.remark.as_deref(), Some("commits are atomic"));
    assert_eq!(place.clear().await, Vec::<String>::new());
}

#[tokio::test]
async fn a_probe_leaves_nothing_on_any_store() {
    a_probe_leaves_nothing(local()).await;
    if let Some(place) = hdfs("probe") {
        a_probe_leaves_nothing(place).await;
    }
    if let Some(place) = s3("probe") {
        a_probe_leaves_nothing(place).await;
    }
}

/// A project whose lake and warehouse are at `place`.
fn project(place: &Place) -> Project {
    let source = format!(
        "sources:\n  - name: lake\n    tables:\n      - name: orders\n        external: {{location: '{}lake/*.json'}}\n",
        place.url
    );
    let project =
        Project::models(&[("a", "select * from {{ source('lake', 'orders') }}")]).file("models/s.yml", source);
    let options: String = place.options.iter().map(|(key, value)| format!("        {key}: '{value}'\n")).collect();
    let options = if options.is_empty() { String::new() } else { format!("      storage_options:\n{options}") };
    project.edit("profiles.yml", "warehouse: warehouse\n", &format!("warehouse: {}warehouse\n{options}", place.url));
    project
}

async fn debug_tries_lake_and_warehouse(place: Place) {
    let (store, folder) = place.open();
    let lines = "{\"id\": 1}\n".repeat(100_000);
    store.put(&folder.clone().join("lake").join("a.json"), lines.into()).await.expect("written");
    let project = project(&place);
    let found = project.ok(&["debug"]).stdout;
    let line = |name: &str| found.lines().find(|line| line.starts_with(name)).expect("a line").to_string();
    for words in [place.url.as_str(), "ms a round trip", "written at", "read at", "commits are atomic"] {
        assert!(line("warehouse").contains(words), "{found}");
    }
    assert!(line("source lake.orders").contains("read at"), "{found}");
    let found = project.ok(&["debug", "--output", "json"]).stdout;
    let checks: serde_json::Value = serde_json::from_str(&found).expect("JSON");
    let of = |name: &str| {
        checks.as_array().expect("a list").iter().find(|check| check["name"] == name).expect("a check").clone()
    };
    assert!(of("warehouse")["write_mb_per_second"].as_f64().is_some_and(|speed| speed > 0.0), "{found}");
    assert_eq!(of("source lake.orders")["status"], "ok");
    // The build works as well.
    project.ok(&["build"]);
    assert_eq!(project.rows("select count(*) as n from a")[0]["n"], 100_000);
    place.clear().await;
}

#[tokio::test]
async fn debug_tries_lake_and_warehouse_on_the_local_disk() {
    debug_tries_lake_and_warehouse(local()).await;
}

#[tokio::test]
async fn debug_tries_lake_and_warehouse_on_hdfs() {
    if let Some(place) = hdfs("debug") {
        debug_tries_lake_and_warehouse(place).await;
    }
}

#[tokio::test]
async fn debug_tries_lake_and_warehouse_on_s3() {
    if let Some(place) = s3("debug") {
        debug_tries_lake_and_warehouse(place).await;
    }
}

/// A port of loopback on which nobody listens.
fn closed_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("an address").port()
}

#[test]
fn a_name_node_that_is_not_there_is_said_to_be_so() {
    let root = format!("hdfs://127.0.0.1:{}", closed_port());
    let url = Url::parse(&format!("{root}/w/")).expect("a URL");
    let project = project(&Place { url, options: Vec::new(), _local: None, _calm: None });
    let output = project.exits(1, &["debug"]);
    output.says(&["C5006", &root, "Connection refused", "is it running"]);
    let output = project.exits(1, &["build"]);
    output.says(&["C5006", &root, "Connection refused"]);
}

#[test]
fn a_store_without_credentials_is_told_what_was_looked_at() {
    let url = Url::parse("s3://lake-of-nobody/w/").expect("a URL");
    let project = project(&Place { url, options: Vec::new(), _local: None, _calm: None });
    let home = project.path("home");
    std::fs::create_dir_all(&home).expect("a folder");
    let mut command = project.command(&["build"]);
    command.env("HOME", &home);
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("AWS_")) {
        command.env_remove(name);
    }
    command.env("AWS_EC2_METADATA_DISABLED", "true");
    let output = project.finish(&mut command);
    assert_eq!(output.code, Some(1), "{}", output.all());
    output.says(&["there are no credentials for `s3://lake-of-nobody`", ".aws/credentials", "AWS_PROFILE"]);
}

#[test]
fn an_option_that_no_store_knows_is_refused() {
    let options = vec![("aws_secret_acces_key".to_string(), "hush-hush".to_string())];
    let url = Url::parse("s3://lake/w/").expect("a URL");
    let project = project(&Place { url, options, _local: None, _calm: None });
    let output = project.exits(2, &["build"]);
    output.says(&["C1004", "aws_secret_acces_key", "an option named `aws_secret_access_key` exists"]);
    assert!(!output.all().contains("hush-hush"));
}

#[test]
fn a_local_folder_that_cannot_be_written_fails_the_check() {
    let project = Project::new();
    project.write("blocked", "a file");
    project.edit("profiles.yml", "warehouse: warehouse\n", "warehouse: blocked/warehouse\n");
    assert!(FsPath::new(&project.path("blocked")).is_file());
    let output = project.exits(1, &["debug"]);
    let line = output.stdout.lines().find(|line| line.starts_with("warehouse")).expect("a line");
    assert!(line.contains("FAILED"), "{line}");
    output.says(&["C5006", "blocked/warehouse"]);
}
