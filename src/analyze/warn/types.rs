//! Types that do not go together: comparisons of a text with a number, conversions that lose something.

use datafusion::arrow::datatypes::DataType;
use datafusion::common::{DFSchema, DFSchemaRef, ScalarValue};
use datafusion::logical_expr::{Expr, ExprSchemable, LogicalPlan, Operator};

use super::plans::{each, each_expr};
use super::{Warnings, at};
use crate::check::has_contract;
use crate::diag::{Diagnostic, codes};
use crate::engine::{formats, type_name};

pub(super) fn look(warnings: &mut Warnings<'_>) {
    let plan = &warnings.planned.plan;
    let mut pairs: Vec<(Expr, Expr, DataType, DataType, bool)> = Vec::new();
    each(plan, &mut |node| compared(node, &mut pairs));
    for (left, right, left_type, right_type, exact) in pairs {
        unlike(warnings, &left, &right, &left_type, &right_type);
        if exact {
            inexact(warnings, &left, &right, &left_type, &right_type);
        }
    }
    contract(warnings);
}

/// The pairs of expressions that a node compares, with their types, and whether they have to be equal.
fn compared(node: &LogicalPlan, pairs: &mut Vec<(Expr, Expr, DataType, DataType, bool)>) {
    let Some(schema) = input_schema(node) else { return };
    let mut add = |left: &Expr, right: &Expr, exact: bool| {
        if let (Ok(a), Ok(b)) = (left.get_type(&schema), right.get_type(&schema)) {
            pairs.push((left.clone(), right.clone(), a, b, exact));
        }
    };
    if let LogicalPlan::Join(join) = node {
        for (left, right) in &join.on {
            add(left, right, true);
        }
    }
    each_expr(node, &mut |expr| match expr {
        Expr::BinaryExpr(binary) if is_comparison(binary.op) => {
            add(&binary.left, &binary.right, matches!(binary.op, Operator::Eq | Operator::NotEq));
        }
        Expr::InList(within) => {
            // One item of the wrong type is as telling as all of them.
            for item in within.list.iter().take(20) {
                add(&within.expr, item, true);
            }
        }
        Expr::Between(between) => {
            add(&between.expr, &between.low, false);
            add(&between.expr, &between.high, false);
        }
        _ => {}
    });
}

pub(super) fn is_comparison(op: Operator) -> bool {
    use Operator::{Eq, Gt, GtEq, IsDistinctFrom, IsNotDistinctFrom, Lt, LtEq, NotEq};
    matches!(op, Eq | NotEq | Lt | LtEq | Gt | GtEq | IsDistinctFrom | IsNotDistinctFrom)
}

/// The columns that the expressions of a node see.
fn input_schema(node: &LogicalPlan) -> Option<DFSchemaRef> {
    match node.inputs().as_slice() {
        [input] => Some(DFSchemaRef::clone(input.schema())),
        [left, right] => DFSchema::join(left.schema(), right.schema()).ok().map(DFSchemaRef::new),
        _ => None,
    }
}

/// What kinds of values there are, as far as comparing them is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Family {
    Text,
    Number,
    Truth,
    Time,
}

fn family(data_type: &DataType) -> Option<Family> {
    match data_type {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => Some(Family::Text),
        DataType::Boolean => Some(Family::Truth),
        DataType::Date32 | DataType::Date64 | DataType::Timestamp(..) => Some(Family::Time),
        DataType::Dictionary(_, value) => family(value),
        other if other.is_numeric() => Some(Family::Number),
        _ => None,
    }
}

/// C4103 for values that have nothing in common. A text that spells a value of the other type is fine.
fn unlike(warnings: &mut Warnings<'_>, left: &Expr, right: &Expr, left_type: &DataType, right_type: &DataType) {
    let (Some(a), Some(b)) = (family(left_type), family(right_type)) else { return };
    if a == b || spells(left, right_type) || spells(right, left_type) {
        return;
    }
    let place = warnings.place(&[left, right]);
    let said = |expr: &Expr, data_type: &DataType| match expr {
        Expr::Literal(value, _) => format!("{} {}", type_name(data_type), shown(value)),
        Expr::Column(column) => format!("{} `{}`", type_name(data_type), column.name),
        _ => type_name(data_type),
    };
    let (left, right) = (said(left, left_type), said(right, right_type));
    let diagnostic = Diagnostic::warning(codes::UNLIKE_COMPARISON, format!("{left} is compared with {right}"));
    warnings
        .warn(at(diagnostic, place, "").help("convert one side: `cast(x as bigint)`, or `try_cast` if some cannot be"));
}

fn shown(value: &ScalarValue) -> String {
    match value.try_as_str() {
        Some(Some(text)) => format!("'{text}'"),
        _ => value.to_string(),
    }
}

/// True for a literal text that is a value of `data_type`.
fn spells(expr: &Expr, data_type: &DataType) -> bool {
    let Expr::Literal(value, _) = expr else { return false };
    matches!(value.try_as_str(), Some(Some(_))) && value.cast_to(data_type).is_ok_and(|value| !value.is_null())
}

/// C4102 for whole numbers or decimals that are compared as floating point numbers: unlike ones may count as equal.
fn inexact(warnings: &mut Warnings<'_>, left: &Expr, right: &Expr, left_type: &DataType, right_type: &DataType) {
    let is_float = |data_type: &DataType| matches!(data_type, DataType::Float64 | DataType::Float32);
    let is_long =
        |data_type: &DataType| matches!(data_type, DataType::Int64 | DataType::UInt64) || data_type.is_decimal();
    let loses = (is_float(left_type) && is_long(right_type)) || (is_long(left_type) && is_float(right_type));
    let literal = |expr: &Expr| matches!(expr, Expr::Literal(..)) || expr.column_refs().is_empty();
    if !loses || literal(left) || literal(right) {
        return;
    }
    let place = warnings.place(&[left, right]);
    let message = format!("{} and {} are compared as double", type_name(left_type), type_name(right_type));
    let diagnostic = Diagnostic::warning(codes::LOSSY_CAST, message);
    warnings.warn(
        at(diagnostic, place, "values beyond 15 digits may be equal here although they are not")
            .help("convert both sides to a type that is exact: bigint or decimal"),
    );
}

/// C4102 for a contract that promises less than the query gives.
fn contract(warnings: &mut Warnings<'_>) {
    let node = warnings.node;
    if !has_contract(node) {
        return;
    }
    let schema = DFSchemaRef::clone(warnings.planned.analyzed.schema());
    for column in &node.columns {
        let promised = column.data_type.as_deref().and_then(|text| formats::parse_data_type(text).ok());
        let own = schema.fields().iter().find(|field| field.name().eq_ignore_ascii_case(&column.name));
        let (Some(promised), Some(own)) = (promised, own) else { continue };
        let loses = match (own.data_type(), &promised) {
            (DataType::Float64, DataType::Float32) => true,
            (from, to) if from.is_decimal() && to.is_decimal() => scale(to) < scale(from),
            _ => false,
        };
        if loses && !warnings.allows(codes::LOSSY_CAST) {
            let (from, to) = (type_name(own.data_type()), type_name(&promised));
            let message = format!("`{}` is {from}, and the contract makes it {to}", column.name);
            let diagnostic = Diagnostic::warning(codes::LOSSY_CAST, message)
                .label(column.span.clone(), "digits are lost without a word")
                .help(format!("promise {from}, or round in the query"))
                .of_node(&node.unique_id);
            warnings.found.push(diagnostic);
        }
    }
}

fn scale(data_type: &DataType) -> i8 {
    match data_type {
        DataType::Decimal32(_, scale)
        | DataType::Decimal64(_, scale)
        | DataType::Decimal128(_, scale)
        | DataType::Decimal256(_, scale) => *scale,
        _ => 0,
    }
}
