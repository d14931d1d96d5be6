//! Semantic models, metrics and saved queries: nothing here runs them, and the manifest keeps them for those who do.
//!
//! What people write in short (`measure: revenue`, `window: 7 days`, `filter: "..."`) is written out, as readers of the
//! manifest expect it. Keys that dbt's schema does not have are left out.

use serde_json::{Map, Value as Json, json};

use crate::diag::{SourceFile, Span};
use crate::jinja::literal_references;
use crate::manifest::{Lookup, Manifest};

type Object = Map<String, Json>;

/// The entries of `section` by unique id.
pub(super) fn of_section(manifest: &Manifest, section: &str) -> Object {
    let entries = manifest.kept.get(section).and_then(Json::as_array);
    let documents = entries.into_iter().flatten().filter_map(Json::as_object).filter_map(|entry| match section {
        "semantic_models" => semantic_model(entry, manifest),
        "metrics" => metric(entry, manifest),
        _ => saved_query(entry, manifest),
    });
    documents.map(|document| (text(&document, "unique_id"), Json::Object(document))).collect()
}

fn text(entry: &Object, key: &str) -> String {
    entry.get(key).and_then(Json::as_str).unwrap_or_default().to_string()
}

/// What all of them have; none for one that has no name or is disabled.
fn base(entry: &Object, kind: &str) -> Option<Object> {
    let name = entry.get("name")?.as_str()?;
    let (package, path) = (text(entry, "package_name"), text(entry, "original_file_path"));
    let config = entry.get("config").and_then(Json::as_object).cloned().unwrap_or_default();
    if config.get("enabled").and_then(Json::as_bool) == Some(false) {
        return None;
    }
    let folders: Vec<&str> = path.split('/').skip(1).collect();
    let inside = folders.join("/");
    let mut fqn = vec![package.clone()];
    fqn.extend(folders.iter().take(folders.len().saturating_sub(1)).map(|folder| (*folder).to_string()));
    fqn.push(name.to_string());
    let mut own = chosen(&config, &["group", "meta"]);
    own.insert("enabled".into(), json!(true));
    let document = json!({
        "name": name,
        "resource_type": kind,
        "package_name": package,
        "path": inside,
        "original_file_path": path,
        "unique_id": format!("{kind}.{package}.{name}"),
        "fqn": fqn,
        "description": entry.get("description").cloned().unwrap_or_else(|| json!("")),
        "label": entry.get("label").cloned().unwrap_or(Json::Null),
        "config": own,
        "unrendered_config": config,
        "depends_on": {"macros": [], "nodes": []},
        "refs": [],
        "metadata": null,
    });
    match document {
        Json::Object(document) => Some(document),
        _ => None,
    }
}

/// The values of `entry` under `keys`.
fn chosen(entry: &Object, keys: &[&str]) -> Object {
    keys.iter().filter_map(|key| Some(((*key).to_string(), entry.get(*key)?.clone()))).collect()
}

/// The entries of the list under `key`, with `keys` of each.
fn list(entry: &Object, key: &str, keys: &[&str]) -> Json {
    let items = entry.get(key).and_then(Json::as_array);
    items.into_iter().flatten().filter_map(Json::as_object).map(|item| Json::Object(chosen(item, keys))).collect()
}

fn semantic_model(entry: &Object, manifest: &Manifest) -> Option<Object> {
    let mut document = base(entry, "semantic_model")?;
    let model = text(entry, "model");
    let span = Span::start_of(&SourceFile::new("model", model.clone()));
    let lookup = Lookup::new(manifest.nodes.iter().chain(&manifest.disabled), &manifest.project_name);
    let package = text(entry, "package_name");
    let (refs, _) = literal_references(&model, &span);
    let found = refs.first().and_then(|call| lookup.find_ref(call, &package).ok()).and_then(|id| manifest.find(id));
    if let (Some(node), Some(call)) = (found, refs.first()) {
        document.insert("depends_on".into(), json!({"macros": [], "nodes": [node.unique_id]}));
        document.insert("refs".into(), json!([{"name": call.name, "package": call.package, "version": call.version}]));
        if let Some(relation) = &node.relation {
            let place = json!({
                "alias": relation.identifier, "schema_name": relation.schema, "database": relation.database,
                "relation_name": relation.render(),
            });
            document.insert("node_relation".into(), place);
        }
    }
    document.insert("model".into(), json!(model));
    document.insert("primary_entity".into(), entry.get("primary_entity").cloned().unwrap_or(Json::Null));
    document.insert("defaults".into(), entry.get("defaults").cloned().unwrap_or(Json::Null));
    let entity = ["name", "type", "description", "label", "role", "expr", "config"];
    document.insert("entities".into(), list(entry, "entities", &entity));
    let measure = [
        "name",
        "agg",
        "description",
        "label",
        "create_metric",
        "expr",
        "agg_params",
        "non_additive_dimension",
        "agg_time_dimension",
        "config",
    ];
    document.insert("measures".into(), texts(list(entry, "measures", &measure), "expr"));
    let dimension = ["name", "type", "description", "label", "is_partition", "type_params", "expr", "config"];
    document.insert("dimensions".into(), list(entry, "dimensions", &dimension));
    document.insert("group".into(), json!(null));
    Some(document)
}

/// The items of `list` with the value under `key` as text: `expr: 1` is an expression.
fn texts(mut list: Json, key: &str) -> Json {
    for item in list.as_array_mut().into_iter().flatten().filter_map(Json::as_object_mut) {
        if let Some(value) = item.get_mut(key).filter(|value| value.is_number()) {
            *value = json!(crate::node::plain(value));
        }
    }
    list
}

fn metric(entry: &Object, manifest: &Manifest) -> Option<Object> {
    let mut document = base(entry, "metric")?;
    if document["label"].is_null() {
        document.insert("label".into(), json!(text(entry, "name")));
    }
    document.insert("type".into(), json!(text(entry, "type").to_lowercase()));
    let empty = Object::new();
    let written = entry.get("type_params").and_then(Json::as_object).unwrap_or(&empty);
    let params = type_params(written);
    document.insert("depends_on".into(), json!({"macros": [], "nodes": parents(entry, &params, manifest)}));
    document.insert("type_params".into(), Json::Object(params));
    document.insert("filter".into(), entry.get("filter").map_or(Json::Null, filter));
    document.insert("time_granularity".into(), entry.get("time_granularity").cloned().unwrap_or(Json::Null));
    for key in ["sources", "metrics"] {
        document.insert(key.into(), json!([]));
    }
    let config = entry.get("config").and_then(Json::as_object);
    for (key, empty) in [("meta", json!({})), ("tags", json!([]))] {
        let value = entry.get(key).or_else(|| config.and_then(|config| config.get(key))).cloned().unwrap_or(empty);
        document.insert(key.into(), if value.is_string() { json!([value]) } else { value });
    }
    document.insert("group".into(), json!(null));
    Some(document)
}

/// `type_params` of a metric, written out.
fn type_params(written: &Object) -> Object {
    let keys = ["expr", "grain_to_date", "fill_nulls_with", "join_to_timespine"];
    let mut params = chosen(written, &keys);
    for key in ["measure", "numerator", "denominator"] {
        params.insert(key.into(), written.get(key).map_or(Json::Null, input));
    }
    if let Some(window) = written.get("window") {
        params.insert("window".into(), stretch(window));
    }
    let metrics = written.get("metrics").and_then(Json::as_array);
    params.insert("metrics".into(), metrics.into_iter().flatten().map(input).collect());
    let measures: Vec<Json> = written.get("measure").map(input).into_iter().collect();
    params.insert("input_measures".into(), Json::Array(measures));
    for (key, inner) in [
        ("cumulative_type_params", &["metric"][..]),
        ("conversion_type_params", &["base_measure", "conversion_measure", "base_metric", "conversion_metric"]),
    ] {
        let Some(own) = written.get(key).and_then(Json::as_object) else { continue };
        let mut own = own.clone();
        for (name, value) in &mut own {
            if inner.contains(&name.as_str()) {
                *value = input(value);
            } else if name == "window" {
                *value = stretch(value);
            }
        }
        params.insert(key.into(), Json::Object(own));
    }
    params
}

/// A measure or metric that another is made from: a name, or an object with one.
fn input(value: &Json) -> Json {
    match value {
        Json::String(name) => json!({"name": name}),
        Json::Object(own) => {
            let mut own = own.clone();
            for (key, value) in &mut own {
                match key.as_str() {
                    "filter" => *value = filter(value),
                    "offset_window" => *value = stretch(value),
                    _ => {}
                }
            }
            Json::Object(own)
        }
        other => other.clone(),
    }
}

/// `7 days` as a count and a grain.
fn stretch(value: &Json) -> Json {
    let parts: Vec<&str> = value.as_str().map(|text| text.split_whitespace().collect()).unwrap_or_default();
    match parts.as_slice() {
        [count, grain] if count.parse::<u64>().is_ok() => {
            let grain = grain.to_lowercase();
            json!({"count": count.parse::<u64>().unwrap_or_default(), "granularity": grain.trim_end_matches('s')})
        }
        _ => value.clone(),
    }
}

/// One condition, or several.
fn filter(value: &Json) -> Json {
    let conditions = match value {
        Json::String(text) => vec![json!({"where_sql_template": text})],
        Json::Array(items) => {
            items.iter().map(|item| json!({"where_sql_template": crate::node::plain(item)})).collect()
        }
        other => return other.clone(),
    };
    json!({"where_filters": conditions})
}

/// The semantic models of a metric's measures, and the metrics that it is made from.
fn parents(entry: &Object, params: &Object, manifest: &Manifest) -> Vec<String> {
    let package = text(entry, "package_name");
    let named = |value: &Json| value.get("name").and_then(Json::as_str).map(str::to_string);
    let mut out = Vec::new();
    let semantic = manifest.kept.get("semantic_models").and_then(Json::as_array);
    for measure in params["input_measures"].as_array().into_iter().flatten().filter_map(named) {
        let has = |model: &&Json| {
            let measures = model.get("measures").and_then(Json::as_array);
            measures.into_iter().flatten().any(|other| named(other).as_deref() == Some(&measure))
        };
        if let Some(model) = semantic.into_iter().flatten().find(has).and_then(Json::as_object) {
            out.push(format!("semantic_model.{}.{}", text(model, "package_name"), text(model, "name")));
        }
    }
    let inputs = ["numerator", "denominator"].into_iter().filter_map(|key| params.get(key));
    let inputs = inputs.chain(params["metrics"].as_array().into_iter().flatten());
    out.extend(inputs.filter_map(named).map(|name| format!("metric.{package}.{name}")));
    out
}

fn saved_query(entry: &Object, manifest: &Manifest) -> Option<Object> {
    let mut document = base(entry, "saved_query")?;
    let empty = Object::new();
    let written = entry.get("query_params").and_then(Json::as_object).unwrap_or(&empty);
    let words = |key: &str| written.get(key).cloned().unwrap_or_else(|| json!([]));
    let metrics = words("metrics");
    let package = text(entry, "package_name");
    let known = manifest.kept.get("metrics").and_then(Json::as_array);
    let is_known =
        |name: &str| known.into_iter().flatten().any(|metric| metric.get("name").and_then(Json::as_str) == Some(name));
    let names = metrics.as_array().into_iter().flatten().filter_map(Json::as_str).filter(|name| is_known(name));
    let parents: Vec<String> = names.map(|name| format!("metric.{package}.{name}")).collect();
    document.insert("depends_on".into(), json!({"macros": [], "nodes": parents}));
    let params = json!({
        "metrics": metrics,
        "group_by": words("group_by"),
        "where": written.get("where").map_or(Json::Null, filter),
        "order_by": words("order_by"),
        "limit": written.get("limit").cloned().unwrap_or(Json::Null),
    });
    document.insert("query_params".into(), params);
    let exports = entry.get("exports").and_then(Json::as_array).into_iter().flatten().filter_map(Json::as_object);
    let exports = exports.map(|export| {
        let own = export.get("config").and_then(Json::as_object).cloned().unwrap_or_default();
        let mut config = chosen(&own, &["export_as", "alias", "database"]);
        config.entry("export_as").or_insert_with(|| json!("table"));
        if let Some(schema) = own.get("schema").or(own.get("schema_name")) {
            config.insert("schema_name".into(), schema.clone());
        }
        config.entry("alias").or_insert_with(|| json!(text(export, "name")));
        json!({"name": text(export, "name"), "config": config, "unrendered_config": own})
    });
    document.insert("exports".into(), exports.collect());
    let tags = entry.get("tags").cloned().unwrap_or_else(|| json!([]));
    document.insert("tags".into(), tags);
    document.insert("group".into(), json!(null));
    Some(document)
}
