//! The files of a source, without opening them.

use chrono::{DateTime, NaiveDate, Utc};
use datafusion::arrow::datatypes::DataType;
use datafusion::catalog::Session;
use datafusion::common::ScalarValue;

use super::location::{Location, label};
use super::path_columns::PathReader;
use super::{Format, ScanSpec, no_store, values};
use crate::diag;

/// A file of a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedFile {
    /// A local path or a URL.
    pub path: String,
    /// Its size.
    pub bytes: u64,
    /// When it was written, as its store says.
    pub modified: DateTime<Utc>,
    /// The day that its path spells, if the source has a path column of type date.
    pub date: Option<NaiveDate>,
}

/// The files of a source, sorted by path. A Delta table has none of its own: which of the files in its folder belong to
/// it is in its log.
///
/// # Errors
/// C5001 if there is no file, C5005 if the declaration cannot be right, C5006 if the store cannot be listed.
pub async fn list_files(session: &dyn Session, spec: &ScanSpec) -> diag::Result<Vec<ListedFile>> {
    if spec.format == Format::Delta {
        return Ok(Vec::new());
    }
    let location = Location::parse(&spec.location)?;
    let store = session.runtime_env().object_store(&location.url);
    let store = store.map_err(|error| no_store(&location, &error))?;
    let reader = day_reader(spec)?;
    let file = |meta: object_store::ObjectMeta| {
        let path = label(&location.url, &meta.location);
        ListedFile {
            // A file whose name spells no day is listed all the same.
            date: reader.as_ref().and_then(|reader| day(reader, &path)),
            path,
            bytes: meta.size,
            modified: meta.last_modified,
        }
    };
    Ok(location.list(store.as_ref()).await?.into_iter().map(file).collect())
}

/// The first path column that is a date.
fn day_reader(spec: &ScanSpec) -> diag::Result<Option<PathReader>> {
    for column in &spec.path_columns {
        let reader = PathReader::new(column)?;
        if reader.field().data_type() == &DataType::Date32 {
            return Ok(Some(reader));
        }
    }
    Ok(None)
}

fn day(reader: &PathReader, path: &str) -> Option<NaiveDate> {
    match reader.value(path).ok()? {
        ScalarValue::Date32(Some(days)) => values::date_of(days),
        _ => None,
    }
}
