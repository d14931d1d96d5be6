//! `file:stg_orders.sql`: nodes by the name of their file, with or without its extension.

use super::{Call, Mask, Pattern, Result, Scope};

pub(super) fn find(call: &Call<'_>, scope: &Scope<'_>) -> Result<Mask> {
    let pattern = Pattern::new(call.value);
    Ok(scope.filter(|node| {
        let name = node.original_path.rsplit('/').next().unwrap_or_default();
        let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
        pattern.matches(name) || pattern.matches(stem)
    }))
}
