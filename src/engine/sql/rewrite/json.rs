//! `a -> 'b'` is a lambda to the parser. Where no function takes it, it is an access to JSON.

use datafusion::sql::sqlparser::ast::{BinaryOperator, Expr, Ident, LambdaFunction};

use super::build::binary;

/// The access that a lambda outside of a call was meant to be. The parser took all that follows the arrow for the body;
/// the arrow binds tighter, so it goes to the leftmost operand of the body.
pub(crate) fn json_access(lambda: LambdaFunction) -> Expr {
    let Some(parameter) = lambda.params.as_ref().first() else { return *lambda.body };
    let root = Expr::Identifier(parameter.name.clone());
    let mut body = *lambda.body;
    let leaf = leftmost(&mut body);
    let key = std::mem::replace(leaf, Expr::Identifier(Ident::new("")));
    *leaf = binary(root, BinaryOperator::Arrow, key);
    body
}

fn leftmost(mut expr: &mut Expr) -> &mut Expr {
    loop {
        match expr {
            Expr::BinaryOp { left: inner, .. }
            | Expr::IsNull(inner)
            | Expr::IsNotNull(inner)
            | Expr::Like { expr: inner, .. }
            | Expr::ILike { expr: inner, .. }
            | Expr::InList { expr: inner, .. }
            | Expr::Between { expr: inner, .. } => expr = inner,
            leaf => return leaf,
        }
    }
}
