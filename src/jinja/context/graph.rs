//! `model` and `graph`: nodes as dictionaries, shaped like those of `manifest.json`.

use std::rc::Rc;

use serde_json::{Map, Value as Json, json};

use super::Scope;
use crate::jinja::value::Value;
use crate::node::{Node, NodeKind, ResourceType};

pub(super) fn model(scope: &Rc<Scope>) -> Value {
    let Some(node) = &scope.node else { return Value::None };
    let model = Value::from_json(&node_json(node));
    let batch = scope.overrides.as_ref().and_then(|overrides| overrides.batch.as_ref());
    if let (Value::Dict(cell), Some(batch)) = (&model, batch) {
        let time = |time: chrono::NaiveDateTime| Value::utc_datetime(time.and_utc());
        let batch = [
            ("id", Value::str(&batch.id)),
            ("event_time_start", time(batch.start)),
            ("event_time_end", time(batch.end)),
        ];
        cell.insert("batch", Value::dict_of(batch));
    } else if let Value::Dict(cell) = &model
        && (!scope.execute || node.config.str("incremental_strategy") == Some("microbatch"))
    {
        // Where no batch is built, what is asked of it is nothing. While parsing, the strategy may not be known yet.
        cell.insert("batch", Value::undefined_leniently("batch"));
    }
    model
}

pub(super) fn graph(scope: &Rc<Scope>) -> Value {
    let mut sections: Map<String, Json> = Map::new();
    for key in ["nodes", "sources", "exposures", "metrics", "groups"] {
        sections.insert(key.into(), json!({}));
    }
    if let Some(resolved) = &scope.world.resolved {
        for node in &resolved.manifest.nodes {
            let section = match node.resource_type {
                ResourceType::Source => "sources",
                ResourceType::Exposure => "exposures",
                ResourceType::UnitTest => continue,
                _ => "nodes",
            };
            if let Some(Json::Object(section)) = sections.get_mut(section) {
                section.insert(node.unique_id.clone(), node_json(node));
            }
        }
    }
    Value::from_json(&Json::Object(sections))
}

/// A node as templates see it.
pub(crate) fn node_json(node: &Node) -> Json {
    let columns: Map<String, Json> = node
        .columns
        .iter()
        .map(|column| {
            let value = json!({
                "name": column.name,
                "description": column.description,
                "data_type": column.data_type,
                "meta": column.meta,
                "tags": column.tags,
                "quote": column.quote,
                "constraints": column.constraints.iter().map(|constraint| json!({
                    "type": constraint.kind, "name": constraint.name, "expression": constraint.expression,
                })).collect::<Vec<_>>(),
            });
            (column.name.clone(), value)
        })
        .collect();
    let relation = node.relation.as_ref();
    let mut out = json!({
        "unique_id": node.unique_id,
        "name": node.name,
        "resource_type": node.resource_type.as_str(),
        "package_name": node.package,
        "path": node.path,
        "original_file_path": node.original_path,
        "fqn": node.fqn,
        "alias": relation.map_or(&node.name, |relation| &relation.identifier),
        "database": relation.map(|relation| &relation.database),
        "schema": relation.map(|relation| &relation.schema),
        "relation_name": relation.map(|relation| relation.render()),
        "description": node.description,
        "columns": columns,
        "config": node.config.to_json(),
        "meta": node.config.get("meta").cloned().unwrap_or_else(|| json!({})),
        "tags": node.tags(),
        "raw_code": node.raw_code,
        "raw_sql": node.raw_code,
        "language": "sql",
        "refs": node.refs.iter().map(|call| json!({
            "name": call.name, "package": call.package, "version": call.version,
        })).collect::<Vec<_>>(),
        "sources": node.sources.iter().map(|call| json!([call.source, call.table])).collect::<Vec<_>>(),
        "depends_on": {"nodes": node.depends_on, "macros": node.depends_on_macros},
    });
    if let Json::Object(map) = &mut out {
        match &node.kind {
            NodeKind::Source(source) => {
                map.insert("source_name".into(), json!(source.source_name));
                map.insert("identifier".into(), json!(source.identifier));
                map.insert("loader".into(), json!(source.loader));
                map.insert("source_description".into(), json!(source.source_description));
                map.insert("loaded_at_field".into(), json!(source.loaded_at_field));
            }
            NodeKind::Model(parts) => {
                map.insert("version".into(), parts.version.clone().unwrap_or(Json::Null));
                map.insert("latest_version".into(), parts.latest_version.clone().unwrap_or(Json::Null));
                map.insert("access".into(), json!(node.config.str("access").unwrap_or("protected")));
                map.insert("group".into(), json!(node.config.str("group")));
            }
            NodeKind::Test(Some(test)) => {
                map.insert("column_name".into(), json!(test.column_name));
                map.insert("attached_node".into(), json!(test.attached_node));
                map.insert(
                    "test_metadata".into(),
                    json!({"name": test.name, "namespace": test.namespace, "kwargs": test.kwargs}),
                );
            }
            NodeKind::Exposure(parts) => {
                for key in ["type", "url", "maturity", "owner", "label"] {
                    map.insert(key.into(), parts.get(key).cloned().unwrap_or(Json::Null));
                }
            }
            _ => {}
        }
    }
    out
}
