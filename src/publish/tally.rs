//! Bookkeeping on both ends of a load: what was sent, what arrived, and whether they agree.

use arrow::array::{Array, AsArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Decimal256Type, i256};

use super::column::Column;
use super::kind::Kind;
use super::place::Place;
use super::shape::{Chunk, Shape};
use crate::diag::{Diagnostic, Result, codes};

/// A sum that survives a million rows of anything.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Sum {
    /// The column has no sum, or it grew beyond what can be compared.
    None,
    /// Exact.
    Int(i128),
    /// Exact, in units of `10^-scale`.
    Decimal(i256, u8),
    /// Sum, and the sum of absolute values, which says how far rounding may lead.
    Float { sum: f64, absolute: f64 },
}

/// What is known of one column that was sent.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct ColumnTally {
    /// Values that are not null.
    pub(super) values: u64,
    pub(super) sum: Sum,
}

/// What was sent.
#[derive(Debug, Clone)]
pub(super) struct Tally {
    pub(super) rows: u64,
    pub(super) bytes: u64,
    pub(super) columns: Vec<ColumnTally>,
}

impl Tally {
    /// Nothing yet.
    pub(super) fn new(shape: &Shape) -> Tally {
        let sum = |kind| match kind {
            Kind::Bool | Kind::Int { .. } => Sum::Int(0),
            Kind::Float { .. } => Sum::Float { sum: 0.0, absolute: 0.0 },
            Kind::Decimal { scale, .. } => Sum::Decimal(i256::ZERO, scale),
            _ => Sum::None,
        };
        let columns = shape.fields.iter().map(|field| ColumnTally { values: 0, sum: sum(field.kind) }).collect();
        Tally { rows: 0, bytes: 0, columns }
    }

    /// Counts a chunk in.
    pub(super) fn add(&mut self, chunk: &Chunk) {
        self.rows += chunk.rows() as u64;
        self.bytes += chunk.bytes();
        for (at, (tally, column)) in self.columns.iter_mut().zip(&chunk.columns).enumerate() {
            match column {
                Column::Nulls => {}
                Column::Bools(array) => {
                    tally.values += valid(array);
                    tally.sum.add_int(array.true_count() as i128);
                }
                Column::Ints(array) => {
                    tally.values += valid(array);
                    tally.sum.add_int(array.iter().flatten().map(i128::from).sum());
                }
                Column::UInts(array) => {
                    tally.values += valid(array);
                    tally.sum.add_int(array.iter().flatten().map(i128::from).sum());
                }
                Column::Floats(array) => {
                    tally.values += valid(array);
                    array.iter().flatten().for_each(|number| tally.sum.add_float(number));
                }
                Column::Texts(array) => {
                    tally.values += valid(array);
                    tally.sum.add_decimals(chunk.batch.column(at));
                }
                Column::Bytes(array) => tally.values += valid(array),
            }
        }
    }
}

fn valid(array: &dyn Array) -> u64 {
    (array.len() - array.null_count()) as u64
}

impl Sum {
    fn add_int(&mut self, number: i128) {
        if let Sum::Int(sum) = self {
            *self = sum.checked_add(number).map_or(Sum::None, Sum::Int);
        }
    }

    fn add_float(&mut self, number: f64) {
        if let Sum::Float { sum, absolute } = self {
            *sum += number;
            *absolute += number.abs();
        }
    }

    fn add_decimals(&mut self, array: &arrow::array::ArrayRef) {
        let Sum::Decimal(sum, scale) = *self else { return };
        *self = match cast(array, &DataType::Decimal256(76, scale as i8)) {
            Ok(array) => array
                .as_primitive::<Decimal256Type>()
                .iter()
                .flatten()
                .try_fold(sum, |sum, number| sum.checked_add(number))
                .map_or(Sum::None, |sum| Sum::Decimal(sum, scale)),
            Err(_) => Sum::None,
        };
    }

    /// The sum as text, if it is an exact one.
    fn exact(&self) -> Option<String> {
        match self {
            Sum::Int(sum) => Some(sum.to_string()),
            Sum::Decimal(sum, scale) => Some(plain(&point(&sum.to_string(), usize::from(*scale)))),
            Sum::None | Sum::Float { .. } => None,
        }
    }
}

/// What a destination says that it has.
#[derive(Debug, Clone)]
pub(super) struct Arrived {
    pub(super) rows: u64,
    pub(super) columns: Vec<ArrivedColumn>,
}

/// One column of a destination's answer.
#[derive(Debug, Clone, Default)]
pub(super) struct ArrivedColumn {
    pub(super) values: u64,
    /// The sum as the server prints it; none if the column has none, or was not asked for it.
    pub(super) sum: Option<String>,
    /// True if the server adds without rounding.
    pub(super) exact: bool,
}

/// Compares. The error (C6005) names the column and both numbers.
pub(super) fn reconcile(place: &Place, shape: &Shape, sent: &Tally, arrived: &Arrived) -> Result<()> {
    if sent.rows != arrived.rows {
        let problem = format!("{} rows were sent and {} arrived", sent.rows, arrived.rows);
        return Err(mismatch(place, problem));
    }
    for ((field, sent), arrived) in shape.fields.iter().zip(&sent.columns).zip(&arrived.columns) {
        let name = &field.name;
        if sent.values != arrived.values {
            let problem = format!("{} values of column `{name}` were sent and {} arrived", sent.values, arrived.values);
            return Err(mismatch(place, problem));
        }
        if let Some((sent, arrived)) = differ(&sent.sum, arrived) {
            let problem = format!("the values of column `{name}` add up to {arrived} there, and to {sent} here");
            return Err(mismatch(place, problem));
        }
    }
    Ok(())
}

/// Compares the rows of a table that was changed in place with those of the relation, if their number is known.
pub(super) fn recount(place: &Place, there: u64, relation: Option<u64>) -> Result<()> {
    match relation {
        Some(here) if here != there => {
            let problem = format!("the table would have {there} rows after it, and the relation has {here}");
            Err(place.failed(codes::PUBLISH_MISMATCH, problem).help(
                "somebody else changed the table, or two rows of the relation have the same key; run with --full-refresh to \
                 build the table again",
            ))
        }
        _ => Ok(()),
    }
}

/// Both sums as text, if they differ.
fn differ(sent: &Sum, arrived: &ArrivedColumn) -> Option<(String, String)> {
    let there = arrived.sum.as_deref()?;
    let here = match (sent.exact(), arrived.exact) {
        (Some(exact), true) => return (exact != plain(there)).then(|| (exact, there.to_string())),
        (Some(exact), false) => exact.parse().ok()?,
        (None, _) => f64::NAN,
    };
    let (here, scale) = match sent {
        Sum::Float { sum, absolute } => (*sum, *absolute),
        Sum::None => return None,
        _ => (here, here.abs()),
    };
    let near = there.parse::<f64>().is_ok_and(|number| (number - here).abs() <= scale * 1e-9);
    // A sum that overflowed a double says nothing.
    (scale.is_finite() && !near).then(|| (here.to_string(), there.to_string()))
}

fn mismatch(place: &Place, problem: String) -> Box<Diagnostic> {
    place
        .failed(codes::PUBLISH_MISMATCH, problem)
        .help("look for triggers, for another writer, and for a type under `columns` that changes values")
}

/// Digits with a point before the last `scale` of them.
fn point(digits: &str, scale: usize) -> String {
    let (sign, digits) = match digits.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", digits),
    };
    let padded = format!("{digits:0>width$}", width = scale + 1);
    let (whole, fraction) = padded.split_at(padded.len() - scale);
    format!("{sign}{whole}.{fraction}")
}

/// A number without useless zeros: `1.50` is `1.5`, `2.00` is `2`, `-0` is `0`.
fn plain(number: &str) -> String {
    let number = number.trim();
    let short = match number.contains('.') {
        true => number.trim_end_matches('0').trim_end_matches('.'),
        false => number,
    };
    if short == "-0" { "0".to_string() } else { short.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arrived(sum: &str, exact: bool) -> ArrivedColumn {
        ArrivedColumn { values: 0, sum: Some(sum.to_string()), exact }
    }

    #[test]
    fn exact_sums_must_be_equal() {
        assert_eq!(differ(&Sum::Int(12), &arrived("12", true)), None);
        assert!(differ(&Sum::Int(12), &arrived("13", true)).is_some());
        let sum = Sum::Decimal(i256::from_i128(-5), 2);
        assert_eq!(differ(&sum, &arrived("-0.0500", true)), None);
        assert!(differ(&sum, &arrived("-0.06", true)).is_some());
        assert_eq!(differ(&Sum::Decimal(i256::from_i128(1250), 2), &arrived("12.5", false)), None);
    }

    #[test]
    fn sums_of_doubles_may_round() {
        let sum = Sum::Float { sum: 0.0, absolute: 1e12 };
        assert_eq!(differ(&sum, &arrived("0.0001", false)), None);
        assert!(differ(&sum, &arrived("5000", false)).is_some());
        let overflown = Sum::Float { sum: f64::INFINITY, absolute: f64::INFINITY };
        assert_eq!(differ(&overflown, &arrived("Inf", false)), None);
        assert_eq!(differ(&Sum::None, &arrived("1", true)), None);
    }
}
