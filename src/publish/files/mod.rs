//! Files in a folder of any store: Parquet, CSV or JSON lines.
//!
//! Stores have no transactions and mostly no folders to rename, so a table is what its manifest says. For each table there
//! is a folder with
//!
//! - data files, whose names no two publishes share (`part-00000-<id>.parquet`), in folders `column=value/` if the job has
//!   `partitions`;
//! - `_manifest.json`: the files with their rows, bytes and SHA-256, the columns, and the ledger of how they came to be;
//! - `_SUCCESS`;
//! - `_c360/`: the versions of the manifest, and what is in the making.
//!
//! A publish writes its files where nobody sees them, gives them their names, and commits: it makes the next
//! version of the manifest (`_c360/00000000000000000007.json`), which must not be there yet, in one step that every store
//! has. Then it copies it to `_manifest.json`, writes `_SUCCESS` and deletes what was replaced. The copy is put in one step
//! too. So:
//!
//! - who reads the files of `_manifest.json` sees one version or the other, whole, whenever a process dies. Only a reader
//!   that is slower than the next publish finds its files gone, and reads the manifest again.
//! - who lists the folder instead sees both versions for the moment between the names and the deletes.
//! - of two publishes at once one commits; the other finds the number taken, removes its files and looks again.
//!   On the local disk they wait for each other by a lock instead.
//!
//! Append adds files, and the ledger tells which version of the relation they hold. Rows in files cannot be changed, so
//! there is no upsert.

mod config;
mod folder;
mod history;
mod manifest;
mod pack;
mod parquet;
mod text;
mod write;

#[cfg(test)]
mod tests;

use std::time::Duration;

use super::evolution::{Evolution, loaded};
use super::fields::CONFIG;
use super::kind::Kind;
use super::ledger::{Entry, Found, Step, columns, next};
use super::place::Place;
use super::rows::Rows;
use super::shape::Shape;
use super::source::Source;
use super::tally::Tally;
use super::{Mode, OnProgress, OnSchemaChange, Progress, PublishJob, Published};
use crate::diag::{Diagnostic, Result, codes};
pub use config::{Compression, CsvStyle, FileFormat, FilesConfig};
use folder::Folder;
use history::History;
use manifest::{Manifest, ManifestColumn};
use write::{Writer, Written};

/// How often a publish starts again because another one was faster.
const ATTEMPTS: u32 = 8;

/// Writes, reads and deletes a file, where there is a folder already.
pub(super) async fn ping(config: &FilesConfig, place: &Place) -> Result<String> {
    let folder = Folder::open(config, place)?;
    let what = format!("files: {}, {}", config.format.word(), config.compression.word());
    if folder.local.as_ref().is_some_and(|path| !path.exists()) {
        return Ok(format!("{what} (the first publish makes the folder)"));
    }
    match folder.probe(&config.path).await {
        Ok(report) => Ok(format!("{what}, {report}")),
        Err(mut error) => {
            error.code = codes::DESTINATION_UNREACHABLE;
            Err(error)
        }
    }
}

/// Publishes the job's table.
pub(super) async fn publish(
    config: &FilesConfig,
    place: &Place,
    job: &PublishJob,
    source: &dyn Source,
    progress: OnProgress<'_>,
) -> Result<Published> {
    refuse(place, job)?;
    let shape = Shape::resolve(job, &source.rows().schema(), place)?;
    partitions(place, job, &shape)?;
    let folder = Folder::open(config, place)?;
    let _lock = folder.lock(config.lock_timeout, progress).await?;
    let work = Work { config, place, job, source, folder: &folder, progress };
    for attempt in 1..=ATTEMPTS {
        if let Some(published) = work.attempt().await? {
            return Ok(Published { attempts: attempt, ..published });
        }
        progress(Progress::Retrying("another publish was faster".to_string()));
        tokio::time::sleep(Duration::from_millis((100 << attempt).min(5000))).await;
    }
    let problem = format!("another publish was faster, {ATTEMPTS} times");
    Err(place.failed(codes::PUBLISH_FAILED, problem).help("publish the table from one place at a time"))
}

/// Refuses what files cannot do.
fn refuse(place: &Place, job: &PublishJob) -> Result<()> {
    if job.mode == Mode::Upsert {
        let problem = "rows in files cannot be changed, so there is no mode upsert";
        return Err(place
            .failed(CONFIG, problem)
            .help("use `mode: replace`, or `mode: append` where rows are only added"));
    }
    if let Some(column) = job.columns.keys().next() {
        let problem = format!("`columns` gives `{column}` a type of a database, and files have their own");
        return Err(place.failed(CONFIG, problem).help("cast the column in the model, and leave `columns` out"));
    }
    if job.on_schema_change == OnSchemaChange::SyncAllColumns {
        let problem = "`on_schema_change` is sync_all_columns, and files that are there keep their columns";
        return Err(place.failed(CONFIG, problem).help("use append_new_columns, ignore or fail"));
    }
    if job.partitions.as_ref().is_some_and(|parts| parts.every.is_some() || parts.count.is_some()) {
        let problem = "`partitions` of files are columns, without `every` or `count`";
        return Err(place
            .failed(CONFIG, problem)
            .help("write `partitions: [column]`; add a column such as the month to the model"));
    }
    Ok(())
}

/// Positions of the columns that are folders.
fn partitions(place: &Place, job: &PublishJob, shape: &Shape) -> Result<Vec<usize>> {
    let mut found = Vec::new();
    for name in job.partitions.iter().flat_map(|parts| &parts.columns) {
        let at = shape.fields.iter().position(|field| field.name.to_lowercase() == name.to_lowercase());
        let Some(at) = at else {
            let problem = format!("`partitions` names column `{name}`, which the model does not have");
            return Err(place.failed(CONFIG, problem));
        };
        let field = &shape.fields[at];
        if matches!(field.kind, Kind::Float { .. } | Kind::Binary | Kind::Json | Kind::Null) || found.contains(&at) {
            let problem = format!("column `{}` cannot be in `partitions`", field.name);
            return Err(place.failed(CONFIG, problem).help("take texts, whole numbers, dates or booleans, each once"));
        }
        found.push(at);
    }
    if found.len() == shape.fields.len() {
        return Err(place.failed(CONFIG, "`partitions` names all columns, and files need one at least"));
    }
    Ok(found)
}

/// A publish of one table, as often as it is tried.
struct Work<'a> {
    config: &'a FilesConfig,
    place: &'a Place,
    job: &'a PublishJob,
    source: &'a dyn Source,
    folder: &'a Folder,
    progress: OnProgress<'a>,
}

impl Work<'_> {
    /// One try; none if another publish committed first.
    async fn attempt(&self) -> Result<Option<Published>> {
        let history = History::read(self.folder, self.place).await?;
        history.settle(self.folder).await?;
        let last = history.last.as_ref();
        let mut entry = last.map(Manifest::entry);
        if let (Some(entry), Some(last)) = (&mut entry, last)
            && self.job.mode == Mode::Replace
            && (last.format != self.layout() || last.compression != self.config.compression.word())
        {
            // The same rows in another form are another table.
            entry.config.clear();
        }
        let found = Found { exists: last.is_some(), entry };
        match next(self.place, self.job, self.source, &found).await? {
            Step::Nothing(why, entry) => Ok(Some(Published::nothing(self.place, self.job, why, &entry))),
            Step::Replace(rows) => {
                let shape = Shape::resolve(self.job, &rows.schema(), self.place)?;
                let kinds = columns(&shape);
                self.write(rows, &shape, kinds, None, &history).await
            }
            Step::Append(rows) => {
                let evolution = self.evolve(&*rows, last)?;
                let (shape, rows) = loaded(self.place, self.job, &evolution, &*rows)?;
                self.write(&rows, &shape, evolution.columns, last, &history).await
            }
            Step::Upsert(..) => Err(Diagnostic::error(codes::INTERNAL, "an upsert of files")),
        }
    }

    /// What makes files of one table differ from those of another: the format and its options.
    fn layout(&self) -> String {
        let csv = &self.config.csv;
        match self.config.format {
            FileFormat::Csv if csv.header && csv.delimiter == b',' && csv.null.is_empty() => "csv".to_string(),
            FileFormat::Csv => {
                format!("csv (header {}, delimiter {:?}, null {:?})", csv.header, char::from(csv.delimiter), csv.null)
            }
            other => other.word().to_string(),
        }
    }

    /// Compares the columns of files that are to be added with those that are there.
    fn evolve(&self, rows: &dyn Rows, last: Option<&Manifest>) -> Result<Evolution> {
        let shape = Shape::resolve(self.job, &rows.schema(), self.place)?;
        let there: Vec<String> = last.iter().flat_map(|last| &last.columns).map(|column| column.name.clone()).collect();
        let entry = last.map(Manifest::entry);
        let evolution = Evolution::of(self.place, self.job, &shape, &there, entry.as_ref())?;
        let layout = last.map_or_else(|| self.layout(), |last| last.format.clone());
        let differs = !evolution.add.is_empty() || there.len() != evolution.load.len();
        let problem = match () {
            () if layout != self.layout() => format!("the files there are {layout}"),
            () if differs && self.config.format == FileFormat::Csv => {
                "the relation has other columns than the files there, and readers of CSV go by the place".to_string()
            }
            () => return Ok(evolution),
        };
        Err(self.place.failed(codes::PUBLISH_SCHEMA, problem).help("run with --full-refresh to write all files again"))
    }

    /// Writes the files, and makes them part of the table: beside those of `base`, or instead of all others.
    async fn write(
        &self,
        rows: &dyn Rows,
        shape: &Shape,
        kinds: Vec<(String, String)>,
        base: Option<&Manifest>,
        history: &History,
    ) -> Result<Option<Published>> {
        let entry = Entry::new(&self.place.table, self.job, self.source.origin(), kinds);
        let partitions = partitions(self.place, self.job, shape)?;
        let columns: Vec<usize> = (0..shape.fields.len()).filter(|at| !partitions.contains(at)).collect();
        let schema = rows.schema();
        let writer = Writer {
            config: self.config,
            place: self.place,
            folder: self.folder,
            shape,
            schema: parquet::file_schema(shape, &schema, &columns),
            partitions,
            columns,
            id: &entry.token,
            progress: self.progress,
        };
        let mut written = Written::default();
        let done = async {
            let tally = writer.run(rows, &mut written).await?;
            let paths: Vec<String> = written.files.iter().map(|file| file.path.clone()).collect();
            History::intend(self.folder, &entry.token, &paths).await?;
            written.show(self.folder, self.place).await?;
            Ok::<Tally, Box<Diagnostic>>(tally)
        };
        let tally = match done.await {
            Ok(tally) => tally,
            Err(error) => {
                written.remove(self.folder).await;
                History::end(self.folder, &entry.token).await;
                return Err(error);
            }
        };
        let manifest = self.manifest(&entry, &written, &tally, &writer, base, history);
        match history.commit(&manifest, self.folder).await {
            Ok(true) => {
                let published = Published::new(self.place, self.job, manifest.rows, tally.rows);
                let named = manifest.columns.iter().map(|column| (column.name.clone(), column.data_type.clone()));
                Ok(Some(Published { bytes: tally.bytes, columns: named.collect(), ..published }))
            }
            Ok(false) => {
                written.remove(self.folder).await;
                History::end(self.folder, &entry.token).await;
                Ok(None)
            }
            // It is not known whether it was committed: the files stay, and the next publish finds out.
            Err(error) => Err(error),
        }
    }

    fn manifest(
        &self,
        entry: &Entry,
        written: &Written,
        tally: &Tally,
        writer: &Writer<'_>,
        base: Option<&Manifest>,
        history: &History,
    ) -> Manifest {
        let mut files = base.map(|base| base.files.clone()).unwrap_or_default();
        files.extend(written.files.iter().filter(|file| base.is_none() || file.rows > 0).cloned());
        let last = history.last.as_ref();
        let replaced =
            last.filter(|_| base.is_none()).map(|last| last.files.iter().map(|file| file.path.clone()).collect());
        let entry = entry.clone().counted(0, tally.rows);
        let mut manifest = Manifest::new(last.map_or(1, |last| last.version + 1), &entry, files);
        manifest.format = self.layout();
        manifest.compression = self.config.compression.word().to_string();
        manifest.partitions = writer.partitions.iter().map(|at| writer.shape.fields[*at].name.clone()).collect();
        manifest.replaced = replaced.unwrap_or_default();
        manifest.columns = base.map(|base| base.columns.clone()).unwrap_or_default();
        for (at, field) in writer.shape.fields.iter().enumerate() {
            let known = manifest.columns.iter().any(|column| column.name.to_lowercase() == field.name.to_lowercase());
            if !known {
                let place = writer.columns.iter().position(|other| *other == at);
                let data_type = match place {
                    Some(place) => writer.schema.field(place).data_type().to_string(),
                    None => field.kind.to_string(),
                };
                manifest.columns.push(ManifestColumn { name: field.name.clone(), data_type });
            }
        }
        manifest
    }
}
