//! `type: files` of a profile's destinations.

use std::path::Path;

use super::super::fields::Fields;
use crate::diag::Result;
use crate::stores::StoreOptions;

/// `type: files`: a folder with a folder for each table.
#[derive(Debug, Clone)]
pub struct FilesConfig {
    /// A path, or the URL of a store.
    pub path: String,
    /// What is written.
    pub format: FileFormat,
    /// How it is compressed.
    pub compression: Compression,
    /// One file, however large.
    pub single_file: bool,
    /// Rows after which another file begins.
    pub max_file_rows: Option<u64>,
    /// Bytes after which another file begins, roughly.
    pub max_file_bytes: u64,
    /// How CSV is written.
    pub csv: CsvStyle,
    /// Seconds to wait for another publish of the same table.
    pub lock_timeout: std::time::Duration,
    /// Credentials and settings of stores, from the profile's target.
    pub stores: StoreOptions,
}

/// `format`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileFormat {
    /// Apache Parquet (the default).
    Parquet,
    /// Comma-separated values.
    Csv,
    /// JSON lines: one object a line.
    Json,
}

/// `compression`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    /// None (the default of text).
    None,
    /// gzip.
    Gzip,
    /// Zstandard (the default of Parquet).
    Zstd,
    /// Snappy; Parquet alone.
    Snappy,
}

/// How CSV is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CsvStyle {
    /// True if the first line has the names of the columns.
    pub header: bool,
    /// What is between fields.
    pub delimiter: u8,
    /// What NULL is written as. A text that is just that is in quotes.
    pub null: String,
}

const FORMATS: [(&str, FileFormat); 5] = [
    ("parquet", FileFormat::Parquet),
    ("csv", FileFormat::Csv),
    ("json", FileFormat::Json),
    ("jsonl", FileFormat::Json),
    ("ndjson", FileFormat::Json),
];

const COMPRESSIONS: [(&str, Compression); 5] = [
    ("none", Compression::None),
    ("gzip", Compression::Gzip),
    ("zstd", Compression::Zstd),
    ("snappy", Compression::Snappy),
    ("uncompressed", Compression::None),
];

const FLAGS: [(&str, bool); 2] = [("true", true), ("false", false)];

/// Bytes of a file, unless the profile says otherwise.
const FILE_BYTES: u64 = 256 << 20;

impl FilesConfig {
    /// Reads the settings.
    pub(in super::super) fn parse(fields: &mut Fields<'_>) -> Result<FilesConfig> {
        let format = fields.word("format", &FORMATS)?.unwrap_or(FileFormat::Parquet);
        let default = if format == FileFormat::Parquet { Compression::Zstd } else { Compression::None };
        let csv = csv(fields, format)?;
        let config = FilesConfig {
            path: fields.required("path")?,
            format,
            compression: fields.word("compression", &COMPRESSIONS)?.unwrap_or(default),
            single_file: fields.word("single_file", &FLAGS)?.unwrap_or(false),
            max_file_rows: fields.number("max_file_rows", 1..=u64::MAX)?,
            max_file_bytes: fields.number("max_file_bytes", 1..=u64::MAX)?.unwrap_or(FILE_BYTES),
            csv,
            lock_timeout: super::super::config::seconds(fields, "lock_timeout", 60)?,
            stores: StoreOptions::default(),
        };
        if config.compression == Compression::Snappy && format != FileFormat::Parquet {
            let problem = "is snappy, which is for parquet alone";
            return Err(fields.bad("compression", problem).help("use gzip, zstd or none"));
        }
        let limits = fields.number("max_file_rows", 1..=u64::MAX)?.or(fields.number("max_file_bytes", 1..=u64::MAX)?);
        if config.single_file && limits.is_some() {
            let help = "leave out `max_file_rows` and `max_file_bytes`, or `single_file`";
            return Err(fields.bad("single_file", "is true, and files have a limit too").help(help));
        }
        Ok(config)
    }

    /// Makes a relative path start at `root`.
    pub(in super::super) fn root(&mut self, root: &Path) {
        if !self.path.contains("://") {
            self.path = root.join(&self.path).display().to_string();
        }
    }

    /// The path, without what a URL should not hold.
    pub(in super::super) fn place(&self) -> String {
        crate::stores::clean(&self.path)
    }

    /// What the names of files end with.
    pub(super) fn extension(&self) -> &'static str {
        match (self.format, self.compression) {
            (FileFormat::Parquet, _) => "parquet",
            (FileFormat::Csv, Compression::Gzip) => "csv.gz",
            (FileFormat::Csv, Compression::Zstd) => "csv.zst",
            (FileFormat::Csv, _) => "csv",
            (FileFormat::Json, Compression::Gzip) => "jsonl.gz",
            (FileFormat::Json, Compression::Zstd) => "jsonl.zst",
            (FileFormat::Json, _) => "jsonl",
        }
    }
}

impl FileFormat {
    /// The word in a config.
    pub(super) fn word(self) -> &'static str {
        match self {
            FileFormat::Parquet => "parquet",
            FileFormat::Csv => "csv",
            FileFormat::Json => "json",
        }
    }
}

impl Compression {
    /// The word in a config.
    pub(super) fn word(self) -> &'static str {
        match self {
            Compression::None => "none",
            Compression::Gzip => "gzip",
            Compression::Zstd => "zstd",
            Compression::Snappy => "snappy",
        }
    }
}

fn csv(fields: &mut Fields<'_>, format: FileFormat) -> Result<CsvStyle> {
    let header = fields.word("header", &FLAGS)?;
    let delimiter = fields.text("delimiter")?;
    let null = fields.text("null")?;
    if format != FileFormat::Csv {
        let given = [("header", header.is_some()), ("delimiter", delimiter.is_some()), ("null", null.is_some())];
        if let Some((key, _)) = given.into_iter().find(|(_, given)| *given) {
            return Err(fields.bad(key, "is for `format: csv` alone").help(format!("leave `{key}` out")));
        }
    }
    let delimiter = match delimiter.as_deref() {
        None => b',',
        Some("tab" | "\\t" | "\t") => b'\t',
        Some(text) => match text.as_bytes() {
            [byte] if byte.is_ascii() && !byte.is_ascii_alphanumeric() && !b"\"\r\n".contains(byte) => *byte,
            _ => {
                let problem = format!("is `{text}`, not one sign such as `;` or `tab`");
                return Err(fields.bad("delimiter", problem));
            }
        },
    };
    let null = null.unwrap_or_default();
    if null.bytes().any(|byte| byte == delimiter || b"\"\r\n".contains(&byte)) {
        return Err(fields.bad("null", "has a delimiter, a quote or the end of a line in it"));
    }
    Ok(CsvStyle { header: header.unwrap_or(true), delimiter, null })
}
