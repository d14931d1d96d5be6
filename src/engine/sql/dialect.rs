//! The dialect that analysts write, and the door for their text.

use std::any::TypeId;
use std::sync::Arc;

use datafusion::common::DataFusionError;
use datafusion::sql::parser::{DFParserBuilder, Statement};
use datafusion::sql::sqlparser::ast::{BinaryOperator, Expr};
use datafusion::sql::sqlparser::dialect::{Dialect, GenericDialect};
use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::parser::{Parser, ParserError};

use super::error::plan_error;
use super::{chain, check, rewrite};
use crate::diag::{self, Diagnostic, SourceFile, Span, codes};

/// How deep expressions and queries may nest.
const RECURSION_LIMIT: usize = 128;

/// SQL as people write it for Spark, DuckDB and Postgres: the parser's generic dialect, plus what those three have and
/// it lacks, minus clauses that DataFusion's planner would silently ignore.
#[derive(Debug, Clone, Copy, Default)]
pub struct AnalystDialect;

macro_rules! features {
    ($($name:ident: $value:expr;)*) => {
        $(fn $name(&self) -> bool { $value })*
    };
}

impl Dialect for AnalystDialect {
    fn dialect(&self) -> TypeId {
        TypeId::of::<GenericDialect>()
    }

    fn is_delimited_identifier_start(&self, ch: char) -> bool {
        ch == '"' || ch == '`'
    }

    fn is_identifier_start(&self, ch: char) -> bool {
        ch.is_alphabetic() || ch == '_' || ch == '@'
    }

    fn is_identifier_part(&self, ch: char) -> bool {
        ch.is_alphanumeric() || matches!(ch, '@' | '$' | '_')
    }

    /// `a DIV b` of Spark and MySQL; it binds as `*` and `/` do.
    fn parse_infix(&self, parser: &mut Parser, expr: &Expr, precedence: u8) -> Option<Result<Expr, ParserError>> {
        if !parser.parse_keyword(Keyword::DIV) {
            return None;
        }
        Some(parser.parse_subexpr(precedence).map(|right| Expr::BinaryOp {
            left: Box::new(expr.clone()),
            op: BinaryOperator::MyIntegerDivide,
            right: Box::new(right),
        }))
    }

    features! {
        // From the generic dialect.
        supports_unicode_string_literal: true;
        supports_partition_by_after_order_by: true;
        supports_group_by_expr: true;
        supports_group_by_with_modifier: true;
        supports_left_associative_joins_without_parens: true;
        supports_pipe_operator: true;
        supports_window_function_null_treatment_arg: true;
        supports_dictionary_syntax: true;
        supports_window_clause_named_window_reference: true;
        supports_select_wildcard_except: true;
        support_map_literal_syntax: true;
        allow_extract_custom: true;
        allow_extract_single_quotes: true;
        supports_extract_comma_syntax: true;
        supports_parens_around_table_factor: true;
        supports_values_as_table_factor: true;
        supports_explain_with_utility_options: true;
        supports_limit_comma: true;
        supports_from_first_select: true;
        supports_projection_trailing_commas: true;
        supports_bitwise_shift_operators: true;
        supports_named_fn_args_with_assignment_operator: true;
        supports_struct_literal: true;
        supports_nested_comments: true;
        supports_string_escape_constant: true;
        supports_array_typedef_with_brackets: true;
        supports_filter_during_aggregation: true;
        supports_select_wildcard_exclude: true;
        supports_interval_options: true;
        supports_select_wildcard_replace: true;
        supports_select_wildcard_ilike: true;
        supports_select_wildcard_rename: true;
        supports_comma_separated_trim: true;
        supports_cte_without_as: true;
        // Beyond it.
        supports_lambda_functions: true;
        supports_order_by_all: true;
        supports_numeric_literal_underscores: true;
        supports_notnull_operator: true;
        supports_bang_not_operator: true;
        supports_in_empty_list: true;
        supports_cross_join_constraint: true;
    }
}

/// Reads one statement; a semicolon at its end is fine. Places in errors refer to `sql` under the name `<sql>`.
///
/// # Errors
/// `C4001` if the text is no statement, or more than one; `C4002` for clauses that would be ignored.
pub fn parse(sql: &str) -> diag::Result<Statement> {
    parse_file(&SourceFile::new("<sql>", sql))
}

/// [`parse`] for text that has a name, so that errors can point into it.
///
/// # Errors
/// As [`parse`].
pub fn parse_file(sql: &Arc<SourceFile>) -> diag::Result<Statement> {
    chain::check(sql)?;
    let mut statements = statements(&sql.text).map_err(|error| plan_error(&error, sql))?;
    let Some(mut statement) = statements.pop() else {
        return Err(Diagnostic::error(codes::SQL_SYNTAX, "there is no SQL statement").label(Span::start_of(sql), ""));
    };
    if !statements.is_empty() {
        let count = statements.len() + 1;
        return Err(Diagnostic::error(codes::SQL_SYNTAX, format!("one statement is expected, there are {count}"))
            .label(Span::start_of(sql), "")
            .help("separate statements go into separate models or hooks"));
    }
    check::check(&statement, sql)?;
    rewrite::rewrite(&mut statement);
    Ok(statement)
}

/// The statements of a text, each as a text of its own. A single one keeps its spelling, so that places in it stay true.
///
/// # Errors
/// `C4001` if the text cannot be read.
pub fn split(sql: &Arc<SourceFile>) -> diag::Result<Vec<String>> {
    chain::check(sql)?;
    let statements = statements(&sql.text).map_err(|error| plan_error(&error, sql))?;
    Ok(match statements.as_slice() {
        [] => Vec::new(),
        [_] => vec![sql.text.clone()],
        several => several.iter().map(ToString::to_string).collect(),
    })
}

fn statements(sql: &str) -> Result<Vec<Statement>, DataFusionError> {
    let statements = DFParserBuilder::new(sql)
        .with_dialect(&AnalystDialect)
        .with_recursion_limit(RECURSION_LIMIT)
        .build()?
        .parse_statements()?;
    Ok(statements.into())
}
