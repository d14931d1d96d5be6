//! Diagnostics on their way through DataFusion, and what other crates' errors become.
//!
//! A scan runs inside DataFusion, whose errors are its own. A diagnostic travels in `DataFusionError::External`;
//! operators wrap that in contexts, shared errors and Arrow errors, and [`diagnostic_of`] finds it again.

use std::error::Error;

use datafusion::error::DataFusionError;

use crate::diag::{Diagnostic, codes};
use crate::engine::diagnostic_of;

/// Packs a diagnostic so that it can travel through DataFusion.
pub fn into_datafusion(diagnostic: Box<Diagnostic>) -> DataFusionError {
    DataFusionError::External(diagnostic)
}

/// What a file or store says when it cannot be read: one diagnostic with the file's name.
pub(super) fn unreadable(file: &str, error: &(dyn Error + 'static)) -> Box<Diagnostic> {
    if let Some(known) = diagnostic_of(error) {
        return known;
    }
    Diagnostic::error(codes::STORE_ERROR, format!("cannot read `{file}`")).note(short(&error.to_string()))
}

/// The same for an error of DataFusion.
pub(super) fn unreadable_df(file: &str, error: &DataFusionError) -> Box<Diagnostic> {
    match diagnostic_of(error) {
        Some(known) => known,
        None => {
            Diagnostic::error(codes::STORE_ERROR, format!("cannot read `{file}`")).note(short(&error.strip_backtrace()))
        }
    }
}

/// The first line of a message, cut to a length that fits into a note.
fn short(message: &str) -> String {
    let line = message.lines().next().unwrap_or("");
    match line.char_indices().nth(400) {
        Some((end, _)) => format!("{} ...", &line[..end]),
        None => line.to_string(),
    }
}
