//! Settings that have no effect: misspelt keys, and folders of `dbt_project.yml` that hold nothing.
//!
//! dbt lets a node have settings of its own invention, so an unknown key is no mistake by itself. One that is nearly a
//! known key is: `materialised: table` builds a view, and nobody would know why.

use std::collections::HashSet;

use super::layers::is_folder;
use crate::diag::{Diagnostic, Diagnostics, codes};
use crate::node::Node;
use crate::project::yaml::Yaml;
use crate::project::{Package, ResourceConfig};
use crate::stdx::closest;

/// Settings that have a meaning, for any type of node.
pub(super) const KNOWN: &[&str] = &[
    "access",
    "alias",
    "batch_size",
    "begin",
    "check_cols",
    "column_types",
    "concurrent_batches",
    "contract",
    "database",
    "dbt_valid_to_current",
    "delimiter",
    "docs",
    "enabled",
    "error_if",
    "event_time",
    "fail_calc",
    "freshness",
    "full_refresh",
    "grants",
    "group",
    "hard_deletes",
    "incremental_predicates",
    "incremental_strategy",
    "invalidate_hard_deletes",
    "limit",
    "loaded_at_field",
    "loaded_at_query",
    "lookback",
    "materialized",
    "merge_exclude_columns",
    "merge_update_columns",
    "meta",
    "on_configuration_change",
    "on_error",
    "on_schema_change",
    "packages",
    "partition_by",
    "persist_docs",
    "post_hook",
    "pre_hook",
    "predicates",
    "profile",
    "publish",
    "quote_columns",
    "quoting",
    "relation",
    "retention_hours",
    "schema",
    "severity",
    "snapshot_meta_column_names",
    "sql_header",
    "static_analysis",
    "store_failures",
    "store_failures_as",
    "strategy",
    "tags",
    "target_database",
    "target_schema",
    "tests",
    "unique_key",
    "updated_at",
    "warn_if",
    "where",
];

/// Reports settings of `node` whose names are nearly known ones.
pub(super) fn report_settings(node: &Node, diagnostics: &mut Diagnostics) {
    for (key, setting) in node.config.iter() {
        let Some(span) = setting.span.as_ref().filter(|_| !KNOWN.contains(&key)) else { continue };
        let Some(near) = closest(key, KNOWN.iter().copied()) else { continue };
        diagnostics.push(
            Diagnostic::warning(codes::UNKNOWN_KEY, format!("unknown setting `{key}`"))
                .label(span.clone(), "kept, but nothing looks at it")
                .help(format!("`{near}` was probably meant; settings of your own belong under `meta`")),
        );
    }
}

/// Reports folders under `models:`, `seeds:`, ... of the root project's file that no node lies in.
pub(super) fn report_folders<'a>(
    package: &Package,
    nodes: impl Iterator<Item = &'a Node> + Clone,
    diagnostics: &mut Diagnostics,
) {
    let trees =
        [(ResourceConfig::Models, "model"), (ResourceConfig::Seeds, "seed"), (ResourceConfig::Snapshots, "snapshot")];
    for (resource, kind) in trees {
        let Some(tree) = package.config.resource_tree(resource) else { continue };
        let mut prefixes: HashSet<Vec<&str>> = HashSet::new();
        for node in nodes.clone().filter(|node| node.resource_type.as_str() == kind) {
            for len in 1..=node.fqn.len() {
                prefixes.insert(node.fqn[..len].iter().map(String::as_str).collect());
            }
        }
        folder(tree, &mut Vec::new(), &prefixes, kind, diagnostics);
    }
}

fn folder<'a>(
    level: &'a Yaml,
    path: &mut Vec<&'a str>,
    prefixes: &HashSet<Vec<&str>>,
    kind: &str,
    diagnostics: &mut Diagnostics,
) {
    for (key, value) in level.entries().iter().filter(|(key, value)| is_folder(key, value)) {
        path.push(&key.name);
        if prefixes.contains(path) {
            folder(value, path, prefixes, kind, diagnostics);
        } else {
            let siblings = prefixes
                .iter()
                .filter(|prefix| prefix.len() == path.len() && prefix.starts_with(&path[..path.len() - 1]));
            let near = closest(&key.name, siblings.filter_map(|prefix| prefix.last().copied()));
            diagnostics.push(
                Diagnostic::warning(codes::UNUSED_CONFIG, format!("no {kind} lies under `{}`", path.join(".")))
                    .label(key.span.clone(), "what it configures applies to nothing")
                    .maybe_help(near.map(|near| format!("there is `{near}`"))),
            );
        }
        path.pop();
    }
}
