//! Joins that pair everything with everything, and joins that undo the outer join before them.

use std::collections::HashMap;

use datafusion::common::JoinType;
use datafusion::execution::SessionState;
use datafusion::logical_expr::{Expr, Join, LogicalPlan, Operator};

use super::plans::each;
use super::{Warnings, at};
use crate::diag::{Diagnostic, codes};
use crate::engine::sql::text_span;

pub(super) fn look(warnings: &mut Warnings<'_>, session: &SessionState) {
    cartesian(warnings, session);
    nullable_keys(warnings);
}

/// C4101 for a join without a condition that nobody wrote as `cross join`. What the optimiser turns into a join on keys is
/// none, and neither is one with a single row.
fn cartesian(warnings: &mut Warnings<'_>, session: &SessionState) {
    let notes = &warnings.planned.notes;
    if notes.loose_joins.is_empty() || warnings.allows(codes::CARTESIAN_JOIN) {
        return;
    }
    let Ok(optimized) = session.optimize(&warnings.planned.plan) else { return };
    let mut crosses = 0;
    each(&optimized, &mut |node| {
        if let LogicalPlan::Join(join) = node {
            let single = |plan: &LogicalPlan| plan.max_rows() == Some(1);
            let bare = join.on.is_empty() && join.filter.is_none() && join.join_type == JoinType::Inner;
            crosses += usize::from(bare && !single(&join.left) && !single(&join.right));
        }
    });
    if crosses <= notes.cross_joins {
        return;
    }
    let message = "every row of one side is paired with every row of the other";
    let mut diagnostic = Diagnostic::warning(codes::CARTESIAN_JOIN, message);
    for span in notes.loose_joins.iter().filter_map(|span| text_span(&warnings.planned.compiled.sql, *span)) {
        diagnostic = diagnostic.label(span, "joined without a condition that holds both sides together");
    }
    warnings.warn(diagnostic.help("join on keys: `join b on b.id = a.id`; write `cross join` if all pairs are meant"));
}

/// C4108 for keys of inner joins that an outer join may have left empty.
fn nullable_keys(warnings: &mut Warnings<'_>) {
    let mut outer = false;
    let plan = &warnings.planned.plan;
    each(plan, &mut |node| {
        outer |= matches!(node, LogicalPlan::Join(join) if matches!(join.join_type, JoinType::Left | JoinType::Right | JoinType::Full));
    });
    if !outer {
        return;
    }
    let mut memory = Memory::default();
    let mut keys: Vec<Expr> = Vec::new();
    each(plan, &mut |node| {
        let LogicalPlan::Join(join) = node else { return };
        if join.join_type != JoinType::Inner {
            return;
        }
        let (left, right) = (memory.of(&join.left), memory.of(&join.right));
        for key in keys_of(join) {
            let empty = is_empty_sometimes(key, &join.left, &left) || is_empty_sometimes(key, &join.right, &right);
            if empty && !keys.contains(key) {
                keys.push(key.clone());
            }
        }
    });
    for key in keys {
        let name = key.column_refs().into_iter().next().map(|column| column.name.clone()).unwrap_or_default();
        let place = warnings.place(&[&key]);
        let message = format!("`{name}` is empty where the outer join before it found nothing");
        let diagnostic = at(
            Diagnostic::warning(codes::NULLABLE_JOIN_KEY, message),
            place,
            "this inner join drops the rows that the outer join kept",
        );
        warnings.warn(diagnostic.help("make this one a left join too, or the one before it an inner join"));
    }
}

/// Both sides of the equalities that a join is about. Until a plan is optimised they may stand in its filter.
fn keys_of(join: &Join) -> Vec<&Expr> {
    let mut keys: Vec<&Expr> = join.on.iter().flat_map(|(a, b)| [a, b]).collect();
    let mut conditions: Vec<&Expr> = join.filter.iter().collect();
    while let Some(condition) = conditions.pop() {
        match condition {
            Expr::BinaryExpr(binary) if binary.op == Operator::And => {
                conditions.extend([&*binary.left, &*binary.right])
            }
            Expr::BinaryExpr(binary) if binary.op == Operator::Eq => keys.extend([&*binary.left, &*binary.right]),
            _ => {}
        }
    }
    keys
}

fn is_empty_sometimes(key: &Expr, plan: &LogicalPlan, nullable: &[bool]) -> bool {
    let Expr::Column(column) = key else { return false };
    plan.schema().maybe_index_of_column(column).is_some_and(|at| nullable.get(at).copied().unwrap_or(false))
}

/// Which columns of plans an outer join may have left empty, by the place of the plan in memory.
#[derive(Default)]
struct Memory {
    known: HashMap<usize, Vec<bool>>,
}

impl Memory {
    fn of(&mut self, plan: &LogicalPlan) -> Vec<bool> {
        let place = std::ptr::from_ref(plan) as usize;
        if let Some(known) = self.known.get(&place) {
            return known.clone();
        }
        let mut nullable = self.look(plan);
        nullable.resize(plan.schema().fields().len(), false);
        self.known.insert(place, nullable.clone());
        nullable
    }

    fn look(&mut self, plan: &LogicalPlan) -> Vec<bool> {
        match plan {
            LogicalPlan::Projection(projection) => {
                let input = self.of(&projection.input);
                let empty = |expr: &Expr| is_empty_sometimes(bare(expr), &projection.input, &input);
                projection.expr.iter().map(empty).collect()
            }
            LogicalPlan::Aggregate(aggregate) => {
                let input = self.of(&aggregate.input);
                let empty = |expr: &Expr| is_empty_sometimes(bare(expr), &aggregate.input, &input);
                aggregate.group_expr.iter().map(empty).collect()
            }
            LogicalPlan::Filter(filter) => {
                let mut nullable = self.of(&filter.input);
                filled(&filter.predicate, &filter.input, &mut nullable);
                nullable
            }
            LogicalPlan::Join(join) => {
                let (mut left, mut right) = (self.of(&join.left), self.of(&join.right));
                match join.join_type {
                    JoinType::Left => right.fill(true),
                    JoinType::Right => left.fill(true),
                    JoinType::Full => {
                        left.fill(true);
                        right.fill(true);
                    }
                    JoinType::LeftSemi | JoinType::LeftAnti => return left,
                    JoinType::RightSemi | JoinType::RightAnti => return right,
                    // Rows whose key is empty are gone: whoever comes after has nothing to lose.
                    _ => {
                        for key in keys_of(join) {
                            clear(key, &join.left, &mut left);
                            clear(key, &join.right, &mut right);
                        }
                    }
                }
                left.into_iter().chain(right).collect()
            }
            LogicalPlan::Union(union) => {
                let mut all: Vec<bool> = Vec::new();
                for input in &union.inputs {
                    let input = self.of(input);
                    all.resize(all.len().max(input.len()), false);
                    all.iter_mut().zip(input).for_each(|(all, input)| *all |= input);
                }
                all
            }
            LogicalPlan::SubqueryAlias(_)
            | LogicalPlan::Sort(_)
            | LogicalPlan::Limit(_)
            | LogicalPlan::Window(_)
            | LogicalPlan::Repartition(_) => match plan.inputs().as_slice() {
                [input] => self.of(input),
                _ => Vec::new(),
            },
            _ => Vec::new(),
        }
    }
}

/// An expression without alias and cast.
fn bare(expr: &Expr) -> &Expr {
    match expr {
        Expr::Alias(alias) => bare(&alias.expr),
        Expr::Cast(cast) => bare(&cast.expr),
        other => other,
    }
}

fn clear(key: &Expr, plan: &LogicalPlan, nullable: &mut [bool]) {
    if let Expr::Column(column) = key
        && let Some(at) = plan.schema().maybe_index_of_column(column)
        && let Some(flag) = nullable.get_mut(at)
    {
        *flag = false;
    }
}

/// Columns that a filter does not let through empty: whoever filters on them knows that rows are lost.
fn filtered(predicate: &Expr, out: &mut Vec<Expr>) {
    match predicate {
        Expr::BinaryExpr(binary) if binary.op == Operator::And => {
            filtered(&binary.left, out);
            filtered(&binary.right, out);
        }
        Expr::BinaryExpr(binary) if super::types::is_comparison(binary.op) => {
            out.extend([(*binary.left).clone(), (*binary.right).clone()]);
        }
        Expr::IsNotNull(inner) => out.push((**inner).clone()),
        _ => {}
    }
}

fn filled(predicate: &Expr, plan: &LogicalPlan, nullable: &mut [bool]) {
    let mut columns = Vec::new();
    filtered(predicate, &mut columns);
    columns.iter().for_each(|column| clear(column, plan, nullable));
}
