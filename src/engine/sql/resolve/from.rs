//! The items of FROM.

use arrow::datatypes::DataType;
use datafusion::sql::sqlparser::ast::{
    FunctionArg, FunctionArgExpr, ObjectName, ObjectNamePart, TableAlias, TableAliasColumnDef, TableFactor,
    TableWithJoins,
};

use super::lateral::join_commas;
use super::scope::{Column, Scope, Visible};
use super::{Resolver, parts, renamed, set};

/// Table functions of DataFusion with one column, and its name.
const SERIES: [&str; 2] = ["generate_series", "range"];

impl Resolver<'_> {
    /// Resolves FROM; the scope is what the rest of the SELECT sees.
    pub(super) fn from(&mut self, from: &mut Vec<TableWithJoins>) -> Scope {
        let mut scope = Scope::default();
        from.iter().skip(1).for_each(|item| self.noticed.comma(&item.relation));
        from.iter().flat_map(|item| &item.joins).for_each(|join| self.noticed.join(join));
        join_commas(from);
        for item in from {
            self.table_with_joins(item, &mut scope);
        }
        scope
    }

    pub(super) fn table_with_joins(&mut self, item: &mut TableWithJoins, scope: &mut Scope) {
        let visible = self.table_factor(&mut item.relation, scope);
        let first = scope.relations.len();
        scope.relations.extend(visible);
        let mut index = 0;
        while index < item.joins.len() {
            if self.absorb(item, index, first, scope) {
                index = 0;
                continue;
            }
            self.join(&mut item.joins[index], scope);
            index += 1;
        }
    }

    /// Resolves one item; `left` is what stands left of it in FROM, which lateral items see.
    pub(super) fn table_factor(&mut self, factor: &mut TableFactor, left: &mut Scope) -> Vec<Visible> {
        match factor {
            TableFactor::Table { name, alias, args: None, .. } => vec![self.table(name, alias.as_ref())],
            TableFactor::Table { name, alias, args: Some(args), .. } => {
                let scope = lateral(left);
                self.within(scope, |resolver| resolver.args(&mut args.args));
                vec![self.table_function(name, alias.as_ref())]
            }
            TableFactor::Function { name, args, alias, .. } => {
                let scope = lateral(left);
                self.within(scope, |resolver| resolver.args(args));
                vec![self.table_function(name, alias.as_ref())]
            }
            TableFactor::Derived { lateral: true, subquery, alias, .. } => {
                let scope = lateral(left);
                let visible = self.within(scope, |resolver| resolver.query(subquery));
                vec![aliased(visible, alias.as_ref())]
            }
            TableFactor::Derived { subquery, alias, .. } => {
                let mut visible = self.query(subquery);
                let owner = alias.as_ref().map_or("a subquery", |alias| alias.name.value.as_str());
                self.noticed.define(owner, subquery, &mut visible);
                vec![aliased(visible, alias.as_ref())]
            }
            TableFactor::UNNEST { alias, array_exprs, .. } => {
                let scope = lateral(left);
                let types: Vec<_> =
                    self.within(scope, |resolver| array_exprs.iter_mut().map(|expr| resolver.expr(expr)).collect());
                vec![unnested(&types, alias.as_mut())]
            }
            TableFactor::NestedJoin { table_with_joins, alias } => {
                self.nested_join(table_with_joins, alias.as_ref(), left)
            }
            TableFactor::Pivot { .. } | TableFactor::Unpivot { .. } => self.reshape(factor, left),
            TableFactor::TableFunction { expr, alias } => {
                let scope = lateral(left);
                self.within(scope, |resolver| resolver.expr(expr));
                vec![aliased(Visible::unknown(), alias.as_ref())]
            }
            _ => vec![Visible::unknown()],
        }
    }

    fn table(&mut self, name: &mut ObjectName, alias: Option<&TableAlias>) -> Visible {
        if let [ObjectNamePart::Identifier(ident)] = name.0.as_mut_slice()
            && let Some(cte) = self.visible_cte(&ident.value)
        {
            let visible = cte.columns.clone().named(vec![cte.name.clone()]);
            let (exact, number) = (cte.name.clone(), cte.number);
            set(ident, &exact);
            self.noticed.uses_cte(number);
            return aliased(visible, alias);
        }
        self.reads(name);
        let visible = self.known(&parts(name));
        aliased(visible, alias)
    }

    /// Names of table functions are those of functions: lower case unless quoted.
    fn table_function(&mut self, name: &mut ObjectName, alias: Option<&TableAlias>) -> Visible {
        let mut visible = Visible::unknown();
        if let [ObjectNamePart::Identifier(ident)] = name.0.as_mut_slice() {
            if ident.quote_style.is_none() {
                ident.value = ident.value.to_lowercase();
            }
            if SERIES.contains(&ident.value.as_str()) {
                let also = [Some(&ident.value), alias.filter(|alias| alias.columns.is_empty()).map(|a| &a.name.value)];
                let also = also.into_iter().flatten().cloned().collect();
                visible = Visible { columns: vec![Column::new("value", None)], also, ..Visible::default() };
            }
            visible.qualifier = vec![format!("{}()", ident.value)];
        }
        aliased(visible, alias)
    }

    fn nested_join(
        &mut self,
        inner: &mut TableWithJoins,
        alias: Option<&TableAlias>,
        left: &mut Scope,
    ) -> Vec<Visible> {
        let mut scope = Scope::default();
        self.table_with_joins(inner, &mut scope);
        match alias {
            Some(_) => vec![aliased(scope.star(), alias)],
            None => {
                left.merged.extend(scope.merged);
                scope.relations
            }
        }
    }

    pub(super) fn args(&mut self, args: &mut [FunctionArg]) -> Vec<Option<DataType>> {
        args.iter_mut()
            .map(|arg| match arg {
                FunctionArg::Named { arg, .. } | FunctionArg::Unnamed(arg) | FunctionArg::ExprNamed { arg, .. } => {
                    self.arg(arg)
                }
            })
            .collect()
    }

    fn arg(&mut self, arg: &mut FunctionArgExpr) -> Option<DataType> {
        match arg {
            FunctionArgExpr::Expr(expr) => self.expr(expr),
            FunctionArgExpr::QualifiedWildcard(name) => {
                if let Some(all) = self.qualifier(name) {
                    self.noticed.uses_all(&all);
                }
                None
            }
            FunctionArgExpr::Wildcard | FunctionArgExpr::WildcardWithOptions(_) => None,
        }
    }
}

/// What a lateral item sees of its left neighbours.
fn lateral(left: &Scope) -> Scope {
    Scope { lateral: true, ..left.clone() }
}

/// Columns as an alias shows them.
pub(super) fn aliased(visible: Visible, alias: Option<&TableAlias>) -> Visible {
    let Some(alias) = alias else { return visible };
    let names: Vec<String> = alias.columns.iter().map(|column| column.name.value.clone()).collect();
    renamed(visible, &names).named(vec![alias.name.value.clone()])
}

/// The columns of `unnest(..) as alias(columns)`. An alias without columns names the one column too, as in Postgres.
fn unnested(types: &[Option<DataType>], alias: Option<&mut TableAlias>) -> Visible {
    let Some(alias) = alias else { return Visible::unknown() };
    if let ([_], true) = (types, alias.columns.is_empty()) {
        alias.columns.push(TableAliasColumnDef { name: alias.name.clone(), data_type: None });
    }
    let element = |list: &Option<DataType>| list.as_ref().and_then(super::types::element).cloned();
    let columns = types.iter().map(|list| Column::new("", element(list))).collect();
    aliased(Visible { columns, ..Visible::default() }, Some(alias))
}
