//! Lakes and warehouses on Hadoop's HDFS, and what happens to it: `scripts/services start hdfs` starts a cluster of a name
//! node and two data nodes, `C360_TEST_HDFS_URL` says where. Without it these tests are skipped, loudly, unless
//! `CI_REQUIRE_SERVICES=1` makes that a failure.

use std::process::Command;
use std::sync::{Arc, PoisonError, RwLock};

use hdfs_native_object_store::HdfsObjectStoreBuilder;
use object_store::path::Path as Location;

use crate::customer360::{PINNED, marts};
use crate::harness::{Project, text, without};
use crate::lakes::{
    Place, build_with, fails_and_loses_nothing, local_marts, one_table, recovers, relations, the_job, two_writers,
};

const URL: &str = "C360_TEST_HDFS_URL";

/// Held by tests that break the cluster for writing, and by all others for reading.
pub(crate) static CLUSTER: RwLock<()> = RwLock::new(());

fn place(name: &str) -> Option<Place> {
    if without(URL) {
        return None;
    }
    let root = std::env::var(URL).expect("a URL");
    let folder = format!("c360-it/{name}-{}", std::process::id());
    let store = HdfsObjectStoreBuilder::new().with_url(&root).build().expect("a store");
    let (url, folder) = (format!("{root}/{folder}"), Location::from(folder));
    Some(Place { url, store: Arc::new(store), folder, settings: Vec::new() })
}

/// Runs `test` while nobody breaks the cluster.
fn on_hdfs(name: &str, test: impl FnOnce(&Place)) {
    let Some(place) = place(name) else { return };
    let _calm = CLUSTER.read().unwrap_or_else(PoisonError::into_inner);
    test(&place);
}

/// Runs `test`, which may break the cluster and mends it by [`Mended`].
fn alone_on_hdfs(name: &str, test: impl FnOnce(&Place)) {
    let Some(place) = place(name) else { return };
    let _alone = CLUSTER.write().unwrap_or_else(PoisonError::into_inner);
    let _mended = Mended;
    test(&place);
}

/// Makes the cluster whole again, whatever happened.
struct Mended;

impl Drop for Mended {
    fn drop(&mut self) {
        for node in ["name", "1", "2"] {
            // Only one that was frozen can be thawed, and it does not matter to the others.
            let _ = control(&["thaw", node]);
            let _ = control(&["revive", node]);
        }
        let _ = control(&["admin", "-safemode", "leave"]);
        let _ = control(&["live"]);
    }
}

/// A command of the test cluster's; false if it failed.
fn control(args: &[&str]) -> bool {
    let script = std::env::var("C360_TEST_HDFS_CONTROL").expect("scripts/services");
    let folder = std::env::var("C360_TEST_HDFS_SERVICES_DIR").expect("its folder");
    let mut command = Command::new(script);
    command.arg("hdfs").args(args).env("C360_SERVICES_DIR", folder);
    command.output().expect("bash runs").status.success()
}

fn must(args: &[&str]) {
    assert!(control(args), "{args:?}");
}

/// A shorter patience than Hadoop's minute, so that a frozen node is given up while the test waits.
fn impatient(project: &Project) {
    let options = "      storage_options: {dfs.client.socket-timeout: 3000}\n      schema: main\n";
    project.edit("profiles.yml", "      schema: main\n", options);
}

#[test]
fn the_job_on_hdfs_gives_the_rows_of_the_local_one() {
    on_hdfs("job", the_job);
}

#[test]
fn every_kind_of_relation_lives_on_hdfs() {
    on_hdfs("relations", relations);
}

#[test]
fn no_commit_of_two_writers_is_lost_on_hdfs() {
    on_hdfs("writers", two_writers);
}

#[test]
fn a_name_service_is_found_by_hadoops_configuration() {
    on_hdfs("nameservice", |place| {
        // The first of its two name nodes does not answer.
        let conf = std::env::var("C360_TEST_HADOOP_CONF_DIR").expect("a folder");
        let folder = format!("{}/lake", place.folder);
        place.put("lake/a.json", "{\"id\": 1}\n{\"id\": 2}\n");
        let project = Project::models(&[("a", "{{ config(materialized='table') }} select id from {{ source('lake', 'a') }}")])
            .file(
                "models/s.yml",
                format!(
                    "sources:\n  - name: lake\n    tables:\n      - name: a\n        external: {{location: 'hdfs://c360ns/{folder}/*.json'}}\n"
                ),
            )
            .setting("HADOOP_CONF_DIR", &conf);
        let warehouse = format!("warehouse: hdfs://c360ns/{}/warehouse\n", place.folder);
        project.edit("profiles.yml", "warehouse: warehouse\n", &warehouse);
        project.ok(&["build"]);
        assert_eq!(project.sorted("a"), ["1", "2"]);
        assert_eq!(place.commits("a"), 1, "the same folder as by the port");
    });
}

/// Builds the job while `harm` is done after the first model has rows: the same rows as locally.
fn survives(place: &Place, project: &Project, harm: impl FnOnce()) {
    let rows_flow =
        |event: &serde_json::Value| event["event"] == "unit_finished" && text(&event["status"]) == "success";
    build_with(project, PINNED, rows_flow, harm);
    assert_eq!(&marts(project), local_marts());
    assert!(place.commits("customer_content") > 0);
}

#[test]
fn a_data_node_killed_in_the_middle_of_a_build_does_not_stop_it() {
    // Each in a folder of its own: what was written while one node was dead has one replica until the name node has made
    // the other, and killing the node that has it would lose it, whoever reads.
    for node in ["1", "2"] {
        alone_on_hdfs(&format!("killed{node}"), |place| {
            survives(place, &place.customer360(), || must(&["kill", node]));
            must(&["revive", node]);
            must(&["live"]);
        });
    }
}

#[test]
fn a_data_node_that_is_dead_already_does_not_stop_a_build() {
    alone_on_hdfs("dead", |place| {
        let project = place.customer360();
        // The name node does not know yet.
        must(&["kill", "1"]);
        project.ok(&[&["build"], PINNED].concat());
        assert_eq!(&marts(&project), local_marts());
    });
}

#[test]
fn a_data_node_that_freezes_in_the_middle_of_a_build_does_not_stop_it() {
    alone_on_hdfs("frozen", |place| {
        let project = place.customer360();
        impatient(&project);
        survives(place, &project, || must(&["freeze", "1"]));
    });
}

#[test]
fn a_name_node_that_restarts_in_the_middle_of_a_build_is_waited_for() {
    alone_on_hdfs("restarted", |place| {
        let project = place.customer360();
        survives(place, &project, || {
            must(&["kill", "name"]);
            must(&["revive", "name"]);
        });
    });
}

#[test]
fn a_name_node_that_is_not_there_is_an_error_at_once() {
    alone_on_hdfs("gone", |place| {
        let project = one_table(place);
        must(&["kill", "name"]);
        let output = project.exits(1, &["build", "--vars", "{round: 2}"]);
        output.says(&["C5006", &place.url, "Connection refused"]);
        must(&["revive", "name"]);
        must(&["live"]);
        recovers(&project);
    });
}

#[test]
fn a_full_quota_is_one_error_and_loses_nothing() {
    on_hdfs("quota", |place| {
        let project = one_table(place);
        let folder = format!("/{}", place.folder);
        must(&["admin", "-setSpaceQuota", "1m", &folder]);
        fails_and_loses_nothing(place, &project, &["quota"]);
        must(&["admin", "-clrSpaceQuota", &folder]);
        recovers(&project);
    });
}

#[test]
fn who_may_only_read_is_told_so_and_loses_nothing() {
    on_hdfs("rights", |place| {
        let project = one_table(place).setting("HADOOP_USER_NAME", "visitor");
        fails_and_loses_nothing(place, &project, &["Permission denied", "visitor"]);
        recovers(&project.setting("HADOOP_USER_NAME", &owner()));
    });
}

/// Who the files belong to: the one who runs the tests.
fn owner() -> String {
    let output = Command::new("id").arg("-un").output().expect("id runs");
    String::from_utf8(output.stdout).expect("a name").trim().to_string()
}

#[test]
fn safe_mode_is_one_error_and_loses_nothing() {
    alone_on_hdfs("safe", |place| {
        let project = one_table(place);
        must(&["admin", "-safemode", "enter"]);
        fails_and_loses_nothing(place, &project, &["safe mode"]);
        must(&["admin", "-safemode", "leave"]);
        recovers(&project);
    });
}
