//! A node's configuration with dbt's defaults filled in.

use serde_json::{Map, Value as Json, json};

use crate::node::{Node, ResourceType};

/// The configuration of `node` as artifacts show it: dbt's keys in dbt's order with their defaults, then keys of our own
/// and of the user's. Hooks are `pre-hook` and `post-hook` there, lists of `{sql, transaction, index}`.
pub fn config(node: &Node) -> Map<String, Json> {
    let mut config = defaults(node.resource_type);
    for (key, setting) in node.config.iter() {
        let (key, value) = match key {
            "pre_hook" => ("pre-hook", hooks(&setting.value)),
            "post_hook" => ("post-hook", hooks(&setting.value)),
            "tags" => (key, Json::from(node.config.strings(key))),
            "docs" | "contract" | "snapshot_meta_column_names" => (key, over(config.get(key), &setting.value)),
            _ => (key, setting.value.clone()),
        };
        // A null that overrides nothing is no news.
        if !(value.is_null() && config.contains_key(key)) {
            config.insert(key.to_string(), value);
        }
    }
    config
}

fn defaults(resource_type: ResourceType) -> Map<String, Json> {
    let value = match resource_type {
        ResourceType::Source => json!({
            "enabled": true, "event_time": null, "freshness": null, "loaded_at_field": null, "loaded_at_query": null,
            "meta": {}, "tags": [],
        }),
        ResourceType::Exposure => json!({"enabled": true, "tags": [], "meta": {}}),
        ResourceType::UnitTest => json!({"tags": [], "meta": {}, "enabled": true}),
        ResourceType::Test => json!({
            "enabled": true, "alias": null, "schema": "dbt_test__audit", "database": null, "tags": [], "meta": {},
            "group": null, "materialized": "test", "severity": "ERROR", "store_failures": null,
            "store_failures_as": null, "where": null, "limit": null, "fail_calc": "count(*)", "warn_if": "!= 0",
            "error_if": "!= 0",
        }),
        _ => return built_defaults(resource_type),
    };
    object(value)
}

/// The defaults of what is built: models, seeds, snapshots, and of analyses and operations, which share them.
fn built_defaults(resource_type: ResourceType) -> Map<String, Json> {
    let materialized = match resource_type {
        ResourceType::Seed => "seed",
        ResourceType::Snapshot => "snapshot",
        _ => "view",
    };
    let mut config = object(json!({
        "enabled": true, "alias": null, "schema": null, "database": null, "tags": [], "meta": {}, "group": null,
        "materialized": materialized, "incremental_strategy": null, "batch_size": null, "lookback": 1, "begin": null,
        "persist_docs": {}, "post-hook": [], "pre-hook": [], "quoting": {}, "column_types": {}, "full_refresh": null,
        "unique_key": null, "on_schema_change": "ignore", "on_configuration_change": "apply", "grants": {},
        "packages": [], "docs": {"show": true, "node_color": null},
        "contract": {"enforced": false, "alias_types": true}, "event_time": null, "concurrent_batches": null,
    }));
    config.extend(object(match resource_type {
        ResourceType::Model => json!({"access": "protected", "freshness": null}),
        ResourceType::Seed => json!({"delimiter": ",", "quote_columns": null}),
        ResourceType::Snapshot => json!({
            "strategy": null, "target_schema": null, "target_database": null, "updated_at": null, "check_cols": null,
            "snapshot_meta_column_names": {
                "dbt_valid_to": null, "dbt_valid_from": null, "dbt_scd_id": null, "dbt_updated_at": null,
                "dbt_is_deleted": null,
            },
            "dbt_valid_to_current": null,
        }),
        _ => json!({}),
    }));
    config
}

/// Hooks as dbt keeps them. A hook is a text, or an object with `sql`.
fn hooks(value: &Json) -> Json {
    let hook = |value: &Json| match value {
        Json::Object(hook) => json!({
            "sql": hook.get("sql").cloned().unwrap_or(json!("")),
            "transaction": hook.get("transaction").cloned().unwrap_or(json!(true)),
            "index": hook.get("index").cloned().unwrap_or(Json::Null),
        }),
        other => json!({"sql": crate::node::plain(other), "transaction": true, "index": null}),
    };
    match value {
        Json::Array(items) => items.iter().map(hook).collect(),
        Json::Null => json!([]),
        one => json!([hook(one)]),
    }
}

/// `above`, with what it leaves out taken from `below`.
fn over(below: Option<&Json>, above: &Json) -> Json {
    match (below, above) {
        (Some(Json::Object(below)), Json::Object(above)) => {
            let mut merged = below.clone();
            merged.extend(above.clone());
            Json::Object(merged)
        }
        _ => above.clone(),
    }
}

fn object(value: Json) -> Map<String, Json> {
    match value {
        Json::Object(map) => map,
        _ => Map::new(),
    }
}
