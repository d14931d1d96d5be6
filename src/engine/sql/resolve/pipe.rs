//! Pipe operators (`|> where .. |> select ..`): each sees what the one before it made.

use datafusion::sql::sqlparser::ast::PipeOperator;

use super::Resolver;
use super::scope::{Scope, Visible};

impl Resolver<'_> {
    pub(super) fn pipe_operators(&mut self, input: Visible, operators: &mut [PipeOperator]) -> Visible {
        if !operators.is_empty() {
            self.noticed.rebuilds();
        }
        let mut current = input;
        for operator in operators {
            current = self.pipe_operator(current, operator);
        }
        current
    }

    fn pipe_operator(&mut self, input: Visible, operator: &mut PipeOperator) -> Visible {
        let scope = Scope::of(input.clone());
        match operator {
            PipeOperator::Where { expr } => {
                self.within(scope, |resolver| resolver.expr(expr));
                input
            }
            PipeOperator::OrderBy { exprs } => {
                self.within(scope, |resolver| resolver.order_by_exprs(exprs));
                input
            }
            PipeOperator::Limit { .. } => input,
            PipeOperator::Select { exprs } => self.within(scope, |resolver| resolver.projection_of(exprs)),
            PipeOperator::Extend { exprs } => {
                let added = self.within(scope, |resolver| resolver.projection_of(exprs));
                let mut output = input;
                output.open |= added.open;
                output.columns.extend(added.columns);
                output
            }
            PipeOperator::As { alias } => input.named(vec![alias.value.clone()]),
            PipeOperator::Aggregate { full_table_exprs, group_by_expr } => {
                self.within(scope, |resolver| {
                    for item in full_table_exprs.iter_mut().chain(group_by_expr) {
                        resolver.expr(&mut item.expr.expr);
                    }
                });
                Visible::unknown()
            }
            PipeOperator::Union { queries, .. }
            | PipeOperator::Intersect { queries, .. }
            | PipeOperator::Except { queries, .. } => {
                for query in queries {
                    let output = self.query(query);
                    self.noticed.uses_all(&output);
                }
                input
            }
            PipeOperator::Join(join) => {
                let mut scope = scope;
                self.join(join, &mut scope);
                scope.star()
            }
            _ => Visible::unknown(),
        }
    }
}
