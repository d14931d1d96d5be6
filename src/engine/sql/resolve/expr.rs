//! Expressions. Each is resolved in place; what is known of its type comes back.

use arrow::datatypes::DataType;
use datafusion::sql::sqlparser::ast::{
    BinaryOperator, CastKind, DataType as SqlType, Expr, Function, FunctionArguments, Ident, Query, Value,
    ValueWithSpan,
};

use super::scope::Visible;
use super::{Resolver, types};
use crate::engine::sql::rewrite::json_access;

impl Resolver<'_> {
    pub(super) fn exprs(&mut self, exprs: &mut [Expr]) {
        for expr in exprs {
            self.expr(expr);
        }
    }

    /// Resolves an expression; the type, if it is known and may have something below it.
    pub(super) fn expr(&mut self, expr: &mut Expr) -> Option<DataType> {
        match expr {
            Expr::Identifier(_) | Expr::CompoundIdentifier(_) | Expr::CompoundFieldAccess { .. } => self.name(expr).0,
            Expr::Nested(inner) | Expr::Collate { expr: inner, .. } | Expr::Prior(inner) | Expr::OuterJoin(inner) => {
                self.expr(inner)
            }
            Expr::Function(function) => self.function(function),
            Expr::Cast { expr, data_type, .. } => {
                self.expr(expr);
                types::cast_type(data_type)
            }
            Expr::Case { operand, conditions, else_result, .. } => {
                if let Some(operand) = operand {
                    self.expr(operand);
                }
                let mut result = None;
                for when in conditions {
                    self.expr(&mut when.condition);
                    let data_type = self.expr(&mut when.result);
                    result = result.or(data_type);
                }
                let otherwise = else_result.as_mut().and_then(|expr| self.expr(expr));
                result.or(otherwise)
            }
            Expr::Subquery(query) => self.scalar(query),
            Expr::Array(array) => {
                let mut element = None;
                for expr in &mut array.elem {
                    let data_type = self.expr(expr);
                    element = element.or(data_type);
                }
                element.map(types::list_of)
            }
            Expr::BinaryOp { op, .. } => {
                let is_condition = gives_boolean(op);
                self.binary(expr);
                is_condition.then_some(DataType::Boolean)
            }
            Expr::Value(ValueWithSpan { value: Value::Boolean(_), .. }) => Some(DataType::Boolean),
            Expr::Lambda(lambda) => {
                // Calls take their lambdas themselves.
                *expr = json_access(lambda.clone());
                self.expr(expr)
            }
            other => {
                self.children(other);
                None
            }
        }
    }

    /// A subquery of an expression uses all that it gives.
    fn subquery(&mut self, query: &mut Query) -> Visible {
        let output = self.query(query);
        self.noticed.uses_all(&output);
        output
    }

    /// The type of a subquery that stands for a value.
    fn scalar(&mut self, query: &mut Query) -> Option<DataType> {
        let output = self.subquery(query);
        match output.columns.as_slice() {
            [column] if !output.open => column.data_type.clone(),
            _ => None,
        }
    }

    /// Chains of operators lean to the left and may be very long: they are walked in a loop.
    fn binary(&mut self, mut expr: &mut Expr) {
        while let Expr::BinaryOp { left, right, .. } = expr {
            self.expr(right);
            expr = left;
        }
        self.expr(expr);
    }

    /// Expressions whose type has nothing below it.
    fn children(&mut self, expr: &mut Expr) {
        match expr {
            Expr::IsFalse(inner)
            | Expr::IsNotFalse(inner)
            | Expr::IsTrue(inner)
            | Expr::IsNotTrue(inner)
            | Expr::IsNull(inner)
            | Expr::IsNotNull(inner)
            | Expr::IsUnknown(inner)
            | Expr::IsNotUnknown(inner)
            | Expr::IsNormalized { expr: inner, .. }
            | Expr::UnaryOp { expr: inner, .. }
            | Expr::Extract { expr: inner, .. }
            | Expr::Ceil { expr: inner, .. }
            | Expr::Floor { expr: inner, .. }
            | Expr::Named { expr: inner, .. }
            | Expr::Prefixed { value: inner, .. }
            | Expr::JsonAccess { value: inner, .. } => {
                self.expr(inner);
            }
            Expr::IsDistinctFrom(a, b)
            | Expr::IsNotDistinctFrom(a, b)
            | Expr::Like { expr: a, pattern: b, .. }
            | Expr::ILike { expr: a, pattern: b, .. }
            | Expr::SimilarTo { expr: a, pattern: b, .. }
            | Expr::RLike { expr: a, pattern: b, .. }
            | Expr::AnyOp { left: a, right: b, .. }
            | Expr::AllOp { left: a, right: b, .. }
            | Expr::AtTimeZone { timestamp: a, time_zone: b }
            | Expr::Position { expr: a, r#in: b }
            | Expr::InUnnest { expr: a, array_expr: b, .. } => {
                self.expr(a);
                self.expr(b);
            }
            Expr::MemberOf(member) => {
                self.expr(&mut member.value);
                self.expr(&mut member.array);
            }
            Expr::Between { expr, low, high, .. } => {
                self.expr(expr);
                self.expr(low);
                self.expr(high);
            }
            Expr::InList { expr, list, .. } => {
                let data_type = self.expr(expr);
                self.exprs(list);
                if data_type == Some(DataType::Boolean) {
                    list.iter_mut().for_each(as_boolean);
                }
            }
            Expr::InSubquery { expr, subquery, .. } => {
                self.expr(expr);
                self.subquery(subquery);
            }
            Expr::Exists { subquery, .. } => {
                self.subquery(subquery);
            }
            Expr::Convert { expr, styles, .. } => {
                self.expr(expr);
                self.exprs(styles);
            }
            Expr::Interval(interval) => {
                self.expr(&mut interval.value);
            }
            other => self.lists(other),
        }
    }

    /// Expressions that hold lists of others.
    fn lists(&mut self, expr: &mut Expr) {
        match expr {
            Expr::Substring { expr, substring_from, substring_for, .. } => {
                self.expr(expr);
                for bound in [substring_from, substring_for].into_iter().flatten() {
                    self.expr(bound);
                }
            }
            Expr::Trim { trim_what, expr, trim_characters, .. } => {
                self.expr(expr);
                if let Some(what) = trim_what {
                    self.expr(what);
                }
                self.exprs(trim_characters.as_deref_mut().unwrap_or_default());
            }
            Expr::Overlay { expr, overlay_what, overlay_from, overlay_for } => {
                for expr in [expr, overlay_what, overlay_from] {
                    self.expr(expr);
                }
                if let Some(overlay_for) = overlay_for {
                    self.expr(overlay_for);
                }
            }
            Expr::GroupingSets(sets) | Expr::Cube(sets) | Expr::Rollup(sets) => {
                for set in sets {
                    self.exprs(set);
                }
            }
            Expr::Tuple(exprs) | Expr::Struct { values: exprs, .. } => self.exprs(exprs),
            Expr::Dictionary(fields) => {
                for field in fields {
                    self.expr(&mut field.value);
                }
            }
            Expr::Map(map) => {
                for entry in &mut map.entries {
                    self.expr(&mut entry.key);
                    self.expr(&mut entry.value);
                }
            }
            Expr::QualifiedWildcard(name, _) => {
                if let Some(all) = self.qualifier(name) {
                    self.noticed.uses_all(&all);
                }
            }
            _ => {}
        }
    }

    /// A function that takes a query without parentheses of its own, such as `array(select ..)`.
    pub(super) fn subquery_args(&mut self, function: &mut Function) -> bool {
        if let FunctionArguments::Subquery(query) = &mut function.args {
            self.subquery(query);
            return true;
        }
        false
    }
}

/// A text constant that is compared with booleans, as dbt's `accepted_values` writes it. The planner takes one in `=`, and
/// not in a list.
fn as_boolean(expr: &mut Expr) {
    let is_text = matches!(expr, Expr::Value(ValueWithSpan { value: Value::SingleQuotedString(_), .. }));
    if is_text {
        let text = std::mem::replace(expr, Expr::Identifier(Ident::new("")));
        *expr = Expr::Cast {
            kind: CastKind::Cast,
            expr: Box::new(text),
            data_type: SqlType::Boolean,
            array: false,
            format: None,
        };
    }
}

fn gives_boolean(op: &BinaryOperator) -> bool {
    use BinaryOperator::{And, Eq, Gt, GtEq, Lt, LtEq, NotEq, Or};
    matches!(op, And | Eq | Gt | GtEq | Lt | LtEq | NotEq | Or)
}
