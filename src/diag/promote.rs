//! `--warn-error`: which warnings count as errors.

use serde_json::Value as Json;

use super::{Code, Diagnostic, Result, Severity, codes};

/// Which warnings are errors. A warning is named by its code, or by dbt's name for it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WarnError {
    all: bool,
    errors: Vec<String>,
    warnings: Vec<String>,
    silenced: Vec<String>,
}

/// dbt's names for what we warn about.
const NAMES: &[(Code, &[&str])] = &[
    (codes::TEST_WARNED, &["LogTestResult"]),
    (codes::JINJA_WARNED, &["JinjaLogWarning"]),
    (codes::PATCH_WITHOUT_NODE, &["NoNodeForYamlKey", "MacroNotFoundForPatch"]),
    (codes::NOTHING_SELECTED, &["NoNodesForSelectionCriteria", "NoNodesSelected", "NothingToDo"]),
    (codes::UNUSED_CONFIG, &["UnusedResourceConfigPath"]),
    (codes::DEPRECATED, &["DeprecatedModel", "DeprecatedReference", "UpcomingReferenceDeprecation"]),
    (codes::REF_DISABLED, &["NodeNotFoundOrDisabled"]),
    (codes::UNKNOWN_KEY, &["Deprecations", "CustomKeyInConfigDeprecation", "CustomTopLevelKeyDeprecation"]),
];

impl WarnError {
    /// Every warning is an error.
    pub fn all() -> WarnError {
        WarnError { all: true, ..WarnError::default() }
    }

    /// Reads `--warn-error-options`: `{error: all | [..], warn: [..], silence: [..]}`, or the older `include` and
    /// `exclude`.
    ///
    /// # Errors
    /// C1010 for anything else.
    pub fn read(options: &Json) -> Result<WarnError> {
        let bad = |what: String| {
            Diagnostic::error(codes::BAD_ARGUMENT, format!("--warn-error-options: {what}"))
                .help("write it as `{error: all, warn: [LogTestResult]}`")
        };
        let Json::Object(map) = options else { return Err(bad("a mapping is expected".into())) };
        let mut out = WarnError::default();
        for (key, value) in map {
            let names = |value: &Json| match value {
                Json::Array(items) => {
                    Ok(items.iter().filter_map(Json::as_str).map(str::to_string).collect::<Vec<String>>())
                }
                Json::String(text) => Ok(vec![text.clone()]),
                Json::Null => Ok(Vec::new()),
                other => Err(bad(format!("`{key}` is `{other}`"))),
            };
            match key.as_str() {
                "error" | "include" => {
                    let names = names(value)?;
                    out.all = names.iter().any(|name| matches!(name.to_lowercase().as_str(), "all" | "*"));
                    out.errors = names;
                }
                "warn" | "exclude" => out.warnings = names(value)?,
                "silence" => out.silenced = names(value)?,
                other => return Err(bad(format!("there is no key `{other}`"))),
            }
        }
        Ok(out)
    }

    /// True if a warning with this code is an error.
    pub fn promotes(&self, code: Code) -> bool {
        let names = names(code);
        let among = |list: &[String]| list.iter().any(|name| names.contains(&name.as_str()));
        (self.all || among(&self.errors)) && !among(&self.warnings) && !among(&self.silenced)
    }

    /// True if a warning with this code is not shown.
    pub fn silences(&self, code: Code) -> bool {
        names(code).iter().any(|name| self.silenced.iter().any(|other| other == name))
    }

    /// `diagnostic` as an error, if it is a warning that is one.
    pub fn apply(&self, diagnostic: &mut Diagnostic) {
        if diagnostic.severity == Severity::Warning && self.promotes(diagnostic.code) {
            diagnostic.severity = Severity::Error;
        }
    }
}

/// What a warning may be called: its code, and dbt's names for it.
fn names(code: Code) -> Vec<&'static str> {
    let known = NAMES.iter().find(|(other, _)| *other == code).map(|(_, names)| *names).unwrap_or_default();
    std::iter::once(code.id).chain(known.iter().copied()).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn warnings_are_named_by_code_or_by_dbts_name() {
        assert!(!WarnError::default().promotes(codes::TEST_WARNED));
        assert!(WarnError::all().promotes(codes::TEST_WARNED));
        let spared = WarnError::read(&json!({"error": "all", "warn": ["LogTestResult"]})).expect("options");
        assert!(!spared.promotes(codes::TEST_WARNED));
        assert!(spared.promotes(codes::JINJA_WARNED));
        let one = WarnError::read(&json!({"include": ["C7002"]})).expect("options");
        assert!(one.promotes(codes::TEST_WARNED) && !one.promotes(codes::JINJA_WARNED));
        assert!(WarnError::read(&json!({"errors": "all"})).is_err());
    }
}
