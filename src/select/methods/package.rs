//! `package:acme_utils`: nodes by package; `this` is the project itself.

use super::{Call, Mask, Pattern, Result, Scope};

pub(super) fn find(call: &Call<'_>, scope: &Scope<'_>) -> Result<Mask> {
    let pattern = match call.value {
        "this" => Pattern::new(&scope.manifest.project_name),
        name => Pattern::new(name),
    };
    Ok(scope.filter(|node| pattern.matches(&node.package)))
}
