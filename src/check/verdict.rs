//! What the rows of a test mean: severity, `warn_if` and `error_if`.

use crate::node::Config;
use crate::run::Status;

use super::Found;

/// A test's outcome.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// Pass, warn or fail.
    pub status: Status,
    /// Value of `fail_calc`; as in dbt, 0 if the test passed.
    pub failures: u64,
}

/// dbt's rule: with severity `error` a test fails if `error_if` holds, else it warns if `warn_if` holds; with severity
/// `warn` it never fails.
pub fn verdict(config: &Config, found: &Found) -> Verdict {
    let is_warning = config.str("severity").is_some_and(|severity| severity.eq_ignore_ascii_case("warn"));
    let status = match (found.should_error, found.should_warn) {
        (true, _) if !is_warning => Status::Fail,
        (_, true) => Status::Warn,
        _ => Status::Pass,
    };
    Verdict { status, failures: if status == Status::Pass { 0 } else { found.failures } }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn status(severity: &str, should_warn: bool, should_error: bool) -> Status {
        let mut config = Config::default();
        config.set("severity", json!(severity), None);
        verdict(&config, &Found { failures: 1, should_warn, should_error }).status
    }

    #[test]
    fn severity_decides() {
        assert_eq!(status("ERROR", true, true), Status::Fail);
        assert_eq!(status("error", true, false), Status::Warn);
        assert_eq!(status("warn", true, true), Status::Warn);
        assert_eq!(status("warn", false, true), Status::Pass);
        assert_eq!(status("error", false, false), Status::Pass);
    }
}
