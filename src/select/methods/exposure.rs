//! `exposure:weekly_kpis`: exposures by name.

use super::{Call, Mask, Qualified, Result, Scope};
use crate::node::ResourceType;

pub(super) fn find(call: &Call<'_>, scope: &Scope<'_>) -> Result<Mask> {
    let wanted = Qualified::read(call, "exposure")?;
    Ok(scope.filter(|node| node.resource_type == ResourceType::Exposure && wanted.matches(node)))
}
