//! `group:finance`: nodes by their group.

use super::super::eval::is_parsed;
use super::{Call, Mask, Pattern, Result, Scope};

pub(super) fn find(call: &Call<'_>, scope: &Scope<'_>) -> Result<Mask> {
    let pattern = Pattern::new(call.value);
    Ok(scope.filter(|node| is_parsed(node) && node.config.str("group").is_some_and(|group| pattern.matches(group))))
}
