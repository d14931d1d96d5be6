//! Joins.

use datafusion::sql::sqlparser::ast::{
    Expr, Ident, Join, JoinConstraint, JoinOperator, ObjectName, ObjectNamePart, SelectItem, TableAlias, TableFactor,
};

use super::scope::{Found, Scope, Visible, column_of, same};
use super::{Resolver, set};
use crate::engine::sql::rewrite::{identifier, select_from, take_factor};

impl Resolver<'_> {
    pub(super) fn join(&mut self, join: &mut Join, scope: &mut Scope) {
        let mut right = self.table_factor(&mut join.relation, scope);
        let side = kept(&join.join_operator);
        if let Some(constraint) = constraint(&mut join.join_operator) {
            self.using(constraint, &mut join.relation, scope, &mut right);
        }
        let left = scope.relations.len();
        scope.relations.extend(right);
        let Scope { relations, merged, .. } = &*scope;
        let visible = Scope { relations: relations.clone(), merged: merged.clone(), ..Scope::default() };
        self.within(visible, |resolver| resolver.constraint(&mut join.join_operator));
        match side {
            Kept::Both => {}
            Kept::Left => scope.relations.truncate(left),
            Kept::Right => {
                scope.relations.drain(..left);
            }
        }
    }

    fn constraint(&mut self, operator: &mut JoinOperator) {
        if let JoinOperator::AsOf { match_condition, .. } = operator {
            self.expr(match_condition);
        }
        if let Some(JoinConstraint::On(expr)) = constraint(operator) {
            self.expr(expr);
        }
    }

    /// Keys of USING and NATURAL: exact names on the left; a right side that spells a key otherwise is renamed.
    fn using(
        &mut self,
        constraint: &mut JoinConstraint,
        factor: &mut TableFactor,
        scope: &mut Scope,
        right: &mut [Visible],
    ) {
        let keys = match constraint {
            JoinConstraint::Natural => natural_keys(scope, right),
            JoinConstraint::Using(names) => using_keys(names, scope, right),
            JoinConstraint::On(_) | JoinConstraint::None => return,
        };
        let is_key = |name: &str| keys.iter().any(|key| same(&key.left, name) || same(&key.right, name));
        let sides = scope.relations.iter().chain(right.iter()).flat_map(|relation| &relation.columns);
        sides.filter(|column| is_key(&column.name)).for_each(|column| self.noticed.uses(column));
        let respelled = keys.iter().any(|key| key.left != key.right);
        if respelled && !rename_keys(factor, right, &keys) {
            return;
        }
        scope.merged.extend(keys.iter().map(|key| key.left.clone()));
        if let JoinConstraint::Using(names) = constraint {
            for (name, key) in names
                .iter_mut()
                .filter_map(single)
                .filter_map(|ident| keys.iter().find(|key| same(&key.left, &ident.value)).map(|key| (ident, key)))
            {
                set(name, &key.left);
            }
        } else if respelled {
            let name = |key: &Key| ObjectName::from(vec![identifier(&key.left)]);
            *constraint = JoinConstraint::Using(keys.iter().map(name).collect());
        }
    }
}

/// A key of USING as both sides spell it.
struct Key {
    left: String,
    right: String,
}

fn single(name: &mut ObjectName) -> Option<&mut Ident> {
    match name.0.as_mut_slice() {
        [ObjectNamePart::Identifier(ident)] => Some(ident),
        _ => None,
    }
}

fn using_keys(names: &mut [ObjectName], scope: &Scope, right: &[Visible]) -> Vec<Key> {
    let find = |ident: &Ident| -> Option<Key> {
        let Found::Column(left) = scope.column(ident) else { return None };
        let right = right.iter().find_map(|relation| match column_of(relation, &left.name) {
            Found::Column(column) => Some(column.name),
            _ => None,
        })?;
        Some(Key { left: left.name, right })
    };
    names.iter_mut().filter_map(single).filter_map(|ident| find(ident)).collect()
}

fn natural_keys(scope: &Scope, right: &[Visible]) -> Vec<Key> {
    let star = scope.star();
    if star.open || right.iter().any(|relation| relation.open) {
        return Vec::new();
    }
    let mut keys: Vec<Key> = Vec::new();
    for column in right.iter().flat_map(|relation| &relation.columns) {
        if let Found::Column(left) = column_of(&star, &column.name)
            && !keys.iter().any(|key| key.left == left.name)
        {
            keys.push(Key { left: left.name, right: column.name.clone() });
        }
    }
    keys
}

/// Puts a subquery around the right side that renames its keys; false if that side is not one known relation.
fn rename_keys(factor: &mut TableFactor, right: &mut [Visible], keys: &[Key]) -> bool {
    let [visible] = right else { return false };
    let Some(name) = visible.qualifier.last().cloned() else { return false };
    if visible.open || visible.columns.iter().any(|column| column.name.is_empty()) {
        return false;
    }
    let mut items = Vec::new();
    for column in &mut visible.columns {
        let expr = Expr::Identifier(identifier(&column.name));
        match keys.iter().find(|key| key.right == column.name && key.left != column.name) {
            Some(key) => {
                items.push(SelectItem::ExprWithAlias { expr, alias: identifier(&key.left) });
                column.name.clone_from(&key.left);
            }
            None => items.push(SelectItem::UnnamedExpr(expr)),
        }
    }
    let subquery = Box::new(select_from(items, take_factor(factor)));
    let alias = TableAlias { explicit: true, name: identifier(&name), columns: Vec::new(), at: None };
    *factor = TableFactor::Derived { lateral: false, subquery, alias: Some(alias), sample: None };
    true
}

/// Whose columns a join shows.
enum Kept {
    Both,
    Left,
    Right,
}

fn kept(operator: &JoinOperator) -> Kept {
    match operator {
        JoinOperator::Semi(_) | JoinOperator::LeftSemi(_) | JoinOperator::Anti(_) | JoinOperator::LeftAnti(_) => {
            Kept::Left
        }
        JoinOperator::RightSemi(_) | JoinOperator::RightAnti(_) => Kept::Right,
        _ => Kept::Both,
    }
}

/// The constraint of a join, if it can have one.
pub(crate) fn constraint(operator: &mut JoinOperator) -> Option<&mut JoinConstraint> {
    match operator {
        JoinOperator::Join(constraint)
        | JoinOperator::Inner(constraint)
        | JoinOperator::Left(constraint)
        | JoinOperator::LeftOuter(constraint)
        | JoinOperator::Right(constraint)
        | JoinOperator::RightOuter(constraint)
        | JoinOperator::FullOuter(constraint)
        | JoinOperator::CrossJoin(constraint)
        | JoinOperator::Semi(constraint)
        | JoinOperator::LeftSemi(constraint)
        | JoinOperator::RightSemi(constraint)
        | JoinOperator::Anti(constraint)
        | JoinOperator::LeftAnti(constraint)
        | JoinOperator::RightAnti(constraint)
        | JoinOperator::AsOf { constraint, .. }
        | JoinOperator::StraightJoin(constraint) => Some(constraint),
        JoinOperator::CrossApply
        | JoinOperator::OuterApply
        | JoinOperator::ArrayJoin
        | JoinOperator::LeftArrayJoin
        | JoinOperator::InnerArrayJoin => None,
    }
}
