//! What is noticed on the way: common table expressions that nobody reads, columns that nobody uses, and where the
//! columns of the result come from.
//!
//! A column of a common table expression or of a subquery in FROM that is written as an expression of its own (no
//! wildcard) gets a number, and keeps it through wildcards; whoever names it marks the number. What is left at the end was
//! computed for nobody. Where leaving a column out could change rows (DISTINCT, set operations, GROUP BY, functions that
//! make rows), columns get no number.

use std::cell::RefCell;
use std::collections::HashSet;

use datafusion::sql::sqlparser::ast::{
    Distinct, Expr, GroupByExpr, Ident, Join, JoinConstraint, JoinOperator, Query, Select, SelectItem, SetExpr,
    Spanned, TableFactor, visit_expressions,
};
use datafusion::sql::sqlparser::tokenizer::Span as SqlSpan;

use super::scope::{Column, Visible};

/// Functions that make several rows of one.
const MAKES_ROWS: [&str; 6] = ["unnest", "unnest_outer", "explode", "explode_outer", "posexplode", "generate_series"];

/// What was noticed in a statement; see the module.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Notes {
    /// Common table expressions that are never read: names and places.
    pub unused_ctes: Vec<(String, SqlSpan)>,
    /// Columns that are never used: whose, names and places.
    pub unused_columns: Vec<(String, String, SqlSpan)>,
    /// Wildcards that hand columns of relations to the result.
    pub stars: Vec<SqlSpan>,
    /// Joins that are written without a condition: items of FROM behind a comma, `join b`, `join b on true`.
    pub loose_joins: Vec<SqlSpan>,
    /// How many joins are written as `cross join`.
    pub cross_joins: usize,
}

/// What became of a column on its way.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct History {
    /// Its number.
    pub(super) number: Option<usize>,
    /// It is a column of a relation, under its own name.
    pub(super) stored: bool,
    /// The wildcard that took it out of its relation.
    pub(super) star: Option<SqlSpan>,
}

/// What is noticed while names are resolved.
#[derive(Debug, Default)]
pub(super) struct Noticed {
    columns: RefCell<Vec<Definition>>,
    ctes: Vec<(String, SqlSpan, bool)>,
    /// Names that are used in ways that are not understood, in lower case.
    doubtful: RefCell<HashSet<String>>,
    /// The tree was rebuilt, so that columns are no longer where they were written.
    rebuilt: bool,
    stars: Vec<SqlSpan>,
    pub(super) loose_joins: Vec<SqlSpan>,
    pub(super) cross_joins: usize,
}

#[derive(Debug)]
struct Definition {
    owner: String,
    name: String,
    span: SqlSpan,
    used: bool,
}

impl Noticed {
    /// Numbers the columns that `query` computes for `owner`.
    pub(super) fn define(&mut self, owner: &str, query: &Query, columns: &mut Visible) {
        let SetExpr::Select(select) = query.body.as_ref() else { return };
        if columns.open || select.projection.len() != columns.columns.len() || !is_plain(select) {
            return;
        }
        let grouped = is_grouped(select);
        for (item, column) in select.projection.iter().zip(&mut columns.columns) {
            let (expr, span) = match item {
                SelectItem::UnnamedExpr(expr) => (expr, expr.span()),
                SelectItem::ExprWithAlias { expr, alias } => (expr, expr.span().union(&alias.span)),
                _ => continue,
            };
            let keeps_rows = !makes_rows(expr) && (!grouped || matches!(expr, Expr::Function(_)));
            if keeps_rows && column.history.number.is_none() && span.start.line > 0 {
                let mut definitions = self.columns.borrow_mut();
                column.history.number = Some(definitions.len());
                let owner = owner.to_string();
                definitions.push(Definition { owner, name: column.name.clone(), span, used: false });
            }
        }
    }

    /// `column` is used.
    pub(super) fn uses(&self, column: &Column) {
        if let Some(number) = column.history.number
            && let Some(definition) = self.columns.borrow_mut().get_mut(number)
        {
            definition.used = true;
        }
    }

    /// All of `columns` are used.
    pub(super) fn uses_all(&self, columns: &Visible) {
        columns.columns.iter().for_each(|column| self.uses(column));
    }

    /// A name was not found, or not for certain.
    pub(super) fn doubts(&self, idents: &[Ident]) {
        let mut doubtful = self.doubtful.borrow_mut();
        doubtful.extend(idents.iter().map(|ident| ident.value.to_lowercase()));
    }

    /// A common table expression is defined; gives back its number.
    pub(super) fn define_cte(&mut self, name: &Ident) -> usize {
        self.ctes.push((name.value.clone(), name.span, false));
        self.ctes.len() - 1
    }

    pub(super) fn uses_cte(&mut self, number: usize) {
        if let Some(cte) = self.ctes.get_mut(number) {
            cte.2 = true;
        }
    }

    pub(super) fn rebuilds(&mut self) {
        self.rebuilt = true;
    }

    /// An item of FROM behind a comma.
    pub(super) fn comma(&mut self, factor: &TableFactor) {
        if matches!(factor, TableFactor::Table { args: None, .. } | TableFactor::Derived { lateral: false, .. }) {
            self.loose_joins.push(factor.span());
        }
    }

    /// A join, as it is written.
    pub(super) fn join(&mut self, join: &Join) {
        match &join.join_operator {
            JoinOperator::CrossJoin(_) => self.cross_joins += 1,
            JoinOperator::Join(constraint) | JoinOperator::Inner(constraint) => {
                let loose = match constraint {
                    JoinConstraint::None => true,
                    JoinConstraint::On(on) => !names_columns(on),
                    JoinConstraint::Using(_) | JoinConstraint::Natural => false,
                };
                if loose {
                    self.comma(&join.relation);
                }
            }
            _ => {}
        }
    }

    /// The columns of the result.
    pub(super) fn result(&mut self, columns: &Visible) {
        self.uses_all(columns);
        for column in columns.columns.iter().filter(|column| column.history.stored) {
            if let Some(star) = column.history.star.filter(|star| !self.stars.contains(star)) {
                self.stars.push(star);
            }
        }
    }

    /// What is left at the end.
    pub(super) fn notes(self) -> Notes {
        let unused_ctes: Vec<(String, SqlSpan)> =
            self.ctes.iter().filter(|(_, _, used)| !used).map(|(name, span, _)| (name.clone(), *span)).collect();
        let doubtful = self.doubtful.borrow();
        let is_unused = |definition: &Definition| {
            !definition.used
                && !doubtful.contains(&definition.name.to_lowercase())
                && !unused_ctes.iter().any(|(name, _)| *name == definition.owner)
        };
        let columns = self.columns.borrow();
        let unused = columns.iter().filter(|_| !self.rebuilt).filter(|definition| is_unused(definition));
        let unused_columns = unused.map(|one| (one.owner.clone(), one.name.clone(), one.span)).collect();
        drop((columns, doubtful));
        let Noticed { stars, loose_joins, cross_joins, .. } = self;
        Notes { unused_ctes, unused_columns, stars, loose_joins, cross_joins }
    }
}

/// True for a SELECT from which a column can be left out without another row.
fn is_plain(select: &Select) -> bool {
    select.distinct.as_ref().is_none_or(|distinct| matches!(distinct, Distinct::All)) && select.lateral_views.is_empty()
}

pub(super) fn is_distinct(select: &Select) -> bool {
    !is_plain(select)
}

fn is_grouped(select: &Select) -> bool {
    match &select.group_by {
        GroupByExpr::All(_) => true,
        GroupByExpr::Expressions(exprs, _) => !exprs.is_empty(),
    }
}

fn names_columns(expr: &Expr) -> bool {
    let names = |expr: &Expr| match expr {
        Expr::Identifier(_) | Expr::CompoundIdentifier(_) | Expr::CompoundFieldAccess { .. } => {
            std::ops::ControlFlow::Break(())
        }
        _ => std::ops::ControlFlow::Continue(()),
    };
    visit_expressions(expr, names).is_break()
}

fn makes_rows(expr: &Expr) -> bool {
    let makes = |expr: &Expr| match expr {
        Expr::Function(function) if MAKES_ROWS.contains(&function.name.to_string().to_lowercase().as_str()) => {
            std::ops::ControlFlow::Break(())
        }
        _ => std::ops::ControlFlow::Continue(()),
    };
    visit_expressions(expr, makes).is_break()
}
