//! `selector:nightly`: what a YAML selector selects.

use super::super::eval::Report;
use super::{Call, Mask, Result, Scope};

pub(super) fn find(call: &Call<'_>, scope: &Scope<'_>) -> Result<Mask> {
    Ok(scope.selector(call.value, call.span, &mut Report::default())?.direct)
}
