//! Unknown keys, with a suggestion.

use super::yaml::Yaml;
use crate::diag::{Diagnostic, Diagnostics, codes};
use crate::stdx::closest;

/// Reports the keys of `map` that are not in `known`; `what` names the thing in the message ("a model").
pub fn check_keys(map: &Yaml, known: &[&str], what: &str, diagnostics: &mut Diagnostics) {
    for (key, _) in map.entries() {
        if known.contains(&key.name.as_str()) {
            continue;
        }
        let suggestion = closest(&key.name, known.iter().copied());
        diagnostics.push(
            Diagnostic::warning(codes::UNKNOWN_KEY, format!("unknown key `{}` in {what}", key.name))
                .label(key.span.clone(), "not known here, so it has no effect")
                .maybe_help(suggestion.map(|name| format!("`{name}` was probably meant")))
                .maybe_help(
                    suggestion
                        .is_none()
                        .then_some("keys of your own belong under `meta:`, where every tool keeps them"),
                ),
        );
    }
}
