//! The second step of a node: its template has told what it references and configures.

use std::sync::Arc;

use super::capture::{Seen, capture_all};
use super::{Builder, bad_config, draft, naming, typos};
use crate::node::{Node, NodeKind, ResourceType};

impl Builder<'_> {
    /// Renders all drafts and finishes them.
    pub(super) fn finish(&mut self) {
        let drafts: Vec<Arc<Node>> = std::mem::take(&mut self.drafts).into_iter().map(Arc::new).collect();
        let seen = capture_all(self.world, &drafts);
        for (draft, seen) in drafts.into_iter().zip(seen) {
            let node = Arc::try_unwrap(draft).unwrap_or_else(|shared| (*shared).clone());
            self.finish_node(node, seen);
        }
    }

    fn finish_node(&mut self, mut node: Node, seen: Seen) {
        let Seen { captured, written, error } = seen;
        for (key, value, span) in captured.config {
            let written = written.get(&key, &span).unwrap_or_else(|| value.clone());
            node.config.set_written(&key, value, written, Some(span));
        }
        draft::defaults(&mut node.config, node.resource_type);
        // A disabled node may be broken: nobody asks for it.
        if let Some(error) = error.filter(|_| node.is_enabled()) {
            self.diagnostics.push(error);
        }
        node.refs = captured.refs;
        node.sources = captured.sources;
        node.depends_on_macros = captured.macros.into_iter().collect();
        typos::report_settings(&node, self.diagnostics);
        self.complete_test(&mut node);
        self.check(&node);
        let named = naming::relation(self.world, &node);
        node.relation = self.diagnostics.take(named).flatten();
        self.nodes.push(node);
    }

    /// A generic test depends on what it stands under, whatever its macro does with `model`.
    fn complete_test(&self, node: &mut Node) {
        let NodeKind::Test(Some(test)) = &node.kind else { return };
        let Some(model) = test.kwargs.get("model").and_then(|model| model.as_str()) else { return };
        let place = node.patch.clone();
        let (refs, sources) = match place {
            Some(span) => crate::jinja::literal_references(model, &span),
            None => return,
        };
        for call in refs {
            if !node.refs.iter().any(|other| other.name == call.name && other.version == call.version) {
                node.refs.insert(0, call);
            }
        }
        for call in sources {
            if !node.sources.iter().any(|other| other.source == call.source && other.table == call.table) {
                node.sources.insert(0, call);
            }
        }
    }

    /// Values that no node of this type can have.
    fn check(&mut self, node: &Node) {
        if !node.is_enabled() {
            return;
        }
        if let Some(materialized) = node.config.get("materialized")
            && !materialized.is_string()
        {
            self.diagnostics.push(bad_config(node, "materialized", "`materialized` has to be a word"));
        }
        if node.resource_type == ResourceType::Test
            && let Some(severity) = node.config.get("severity")
            && !severity.as_str().is_some_and(|word| matches!(word.to_lowercase().as_str(), "error" | "warn"))
        {
            self.diagnostics.push(bad_config(node, "severity", "`severity` is `error` or `warn`"));
        }
        if node.config.get("enabled").is_some() && node.config.bool("enabled").is_none() {
            self.diagnostics.push(bad_config(node, "enabled", "`enabled` is true or false"));
        }
    }
}
