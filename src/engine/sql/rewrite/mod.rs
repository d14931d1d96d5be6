//! Respelling of what DataFusion knows by another name. Pure rewrites of the tree: no catalog, no types.

mod build;
mod json;
mod operators;
mod queries;
mod types;
mod views;
mod windows;

use std::ops::ControlFlow;

use datafusion::sql::parser::{CopyToSource, Statement};
use datafusion::sql::sqlparser::ast::{Expr, Query, Select, TableFactor, VisitMut, VisitorMut};

pub(super) use build::{and, binary, call, field_of, identifier, reference, select_from, star, string, take_factor};
pub(super) use json::json_access;

/// Rewrites a statement in place.
pub(super) fn rewrite(statement: &mut Statement) {
    match statement {
        Statement::Statement(statement) => {
            let _ = statement.visit(&mut Rewriter);
        }
        Statement::CopyTo(copy) => {
            if let CopyToSource::Query(query) = &mut copy.source {
                let _ = query.visit(&mut Rewriter);
            }
        }
        Statement::Explain(explain) => rewrite(&mut explain.statement),
        Statement::CreateExternalTable(_) | Statement::Reset(_) => {}
    }
}

struct Rewriter;

impl VisitorMut for Rewriter {
    type Break = ();

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<()> {
        windows::inline_in_order_by(query);
        queries::limits(query);
        queries::minus(&mut query.body);
        ControlFlow::Continue(())
    }

    fn pre_visit_select(&mut self, select: &mut Select) -> ControlFlow<()> {
        queries::from_first(select);
        windows::inline(select);
        queries::group_by_modifiers(select);
        views::joins(select);
        for item in &mut select.from {
            queries::joins(&mut item.joins);
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_table_factor(&mut self, factor: &mut TableFactor) -> ControlFlow<()> {
        if let TableFactor::NestedJoin { table_with_joins, .. } = factor {
            queries::joins(&mut table_with_joins.joins);
        }
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        operators::rewrite(expr);
        ControlFlow::Continue(())
    }
}
