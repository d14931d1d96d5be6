//! Diagnostics that survive a cluster.
//!
//! Ballista tells of a failed task in words: the error's `Debug`, with more words around it. So a diagnostic travels as
//! one word inside of the error's text, in characters that nothing escapes.

use std::fmt::Write;

use datafusion::error::DataFusionError;
use serde_json::{Value as Json, json};

use ballista_core::error::BallistaError;

use crate::diag::{Diagnostic, codes};
use crate::failure::{diagnostic_of, execution_error};

const OPEN: &str = "c360-diagnostic-";
const CLOSE: char = '.';

/// `error` with its diagnostic written into its text. What Ballista handles itself, because running the task again may
/// help, stays as it is.
pub(super) fn seal(error: DataFusionError) -> DataFusionError {
    match sealed(&error) {
        Some(text) => DataFusionError::Execution(text),
        None => error,
    }
}

fn sealed(error: &DataFusionError) -> Option<String> {
    if let Some(found) = diagnostic_of(error) {
        return Some(pack(&found));
    }
    match error.find_root() {
        DataFusionError::IoError(_) => None,
        DataFusionError::External(inner) => match inner.downcast_ref::<BallistaError>() {
            Some(error) => sealed_ballista(error),
            None => Some(pack(&execution_error(error))),
        },
        _ => Some(pack(&execution_error(error))),
    }
}

fn sealed_ballista(error: &BallistaError) -> Option<String> {
    match error {
        BallistaError::DataFusionError(error) => sealed(error),
        BallistaError::ArrowError(error) => match diagnostic_of(error.as_ref()) {
            Some(found) => Some(pack(&found)),
            None => Some(pack(&execution_error(&DataFusionError::Execution(error.to_string())))),
        },
        _ => None,
    }
}

fn pack(diagnostic: &Diagnostic) -> String {
    // Places are in files of the client; what executors find is about rows and has none.
    let json = json!({
        "code": diagnostic.code.id, "message": diagnostic.message,
        "notes": diagnostic.notes, "helps": diagnostic.helps,
    });
    let mut text = String::from(OPEN);
    for byte in json.to_string().bytes() {
        // Writing to a string does not fail.
        let _ = write!(text, "{byte:02x}");
    }
    text.push(CLOSE);
    text
}

/// The diagnostic in `text`, if there is one.
pub(super) fn unseal(text: &str) -> Option<Box<Diagnostic>> {
    let start = text.find(OPEN)? + OPEN.len();
    let hex = &text[start..start + text[start..].find(CLOSE)?];
    let bytes: Option<Vec<u8>> =
        (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(hex.get(at..at + 2)?, 16).ok()).collect();
    let json: Json = serde_json::from_slice(&bytes?).ok()?;
    let code = codes::find(json.get("code")?.as_str()?)?;
    let mut found = Diagnostic::error(code, json.get("message")?.as_str()?);
    let texts = |key: &str| -> Vec<String> {
        let list = json.get(key).and_then(Json::as_array);
        list.into_iter().flatten().filter_map(|text| text.as_str().map(String::from)).collect()
    };
    found.notes = texts("notes");
    found.helps = texts("helps");
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ballista_core::serde::protobuf::FailedTask;
    use datafusion::arrow::error::ArrowError;

    fn told(error: DataFusionError) -> FailedTask {
        FailedTask::from(BallistaError::from(seal(error)))
    }

    #[test]
    fn a_diagnostic_comes_back_out_of_a_task_s_failure() {
        let diagnostic = Diagnostic::error(codes::BAD_RECORD, "bad record at /lake/\"a\".json:3:7: tình \\ yêu\n")
            .note("the record begins with `{`")
            .help("look at it");
        let error = BallistaError::from(DataFusionError::External(diagnostic.clone())).into_datafusion();
        let failed = told(error.context("while scanning"));
        assert!(!failed.retryable);
        let found = unseal(&format!("Job x failed: {}", failed.error)).expect("a diagnostic");
        assert_eq!(found, diagnostic);
    }

    #[test]
    fn the_engine_s_own_errors_get_their_codes() {
        let failed = told(DataFusionError::ResourcesExhausted("1 GB wanted".into()));
        assert_eq!(unseal(&failed.error).map(|found| found.code), Some(codes::MEMORY_LIMIT));
    }

    #[test]
    fn an_overflow_behind_a_shuffle_is_one() {
        let overflow = ArrowError::ArithmeticOverflow("1 + 2 does not fit".into());
        let error = BallistaError::from(overflow).into_datafusion();
        let failed = told(DataFusionError::Shared(std::sync::Arc::new(error)));
        let found = unseal(&failed.error).expect("a diagnostic");
        assert_eq!(found.code, codes::ARITHMETIC_OVERFLOW);
        assert!(found.message.ends_with("1 + 2 does not fit"), "{}", found.message);
    }

    #[test]
    fn what_may_be_tried_again_is_left_alone() {
        let broken = std::io::Error::new(std::io::ErrorKind::ConnectionReset, "reset");
        assert!(told(DataFusionError::IoError(broken)).retryable);
        let lost = BallistaError::FetchFailed("executor".into(), 1, 2, "gone".into()).into_datafusion();
        assert!(unseal(&told(lost).error).is_none());
        assert!(unseal("c360-diagnostic-xyz.").is_none() && unseal("").is_none());
    }
}
