//! A source's `external:` block, as what it declares: files, or a table of a database.

use std::path::Path;
use std::sync::Arc;

use serde_json::{Map, Value as Json};

use super::databases::{self, Connections, DatabaseSpec};
use super::formats::{BadRecords, ColumnSpec, Encoding, Format, JsonLayout, PathColumn, ScanSpec};
use crate::diag::{Diagnostic, Result, codes};
use crate::node::{Column, External, Node, plain};
use crate::stdx::closest;

/// What a source is.
#[derive(Debug, Clone)]
pub enum SourceSpec {
    /// Files.
    Files(Arc<ScanSpec>),
    /// A table of a database.
    Database(Arc<DatabaseSpec>),
}

/// What `node`, a source table with an `external:` block, declares. Relative locations start at `root`; databases are
/// those of `connections`.
///
/// # Errors
/// C5005 with the place of the block, or what is wrong with the connection.
pub fn source_spec(node: &Node, external: &External, root: &Path, connections: &Connections) -> Result<SourceSpec> {
    let spec = match databases::is_database(external) {
        true => DatabaseSpec::parse(node, external, connections).map(Arc::new).map(SourceSpec::Database),
        false => build(node, external, root).map(Arc::new).map(SourceSpec::Files),
    };
    spec.map_err(|diagnostic| match diagnostic.labels.is_empty() {
        true => diagnostic.label(external.span.clone(), "declared here").of_node(&node.unique_id),
        false => diagnostic.of_node(&node.unique_id),
    })
}

fn build(node: &Node, external: &External, root: &Path) -> Result<ScanSpec> {
    let settings = &external.settings;
    let options = merged_options(settings);
    let format = match text(settings, "file_format") {
        Some(name) => name.parse::<Format>()?,
        None => guess_format(&external.location)?,
    };
    let location = match external.location.contains("://") || Path::new(&external.location).is_absolute() {
        true => external.location.clone(),
        false => root.join(&external.location).to_string_lossy().into_owned(),
    };
    let mut spec = ScanSpec::new(node.search_name(), location, format);
    spec.place = Some(external.span.clone());
    spec.path_columns = path_columns(settings)?;
    spec.columns = columns(&node.columns, &spec.path_columns)?;
    if let Some(policy) = text(settings, "bad_records") {
        spec.bad_records = policy.parse::<BadRecords>()?;
    }
    spec.max_bad_records = number(settings, "max_bad_records")?;
    csv_options(&mut spec, &options)?;
    if let Some(form) = text(&options, "json_form") {
        spec.options.json = match form.as_str() {
            "lines" => JsonLayout::Lines,
            "array" => JsonLayout::Array,
            other => return Err(bad(format!("unknown json_form `{other}`")).help("json_form is lines or array")),
        };
    }
    spec.options.xlsx.sheet = text(&options, "sheet");
    spec.options.xlsx.range = text(&options, "range");
    spec.options.xlsx.header = spec.options.csv.header;
    Ok(spec)
}

/// Details of formats stand beside the location or under `options:`.
fn merged_options(settings: &Map<String, Json>) -> Map<String, Json> {
    let mut options = settings.clone();
    if let Some(Json::Object(own)) = settings.get("options") {
        options.extend(own.clone());
    }
    options
}

fn csv_options(spec: &mut ScanSpec, options: &Map<String, Json>) -> Result<()> {
    let csv = &mut spec.options.csv;
    if let Some(header) = options.get("header") {
        csv.header = header.as_bool().ok_or_else(|| bad("`header` is true or false".into()))?;
    }
    if let Some(delimiter) = byte(options, "delimiter")? {
        csv.delimiter = delimiter;
    } else if spec.location.ends_with(".tsv") {
        csv.delimiter = b'\t';
    }
    if let Some(quote) = byte(options, "quote")? {
        csv.quote = quote;
    }
    csv.escape = byte(options, "escape")?;
    csv.null_value = text(options, "null_value");
    if let Some(encoding) = text(options, "encoding") {
        csv.encoding = encoding.parse::<Encoding>()?;
    }
    Ok(())
}

/// Declared columns with their types; none if no type is declared, and then the files tell. Those that the path spells are
/// not in the file.
fn columns(columns: &[Column], path_columns: &[PathColumn]) -> Result<Option<Vec<ColumnSpec>>> {
    let is_in_file = |column: &&Column| !path_columns.iter().any(|path| path.name.eq_ignore_ascii_case(&column.name));
    let in_file: Vec<&Column> = columns.iter().filter(is_in_file).collect();
    if in_file.iter().all(|column| column.data_type.is_none()) {
        return Ok(None);
    }
    let typed = in_file.into_iter().map(|column| match &column.data_type {
        Some(data_type) => Ok(ColumnSpec::new(column.name.clone(), data_type.clone())),
        None => Err(bad(format!("column `{}` has no data_type, and other columns have one", column.name))
            .label(column.span.clone(), "`data_type:` is missing")
            .help("declare the type of every column of the source, or of none")),
    });
    typed.collect::<Result<Vec<_>>>().map(Some)
}

/// Keys of a path column.
pub(crate) const PATH_COLUMN_KEYS: &[&str] = &["name", "pattern", "data_type", "format", "description"];

fn path_columns(settings: &Map<String, Json>) -> Result<Vec<PathColumn>> {
    let Some(list) = settings.get("path_columns") else { return Ok(Vec::new()) };
    let list = list.as_array().ok_or_else(|| bad("`path_columns` is no list".into()))?;
    list.iter()
        .map(|item| {
            let item = item.as_object().ok_or_else(|| bad("a path column is no mapping".into()))?;
            let name = text(item, "name").ok_or_else(|| bad("a path column has no `name`".into()))?;
            for key in item.keys() {
                if !PATH_COLUMN_KEYS.contains(&key.as_str()) {
                    let near = closest(key, PATH_COLUMN_KEYS.iter().copied());
                    return Err(bad(format!("path column `{name}` has an unknown key `{key}`")).help(
                        near.map_or(format!("it can have {}", PATH_COLUMN_KEYS.join(", ")), |near| {
                            format!("did you mean `{near}`?")
                        }),
                    ));
                }
            }
            Ok(PathColumn {
                pattern: text(item, "pattern"),
                data_type: text(item, "data_type").unwrap_or_else(|| "varchar".into()),
                format: text(item, "format"),
                name,
            })
        })
        .collect()
}

fn guess_format(location: &str) -> Result<Format> {
    let plain = location.trim_end_matches(".gz").trim_end_matches(".zst").trim_end_matches(".bz2");
    let extension = plain.rsplit('.').next().unwrap_or_default();
    let known = match extension {
        "json" | "jsonl" | "ndjson" => Some(Format::Json),
        "csv" | "tsv" => Some(Format::Csv),
        "parquet" => Some(Format::Parquet),
        "avro" => Some(Format::Avro),
        "arrow" | "feather" => Some(Format::Arrow),
        "xlsx" => Some(Format::Xlsx),
        _ => None,
    };
    known.ok_or_else(|| {
        bad(format!("the format of `{location}` is not known"))
            .help("say it: `file_format: json`, csv, parquet, avro, arrow, xlsx or delta")
    })
}

pub(super) fn text(settings: &Map<String, Json>, key: &str) -> Option<String> {
    settings.get(key).filter(|value| !value.is_null()).map(plain)
}

pub(super) fn number(settings: &Map<String, Json>, key: &str) -> Result<Option<u64>> {
    match settings.get(key) {
        None | Some(Json::Null) => Ok(None),
        Some(value) => match value.as_u64().or_else(|| plain(value).parse().ok()) {
            Some(number) => Ok(Some(number)),
            None => Err(bad(format!("`{key}` is no number"))),
        },
    }
}

fn byte(settings: &Map<String, Json>, key: &str) -> Result<Option<u8>> {
    let Some(text) = text(settings, key) else { return Ok(None) };
    match (text.as_str(), text.as_bytes()) {
        ("\\t" | "tab", _) => Ok(Some(b'\t')),
        (_, [byte]) => Ok(Some(*byte)),
        _ => Err(bad(format!("`{key}` has to be one ASCII character"))),
    }
}

pub(super) fn bad(message: String) -> Box<Diagnostic> {
    Diagnostic::error(codes::BAD_SOURCE, message)
}
