//! What differs between the rows of a model and those that a unit test expects.

use std::collections::HashMap;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::error::ArrowError;
use datafusion::arrow::util::display::{ArrayFormatter, FormatOptions};

/// Lines of a difference that are shown.
const SHOWN: usize = 20;

/// Rows as text.
pub(super) type Texts = Vec<Vec<String>>;

/// The rows of `batches` as text; null is `NULL`.
pub(super) fn texts(batches: &[RecordBatch]) -> Result<Texts, ArrowError> {
    let mut rows = Vec::new();
    let options = FormatOptions::default().with_null("NULL");
    for batch in batches {
        let columns: Result<Vec<_>, _> =
            batch.columns().iter().map(|column| ArrayFormatter::try_new(column, &options)).collect();
        let columns = columns?;
        for row in 0..batch.num_rows() {
            rows.push(columns.iter().map(|column| column.value(row).to_string()).collect());
        }
    }
    Ok(rows)
}

/// The difference, a row a line: `-` is expected and missing, `+` is there and not expected. None if there is none; order
/// does not count.
pub(super) fn diff(columns: &[String], expected: &Texts, actual: &Texts) -> Option<Vec<String>> {
    let mut balance: HashMap<&Vec<String>, i64> = HashMap::new();
    for row in actual {
        *balance.entry(row).or_default() += 1;
    }
    for row in expected {
        *balance.entry(row).or_default() -= 1;
    }
    let mut missing = over(expected, &balance, -1);
    let mut surplus = over(actual, &balance, 1);
    if missing.is_empty() && surplus.is_empty() {
        return None;
    }
    missing.sort();
    surplus.sort();
    let widths: Vec<usize> = (0..columns.len())
        .map(|at| missing.iter().chain(&surplus).map(|row| row[at].chars().count()).max().unwrap_or(0))
        .zip(columns)
        .map(|(width, name)| width.max(name.chars().count()))
        .collect();
    let line = |mark: &str, cells: &[String]| {
        let cells = cells.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
        format!("{mark} {}", cells.collect::<Vec<_>>().join("  ")).trim_end().to_string()
    };
    let mut lines = vec![line(" ", columns)];
    lines.extend(missing.iter().map(|row| line("-", row)));
    lines.extend(surplus.iter().map(|row| line("+", row)));
    if lines.len() > SHOWN {
        let more = lines.len() - SHOWN;
        lines.truncate(SHOWN);
        lines.push(format!("  and {more} more"));
    }
    Some(lines)
}

/// The rows that are there too often on one side, as often as they are.
fn over<'a>(rows: &'a Texts, balance: &HashMap<&Vec<String>, i64>, sign: i64) -> Vec<&'a Vec<String>> {
    let mut left: HashMap<&Vec<String>, i64> =
        balance.iter().filter(|(_, count)| **count * sign > 0).map(|(row, count)| (*row, count.abs())).collect();
    let mut out = Vec::new();
    for row in rows {
        if let Some(count) = left.get_mut(row).filter(|count| **count > 0) {
            *count -= 1;
            out.push(row);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(rows: &[[&str; 2]]) -> Texts {
        rows.iter().map(|row| row.iter().map(|cell| cell.to_string()).collect()).collect()
    }

    #[test]
    fn rows_are_a_multiset() {
        let columns = ["id".to_string(), "v".to_string()];
        let one = rows(&[["1", "a"], ["2", "b"], ["2", "b"]]);
        assert_eq!(diff(&columns, &one, &rows(&[["2", "b"], ["1", "a"], ["2", "b"]])), None);
        let lines = diff(&columns, &one, &rows(&[["2", "b"], ["1", "long"]])).expect("a difference");
        assert_eq!(lines, ["  id  v", "- 1   a", "- 2   b", "+ 1   long"]);
    }
}
