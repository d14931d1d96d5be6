//! `tag:nightly`: nodes by tag.

use super::{Call, Mask, Pattern, Result, Scope};

pub(super) fn find(call: &Call<'_>, scope: &Scope<'_>) -> Result<Mask> {
    let pattern = Pattern::new(call.value);
    Ok(scope.filter(|node| node.tags().iter().any(|tag| pattern.matches(tag))))
}
