//! Diagnostics on their way through DataFusion, and what other crates' errors become.
//!
//! A scan runs inside DataFusion, whose errors are its own. A diagnostic travels in `DataFusionError::External`;
//! operators wrap that in contexts, shared errors and Arrow errors. [`diagnostic_of`] finds it again.

use std::error::Error;

use datafusion::arrow::error::ArrowError;
use datafusion::error::DataFusionError;
use datafusion::parquet::errors::ParquetError;

use crate::diag::{Diagnostic, codes};

/// Packs a diagnostic so that it can travel through DataFusion.
pub fn into_datafusion(diagnostic: Box<Diagnostic>) -> DataFusionError {
    DataFusionError::External(diagnostic)
}

/// The diagnostic that `error` carries, however deep it is wrapped.
pub fn diagnostic_of(error: &DataFusionError) -> Option<&Diagnostic> {
    match error {
        DataFusionError::External(inner) => of_any(inner.as_ref()),
        DataFusionError::Context(_, inner) | DataFusionError::Diagnostic(_, inner) => diagnostic_of(inner),
        DataFusionError::Shared(inner) => diagnostic_of(inner),
        DataFusionError::Collection(all) => all.iter().find_map(diagnostic_of),
        DataFusionError::ArrowError(inner, _) => of_any(inner.as_ref()),
        DataFusionError::ParquetError(inner) => of_any(inner.as_ref()),
        DataFusionError::ObjectStore(inner) => of_any(inner.as_ref()),
        DataFusionError::IoError(inner) => inner.get_ref().and_then(|inner| of_any(inner)),
        _ => None,
    }
}

/// The same for an error of any type: by what it is, then by what it says it was caused by.
fn of_any<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a Diagnostic> {
    if let Some(found) = error.downcast_ref::<Diagnostic>() {
        return Some(found);
    }
    if let Some(found) = error.downcast_ref::<Box<Diagnostic>>() {
        return Some(found);
    }
    if let Some(inner) = error.downcast_ref::<DataFusionError>() {
        return diagnostic_of(inner);
    }
    match (error.downcast_ref::<ArrowError>(), error.downcast_ref::<ParquetError>()) {
        (Some(ArrowError::ExternalError(inner)), _) | (_, Some(ParquetError::External(inner))) => {
            of_any(inner.as_ref())
        }
        _ => error.source().and_then(of_any),
    }
}

/// What a file or store says when it cannot be read: one diagnostic with the file's name.
pub(super) fn unreadable(file: &str, error: &(dyn Error + 'static)) -> Box<Diagnostic> {
    if let Some(known) = of_any(error) {
        return Box::new(known.clone());
    }
    Diagnostic::error(codes::STORE_ERROR, format!("cannot read `{file}`")).note(short(&error.to_string()))
}

/// The same for an error of DataFusion.
pub(super) fn unreadable_df(file: &str, error: &DataFusionError) -> Box<Diagnostic> {
    match diagnostic_of(error) {
        Some(known) => Box::new(known.clone()),
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn a_diagnostic_is_found_however_deep_it_is_wrapped() {
        let diagnostic = Diagnostic::error(codes::BAD_RECORD, "bad");
        let error = into_datafusion(diagnostic);
        let error = DataFusionError::Shared(Arc::new(error.context("while scanning")));
        let error = ArrowError::ExternalError(Box::new(error));
        let error = DataFusionError::ArrowError(Box::new(error), None);
        assert_eq!(diagnostic_of(&error).map(|found| found.code), Some(codes::BAD_RECORD));
        assert!(diagnostic_of(&DataFusionError::Internal("x".into())).is_none());
    }
}
