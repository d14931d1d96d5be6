//! `source_status:fresher`: sources that were loaded since an earlier `source freshness`.

use std::collections::HashMap;

use super::{Call, Mask, Result, Scope};
use crate::diag::{Diagnostic, codes};
use crate::state::SourceResults;

pub(super) fn find(call: &Call<'_>, scope: &Scope<'_>) -> Result<Mask> {
    let missing = |what: &str, help: &str| {
        Diagnostic::error(codes::BAD_ARGUMENT, format!("`source_status:` has no {what} to compare"))
            .label(call.span.clone(), "compares two runs of `source freshness`")
            .help(help)
    };
    let Some(previous) = scope.inputs.previous.and_then(|previous| previous.sources.as_ref()) else {
        return Err(missing(
            "earlier sources.json",
            "pass --state with a folder that holds the sources.json of an earlier `c360 source freshness`",
        ));
    };
    let Some(current) = scope.inputs.current_sources else {
        return Err(missing("current sources.json", "run `c360 source freshness` first"));
    };
    if call.value != "fresher" {
        return Ok(scope.none());
    }
    let before = loaded(previous);
    let now = loaded(current);
    Ok(scope.filter(|node| match (now.get(node.unique_id.as_str()), before.get(node.unique_id.as_str())) {
        (Some(Some(now)), Some(Some(before))) => now > before,
        // Unknown before: it counts as fresher, unless the earlier check failed.
        (Some(Some(_)), None) => true,
        _ => false,
    }))
}

/// When each source was loaded last; none if its check failed.
fn loaded(results: &SourceResults) -> HashMap<&str, Option<chrono::DateTime<chrono::Utc>>> {
    results.results.iter().map(|result| (result.unique_id.as_str(), result.max_loaded_at)).collect()
}
