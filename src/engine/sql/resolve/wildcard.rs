//! `*`, `t.*` and `struct.*`, with EXCLUDE, EXCEPT, REPLACE and RENAME.
//!
//! The planner expands a wildcard itself; names in its options are made exact. It is expanded here only if the planner
//! could not do it: RENAME, an excluded name that several relations have, the fields of a struct.

use arrow::datatypes::DataType;
use datafusion::sql::sqlparser::ast::{
    ExcludeSelectItem, Expr, Ident, IdentWithAlias, ObjectName, ObjectNamePart, RenameSelectItem, SelectItem,
    SelectItemQualifiedWildcardKind, Spanned, WildcardAdditionalOptions,
};
use datafusion::sql::sqlparser::tokenizer::Span as SqlSpan;

use super::scope::{Column, Found, Visible, column_of};
use super::select::Item;
use super::{Resolver, exact, set};
use crate::engine::sql::rewrite::{field_of, identifier, reference};

/// A column that a wildcard stands for.
struct Listed {
    column: Column,
    expr: Expr,
    /// It is not where its relation is.
    moved: bool,
}

impl Listed {
    fn of(column: &Column, qualifier: &[String], star: SqlSpan) -> Listed {
        let expr = match column.at.as_deref() {
            Some([qualifier @ .., name]) => reference(qualifier, name),
            _ => reference(qualifier, &column.name),
        };
        let mut history = column.history.clone();
        history.star = history.star.or(Some(star));
        let listed = Column { at: None, history, ..column.clone() };
        Listed { column: listed, expr, moved: column.at.is_some() }
    }
}

impl Resolver<'_> {
    /// `*`
    pub(super) fn star(&mut self, mut options: WildcardAdditionalOptions, items: &mut Vec<Item>) {
        let Some(scope) = self.scopes.last() else { return };
        let source = scope.star();
        let star = options.wildcard_token.0.span;
        let mut listed: Vec<Listed> = Vec::new();
        for relation in &scope.relations {
            for column in &relation.columns {
                let merged = scope.merged.contains(&column.name);
                if merged && listed.iter().any(|other| other.column.name == column.name) {
                    continue;
                }
                let qualifier = if merged { &[][..] } else { &relation.qualifier[..] };
                listed.push(Listed::of(column, qualifier, star));
            }
        }
        match self.options(&mut options, &source, listed) {
            Ok(expanded) => items.extend(expanded),
            Err(columns) => {
                let open = source.open || options.opt_ilike.is_some();
                items.push(Item { item: SelectItem::Wildcard(options), columns, open, alias: None });
            }
        }
    }

    /// `t.*`, or `struct.*`.
    pub(super) fn qualified_star(
        &mut self,
        kind: SelectItemQualifiedWildcardKind,
        mut options: WildcardAdditionalOptions,
        items: &mut Vec<Item>,
    ) {
        let mut name = match kind {
            SelectItemQualifiedWildcardKind::ObjectName(name) => name,
            SelectItemQualifiedWildcardKind::Expr(mut expr) => {
                let data_type = self.expr(&mut expr);
                if let Some(DataType::Struct(fields)) = data_type {
                    items.extend(fields.iter().map(|field| {
                        field_item(field_of(expr.clone(), field.name()), field.name(), field.data_type())
                    }));
                    return;
                }
                let item = SelectItem::QualifiedWildcard(SelectItemQualifiedWildcardKind::Expr(expr), options);
                items.push(Item { item, columns: Vec::new(), open: true, alias: None });
                return;
            }
        };
        let Some(source) = self.qualifier(&mut name) else {
            if self.spread(&name, items) {
                return;
            }
            let item = SelectItem::QualifiedWildcard(SelectItemQualifiedWildcardKind::ObjectName(name), options);
            items.push(Item { item, columns: Vec::new(), open: true, alias: None });
            return;
        };
        let star = name.span().union(&options.wildcard_token.0.span);
        let listed = source.columns.iter().map(|column| Listed::of(column, &source.qualifier, star)).collect();
        match self.options(&mut options, &source, listed) {
            Ok(expanded) => items.extend(expanded),
            Err(columns) => {
                let open = source.open || options.opt_ilike.is_some();
                let kind = SelectItemQualifiedWildcardKind::ObjectName(name);
                items.push(Item { item: SelectItem::QualifiedWildcard(kind, options), columns, open, alias: None });
            }
        }
    }

    /// Makes a qualifier exact and finds its relation.
    pub(super) fn qualifier(&mut self, name: &mut ObjectName) -> Option<Visible> {
        let idents: Vec<Ident> = name.0.iter().filter_map(|part| part.as_ident().cloned()).collect();
        if idents.len() != name.0.len() {
            return None;
        }
        let relation =
            self.scopes.iter().rev().find_map(|scope| scope.relations_named(&idents).first().copied().cloned())?;
        for (part, exact) in name.0.iter_mut().rev().zip(relation.qualifier.iter().rev()) {
            if let ObjectNamePart::Identifier(ident) = part {
                set(ident, exact);
            }
        }
        Some(relation)
    }

    /// `struct.*` where the struct is a column: its fields as columns.
    fn spread(&mut self, name: &ObjectName, items: &mut Vec<Item>) -> bool {
        let idents: Vec<Ident> = name.0.iter().filter_map(|part| part.as_ident().cloned()).collect();
        let Some(path) = self.path(&idents) else { return false };
        let Some(DataType::Struct(fields)) = &path.data_type else { return false };
        items.extend(fields.iter().map(|field| {
            let expr = field_of(path.expr.clone(), field.name());
            field_item(expr, field.name(), field.data_type())
        }));
        true
    }

    /// Makes the names in the options exact. The items that the wildcard stands for if it has to be expanded here,
    /// else the columns that it makes.
    fn options(
        &mut self,
        options: &mut WildcardAdditionalOptions,
        source: &Visible,
        listed: Vec<Listed>,
    ) -> Result<Vec<Item>, Vec<Column>> {
        let excluded = excluded(options, source);
        let renamed = renames(options, source);
        let mut replaced: Vec<(String, Expr, Option<DataType>)> = Vec::new();
        for item in options.opt_replace.iter_mut().flat_map(|replace| &mut replace.items) {
            let data_type = self.expr(&mut item.expr);
            make_exact(&mut item.column_name, source);
            replaced.push((item.column_name.value.clone(), item.expr.clone(), data_type));
        }
        let twice = |name: &String| listed.iter().filter(|item| item.column.name == *name).count() > 1;
        let unnamed = listed.iter().any(|item| item.column.name.is_empty());
        let moved = listed.iter().any(|item| item.moved);
        let expand = (moved || options.opt_rename.is_some() || excluded.iter().any(twice))
            && !source.open
            && !unnamed
            && options.opt_ilike.is_none();
        let mut items = Vec::new();
        for Listed { mut column, mut expr, .. } in listed {
            if excluded.contains(&column.name) {
                continue;
            }
            let old = column.name.clone();
            if let Some((_, replacement, data_type)) = replaced.iter().find(|(name, ..)| *name == old) {
                expr = replacement.clone();
                column.data_type.clone_from(data_type);
            }
            if let Some((_, new)) = renamed.iter().find(|(name, _)| *name == old) {
                column.name.clone_from(&new.value);
            }
            let plain = matches!(&expr, Expr::Identifier(ident) if ident.value == column.name)
                || matches!(&expr, Expr::CompoundIdentifier(idents) if idents.last().is_some_and(|last| last.value == column.name));
            let item = match plain {
                true => SelectItem::UnnamedExpr(expr),
                false => SelectItem::ExprWithAlias { expr, alias: identifier(&column.name) },
            };
            items.push(Item::of(item, column));
        }
        if expand { Ok(items) } else { Err(items.into_iter().flat_map(|item| item.columns).collect()) }
    }
}

fn field_item(expr: Expr, name: &str, data_type: &DataType) -> Item {
    let column = Column::new(name, Some(data_type.clone()));
    Item::of(SelectItem::ExprWithAlias { expr, alias: identifier(name) }, column)
}

fn make_exact(ident: &mut Ident, source: &Visible) {
    if let Found::Column(column) = column_of(source, &ident.value) {
        *ident = exact(&column.name, ident);
    }
}

/// Makes the names of EXCLUDE and EXCEPT exact and lists them.
fn excluded(options: &mut WildcardAdditionalOptions, source: &Visible) -> Vec<String> {
    let mut idents: Vec<&mut Ident> = Vec::new();
    let names = match &mut options.opt_exclude {
        Some(ExcludeSelectItem::Single(name)) => std::slice::from_mut(name),
        Some(ExcludeSelectItem::Multiple(names)) => names.as_mut_slice(),
        None => &mut [],
    };
    for name in names {
        if let [ObjectNamePart::Identifier(ident)] = name.0.as_mut_slice() {
            idents.push(ident);
        }
    }
    if let Some(except) = &mut options.opt_except {
        idents.push(&mut except.first_element);
        idents.extend(&mut except.additional_elements);
    }
    let mut excluded = Vec::new();
    for ident in idents {
        make_exact(ident, source);
        excluded.push(ident.value.clone());
    }
    excluded
}

/// Old names and new ones of RENAME.
fn renames(options: &mut WildcardAdditionalOptions, source: &Visible) -> Vec<(String, Ident)> {
    let pairs: &mut [IdentWithAlias] = match &mut options.opt_rename {
        Some(RenameSelectItem::Single(pair)) => std::slice::from_mut(pair),
        Some(RenameSelectItem::Multiple(pairs)) => pairs,
        None => &mut [],
    };
    let mut renames = Vec::new();
    for pair in pairs {
        make_exact(&mut pair.ident, source);
        renames.push((pair.ident.value.clone(), pair.alias.clone()));
    }
    renames
}
