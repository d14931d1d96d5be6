//! Operators of Spark, MySQL and DuckDB.

use datafusion::sql::sqlparser::ast::{BinaryOperator, CastKind, DataType, Expr, Ident, UnaryOperator, Value};

use super::build::{binary, call};
use super::types;

/// Rewrites one expression whose parts are done.
pub(super) fn rewrite(expr: &mut Expr) {
    match expr {
        // `a div b`, `a // b`: a quotient without its fraction.
        Expr::BinaryOp {
            left,
            op: op @ (BinaryOperator::DuckIntegerDivide | BinaryOperator::MyIntegerDivide),
            right,
        } => {
            *op = BinaryOperator::Divide;
            let quotient = binary(nested(take(left)), BinaryOperator::Divide, nested(take(right)));
            *expr = Expr::Cast {
                kind: CastKind::Cast,
                expr: Box::new(quotient),
                data_type: DataType::BigInt(None),
                array: false,
                format: None,
            };
        }
        Expr::Function(function) => {
            super::values::struct_pack(function);
            super::values::order_inside(function);
        }
        // `a rlike b`, `a regexp b`: the pattern is found anywhere, as `~` does it.
        Expr::RLike { negated, expr: text, pattern, .. } => {
            let op = if *negated { BinaryOperator::PGRegexNotMatch } else { BinaryOperator::PGRegexMatch };
            *expr = binary(take(text), op, take(pattern));
        }
        Expr::Cast { data_type, expr: inner, .. } => {
            types::respell(data_type);
            if let (DataType::Timestamp(..), Expr::Value(value)) = (&*data_type, inner.as_mut()) {
                moment(&mut value.value);
            }
        }
        Expr::TypedString(typed) => {
            types::respell(&mut typed.data_type);
            if matches!(typed.data_type, DataType::Timestamp(..)) {
                moment(&mut typed.value.value);
            }
        }
        Expr::AtTimeZone { timestamp, time_zone } => {
            *expr = call("at_time_zone", vec![take(timestamp), take(time_zone)]);
        }
        // `a in unnest(list)`
        Expr::InUnnest { expr: value, array_expr, negated } => {
            let has = call("array_has", vec![take(array_expr), take(value)]);
            *expr = if *negated { Expr::UnaryOp { op: UnaryOperator::Not, expr: Box::new(has) } } else { has };
        }
        _ => {}
    }
}

fn moment(value: &mut Value) {
    if let Value::SingleQuotedString(text) = value {
        types::respell_moment(text);
    }
}

fn take(expr: &mut Expr) -> Expr {
    std::mem::replace(expr, Expr::Identifier(Ident::new("")))
}

/// Parentheses around what binds less tightly than a division.
fn nested(expr: Expr) -> Expr {
    match expr {
        Expr::BinaryOp { .. } => Expr::Nested(Box::new(expr)),
        expr => expr,
    }
}
