//! `partitions`: the parts that a large table is cut into.
//!
//! | `partitions` | MySQL, MariaDB | files |
//! |---|---|---|
//! | `col`, `[a, b]` | refused | folders `a=x/b=y/` |
//! | `{column: day, every: month}` (or `day`, `year`) | `RANGE COLUMNS`, one part for each month of the data | refused |
//! | `{columns: [a], count: 16}` | `KEY (a)` | refused |
//!
//! SQLite has no partitions, so the setting is an error there. On MySQL the columns of `partitions` have to be part of the
//! key, if there is one: the server wants that.

use serde_json::Value;

use super::fields::{CONFIG, Fields, text_list};
use crate::diag::Result;

/// The length of a part of a table that is cut by time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Every {
    /// One part for each day.
    Day,
    /// One part for each month.
    Month,
    /// One part for each year.
    Year,
}

impl Every {
    const WORDS: [(&'static str, Every); 3] = [("day", Every::Day), ("month", Every::Month), ("year", Every::Year)];
}

/// How a table is cut into parts. At most one of `every` and `count` is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Partitions {
    /// The columns whose values decide; at least one.
    pub columns: Vec<String>,
    /// Parts by time; there is one column then.
    pub every: Option<Every>,
    /// So many parts, by a hash.
    pub count: Option<u32>,
}

impl Partitions {
    /// Reads the key `partitions` of `fields`.
    pub(super) fn parse(fields: &mut Fields<'_>) -> Result<Option<Partitions>> {
        let Some(value) = fields.any("partitions") else { return Ok(None) };
        let parts = match value {
            Value::Object(_) => {
                let mut inner = Fields::new("`partitions` of a publish".to_string(), CONFIG, value)?;
                let mut columns = inner.texts("columns")?;
                columns.extend(inner.text("column")?);
                let every = inner.word("every", &Every::WORDS)?;
                let count = inner.number("count", 1..=1024)?.map(|count| count as u32);
                inner.finish()?;
                Partitions { columns, every, count }
            }
            other => Partitions {
                columns: text_list(other).ok_or_else(|| fields.bad("partitions", "is neither columns nor a map"))?,
                every: None,
                count: None,
            },
        };
        if parts.columns.is_empty() {
            return Err(fields.bad("partitions", "names no column"));
        }
        if parts.every.is_some() && (parts.count.is_some() || parts.columns.len() > 1) {
            return Err(fields.bad("partitions", "with `every` takes one `column` and no `count`"));
        }
        Ok(Some(parts))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn parse(value: Value) -> Result<Option<Partitions>> {
        let all = json!({ "partitions": value });
        Partitions::parse(&mut Fields::new("it".into(), CONFIG, &all)?)
    }

    #[test]
    fn reads_columns_and_maps() {
        let columns = |names: &[&str]| names.iter().map(|name| name.to_string()).collect::<Vec<_>>();
        let plain = parse(json!("day")).expect("fine").expect("there");
        assert_eq!(plain, Partitions { columns: columns(&["day"]), every: None, count: None });
        let range = parse(json!({"column": "day", "every": "month"})).expect("fine").expect("there");
        assert_eq!(range, Partitions { columns: columns(&["day"]), every: Some(Every::Month), count: None });
        let hash = parse(json!({"columns": ["a", "b"], "count": 8})).expect("fine").expect("there");
        assert_eq!(hash, Partitions { columns: columns(&["a", "b"]), every: None, count: Some(8) });
        assert_eq!(parse(json!(null)).expect("fine"), None);
    }

    #[test]
    fn refuses_what_cannot_be() {
        for bad in [
            json!([]),
            json!({"every": "month"}),
            json!({"columns": ["a", "b"], "every": "day"}),
            json!({"column": "a", "every": "hour"}),
            json!({"column": "a", "count": 0}),
            json!({"column": "a", "by": "range"}),
        ] {
            assert!(parse(bad.clone()).is_err(), "{bad}");
        }
    }
}
