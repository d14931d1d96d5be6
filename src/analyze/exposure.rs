//! Columns that a dashboard needs.
//!
//! An exposure may say which columns of which mart it shows, under a key of its own that dbt keeps and does not read:
//!
//! ```yaml
//! exposures:
//!   - name: customers
//!     depends_on: [ref('mart_totals')]
//!     meta: {columns: {mart_totals: [Month, Total_Duration]}}
//! ```

use serde_json::Value as Json;

use super::Analyzed;
use super::columns::{has, listed, word};
use super::nodes::Analyzer;
use crate::diag::{Diagnostic, Span, codes};
use crate::manifest::NodeId;
use crate::node::{Node, plain};

impl Analyzer {
    /// Looks up the columns that an exposure needs, as far as those of its parents are known.
    pub(super) fn exposure(&self, id: NodeId, node: &Node) -> Analyzed {
        let mut found = Analyzed::default();
        let Some(Json::Object(wanted)) = wanted(node) else { return found };
        let manifest = &self.request.manifest;
        let parents: Vec<NodeId> = manifest.dag.parents(id).to_vec();
        let place = node.config.span("meta").cloned().unwrap_or_else(|| node.place());
        for (name, columns) in wanted {
            let fits = |parent: &NodeId| {
                let parent = manifest.node(*parent);
                parent.name == *name || parent.search_name() == *name || parent.unique_id == *name
            };
            let Some(parent) = parents.iter().copied().find(fits) else {
                found.push(stranger(node, name, &word(&place, name)));
                continue;
            };
            let Some(schema) = self.schema(parent) else { continue };
            let columns = columns.as_array().into_iter().flatten().map(plain);
            for column in columns.filter(|column| !has(&schema, column)) {
                let message = format!("`{name}` has no column `{column}`, which exposure `{}` needs", node.name);
                let diagnostic = Diagnostic::error(codes::EXPOSURE_COLUMN, message)
                    .label(word(&word(&place, name), &column), "needed here")
                    .of_node(&node.unique_id);
                found.push(listed(diagnostic, &column, &schema));
            }
        }
        found
    }
}

/// `meta: {columns: ..}`, or `meta: {c360: {columns: ..}}`.
fn wanted(node: &Node) -> Option<&Json> {
    let meta = node.config.get("meta")?;
    meta.get("c360").and_then(|own| own.get("columns")).or_else(|| meta.get("columns"))
}

fn stranger(node: &Node, name: &str, place: &Span) -> Box<Diagnostic> {
    let message = format!("exposure `{}` needs columns of `{name}`, and does not depend on it", node.name);
    Diagnostic::error(codes::EXPOSURE_COLUMN, message)
        .label(place.clone(), "named here")
        .help(format!("add `ref('{name}')` to its `depends_on`"))
        .of_node(&node.unique_id)
}
