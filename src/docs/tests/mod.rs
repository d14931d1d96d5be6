//! Sites from artifacts that were written by hand.

mod hostile;
mod project;

use std::path::Path;

use serde_json::{Value as Json, json};

use super::{Generated, SiteOptions, generate};
use crate::diag::codes;

/// A folder of artifacts, and the site that was made from them.
pub(super) struct Made {
    folder: tempfile::TempDir,
    generated: Generated,
}

/// The site of these artifacts, by file name.
pub(super) fn made(artifacts: &[(&str, Json)]) -> Made {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, artifact) in artifacts {
        std::fs::write(folder.path().join(name), artifact.to_string()).expect("a file");
    }
    let generated = generate(&options(folder.path())).expect("a site");
    Made { folder, generated }
}

fn options(folder: &Path) -> SiteOptions {
    SiteOptions { artifacts: folder.to_path_buf(), out: folder.join("docs"), overrides: None }
}

impl Made {
    fn bytes(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.folder.path().join("docs/data").join(format!("{name}.js"))).expect("a data file")
    }

    /// The value of a data file.
    pub(super) fn data(&self, name: &str) -> Json {
        value(name, &self.bytes(name))
    }

    /// The page of the node with this unique id.
    pub(super) fn node(&self, id: &str) -> Json {
        let index = self.data("index");
        let nodes = index["nodes"].as_array().expect("nodes");
        let number = nodes.iter().position(|node| node["id"] == id).expect("the node");
        self.data(&format!("nodes/{number}"))
    }

    /// Names and bytes of all files of the site.
    pub(super) fn files(&self) -> Vec<(String, Vec<u8>)> {
        let root = self.folder.path().join("docs");
        let mut files = Vec::new();
        for entry in walkdir::WalkDir::new(&root).sort_by_file_name() {
            let entry = entry.expect("a readable site");
            if entry.file_type().is_file() {
                let name = entry.path().strip_prefix(&root).expect("below").to_string_lossy().into_owned();
                files.push((name, std::fs::read(entry.path()).expect("a file")));
            }
        }
        files
    }
}

fn pretty(value: &Json) -> String {
    format!("{value:#}")
}

/// What the script of a data file hands over, read as strictly as JSON is.
pub(super) fn value(name: &str, bytes: &[u8]) -> Json {
    let text = std::str::from_utf8(bytes).expect("UTF-8");
    let inner = text.strip_prefix(&format!("c360Data(\"{name}\",")).and_then(|text| text.strip_suffix(");\n"));
    serde_json::from_str(inner.unwrap_or_else(|| panic!("{name} is not one call"))).expect("JSON")
}

#[test]
fn the_index_of_a_project() {
    let made = made(&project::artifacts());
    insta::assert_snapshot!(pretty(&made.data("index")));
    assert_eq!((made.generated.nodes, made.generated.tests, made.generated.macros), (6, 4, 2));
    let size: usize = made.files().iter().map(|(_, bytes)| bytes.len()).sum();
    assert_eq!(made.generated.bytes, size as u64);
}

#[test]
fn the_pages_of_a_project() {
    let made = made(&project::artifacts());
    let ids = ["model.shop.orders", "source.shop.lake.orders", "destination.bi", "exposure.shop.board"];
    for id in ids {
        insta::with_settings!({snapshot_suffix => id}, { insta::assert_snapshot!("node", pretty(&made.node(id))) });
    }
    insta::assert_snapshot!("tests", pretty(&made.data("tests/0")));
    insta::assert_snapshot!("macro", pretty(&made.data("macros/0")));
    insta::assert_snapshot!("lineage", pretty(&made.data("lineage")));
    insta::assert_snapshot!("search", pretty(&made.data("search")));
    insta::assert_snapshot!("sql", pretty(&made.data("sql")));
}

#[test]
fn the_same_artifacts_give_the_same_bytes() {
    let artifacts = project::artifacts();
    assert_eq!(made(&artifacts).files(), made(&artifacts).files());
}

#[test]
fn a_manifest_is_enough() {
    let manifest = project::artifacts().into_iter().find(|(name, _)| *name == "manifest.json").expect("a manifest");
    let made = made(&[manifest]);
    let page = made.node("model.shop.orders");
    assert_eq!(page["columns"][0]["name"], "order_id");
    assert!(page["columns"][0].get("undeclared").is_none() && page["columns"][0].get("absent").is_none());
    assert!(made.generated.warnings.is_empty());
}

#[test]
fn nothing_of_a_project_is_needed() {
    let made = made(&[("manifest.json", json!({}))]);
    assert_eq!(made.data("index")["nodes"], json!([]));
    let nulls = json!({
        "nodes": {"model.a.b": {"name": "b", "resource_type": "model", "description": null, "config": null, "tags": null,
            "columns": {"x": {"name": "x", "description": null, "tags": null}}, "depends_on": null, "version": 2,
            "refs": [["old"]], "docs": null, "group": null, "fqn": null, "unique_id": "model.a.b"}},
        "exposures": {"exposure.a.e": {"name": "e", "resource_type": "exposure", "owner": null, "url": 1}},
        "macros": null,
    });
    let nulls = super::tests::made(&[("manifest.json", nulls), ("catalog.json", json!({"nodes": null}))]);
    assert_eq!(nulls.node("model.a.b")["columns"], json!([{"name": "x"}]));
    assert!(nulls.generated.warnings.is_empty(), "{:?}", nulls.generated.warnings);
}

#[test]
fn artifacts_that_cannot_be_read_are_told() {
    let made = made(&[("manifest.json", json!({})), ("catalog.json", json!([1])), ("runs.json", json!("x"))]);
    let told: Vec<&str> = made.generated.warnings.iter().map(|warning| warning.message.as_str()).collect();
    assert!(told.len() == 2 && told[0].starts_with("the site goes without catalog.json"), "{told:?}");
    let folder = tempfile::tempdir().expect("a folder");
    let missing = generate(&options(folder.path())).expect_err("no manifest");
    assert_eq!(missing.code, codes::FILE_UNREADABLE);
    assert!(!folder.path().join("docs").exists());
}

#[test]
fn other_folders_are_left_alone() {
    let first = made(&[("manifest.json", json!({}))]);
    let folder = first.folder.path();
    // A site is replaced, without what was in the old one.
    std::fs::write(folder.join("docs/data/nodes/99.js"), "old").expect("a file");
    generate(&options(folder)).expect("a site again");
    assert!(!folder.join("docs/data/nodes/99.js").exists());
    let beside: Vec<String> = std::fs::read_dir(folder)
        .expect("a folder")
        .map(|entry| entry.expect("an entry").file_name().into_string().expect("a name"))
        .collect();
    assert!(!beside.iter().any(|name| name.starts_with('.')), "{beside:?}");
    // Anything else is not.
    let other = SiteOptions { out: folder.to_path_buf(), ..options(folder) };
    let refused = generate(&other).expect_err("a folder with artifacts");
    assert_eq!(refused.code, codes::BAD_ARGUMENT);
    assert!(folder.join("manifest.json").is_file());
}
