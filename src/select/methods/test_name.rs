//! `test_name:not_null`: generic data tests by the test that they apply.

use super::{Call, Mask, Pattern, Result, Scope};

pub(super) fn find(call: &Call<'_>, scope: &Scope<'_>) -> Result<Mask> {
    let pattern = Pattern::new(call.value);
    Ok(scope.filter(|node| node.as_generic_test().is_some_and(|test| pattern.matches(&test.name))))
}
