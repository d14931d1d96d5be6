//! Errors of DataFusion and of what runs inside of it, as findings. The lowest room of the engine: all others use it.

use std::error::Error;

use datafusion::arrow::error::ArrowError;
use datafusion::error::DataFusionError;
use datafusion::parquet::errors::ParquetError;

use crate::diag::{Diagnostic, codes};

/// The diagnostic that `error` carries, however deep it is wrapped, if it is one of ours.
pub fn diagnostic_of(error: &(dyn Error + 'static)) -> Option<Box<Diagnostic>> {
    if let Some(DataFusionError::Collection(all)) = error.downcast_ref::<DataFusionError>() {
        return all.iter().find_map(|error| diagnostic_of(error));
    }
    chain(error).find_map(|error| {
        let boxed = error.downcast_ref::<Box<Diagnostic>>().cloned();
        boxed.or_else(|| error.downcast_ref::<Diagnostic>().map(|found| Box::new(found.clone())))
    })
}

/// The first failure of DataFusion behind `error`, if there is one.
pub fn datafusion_error<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a DataFusionError> {
    chain(error).find_map(|error| error.downcast_ref::<DataFusionError>())
}

/// `error` and what it wraps. Wrappers that hide their content from `source()` are opened.
pub(crate) fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error| inner(*error))
}

fn inner<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
    if let Some(error) = error.downcast_ref::<DataFusionError>() {
        return match error {
            DataFusionError::External(inner) => Some(inner.as_ref()),
            DataFusionError::Shared(inner) => Some(inner.as_ref()),
            DataFusionError::Context(_, inner) | DataFusionError::Diagnostic(_, inner) => Some(inner.as_ref()),
            DataFusionError::ArrowError(inner, _) => Some(inner.as_ref()),
            DataFusionError::ParquetError(inner) => Some(inner.as_ref()),
            DataFusionError::ObjectStore(inner) => Some(inner.as_ref()),
            DataFusionError::IoError(inner) => inner.get_ref().map(|inner| inner as &(dyn Error + 'static)),
            other => other.source(),
        };
    }
    match (error.downcast_ref::<ArrowError>(), error.downcast_ref::<ParquetError>()) {
        (Some(ArrowError::ExternalError(inner)), _) | (_, Some(ParquetError::External(inner))) => Some(inner.as_ref()),
        _ => error.source(),
    }
}

/// What failed while a query ran: the diagnostic inside, or the engine's words.
pub fn execution_error(error: &DataFusionError) -> Box<Diagnostic> {
    if let Some(diagnostic) = diagnostic_of(error) {
        return diagnostic;
    }
    if let Some(store) = crate::stores::of_store(error) {
        return crate::stores::explain(
            Diagnostic::error(codes::STORE_ERROR, "a file cannot be read or written"),
            store,
        );
    }
    match error.find_root() {
        DataFusionError::ResourcesExhausted(text) => Diagnostic::error(codes::MEMORY_LIMIT, "out of memory")
            .note(text.clone())
            .help("raise `memory_limit` or lower `threads` in the profile, or aggregate in two steps"),
        root => {
            let text = root.strip_backtrace();
            let overflow = text.to_lowercase().contains("overflow");
            let code = if overflow { codes::ARITHMETIC_OVERFLOW } else { codes::SQL_EXECUTION };
            Diagnostic::error(code, first_line(&text)).maybe_help(
                overflow
                    .then_some("cast an operand to a wider type: `cast(x as decimal(38, 0))` or `cast(x as double)`"),
            )
        }
    }
}

fn first_line(text: &str) -> String {
    let text = text
        .trim_start_matches("Arrow error: ")
        .trim_start_matches("Execution error: ")
        .trim_start_matches("External error: ")
        .trim_start_matches("Error during planning: ");
    text.lines().next().unwrap_or("the query failed").to_string()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn a_diagnostic_is_found_however_deep_it_is_wrapped() {
        let error = DataFusionError::External(Diagnostic::error(codes::BAD_RECORD, "bad"));
        let error = DataFusionError::Shared(Arc::new(error.context("while scanning")));
        let error = ArrowError::ExternalError(Box::new(error));
        let error = DataFusionError::Collection(vec![DataFusionError::ArrowError(Box::new(error), None)]);
        assert_eq!(diagnostic_of(&error).map(|found| found.code), Some(codes::BAD_RECORD));
        assert!(diagnostic_of(&DataFusionError::Internal("x".into())).is_none());
    }
}
