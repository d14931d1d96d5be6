//! Names of generic tests, as dbt makes them.
//!
//! The full name is the test's name, the tested resource's name and the arguments, joined with underscores. A name of
//! 64 characters or more would not fit a relation, so its alias keeps 30 characters and adds an MD5 of the whole. The
//! unique id ends with ten hex digits of an MD5 over the name and the Python representation of the metadata.

use md5::{Digest, Md5};
use serde_json::{Map, Value as Json};

/// Name and alias of a test `test` (with its namespace, if any) on `target` with `args`.
pub(super) fn names(test: &str, target: &str, args: &Map<String, Json>) -> (String, String) {
    let mut keys: Vec<&String> = args.keys().filter(|key| *key != "model").collect();
    keys.sort();
    let parts: Vec<String> = keys.into_iter().flat_map(|key| flat(&args[key])).map(|part| clean(&part)).collect();
    let identifier = format!("{test}_{target}");
    let full = format!("{identifier}_{}", parts.join("__"));
    if full.chars().count() < 64 {
        return (full.clone(), full);
    }
    let kept: String = identifier.chars().take(30).collect();
    let alias = format!("{kept}_{}", hex(&full));
    (full, alias)
}

/// The last part of a generic test's unique id.
pub(super) fn hash(name: &str, test: &str, namespace: Option<&str>, kwargs: &Map<String, Json>) -> String {
    let mut metadata = Map::new();
    metadata.insert("kwargs".into(), Json::Object(kwargs.clone()));
    metadata.insert("name".into(), Json::from(test));
    metadata.insert("namespace".into(), namespace.map_or(Json::from("None"), Json::from));
    let digest = hex(&format!("{name}{}", repr(&Json::Object(metadata))));
    digest[digest.len() - 10..].to_string()
}

/// Lower-case hex MD5.
pub(super) fn hex(text: &str) -> String {
    Md5::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn flat(value: &Json) -> Vec<String> {
    match value {
        Json::Array(items) => items.iter().map(text).collect(),
        Json::Object(entries) => entries.values().map(text).collect(),
        other => vec![text(other)],
    }
}

/// `str()` of Python.
fn text(value: &Json) -> String {
    match value {
        Json::String(text) => text.clone(),
        Json::Null => "None".into(),
        Json::Bool(true) => "True".into(),
        Json::Bool(false) => "False".into(),
        Json::Number(number) => number.to_string(),
        nested => repr(nested),
    }
}

fn clean(part: &str) -> String {
    let mut out = String::with_capacity(part.len());
    let mut in_gap = false;
    for c in part.chars() {
        let keep = c.is_ascii_alphanumeric() || c == '_';
        if keep {
            out.push(c);
        } else if !in_gap {
            out.push('_');
        }
        in_gap = !keep;
    }
    out
}

/// `repr()` of Python for values whose scalars became strings and whose keys are sorted.
fn repr(value: &Json) -> String {
    match value {
        Json::Object(entries) => {
            let mut keys: Vec<&String> = entries.keys().collect();
            keys.sort();
            let parts: Vec<String> =
                keys.iter().map(|key| format!("{}: {}", quoted(key), repr(&entries[key.as_str()]))).collect();
            format!("{{{}}}", parts.join(", "))
        }
        Json::Array(items) => format!("[{}]", items.iter().map(repr).collect::<Vec<_>>().join(", ")),
        scalar => quoted(&text(scalar)),
    }
}

fn quoted(text: &str) -> String {
    let quote = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
    let mut out = String::from(quote);
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c == quote => {
                out.push('\\');
                out.push(c);
            }
            c => out.push(c),
        }
    }
    out.push(quote);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn args(value: Json) -> Map<String, Json> {
        value.as_object().cloned().unwrap_or_default()
    }

    #[test]
    fn short_and_long_names() {
        let (name, alias) = names("not_null", "orders", &args(json!({"column_name": "id", "model": "x"})));
        assert_eq!((name.as_str(), alias.as_str()), ("not_null_orders_id", "not_null_orders_id"));
        let values = json!({"column_name": "status", "values": ["placed", "shipped", "completed", "return pending"]});
        let (name, alias) = names("accepted_values", "orders", &args(values));
        assert_eq!(name, "accepted_values_orders_status__placed__shipped__completed__return_pending");
        assert_eq!(alias, format!("accepted_values_orders_{}", hex(&name)));
        let args = args(json!({"column_name": "a_much_longer_name_of_a_column"}));
        let (_, alias) = names("relationships", "a_long_name_of_a_model", &args);
        assert_eq!(&alias[..31], "relationships_a_long_name_of_a_");
        assert_eq!(alias.len(), 30 + 1 + 32);
    }

    #[test]
    fn representation_is_pythons() {
        assert_eq!(repr(&json!({"b": 1, "a": [true, null, "it's"]})), r#"{'a': ['True', 'None', "it's"], 'b': '1'}"#);
    }
}
