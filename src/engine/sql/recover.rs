//! More than the first mistake of a statement.
//!
//! The planner stops at the first name that it does not know. To find the others, what it did not know is replaced by
//! NULL (under the same name, where it is a column of a projection), and the statement is planned again. NULL fits almost
//! everywhere, but what the planner says next may be a consequence of it: so only further names that are not there, or
//! are ambiguous, count as mistakes; anything else ends the search.

use std::ops::ControlFlow;
use std::sync::Arc;

use datafusion::execution::session_state::SessionState;
use datafusion::sql::parser::Statement;
use datafusion::sql::sqlparser::ast::{Expr, Ident, Select, SelectItem, Spanned, Value, VisitMut, VisitorMut};

use super::error::plan_error;
use super::span::text_span;
use crate::diag::{Code, Diagnostic, SourceFile, Span, codes};

/// How many mistakes of a statement are looked for.
const MOST: usize = 20;

/// The mistakes of `statement`, of which `first` is known: planning it failed with that.
pub(in crate::engine) async fn further_errors(
    state: &SessionState,
    sql: &Arc<SourceFile>,
    mut statement: Statement,
    first: Box<Diagnostic>,
) -> Vec<Diagnostic> {
    let mut errors = vec![*first];
    let mut last = 0;
    // A name that is used several times is one mistake, so there may be more rounds than mistakes.
    for _ in 0..4 * MOST {
        let Some(place) = errors[last].labels.last().map(|label| label.span.clone()) else { break };
        let known = is_name(&errors[last]) && errors[last].labels.iter().all(|label| label.span.file == *sql);
        if errors.len() == MOST || !known || !replace(&mut statement, sql, &place) {
            break;
        }
        let Err(error) = state.statement_to_plan(statement.clone()).await else { break };
        let next = plan_error(&error, sql);
        if !is_name(&next) {
            break;
        }
        match errors.iter_mut().position(|other| is_same(other, &next)) {
            Some(at) => {
                let Some(label) = next.labels.into_iter().next() else { break };
                if errors[at].labels.iter().any(|other| other.span == label.span) {
                    break;
                }
                errors[at].labels.push(crate::diag::Label { text: "and here".into(), ..label });
                last = at;
            }
            None => {
                errors.push(*next);
                last = errors.len() - 1;
            }
        }
    }
    errors
}

fn is_same(one: &Diagnostic, other: &Diagnostic) -> bool {
    one.code == other.code && one.message == other.message
}

/// True for a mistake that is about one name.
fn is_name(error: &Diagnostic) -> bool {
    const NAMES: [Code; 2] = [codes::COLUMN_NOT_FOUND, codes::FUNCTION_NOT_FOUND];
    NAMES.contains(&error.code) || (error.code == codes::SQL_PLAN && error.message.ends_with("is ambiguous"))
}

/// Replaces the name or the call at `place` by NULL; false if there is none.
fn replace(statement: &mut Statement, sql: &Arc<SourceFile>, place: &Span) -> bool {
    let mut replacer = Replacer { sql, place, done: false };
    if let Statement::Statement(statement) = statement {
        let _ = statement.visit(&mut replacer);
    }
    replacer.done
}

struct Replacer<'a> {
    sql: &'a Arc<SourceFile>,
    place: &'a Span,
    done: bool,
}

impl Replacer<'_> {
    fn is_it(&self, expr: &Expr) -> bool {
        let span = match expr {
            Expr::Identifier(ident) => ident.span,
            Expr::CompoundIdentifier(_) | Expr::CompoundFieldAccess { .. } => expr.span(),
            Expr::Function(function) => function.name.span(),
            _ => return false,
        };
        // The planner points at all of a dotted name, or at its last part.
        text_span(self.sql, span).is_some_and(|span| span.start <= self.place.start && self.place.end <= span.end)
    }

    /// The name that an item of a projection has without an alias.
    fn name(expr: &Expr) -> Option<Ident> {
        match expr {
            Expr::Identifier(ident) => Some(ident.clone()),
            Expr::CompoundIdentifier(idents) => idents.last().cloned(),
            _ => None,
        }
    }
}

impl VisitorMut for Replacer<'_> {
    type Break = ();

    fn pre_visit_select(&mut self, select: &mut Select) -> ControlFlow<()> {
        for item in &mut select.projection {
            let SelectItem::UnnamedExpr(expr) = item else { continue };
            if let (true, Some(alias)) = (self.is_it(expr), Self::name(expr)) {
                *item = SelectItem::ExprWithAlias { expr: Expr::value(Value::Null), alias };
                self.done = true;
                return ControlFlow::Break(());
            }
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        if self.is_it(expr) {
            *expr = Expr::value(Value::Null);
            self.done = true;
            return ControlFlow::Break(());
        }
        ControlFlow::Continue(())
    }
}
