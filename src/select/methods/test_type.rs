//! `test_type:generic`: tests by kind. `schema` is an old word for `generic`.

use super::{Call, Mask, Result, Scope, unknown_value};
use crate::node::NodeKind;

pub(super) fn find(call: &Call<'_>, scope: &Scope<'_>) -> Result<Mask> {
    let is_meant: fn(&NodeKind) -> bool = match call.value {
        "generic" | "schema" => |kind| matches!(kind, NodeKind::Test(Some(_))),
        "singular" => |kind| matches!(kind, NodeKind::Test(None)),
        "data" => |kind| matches!(kind, NodeKind::Test(_)),
        "unit" => |kind| matches!(kind, NodeKind::UnitTest(_)),
        _ => return Err(unknown_value(call, "type of test", &["generic", "singular", "data", "unit"])),
    };
    Ok(scope.filter(|node| is_meant(&node.kind)))
}
