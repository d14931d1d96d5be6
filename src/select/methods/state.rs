//! `state:modified`, `state:new` and their kin: nodes by what changed since an earlier manifest.

use super::{Call, Mask, Result, Scope, unknown_value};
use crate::state::Change;

pub(super) fn find(call: &Call<'_>, scope: &Scope<'_>) -> Result<Mask> {
    let comparison = scope.comparison(call.span)?;
    Ok(match call.value {
        "new" => scope.filter(|node| !comparison.existed(node)),
        "old" => scope.filter(|node| comparison.existed(node)),
        "modified" => scope.filter(|node| comparison.is_modified(node)),
        "unmodified" => scope.filter(|node| !comparison.is_modified(node)),
        other => match other.strip_prefix("modified.").and_then(Change::parse) {
            Some(change) => scope.filter(|node| comparison.has_change(node, change)),
            None => return Err(unknown_state(call)),
        },
    })
}

fn unknown_state(call: &Call<'_>) -> Box<crate::diag::Diagnostic> {
    let kinds: Vec<String> = Change::NAMES.iter().map(|(name, _)| format!("modified.{name}")).collect();
    let known: Vec<&str> =
        ["new", "old", "modified", "unmodified"].into_iter().chain(kinds.iter().map(String::as_str)).collect();
    unknown_value(call, "state", &known)
}
