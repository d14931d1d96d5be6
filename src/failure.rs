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
        DataFusionError::ResourcesExhausted(text) => out_of_memory(text),
        // Its own words hold those of the store, so that the store's error cannot be found behind it.
        DataFusionError::ParquetError(error) => damaged(&error.to_string()),
        DataFusionError::ArrowError(error, _) if matches!(error.as_ref(), ArrowError::ParquetError(_)) => {
            damaged(&error.to_string())
        }
        root => of_values(&root.strip_backtrace()),
    }
}

/// C5006: what a Parquet file holds makes no sense.
fn damaged(text: &str) -> Box<Diagnostic> {
    Diagnostic::error(codes::STORE_ERROR, "a Parquet file cannot be read")
        .note(without_kinds(text).to_string())
        .help("if it is of a table of the warehouse, build that table again: `c360 build --full-refresh --select ..`")
}

/// C5008, with the operator that asked for more and the limit, out of the pool's long words.
pub fn out_of_memory(text: &str) -> Box<Diagnostic> {
    let between = |start: &str, ends: &[&str]| {
        let rest = text.split_once(start)?.1;
        let end = ends.iter().filter_map(|end| rest.find(end)).min()?;
        Some(rest[..end].trim())
    };
    let asked = between("llocation failed for ", &["[", "#", " with "])
        .or_else(|| between("Failed to allocate additional ", &[" with "])?.split_once(" for ").map(|(_, name)| name))
        .map(|name| name.split(['[', '#']).next().unwrap_or(name));
    let limit = between("pool_size: ", &[")"]);
    let note = match (asked, limit) {
        (Some(asked), Some(limit)) => format!("the operator {asked} asked for more; all of them share {limit}"),
        (Some(asked), None) => format!("the operator {asked} asked for more"),
        _ => text.lines().next().unwrap_or_default().to_string(),
    };
    Diagnostic::error(codes::MEMORY_LIMIT, "the query needs more memory than `memory_limit` allows")
        .note(note)
        .help("raise `memory_limit` or lower `threads` in the profile; or filter and aggregate before the join")
}

/// A value that a calculation or a cast stumbled over.
fn of_values(text: &str) -> Box<Diagnostic> {
    let text = lowered(without_kinds(text).lines().next().unwrap_or("the query failed"));
    let lower = text.to_lowercase();
    if lower.contains("overflow") {
        let help = "cast an operand to a wider type: `cast(x as decimal(38, 0))` or `cast(x as double)`";
        return Diagnostic::error(codes::ARITHMETIC_OVERFLOW, text).help(help);
    }
    if lower.starts_with("cannot cast") || lower.starts_with("cannot parse") || lower.starts_with("error parsing") {
        return Diagnostic::error(codes::SQL_EXECUTION, cast_in_sql(&text))
            .help("`try_cast(x as type)` gives null where a value cannot be converted");
    }
    let divides = lower.contains("divide by zero") || lower.contains("division by zero");
    Diagnostic::error(codes::SQL_EXECUTION, text).maybe_help(divides.then_some("guard the divisor: `a / nullif(b, 0)`"))
}

/// `text` without the kinds of errors that libraries put before it, each its own.
fn without_kinds(mut text: &str) -> &str {
    const KINDS: [&str; 8] = [
        "Arrow error: ",
        "Parquet argument error: ",
        "Parquet error: ",
        "External: ",
        "Execution error: ",
        "External error: ",
        "Error during planning: ",
        "Cast error: ",
    ];
    while let Some(rest) = KINDS.iter().find_map(|kind| text.strip_prefix(kind)) {
        text = rest;
    }
    text
}

/// A fragment begins with a small letter, unless its first word is a name or in capitals.
fn lowered(text: &str) -> String {
    let mut chars = text.chars();
    match (chars.next(), chars.next()) {
        (Some(first), Some(second)) if first.is_uppercase() && second.is_lowercase() => {
            first.to_lowercase().chain(text.chars().skip(1)).collect()
        }
        _ => text.to_string(),
    }
}

/// `cannot cast string 'ten' to value of Int32 type`, with the type as SQL has it.
fn cast_in_sql(text: &str) -> String {
    const TYPES: [(&str, &str); 8] = [
        ("Int8", "tinyint"),
        ("Int16", "smallint"),
        ("Int32", "int"),
        ("Int64", "bigint"),
        ("Float32", "real"),
        ("Float64", "double"),
        ("Date32", "date"),
        ("Boolean", "boolean"),
    ];
    let parts = text.rsplit_once(" to value of ").and_then(|(value, kind)| Some((value, kind.strip_suffix(" type")?)));
    let Some((value, kind)) = parts else { return text.to_string() };
    let kind = TYPES.iter().find(|(arrow, _)| *arrow == kind).map_or(kind, |(_, sql)| sql);
    format!("{value} to {kind}")
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn casts_are_told_in_the_words_of_sql() {
        let error = ArrowError::CastError("Cannot cast string 'an Int64 type' to value of Int32 type".into());
        let found = execution_error(&DataFusionError::ArrowError(Box::new(error), None));
        assert_eq!(found.message, "cannot cast string 'an Int64 type' to int");
        assert!(found.helps[0].contains("try_cast"));
        let found = execution_error(&DataFusionError::ArrowError(Box::new(ArrowError::DivideByZero), None));
        assert!(found.helps[0].contains("nullif"), "{found:?}");
    }

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
