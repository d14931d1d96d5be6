//! Marts as files: what is written can be read, and a reader of the manifest sees one version or the other, whatever
//! happens to the program.

use std::path::Path;
use std::process::Stdio;
use std::time::Instant;

use serde_json::Value as Json;
use sha2::{Digest, Sha256};

use crate::harness::{Project, skip};

const MODEL: &str = "{{ config(materialized='table', publish={'to': 'out', 'key': ['id']}) }}\n";

/// A project whose model `mart` goes to files of these settings.
fn project(settings: &str, model: &str) -> Project {
    let project = Project::models(&[("mart", model)]);
    let destination = format!("out: {{type: files, path: out{settings}}}");
    project.edit("profiles.yml", "bi: {type: sqlite, path: bi.db}", &destination);
    project
}

/// The manifest below `folder`, after looking whether its files are there with their sizes and checksums. A reader does
/// the same.
fn manifest(folder: &Path) -> Json {
    let text = std::fs::read_to_string(folder.join("_manifest.json")).expect("a manifest");
    let manifest: Json = serde_json::from_str(&text).expect("JSON");
    for file in manifest["files"].as_array().expect("files") {
        let path = file["path"].as_str().expect("a path");
        let bytes = std::fs::read(folder.join(path)).unwrap_or_else(|error| panic!("{path}: {error}"));
        let hash: String = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!((file["bytes"].as_u64(), file["sha256"].as_str()), (Some(bytes.len() as u64), Some(hash.as_str())));
    }
    manifest
}

/// Data files below `folder` that the manifest does not name.
fn strangers(folder: &Path, manifest: &Json) -> Vec<String> {
    let known: Vec<&str> =
        manifest["files"].as_array().expect("files").iter().filter_map(|file| file["path"].as_str()).collect();
    let entries = std::fs::read_dir(folder).expect("a folder").flatten();
    let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
    names.filter(|name| !name.starts_with('_') && !known.contains(&name.as_str())).collect()
}

#[test]
fn every_format_reads_back() {
    let sql = "select * from (values (2, 'Phở, \"bò\"', cast(12.50 as decimal(10, 2)), date '2022-04-01'), \
               (1, '', null, null)) as t(id, name, price, day)";
    let cases = [
        ("parquet", "", "parquet"),
        ("parquet", ", compression: snappy", "parquet"),
        ("csv", "", "csv"),
        ("csv", ", compression: gzip", "csv.gz"),
        ("json", "", "jsonl"),
        ("json", ", compression: zstd", "jsonl.zst"),
    ];
    for (format, more, extension) in cases {
        let project = project(&format!(", format: {format}{more}"), &format!("{MODEL}{sql}"));
        project.write(
            "models/sources.yml",
            format!(
                "sources:\n  - name: out\n    tables:\n      - name: mart\n        external: {{location: 'out/mart/*.{extension}', \
                 file_format: {format}}}\n"
            ),
        );
        project.ok(&["build"]).says(&["Published   out.mart", "2 rows"]);
        let manifest = manifest(&project.path("out/mart"));
        assert_eq!((&manifest["rows"], &manifest["version"]), (&2.into(), &1.into()));
        assert_eq!(manifest["published"]["warehouse_relation"], "main.mart");
        assert!(project.path("out/mart/_SUCCESS").exists());
        let rows = project.table("select id, name, price, day from {{ source('out', 'mart') }} order by id");
        assert_eq!(rows[1], "2|Phở, \"bò\"|12.5|2022-04-01", "{format}{more}");
        if format == "parquet" {
            assert_eq!(manifest["columns"][2]["type"], "Decimal128(10, 2)");
        }
        // CSV's empty text is a NULL for a reader that does not look at quotes.
        assert!(["1||null|null", "1|null|null|null"].contains(&rows[0].as_str()), "{format}{more}: {rows:?}");
        project.ok(&["build"]);
    }
}

#[test]
fn partitions_are_read_by_their_paths() {
    let model = "{{ config(materialized='table', publish={'to': 'out', 'partitions': ['kind']}) }}\n\
                 select * from (values (1, 'a'), (2, 'b'), (3, 'a')) as t(id, kind)";
    let project = project("", model);
    project.ok(&["build"]);
    let manifest = manifest(&project.path("out/mart"));
    let paths: Vec<&str> =
        manifest["files"].as_array().expect("files").iter().filter_map(|file| file["path"].as_str()).collect();
    assert!(
        paths.len() == 2 && paths[0].starts_with("kind=a/part-") && paths[1].starts_with("kind=b/part-"),
        "{paths:?}"
    );
    assert_eq!(manifest["partitions"][0], "kind");
}

#[test]
fn a_failing_test_leaves_the_old_files() {
    let project = project("", &format!("{MODEL}select 1 as id, 2 as n"));
    project.write("models/m.yml", "models:\n  - name: mart\n    columns: [{name: n, data_tests: [unique]}]\n");
    project.ok(&["build"]);
    let before = manifest(&project.path("out/mart"));
    project.edit("models/mart.sql", "select 1 as id, 2 as n", "select 1 as id, 2 as n union all select 2, 2");
    project.exits(1, &["build"]).says(&["because unique_mart_n failed"]);
    assert_eq!(manifest(&project.path("out/mart")), before);
}

/// A program that is killed at any moment leaves a version that can be read; the next publish tidies up.
#[test]
fn kills_leave_a_version_whole() {
    let sql = "select value as id, repeat('x', 40) || value as name, '{{ var('round', 0) }}' as round \
               from generate_series(1, 300000)";
    let project = project(", format: csv, max_file_rows: 25000", &format!("{MODEL}{sql}"));
    let started = Instant::now();
    project.ok(&["build"]);
    let whole = started.elapsed();
    let folder = project.path("out/mart");
    let mut seed = std::process::id();
    let mut random = || {
        // Any moment is as good as another, but the publish is in the second half of a build.
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        whole.mul_f64(0.4 + 0.6 * f64::from(seed >> 16) / 65_536.0)
    };
    let mut version = 1;
    for round in 1..=8 {
        let vars = format!("{{round: {round}}}");
        let mut command = project.command(&["build", "--vars", &vars]);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("starts");
        std::thread::sleep(random());
        child.kill().expect("killed");
        child.wait().expect("gone");
        let manifest = manifest(&folder);
        assert_eq!(manifest["rows"], 300_000, "round {round}");
        let now = manifest["version"].as_u64().expect("a version");
        assert!(now >= version, "round {round}: {now} after {version}");
        version = now;
    }
    project.ok(&["build", "--vars", "{round: 9}"]);
    let manifest = manifest(&folder);
    assert_eq!((&manifest["rows"], manifest["files"].as_array().map(Vec::len)), (&300_000.into(), Some(12)));
    assert_eq!(strangers(&folder, &manifest), [""; 0]);
    let hidden = std::fs::read_dir(folder.join("_c360")).expect("a folder").flatten();
    let left: Vec<_> = hidden.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    assert!(!left.iter().any(|name| name.starts_with("new-") || name.starts_with("intent-")), "{left:?}");
    let first = manifest["files"][0]["path"].as_str().expect("a path");
    let text = std::fs::read_to_string(folder.join(first)).expect("text");
    assert!(text.lines().nth(1).expect("a row").ends_with(",9"), "{text:.200}");
}

/// A small file system of its own, which is gone with the value.
struct Mount(std::path::PathBuf);

impl Mount {
    fn new(path: &Path, options: &str) -> Option<Mount> {
        std::fs::create_dir_all(path).expect("a folder");
        let mounted = std::process::Command::new("mount")
            .args(["-t", "tmpfs", "-o", options, "tmpfs"])
            .arg(path)
            .stderr(Stdio::null())
            .status();
        mounted.is_ok_and(|status| status.success()).then(|| Mount(path.to_path_buf()))
    }

    fn remount(&self, options: &str) {
        let status = std::process::Command::new("mount").args(["-o", options]).arg(&self.0).status().expect("mount");
        assert!(status.success());
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        let _ = std::process::Command::new("umount").arg(&self.0).status();
    }
}

#[test]
fn a_full_and_a_read_only_folder_keep_what_they_have() {
    let sql = "select value as id, md5(cast(value as varchar)) as name from generate_series(1, {{ var('rows', 10) }})";
    let project = project(", format: csv, single_file: true", &format!("{MODEL}{sql}"));
    let folder = project.path("out");
    let Some(mount) = Mount::new(&folder, "size=1m") else {
        return skip("no file system could be mounted: a full and a read-only folder are not tested");
    };
    project.ok(&["build"]);
    let before = manifest(&folder.join("mart"));
    let output = project.exits(1, &["build", "--vars", "{rows: 100000}"]);
    output.says(&["C6003", "no space is left"]);
    assert_eq!(manifest(&folder.join("mart")), before);
    mount.remount("remount,ro");
    let output = project.exits(1, &["build", "--vars", "{rows: 20}"]);
    output.says(&["C6003", "reading only"]);
    let debug = project.exits(1, &["debug"]).all();
    assert!(debug.contains("out") && debug.contains("reading only"), "{debug}");
    assert_eq!(manifest(&folder.join("mart")), before);
    mount.remount("remount,rw");
    project.ok(&["build", "--vars", "{rows: 20}"]);
    let after = manifest(&folder.join("mart"));
    assert_eq!(after["rows"], 20);
    assert_eq!(strangers(&folder.join("mart"), &after), [""; 0]);
    project.ok(&["debug"]);
}
