//! Macros that every project has: the four data tests, names, and what dbt's own macros call.

use std::sync::Arc;

use super::blocks::parse_blocks;
use super::env::{BUILTIN_PACKAGE, Environment};
use crate::diag::SourceFile;

/// The files, embedded.
const FILES: &[(&str, &str)] = &[
    ("builtin/tests.sql", include_str!("builtin/tests.sql")),
    ("builtin/names.sql", include_str!("builtin/names.sql")),
];

/// Adds the built-in macros to `environment`.
pub(super) fn add_to(environment: &mut Environment) {
    environment.add_package(BUILTIN_PACKAGE);
    for (path, text) in FILES {
        let blocks = parse_blocks(&SourceFile::new(*path, *text), BUILTIN_PACKAGE);
        for item in blocks.macros() {
            environment.add_macro(Arc::clone(item));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_is_read_without_a_finding() {
        for (path, text) in FILES {
            let blocks = parse_blocks(&SourceFile::new(*path, *text), BUILTIN_PACKAGE);
            assert!(blocks.diagnostics.is_empty(), "{path}: {:?}", blocks.diagnostics);
            assert!(blocks.macros().count() > 0, "{path}");
        }
    }
}
