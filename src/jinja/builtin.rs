//! Macros that every project has: the four data tests, names, dbt's cross-database functions (`dbt.dateadd(..)`), and
//! what macros of packages call.
//!
//! A macro that a project or package may replace dispatches to its `default__` implementation, as in dbt; the default
//! is SQL of the engine. One topic, one file; each has its line in [`FILES`].

use std::sync::Arc;

use super::blocks::parse_blocks;
use super::env::{BUILTIN_PACKAGE, Environment};
use crate::diag::SourceFile;

/// Folder in the names of the files.
pub const BUILTIN_FOLDER: &str = "builtin/";

/// The files, embedded.
const FILES: &[(&str, &str)] = &[
    ("builtin/aggregates.sql", include_str!("builtin/aggregates.sql")),
    ("builtin/arrays.sql", include_str!("builtin/arrays.sql")),
    ("builtin/calendar.sql", include_str!("builtin/calendar.sql")),
    ("builtin/casts.sql", include_str!("builtin/casts.sql")),
    ("builtin/columns.sql", include_str!("builtin/columns.sql")),
    ("builtin/configs.sql", include_str!("builtin/configs.sql")),
    ("builtin/dates.sql", include_str!("builtin/dates.sql")),
    ("builtin/incremental.sql", include_str!("builtin/incremental.sql")),
    ("builtin/literals.sql", include_str!("builtin/literals.sql")),
    ("builtin/materializations.sql", include_str!("builtin/materializations.sql")),
    ("builtin/names.sql", include_str!("builtin/names.sql")),
    ("builtin/queries.sql", include_str!("builtin/queries.sql")),
    ("builtin/relations.sql", include_str!("builtin/relations.sql")),
    ("builtin/replacing.sql", include_str!("builtin/replacing.sql")),
    ("builtin/series.sql", include_str!("builtin/series.sql")),
    ("builtin/sets.sql", include_str!("builtin/sets.sql")),
    ("builtin/strings.sql", include_str!("builtin/strings.sql")),
    ("builtin/tests.sql", include_str!("builtin/tests.sql")),
    ("builtin/timestamps.sql", include_str!("builtin/timestamps.sql")),
    ("builtin/types.sql", include_str!("builtin/types.sql")),
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
