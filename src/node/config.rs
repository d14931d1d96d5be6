//! A node's configuration: settings in layers.
//!
//! Layers are applied from the weakest to the strongest: folder settings of `dbt_project.yml`, the properties file,
//! `config()` in the template. Tags and hooks append, meta and grants merge, everything else overwrites. Each setting
//! knows where it was set, so that a bad value can be pointed at.
//!
//! Beside the values stands what was written: the expression of the strongest layer, before rendering and without
//! defaults. That is what two states of a project are compared by, since a variable or another target changes values
//! and not the project.

use indexmap::IndexMap;
use serde_json::{Map, Value as Json};

use crate::diag::Span;

/// One setting: its value and the place that set it last.
#[derive(Debug, Clone)]
pub struct Setting {
    /// The value, layers applied.
    pub value: Json,
    /// Where it was set; none for a default.
    pub span: Option<Span>,
    /// Places of weaker layers that set it too, the weakest first.
    pub beneath: Vec<Span>,
}

/// Settings by key, keys in the order in which they were first set.
#[derive(Debug, Clone, Default)]
pub struct Config {
    settings: IndexMap<String, Setting>,
    written: Map<String, Json>,
}

/// How a key combines with the layer below.
enum Combine {
    Append,
    Merge,
    Overwrite,
}

fn combine(key: &str) -> Combine {
    match key {
        "tags" | "pre_hook" | "post_hook" | "packages" => Combine::Append,
        "meta" | "docs" | "column_types" | "persist_docs" | "quoting" | "contract" => Combine::Merge,
        _ => Combine::Overwrite,
    }
}

/// The canonical spelling of a key: no `+`, hooks with `_`.
pub fn canonical_key(key: &str) -> &str {
    match key.trim_start_matches('+') {
        "pre-hook" => "pre_hook",
        "post-hook" => "post_hook",
        "data_tests" => "tests",
        other => other,
    }
}

impl Config {
    /// Applies one setting of a stronger layer, which was written as the value itself.
    pub fn set(&mut self, key: &str, value: Json, span: Option<Span>) {
        self.set_written(key, value.clone(), value, span);
    }

    /// Applies one setting of a stronger layer: `value` is what came of `written`.
    pub fn set_written(&mut self, key: &str, value: Json, written: Json, span: Option<Span>) {
        let key = canonical_key(key);
        self.written.insert(key.to_string(), written);
        let setting = self.settings.get(key);
        let beneath = setting.iter().flat_map(|setting| setting.beneath.iter().chain(&setting.span)).cloned().collect();
        let below = setting.map(|setting| &setting.value);
        let value = match (combine(key), below) {
            (Combine::Append, below) => {
                let mut list = below.map(listed).unwrap_or_default();
                list.extend(listed(&value));
                Json::Array(list)
            }
            (Combine::Merge, Some(Json::Object(below))) => match value {
                Json::Object(above) => {
                    let mut merged = below.clone();
                    merged.extend(above);
                    Json::Object(merged)
                }
                other => other,
            },
            (_, below) if key == "grants" => merge_grants(below, value),
            (_, _) => value,
        };
        self.settings.insert(key.to_string(), Setting { value, span, beneath });
    }

    /// Sets a default: it stays only if nothing else sets the key.
    pub fn set_default(&mut self, key: &str, value: Json) {
        self.settings.entry(key.to_string()).or_insert(Setting { value, span: None, beneath: Vec::new() });
    }

    /// Replaces a value without the rules of layers.
    pub fn replace(&mut self, key: &str, value: Json) {
        match self.settings.get_mut(key) {
            Some(setting) => setting.value = value,
            None => self.set_default(key, value),
        }
    }

    /// Applies all settings of `layer` as a stronger layer.
    pub fn apply(&mut self, layer: &Config) {
        for (key, setting) in &layer.settings {
            let written = layer.written.get(key).unwrap_or(&setting.value).clone();
            self.set_written(key, setting.value.clone(), written, setting.span.clone());
            if let (false, Some(merged)) = (setting.beneath.is_empty(), self.settings.get_mut(key)) {
                merged.beneath.extend(setting.beneath.iter().cloned());
            }
        }
    }

    /// The setting of `key`, if it is set and not null.
    pub fn setting(&self, key: &str) -> Option<&Setting> {
        self.settings.get(key).filter(|setting| !setting.value.is_null())
    }

    /// The value of `key`, if it is set and not null. Keys of ours are also looked for under `meta`.
    pub fn get(&self, key: &str) -> Option<&Json> {
        match self.setting(key) {
            Some(setting) => Some(&setting.value),
            None if matches!(key, "publish" | "profile") => {
                self.settings.get("meta").and_then(|meta| meta.value.get(key))
            }
            None => None,
        }
    }

    /// The place that set `key`.
    pub fn span(&self, key: &str) -> Option<&Span> {
        self.settings.get(key).and_then(|setting| setting.span.as_ref())
    }

    /// The text of `key`.
    pub fn str(&self, key: &str) -> Option<&str> {
        self.get(key).and_then(Json::as_str)
    }

    /// The boolean of `key`; the words `true` and `false` count.
    pub fn bool(&self, key: &str) -> Option<bool> {
        match self.get(key)? {
            Json::Bool(value) => Some(*value),
            Json::String(text) => match text.trim().to_ascii_lowercase().as_str() {
                "true" => Some(true),
                "false" => Some(false),
                _ => None,
            },
            _ => None,
        }
    }

    /// A string or list of strings under `key`, as a list.
    pub fn strings(&self, key: &str) -> Vec<String> {
        self.get(key).map(listed).unwrap_or_default().iter().map(super::plain).collect()
    }

    /// All settings.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Setting)> {
        self.settings.iter().map(|(key, setting)| (key.as_str(), setting))
    }

    /// What was written for each key that somebody set, before rendering; the strongest layer alone.
    pub fn written(&self) -> &Map<String, Json> {
        &self.written
    }

    /// All values as an object.
    pub fn to_json(&self) -> Map<String, Json> {
        self.settings.iter().map(|(key, setting)| (key.clone(), setting.value.clone())).collect()
    }
}

fn listed(value: &Json) -> Vec<Json> {
    match value {
        Json::Null => Vec::new(),
        Json::Array(items) => items.clone(),
        other => vec![other.clone()],
    }
}

/// `grants`: a privilege with `+` adds grantees, one without replaces them.
fn merge_grants(below: Option<&Json>, above: Json) -> Json {
    let Json::Object(above) = above else { return above };
    let mut merged = below.and_then(Json::as_object).cloned().unwrap_or_default();
    for (privilege, grantees) in above {
        match privilege.strip_prefix('+') {
            Some(privilege) => {
                let mut list = merged.get(privilege).map(listed).unwrap_or_default();
                list.extend(listed(&grantees));
                merged.insert(privilege.to_string(), Json::Array(list));
            }
            None => {
                merged.insert(privilege, Json::Array(listed(&grantees)));
            }
        }
    }
    Json::Object(merged)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn layers_append_merge_and_overwrite() {
        let mut config = Config::default();
        config.set_default("materialized", json!("view"));
        config.set("+tags", json!("a"), None);
        config.set("tags", json!(["b", "c"]), None);
        config.set("meta", json!({"x": 1, "y": 1}), None);
        config.set("meta", json!({"y": 2}), None);
        config.set("pre-hook", json!("one"), None);
        config.set("pre_hook", json!(["two"]), None);
        config.set("materialized", json!("table"), None);
        assert_eq!(config.strings("tags"), ["a", "b", "c"]);
        assert_eq!(config.get("meta"), Some(&json!({"x": 1, "y": 2})));
        assert_eq!(config.strings("pre_hook"), ["one", "two"]);
        assert_eq!(config.str("materialized"), Some("table"));
    }

    #[test]
    fn what_was_written_is_kept_without_defaults() {
        let mut config = Config::default();
        config.set_default("enabled", json!(true));
        config.set("+tags", json!("a"), None);
        config.set_written("tags", json!("b"), json!("{{ var('tag') }}"), None);
        config.replace("index", json!(1));
        assert_eq!(Json::Object(config.written().clone()), json!({"tags": "{{ var('tag') }}"}));
        assert_eq!(config.strings("tags"), ["a", "b"]);
    }

    #[test]
    fn our_keys_are_found_under_meta() {
        let mut config = Config::default();
        config.set("meta", json!({"publish": {"to": "bi"}}), None);
        assert_eq!(config.get("publish"), Some(&json!({"to": "bi"})));
    }
}
