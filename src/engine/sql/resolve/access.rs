//! Columns and the fields below them: `a`, `t.a`, `a.field`, `t.a['field'][1].other`, `(expr).field`.

use arrow::datatypes::DataType;
use datafusion::sql::sqlparser::ast::{AccessExpr, Expr, Ident, Subscript, Value, ValueWithSpan};

use super::scope::{Found, Scope, column_of, same};
use super::{Resolver, exact, types};
use crate::engine::sql::rewrite::{call, identifier, string};

/// What a name turned out to mean.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Meaning {
    /// A column with this exact name.
    Column(String),
    /// A field below a column.
    Field,
    /// Nothing that is known here.
    Unknown,
}

/// A name that was found.
pub(super) struct Path {
    /// The exact spelling, in a shape that the planner takes.
    pub(super) expr: Expr,
    pub(super) data_type: Option<DataType>,
    meaning: Meaning,
}

/// A column that was found, and where the planner sees it.
struct Place {
    /// Qualifier and column, exact.
    idents: Vec<Ident>,
    data_type: Option<DataType>,
    /// How many of the identifiers name the column; the rest are fields.
    used: usize,
    outer: bool,
}

impl Resolver<'_> {
    /// Resolves an expression that is a name: an identifier, or an access to fields.
    pub(super) fn name(&mut self, expr: &mut Expr) -> (Option<DataType>, Meaning) {
        if let Expr::Identifier(ident) = expr
            && let Some((stands_for, data_type)) = self.alias(ident)
        {
            *expr = stands_for;
            return (data_type, Meaning::Field);
        }
        let path = match expr {
            Expr::Identifier(ident) => self.path(std::slice::from_ref(ident)),
            Expr::CompoundIdentifier(idents) => self.path(idents),
            Expr::CompoundFieldAccess { root, access_chain } => {
                let root = std::mem::replace(root.as_mut(), Expr::Identifier(Ident::new("")));
                Some(self.access(root, std::mem::take(access_chain)))
            }
            other => return (self.expr(other), Meaning::Unknown),
        };
        match path {
            Some(path) => {
                *expr = path.expr;
                (path.data_type, path.meaning)
            }
            None => (None, Meaning::Unknown),
        }
    }

    /// Finds what a dotted name means.
    pub(super) fn path(&self, idents: &[Ident]) -> Option<Path> {
        let first = idents.first()?;
        if first.quote_style.is_none() && first.value.starts_with('@') {
            return None;
        }
        if let Some(parameter) = self.lambdas.iter().rev().find(|parameter| same(&parameter.name, &first.value)) {
            let root = Expr::Identifier(exact(&parameter.name, first));
            let (fields, data_type) = fields_below(parameter.data_type.as_ref(), &idents[1..]);
            let chain: Vec<AccessExpr> = fields.iter().map(|field| subscript(&field.value)).collect();
            let meaning = if chain.is_empty() { Meaning::Column(parameter.name.clone()) } else { Meaning::Field };
            return Some(Path { expr: accessed(root, chain), data_type, meaning });
        }
        let Some(place) = self.place(idents) else {
            self.noticed.doubts(idents);
            return None;
        };
        let (fields, data_type) = fields_below(place.data_type.as_ref(), &idents[place.used..]);
        let meaning = match (fields.is_empty(), place.idents.last()) {
            (true, Some(column)) => Meaning::Column(column.value.clone()),
            _ => Meaning::Field,
        };
        let expr = if place.outer && !fields.is_empty() {
            // The planner knows no fields of an outer query's columns, but it knows the function behind them.
            fields
                .into_iter()
                .fold(dotted(place.idents), |expr, field| call("get_field", vec![expr, string(&field.value)]))
        } else {
            dotted(place.idents.into_iter().chain(fields).collect())
        };
        Some(Path { expr, data_type, meaning })
    }

    /// Finds the column that a dotted name starts with, from the innermost scope out. As the planner does, it takes the
    /// longest qualifier that fits, so that an alias wins against a struct of the same name.
    fn place(&self, idents: &[Ident]) -> Option<Place> {
        for (depth, scope) in self.scopes.iter().rev().enumerate() {
            let outer = depth > 0 || scope.lateral;
            for length in (1..idents.len().min(4)).rev() {
                if let Some(place) = self.qualified(scope, idents, length) {
                    return place.map(|place| Place { outer, ..place });
                }
            }
            match scope.column(&idents[0]) {
                Found::Column(column) => {
                    let fits = idents.len() == 1 || column.data_type.as_ref().is_none_or(types::has_fields);
                    if fits {
                        self.noticed.uses(&column);
                        let idents = at(&column, &idents[0]).unwrap_or_else(|| vec![exact(&column.name, &idents[0])]);
                        return Some(Place { idents, data_type: column.data_type, used: 1, outer });
                    }
                }
                Found::Ambiguous | Found::Maybe => return None,
                Found::Nothing => {}
            }
        }
        None
    }

    /// The column that `idents` mean if their first `length` are a qualifier. `Some(None)`: they are, but nothing is known
    /// of the column.
    fn qualified(&self, scope: &Scope, idents: &[Ident], length: usize) -> Option<Option<Place>> {
        let (qualifier, rest) = idents.split_at(length);
        let relations = scope.relations_named(qualifier);
        let relation = relations.first()?;
        let column = match relations
            .iter()
            .map(|relation| column_of(relation, &rest[0].value))
            .find(|found| *found != Found::Nothing)
        {
            Some(Found::Column(column)) => {
                self.noticed.uses(&column);
                column
            }
            Some(Found::Maybe) => super::Column::new(rest[0].value.clone(), None),
            Some(Found::Ambiguous) => return Some(None),
            Some(Found::Nothing) | None => return None,
        };
        if let Some(idents) = at(&column, &rest[0]) {
            return Some(Some(Place { idents, data_type: column.data_type, used: length + 1, outer: false }));
        }
        let offset = relation.qualifier.len().saturating_sub(length);
        let mut exact_idents: Vec<Ident> = qualifier
            .iter()
            .enumerate()
            .map(|(index, ident)| {
                relation.qualifier.get(offset + index).map_or_else(|| ident.clone(), |name| exact(name, ident))
            })
            .collect();
        exact_idents.push(exact(&column.name, &rest[0]));
        Some(Some(Place { idents: exact_idents, data_type: column.data_type, used: length + 1, outer: false }))
    }

    /// `root[..].field`: the leading identifiers are a name, what follows goes down from it.
    fn access(&mut self, root: Expr, chain: Vec<AccessExpr>) -> Path {
        let mut chain = chain.into_iter().peekable();
        let mut path = match root {
            Expr::Identifier(ident) => {
                let mut idents = vec![ident];
                while let Some(AccessExpr::Dot(Expr::Identifier(ident))) =
                    chain.next_if(|access| matches!(access, AccessExpr::Dot(Expr::Identifier(_))))
                {
                    idents.push(ident);
                }
                self.path(&idents).unwrap_or_else(|| Path {
                    expr: dotted(idents),
                    data_type: None,
                    meaning: Meaning::Unknown,
                })
            }
            mut root => {
                let data_type = self.expr(&mut root);
                Path { expr: root, data_type, meaning: Meaning::Unknown }
            }
        };
        let mut steps = Vec::new();
        for access in chain {
            let (step, data_type, meaning) = self.step(access, path.data_type.as_ref());
            steps.push(step);
            path.data_type = data_type;
            path.meaning = meaning;
        }
        Path { expr: accessed(path.expr, steps), ..path }
    }

    fn step(&mut self, access: AccessExpr, from: Option<&DataType>) -> (AccessExpr, Option<DataType>, Meaning) {
        match access {
            AccessExpr::Dot(Expr::Identifier(ident)) => {
                let (name, data_type) = field(from, &ident.value);
                (subscript(&name), data_type, Meaning::Field)
            }
            AccessExpr::Dot(mut expr) => {
                self.expr(&mut expr);
                (AccessExpr::Dot(expr), None, Meaning::Unknown)
            }
            AccessExpr::Subscript(Subscript::Index { mut index }) => {
                if let Some(name) = key(&index, from) {
                    let (name, data_type) = field(from, &name);
                    return (subscript(&name), data_type, Meaning::Unknown);
                }
                self.expr(&mut index);
                let element = from.and_then(types::element).cloned();
                (AccessExpr::Subscript(Subscript::Index { index }), element, Meaning::Unknown)
            }
            AccessExpr::Subscript(Subscript::Slice { mut lower_bound, mut upper_bound, mut stride }) => {
                for bound in [&mut lower_bound, &mut upper_bound, &mut stride].into_iter().flatten() {
                    self.expr(bound);
                }
                let slice = Subscript::Slice { lower_bound, upper_bound, stride };
                (AccessExpr::Subscript(slice), from.cloned(), Meaning::Unknown)
            }
        }
    }
}

/// Where the planner finds a column that moved.
fn at(column: &super::Column, like: &Ident) -> Option<Vec<Ident>> {
    let at = column.at.as_ref()?;
    Some(at.iter().map(|part| Ident { span: like.span, ..identifier(part) }).collect())
}

/// Follows fields down from a type; a field that is not known keeps its spelling, and so does all below it.
fn fields_below(data_type: Option<&DataType>, idents: &[Ident]) -> (Vec<Ident>, Option<DataType>) {
    let mut data_type = data_type.cloned();
    let mut fields = Vec::with_capacity(idents.len());
    for ident in idents {
        let (name, below) = field(data_type.as_ref(), &ident.value);
        fields.push(exact(&name, ident));
        data_type = below;
    }
    (fields, data_type)
}

/// Exact name and type of a field.
fn field(data_type: Option<&DataType>, name: &str) -> (String, Option<DataType>) {
    data_type
        .and_then(|data_type| types::field(data_type, name))
        .map_or_else(|| (name.to_string(), None), |(name, data_type)| (name, Some(data_type)))
}

/// The field that an index names: a string, or, as in Spark, a text in double quotes below a struct.
fn key(index: &Expr, from: Option<&DataType>) -> Option<String> {
    match index {
        Expr::Value(ValueWithSpan {
            value: Value::SingleQuotedString(name) | Value::DoubleQuotedString(name), ..
        }) => Some(name.clone()),
        Expr::Identifier(ident) if ident.quote_style == Some('"') && matches!(from, Some(DataType::Struct(_))) => {
            Some(ident.value.clone())
        }
        _ => None,
    }
}

fn subscript(name: &str) -> AccessExpr {
    AccessExpr::Subscript(Subscript::Index { index: string(name) })
}

fn accessed(root: Expr, access_chain: Vec<AccessExpr>) -> Expr {
    if access_chain.is_empty() {
        return root;
    }
    Expr::CompoundFieldAccess { root: Box::new(root), access_chain }
}

fn dotted(mut idents: Vec<Ident>) -> Expr {
    if idents.len() == 1 { Expr::Identifier(idents.remove(0)) } else { Expr::CompoundIdentifier(idents) }
}
