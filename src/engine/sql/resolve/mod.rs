//! Resolution of names: a walk over the tree in the order in which names become visible.
//!
//! Scopes form a stack, the innermost last; a common table expression is visible from its definition on (from its
//! recursive term on, if it is recursive). Every step returns what it makes visible to the step around it, as far as
//! that is known.

mod access;
mod call;
mod expr;
mod from;
mod join;
mod lateral;
mod notes;
mod pipe;
mod reshape;
mod scope;
mod select;
mod types;
mod wildcard;

use datafusion::sql::parser::{CopyToSource, Statement};
use datafusion::sql::sqlparser::ast::{
    self as sql, Ident, ObjectName, OrderBy, OrderByKind, Query, SetExpr, SetOperator, Spanned,
};
use datafusion::sql::sqlparser::tokenizer::Span as SqlSpan;

pub use self::notes::Notes;
use self::notes::Noticed;
use self::scope::{Column, Prefer, Scope, Visible, best};
use super::{Catalog, NoCatalog};

/// A relation that a statement reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Relation {
    /// One to three parts, as the query spells them.
    pub parts: Vec<String>,
    /// Where it is spelled; see [`super::text_span`].
    pub span: SqlSpan,
}

/// Replaces the names in `statement` by the exact names that they stand for, and says which relations it reads, in the
/// order in which they are met; a relation that is read twice is there twice.
pub fn resolve(statement: &mut Statement, catalog: &dyn Catalog) -> Vec<Relation> {
    let mut resolver = Resolver::new(catalog);
    resolver.statement(statement);
    resolver.read
}

/// Resolves `statement`, and says what was noticed on the way.
pub(in crate::engine) fn resolve_noticing(statement: &mut Statement, catalog: &dyn Catalog) -> Notes {
    let mut resolver = Resolver::new(catalog);
    resolver.statement(statement);
    resolver.noticed.notes()
}

/// The relations that `statement` reads (no common table expressions, no table functions), without a catalog.
pub fn relations(statement: &Statement) -> Vec<Relation> {
    resolve(&mut statement.clone(), &NoCatalog)
}

/// A common table expression in sight.
struct Cte {
    name: String,
    columns: Visible,
    /// Its number among those that are noticed.
    number: usize,
}

struct Resolver<'a> {
    catalog: &'a dyn Catalog,
    /// Scopes around the place that is resolved, the innermost last.
    scopes: Vec<Scope>,
    /// Common table expressions in sight, the innermost last.
    ctes: Vec<Cte>,
    /// Parameters of the lambdas around the place, the innermost last.
    lambdas: Vec<Column>,
    read: Vec<Relation>,
    noticed: Noticed,
    /// How many aliases were replaced by what they stand for: it may double with every one.
    expanded: usize,
}

impl<'a> Resolver<'a> {
    fn new(catalog: &'a dyn Catalog) -> Resolver<'a> {
        Resolver {
            catalog,
            scopes: Vec::new(),
            ctes: Vec::new(),
            lambdas: Vec::new(),
            read: Vec::new(),
            noticed: Noticed::default(),
            expanded: 0,
        }
    }

    fn statement(&mut self, statement: &mut Statement) {
        match statement {
            Statement::Statement(statement) => self.sql_statement(statement),
            Statement::Explain(explain) => self.statement(&mut explain.statement),
            Statement::CopyTo(copy) => match &mut copy.source {
                CopyToSource::Query(query) => {
                    self.query(query);
                }
                CopyToSource::Relation(name) => {
                    self.reads(name);
                    self.known(&parts(name));
                }
            },
            Statement::CreateExternalTable(_) | Statement::Reset(_) => {}
        }
    }

    fn sql_statement(&mut self, statement: &mut sql::Statement) {
        match statement {
            sql::Statement::Query(query) => {
                let result = self.query(query);
                self.noticed.result(&result);
            }
            sql::Statement::Insert(insert) => {
                if let Some(query) = &mut insert.source {
                    let result = self.query(query);
                    self.noticed.result(&result);
                }
            }
            sql::Statement::CreateTable(table) => {
                if let Some(query) = &mut table.query {
                    self.query(query);
                }
            }
            sql::Statement::CreateView(view) => {
                self.query(&mut view.query);
            }
            sql::Statement::Explain { statement, .. } => self.sql_statement(statement),
            _ => {}
        }
    }

    /// Notes that a relation is read.
    fn reads(&mut self, name: &ObjectName) {
        self.read.push(Relation { parts: parts(name), span: name.span() });
    }

    /// Resolves a query; what it returns is visible to the query around it.
    fn query(&mut self, query: &mut Query) -> Visible {
        let ctes = self.ctes.len();
        if let Some(with) = &mut query.with {
            for cte in &mut with.cte_tables {
                self.cte(cte, with.recursive);
            }
        }
        let output = match query.body.as_mut() {
            SetExpr::Select(select) => self.select(select, query.order_by.as_mut()),
            body => {
                let output = self.set_expr(body);
                if let Some(order_by) = &mut query.order_by {
                    select::order_by_all(order_by, &output);
                    self.within(Scope::of(output.clone()), |resolver| resolver.order_by(order_by));
                }
                output
            }
        };
        let output = self.pipe_operators(output, &mut query.pipe_operators);
        self.ctes.truncate(ctes);
        output
    }

    fn cte(&mut self, cte: &mut sql::Cte, recursive: bool) {
        let name = cte.alias.name.value.clone();
        let aliases: Vec<String> = cte.alias.columns.iter().map(|column| column.name.value.clone()).collect();
        // One that reads itself is not used by that.
        let number = self.noticed.define_cte(&cte.alias.name);
        let columns = match (recursive, cte.query.as_mut()) {
            (true, query) if is_union(query) => self.recursive_cte(&name, &aliases, query, number),
            (_, query) => self.query(query),
        };
        let mut columns = renamed(columns, &aliases);
        self.noticed.define(&name, &cte.query, &mut columns);
        self.ctes.push(Cte { name, columns, number });
    }

    /// The recursive term of a union sees the columns of the static one under the name of the expression.
    fn recursive_cte(&mut self, name: &str, aliases: &[String], query: &mut Query, number: usize) -> Visible {
        let ctes = self.ctes.len();
        if let Some(with) = &mut query.with {
            for cte in &mut with.cte_tables {
                self.cte(cte, with.recursive);
            }
        }
        let mut columns = Visible::unknown();
        if let SetExpr::SetOperation { left, right, .. } = query.body.as_mut() {
            columns = renamed(self.set_expr(left), aliases);
            self.ctes.push(Cte { name: name.to_string(), columns: columns.clone(), number });
            let right = self.set_expr(right);
            self.noticed.uses_all(&columns);
            self.noticed.uses_all(&right);
        }
        if let Some(order_by) = &mut query.order_by {
            self.within(Scope::of(columns.clone()), |resolver| resolver.order_by(order_by));
        }
        self.ctes.truncate(ctes);
        columns
    }

    /// Resolves a body. Chains of set operations lean to the left and may be long: they are walked in a loop.
    fn set_expr(&mut self, body: &mut SetExpr) -> Visible {
        let mut rights = Vec::new();
        let mut body = body;
        while let SetExpr::SetOperation { left, right, .. } = body {
            rights.push(right);
            body = left;
        }
        let output = match body {
            SetExpr::Select(select) => self.select(select, None),
            SetExpr::Query(query) => self.query(query),
            SetExpr::Values(values) => self.values(values),
            SetExpr::Table(table) => {
                let parts: Vec<String> = table.schema_name.iter().chain(&table.table_name).cloned().collect();
                let name = ObjectName::from(parts.iter().map(Ident::new).collect::<Vec<_>>());
                self.reads(&name);
                self.known(&parts)
            }
            SetExpr::Insert(statement)
            | SetExpr::Update(statement)
            | SetExpr::Delete(statement)
            | SetExpr::Merge(statement) => {
                self.sql_statement(statement);
                Visible::unknown()
            }
            SetExpr::SetOperation { .. } => Visible::unknown(),
        };
        if !rights.is_empty() {
            // Both sides have the same columns: none can be left out on one of them.
            self.noticed.uses_all(&output);
        }
        for right in rights.into_iter().rev() {
            let right = self.set_expr(right);
            self.noticed.uses_all(&right);
        }
        // Names are those of the left side; types of both sides may be widened to a third one, but the types that
        // matter here (structs) are not.
        output
    }

    fn values(&mut self, values: &mut sql::Values) -> Visible {
        let mut columns: Vec<Column> = Vec::new();
        for (row, exprs) in values.rows.iter_mut().enumerate() {
            for (index, expr) in exprs.content.iter_mut().enumerate() {
                let data_type = self.expr(expr);
                if row == 0 {
                    columns.push(Column::new(format!("column{}", index + 1), data_type));
                }
            }
        }
        Visible { columns, ..Visible::default() }
    }

    fn order_by(&mut self, order_by: &mut OrderBy) {
        if let OrderByKind::Expressions(exprs) = &mut order_by.kind {
            self.order_by_exprs(exprs);
        }
    }

    fn order_by_exprs(&mut self, exprs: &mut [sql::OrderByExpr]) {
        for order in exprs {
            self.expr(&mut order.expr);
        }
    }

    /// The columns of a relation as the catalog knows them, under its name.
    fn known(&self, parts: &[String]) -> Visible {
        let visible = match self.catalog.columns(parts) {
            Some(columns) => Visible {
                columns: columns.into_iter().map(|(name, data_type)| Column::stored(name, data_type)).collect(),
                ..Visible::default()
            },
            None => Visible::unknown(),
        };
        visible.named(parts.to_vec())
    }

    /// The common table expression that a bare name means.
    fn visible_cte(&self, name: &str) -> Option<&Cte> {
        // From the innermost out, but an exact name anywhere wins: that is the one the planner would take.
        best(name, self.ctes.iter().rev(), |cte| &cte.name).ok()
    }

    /// Runs `work` with one more scope on the stack.
    fn within<T>(&mut self, scope: Scope, work: impl FnOnce(&mut Self) -> T) -> T {
        self.scopes.push(scope);
        let result = work(self);
        self.scopes.pop();
        result
    }

    /// Runs `work` with other preferences in the innermost scope.
    fn preferring<T>(&mut self, prefer: Prefer, work: impl FnOnce(&mut Self) -> T) -> T {
        let before = self.scopes.last_mut().map(|scope| std::mem::replace(&mut scope.prefer, prefer));
        let result = work(self);
        if let (Some(scope), Some(before)) = (self.scopes.last_mut(), before) {
            scope.prefer = before;
        }
        result
    }
}

fn is_union(query: &Query) -> bool {
    matches!(query.body.as_ref(), SetExpr::SetOperation { op: SetOperator::Union, .. })
}

/// The parts of a name, as far as they are identifiers.
fn parts(name: &ObjectName) -> Vec<String> {
    name.0.iter().filter_map(|part| part.as_ident()).map(|ident| ident.value.clone()).collect()
}

/// Columns under the names of a column list; a list of another length is the planner's to report.
fn renamed(mut visible: Visible, aliases: &[String]) -> Visible {
    if aliases.is_empty() {
        return visible;
    }
    let known = !visible.open && visible.columns.len() == aliases.len();
    let old = std::mem::take(&mut visible.columns);
    visible.columns = match known {
        true => {
            let pairs = old.into_iter().zip(aliases);
            pairs.map(|(column, name)| Column { name: name.clone(), at: None, ..column }).collect()
        }
        false => aliases.iter().map(|name| Column::new(name.clone(), None)).collect(),
    };
    visible.open = false;
    visible
}

/// Gives `ident` its exact name; its place in the text stays.
fn set(ident: &mut Ident, exact: &str) {
    if ident.value != exact {
        *ident = Ident { value: exact.to_string(), quote_style: Some('"'), span: ident.span };
    }
}

/// An identifier with the exact name and the place of `like`.
fn exact(name: &str, like: &Ident) -> Ident {
    let mut ident = like.clone();
    set(&mut ident, name);
    ident
}
