//! `metric:`, `semantic_model:` and `saved_query:`: resources that are kept in the manifest and never run, so there is
//! nothing to select.

use super::{Call, Mask, Result, Scope};

pub(super) fn find(_: &Call<'_>, scope: &Scope<'_>) -> Result<Mask> {
    Ok(scope.none())
}
