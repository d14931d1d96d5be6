//! What is probably not what was meant: warnings about queries that can be planned.
//!
//! A warning that is wrong teaches people to read none of them, so each one here speaks only where the plan leaves no
//! doubt. A node can switch codes off: `config(meta={'c360': {'allow': ['C4101']}})`.
//!
//! | module | what it looks at | codes |
//! |---|---|---|
//! | `text` | what the resolver noticed of the text | C4104, C4105, C4107 |
//! | `types` | types of compared expressions, and of contracts | C4102, C4103 |
//! | `joins` | joins of the plan | C4101, C4108 |
//! | `calls` | functions | C4106 |

mod calls;
mod joins;
mod plans;
mod text;
mod types;

use datafusion::execution::SessionState;
use datafusion::logical_expr::Expr;

use super::Analyzed;
use super::model::Planned;
use crate::diag::{Code, Diagnostic, Span};
use crate::engine::sql;
use crate::node::{Node, ResourceType, plain};

/// Looks for everything that is probably wrong with a planned query.
pub(super) fn look(node: &Node, planned: &Planned, session: &SessionState, found: &mut Analyzed) {
    if !matches!(node.resource_type, ResourceType::Model | ResourceType::Snapshot) {
        return;
    }
    let mut warnings = Warnings { node, planned, allowed: allowed(node), found };
    text::look(&mut warnings);
    types::look(&mut warnings);
    joins::look(&mut warnings, session);
    calls::look(&mut warnings);
}

/// The codes that a node has switched off.
fn allowed(node: &Node) -> Vec<String> {
    let own = node.config.get("meta").and_then(|meta| meta.get("c360")?.get("allow"));
    match own {
        Some(serde_json::Value::Array(codes)) => codes.iter().map(plain).collect(),
        Some(code) => vec![plain(code)],
        None => Vec::new(),
    }
}

/// Where warnings go.
struct Warnings<'a> {
    node: &'a Node,
    planned: &'a Planned,
    allowed: Vec<String>,
    found: &'a mut Analyzed,
}

impl Warnings<'_> {
    fn allows(&self, code: Code) -> bool {
        self.allowed.iter().any(|allowed| allowed.eq_ignore_ascii_case(code.id))
    }

    /// A warning at places of the compiled SQL. One that is about an ephemeral model is told where that model is checked.
    fn warn(&mut self, diagnostic: Box<Diagnostic>) {
        if self.allows(diagnostic.code) {
            return;
        }
        let compiled = &self.planned.compiled;
        let foreign = diagnostic.labels.first().is_some_and(|label| compiled.is_injected(&label.span));
        if foreign {
            return;
        }
        let diagnostic = if diagnostic.labels.is_empty() {
            diagnostic.label(self.node.place(), "")
        } else {
            compiled.locate(diagnostic)
        };
        self.found.push(diagnostic.of_node(&self.node.unique_id));
    }

    /// The place of an expression: from its first column to its last.
    fn place(&self, exprs: &[&Expr]) -> Option<Span> {
        let mut all: Option<Span> = None;
        for expr in exprs {
            for column in expr.column_refs() {
                let spans = column.spans().iter();
                for span in spans.filter_map(|span| sql::planner_span(&self.planned.compiled.sql, span)) {
                    all = Some(match all {
                        None => span,
                        Some(all) => {
                            let range = all.start.min(span.start) as usize..all.end.max(span.end) as usize;
                            Span::new(&span.file, range)
                        }
                    });
                }
            }
        }
        all
    }
}

/// Adds a place if one is known.
fn at(diagnostic: Box<Diagnostic>, place: Option<Span>, text: &str) -> Box<Diagnostic> {
    match place {
        Some(place) => diagnostic.label(place, text),
        None => diagnostic,
    }
}
