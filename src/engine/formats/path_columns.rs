//! Columns whose values are spelled by the paths of files.

use std::sync::Arc;

use chrono::format::{Item, StrftimeItems};
use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Timelike, Utc};
use datafusion::arrow::array::Array;
use datafusion::arrow::datatypes::{DataType, Field, FieldRef, TimeUnit};
use datafusion::common::ScalarValue;
use regex::Regex;

use crate::diag::{self, Diagnostic, codes};

use super::columns::{Column, Wanted};
use super::location::decoded;
use super::spec::PathColumn;
use super::types::{parse_data_type, sql_name};
use super::values;

/// What Hive writes where a partition's value is NULL.
const HIVE_NULL: &str = "__HIVE_DEFAULT_PARTITION__";

/// A path column, ready to be read.
#[derive(Debug, Clone)]
pub(super) struct PathReader {
    name: String,
    regex: Regex,
    hive: bool,
    data_type: DataType,
    format: Option<String>,
}

impl PathReader {
    /// Checks a declaration.
    ///
    /// # Errors
    /// C5005 if its pattern, type or format cannot be right.
    pub(super) fn new(column: &PathColumn) -> diag::Result<PathReader> {
        let bad =
            |problem: String| Diagnostic::error(codes::BAD_SOURCE, format!("path column `{}`: {problem}", column.name));
        let data_type = parse_data_type(&column.data_type)?;
        if Column::new(&data_type, &Wanted::All).is_err() || data_type.is_nested() {
            return Err(bad(format!("the type {} cannot be read from a path", sql_name(&data_type))));
        }
        if let Some(format) = &column.format {
            if !matches!(data_type, DataType::Date32 | DataType::Timestamp(..) | DataType::Time64(_)) {
                return Err(bad(format!("`format` is for dates and times, not for {}", sql_name(&data_type))));
            }
            if StrftimeItems::new(format).any(|item| item == Item::Error) {
                return Err(bad(format!("the format `{format}` has a directive that does not exist"))
                    .help("a format is for example %Y%m%d for 20220401"));
            }
        }
        let pattern = match &column.pattern {
            Some(pattern) => pattern.clone(),
            None => format!("(?:^|/){}=([^/]*)/", regex::escape(&column.name)),
        };
        let regex = Regex::new(&pattern).map_err(|error| {
            let reason = error.to_string();
            bad(format!("the pattern `{pattern}` is no regular expression"))
                .note(reason.lines().last().unwrap_or("").trim().to_string())
        })?;
        Ok(PathReader {
            name: column.name.clone(),
            regex,
            hive: column.pattern.is_none(),
            data_type,
            format: column.format.clone(),
        })
    }

    /// The column.
    pub(super) fn field(&self) -> FieldRef {
        Arc::new(Field::new(&self.name, self.data_type.clone(), true))
    }

    /// The value that `path` spells.
    ///
    /// # Errors
    /// C5009 if it spells none.
    pub(super) fn value(&self, path: &str) -> diag::Result<ScalarValue> {
        let mismatch = |problem: String| {
            Diagnostic::error(codes::PATH_COLUMN_MISMATCH, format!("path column `{}`: {problem}", self.name))
                .note(format!("the file is `{path}`"))
        };
        let Some(groups) = self.regex.captures(path) else {
            return Err(mismatch(format!("the file's path does not match `{}`", self.regex.as_str()))
                .help("narrow the source's location to files that do, or correct the pattern"));
        };
        let text = groups.get(1).or_else(|| groups.get(0)).map_or("", |group| group.as_str());
        let text = if self.hive { decoded(text) } else { text.to_string() };
        if self.hive && text == HIVE_NULL {
            return ScalarValue::try_from(&self.data_type).map_err(|error| mismatch(error.to_string()));
        }
        self.parse(&text).map_err(|reason| mismatch(reason).help("correct its data_type or format"))
    }

    fn parse(&self, text: &str) -> Result<ScalarValue, String> {
        if let Some(format) = &self.format {
            return self.parse_time(text, format);
        }
        let mut column = Column::new(&self.data_type, &Wanted::All).map_err(|other| sql_name(&other))?;
        if let Column::Scalar(scalar) = &mut column {
            scalar.append_text(text.as_bytes()).map_err(|reason| reason.into_owned())?;
        }
        let array = column.finish().map_err(|error| error.to_string())?;
        match array.len() {
            1 => ScalarValue::try_from_array(&array, 0).map_err(|error| error.to_string()),
            _ => Err("no value".to_string()),
        }
    }

    /// A date or time as `format` spells it. A date without a day is the first of its month.
    fn parse_time(&self, text: &str, format: &str) -> Result<ScalarValue, String> {
        let no = || format!("{} is not spelled as `{format}`", values::quoted(text.as_bytes()));
        let date = || {
            NaiveDate::parse_from_str(text, format)
                .or_else(|_| NaiveDate::parse_from_str(&format!("{text} 01"), &format!("{format} %d")))
                .map_err(|_| no())
        };
        match &self.data_type {
            DataType::Date32 => Ok(ScalarValue::Date32(Some(values::days(date()?)))),
            DataType::Time64(_) => {
                let time = NaiveTime::parse_from_str(text, format).map_err(|_| no())?;
                let micros =
                    i64::from(time.num_seconds_from_midnight()) * 1_000_000 + i64::from(time.nanosecond()) / 1000;
                Ok(ScalarValue::Time64Microsecond(Some(micros)))
            }
            DataType::Timestamp(unit, zone) => {
                let time: DateTime<Utc> = match NaiveDateTime::parse_from_str(text, format) {
                    Ok(time) => time.and_utc(),
                    Err(_) => date()?.and_time(NaiveTime::MIN).and_utc(),
                };
                let zone = zone.clone();
                Ok(match unit {
                    TimeUnit::Second => ScalarValue::TimestampSecond(Some(time.timestamp()), zone),
                    TimeUnit::Millisecond => ScalarValue::TimestampMillisecond(Some(time.timestamp_millis()), zone),
                    TimeUnit::Microsecond => ScalarValue::TimestampMicrosecond(Some(time.timestamp_micros()), zone),
                    TimeUnit::Nanosecond => {
                        ScalarValue::TimestampNanosecond(Some(time.timestamp_nanos_opt().ok_or_else(no)?), zone)
                    }
                })
            }
            _ => Err(no()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(pattern: Option<&str>, data_type: &str, format: Option<&str>) -> PathColumn {
        PathColumn {
            name: "d".to_string(),
            pattern: pattern.map(String::from),
            data_type: data_type.to_string(),
            format: format.map(String::from),
        }
    }

    fn value(pattern: Option<&str>, data_type: &str, format: Option<&str>, path: &str) -> diag::Result<ScalarValue> {
        PathReader::new(&column(pattern, data_type, format))?.value(path)
    }

    #[test]
    fn values_of_all_kinds() {
        let day = value(Some(r"(\d{8})\.json$"), "date", Some("%Y%m%d"), "/lake/x/19700102.json").expect("a day");
        assert_eq!(day, ScalarValue::Date32(Some(1)));
        let month = value(Some(r"/(\d{6})/"), "date", Some("%Y%m"), "/lake/197002/part-0.parquet").expect("a month");
        assert_eq!(month, ScalarValue::Date32(Some(31)));
        let number = value(None, "int", None, "/lake/d=7/x.csv").expect("a number");
        assert_eq!(number, ScalarValue::Int32(Some(7)));
        let text = value(None, "varchar", None, "/lake/d=a%20b/x.csv").expect("text");
        assert_eq!(text, ScalarValue::Utf8View(Some("a b".to_string())));
        let null = value(None, "date", None, &format!("/lake/d={HIVE_NULL}/x.csv")).expect("null");
        assert_eq!(null, ScalarValue::Date32(None));
    }

    #[test]
    fn mismatches_and_mistakes() {
        let code = |result: diag::Result<ScalarValue>| result.expect_err("an error").code;
        assert_eq!(
            code(value(Some(r"(\d{8})\.json$"), "date", Some("%Y%m%d"), "/x/notes.json")),
            codes::PATH_COLUMN_MISMATCH
        );
        assert_eq!(code(value(Some(r"(\d{8})"), "date", Some("%Y%m%d"), "/x/20221399")), codes::PATH_COLUMN_MISMATCH);
        assert_eq!(code(value(Some("("), "date", None, "/x")), codes::BAD_SOURCE);
        assert_eq!(code(value(Some("x"), "dat", None, "/x")), codes::BAD_SOURCE);
        assert_eq!(code(value(Some("x"), "int", Some("%Y"), "/x")), codes::BAD_SOURCE);
        assert_eq!(code(value(Some("x"), "date", Some("%Q"), "/x")), codes::BAD_SOURCE);
    }
}
