//! Spreadsheets: one sheet is one table.
//!
//! A sheet is read whole (spreadsheets cannot be streamed), then goes through the same columns as text does: a cell
//! becomes text and that becomes a value, so that types are checked as strictly as in CSV. Formulas give their cached
//! value; one without it, as programs that write files without calculating leave it, is a bad record and no NULL. Of merged cells the first has the value and the others are empty, as in the file.

use std::borrow::Cow;
use std::collections::HashSet;
use std::io::Cursor;
use std::sync::Arc;

use calamine::{Data, DataType as _, ExcelDateTime, Range, Reader, open_workbook_auto_from_rs};
use datafusion::arrow::array::{RecordBatch, RecordBatchOptions};
use datafusion::arrow::datatypes::{DataType, Field, Fields, SchemaRef, TimeUnit};
use datafusion::error::Result as DfResult;
use futures::stream::{BoxStream, StreamExt};
use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt};

use crate::diag::{self, Diagnostic, codes};
use crate::stdx::closest;

use super::columns::{Column, StructColumn};
use super::errors::{guard, unreadable};
use super::infer::merge_in_file;
use super::json::append_json;
use super::records::Part;
use super::rejects::{BadRecord, ScanRun};
use super::spec::XlsxOptions;

/// A sheet in memory.
struct Sheet {
    cells: Range<Data>,
    /// Where formulas are that nobody has calculated: row and column, from 0.
    uncalculated: HashSet<CellAt>,
    /// The names of its columns.
    names: Vec<String>,
    /// How many rows come before the first record.
    skip: usize,
}

/// The batches of one file.
pub(super) async fn read(
    part: Part,
    declared: SchemaRef,
    mut root: StructColumn,
    run: Arc<ScanRun>,
) -> diag::Result<BoxStream<'static, DfResult<RecordBatch>>> {
    run.opened(&part.label);
    run.stats.add_bytes(part.meta.size as usize);
    let sheet = open(part.store.as_ref(), &part.meta, &part.label, &run.spec.options.xlsx).await?;
    let places = sheet.places(&declared, &part.label)?;
    let mut batches = Vec::new();
    let mut emit = |root: &mut StructColumn| -> diag::Result<()> {
        let options = RecordBatchOptions::new().with_row_count(Some(root.len()));
        run.stats.add_records(root.len());
        let batch = root
            .finish_children()
            .and_then(|arrays| RecordBatch::try_new_with_options(Arc::clone(&part.schema), arrays, &options));
        batches.push(Ok(batch.map_err(|error| unreadable(&part.label, &error))?));
        Ok(())
    };
    let (first_row, first_column) = sheet.cells.start().unwrap_or((0, 0));
    for (index, row) in sheet.cells.rows().enumerate().skip(sheet.skip) {
        let open = sheet.uncalculated_in(index, &places);
        if open.is_none() && row.iter().all(|cell| cell.is_empty()) {
            continue;
        }
        let rows = root.len();
        let appended = match open {
            Some(place) => Err((place, UNCALCULATED.into())),
            None => append_row(&mut root, row, &places),
        };
        if let Err((place, reason)) = appended {
            root.truncate(rows);
            let line = u64::from(first_row) + index as u64 + 1;
            let cell = format!("{}{line}", column_letters(first_column as usize + place));
            run.reject(BadRecord {
                file: &part.label,
                line,
                column: None,
                reason: &format!("cell {cell}: {reason}"),
                text: row_text(row).as_bytes(),
            })?;
        }
        if root.len() >= part.batch_size {
            emit(&mut root)?;
        }
    }
    if root.len() > 0 {
        emit(&mut root)?;
    }
    run.finished(&part.label, None, part.meta.size);
    Ok(futures::stream::iter(batches).boxed())
}

/// The columns of one file, and their types as its cells suggest them.
pub(super) async fn infer(
    store: &dyn ObjectStore,
    meta: &ObjectMeta,
    label: &str,
    options: &XlsxOptions,
) -> diag::Result<Fields> {
    let sheet = open(store, meta, label, options).await?;
    let mut types = vec![DataType::Null; sheet.names.len()];
    for row in sheet.cells.rows().skip(sheet.skip) {
        for (merged, cell) in types.iter_mut().zip(row) {
            *merged = merge_in_file(merged, &type_of(cell));
        }
    }
    Ok(sheet.names.into_iter().zip(types).map(|(name, data_type)| Field::new(name, data_type, true)).collect())
}

async fn open(store: &dyn ObjectStore, meta: &ObjectMeta, label: &str, options: &XlsxOptions) -> diag::Result<Sheet> {
    let file = store.get(&meta.location).await.map_err(|error| unreadable(label, &error))?;
    let bytes = file.bytes().await.map_err(|error| unreadable(label, &error))?;
    guard(label, || sheet_of(Cursor::new(bytes), label, options))?
}

fn sheet_of(bytes: Cursor<bytes::Bytes>, label: &str, options: &XlsxOptions) -> diag::Result<Sheet> {
    let mut book = open_workbook_auto_from_rs(bytes).map_err(|error| unreadable(label, &error))?;
    let names = book.sheet_names();
    let name = match &options.sheet {
        None => names.first().cloned().ok_or_else(|| no_sheet(label, "", &names))?,
        Some(name) if names.contains(name) => name.clone(),
        Some(name) => return Err(no_sheet(label, name, &names)),
    };
    let mut cells = book.worksheet_range(&name).map_err(|error| unreadable(label, &error))?;
    // Files without formulas, or whose formulas cannot be told, have none that is not calculated.
    let formulas = book.worksheet_formula(&name).unwrap_or_default();
    let uncalculated = uncalculated(&cells, &formulas);
    if let Some(range) = &options.range
        && let (Some(first), Some(last)) = (cells.start(), cells.end())
    {
        let (from, to) = parse_range(range, first, last).ok_or_else(|| bad_range(range))?;
        cells = if from.0 <= to.0 && from.1 <= to.1 { cells.range(from, to) } else { Range::empty() };
    }
    let first = cells.rows().next().unwrap_or(&[]);
    let named = |(at, cell): (usize, &Data)| match options.header && !cell.is_empty() {
        true => cell_text(cell)
            .map_or_else(|_| format!("column_{}", at + 1), |text| text.unwrap_or_default().trim().to_string()),
        false => format!("column_{}", at + 1),
    };
    let names = first.iter().enumerate().map(named).collect();
    Ok(Sheet { cells, uncalculated, names, skip: usize::from(options.header) })
}

const UNCALCULATED: &str = "the formula has no value: open the file in a spreadsheet program and save it";

/// The cells with a formula and without a value.
fn uncalculated(cells: &Range<Data>, formulas: &Range<String>) -> HashSet<CellAt> {
    let Some((row, column)) = formulas.start() else { return HashSet::new() };
    let places = formulas.used_cells().map(|(down, right, _)| (row + down as u32, column + right as u32));
    places.filter(|place| cells.get_value(*place).is_none_or(|cell| cell.is_empty())).collect()
}

impl Sheet {
    /// The first of the wanted columns whose cell in the row at `index` has a formula without a value.
    fn uncalculated_in(&self, index: usize, places: &[usize]) -> Option<usize> {
        let (row, column) = self.cells.start()?;
        let open = |place: &&usize| self.uncalculated.contains(&(row + index as u32, column + **place as u32));
        places.iter().find(open).copied()
    }

    /// Which column of the sheet each declared column is.
    fn places(&self, declared: &SchemaRef, label: &str) -> diag::Result<Vec<usize>> {
        let mut places = Vec::new();
        for (at, field) in declared.fields().iter().enumerate() {
            let wanted = field.name();
            if self.skip == 0 || self.names.is_empty() {
                places.push(at);
                continue;
            }
            let folded = wanted.trim().to_lowercase();
            let exact = self.names.iter().position(|name| name == wanted);
            match exact.or_else(|| self.names.iter().position(|name| name.to_lowercase() == folded)) {
                Some(place) => places.push(place),
                None => {
                    let near = closest(wanted, self.names.iter().map(String::as_str));
                    let what = format!("`{label}` has no column `{wanted}`");
                    return Err(Diagnostic::error(codes::SCHEMA_MISMATCH, what)
                        .note(format!("its first row names {}", self.names.join(", ")))
                        .maybe_help(near.map(|near| format!("a column named `{near}` exists"))));
                }
            }
        }
        Ok(places)
    }
}

fn no_sheet(label: &str, name: &str, names: &[String]) -> Box<Diagnostic> {
    let what = if name.is_empty() { "no sheet".to_string() } else { format!("no sheet `{name}`") };
    Diagnostic::error(codes::SOURCE_FILES_MISSING, format!("`{label}` has {what}"))
        .note(format!("its sheets are {}", names.join(", ")))
        .maybe_help(
            closest(name, names.iter().map(String::as_str)).map(|near| format!("a sheet named `{near}` exists")),
        )
}

fn bad_range(range: &str) -> Box<Diagnostic> {
    Diagnostic::error(codes::BAD_SOURCE, format!("`{range}` is no range of cells"))
        .help("a range is for example B2:F100, B2:F or B:F")
}

/// Row and column, from 0.
type CellAt = (u32, u32);

/// The corners of `B2:F100`, `B2:F` or `B:F`; what is left open is where the sheet's cells start and end.
fn parse_range(range: &str, first: CellAt, last: CellAt) -> Option<(CellAt, CellAt)> {
    let (from, to) = range.trim().split_once(':')?;
    let ((from_column, from_row), (to_column, to_row)) = (parse_cell(from)?, parse_cell(to)?);
    Some(((from_row.unwrap_or(first.0), from_column), (to_row.unwrap_or(last.0), to_column)))
}

/// Column and row of `B2` or `B`.
fn parse_cell(cell: &str) -> Option<(u32, Option<u32>)> {
    let cell = cell.trim().replace('$', "").to_ascii_uppercase();
    let end = cell.find(|c: char| !c.is_ascii_uppercase()).unwrap_or(cell.len());
    let (letters, digits) = cell.split_at(end);
    if letters.is_empty() || letters.len() > 3 {
        return None;
    }
    let column = letters.bytes().fold(0, |column, letter| column * 26 + u32::from(letter - b'A') + 1) - 1;
    let row = match digits {
        "" => None,
        digits => Some(digits.parse::<u32>().ok()?.checked_sub(1)?),
    };
    Some((column, row))
}

/// `A`, `B`, ..., `AA` for 0, 1, ..., 26.
fn column_letters(column: usize) -> String {
    let mut letters = String::new();
    let mut left = column + 1;
    while left > 0 {
        letters.insert(0, (b'A' + ((left - 1) % 26) as u8) as char);
        left = (left - 1) / 26;
    }
    letters
}

/// Appends a row, or says which cell is wrong and why.
fn append_row(root: &mut StructColumn, row: &[Data], places: &[usize]) -> Result<(), (usize, String)> {
    for (column, place) in root.children.iter_mut().zip(places) {
        let cell = row.get(*place).unwrap_or(&Data::Empty);
        let text = cell_text(cell).map_err(|reason| (*place, reason))?;
        let wrong = |reason: super::values::Reason| (*place, reason.into_owned());
        match (column, text) {
            (column, None) => column.append_null(),
            (Column::Scalar(scalar), Some(text)) if text.is_empty() && !scalar.is_text() => scalar.append_null(),
            (Column::Scalar(scalar), Some(text)) => scalar.append_text(text.as_bytes()).map_err(wrong)?,
            (nested, Some(text)) => append_json(nested, text.as_bytes()).map_err(|bad| wrong(bad.reason))?,
        }
    }
    root.end_row();
    Ok(())
}

/// A cell as text; an empty one is NULL, one with an error is an error.
fn cell_text(cell: &Data) -> Result<Option<Cow<'_, str>>, String> {
    Ok(Some(match cell {
        Data::Empty => return Ok(None),
        Data::Error(error) => return Err(format!("it holds the error {error}")),
        Data::String(text) | Data::DateTimeIso(text) | Data::DurationIso(text) => Cow::Borrowed(text.as_str()),
        Data::Int(value) => Cow::Owned(value.to_string()),
        Data::Float(value) => Cow::Owned(number_text(*value)),
        Data::Bool(value) => Cow::Borrowed(if *value { "true" } else { "false" }),
        Data::DateTime(time) => Cow::Owned(time_text(time)),
    }))
}

/// A number as people write it: whole ones without a point.
fn number_text(value: f64) -> String {
    if value.fract() == 0.0 && value.abs() < 1e15 { format!("{value:.0}") } else { value.to_string() }
}

/// A date as ISO 8601 writes it; one without a time of day is the date alone, a time or duration alone is a time.
fn time_text(time: &ExcelDateTime) -> String {
    let days = time.as_f64();
    if time.is_duration() || days < 1.0 {
        let seconds = (days * 86_400.0).round() as i64;
        return format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
    }
    let (year, month, day, hour, minute, second, milli) = time.to_ymd_hms_milli();
    let date = format!("{year:04}-{month:02}-{day:02}");
    match (hour, minute, second, milli) {
        (0, 0, 0, 0) => date,
        (_, _, _, 0) => format!("{date} {hour:02}:{minute:02}:{second:02}"),
        _ => format!("{date} {hour:02}:{minute:02}:{second:02}.{milli:03}"),
    }
}

/// The type that a cell suggests.
fn type_of(cell: &Data) -> DataType {
    match cell {
        Data::Empty | Data::Error(_) => DataType::Null,
        Data::Int(_) => DataType::Int64,
        Data::Float(value) if value.fract() == 0.0 && value.abs() < 1e15 => DataType::Int64,
        Data::Float(_) => DataType::Float64,
        Data::Bool(_) => DataType::Boolean,
        Data::DateTime(time) => match time_text(time).len() {
            10 if !time.is_duration() => DataType::Date32,
            19.. => DataType::Timestamp(TimeUnit::Microsecond, None),
            _ => DataType::Utf8View,
        },
        Data::String(_) | Data::DateTimeIso(_) | Data::DurationIso(_) => DataType::Utf8View,
    }
}

/// A row as text, for the quarantine.
fn row_text(row: &[Data]) -> String {
    let cells: Vec<Cow<'_, str>> = row
        .iter()
        .map(|cell| match cell_text(cell) {
            Ok(text) => text.unwrap_or(Cow::Borrowed("")),
            Err(_) => Cow::Owned(cell.to_string()),
        })
        .collect();
    cells.join("\t")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_and_letters() {
        assert_eq!(parse_range("B2:F100", (0, 0), (9, 9)), Some(((1, 1), (99, 5))));
        assert_eq!(parse_range("b:$aa", (3, 0), (9, 9)), Some(((3, 1), (9, 26))));
        assert_eq!(parse_range("B2", (0, 0), (9, 9)), None);
        assert_eq!(parse_range("B0:C1", (0, 0), (9, 9)), None);
        assert_eq!(["A", "Z", "AA", "AZ", "BA"].map(String::from), [0, 25, 26, 51, 52].map(column_letters));
    }
}
