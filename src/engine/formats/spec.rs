//! The declaration of a source table, resolved: plain data, no templates left in it.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::diag::{self, Diagnostic, Span, codes};
use crate::stdx::closest;

/// What a source table is made of. Paths and options are final; nothing has been looked at yet.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ScanSpec {
    /// The source's name as people know it (`lake.log_content`): for messages and the quarantine.
    pub name: String,
    /// A local path (relative to the working directory unless absolute), or a URL (`file:// hdfs:// s3:// ...`). It may
    /// hold `*`, `**`, `?`, `[..]` and `{a,b}`; a folder means everything under it.
    pub location: String,
    /// How the files are written.
    pub format: Format,
    /// Names and types of the columns, or `None`: they are inferred.
    pub columns: Option<Vec<ColumnSpec>>,
    /// Details of the format.
    pub options: FormatOptions,
    /// Columns that the path spells; they come after the columns of the files.
    pub path_columns: Vec<PathColumn>,
    /// What to do with records that cannot be read.
    pub bad_records: BadRecords,
    /// How many bad records one scan may drop or quarantine before it fails.
    pub max_bad_records: Option<u64>,
    /// Where a person declared it. It stays here when the declaration travels.
    #[serde(skip)]
    pub place: Option<Span>,
}

impl ScanSpec {
    /// A declaration with defaults: inferred columns, no path columns, bad records fail.
    pub fn new(name: impl Into<String>, location: impl Into<String>, format: Format) -> ScanSpec {
        ScanSpec {
            name: name.into(),
            location: location.into(),
            format,
            columns: None,
            options: FormatOptions::default(),
            path_columns: Vec::new(),
            bad_records: BadRecords::default(),
            max_bad_records: None,
            place: None,
        }
    }
}

/// A declared column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ColumnSpec {
    /// Its name, with its case.
    pub name: String,
    /// Its SQL type, as [`parse_data_type`](super::parse_data_type) reads it.
    pub data_type: String,
}

impl ColumnSpec {
    /// A column `name` of the SQL type `data_type`.
    pub fn new(name: impl Into<String>, data_type: impl Into<String>) -> ColumnSpec {
        ColumnSpec { name: name.into(), data_type: data_type.into() }
    }
}

/// A column whose value is part of a file's path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PathColumn {
    /// Its name.
    pub name: String,
    /// A regular expression whose first group (or the whole match) is the value, searched in the file's full path.
    /// `None`: a folder named `name=value`, as Hive writes it.
    pub pattern: Option<String>,
    /// Its SQL type.
    pub data_type: String,
    /// How a date or time is spelled (`%Y%m%d`); `None`: as ISO 8601 does.
    pub format: Option<String>,
}

/// How files are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Format {
    /// One JSON object a line, or one array of objects.
    Json,
    /// Delimited text as RFC 4180 describes it.
    Csv,
    /// Apache Parquet.
    Parquet,
    /// Avro object container files.
    Avro,
    /// Arrow IPC, file or stream.
    Arrow,
    /// Spreadsheets: xlsx, xlsm, xlsb, xls, ods.
    Xlsx,
    /// A Delta Lake table; the location is its folder.
    Delta,
}

impl Format {
    /// The names that a declaration may use, the usual one of each format first.
    const NAMES: &[(&str, Format)] = &[
        ("json", Format::Json),
        ("jsonl", Format::Json),
        ("ndjson", Format::Json),
        ("csv", Format::Csv),
        ("parquet", Format::Parquet),
        ("avro", Format::Avro),
        ("arrow", Format::Arrow),
        ("feather", Format::Arrow),
        ("ipc", Format::Arrow),
        ("xlsx", Format::Xlsx),
        ("excel", Format::Xlsx),
        ("xls", Format::Xlsx),
        ("ods", Format::Xlsx),
        ("delta", Format::Delta),
    ];

    /// The usual name.
    pub fn name(self) -> &'static str {
        Format::NAMES.iter().find(|(_, format)| *format == self).map_or("", |(name, _)| name)
    }
}

impl FromStr for Format {
    type Err = Box<Diagnostic>;

    fn from_str(text: &str) -> diag::Result<Format> {
        let lower = text.trim().to_lowercase();
        match Format::NAMES.iter().find(|(name, _)| *name == lower) {
            Some((_, format)) => Ok(*format),
            None => {
                let near = closest(&lower, Format::NAMES.iter().map(|(name, _)| *name));
                Err(Diagnostic::error(codes::BAD_SOURCE, format!("unknown file format `{text}`"))
                    .maybe_help(near.map(|near| format!("did you mean `{near}`?")))
                    .help("formats are json, csv, parquet, avro, arrow, xlsx and delta"))
            }
        }
    }
}

/// Details of the formats; each format looks at its own.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FormatOptions {
    /// CSV.
    pub csv: CsvOptions,
    /// JSON: how objects are laid out in a file.
    pub json: JsonLayout,
    /// Spreadsheets.
    pub xlsx: XlsxOptions,
}

/// Details of CSV.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CsvOptions {
    /// True if the first record of each file names the columns.
    pub header: bool,
    /// Between fields.
    pub delimiter: u8,
    /// Around fields that hold delimiters, quotes or line breaks.
    pub quote: u8,
    /// Before a quote inside a quoted field; `None`: quotes are doubled.
    pub escape: Option<u8>,
    /// Unquoted text that means NULL, beside the empty field.
    pub null_value: Option<String>,
    /// Digits behind a leading zero are a number when types are inferred; else they are text, such as a postcode.
    pub zeros_lead_numbers: bool,
    /// A column without a single value holds integers when types are inferred, as dbt's seeds have it; else text.
    pub empty_columns_are_integers: bool,
    /// How bytes spell text.
    pub encoding: Encoding,
}

impl Default for CsvOptions {
    fn default() -> CsvOptions {
        CsvOptions {
            header: true,
            delimiter: b',',
            quote: b'"',
            escape: None,
            null_value: None,
            zeros_lead_numbers: false,
            empty_columns_are_integers: false,
            encoding: Encoding::Utf8,
        }
    }
}

/// How bytes spell text.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Encoding {
    /// UTF-8; a byte order mark is skipped.
    #[default]
    Utf8,
    /// ISO 8859-1: every byte is a character.
    Latin1,
}

impl FromStr for Encoding {
    type Err = Box<Diagnostic>;

    fn from_str(text: &str) -> diag::Result<Encoding> {
        match text.trim().to_lowercase().replace('_', "-").as_str() {
            "utf8" | "utf-8" => Ok(Encoding::Utf8),
            "latin1" | "latin-1" | "iso-8859-1" => Ok(Encoding::Latin1),
            _ => Err(Diagnostic::error(codes::BAD_SOURCE, format!("unknown encoding `{text}`"))
                .help("encodings are utf-8 and latin1; convert other files first, for example with iconv")),
        }
    }
}

/// How JSON objects are laid out in a file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum JsonLayout {
    /// One object a line.
    #[default]
    Lines,
    /// The file is one array of objects.
    Array,
}

/// Details of spreadsheets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct XlsxOptions {
    /// The sheet's name; `None`: the first one.
    pub sheet: Option<String>,
    /// Cells to read (`B2:F100`, `B2:F`, `B:F`); `None`: all that are used.
    pub range: Option<String>,
    /// True if the first row names the columns.
    pub header: bool,
}

impl Default for XlsxOptions {
    fn default() -> XlsxOptions {
        XlsxOptions { sheet: None, range: None, header: true }
    }
}

/// What to do with records that cannot be read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum BadRecords {
    /// The first one ends the scan with an error.
    #[default]
    Fail,
    /// They are counted and left out.
    Drop,
    /// They are counted, left out and kept in the quarantine.
    Quarantine,
}

impl FromStr for BadRecords {
    type Err = Box<Diagnostic>;

    fn from_str(text: &str) -> diag::Result<BadRecords> {
        match text.trim().to_lowercase().as_str() {
            "fail" => Ok(BadRecords::Fail),
            "drop" => Ok(BadRecords::Drop),
            "quarantine" => Ok(BadRecords::Quarantine),
            _ => Err(Diagnostic::error(codes::BAD_SOURCE, format!("unknown value `{text}` for bad_records"))
                .help("bad_records is fail, drop or quarantine")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_in_any_case_and_suggested() {
        assert_eq!("JSON".parse::<Format>().expect("a format"), Format::Json);
        assert_eq!(Format::Xlsx.name(), "xlsx");
        let error = "parqet".parse::<Format>().expect_err("no format");
        assert_eq!(error.code, codes::BAD_SOURCE);
        assert_eq!(error.helps[0], "did you mean `parquet`?");
        assert!("ignore".parse::<BadRecords>().is_err());
    }
}
