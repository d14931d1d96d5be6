//! DataFusion's errors, as findings.

use std::error::Error;

use datafusion::arrow::error::ArrowError;
use datafusion::error::DataFusionError;

use crate::diag::{Diagnostic, codes};

/// The diagnostic at the root of `error`, if it is one of ours.
pub fn diagnostic_of(error: &(dyn Error + 'static)) -> Option<Box<Diagnostic>> {
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
fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error| inner(*error))
}

fn inner<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
    match error.downcast_ref::<DataFusionError>() {
        Some(DataFusionError::External(inner)) => Some(inner.as_ref()),
        Some(DataFusionError::Shared(inner)) => Some(inner.as_ref()),
        Some(DataFusionError::Context(_, inner) | DataFusionError::Diagnostic(_, inner)) => Some(inner.as_ref()),
        Some(DataFusionError::ArrowError(inner, _)) => match inner.as_ref() {
            ArrowError::ExternalError(inner) => Some(inner.as_ref()),
            other => Some(other),
        },
        _ => error.source(),
    }
}

/// What failed while a query ran: the diagnostic inside, or the engine's words.
pub fn execution_error(error: &DataFusionError) -> Box<Diagnostic> {
    if let Some(diagnostic) = diagnostic_of(error) {
        return diagnostic;
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
