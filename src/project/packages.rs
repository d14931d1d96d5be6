//! Installed packages: every folder of `packages-install-path` with a `dbt_project.yml`.

use std::path::Path;

use super::{Package, ProjectConfig, Render};
use crate::diag::Diagnostics;

/// Reads the installed packages of the project in `dir`, sorted by name.
pub(super) fn load(
    dir: &Path,
    config: &ProjectConfig,
    render: &dyn Render,
    diagnostics: &mut Diagnostics,
) -> Vec<Package> {
    let Ok(entries) = std::fs::read_dir(dir.join(&config.packages_install_path)) else {
        return Vec::new();
    };
    let mut folders: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    folders.sort();
    let mut packages = Vec::new();
    for folder in folders.iter().filter(|folder| folder.join("dbt_project.yml").is_file()) {
        if let Some(config) = diagnostics.take(ProjectConfig::load(folder, render, &mut Diagnostics::default())) {
            packages.push(Package::read(folder, config, diagnostics));
        }
    }
    packages.sort_by(|a, b| a.config.name.cmp(&b.config.name));
    packages
}
