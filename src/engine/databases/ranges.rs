//! Ranges of a key, so that several connections read one table side by side.
//!
//! The first and the last range are open at their outer end and NULLs have a range of their own. So every row is in
//! exactly one range, whatever was written since the bounds were asked for, and whatever order the server has for values
//! that should not be there.

use super::column::Compare;
use super::predicate::Literal;

/// A part of a table.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Range {
    /// All of it.
    All,
    /// From `from` on, below `below`; without a bound on a side that is open.
    Between { from: Option<Literal>, below: Option<Literal> },
    /// Where the key is NULL.
    Null,
}

/// The values between `least` and `greatest` (both included) in `count` parts of about the same width. There are fewer
/// parts if there are not so many values.
pub(super) fn cut(compare: Compare, least: i128, greatest: i128, count: usize, nullable: bool) -> Vec<Vec<Range>> {
    let width = greatest - least + 1;
    let count = (count as i128).min(width).max(1);
    if count == 1 {
        return vec![vec![Range::All]];
    }
    let bound = |part: i128| least + width * part / count;
    let mut parts: Vec<Vec<Range>> = (0..count)
        .map(|part| {
            let from = (part > 0).then(|| literal(compare, bound(part)));
            let below = (part + 1 < count).then(|| literal(compare, bound(part + 1)));
            vec![Range::Between { from, below }]
        })
        .collect();
    if nullable && let Some(first) = parts.first_mut() {
        first.push(Range::Null);
    }
    parts
}

fn literal(compare: Compare, value: i128) -> Literal {
    match compare {
        // Keys of dates and times come from columns that hold them.
        Compare::Date => Literal::Date(i32::try_from(value).unwrap_or(i32::MAX)),
        Compare::Timestamp { .. } => Literal::Timestamp(i64::try_from(value).unwrap_or(i64::MAX)),
        _ => Literal::Int(value),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn holds(range: &Range, value: Option<i128>) -> bool {
        let int = |literal: &Literal| match literal {
            Literal::Int(value) => *value,
            other => panic!("{other:?}"),
        };
        match (range, value) {
            (Range::All, _) | (Range::Null, None) => true,
            (Range::Null, Some(_)) | (Range::Between { .. }, None) => false,
            (Range::Between { from, below }, Some(value)) => {
                from.as_ref().is_none_or(|from| int(from) <= value)
                    && below.as_ref().is_none_or(|below| value < int(below))
            }
        }
    }

    proptest! {
        #[test]
        fn every_value_is_in_one_range(a in any::<i64>(), b in any::<i64>(), value: Option<i64>, count in 1usize..65) {
            let (least, greatest) = (i128::from(a.min(b)), i128::from(a.max(b)));
            let parts = cut(Compare::Integer, least, greatest, count, true);
            prop_assert!(parts.len() <= count);
            for value in [value.map(i128::from), Some(least), Some(greatest), None] {
                prop_assert_eq!(parts.iter().flatten().filter(|range| holds(range, value)).count(), 1);
            }
        }
    }

    #[test]
    fn ranges_are_about_equal() {
        let parts = cut(Compare::Integer, 1, 10, 4, false);
        let bounds: Vec<_> = parts.iter().map(|part| part[0].clone()).collect();
        let between = |from: Option<i128>, below: Option<i128>| Range::Between {
            from: from.map(Literal::Int),
            below: below.map(Literal::Int),
        };
        assert_eq!(
            bounds,
            [between(None, Some(3)), between(Some(3), Some(6)), between(Some(6), Some(8)), between(Some(8), None)]
        );
        assert_eq!(cut(Compare::Integer, 5, 5, 4, true), [[Range::All]]);
    }
}
