//! Sources are files: what is declared about them, and how they become tables that DataFusion scans.
//!
//! [`open`] takes a [`ScanSpec`], lists the files, finds out the columns and gives a table. One mechanism serves all
//! formats: DataFusion's file scan over a list of files, each with the values of its path columns; a filter on path
//! columns alone shortens the list before anything is opened.
//!
//! | module | what |
//! |---|---|
//! | `spec`, `types` | the declaration; SQL type names |
//! | `location`, `path_columns` | globs, folders and URLs to files; values out of paths |
//! | `listing` | the files of a source and their days, for people |
//! | `table`, `source` | the table; the scan operator's side |
//! | `bytes`, `records` | chunks of a file, decompressed; the loop that all text formats share |
//! | `columns`, `values` | columns under construction that can roll back a row; text to values |
//! | `json`, `csv`, `xlsx` | our own readers, each bad record on its own |
//! | `parquet`, `binary`, `delta` | formats that other crates read |
//! | `infer` | types that nobody declared |
//! | `memory` | columns that were found out, for the next time |
//! | `rejects`, `errors` | bad records, counts, diagnostics |
//! | `shipped` | scans that run on other machines |

mod binary;
mod bytes;
mod columns;
mod csv;
mod delta;
mod errors;
pub(crate) mod fuzzing;
mod infer;
mod json;
mod listing;
mod location;
mod memory;
mod parquet;
mod path_columns;
mod records;
mod rejects;
mod shipped;
mod source;
mod spec;
mod table;
#[cfg(test)]
mod tests;
mod types;
pub(super) mod values;
mod xlsx;

use std::sync::Arc;

use datafusion::arrow::datatypes::{Field, FieldRef, Fields, Schema, SchemaRef};
use datafusion::catalog::{Session, TableProvider};
use datafusion::datasource::table_schema::TableSchema;
use datafusion::error::DataFusionError;
use futures::StreamExt;
use object_store::{ObjectMeta, ObjectStore};

use crate::diag::{self, Diagnostic, codes};
use crate::stdx::closest;

pub use csv::csv_records;
pub use errors::into_datafusion;
pub(crate) use errors::is_guarded;
pub use listing::{ListedFile, list_files};
pub(crate) use memory::Remembered;
#[cfg(feature = "cluster")]
pub(crate) use parquet::naming;
pub use rejects::{NoRejects, RejectEvent, RejectSink, RejectedRecord, ScanStats};
pub(crate) use shipped::{Ships, delta_files};
#[cfg(feature = "cluster")]
pub(crate) use shipped::{rejects_of, scan, spec_of};
pub use spec::{
    BadRecords, ColumnSpec, CsvOptions, Encoding, Format, FormatOptions, JsonLayout, PathColumn, ScanSpec, XlsxOptions,
};
pub use types::parse_data_type;

use self::bytes::ByteSource;
use self::location::{Location, label};
use self::memory::Slot;
use self::path_columns::PathReader;
use self::table::{SourceFile, SourceTable};

/// How much of each file types are inferred from.
const SAMPLE: usize = 256 * 1024;
/// How much of a file is looked at if its first record is that long.
const LONG_SAMPLE: usize = 64 * 1024 * 1024;
/// How many files types are inferred from when all of a file's text would have to be looked at.
const SAMPLED_FILES: usize = 1000;
/// How many files are looked at at once.
const AT_ONCE: usize = 8;

/// A source that was opened.
#[derive(Debug, Clone)]
pub struct OpenedSource {
    /// The table.
    pub provider: Arc<dyn TableProvider>,
    /// What its scans do; all zero for Delta tables, which have their own scans.
    pub stats: Arc<ScanStats>,
}

/// Lists the files of a source, finds out its columns and gives its table. Files that appear later are not seen.
///
/// The location's store must be registered with the session's runtime (local files always are).
///
/// # Errors
/// C5001 if there is no file, C5004 if files disagree about a column, C5005 if the declaration cannot be right, C5006 if
/// a file cannot be read, C5009 if a path does not spell its path columns.
pub async fn open(
    session: &dyn Session,
    spec: Arc<ScanSpec>,
    rejects: Arc<dyn RejectSink>,
) -> diag::Result<OpenedSource> {
    let stats = Arc::new(ScanStats::default());
    let location = Location::parse(&spec.location).map_err(|error| of_source(&spec, error))?;
    if spec.format == Format::Delta {
        let provider = delta::open(session, &spec, &location).await.map_err(|error| of_source(&spec, error))?;
        return Ok(OpenedSource { provider, stats });
    }
    let opened = open_files(session, &spec, &location, rejects, Arc::clone(&stats)).await;
    let table = opened.map_err(|error| of_source(&spec, error))?;
    Ok(OpenedSource { provider: Arc::new(table), stats })
}

/// Says which source a diagnostic is about and where it is declared, unless that is said already.
fn of_source(spec: &ScanSpec, error: Box<Diagnostic>) -> Box<Diagnostic> {
    let error = match &spec.place {
        Some(place) if error.labels.is_empty() => error.label(place.clone(), "declared here"),
        _ => error,
    };
    if error.message.contains(&spec.name) { error } else { error.note(format!("the source is `{}`", spec.name)) }
}

async fn open_files(
    session: &dyn Session,
    spec: &Arc<ScanSpec>,
    location: &Location,
    rejects: Arc<dyn RejectSink>,
    stats: Arc<ScanStats>,
) -> diag::Result<SourceTable> {
    check_options(spec)?;
    let readers: Vec<PathReader> = spec.path_columns.iter().map(PathReader::new).collect::<diag::Result<_>>()?;
    let declared = declared_columns(spec)?;
    let store = session.runtime_env().object_store(&location.url);
    let store = store.map_err(|error| no_store(location, &error))?;
    let listed = location.list(store.as_ref()).await?;
    stats.add_listed(listed.len());
    let mut files = Vec::with_capacity(listed.len());
    let may_be_empty = matches!(spec.format, Format::Json | Format::Csv);
    for meta in listed {
        let path = label(&location.url, &meta.location);
        if meta.size == 0 && !may_be_empty {
            // DataFusion would pass over it silently.
            return Err(
                Diagnostic::error(codes::STORE_ERROR, format!("cannot read `{path}`")).note("the file is empty")
            );
        }
        let path_values = readers.iter().map(|reader| reader.value(&path)).collect::<diag::Result<_>>()?;
        files.push(SourceFile { meta, path_values });
    }
    let path_fields: Vec<FieldRef> = readers.iter().map(PathReader::field).collect();
    let fields = match declared {
        Some(fields) => {
            let slot = Slot::of(session, spec, &files, "declared");
            if slot.as_ref().and_then(Slot::recall).is_none_or(|known| known != fields) {
                check_declared(session, spec, location, &store, &files, &fields).await?;
                slot.filter(|_| looks_at_declared(spec)).iter().for_each(|slot| slot.keep(&fields));
            }
            fields
        }
        None => {
            let slot = Slot::of(session, spec, &files, "inferred");
            let inferred = match slot.as_ref().and_then(Slot::recall) {
                Some(fields) => fields,
                None => {
                    let fields = inferred_columns(session, spec, location, &store, &files).await?;
                    slot.iter().for_each(|slot| slot.keep(&fields));
                    fields
                }
            };
            let spelled = |field: &FieldRef| path_fields.iter().any(|path| path.name() == field.name());
            inferred.iter().filter(|field| !spelled(field)).cloned().collect()
        }
    };
    check_names(&fields, &path_fields)?;
    let table_schema =
        TableSchema::builder(Arc::new(Schema::new(fields))).with_table_partition_cols(path_fields).build();
    let url = location.url.clone();
    Ok(SourceTable { spec: Arc::clone(spec), url, files, table_schema, stats, rejects, rows: None })
}

/// The columns of a source whose files need not be looked at: text with declared columns. None for others.
///
/// # Errors
/// C5005 if the declaration cannot be right.
pub(super) fn declared_schema(spec: &ScanSpec) -> diag::Result<Option<SchemaRef>> {
    if !matches!(spec.format, Format::Json | Format::Csv | Format::Xlsx) {
        return Ok(None);
    }
    let schema = || -> diag::Result<Option<SchemaRef>> {
        check_options(spec)?;
        let Some(fields) = declared_columns(spec)? else { return Ok(None) };
        let readers: Vec<PathReader> = spec.path_columns.iter().map(PathReader::new).collect::<diag::Result<_>>()?;
        let path_fields: Vec<FieldRef> = readers.iter().map(PathReader::field).collect();
        check_names(&fields, &path_fields)?;
        let all: Fields = fields.iter().chain(&path_fields).cloned().collect();
        Ok(Some(Arc::new(Schema::new(all))))
    };
    schema().map_err(|error| of_source(spec, error))
}

fn no_store(location: &Location, error: &DataFusionError) -> Box<Diagnostic> {
    crate::failure::diagnostic_of(error).unwrap_or_else(|| {
        Diagnostic::error(codes::BAD_SOURCE, format!("there is no store for the location `{}`", location.text))
            .note(error.strip_backtrace())
            .help("locations are local paths or URLs: file, hdfs, s3, gs, abfss, https")
    })
}

/// Options that contradict each other.
fn check_options(spec: &ScanSpec) -> diag::Result<()> {
    if spec.format == Format::Csv { check_csv(&spec.options.csv) } else { Ok(()) }
}

fn check_csv(csv: &CsvOptions) -> diag::Result<()> {
    let special = [csv.delimiter, csv.quote, csv.escape.unwrap_or(csv.quote)];
    let breaks = special.iter().any(|byte| matches!(byte, b'\n' | b'\r') || !byte.is_ascii());
    if breaks || csv.delimiter == csv.quote || Some(csv.delimiter) == csv.escape {
        return Err(Diagnostic::error(
            codes::BAD_SOURCE,
            "delimiter, quote and escape must be different ASCII characters, and no line breaks",
        ));
    }
    Ok(())
}

/// The declared columns, if there are any.
fn declared_columns(spec: &ScanSpec) -> diag::Result<Option<Fields>> {
    let Some(columns) = &spec.columns else { return Ok(None) };
    let mut fields: Vec<Field> = Vec::with_capacity(columns.len());
    for column in columns {
        let data_type = parse_data_type(&column.data_type)
            .map_err(|error| error.note(format!("it is the type of the column `{}`", column.name)))?;
        let field = Field::new(&column.name, data_type, true);
        if matches!(spec.format, Format::Json | Format::Csv | Format::Xlsx) {
            columns::Column::new(field.data_type(), &columns::Wanted::All)
                .map_err(|data_type| columns::unsupported(&field, &data_type))?;
        }
        fields.push(field);
    }
    Ok(Some(fields.into()))
}

/// True for formats whose files know their columns.
fn looks_at_declared(spec: &ScanSpec) -> bool {
    matches!(spec.format, Format::Parquet | Format::Avro | Format::Arrow)
}

/// Formats whose files know their columns: a declared column that no file has is a mistake, not a column of NULLs. Files
/// are looked at until all columns are found, which mostly the first one does.
async fn check_declared(
    session: &dyn Session,
    spec: &ScanSpec,
    location: &Location,
    store: &Arc<dyn ObjectStore>,
    files: &[SourceFile],
    fields: &Fields,
) -> diag::Result<()> {
    if !looks_at_declared(spec) {
        return Ok(());
    }
    // Parquet is matched by exact names.
    let folds = spec.format != Format::Parquet;
    let key = |name: &str| if folds { name.to_lowercase() } else { name.to_string() };
    let mut missing: Vec<&FieldRef> = fields.iter().collect();
    let mut known: Vec<String> = Vec::new();
    for file in files {
        let found = columns_of(session, spec, store, &file.meta, &label(&location.url, &file.meta.location)).await?;
        missing.retain(|field| !found.iter().any(|found| key(found.name()) == key(field.name())));
        if missing.is_empty() {
            return Ok(());
        }
        known.extend(found.iter().map(|field| field.name().clone()));
    }
    let name = missing[0].name();
    let near = known.iter().find(|known| known.eq_ignore_ascii_case(name)).map(String::as_str);
    let near = near.or_else(|| closest(name, known.iter().map(String::as_str)));
    Err(Diagnostic::error(codes::SCHEMA_MISMATCH, format!("no file of the source has the column `{name}`"))
        .maybe_help(near.map(|near| format!("a column named `{near}` exists"))))
}

/// No two columns have the same name.
fn check_names(fields: &Fields, path_fields: &[FieldRef]) -> diag::Result<()> {
    let mut seen = std::collections::HashSet::new();
    for field in fields.iter().chain(path_fields) {
        if !seen.insert(field.name()) {
            return Err(Diagnostic::error(codes::BAD_SOURCE, format!("the column `{}` is there twice", field.name())));
        }
    }
    match seen.is_empty() {
        true => {
            Err(Diagnostic::error(codes::BAD_SOURCE, "no columns are declared, and none can be found in the files")
                .help("declare `columns` with their types"))
        }
        false => Ok(()),
    }
}

/// The columns that the files themselves have, or seem to have.
async fn inferred_columns(
    session: &dyn Session,
    spec: &ScanSpec,
    location: &Location,
    store: &Arc<dyn ObjectStore>,
    files: &[SourceFile],
) -> diag::Result<Fields> {
    let is_text = matches!(spec.format, Format::Json | Format::Csv | Format::Xlsx);
    let looked_at = if is_text { files.len().min(SAMPLED_FILES) } else { files.len() };
    // The futures are made before they are streamed: a closure that borrows would keep the whole from being `Send`.
    let mut looks = Vec::with_capacity(looked_at);
    for file in &files[..looked_at] {
        looks.push(look_at(session, spec, location, store, file));
    }
    let mut found = futures::stream::iter(looks).buffered(AT_ONCE);
    let mut schemas = Vec::with_capacity(looked_at);
    while let Some(schema) = found.next().await {
        schemas.push(schema?);
    }
    Ok(infer::settle_fields(&infer::merge_files(&schemas)?))
}

/// The columns of one file, with the file's name.
async fn look_at(
    session: &dyn Session,
    spec: &ScanSpec,
    location: &Location,
    store: &Arc<dyn ObjectStore>,
    file: &SourceFile,
) -> diag::Result<(String, Fields)> {
    let label = label(&location.url, &file.meta.location);
    let fields = columns_of(session, spec, store, &file.meta, &label).await?;
    let mut seen = std::collections::HashSet::new();
    match fields.iter().find(|field| !seen.insert(field.name())) {
        Some(twin) => Err(twice(&label, twin.name())),
        None => Ok((label, fields)),
    }
}

/// Of two columns with one name, one would be lost without a word.
fn twice(label: &str, name: &str) -> Box<Diagnostic> {
    Diagnostic::error(codes::SCHEMA_MISMATCH, format!("`{label}` has two columns named `{name}`"))
        .help("give one of them another name in the file; or declare `columns`: then the first one is read")
}

/// The columns of one file.
async fn columns_of(
    session: &dyn Session,
    spec: &ScanSpec,
    store: &Arc<dyn ObjectStore>,
    meta: &ObjectMeta,
    label: &str,
) -> diag::Result<Fields> {
    match spec.format {
        Format::Parquet => parquet::infer(session, store, meta, label).await,
        Format::Avro | Format::Arrow => {
            let schema = binary::schema(spec.format, store.as_ref(), meta, label).await?;
            Ok(schema.fields().clone())
        }
        Format::Xlsx => xlsx::infer(store.as_ref(), meta, label, &spec.options.xlsx).await,
        Format::Json | Format::Csv | Format::Delta => {
            let mut source = ByteSource::open(store, meta, label, 0..meta.size, Arc::default()).await?;
            if spec.format == Format::Csv {
                source = source.decoding(spec.options.csv.encoding);
            }
            let (sample, whole) = sample(&mut source).await?;
            errors::check_encoding(&sample, label)?;
            Ok(match spec.format {
                Format::Json => json::infer(&sample, whole, spec.options.json == JsonLayout::Array),
                _ => csv::infer(&sample, whole, &spec.options.csv),
            })
        }
    }
}

/// The start of a text file with a whole record in it, and whether it is all of the file.
async fn sample(source: &mut ByteSource) -> diag::Result<(Vec<u8>, bool)> {
    let mut sample = Vec::new();
    while sample.len() < SAMPLE || (sample.len() < LONG_SAMPLE && !sample.contains(&b'\n')) {
        if !source.fill(&mut sample).await? {
            return Ok((sample, true));
        }
    }
    Ok((sample, false))
}
