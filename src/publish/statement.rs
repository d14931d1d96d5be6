//! Pieces of SQL that destinations share: quoted names, and inserts of many rows.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use super::fields::CONFIG;
use super::shape::Chunk;
use crate::diag::{Diagnostic, Result};

/// `name` between two `quote`s; a quote inside is doubled.
pub(super) fn quoted(name: &str, quote: char) -> String {
    let mut out = String::with_capacity(name.len() + 2);
    out.push(quote);
    for c in name.chars() {
        if c == quote {
            out.push(quote);
        }
        out.push(c);
    }
    out.push(quote);
    out
}

/// The parts of a table's name as a config spells it: `t`, `db.t`, and with backticks or double quotes around a part that has a
/// point in it.
pub(super) fn name_parts(node: &str, name: &str) -> Result<Vec<String>> {
    let bad = |problem: &str| {
        Diagnostic::error(CONFIG, format!("`table` of `publish` of `{node}` is `{name}`, which {problem}"))
    };
    let mut parts = Vec::new();
    let mut chars = name.chars().peekable();
    loop {
        let mut part = String::new();
        match chars.peek().copied().filter(|c| matches!(c, '`' | '"')) {
            Some(quote) => {
                chars.next();
                loop {
                    match chars.next() {
                        Some(c) if c == quote && chars.peek() == Some(&quote) => {
                            chars.next();
                            part.push(quote);
                        }
                        Some(c) if c == quote => break,
                        Some(c) => part.push(c),
                        None => return Err(bad("opens a quote that it does not close")),
                    }
                }
            }
            None => {
                while let Some(c) = chars.next_if(|c| *c != '.') {
                    part.push(c);
                }
            }
        }
        if part.trim().is_empty() || part.contains('\0') {
            return Err(bad("has an empty part"));
        }
        parts.push(part);
        match chars.next() {
            None => break,
            Some('.') => {}
            Some(_) => return Err(bad("goes on after a closing quote")),
        }
    }
    if parts.len() > 2 { Err(bad("has more than two parts")) } else { Ok(parts) }
}

/// Inserts of several sizes into one table. Sizes are powers of two, so that a connection needs few prepared statements.
#[derive(Debug)]
pub(super) struct Inserts {
    head: String,
    columns: usize,
    largest: usize,
    max_bytes: usize,
    texts: HashMap<usize, Arc<str>>,
}

impl Inserts {
    /// `head` ends before the first row's parenthesis. At most `max_params` placeholders a statement, about `bytes` of
    /// values where rows have `row_bytes` on average, and never more than `max_bytes`, unless a single row has.
    pub(super) fn new(head: String, columns: usize, limits: &Limits, row_bytes: u64) -> Inserts {
        let by_params = limits.params / columns.max(1);
        let by_bytes = limits.bytes / row_bytes.clamp(1, usize::MAX as u64) as usize;
        let largest = floor_power(by_params.min(by_bytes).min(limits.rows));
        let sizes = std::iter::successors(Some(largest), |size| (*size > 1).then_some(size / 2));
        let texts = sizes.map(|size| (size, Arc::from(text(&head, columns, size)))).collect();
        Inserts { head, columns, largest, max_bytes: limits.max_bytes, texts }
    }

    /// Rows of the largest statement.
    pub(super) fn largest(&self) -> usize {
        self.largest
    }

    /// The statement for so many rows.
    pub(super) fn sql(&self, rows: usize) -> Arc<str> {
        match self.texts.get(&rows) {
            Some(text) => Arc::clone(text),
            None => Arc::from(text(&self.head, self.columns, rows)),
        }
    }

    /// Cuts the rows of `chunk` into the runs that a statement each carries.
    pub(super) fn cut(&self, chunk: &Chunk) -> Vec<Range<usize>> {
        let sizes = &chunk.sizes;
        let mut runs = Vec::new();
        let mut start = 0;
        while start < sizes.len() {
            let mut rows = floor_power(self.largest.min(sizes.len() - start));
            while rows > 1 && sizes[start..start + rows].iter().sum::<usize>() > self.max_bytes {
                rows /= 2;
            }
            runs.push(start..start + rows);
            start += rows;
        }
        runs
    }
}

/// How large an insert may be.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// Placeholders.
    pub(super) params: usize,
    /// Rows.
    pub(super) rows: usize,
    /// Bytes to aim at.
    pub(super) bytes: usize,
    /// Bytes never to exceed.
    pub(super) max_bytes: usize,
}

fn text(head: &str, columns: usize, rows: usize) -> String {
    let row = format!("({})", vec!["?"; columns].join(","));
    let mut sql = String::with_capacity(head.len() + rows * (row.len() + 1));
    sql.push_str(head);
    for index in 0..rows {
        if index > 0 {
            sql.push(',');
        }
        sql.push_str(&row);
    }
    sql
}

/// The largest power of two that is at most `number`; 1 for 0.
fn floor_power(number: usize) -> usize {
    1 << number.max(1).ilog2()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_quoted_and_taken_apart() {
        assert_eq!(quoted("a`b", '`'), "`a``b`");
        let parts = |name: &str| name_parts("m", name).map_err(|error| error.to_string());
        assert_eq!(parts("t").expect("fine"), ["t"]);
        assert_eq!(parts("db.t").expect("fine"), ["db", "t"]);
        assert_eq!(parts("db.`a.``b`").expect("fine"), ["db", "a.`b"]);
        assert_eq!(parts("we`ird").expect("fine"), ["we`ird"]);
        for bad in ["", "a.", ".a", "`a", "`a`b", "a.b.c", "``"] {
            assert!(parts(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn sizes_are_powers_of_two_within_the_limits() {
        let limits = Limits { params: 100, rows: 1000, bytes: 10_000, max_bytes: 20_000 };
        let inserts = Inserts::new("insert into t values ".to_string(), 11, &limits, 50);
        assert_eq!(inserts.largest, 8);
        assert_eq!(&*Inserts::new("x ".to_string(), 2, &limits, 5000).sql(2), "x (?,?),(?,?)");
        assert_eq!(floor_power(0), 1);
        assert_eq!(floor_power(1023), 512);
    }
}
