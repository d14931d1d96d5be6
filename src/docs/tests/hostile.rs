//! Names and descriptions that want to be more than text.

use serde_json::{Map, Value as Json, json};

use super::{made, project};
use crate::docs::text::markdown::tests::complaint;

/// What every text of the artifacts becomes.
const HOSTILE: &str = "</script><script>window.pwned=1</script><img src=x onerror=\"window.pwned=1\"> ' onclick='x \
                       [a](javascript:window.pwned=1) <!-- \u{2028} ]]> \\u003c ${1} __proto__";

/// Keys whose values say what a thing is, so that it still is that thing.
const KEPT: &[&str] = &["resource_type", "unique_id", "kind", "status", "attached_node", "which", "format", "date"];

/// Every text of an artifact with the hostile one at its end, but for ids; names of columns too.
fn poisoned(value: &Json, key: &str) -> Json {
    match value {
        Json::String(text) if KEPT.contains(&key) || is_id(text) => Json::String(text.clone()),
        Json::String(text) => Json::String(format!("{text}{HOSTILE}")),
        Json::Array(items) => items.iter().map(|item| poisoned(item, key)).collect(),
        Json::Object(map) => Json::Object(poisoned_map(map, key)),
        other => other.clone(),
    }
}

fn poisoned_map(map: &Map<String, Json>, key: &str) -> Map<String, Json> {
    let is_named = matches!(key, "columns" | "meta" | "kwargs" | "counts" | "tags" | "external" | "config");
    let name = |inner: &String| if is_named { format!("{inner}{HOSTILE}") } else { inner.clone() };
    map.iter().map(|(inner, value)| (name(inner), poisoned(value, inner))).collect()
}

fn is_id(text: &str) -> bool {
    ["model.", "source.", "seed.", "test.", "exposure.", "macro.", "unit_test."].iter().any(|id| text.starts_with(id))
}

#[test]
fn no_text_leaves_its_place() {
    let artifacts = project::artifacts();
    let hostile: Vec<(&str, Json)> = artifacts.iter().map(|(name, artifact)| (*name, poisoned(artifact, ""))).collect();
    let made = made(&hostile);
    let mut seen = 0;
    for (name, bytes) in made.files() {
        let Some(data) = name.strip_prefix("data/").and_then(|name| name.strip_suffix(".js")) else { continue };
        let text = String::from_utf8(bytes.clone()).expect("UTF-8");
        for forbidden in ['<', '>', '&', '\u{2028}'] {
            assert!(!text.contains(forbidden), "{forbidden:?} in {name}");
        }
        let value = super::value(data, &bytes);
        seen += inspect(&value, "", &name);
    }
    // It did reach the pages, in many places.
    assert!(seen > 200, "{seen}");
}

/// Checks every text of a data file; counts those that are hostile.
fn inspect(value: &Json, key: &str, file: &str) -> usize {
    match value {
        Json::String(text) => {
            if key.ends_with("Html") {
                assert_eq!(complaint(text), None, "{key} in {file}: {text}");
            }
            if key == "url" {
                assert!(text.starts_with("https://") || text.starts_with("mailto:"), "{text}");
            }
            assert!(key != "color", "a colour that is none: {text}");
            usize::from(text.contains("pwned"))
        }
        Json::Array(items) => items.iter().map(|item| inspect(item, key, file)).sum(),
        Json::Object(map) => {
            // Keys are words of the contract and never a project's: `__proto__` would be one.
            let is_word =
                |key: &str| key.len() < 20 && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
            for inner in map.keys() {
                assert!(is_word(inner) && inner != "__proto__", "the key {inner} in {file}");
            }
            map.iter().map(|(inner, value)| inspect(value, inner, file)).sum()
        }
        _ => 0,
    }
}

#[test]
fn names_that_are_words_of_javascript() {
    let columns = json!({"__proto__": {"name": "__proto__"}, "constructor": {"name": "constructor"}});
    let node = json!({"unique_id": "model.a.__proto__", "name": "__proto__", "resource_type": "model",
        "columns": columns, "meta": {"__proto__": 1}, "config": {"__proto__": {"a": "b"}}});
    let made = made(&[("manifest.json", json!({"nodes": {"model.a.__proto__": node}}))]);
    let page = made.node("model.a.__proto__");
    assert_eq!(page["meta"], json!([["__proto__", "1"]]));
    assert_eq!(made.data("index")["configs"], json!([[["__proto__.a", "b"]]]));
    for (name, bytes) in made.files().iter().filter(|(name, _)| name.starts_with("data/")) {
        let text = String::from_utf8_lossy(bytes);
        assert!(!text.contains("\"__proto__\":"), "a key in {name}");
    }
}

#[test]
fn addresses_lead_to_pages_and_people() {
    let exposure = |url: &str| {
        let node = json!({"unique_id": "exposure.a.e", "name": "e", "resource_type": "exposure", "url": url});
        let made = made(&[("manifest.json", json!({"exposures": {"exposure.a.e": node}}))]);
        made.node("exposure.a.e")["exposure"].get("url").cloned()
    };
    assert_eq!(exposure("https://bi.example.com/?a=1"), Some(json!("https://bi.example.com/?a=1")));
    for bad in ["javascript:alert(1)", " https://x", "https://x\ny", "data:text/html,x", "//x", "#x", "ftp://x"] {
        assert_eq!(exposure(bad), None, "{bad}");
    }
}
