//! Filters of DataFusion that a server may decide.
//!
//! Only what surely means the same on both sides becomes a [`Predicate`]: comparisons of a column with constants of the
//! same kind, `in`, `between`, `is null`, and their combinations. Both sides have the same logic of three values, so a
//! combination is exact if its parts are. Everything else stays with DataFusion.

use datafusion::common::ScalarValue;
use datafusion::logical_expr::{Expr, Operator};

use super::column::{Column, Compare};

/// The longest list of `in` that is sent.
const MAX_LIST: usize = 1000;
/// 0001-01-01 and 9999-12-31 in days since 1970: what every server has a date for.
const DAYS: std::ops::RangeInclusive<i32> = -719_162..=2_932_896;
const MICROS_A_DAY: i64 = 86_400_000_000;

/// A condition on the columns of a table; columns by position.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Predicate {
    Compare { column: usize, op: Op, value: Literal },
    In { column: usize, values: Vec<Literal>, negated: bool },
    Null { column: usize, negated: bool },
    True { column: usize },
    Not(Box<Predicate>),
    And(Vec<Predicate>),
    Or(Vec<Predicate>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Op {
    Eq,
    NotEq,
    Lt,
    LtEq,
    Gt,
    GtEq,
}

/// A constant.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Literal {
    Int(i128),
    Decimal {
        digits: String,
        precision: u8,
        scale: i8,
    },
    /// Days since 1970.
    Date(i32),
    /// Microseconds since 1970.
    Timestamp(i64),
    Text(String),
}

impl Op {
    fn of(operator: &Operator) -> Option<Op> {
        Some(match operator {
            Operator::Eq => Op::Eq,
            Operator::NotEq => Op::NotEq,
            Operator::Lt => Op::Lt,
            Operator::LtEq => Op::LtEq,
            Operator::Gt => Op::Gt,
            Operator::GtEq => Op::GtEq,
            _ => return None,
        })
    }

    /// The operator with its sides swapped.
    fn flipped(self) -> Op {
        match self {
            Op::Lt => Op::Gt,
            Op::LtEq => Op::GtEq,
            Op::Gt => Op::Lt,
            Op::GtEq => Op::LtEq,
            same => same,
        }
    }

    pub(super) fn sql(self) -> &'static str {
        match self {
            Op::Eq => "=",
            Op::NotEq => "<>",
            Op::Lt => "<",
            Op::LtEq => "<=",
            Op::Gt => ">",
            Op::GtEq => ">=",
        }
    }
}

/// `expr` as a condition that the server may decide, if there is one of the very same meaning.
pub(super) fn predicate(expr: &Expr, columns: &[Column]) -> Option<Predicate> {
    Reader { columns }.condition(expr)
}

struct Reader<'a> {
    columns: &'a [Column],
}

impl Reader<'_> {
    fn condition(&self, expr: &Expr) -> Option<Predicate> {
        Some(match expr {
            Expr::BinaryExpr(binary) if binary.op == Operator::And => {
                Predicate::And(vec![self.condition(&binary.left)?, self.condition(&binary.right)?])
            }
            Expr::BinaryExpr(binary) if binary.op == Operator::Or => {
                Predicate::Or(vec![self.condition(&binary.left)?, self.condition(&binary.right)?])
            }
            Expr::BinaryExpr(binary) => {
                let op = Op::of(&binary.op)?;
                match (self.column(&binary.left), self.column(&binary.right)) {
                    (Some(column), None) => self.comparison(column, op, &binary.right)?,
                    (None, Some(column)) => self.comparison(column, op.flipped(), &binary.left)?,
                    _ => return None,
                }
            }
            Expr::Between(between) => {
                let column = self.column(&between.expr)?;
                let low = self.comparison(column, Op::GtEq, &between.low)?;
                let high = self.comparison(column, Op::LtEq, &between.high)?;
                negated_if(between.negated, Predicate::And(vec![low, high]))
            }
            Expr::InList(list) if list.list.len() <= MAX_LIST => {
                let column = self.column(&list.expr)?;
                let values = list.list.iter().map(|value| self.literal(column, value)).collect::<Option<Vec<_>>>()?;
                match values.is_empty() {
                    true => return None,
                    false => Predicate::In { column, values, negated: list.negated },
                }
            }
            Expr::IsNull(inner) => Predicate::Null { column: self.any_column(inner)?, negated: false },
            Expr::IsNotNull(inner) => Predicate::Null { column: self.any_column(inner)?, negated: true },
            Expr::Not(inner) => Predicate::Not(Box::new(self.condition(inner)?)),
            Expr::Column(_) => {
                let column = self.column(expr)?;
                match self.columns[column].compare {
                    Compare::Boolean => Predicate::True { column },
                    _ => return None,
                }
            }
            _ => return None,
        })
    }

    fn any_column(&self, expr: &Expr) -> Option<usize> {
        let Expr::Column(column) = expr else { return None };
        let at = self.columns.iter().position(|other| other.name == column.name)?;
        (self.columns[at].compare != Compare::Nothing).then_some(at)
    }

    /// A column whose values are seen as the server has them.
    fn column(&self, expr: &Expr) -> Option<usize> {
        self.any_column(expr).filter(|at| self.columns[*at].wanted.is_none())
    }

    fn comparison(&self, column: usize, op: Op, value: &Expr) -> Option<Predicate> {
        let value = self.literal(column, value)?;
        match (self.columns[column].compare, op) {
            (Compare::Text { ordered: false, .. }, Op::Lt | Op::LtEq | Op::Gt | Op::GtEq) => None,
            _ => Some(Predicate::Compare { column, op, value }),
        }
    }

    /// A constant of the kind that `column` compares with.
    fn literal(&self, column: usize, expr: &Expr) -> Option<Literal> {
        let Expr::Literal(value, _) = expr else { return None };
        match self.columns[column].compare {
            Compare::Nothing | Compare::Null | Compare::Boolean => None,
            Compare::Integer => integer(value).map(Literal::Int),
            Compare::Decimal => decimal(value),
            Compare::Date => match value {
                ScalarValue::Date32(Some(days)) if DAYS.contains(days) => Some(Literal::Date(*days)),
                _ => None,
            },
            Compare::Timestamp { zoned } => match value {
                ScalarValue::TimestampMicrosecond(Some(micros), zone) if zone.is_some() == zoned => {
                    let days = i32::try_from(micros.div_euclid(MICROS_A_DAY)).ok()?;
                    DAYS.contains(&days).then_some(Literal::Timestamp(*micros))
                }
                _ => None,
            },
            Compare::Text { .. } => match value {
                ScalarValue::Utf8(Some(text))
                | ScalarValue::LargeUtf8(Some(text))
                | ScalarValue::Utf8View(Some(text))
                    // Postgres has no such text and would refuse the question.
                    if !text.contains('\0') =>
                {
                    Some(Literal::Text(text.clone()))
                }
                _ => None,
            },
        }
    }
}

fn negated_if(negated: bool, predicate: Predicate) -> Predicate {
    if negated { Predicate::Not(Box::new(predicate)) } else { predicate }
}

fn integer(value: &ScalarValue) -> Option<i128> {
    Some(match value {
        ScalarValue::Int8(Some(value)) => i128::from(*value),
        ScalarValue::Int16(Some(value)) => i128::from(*value),
        ScalarValue::Int32(Some(value)) => i128::from(*value),
        ScalarValue::Int64(Some(value)) => i128::from(*value),
        ScalarValue::UInt8(Some(value)) => i128::from(*value),
        ScalarValue::UInt16(Some(value)) => i128::from(*value),
        ScalarValue::UInt32(Some(value)) => i128::from(*value),
        ScalarValue::UInt64(Some(value)) => i128::from(*value),
        _ => return None,
    })
}

fn decimal(value: &ScalarValue) -> Option<Literal> {
    let (digits, precision, scale) = match value {
        ScalarValue::Decimal128(Some(value), precision, scale) => (value.to_string(), *precision, *scale),
        ScalarValue::Decimal256(Some(value), precision, scale) => (value.to_string(), *precision, *scale),
        _ => return None,
    };
    // What MySQL's decimals can hold; the others have more.
    if !(0..=30).contains(&scale) || precision > 65 {
        return None;
    }
    Some(Literal::Decimal { digits: with_point(&digits, scale as usize), precision, scale })
}

/// `-1234` with scale 2 is `-12.34`.
fn with_point(digits: &str, scale: usize) -> String {
    let (sign, digits) = match digits.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", digits),
    };
    if scale == 0 {
        return format!("{sign}{digits}");
    }
    let padded = format!("{digits:0>width$}", width = scale + 1);
    let (whole, fraction) = padded.split_at(padded.len() - scale);
    format!("{sign}{whole}.{fraction}")
}

impl Predicate {
    /// Calls `f` with every column.
    pub(super) fn for_columns(&self, f: &mut impl FnMut(usize)) {
        match self {
            Predicate::Compare { column, .. }
            | Predicate::In { column, .. }
            | Predicate::Null { column, .. }
            | Predicate::True { column } => f(*column),
            Predicate::Not(inner) => inner.for_columns(f),
            Predicate::And(all) | Predicate::Or(all) => all.iter().for_each(|one| one.for_columns(f)),
        }
    }
}

#[cfg(test)]
mod tests {
    use datafusion::arrow::datatypes::DataType;
    use datafusion::logical_expr::{col, lit};

    use super::super::column::Read;
    use super::*;

    fn column(name: &str, compare: Compare) -> Column {
        Column {
            name: name.into(),
            server_type: String::new(),
            data_type: DataType::Int64,
            wanted: None,
            nullable: true,
            exact: true,
            read: Read::Plain,
            compare,
        }
    }

    #[test]
    fn only_what_means_the_same_is_taken() {
        let mut cast = column("cast", Compare::Integer);
        cast.wanted = Some(DataType::Int8);
        let columns = [
            column("n", Compare::Integer),
            column("s", Compare::Text { indexed: true, ordered: false }),
            column("j", Compare::Null),
            column("z", Compare::Nothing),
            cast,
        ];
        let z = col("z").is_null();
        let take = |expr: Expr| predicate(&expr, &columns);
        let five = || Predicate::Compare { column: 0, op: Op::Gt, value: Literal::Int(5) };
        assert_eq!(take(col("n").gt(lit(5i64))), Some(five()));
        assert_eq!(take(lit(5i64).lt(col("n"))), Some(five()), "sides are swapped with the operator");
        assert_eq!(take(col("j").is_null()), Some(Predicate::Null { column: 2, negated: false }));
        for not in [
            col("n").gt(lit(5.0)),
            col("n").gt(lit(ScalarValue::Int64(None))),
            col("n").gt(col("n")),
            col("s").lt(lit("x")),
            col("s").eq(lit("a\0")),
            col("j").eq(lit("x")),
            col("cast").eq(lit(1i64)),
            col("n").gt(lit(5i64)).and(col("j").eq(lit("x"))),
            col("n"),
            z,
        ] {
            assert_eq!(take(not.clone()), None, "{not}");
        }
    }

    #[test]
    fn decimals_get_their_point() {
        assert_eq!(with_point("-1234", 2), "-12.34");
        assert_eq!(with_point("5", 3), "0.005");
        assert_eq!(with_point("-5", 0), "-5");
    }
}
