//! Options of dbt's command line that have nothing to do here: how dbt parses, caches, counts and logs.
//!
//! Schedulers and scripts pass them to every verb. They are taken out before the command line is read, so that those need
//! no change; what they ask for is so anyway, or does not exist.

use std::ffi::OsString;

/// Switches, without their leading dashes.
const SWITCHES: [&str; 65] = [
    "browser",
    "cache-selected-only",
    "connection",
    "debug",
    "deprecated-defer",
    "deprecated-favor-state",
    "deprecated-no-print",
    "deprecated-print",
    "export-saved-queries",
    "hints-enabled",
    "include-saved-query",
    "inject-ephemeral-ctes",
    "introspect",
    "log-cache-events",
    "macro-debugging",
    "no-cache-selected-only",
    "no-debug",
    "no-empty",
    "no-export-saved-queries",
    "no-fail-fast",
    "no-favor-state",
    "no-full-refresh",
    "no-hints-enabled",
    "no-include-saved-query",
    "no-inject-ephemeral-ctes",
    "no-introspect",
    "no-log-cache-events",
    "no-macro-debugging",
    "no-partial-parse",
    "no-partial-parse-file-diff",
    "no-populate-cache",
    "no-print",
    "no-quiet",
    "no-send-anonymous-usage-stats",
    "no-show-all-deprecations",
    "no-show-resource-report",
    "no-single-threaded",
    "no-static-parser",
    "no-store-failures",
    "no-upload-to-artifacts-ingest-api",
    "no-use-colors-file",
    "no-use-experimental-parser",
    "no-use-fast-test-edges",
    "no-use-v2-parser",
    "no-version-check",
    "no-warn-error",
    "no-write-json",
    "partial-parse",
    "partial-parse-file-diff",
    "populate-cache",
    "print",
    "send-anonymous-usage-stats",
    "show-all-deprecations",
    "show-resource-report",
    "single-threaded",
    "skip-debug",
    "skip-profile-setup",
    "static-parser",
    "upload-to-artifacts-ingest-api",
    "use-colors-file",
    "use-experimental-parser",
    "use-fast-test-edges",
    "use-v2-parser",
    "version-check",
    "write-json",
];

/// Options with a value.
const VALUED: [&str; 11] = [
    "deprecated-state",
    "log-file-max-bytes",
    "log-format-file",
    "log-level-file",
    "log-path",
    "maximum-seed-size-mib",
    "partial-parse-file-path",
    "printer-width",
    "record-timing-info",
    "sqlparse",
    "v2-parser",
];

/// `args` without the options that mean nothing here.
pub(super) fn without_foreign(args: Vec<OsString>) -> Vec<OsString> {
    let mut out = Vec::with_capacity(args.len());
    let mut args = args.into_iter();
    while let Some(arg) = args.next() {
        let text = arg.to_string_lossy().into_owned();
        if text == "--" {
            out.push(arg);
            out.extend(args);
            break;
        }
        let name = text.strip_prefix("--").unwrap_or_default();
        let (name, has_value) = name.split_once('=').map_or((name, false), |(name, _)| (name, true));
        if VALUED.contains(&name) {
            if !has_value {
                args.next();
            }
        } else if !SWITCHES.contains(&name) {
            out.push(arg);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_of_dbt_alone_are_left_out() {
        let read = |line: &str| {
            let args = without_foreign(line.split(' ').map(OsString::from).collect());
            args.iter().map(|arg| arg.to_string_lossy().into_owned()).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(read("c360 --no-partial-parse run --log-path /tmp -s a"), "c360 run -s a");
        assert_eq!(read("c360 run --printer-width=80 --no-write-json x"), "c360 run x");
        assert_eq!(read("c360 run --fail-fast -- --debug"), "c360 run --fail-fast -- --debug");
    }
}
