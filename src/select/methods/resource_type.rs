//! `resource_type:model`: nodes by type.

use super::{Call, Mask, Result, Scope, unknown_value};
use crate::node::ResourceType;

/// Types of the manifest that are no nodes: nothing matches, and it is no mistake.
const OTHERS: [&str; 9] =
    ["metric", "semantic_model", "saved_query", "macro", "doc", "group", "fixture", "rpc", "sql_operation"];

pub(super) fn find(call: &Call<'_>, scope: &Scope<'_>) -> Result<Mask> {
    match ResourceType::parse(call.value) {
        Some(kind) => Ok(scope.filter(|node| node.resource_type == kind)),
        None if OTHERS.contains(&call.value) => Ok(scope.none()),
        None => Err(unknown_value(call, "resource type", &ResourceType::ALL.map(ResourceType::as_str))),
    }
}
