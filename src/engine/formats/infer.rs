//! Types that nobody declared: merging what the records of a file, and the files of a source, seem to hold.
//!
//! Within one file, values of different kinds make text (that is how all of them can be read). Between files, numbers
//! widen and text is text; anything else is reported, because a column that silently changes its type from file to file
//! is a mistake that somebody should know of.

use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field, FieldRef, Fields, TimeUnit};

use crate::diag::{self, Diagnostic, codes};

use super::types::{MAX_DEPTH, list_of, sql_name};

/// The type that holds values of both types, which come from one file.
pub(super) fn merge_in_file(left: &DataType, right: &DataType) -> DataType {
    match (left, right) {
        (DataType::Null, other) | (other, DataType::Null) => other.clone(),
        (left, right) if left == right => left.clone(),
        (DataType::Int64, DataType::Float64) | (DataType::Float64, DataType::Int64) => DataType::Float64,
        (DataType::Date32, time @ DataType::Timestamp(..)) | (time @ DataType::Timestamp(..), DataType::Date32) => {
            time.clone()
        }
        (DataType::List(left), DataType::List(right)) => list_of(merge_in_file(left.data_type(), right.data_type())),
        (DataType::Struct(left), DataType::Struct(right)) => {
            let mut merged: Vec<FieldRef> = left.iter().cloned().collect();
            for field in right {
                match merged.iter_mut().find(|known| known.name() == field.name()) {
                    Some(known) => {
                        let data_type = merge_in_file(known.data_type(), field.data_type());
                        *known = Arc::new(Field::new(field.name(), data_type, true));
                    }
                    None => merged.push(Arc::clone(field)),
                }
            }
            DataType::Struct(merged.into())
        }
        _ => DataType::Utf8View,
    }
}

/// What is left open becomes text: columns without a single value, empty objects, and what is nested deeper than a type may
/// be.
fn settle(data_type: &DataType, depth: usize) -> DataType {
    match data_type {
        DataType::Null => DataType::Utf8View,
        DataType::Struct(fields) if fields.is_empty() => DataType::Utf8View,
        DataType::Struct(_) | DataType::List(_) if depth >= MAX_DEPTH => DataType::Utf8View,
        DataType::Struct(fields) => DataType::Struct(settle_all(fields, depth + 1)),
        DataType::List(item) => {
            // A list that is settled keeps what its file says of its items.
            let settled = settle(item.data_type(), depth + 1);
            if settled == *item.data_type() { data_type.clone() } else { list_of(settled) }
        }
        other => other.clone(),
    }
}

/// The same for all fields. Every one may be NULL, whatever its file says: another file may lack the column.
pub(super) fn settle_fields(fields: &Fields) -> Fields {
    settle_all(fields, 1)
}

fn settle_all(fields: &Fields, depth: usize) -> Fields {
    let settled = |field: &FieldRef| {
        let data_type = settle(field.data_type(), depth);
        Arc::new(field.as_ref().clone().with_data_type(data_type).with_nullable(true))
    };
    fields.iter().map(settled).collect()
}

/// Two files disagree about this column.
struct Conflict {
    column: String,
    left: DataType,
    right: DataType,
}

/// The columns of a source whose files have these columns, in order of appearance.
///
/// # Errors
/// C5004 if two files disagree about a column's type.
pub(super) fn merge_files(files: &[(String, Fields)]) -> diag::Result<Fields> {
    let mut merged: Vec<FieldRef> = Vec::new();
    for (index, (label, fields)) in files.iter().enumerate() {
        merged = match merge_fields(&merged, fields, "") {
            Ok(merged) => merged,
            Err(conflict) => return Err(disagreement(&files[..index], label, fields, conflict)),
        };
    }
    Ok(merged.into())
}

/// The error for `conflict`, with the first earlier file that disagrees.
fn disagreement(earlier: &[(String, Fields)], label: &str, fields: &Fields, conflict: Conflict) -> Box<Diagnostic> {
    let pairwise = earlier.iter().find_map(|(other, known)| {
        let known: Vec<FieldRef> = known.iter().cloned().collect();
        merge_fields(&known, fields, "").err().map(|conflict| (other, conflict))
    });
    let (other, conflict) = match (pairwise, earlier.first()) {
        (Some((other, conflict)), _) => (other.as_str(), conflict),
        (None, first) => (first.map_or("", |(other, _)| other.as_str()), conflict),
    };
    Diagnostic::error(codes::SCHEMA_MISMATCH, format!("column `{}` changes its type between files", conflict.column))
        .note(format!("it is {} in `{other}`", sql_name(&conflict.left)))
        .note(format!("it is {} in `{label}`", sql_name(&conflict.right)))
        .help(format!(
            "declare the column with the type that you want: {{name: {}, data_type: varchar}}",
            conflict.column
        ))
}

fn merge_fields(known: &[FieldRef], new: &Fields, path: &str) -> Result<Vec<FieldRef>, Conflict> {
    let mut merged = known.to_vec();
    for field in new {
        let column = if path.is_empty() { field.name().clone() } else { format!("{path}.{}", field.name()) };
        match merged.iter_mut().find(|known| known.name() == field.name()) {
            Some(known) => {
                let data_type = merge_types(known.data_type(), field.data_type(), &column)?;
                let nullable = known.is_nullable() || field.is_nullable();
                *known = Arc::new(known.as_ref().clone().with_data_type(data_type).with_nullable(nullable));
            }
            None => merged.push(Arc::clone(field)),
        }
    }
    Ok(merged)
}

fn merge_types(left: &DataType, right: &DataType, column: &str) -> Result<DataType, Conflict> {
    let conflict = || Conflict { column: column.to_string(), left: left.clone(), right: right.clone() };
    Ok(match (left, right) {
        (left, right) if left == right => left.clone(),
        (DataType::Null, other) | (other, DataType::Null) => other.clone(),
        (left, right) if is_text(left) && is_text(right) => DataType::Utf8View,
        (left, right) if is_bytes(left) && is_bytes(right) => DataType::Binary,
        (left, right) if left.is_numeric() && right.is_numeric() => wider(left, right).ok_or_else(conflict)?,
        (DataType::Timestamp(left, zone), DataType::Timestamp(right, other)) if zone == other => {
            DataType::Timestamp(finer(*left, *right), zone.clone())
        }
        (DataType::Date32, time @ DataType::Timestamp(_, None))
        | (time @ DataType::Timestamp(_, None), DataType::Date32) => time.clone(),
        (DataType::Struct(left), DataType::Struct(right)) => {
            let left: Vec<FieldRef> = left.iter().cloned().collect();
            DataType::Struct(merge_fields(&left, right, column)?.into())
        }
        (DataType::List(left), DataType::List(right)) => {
            let item = merge_types(left.data_type(), right.data_type(), column)?;
            DataType::List(Arc::new(left.as_ref().clone().with_data_type(item).with_nullable(true)))
        }
        _ => return Err(conflict()),
    })
}

fn is_text(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View)
}

fn is_bytes(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Binary | DataType::LargeBinary | DataType::BinaryView)
}

fn finer(left: TimeUnit, right: TimeUnit) -> TimeUnit {
    left.max(right)
}

/// The number type that holds both.
fn wider(left: &DataType, right: &DataType) -> Option<DataType> {
    if let (DataType::Decimal128(p1, s1), DataType::Decimal128(p2, s2)) = (left, right) {
        let scale = (*s1).max(*s2);
        let whole = (i16::from(*p1) - i16::from(*s1)).max(i16::from(*p2) - i16::from(*s2));
        let precision = u8::try_from(whole + i16::from(scale)).ok().filter(|precision| *precision <= 38)?;
        return Some(DataType::Decimal128(precision, scale));
    }
    if left.is_floating() || right.is_floating() {
        let narrow = |side: &DataType| {
            matches!(
                side,
                DataType::Float16
                    | DataType::Float32
                    | DataType::Int8
                    | DataType::Int16
                    | DataType::UInt8
                    | DataType::UInt16
            )
        };
        let known = |side: &DataType| side.is_floating() || side.is_integer();
        return (known(left) && known(right))
            .then(|| if narrow(left) && narrow(right) { DataType::Float32 } else { DataType::Float64 });
    }
    if !left.is_integer() || !right.is_integer() {
        return None;
    }
    // A signed type that holds an unsigned one is the next wider.
    let signed = left.is_signed_integer() || right.is_signed_integer();
    let bytes = |side: &DataType| {
        let width = side.primitive_width().unwrap_or(8);
        if signed && side.is_unsigned_integer() { width * 2 } else { width }
    };
    match (bytes(left).max(bytes(right)), signed) {
        (1, true) => Some(DataType::Int8),
        (2, true) => Some(DataType::Int16),
        (4, true) => Some(DataType::Int32),
        (8, true) => Some(DataType::Int64),
        (1, false) => Some(DataType::UInt8),
        (2, false) => Some(DataType::UInt16),
        (4, false) => Some(DataType::UInt32),
        (8, false) => Some(DataType::UInt64),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(name: &str, column: &str, data_type: DataType) -> (String, Fields) {
        (name.to_string(), Fields::from(vec![Field::new(column, data_type, true)]))
    }

    fn merged(left: DataType, right: DataType) -> Option<DataType> {
        let merged = merge_files(&[file("a", "x", left), file("b", "x", right)]).ok()?;
        Some(merged[0].data_type().clone())
    }

    #[test]
    fn numbers_widen_and_text_is_text() {
        assert_eq!(merged(DataType::Int32, DataType::Int64), Some(DataType::Int64));
        assert_eq!(merged(DataType::Int32, DataType::Float32), Some(DataType::Float64));
        assert_eq!(merged(DataType::UInt32, DataType::Int8), Some(DataType::Int64));
        assert_eq!(merged(DataType::Utf8, DataType::Utf8View), Some(DataType::Utf8View));
        assert_eq!(merged(DataType::Null, DataType::Boolean), Some(DataType::Boolean));
        assert_eq!(merged(DataType::Decimal128(10, 2), DataType::Decimal128(6, 4)), Some(DataType::Decimal128(12, 4)));
        assert_eq!(merged(DataType::UInt64, DataType::Int64), None);
        assert_eq!(merged(DataType::Boolean, DataType::Int64), None);
    }

    #[test]
    fn a_conflict_names_both_files_the_column_and_the_types() {
        let nested = |data_type| DataType::Struct(vec![Field::new("n", data_type, true)].into());
        let files = [
            file("a.json", "s", nested(DataType::Null)),
            file("b.json", "s", nested(DataType::Int64)),
            file("c.json", "s", nested(DataType::Utf8View)),
        ];
        let error = merge_files(&files).expect_err("a conflict");
        assert_eq!(error.code, codes::SCHEMA_MISMATCH);
        assert_eq!(error.message, "column `s.n` changes its type between files");
        assert_eq!(error.notes, ["it is bigint in `b.json`", "it is varchar in `c.json`"]);
    }
}
