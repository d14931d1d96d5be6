//! `result:error`: nodes by the status that they had in an earlier invocation.

use std::collections::HashSet;

use super::{Call, Mask, Result, Scope};
use crate::diag::{Diagnostic, codes};

/// The statuses that runs write.
pub(in crate::select) const STATUSES: [&str; 8] =
    ["success", "error", "skipped", "partial success", "pass", "fail", "warn", "no-op"];

pub(super) fn find(call: &Call<'_>, scope: &Scope<'_>) -> Result<Mask> {
    let Some(results) = scope.inputs.previous.and_then(|previous| previous.results.as_ref()) else {
        return Err(Diagnostic::error(codes::BAD_ARGUMENT, "`result:` has no earlier results to look at")
            .label(call.span.clone(), "looks at the results of an earlier invocation")
            .help("pass --state with a folder that holds the run_results.json of an earlier invocation"));
    };
    let ids: HashSet<&str> = results
        .results
        .iter()
        .filter(|result| result.status == call.value)
        .map(|result| result.unique_id.as_str())
        .collect();
    Ok(scope.filter(|node| ids.contains(node.unique_id.as_str())))
}
