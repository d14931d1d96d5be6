//! One SELECT: FROM, then WHERE, then the projection, then the clauses that see both.

use std::ops::ControlFlow;

use arrow::datatypes::DataType;
use datafusion::sql::sqlparser::ast::{
    AccessExpr, Distinct, Expr, GroupByExpr, Ident, NamedWindowExpr, OrderBy, OrderByExpr, OrderByKind, Select,
    SelectItem, Value, visit_expressions,
};

use super::access::Meaning;
use super::notes::is_distinct;
use super::scope::{Column, Found, Prefer, Visible, same};
use super::{Resolver, exact};
use crate::engine::sql::rewrite::identifier;

/// An item of the projection that got an alias here.
struct Respelled {
    expr: Expr,
    alias: Ident,
}

/// One item of the projection, resolved.
pub(super) struct Item {
    pub(super) item: SelectItem,
    /// The columns that it makes.
    pub(super) columns: Vec<Column>,
    /// It may make more columns than those.
    pub(super) open: bool,
    /// The alias that keeps the spelling of the query.
    pub(super) alias: Option<Ident>,
}

impl Resolver<'_> {
    /// Resolves a SELECT, and ORDER BY of the query that it is the body of; returns the columns of the projection.
    pub(super) fn select(&mut self, select: &mut Select, order_by: Option<&mut OrderBy>) -> Visible {
        let mut scope = self.from(&mut select.from);
        if !select.lateral_views.is_empty() {
            scope.relations.push(Visible::unknown());
        }
        let output = self.within(scope, |resolver| resolver.select_in(select, order_by));
        if is_distinct(select) {
            self.noticed.uses_all(&output);
        }
        output
    }

    /// The rest of a SELECT after FROM, whose scope is the innermost one.
    fn select_in(&mut self, select: &mut Select, order_by: Option<&mut OrderBy>) -> Visible {
        for view in &mut select.lateral_views {
            self.expr(&mut view.lateral_view);
        }
        if let Some(selection) = &mut select.selection {
            self.seeing(aliases(&select.projection), |resolver| resolver.expr(selection));
        }
        let (output, respelled) = self.projection(&mut select.projection);
        if let Some(scope) = self.scopes.last_mut() {
            scope.outputs.clone_from(&output.columns);
        }
        self.grouping(select);
        self.preferring(Prefer::Outputs, |resolver| {
            resolver.after_projection(select);
            if let Some(order_by) = order_by {
                order_by_all(order_by, &output);
                resolver.order_by(order_by);
                respell(order_by, &respelled);
            }
        });
        output
    }

    /// Clauses that see FROM first.
    fn grouping(&mut self, select: &mut Select) {
        if let GroupByExpr::Expressions(exprs, _) = &mut select.group_by {
            self.exprs(exprs);
        }
        for window in &mut select.named_window {
            if let NamedWindowExpr::WindowSpec(spec) = &mut window.1 {
                self.window(spec);
            }
        }
        self.exprs(&mut select.cluster_by);
        self.exprs(&mut select.distribute_by);
    }

    /// Clauses that see the projection first.
    fn after_projection(&mut self, select: &mut Select) {
        for expr in [&mut select.having, &mut select.qualify].into_iter().flatten() {
            self.expr(expr);
        }
        if let Some(Distinct::On(exprs)) = &mut select.distinct {
            self.exprs(exprs);
        }
        self.order_by_exprs(&mut select.sort_by);
    }

    /// Resolves a projection in the innermost scope.
    pub(super) fn projection_of(&mut self, projection: &mut Vec<SelectItem>) -> Visible {
        self.projection(projection).0
    }

    fn projection(&mut self, projection: &mut Vec<SelectItem>) -> (Visible, Vec<Respelled>) {
        let mut items = Vec::with_capacity(projection.len());
        let mut earlier = Vec::new();
        for item in std::mem::take(projection) {
            let alias = aliases(std::slice::from_ref(&item));
            self.seeing(std::mem::take(&mut earlier), |resolver| {
                resolver.item(item, &mut items);
                earlier = resolver.scopes.last_mut().map_or_else(Vec::new, |scope| std::mem::take(&mut scope.aliases));
            });
            earlier.extend(alias);
        }
        let names: Vec<String> = items
            .iter()
            .map(|item| item.alias.as_ref().map_or_else(|| last_name(item), |alias| alias.value.clone()))
            .collect();
        let mut output = Visible::default();
        let mut respelled = Vec::new();
        for mut item in items {
            // Two columns of one name are told apart by their qualifiers; an alias would take those away.
            let alias =
                item.alias.take().filter(|alias| names.iter().filter(|name| **name == alias.value).count() == 1);
            if let Some(alias) = alias {
                item = with_alias(item, alias, &mut respelled);
            }
            output.open |= item.open;
            output.columns.extend(item.columns);
            projection.push(item.item);
        }
        (output, respelled)
    }

    /// Resolves something where these aliases of the projection can be used.
    fn seeing<T>(&mut self, aliases: Vec<(Ident, Expr)>, work: impl FnOnce(&mut Self) -> T) -> T {
        if let Some(scope) = self.scopes.last_mut() {
            scope.aliases = aliases;
        }
        let done = work(self);
        if let Some(scope) = self.scopes.last_mut() {
            scope.aliases.clear();
        }
        done
    }

    /// What an alias of the same projection stands for, if `ident` is one and no column: `select a + 1 as b, b * 2`. DuckDB
    /// and Spark have that; the planner does not.
    pub(super) fn alias(&mut self, ident: &Ident) -> Option<(Expr, Option<DataType>)> {
        let scope = self.scopes.last_mut()?;
        let at = scope.aliases.iter().rposition(|(alias, _)| same(&alias.value, &ident.value))?;
        if scope.column(ident) != Found::Nothing || self.expanded >= MAX_EXPANDED {
            return None;
        }
        self.expanded += 1;
        let mut expr = scope.aliases[at].1.clone();
        // It may use the aliases before it, and not itself.
        let hidden = scope.aliases.split_off(at);
        let data_type = self.expr(&mut expr);
        if let Some(scope) = self.scopes.last_mut() {
            scope.aliases.extend(hidden);
        }
        Some((Expr::Nested(Box::new(expr)), data_type))
    }

    fn item(&mut self, item: SelectItem, items: &mut Vec<Item>) {
        match item {
            SelectItem::UnnamedExpr(expr) => items.push(self.unnamed(expr)),
            SelectItem::ExprWithAlias { mut expr, alias } => {
                let data_type = self.expr(&mut expr);
                let column = Column::new(alias.value.clone(), data_type);
                items.push(Item::of(SelectItem::ExprWithAlias { expr, alias }, column));
            }
            SelectItem::ExprWithAliases { mut expr, aliases } => {
                self.expr(&mut expr);
                let column = |alias: &Ident| Column::new(alias.value.clone(), None);
                let columns = aliases.iter().map(column).collect();
                let item = SelectItem::ExprWithAliases { expr, aliases };
                items.push(Item { item, columns, open: false, alias: None });
            }
            SelectItem::Wildcard(options) => self.star(options, items),
            SelectItem::QualifiedWildcard(kind, options) => self.qualified_star(kind, options, items),
        }
    }

    fn unnamed(&mut self, mut expr: Expr) -> Item {
        let Some(spelled) = spelling(&expr).cloned() else {
            let data_type = self.expr(&mut expr);
            return Item::of(SelectItem::UnnamedExpr(expr), Column::new("", data_type));
        };
        let (data_type, meaning) = self.name(peeled(&mut expr));
        let (name, alias) = match meaning {
            Meaning::Column(name) if name != spelled.value => (name, Some(quoted(&spelled))),
            Meaning::Column(name) => (name, None),
            Meaning::Field => (String::new(), Some(quoted(&spelled))),
            Meaning::Unknown => (spelled.value, None),
        };
        Item { alias, ..Item::of(SelectItem::UnnamedExpr(expr), Column::new(name, data_type)) }
    }
}

/// How many uses of aliases one statement may have.
const MAX_EXPANDED: usize = 1000;

/// The aliases of a projection that may be written out twice: not those that are another value each time.
fn aliases(projection: &[SelectItem]) -> Vec<(Ident, Expr)> {
    let alias = |item: &SelectItem| match item {
        SelectItem::ExprWithAlias { expr, alias } if !is_volatile(expr) => Some((alias.clone(), expr.clone())),
        _ => None,
    };
    projection.iter().filter_map(alias).collect()
}

fn is_volatile(expr: &Expr) -> bool {
    let volatile = ["random", "rand", "uuid", "gen_random_uuid"];
    let flow = visit_expressions(expr, |expr| match expr {
        Expr::Function(function) if volatile.iter().any(|name| same(&function.name.to_string(), name)) => {
            ControlFlow::Break(())
        }
        _ => ControlFlow::Continue(()),
    });
    flow.is_break()
}

/// Sorts by the column of the projection, not by the one behind it: with DISTINCT the planner insists on that.
fn respell(order_by: &mut OrderBy, respelled: &[Respelled]) {
    let OrderByKind::Expressions(exprs) = &mut order_by.kind else { return };
    for order in exprs {
        if let Some(respelled) = respelled.iter().find(|respelled| respelled.expr == order.expr) {
            order.expr = Expr::Identifier(respelled.alias.clone());
        }
    }
}

/// `order by all` as positions: the planner takes bare columns alone, and ignores it after a set operation.
pub(super) fn order_by_all(order_by: &mut OrderBy, output: &Visible) {
    let OrderByKind::All(options) = order_by.kind else { return };
    if output.open || output.columns.is_empty() {
        return;
    }
    let position = |at: usize| Expr::value(Value::Number(at.to_string(), false));
    let order = |at| OrderByExpr { expr: position(at), options, with_fill: None };
    order_by.kind = OrderByKind::Expressions((1..=output.columns.len()).map(order).collect());
}

impl Item {
    pub(super) fn of(item: SelectItem, column: Column) -> Item {
        Item { item, columns: vec![column], open: false, alias: None }
    }
}

fn quoted(spelled: &Ident) -> Ident {
    Ident { span: spelled.span, ..identifier(&spelled.value) }
}

/// The name that an item without alias makes, for one that makes a single column.
fn last_name(item: &Item) -> String {
    match item.columns.as_slice() {
        [column] => column.name.clone(),
        _ => String::new(),
    }
}

fn with_alias(item: Item, alias: Ident, respelled: &mut Vec<Respelled>) -> Item {
    let SelectItem::UnnamedExpr(expr) = item.item else { return item };
    respelled.push(Respelled { expr: expr.clone(), alias: alias.clone() });
    let data_type = item.columns.into_iter().next().and_then(|column| column.data_type);
    let column = Column::new(alias.value.clone(), data_type);
    let alias = exact(&alias.value.clone(), &alias);
    Item::of(SelectItem::ExprWithAlias { expr, alias }, column)
}

/// The name that an expression would get as a column: a bare column, or the last field of a path.
fn spelling(expr: &Expr) -> Option<&Ident> {
    match expr {
        Expr::Nested(inner) => spelling(inner),
        Expr::Identifier(ident) => Some(ident),
        Expr::CompoundIdentifier(idents) => idents.last(),
        Expr::CompoundFieldAccess { access_chain, .. } => match access_chain.last() {
            Some(AccessExpr::Dot(Expr::Identifier(ident))) => Some(ident),
            _ => None,
        },
        _ => None,
    }
}

fn peeled(mut expr: &mut Expr) -> &mut Expr {
    while let Expr::Nested(inner) = expr {
        expr = inner;
    }
    expr
}
