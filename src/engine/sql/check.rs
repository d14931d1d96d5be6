//! Clauses that the parser takes and the planner ignores. Rows would silently be other rows than those asked for, so
//! they are refused.

use std::ops::ControlFlow;
use std::sync::Arc;

use datafusion::sql::parser::{CopyToSource, Statement};
use datafusion::sql::sqlparser::ast::{
    GroupByExpr, GroupByWithModifier, Query, Select, Spanned, TableFactor, Visit, Visitor,
};

use super::span::text_span;
use crate::diag::{self, Diagnostic, SourceFile, codes};

/// Refuses statements with clauses that would be ignored.
pub(super) fn check(statement: &Statement, sql: &Arc<SourceFile>) -> diag::Result<()> {
    let mut ignored = Ignored { sql };
    let flow = match statement {
        Statement::Statement(statement) => statement.visit(&mut ignored),
        Statement::CopyTo(copy) => match &copy.source {
            CopyToSource::Query(query) => query.visit(&mut ignored),
            CopyToSource::Relation(_) => ControlFlow::Continue(()),
        },
        Statement::Explain(explain) => return check(&explain.statement, sql),
        Statement::CreateExternalTable(_) | Statement::Reset(_) => ControlFlow::Continue(()),
    };
    match flow {
        ControlFlow::Break(diagnostic) => Err(diagnostic),
        ControlFlow::Continue(()) => Ok(()),
    }
}

struct Ignored<'a> {
    sql: &'a Arc<SourceFile>,
}

type Flow = ControlFlow<Box<Diagnostic>>;

impl Ignored<'_> {
    fn refuse(&self, what: &str, at: &dyn Spanned, help: &str) -> Flow {
        let mut diagnostic = Diagnostic::error(codes::SQL_PLAN, format!("{what} is not supported")).help(help);
        if let Some(span) = text_span(self.sql, at.span()) {
            diagnostic = diagnostic.label(span, "");
        }
        ControlFlow::Break(diagnostic)
    }
}

impl Visitor for Ignored<'_> {
    type Break = Box<Diagnostic>;

    fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> Flow {
        match factor {
            TableFactor::Table { sample: Some(_), .. } | TableFactor::Derived { sample: Some(_), .. } => {
                self.refuse("TABLESAMPLE", factor, "filter on random(), or use limit")
            }
            TableFactor::Table { version: Some(_), .. } => {
                self.refuse("time travel in FROM", factor, "restore the table, or keep history in a snapshot")
            }
            TableFactor::Table { with_ordinality: true, .. } | TableFactor::Function { with_ordinality: true, .. } => {
                self.refuse("WITH ORDINALITY", factor, "number rows with row_number()")
            }
            _ => ControlFlow::Continue(()),
        }
    }

    fn pre_visit_select(&mut self, select: &Select) -> Flow {
        let (GroupByExpr::All(modifiers) | GroupByExpr::Expressions(_, modifiers)) = &select.group_by;
        let known = |modifier: &GroupByWithModifier| {
            matches!(modifier, GroupByWithModifier::Rollup | GroupByWithModifier::Cube)
                && matches!(select.group_by, GroupByExpr::Expressions(..))
        };
        if modifiers.len() > 1 || modifiers.iter().any(|modifier| !known(modifier)) {
            return self.refuse(
                "this GROUP BY modifier",
                &select.group_by,
                "write rollup(..), cube(..) or grouping sets(..)",
            );
        }
        if !select.connect_by.is_empty() {
            return self.refuse("CONNECT BY", select, "write a recursive common table expression");
        }
        if select.value_table_mode.is_some() {
            return self.refuse("SELECT AS STRUCT", select, "write struct(..) or named_struct(..)");
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_query(&mut self, query: &Query) -> Flow {
        match &query.fetch {
            Some(fetch) if fetch.with_ties || fetch.percent => {
                self.refuse("FETCH with ties or percent", query, "filter on rank() with qualify")
            }
            _ => ControlFlow::Continue(()),
        }
    }
}
