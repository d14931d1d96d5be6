//! Artifacts that others write too: the catalog and the history of runs.

use std::path::Path;

use super::super::{Loaded, Session, write_catalog, write_runs};
use crate::diag::{Diagnostic, Diagnostics, Result, Severity, codes};

/// What only the warehouse and the sources can tell.
const FROM_DATA: &[&str] = &["catalog.json", "runs.json", "samples.json", "source_files.json"];

/// Brings `catalog.json` and `runs.json` up to date. A relation that cannot be read is a warning, and not in the catalog;
/// a history that cannot be read is one too.
///
/// # Errors
/// C5006 if the catalog cannot be written.
pub(super) async fn refresh(
    loaded: &Loaded,
    session: &Session,
    artifacts: &Path,
    diagnostics: &mut Diagnostics,
) -> Result<()> {
    for error in write_catalog(session, loaded, artifacts).await? {
        diagnostics.push(Diagnostic::warning(codes::WAREHOUSE_ERROR, format!("not in the catalog: {error}")));
    }
    if let Err(mut error) = write_runs(session, loaded, artifacts).await {
        error.severity = Severity::Warning;
        diagnostics.push(error.note("the site goes without the history of runs"));
    }
    Ok(())
}

/// Removes what was found in the data by an earlier invocation.
///
/// # Errors
/// C5006 if a file cannot be removed.
pub(super) fn forget(artifacts: &Path) -> Result<()> {
    FROM_DATA.iter().try_for_each(|name| remove(artifacts, name))
}

/// Removes one artifact, if it is there.
pub(super) fn remove(artifacts: &Path, name: &str) -> Result<()> {
    let path = artifacts.join(name);
    match std::fs::remove_file(&path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(Diagnostic::error(codes::STORE_ERROR, format!("`{}` cannot be removed: {error}", path.display())))
        }
        _ => Ok(()),
    }
}
