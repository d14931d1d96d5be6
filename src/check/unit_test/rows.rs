//! Rows that a unit test writes down, as SQL.
//!
//! Columns take the types of what the rows stand for, if that is known; what is not given is null. Where nothing is
//! known, as for a parent that was never built, values speak for themselves: a parent does not have to exist.

use datafusion::arrow::datatypes::{DataType, SchemaRef};
use indexmap::IndexMap;
use serde_json::{Map, Value as Json};

use crate::diag::{Diagnostic, Result, codes};
use crate::engine::formats::csv_records;
use crate::node::{plain, quote};

/// Rows as they are written.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Rows {
    /// Values by column (`format: dict` and `csv`).
    Values(Vec<Map<String, Json>>),
    /// A query (`format: sql`).
    Query(String),
}

/// Reads `{format, rows, fixture}` of an input or of the expectation. `fixture` finds the text of a fixture's file.
pub(super) fn read(entry: &Json, fixture: &dyn Fn(&str) -> Option<String>) -> Result<Rows> {
    let format = entry.get("format").and_then(Json::as_str).unwrap_or("dict");
    let bad = |message: String| Diagnostic::error(codes::BAD_VALUE, message);
    let text = match entry.get("fixture").and_then(Json::as_str) {
        Some(name) => Some(fixture(name).ok_or_else(|| {
            bad(format!("there is no fixture `{name}`"))
                .help("a fixture is a file under the folder `fixtures` of the tests")
        })?),
        None => entry.get("rows").and_then(Json::as_str).map(str::to_string),
    };
    match (format, text, entry.get("rows")) {
        ("csv", Some(text), _) => Ok(Rows::Values(of_csv(&text))),
        ("sql", Some(text), _) => Ok(Rows::Query(text.trim().trim_end_matches(';').to_string())),
        ("dict" | "csv", None, Some(Json::Array(items))) => {
            let row = |item: &Json| match item {
                Json::Object(row) => Ok(row.clone()),
                other => Err(bad(format!("a row is `{other}`, and has to be a mapping of columns to values"))),
            };
            items.iter().map(row).collect::<Result<Vec<_>>>().map(Rows::Values)
        }
        ("dict" | "csv", None, None | Some(Json::Null)) => Ok(Rows::Values(Vec::new())),
        ("dict" | "csv" | "sql", _, _) => Err(bad(format!("`rows` do not fit to the format `{format}`"))),
        (other, ..) => Err(bad(format!("there is no format `{other}` of rows")).help("rows are dict, csv or sql")),
    }
}

fn of_csv(text: &str) -> Vec<Map<String, Json>> {
    let mut records = csv_records(text).into_iter();
    let names: Vec<String> = records.next().unwrap_or_default().into_iter().map(Option::unwrap_or_default).collect();
    let row = |record: Vec<Option<String>>| {
        let values = record.into_iter().map(|value| value.map_or(Json::Null, Json::String));
        names.iter().cloned().zip(values).collect()
    };
    records.map(row).collect()
}

impl Rows {
    /// The columns that the rows name, in order; none for a query.
    pub(super) fn columns(&self) -> Option<Vec<String>> {
        let Rows::Values(rows) = self else { return None };
        let mut names: IndexMap<&str, ()> = IndexMap::new();
        for name in rows.iter().flat_map(Map::keys) {
            names.insert(name, ());
        }
        Some(names.into_keys().map(str::to_string).collect())
    }

    /// A query of the rows. `types` are the columns of what they stand for; with `all` of them the query has every one,
    /// else those that are named.
    ///
    /// # Errors
    /// C1004 for a column that is not among the known ones.
    pub(super) fn sql(&self, types: Option<&SchemaRef>, all: bool) -> Result<String> {
        let rows = match self {
            Rows::Query(text) => return Ok(text.clone()),
            Rows::Values(rows) => rows,
        };
        let columns = self.typed(types, all)?;
        if columns.is_empty() {
            return Ok("select 1 as nothing where false".into());
        }
        if rows.is_empty() {
            return Ok(format!("select {} where false", list(&columns, &Map::new())));
        }
        let selects: Vec<String> = rows.iter().map(|row| format!("select {}", list(&columns, row))).collect();
        Ok(selects.join("\nunion all\n"))
    }

    fn typed(&self, types: Option<&SchemaRef>, all: bool) -> Result<Vec<(String, Option<DataType>)>> {
        let named = self.columns().unwrap_or_default();
        let Some(types) = types else { return Ok(named.into_iter().map(|name| (name, None)).collect()) };
        let known = |name: &str| types.fields().iter().find(|field| field.name().eq_ignore_ascii_case(name));
        if let Some(unknown) = named.iter().find(|name| known(name).is_none()) {
            let names: Vec<&str> = types.fields().iter().map(|field| field.name().as_str()).collect();
            return Err(Diagnostic::error(
                codes::BAD_VALUE,
                format!("the rows have a column `{unknown}` that is not there"),
            )
            .note(format!("columns: {}", names.join(", "))));
        }
        let of_field = |name: &str| known(name).map(|field| (field.name().clone(), Some(field.data_type().clone())));
        Ok(match all {
            true => types.fields().iter().filter_map(|field| of_field(field.name())).collect(),
            false => named.iter().filter_map(|name| of_field(name)).collect(),
        })
    }
}

fn list(columns: &[(String, Option<DataType>)], row: &Map<String, Json>) -> String {
    let value = |(name, data_type): &(String, Option<DataType>)| {
        let found = row.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value);
        let text = literal(found.unwrap_or(&Json::Null), data_type.is_some());
        let text = match data_type {
            Some(data_type) => format!("arrow_cast({text}, '{data_type}')"),
            None => text,
        };
        format!("{text} as {}", quote(name))
    };
    columns.iter().map(value).collect::<Vec<_>>().join(", ")
}

/// A value in SQL. Text that looks like a number is one, if no type says otherwise: CSV has no other way to say it.
fn literal(value: &Json, typed: bool) -> String {
    match value {
        Json::Null => "null".into(),
        Json::Bool(_) | Json::Number(_) => plain(value),
        Json::String(text) if !typed && text.parse::<f64>().is_ok_and(f64::is_finite) => text.clone(),
        Json::String(text) => format!("'{}'", text.replace('\'', "''")),
        other => format!("'{}'", other.to_string().replace('\'', "''")),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use datafusion::arrow::datatypes::{Field, Schema};
    use serde_json::json;

    use super::*;

    fn rows(entry: &Json) -> Rows {
        read(entry, &|name| (name == "fx").then(|| "id,n\n5,abc\n".to_string())).expect("rows")
    }

    #[test]
    fn columns_that_are_not_given_are_null() {
        let types: SchemaRef =
            Arc::new(Schema::new(vec![Field::new("id", DataType::Int32, true), Field::new("n", DataType::Utf8, true)]));
        let given = rows(&json!({"rows": [{"ID": 1}]}));
        assert_eq!(
            given.sql(Some(&types), true).as_deref(),
            Ok("select arrow_cast(1, 'Int32') as \"id\", arrow_cast(null, 'Utf8') as \"n\"")
        );
        assert_eq!(given.sql(Some(&types), false).as_deref(), Ok("select arrow_cast(1, 'Int32') as \"id\""));
        assert!(rows(&json!({"rows": [{"x": 1}]})).sql(Some(&types), true).is_err());
    }

    #[test]
    fn formats_say_the_same() {
        let dict = rows(&json!({"rows": [{"id": 5, "n": "abc"}]})).sql(None, true);
        assert_eq!(dict.as_deref(), Ok("select 5 as \"id\", 'abc' as \"n\""));
        assert_eq!(rows(&json!({"format": "csv", "rows": "id,n\n5,abc\n"})).sql(None, true), dict);
        assert_eq!(rows(&json!({"format": "csv", "fixture": "fx"})).sql(None, true), dict);
        assert_eq!(rows(&json!({"format": "sql", "rows": "select 5;"})), Rows::Query("select 5".into()));
    }
}
