//! Types of JSON from a sample.
//!
//! Whole numbers become bigint, other numbers double, text stays text even if it looks like a date. Values of several
//! kinds in one file make the column text: that is how they can all be read.

use datafusion::arrow::datatypes::{DataType, Field, Fields};
use serde_json::Value;

use super::super::infer::merge_in_file;
use super::super::types::list_of;
use super::cursor::Cursor;

/// The fields of the objects in `sample`, which is the start of a file; `whole`: it is all of it. Text that cannot be
/// read is left out here; reading the file will report it.
pub(in super::super) fn infer(sample: &[u8], whole: bool, array: bool) -> Fields {
    let mut merged = DataType::Struct(Fields::empty());
    let mut add = |record: &[u8]| {
        if let Ok(value @ Value::Object(_)) = serde_json::from_slice::<Value>(record) {
            merged = merge_in_file(&merged, &type_of(&value));
        }
    };
    let sample = sample.strip_prefix(b"\xef\xbb\xbf").unwrap_or(sample);
    match array {
        true => elements(sample, &mut add),
        false => {
            let mut lines = sample.split(|byte| *byte == b'\n').peekable();
            while let Some(line) = lines.next() {
                // The sample's last line may be cut.
                if whole || lines.peek().is_some() {
                    add(line);
                }
            }
        }
    }
    match merged {
        DataType::Struct(fields) => fields,
        _ => Fields::empty(),
    }
}

/// Calls `add` with the elements of the array that `sample` starts with, up to where it is cut or broken.
fn elements(sample: &[u8], add: &mut impl FnMut(&[u8])) {
    let mut cursor = Cursor::new(sample);
    if cursor.expect(b'[').is_err() {
        return;
    }
    loop {
        cursor.next_token();
        let start = cursor.pos;
        if cursor.skip().is_err() {
            return;
        }
        add(cursor.since(start));
        if cursor.expect(b',').is_err() {
            return;
        }
    }
}

/// The type of one value; NULL has the null type.
fn type_of(value: &Value) -> DataType {
    match value {
        Value::Null => DataType::Null,
        Value::Bool(_) => DataType::Boolean,
        Value::Number(number) if number.is_i64() => DataType::Int64,
        Value::Number(_) => DataType::Float64,
        Value::String(_) => DataType::Utf8View,
        Value::Array(items) => {
            list_of(items.iter().fold(DataType::Null, |merged, item| merge_in_file(&merged, &type_of(item))))
        }
        Value::Object(members) => DataType::Struct(
            members.iter().map(|(name, value)| Field::new(name, type_of(value), true)).collect::<Fields>(),
        ),
    }
}
