//! `fqn:staging.crm.*`, and what a bare word means: nodes by name or by a prefix of their place in the project.
//!
//! A wildcard runs over dots, so `staging.*` means all below a folder. A pattern without a dot may also fit the name alone,
//! wherever the node stands. Sources are left out, for they have a method of their own.

use super::super::fnmatch::has_wildcard;
use super::{Call, Mask, Pattern, Result, Scope};
use crate::node::{Node, ResourceType};

pub(super) fn find(call: &Call<'_>, scope: &Scope<'_>) -> Result<Mask> {
    let wanted = Wanted::new(call.value);
    Ok(scope.filter(|node| node.resource_type != ResourceType::Source && wanted.matches(node)))
}

/// A qualified name: parts that are compared one by one up to the first with a wildcard; from there on the pattern runs
/// over all that is left, dots included.
struct Wanted<'a> {
    text: &'a str,
    parts: Vec<&'a str>,
    plain: usize,
    rest: Option<Pattern>,
}

impl<'a> Wanted<'a> {
    fn new(text: &'a str) -> Wanted<'a> {
        let parts: Vec<&str> = text.split('.').collect();
        let plain = parts.iter().position(|part| has_wildcard(part)).unwrap_or(parts.len());
        let rest = (plain < parts.len()).then(|| Pattern::new(&parts[plain..].join(".")));
        Wanted { text, parts, plain, rest }
    }

    /// With the name of the package in front, or without.
    fn matches(&self, node: &Node) -> bool {
        let is_versioned = node.as_model().is_some_and(|model| model.version.is_some());
        let fqn: Vec<&str> = node.fqn.iter().map(String::as_str).collect();
        (0..2).any(|skip| fqn.get(skip..).is_some_and(|fqn| self.matches_from(fqn, is_versioned)))
    }

    fn matches_from(&self, fqn: &[&str], is_versioned: bool) -> bool {
        match fqn {
            // `orders`, `orders.v2` and `orders_v2` name a version.
            [.., name, version] if is_versioned => {
                let last = &self.parts[self.parts.len().saturating_sub(2)..];
                if *name == self.text || format!("{name}_{version}") == last.join("_") {
                    return true;
                }
            }
            [.., name] if *name == self.text => return true,
            _ => {}
        }
        // A dot inside a name separates parts like any other.
        let flat: Vec<&str> = fqn.iter().flat_map(|part| part.split('.')).collect();
        if flat.len() < self.parts.len() || flat[..self.plain] != self.parts[..self.plain] {
            return false;
        }
        let Some(rest) = &self.rest else { return true };
        rest.matches(&flat[self.plain..].join("."))
            || self.parts.len() == 1 && name_of(fqn, is_versioned).is_some_and(|name| rest.matches(name))
    }
}

/// The last part, or the one before the version.
fn name_of<'a>(fqn: &[&'a str], is_versioned: bool) -> Option<&'a str> {
    fqn.iter().rev().nth(usize::from(is_versioned)).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(text: &str, fqn: &[&str], is_versioned: bool) -> bool {
        let wanted = Wanted::new(text);
        (0..2).any(|skip| wanted.matches_from(&fqn[skip..], is_versioned))
    }

    #[test]
    fn names_prefixes_and_wildcards() {
        let fqn = ["acme", "staging", "crm", "stg_crm__accounts"];
        for (text, expected) in [
            ("stg_crm__accounts", true),
            ("acme", true),
            ("acme.staging", true),
            ("staging.crm", true),
            ("staging.crm.*", true),
            ("crm", false),
            ("staging.crm.stg_crm__accounts", true),
            ("staging.crm.stg_crm__accounts.*", false),
            ("*", true),
            ("acme.*.*.stg_*", true),
            ("s*", true),
            ("stg_*", true),
            ("stg_crm__??count[a-s]", true),
            ("crm.stg_*", false),
            ("crm*", false),
            ("staging.c*", true),
            ("*accounts", true),
            ("", false),
            ("stg_crm__account", false),
        ] {
            assert_eq!(matches(text, &fqn, false), expected, "{text}");
        }
    }

    #[test]
    fn versions_and_dots_in_names() {
        let fqn = ["acme", "marts", "orders", "v2"];
        for (text, expected) in [
            ("orders", true),
            ("orders.v2", true),
            ("orders_v2", true),
            ("orders.v1", false),
            ("v2", false),
            ("ord*", true),
        ] {
            assert_eq!(matches(text, &fqn, true), expected, "{text}");
        }
        assert!(matches("acme.a", &["acme", "a.b"], false));
        assert!(matches("a.b", &["acme", "a.b"], false));
        assert!(matches("x", &["acme", "x"], true));
    }
}
