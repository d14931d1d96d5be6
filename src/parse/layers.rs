//! Folder settings of `dbt_project.yml`, as layers of a node's configuration.

use crate::node::Config;
use crate::project::yaml::{Key, Kind, Yaml};
use crate::project::{Package, Project, ResourceConfig};

/// The settings that `dbt_project.yml` files give to the resource with `fqn` in `package`: those of its own package,
/// then (for an installed package) those of the root project, from the outermost folder inwards.
pub(super) fn folder_config(project: &Project, package: &Package, resource: ResourceConfig, fqn: &[String]) -> Config {
    let mut config = Config::default();
    apply_tree(package, resource, fqn, &mut config);
    if package.name() != project.root.name() {
        apply_tree(&project.root, resource, fqn, &mut config);
    }
    config
}

fn apply_tree(package: &Package, resource: ResourceConfig, fqn: &[String], config: &mut Config) {
    let Some(mut level) = package.config.resource_tree(resource) else { return };
    apply_level(level, config);
    for part in fqn {
        match level.get(part) {
            Some(next) if matches!(next.kind, Kind::Map(_)) => level = next,
            _ => return,
        }
        apply_level(level, config);
    }
}

/// A key with `+`, or one whose value is no mapping, is a setting; the rest are folders.
fn apply_level(level: &Yaml, config: &mut Config) {
    for (key, value) in level.entries() {
        if !is_folder(key, value) {
            config.set_written(&key.name, value.to_json(), value.as_written(), Some(key.span.clone()));
        }
    }
}

/// True for a key of a tree of folder settings that names a folder.
pub(super) fn is_folder(key: &Key, value: &Yaml) -> bool {
    !key.name.starts_with('+') && matches!(value.kind, Kind::Map(_))
}
