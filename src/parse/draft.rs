//! A node before its template has been looked at.

use serde_json::json;

use crate::node::{Config, Node, NodeKind, ResourceType};
use crate::project::{Package, ProjectFile};

/// A node of `package` called `name`, defined in `file`; `path` is relative to its resource folder.
pub(super) fn node(
    package: &str,
    name: &str,
    resource_type: ResourceType,
    file: &ProjectFile,
    fqn: Vec<String>,
    kind: NodeKind,
) -> Node {
    Node {
        path: file.path.clone(),
        original_path: file.original_path.clone(),
        fqn,
        ..Node::new(package, name, resource_type, &file.source, kind)
    }
}

/// A [`node`] whose template is all of its file.
pub(super) fn whole_file(
    package: &str,
    name: &str,
    resource_type: ResourceType,
    file: &ProjectFile,
    fqn: Vec<String>,
    kind: NodeKind,
) -> Node {
    Node { raw_code: file.source.text.clone(), ..node(package, name, resource_type, file, fqn, kind) }
}

/// Package, folders of `path`, `name`.
pub(super) fn fqn(package: &Package, path: &str, name: &str) -> Vec<String> {
    let mut parts = vec![package.name().to_string()];
    parts.extend(folders(path));
    parts.push(name.to_string());
    parts
}

/// The folders of a relative path.
pub(super) fn folders(path: &str) -> Vec<String> {
    let mut parts: Vec<String> = path.split('/').map(str::to_string).collect();
    parts.pop();
    parts
}

/// The file's name without folders and extension.
pub(super) fn stem(path: &str) -> &str {
    let file = path.rsplit('/').next().unwrap_or(path);
    file.rsplit_once('.').map_or(file, |(stem, _)| stem)
}

/// The settings that a node has if nobody sets them, in dbt's order.
pub(super) fn defaults(config: &mut Config, resource_type: ResourceType) {
    config.set_default("enabled", json!(true));
    let materialized = match resource_type {
        ResourceType::Seed => "seed",
        ResourceType::Snapshot => "snapshot",
        ResourceType::Test => "test",
        _ => "view",
    };
    match resource_type {
        ResourceType::Source | ResourceType::Exposure | ResourceType::UnitTest => {}
        _ => config.set_default("materialized", json!(materialized)),
    }
    if resource_type == ResourceType::Test {
        config.set_default("severity", json!("ERROR"));
        config.set_default("fail_calc", json!("count(*)"));
        config.set_default("warn_if", json!("!= 0"));
        config.set_default("error_if", json!("!= 0"));
    }
    if resource_type == ResourceType::Model {
        config.set_default("on_schema_change", json!("ignore"));
    }
}

/// A file of a package, as the owner of nodes that are made rather than read.
pub(super) fn made_file(file: &ProjectFile, path: String) -> ProjectFile {
    ProjectFile { path, ..file.clone() }
}
