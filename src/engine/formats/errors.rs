//! Diagnostics on their way through DataFusion, and what other crates' errors become.
//!
//! A scan runs inside DataFusion, whose errors are its own. A diagnostic travels in `DataFusionError::External`;
//! operators wrap that in contexts, shared errors and Arrow errors, and [`diagnostic_of`](crate::engine::diagnostic_of) finds it again.

use std::error::Error;

use datafusion::error::DataFusionError;

use crate::diag::{Diagnostic, codes};
use crate::stores::{clean, explain, of_store};

/// Packs a diagnostic so that it can travel through DataFusion.
pub fn into_datafusion(diagnostic: Box<Diagnostic>) -> DataFusionError {
    DataFusionError::External(diagnostic)
}

/// What a file or store says when it cannot be read: one diagnostic with the file's name.
pub(super) fn unreadable(file: &str, error: &(dyn Error + 'static)) -> Box<Diagnostic> {
    let found = explain(Diagnostic::error(codes::STORE_ERROR, format!("cannot read `{}`", clean(file))), error);
    // The store gave bytes, and a reader made nothing of them.
    let is_decoding = found.code == codes::STORE_ERROR && found.helps.is_empty() && of_store(error).is_none();
    found.maybe_help(
        is_decoding.then_some("`file_format:` of the source says how files are written, whatever their names"),
    )
}

/// The same for an error of DataFusion.
pub(super) fn unreadable_df(file: &str, error: &DataFusionError) -> Box<Diagnostic> {
    unreadable(file, error)
}
