//! `config.materialized:table`, `config.meta.owner:finance`: nodes by a value of their configuration.
//!
//! The names behind `config` walk into mappings. A list matches if the value is one of its items. Text is compared exactly (severities without regard to case), `true` and `false` stand for the
//! booleans. A number is matched by a number of a YAML selector; on the command line every value is text.

use serde_json::{Value as Json, json};

use super::{Call, Mask, Result, Scope};
use crate::node::{Node, NodeKind, ResourceType};

pub(super) fn find(call: &Call<'_>, scope: &Scope<'_>) -> Result<Mask> {
    let Some((key, path)) = call.arguments.split_first() else { return Ok(scope.none()) };
    let any_case = key == "severity" && path.is_empty();
    Ok(scope.filter(|node| {
        setting(node, key)
            .is_some_and(|value| descend(&value, path).is_some_and(|value| matches(value, call, any_case)))
    }))
}

fn descend<'a>(value: &'a Json, path: &[String]) -> Option<&'a Json> {
    path.iter().try_fold(value, |value, key| value.as_object()?.get(key))
}

fn matches(value: &Json, call: &Call<'_>, any_case: bool) -> bool {
    match value {
        Json::Array(items) => items.iter().any(|item| equals(item, call, any_case)),
        other => equals(other, call, any_case),
    }
}

fn equals(value: &Json, call: &Call<'_>, any_case: bool) -> bool {
    match value {
        Json::Bool(value) => call.value.eq_ignore_ascii_case(if *value { "true" } else { "false" }),
        Json::String(text) if any_case => text.to_lowercase() == call.value.to_lowercase(),
        Json::String(text) => call.typed.is_none() && text == call.value,
        Json::Number(own) => call.typed.and_then(Json::as_f64).is_some_and(|other| own.as_f64() == Some(other)),
        _ => false,
    }
}

/// The value of a setting, or what holds where nothing is set. Only what is rendered to SQL, and sources, have settings
/// to select by.
fn setting(node: &Node, key: &str) -> Option<Json> {
    if matches!(node.kind, NodeKind::Exposure(_) | NodeKind::UnitTest(_)) {
        return None;
    }
    let key = match key {
        "pre-hook" => "pre_hook",
        "post-hook" => "post_hook",
        other => other,
    };
    if key == "materialized" && node.resource_type != ResourceType::Source {
        return Some(Json::from(node.materialized()));
    }
    node.config.get(key).cloned().or_else(|| default_of(node.resource_type, key))
}

fn default_of(kind: ResourceType, key: &str) -> Option<Json> {
    let is_stored = matches!(kind, ResourceType::Model | ResourceType::Seed | ResourceType::Snapshot);
    match key {
        "enabled" => Some(json!(true)),
        "severity" if kind == ResourceType::Test => Some(json!("ERROR")),
        "fail_calc" if kind == ResourceType::Test => Some(json!("count(*)")),
        "warn_if" | "error_if" if kind == ResourceType::Test => Some(json!("!= 0")),
        "access" if kind == ResourceType::Model => Some(json!("protected")),
        "on_schema_change" if is_stored => Some(json!("ignore")),
        "on_configuration_change" if is_stored => Some(json!("apply")),
        "contract" if is_stored => Some(json!({"enforced": false, "alias_types": true})),
        "docs" if is_stored => Some(json!({"show": true})),
        "delimiter" if kind == ResourceType::Seed => Some(json!(",")),
        _ => None,
    }
}
