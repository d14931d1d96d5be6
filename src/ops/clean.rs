//! `clean`: deletes the folders that `clean-targets` names, and nothing outside of the project.

use std::path::{Component, Path, PathBuf};

use crate::diag::{Diagnostic, Result, codes};
use crate::project::Project;

/// Deletes the clean targets of `project`; gives back what was deleted.
///
/// # Errors
/// C1010 for a folder outside of the project, or one that holds its sources.
pub fn clean(project: &Project) -> Result<Vec<PathBuf>> {
    let root = &project.root;
    let mut deleted = Vec::new();
    for target in &root.config.clean_targets {
        check(project, target)?;
        let path = root.root.join(target);
        if path.is_dir() {
            std::fs::remove_dir_all(&path).map_err(|error| {
                Diagnostic::error(codes::STORE_ERROR, format!("`{target}` cannot be deleted: {error}"))
            })?;
            deleted.push(path);
        }
    }
    Ok(deleted)
}

fn check(project: &Project, target: &str) -> Result<()> {
    let refuse = |why: &str| {
        Err(Diagnostic::error(codes::BAD_ARGUMENT, format!("`{target}` is not deleted: {why}"))
            .help("`clean-targets` in dbt_project.yml names folders of artifacts, such as `target/c360`"))
    };
    let path = Path::new(target);
    let inside = path.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
    if !inside || path.components().all(|part| part == Component::CurDir) {
        return refuse("it is not inside of the project");
    }
    let config = &project.root.config;
    let sources = [
        &config.model_paths,
        &config.seed_paths,
        &config.test_paths,
        &config.macro_paths,
        &config.snapshot_paths,
        &config.analysis_paths,
    ];
    if sources.into_iter().flatten().any(|source| Path::new(source).starts_with(path)) {
        return refuse("it holds sources of the project");
    }
    Ok(())
}
