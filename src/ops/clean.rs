//! `clean`: deletes the folders that `clean-targets` names, and nothing outside of the project; or, with `--orphans`, what
//! builds that were killed have left behind.

use std::path::{Component, Path, PathBuf};

use chrono::{DateTime, TimeDelta, Utc};

use super::session::spill_dir;
use super::{Loaded, Options, Session};
use crate::diag::{Diagnostic, Result, codes};
use crate::project::Project;
use crate::warehouse::Vacuumed;

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

/// Longer than any build takes.
pub const ORPHAN_HOURS: u32 = 24;

/// Deletes what builds that were killed have left behind: files of the warehouse that belong to nothing, and folders of spilled
/// rows under the target's `spill_dir`. What was written in the last `hours` stays, since a build may be using it; with `dry_run`
/// it only tells.
///
/// # Errors
/// What the warehouse fails with.
pub async fn clean_orphans(options: &Options, loaded: &Loaded, hours: u32, dry_run: bool) -> Result<Vacuumed> {
    let session = Session::open(options, loaded, Vec::new()).await?;
    let limit = Utc::now() - TimeDelta::hours(i64::from(hours));
    let mut all = session.engine.warehouse.delete_orphans(limit, dry_run).await?;
    if let Some(folder) = spill_dir(loaded) {
        delete_spills(&folder, limit, dry_run, &mut all)?;
    }
    Ok(all)
}

/// Folders that the engine made for spilled rows, and did not take away.
fn delete_spills(folder: &Path, limit: DateTime<Utc>, dry_run: bool, all: &mut Vacuumed) -> Result<()> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Ok(()) };
    let spills = entries.flatten().filter(|entry| entry.file_name().to_string_lossy().starts_with("datafusion-"));
    for spill in spills.map(|entry| entry.path()).filter(|path| path.is_dir()) {
        let inside: Vec<_> = walkdir::WalkDir::new(&spill).into_iter().flatten().collect();
        let metas: Vec<_> = inside.iter().filter_map(|entry| entry.metadata().ok()).collect();
        let is_old = |meta: &std::fs::Metadata| meta.modified().is_ok_and(|at| DateTime::<Utc>::from(at) < limit);
        if !metas.iter().all(is_old) {
            continue;
        }
        let files = metas.iter().filter(|meta| meta.is_file());
        all.files += files.clone().count() as u64;
        all.bytes += files.map(std::fs::Metadata::len).sum::<u64>();
        if !dry_run && let Err(error) = std::fs::remove_dir_all(&spill) {
            let what = format!("`{}` cannot be deleted: {error}", spill.display());
            return Err(Diagnostic::error(codes::STORE_ERROR, what));
        }
    }
    Ok(())
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
