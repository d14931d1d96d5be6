//! The keys that properties files may have.

use super::properties::Section;

/// Top-level keys.
pub(super) const FILE: &[&str] = &[
    "version",
    "models",
    "seeds",
    "snapshots",
    "analyses",
    "macros",
    "data_tests",
    "tests",
    "sources",
    "exposures",
    "unit_tests",
    "groups",
    "metrics",
    "semantic_models",
    "saved_queries",
    "functions",
    "anchors",
];

const NODE: &[&str] = &[
    "name",
    "description",
    "docs",
    "meta",
    "config",
    "columns",
    "data_tests",
    "tests",
    "access",
    "group",
    "constraints",
    "latest_version",
    "versions",
    "deprecation_date",
    "time_spine",
    "primary_key",
    "semantic_model",
    "metrics",
    "agg_time_dimension",
    "relation",
    "unit_tests",
    "tags",
    "publish",
];

const SOURCE: &[&str] = &[
    "name",
    "description",
    "database",
    "schema",
    "loader",
    "loaded_at_field",
    "loaded_at_query",
    "meta",
    "tags",
    "config",
    "overrides",
    "freshness",
    "quoting",
    "tables",
    "external",
    "unrendered_database",
    "unrendered_schema",
];

/// Keys of a table of a source.
pub(super) const SOURCE_TABLE: &[&str] = &[
    "name",
    "description",
    "identifier",
    "loader",
    "loaded_at_field",
    "loaded_at_query",
    "meta",
    "tags",
    "config",
    "freshness",
    "quoting",
    "external",
    "columns",
    "data_tests",
    "tests",
    "docs",
    "constraints",
];

/// Keys of a column.
pub(super) const COLUMN: &[&str] = &[
    "name",
    "description",
    "data_type",
    "meta",
    "tags",
    "quote",
    "data_tests",
    "tests",
    "constraints",
    "config",
    "granularity",
    "policy_tags",
    "entity",
    "dimension",
    "docs",
    "format",
    "path",
];

/// Keys of an `external:` block.
pub(super) const EXTERNAL: &[&str] = &[
    "location",
    "file_format",
    "path_columns",
    "bad_records",
    "max_bad_records",
    "header",
    "delimiter",
    "quote",
    "escape",
    "null_value",
    "encoding",
    "sheet",
    "range",
    "json_form",
    "options",
    "type",
    "connection",
    "table",
    "partition_column",
    "partitions",
    "fetch_size",
    "zero_dates",
    // What dbt has here, for other tools.
    "row_format",
    "tbl_properties",
];

const MACRO: &[&str] = &["name", "description", "docs", "meta", "arguments", "config"];
const EXPOSURE: &[&str] = &[
    "name",
    "label",
    "type",
    "url",
    "maturity",
    "description",
    "depends_on",
    "owner",
    "meta",
    "tags",
    "config",
    "enabled",
];
const UNIT_TEST: &[&str] =
    &["name", "model", "description", "given", "expect", "overrides", "config", "versions", "meta", "tags", "enabled"];
const GROUP: &[&str] = &["name", "owner", "description", "config", "meta"];

/// Keys of an entry of `section`.
pub(super) fn of_section(section: Section) -> &'static [&'static str] {
    match section {
        Section::Models | Section::Seeds | Section::Snapshots | Section::Analyses | Section::DataTests => NODE,
        Section::Macros => MACRO,
        Section::Sources => SOURCE,
        Section::Exposures => EXPOSURE,
        Section::UnitTests => UNIT_TEST,
        Section::Groups => GROUP,
    }
}

/// What an entry of `section` is, in words.
pub(super) fn describe(section: Section) -> &'static str {
    match section {
        Section::Models => "model",
        Section::Seeds => "seed",
        Section::Snapshots => "snapshot",
        Section::Analyses => "analysis",
        Section::Macros => "macro",
        Section::DataTests => "data test",
        Section::Sources => "source",
        Section::Exposures => "exposure",
        Section::UnitTests => "unit test",
        Section::Groups => "group",
    }
}

/// Values that are templates of another stage: descriptions (docs blocks), arguments of tests, rows of unit tests, hooks.
pub(super) fn is_rendered_later(path: &[String]) -> bool {
    let last = path.last().map_or("", String::as_str);
    matches!(
        last,
        "description" | "tests" | "data_tests" | "pre-hook" | "post-hook" | "pre_hook" | "post_hook" | "depends_on"
    ) || path.first().is_some_and(|first| {
        // Conditions of metrics are templates of whoever runs them.
        matches!(first.as_str(), "metrics" | "semantic_models" | "saved_queries")
    }) || (path.first().is_some_and(|first| first == "unit_tests") && matches!(last, "given" | "expect" | "overrides"))
}
