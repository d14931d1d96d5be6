//! The commonest data tests, without a plan.
//!
//! Half of a project's nodes are `not_null` and `unique` of a column. Unless the project has macros of its own behind
//! them, their query is known: it is right if the column is there.

use super::columns::has;
use super::nodes::Analyzer;
use crate::jinja::BUILTIN_PACKAGE;
use crate::manifest::Manifest;
use crate::node::Node;

/// Tests of one column.
const PLAIN: [&str; 2] = ["not_null", "unique"];

/// Macros behind them that a project may replace.
const BEHIND: [&str; 3] = ["test_not_null", "test_unique", "get_where_subquery"];

/// True if the project replaces none of the macros behind plain tests.
pub(super) fn tests_are_plain(manifest: &Manifest) -> bool {
    let replaces = |name: &str| BEHIND.iter().any(|behind| name == *behind || name.ends_with(&format!("__{behind}")));
    !manifest.macros.iter().any(|item| item.package != BUILTIN_PACKAGE && replaces(&item.name))
}

impl Analyzer {
    /// True for a data test whose query is known to be right.
    pub(super) fn is_plainly_right(&self, node: &Node) -> bool {
        let Some(test) = node.as_generic_test().filter(|_| self.plain_tests) else { return false };
        let sets = |key: &str| node.config.setting(key).is_some_and(|setting| setting.span.is_some());
        if test.namespace.is_some() || !PLAIN.contains(&test.name.as_str()) || test.kwargs.len() != 2 {
            return false;
        }
        if ["where", "fail_calc", "warn_if", "error_if", "limit"].into_iter().any(sets) {
            return false;
        }
        let Some(column) = test.kwargs.get("column_name").and_then(|name| name.as_str()) else { return false };
        let is_name = column.chars().all(|c| c.is_alphanumeric() || c == '_');
        let attached = self.request.manifest.id(&test.attached_node);
        is_name && attached.and_then(|id| self.schema(id)).is_some_and(|schema| has(&schema, column))
    }
}
