//! Values of artifacts, made comparable: what two tools spell differently and mean alike is equal here.

use serde_json::{Map, Value as Json};
use sha2::{Digest, Sha256};

/// Text without the white space that editors and checkouts change: the ends of lines, and what surrounds it.
pub(super) fn same_text(one: &str, other: &str) -> bool {
    fn lines(text: &str) -> impl Iterator<Item = &str> {
        text.trim().split('\n').map(|line| line.strip_suffix('\r').unwrap_or(line))
    }
    lines(one).eq(lines(other))
}

/// Equal, numbers by their value and objects without the keys that say nothing (null, empty list, empty object).
pub(super) fn same_value(one: &Json, other: &Json) -> bool {
    match (one, other) {
        (Json::Number(one), Json::Number(other)) => one == other || one.as_f64() == other.as_f64(),
        (Json::Array(one), Json::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| same_value(one, other))
        }
        (Json::Object(one), Json::Object(other)) => same_entries(one, other),
        (one, other) => one == other || says_nothing(one) && says_nothing(other),
    }
}

fn same_entries(one: &Map<String, Json>, other: &Map<String, Json>) -> bool {
    let covered = |one: &Map<String, Json>, other: &Map<String, Json>| {
        one.iter().all(|(key, value)| same_value(value, other.get(key).unwrap_or(&Json::Null)))
    };
    covered(one, other) && covered(other, one)
}

fn says_nothing(value: &Json) -> bool {
    match value {
        Json::Null => true,
        Json::Array(items) => items.is_empty(),
        Json::Object(entries) => entries.values().all(says_nothing),
        _ => false,
    }
}

/// Settings as they were written; `counts` says which keys are looked at. A key that is set to null is not set.
pub(super) fn same_settings(
    one: &Map<String, Json>,
    other: &Map<String, Json>,
    counts: impl Fn(&str) -> bool + Copy,
) -> bool {
    let covered = |one: &Map<String, Json>, other: &Map<String, Json>| {
        one.iter().filter(|(key, value)| counts(canonical(key)) && !value.is_null()).all(|(key, value)| {
            other.iter().any(|(other, theirs)| canonical(other) == canonical(key) && same_value(value, theirs))
        })
    };
    covered(one, other) && covered(other, one)
}

/// Hooks are spelled with `-` and with `_`.
fn canonical(key: &str) -> &str {
    match key.trim_start_matches('+') {
        "pre-hook" => "pre_hook",
        "post-hook" => "post_hook",
        other => other,
    }
}

/// SHA-256 in lower-case hexadecimal digits.
pub(super) fn sha256(bytes: &[u8]) -> String {
    use std::fmt::Write;
    Sha256::digest(bytes).iter().fold(String::with_capacity(64), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn white_space_of_the_environment_does_not_count() {
        assert!(same_text("select 1\r\nfrom x\n", "select 1\nfrom x"));
        assert!(!same_text("select 1\n  from x", "select 1\nfrom x"));
    }

    #[test]
    fn empty_values_are_equal_and_numbers_by_value() {
        assert!(same_value(&json!({"a": 1, "b": null}), &json!({"a": 1.0, "c": {"d": []}})));
        assert!(!same_value(&json!({"a": 1}), &json!({"a": "1"})));
        assert!(!same_value(&json!([1, 2]), &json!([2, 1])));
    }

    #[test]
    fn settings_compare_by_the_keys_that_count() {
        let one = json!({"pre-hook": ["x"], "tags": ["a"], "enabled": null});
        let other = json!({"pre_hook": ["x"], "tags": ["b"]});
        let (Json::Object(one), Json::Object(other)) = (one, other) else { return };
        assert!(same_settings(&one, &other, |key| key != "tags"));
        assert!(!same_settings(&one, &other, |_| true));
    }

    #[test]
    fn checksums_are_those_of_the_standard() {
        assert_eq!(sha256(b"abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }
}
