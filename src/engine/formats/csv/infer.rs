//! Types of delimited text from a sample: bigint, double, boolean, date, timestamp, else text.

use datafusion::arrow::datatypes::{DataType, Field, Fields, TimeUnit};

use super::super::infer::merge_in_file;
use super::super::records::Cut;
use super::super::spec::CsvOptions;
use super::super::values;
use super::cut::cut;
use super::decode::named;

/// Records that are looked at.
const RECORDS: usize = 10_000;

/// The columns of the file that starts with `sample`; `whole`: the sample is all of it.
pub(in super::super) fn infer(sample: &[u8], whole: bool, options: &CsvOptions) -> Fields {
    let mut rest = sample.strip_prefix(b"\xef\xbb\xbf").unwrap_or(sample);
    let mut fields = Vec::new();
    let mut names: Option<Vec<String>> = None;
    let mut types: Vec<DataType> = Vec::new();
    for _ in 0..RECORDS {
        let Cut::Record { end, next, broken, .. } = cut(rest, whole, options, &mut fields) else { break };
        let record = &rest[..end];
        rest = &rest[next..];
        if broken.is_some() || (fields.len() == 1 && record.trim_ascii().is_empty()) {
            continue;
        }
        let texts = || fields.iter().map(|field| (field.text(record, options), field.quoted));
        if names.is_none() {
            types = vec![DataType::Null; fields.len()];
            let named = |(at, text): (usize, String)| named(at, if options.header { text } else { String::new() });
            names =
                Some(texts().map(|(text, _)| String::from_utf8_lossy(&text).into()).enumerate().map(named).collect());
            if options.header {
                continue;
            }
        }
        if fields.len() == types.len() {
            for (merged, (text, quoted)) in types.iter_mut().zip(texts()) {
                *merged = merge_in_file(merged, &type_of(&text, quoted, options));
            }
        }
    }
    if options.empty_columns_are_integers {
        types.iter_mut().filter(|data_type| data_type.is_null()).for_each(|data_type| *data_type = DataType::Int64);
    }
    let names = names.unwrap_or_default();
    names.into_iter().zip(types).map(|(name, data_type)| Field::new(name, data_type, true)).collect()
}

/// The type that one field's text suggests.
fn type_of(text: &[u8], quoted: bool, options: &CsvOptions) -> DataType {
    if text.is_empty() || (!quoted && options.null_value.as_deref().is_some_and(|null| null.as_bytes() == text)) {
        return DataType::Null;
    }
    let unsigned = text.strip_prefix(b"-").unwrap_or(text);
    let zeros = !options.zeros_lead_numbers && matches!(unsigned, [b'0', b'0'..=b'9', ..]);
    let leading_zero = zeros || text.starts_with(b"+");
    let plain_digits = unsigned.iter().all(u8::is_ascii_digit);
    if !leading_zero && plain_digits && values::integer(text, i64::MIN, i64::MAX).is_ok() {
        return DataType::Int64;
    }
    // Whole numbers that do not fit stay text: a double would lose digits.
    if !leading_zero && !plain_digits && values::float(text).is_ok() {
        return DataType::Float64;
    }
    if text.eq_ignore_ascii_case(b"true") || text.eq_ignore_ascii_case(b"false") {
        return DataType::Boolean;
    }
    if values::date(text).is_ok() {
        return DataType::Date32;
    }
    if text.len() > 10 && values::timestamp(text, TimeUnit::Microsecond).is_ok() {
        return DataType::Timestamp(TimeUnit::Microsecond, None);
    }
    DataType::Utf8View
}
