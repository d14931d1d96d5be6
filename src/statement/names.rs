//! Names in statements that change a table.

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{Assignment, AssignmentTarget, Expr, Ident, ObjectName, visit_expressions_mut};

use crate::node::{Relation, quote};

/// The table that a statement changes, under the name that the statement gives it.
pub(super) struct Target<'a> {
    pub(super) relation: &'a Relation,
    /// Its name in the query: the alias, or the last part of the name.
    pub(super) alias: String,
    /// The name as it is written, if there is no alias.
    written: Option<Vec<String>>,
}

impl<'a> Target<'a> {
    pub(super) fn new(relation: &'a Relation, name: &ObjectName, alias: Option<&Ident>) -> Target<'a> {
        let parts: Vec<String> =
            name.0.iter().filter_map(|part| part.as_ident()).map(|ident| ident.value.clone()).collect();
        let alias_text = match (alias, parts.last()) {
            (Some(alias), _) => alias.to_string(),
            (None, Some(last)) => quote(last),
            (None, None) => quote(&relation.identifier),
        };
        Target { relation, alias: alias_text, written: alias.is_none().then_some(parts) }
    }

    /// The table under its alias.
    pub(super) fn plain(&self) -> String {
        format!("{} as {}", self.relation.render(), self.alias)
    }

    /// An expression in which columns that name the table in full (`db.schema.t.x`) name its alias instead.
    pub(super) fn text(&self, expr: &Expr) -> String {
        let Some(written) = &self.written else { return expr.to_string() };
        let mut expr = expr.clone();
        let _ = visit_expressions_mut(&mut expr, |expr| {
            if let Expr::CompoundIdentifier(parts) = expr
                && let Some((column, table)) = parts.split_last()
                && is_suffix(table, written)
            {
                let column = column.clone();
                *parts = vec![Ident::with_quote('"', written.last().cloned().unwrap_or_default()), column];
            }
            ControlFlow::<()>::Continue(())
        });
        expr.to_string()
    }
}

/// True if `table` is the name `written`, or its last parts.
fn is_suffix(table: &[Ident], written: &[String]) -> bool {
    let tail = written.len().checked_sub(table.len()).map(|from| &written[from..]);
    !table.is_empty()
        && tail.is_some_and(|tail| tail.iter().zip(table).all(|(own, ident)| own.eq_ignore_ascii_case(&ident.value)))
}

/// True if `assignment` is one of the column `name`.
pub(super) fn sets(assignment: &Assignment, name: &str) -> bool {
    match &assignment.target {
        AssignmentTarget::ColumnName(target) => {
            target.0.last().and_then(|part| part.as_ident()).is_some_and(|ident| ident.value.eq_ignore_ascii_case(name))
        }
        AssignmentTarget::Tuple(_) => false,
    }
}
