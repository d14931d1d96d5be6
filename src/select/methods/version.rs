//! `version:latest`: models by how their version stands to the latest one.

use std::cmp::Ordering;

use super::{Call, Mask, Result, Scope, unknown_value};
use crate::node::{ModelParts, plain};

pub(super) fn find(call: &Call<'_>, scope: &Scope<'_>) -> Result<Mask> {
    let is_meant: fn(Option<Ordering>) -> bool = match call.value {
        "latest" => |order| order == Some(Ordering::Equal),
        "prerelease" => |order| order == Some(Ordering::Greater),
        "old" => |order| order == Some(Ordering::Less),
        "none" => {
            return Ok(scope.filter(|node| node.as_model().is_some_and(|model| model.version.is_none())));
        }
        _ => return Err(unknown_value(call, "kind of version", &["latest", "prerelease", "old", "none"])),
    };
    Ok(scope.filter(|node| node.as_model().is_some_and(|model| is_meant(standing(model)))))
}

/// Versions compare as numbers if both are, as text otherwise.
fn standing(model: &ModelParts) -> Option<Ordering> {
    let (own, latest) = (plain(model.version.as_ref()?), plain(model.latest_version.as_ref()?));
    match (own.parse::<f64>(), latest.parse::<f64>()) {
        (Ok(own), Ok(latest)) => own.partial_cmp(&latest),
        _ => Some(own.cmp(&latest)),
    }
}
