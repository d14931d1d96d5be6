//! `unit_test:ut_dates`: unit tests by name.

use super::{Call, Mask, Qualified, Result, Scope};
use crate::node::ResourceType;

pub(super) fn find(call: &Call<'_>, scope: &Scope<'_>) -> Result<Mask> {
    let wanted = Qualified::read(call, "unit test")?;
    Ok(scope.filter(|node| node.resource_type == ResourceType::UnitTest && wanted.matches(node)))
}
