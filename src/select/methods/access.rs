//! `access:public`: models by who may refer to them.

use super::{Call, Mask, Result, Scope};
use crate::node::ResourceType;

pub(super) fn find(call: &Call<'_>, scope: &Scope<'_>) -> Result<Mask> {
    Ok(scope.filter(|node| {
        node.resource_type == ResourceType::Model && node.config.str("access").unwrap_or("protected") == call.value
    }))
}
