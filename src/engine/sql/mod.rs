//! SQL statements before planning.
//!
//! A model's SQL goes through four steps before DataFusion makes a plan of it:
//!
//! 1. [`parse`]: text to a syntax tree, in a dialect wide enough for SQL written for Spark, DuckDB or Postgres. What
//!    DataFusion knows under another spelling (`rlike`, `semi join`, `with rollup`, `minus`, ...) is respelled on the
//!    way (module `rewrite`), and what it would silently ignore (`tablesample`, time travel) is refused.
//! 2. [`fn@resolve`]: names are matched against what the query can see. An unquoted name matches a column whatever its
//!    case; DataFusion, with `sql_parser.enable_ident_normalization = false`, matches exact names alone, so every
//!    name that is found is replaced by the exact one. Output keeps the spelling of the query: a bare column that was
//!    spelled in another case than its source gets an alias. Struct fields are found the same way, which is why types
//!    are followed through aliases, wildcards, common table expressions and subqueries.
//! 3. Import CTEs (`select * from relation`) are read in place (module `imports`), and `SessionState::statement_to_plan`.
//! 4. [`plan_error`], if that failed: the planner's error as a diagnostic that points into the text.
//!
//! Resolution never fails: a name that it does not know stays as it is, and the planner reports it. It only has to be
//! right about what it does change, so anything it cannot know (the columns of a table function, say) makes a relation
//! *open*, and names that might come from there are left alone.

mod chain;
mod check;
mod dialect;
mod error;
mod imports;
mod recover;
mod resolve;
mod rewrite;
mod span;

use std::sync::Arc;

use arrow::datatypes::{DataType, Schema};
use datafusion::execution::session_state::SessionState;
use datafusion::logical_expr::LogicalPlan;
pub use datafusion::sql::parser::Statement;
use datafusion::sql::sqlparser;
pub use datafusion::sql::sqlparser::tokenizer::Span as SqlSpan;

use crate::diag::{self, SourceFile};

pub use dialect::{AnalystDialect, parse, parse_file, split};
pub use error::{function_span, plan_error};
pub(super) use imports::read_imports_in_place;
pub(super) use recover::further_errors;
pub(super) use resolve::resolve_noticing;
pub use resolve::{Notes, Relation, relations, resolve};
pub(crate) use span::planner_span;
pub use span::text_span;

/// What a query can see: the columns of relations.
pub trait Catalog: Send + Sync {
    /// The columns of a relation in order, or `None` if there is no such relation or its columns are not known.
    ///
    /// `table` has one to three parts, as the query spells them; matching them whatever their case is up to the
    /// catalog.
    fn columns(&self, table: &[String]) -> Option<Vec<(String, DataType)>>;
}

/// A catalog without relations: nothing is known, so column names stay as they are.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoCatalog;

impl Catalog for NoCatalog {
    fn columns(&self, _table: &[String]) -> Option<Vec<(String, DataType)>> {
        None
    }
}

/// Names and types of the columns of `schema`: what [`Catalog::columns`] wants.
pub fn columns_of(schema: &Schema) -> Vec<(String, DataType)> {
    schema.fields().iter().map(|field| (field.name().clone(), field.data_type().clone())).collect()
}

/// True for a statement that only reads.
pub fn is_query(statement: &Statement) -> bool {
    match statement {
        Statement::Statement(statement) => matches!(
            statement.as_ref(),
            sqlparser::ast::Statement::Query(_)
                | sqlparser::ast::Statement::ShowColumns { .. }
                | sqlparser::ast::Statement::ShowTables { .. }
                | sqlparser::ast::Statement::ShowVariable { .. }
                | sqlparser::ast::Statement::ExplainTable { .. }
        ),
        Statement::Explain(_) => true,
        Statement::CopyTo(_) | Statement::CreateExternalTable(_) | Statement::Reset(_) => false,
    }
}

/// Plans one statement: parse, resolve, plan. Errors are diagnostics with a place in `sql` where one is known.
///
/// # Errors
/// Codes `C4001` (syntax), `C4002` (does not fit), `C4004` to `C4006` (no such column, function, relation); a
/// [`diag::Diagnostic`] that a table provider raised comes through as it is.
pub async fn plan(state: &SessionState, sql: &Arc<SourceFile>, catalog: &dyn Catalog) -> diag::Result<LogicalPlan> {
    let mut statement = parse_file(sql)?;
    resolve(&mut statement, catalog);
    plan_statement(state, sql, statement).await
}

/// Plans a statement that was resolved already. `sql` is the text that it was parsed from.
///
/// # Errors
/// As [`plan`].
pub async fn plan_statement(
    state: &SessionState,
    sql: &Arc<SourceFile>,
    statement: Statement,
) -> diag::Result<LogicalPlan> {
    state.statement_to_plan(statement).await.map_err(|error| plan_error(&error, sql))
}

#[cfg(test)]
mod tests;
