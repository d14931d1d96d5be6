//! Delta Lake tables as sources.

use std::sync::Arc;

use datafusion::catalog::{Session, TableProvider};

use crate::diag::{self, Diagnostic, codes};

use super::errors::{unreadable, unreadable_df};
use super::location::Location;
use super::shipped::{Ships, delta_files};
use super::spec::ScanSpec;

/// Opens the newest version of the table that the location names, through the session's own store.
///
/// # Errors
/// C5001 if there is no table, C5005 if the declaration asks for what only files have.
pub(super) async fn open(
    session: &dyn Session,
    spec: &ScanSpec,
    location: &Location,
) -> diag::Result<Arc<dyn TableProvider>> {
    if !location.is_plain() || !spec.path_columns.is_empty() {
        let what = format!("source `{}` is a Delta table: it can have neither wildcards nor path_columns", spec.name);
        return Err(Diagnostic::error(codes::BAD_SOURCE, what));
    }
    let url = location.folder_url().ok_or_else(|| {
        Diagnostic::error(codes::BAD_SOURCE, format!("the location `{}` is no folder", location.text))
    })?;
    let store = session.runtime_env().object_store(&location.url);
    let store = store.map_err(|error| unreadable_df(&location.text, &error))?;
    let builder = crate::stores::delta::table_on(store, &url)?;
    let mut table = builder.build().map_err(|error| unreadable(&location.text, &error))?;
    match table.verify_deltatable_existence().await {
        Ok(true) => {}
        Ok(false) => return Err(no_table(&location.text)),
        Err(error) => return Err(unreadable(&location.text, &error)),
    }
    table.load().await.map_err(|error| unreadable(&location.text, &error))?;
    if session.config().get_extension::<Ships>().is_some() {
        let files = delta_files(&table, &spec.name).map_err(|error| unreadable_df(&location.text, &error))?;
        if let Some(files) = files {
            return Ok(files);
        }
    }
    let provider = table.table_provider().await;
    provider.map_err(|error| unreadable_df(&location.text, &error))
}

fn no_table(location: &str) -> Box<Diagnostic> {
    Diagnostic::error(codes::SOURCE_FILES_MISSING, format!("there is no Delta table at `{location}`"))
        .help("a Delta table is a folder with a `_delta_log` in it")
}
