//! Doors of the readers of files; see [`crate::fuzzing`].

use std::sync::Arc;

use datafusion::arrow::datatypes::{Field, Fields, Schema};

use super::columns::{StructColumn, Wanted};
use super::csv::{self, Csv};
use super::infer::settle_fields;
use super::json::{self, JsonArray, JsonLines};
use super::parse_data_type;
use super::path_columns::PathReader;
use super::records::{Cut, Problem, RecordFormat};
use super::spec::{CsvOptions, PathColumn};

/// What became of one record: `true` for a row, `false` for none, or why it is bad.
type Outcome = Result<bool, String>;

/// Reads all of `data`, of which `step` bytes more arrive each time.
fn read(format: &mut impl RecordFormat, data: &[u8], step: usize) -> Vec<Outcome> {
    let (mut out, mut start, mut end) = (Vec::new(), 0, 0);
    loop {
        match format.cut(&data[start..end], end == data.len()) {
            Cut::End => break,
            Cut::More if end == data.len() => break,
            Cut::More => end = (end + step).min(data.len()),
            Cut::Record { start: from, end: to, next, broken } => {
                assert!(from <= to && to <= next && next <= end - start && next > 0, "{from} {to} {next}");
                let rows = format.rows();
                let outcome = match broken {
                    Some(reason) => Err(reason.to_string()),
                    None => match format.decode(&data[start + from..start + to], true) {
                        Ok(is_row) => Ok(is_row),
                        Err(Problem::Bad(bad)) => {
                            assert!(bad.at <= to - from, "{}: not in the record", bad.reason);
                            Err(bad.reason.into_owned())
                        }
                        Err(Problem::Fatal(diagnostic)) => Err(diagnostic.message),
                    },
                };
                assert_eq!(format.rows(), rows + usize::from(outcome == Ok(true)), "a bad record leaves something");
                out.push(outcome);
                start += next;
            }
        }
    }
    let rows = format.rows();
    let arrays = format.finish().unwrap_or_else(|error| panic!("no arrays: {error}"));
    assert!(arrays.iter().all(|array| array.len() == rows), "columns of different lengths");
    for array in arrays {
        array.to_data().validate_full().unwrap_or_else(|error| panic!("a broken array: {error}"));
    }
    out
}

fn fields(columns: &[(&str, &str)]) -> Fields {
    let field = |(name, text): &(&str, &str)| Some(Field::new(*name, parse_data_type(text).ok()?, true));
    columns.iter().filter_map(field).collect()
}

fn root(fields: &Fields) -> Option<StructColumn> {
    StructColumn::new(fields, &Wanted::All).ok()
}

/// Columns of every type that text can be read into.
const COLUMNS: &[(&str, &str)] = &[
    ("a", "bigint"),
    ("b", "double"),
    ("c", "varchar"),
    ("d", "date"),
    ("e", "timestamp"),
    ("f", "boolean"),
    ("g", "decimal(10,2)"),
    ("h", "struct<a int, b varchar[]>"),
    ("i", "map<varchar, tinyint>"),
    ("j", "time"),
    ("k", "struct<a smallint, b struct<c float>>[]"),
];

/// Lines of JSON, and the same bytes as one array.
pub(crate) fn json(data: &[u8]) {
    let declared = fields(COLUMNS);
    let Some(column) = root(&declared) else { panic!("the columns can be read") };
    let whole = read(&mut JsonLines::new(column), data, data.len().max(1));
    for step in [1, 7] {
        let pieces = root(&declared).map(|column| read(&mut JsonLines::new(column), data, step));
        assert_eq!(pieces.as_ref(), Some(&whole), "by {step}");
    }
    let array = |step| root(&declared).map(|column| read(&mut JsonArray::new(column), data, step));
    assert_eq!(array(1), array(data.len().max(1)), "an array");
    grammar(data);
    // What was inferred from all of it reads all of it that is an object.
    let inferred = settle_fields(&json::infer(data, true, false));
    let Some(column) = root(&inferred) else { return };
    let outcomes = read(&mut JsonLines::new(column), data, data.len().max(1));
    for (line, outcome) in lines(data).zip(&outcomes) {
        if let (Ok(serde_json::Value::Object(_)), Err(reason)) = (serde_json::from_slice(line), outcome) {
            panic!("inferred as {inferred:?}, and then: {reason}: {}", String::from_utf8_lossy(line));
        }
    }
}

fn lines(data: &[u8]) -> impl Iterator<Item = &[u8]> {
    let data = data.strip_suffix(b"\n").unwrap_or(data);
    data.split(|byte| *byte == b'\n')
}

/// A line is an object if serde_json says so, and only then.
fn grammar(data: &[u8]) {
    for line in lines(data) {
        let Some(column) = root(&fields(&[("no such name", "int")])) else { return };
        let ours = JsonLines::new(column).decode(line, true);
        let theirs = serde_json::from_slice::<serde_json::Map<String, serde_json::Value>>(line);
        match (ours, theirs) {
            (Err(Problem::Bad(bad)), Ok(_)) => panic!("{}: {}", bad.reason, String::from_utf8_lossy(line)),
            // Numbers out of range and deep nesting in what nobody asks for are fine with us.
            (Ok(true), Err(error)) if !forgiven(&error.to_string()) => {
                panic!("{error}: {}", String::from_utf8_lossy(line));
            }
            _ => {}
        }
    }
}

fn forgiven(error: &str) -> bool {
    ["number out of range", "recursion limit exceeded"].iter().any(|reason| error.contains(reason))
}

/// Delimited text. The first line has the options: delimiter, quote, escape and `h` for a header.
pub(crate) fn csv(data: &[u8]) {
    let (settings, data) = match memchr::memchr(b'\n', data) {
        Some(at) => (&data[..at], &data[at + 1..]),
        None => (&b",\"-h"[..], data),
    };
    let byte = |at: usize, default: u8| settings.get(at).copied().filter(u8::is_ascii).unwrap_or(default);
    let options = CsvOptions {
        delimiter: byte(0, b','),
        quote: byte(1, b'"'),
        escape: settings.get(2).copied().filter(|byte| byte.is_ascii() && *byte != b'-'),
        header: byte(3, b'h') == b'h',
        null_value: settings.get(4..).and_then(|text| String::from_utf8(text.to_vec()).ok()),
        ..CsvOptions::default()
    };
    if super::check_csv(&options).is_err() {
        return;
    }
    let inferred = settle_fields(&csv::infer(data, true, &options));
    for fields in [fields(&[("a", "bigint"), ("b", "varchar"), ("c", "int[]")]), inferred.clone()] {
        let schema = Arc::new(Schema::new(fields.clone()));
        let reader = || root(&fields).map(|root| Csv::new(options.clone(), Arc::clone(&schema), root, "x.csv".into()));
        let Some(mut format) = reader() else { continue };
        let whole = read(&mut format, data, data.len().max(1));
        for step in [1, 5] {
            assert_eq!(reader().map(|mut format| read(&mut format, data, step)), Some(whole.clone()), "by {step}");
        }
    }
}

/// A path column: name, pattern (empty: as Hive spells it), type, format (empty: none) and path, a line each.
pub(crate) fn path_columns(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let mut lines = text.lines().map(str::to_string);
    let mut line = || lines.next().unwrap_or_default();
    let column = PathColumn {
        name: line(),
        pattern: Some(line()).filter(|text| !text.is_empty()),
        data_type: line(),
        format: Some(line()).filter(|text| !text.is_empty()),
    };
    let Ok(reader) = PathReader::new(&column) else { return };
    if let Ok(value) = reader.value(&line()) {
        assert_eq!(&value.data_type(), reader.field().data_type(), "a value of another type");
    }
}

/// A data type. What is read can be spelled, and means the same again.
pub(crate) fn data_types(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    match parse_data_type(text) {
        Ok(data_type) => {
            let spelled = super::types::sql_name(&data_type);
            match parse_data_type(&spelled) {
                Ok(again) => assert_eq!(again, data_type, "{spelled}"),
                Err(error) => panic!("{text} is spelled {spelled}: {error}"),
            }
            let _ = root(&fields(&[("x", text)]));
        }
        Err(error) => assert!(!error.message.is_empty()),
    }
}
