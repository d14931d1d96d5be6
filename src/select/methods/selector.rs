//! `selector:nightly`: what a YAML selector selects, tests included: none come along here.

use super::super::eval::Report;
use super::super::selectors;
use super::{Call, Mask, Result, Scope};

pub(super) fn find(call: &Call<'_>, scope: &Scope<'_>) -> Result<Mask> {
    let mut selected = scope.none();
    for name in selectors::meant(scope.manifest, call.value) {
        selected.add(&scope.selector(&name, call.span, &mut Report::default())?.direct);
    }
    Ok(selected)
}
