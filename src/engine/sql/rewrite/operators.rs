//! Operators of Spark, MySQL and DuckDB.

use datafusion::sql::sqlparser::ast::{BinaryOperator, CastKind, DataType, Expr, Ident, UnaryOperator};

use super::build::{binary, call};

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
        // `a rlike b`, `a regexp b`: the pattern is found anywhere, as `~` does it.
        Expr::RLike { negated, expr: text, pattern, .. } => {
            let op = if *negated { BinaryOperator::PGRegexNotMatch } else { BinaryOperator::PGRegexMatch };
            *expr = binary(take(text), op, take(pattern));
        }
        // Tables hold microseconds, and so does `timestamp` elsewhere; nanoseconds end in 2262.
        Expr::Cast { data_type: DataType::Timestamp(precision @ None, _), .. } => *precision = Some(6),
        Expr::TypedString(typed) => {
            if let DataType::Timestamp(precision @ None, _) = &mut typed.data_type {
                *precision = Some(6);
            }
        }
        // `a in unnest(list)`
        Expr::InUnnest { expr: value, array_expr, negated } => {
            let has = call("array_has", vec![take(array_expr), take(value)]);
            *expr = if *negated { Expr::UnaryOp { op: UnaryOperator::Not, expr: Box::new(has) } } else { has };
        }
        _ => {}
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
