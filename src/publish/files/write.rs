//! Writing rows into files.
//!
//! The caller's task reads, converts, counts and encodes; each file has a task that compresses what it gets, takes its
//! checksum and hands it to the store in parts. Nothing is visible under its name until [`Written::show`]: where the
//! store can rename, files are written in a folder that readers pass over; elsewhere their uploads are left
//! open, and an upload is no object before it is completed.

use arrow::datatypes::SchemaRef;
use datafusion::datasource::file_format::file_compression_type::FileCompressionType;
use datafusion::error::DataFusionError;
use futures::{StreamExt, pin_mut};
use object_store::MultipartUpload;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::super::column::Cell;
use super::super::place::Place;
use super::super::rows::{Rows, batches};
use super::super::shape::{Chunk, Neighbours, Shape};
use super::super::tally::Tally;
use super::super::{OnProgress, Progress};
use super::config::{Compression, FileFormat, FilesConfig};
use super::folder::{Folder, HIDDEN};
use super::manifest::ManifestFile;
use super::pack::{Packed, Piece, pack};
use super::parquet::ParquetFile;
use super::text;
use crate::diag::{Diagnostic, Result, codes};

/// Bytes of encoded rows that go to a file's task at once.
const PIECE: usize = 1 << 20;

/// What to write, and how.
pub(super) struct Writer<'a> {
    pub(super) config: &'a FilesConfig,
    pub(super) place: &'a Place,
    pub(super) folder: &'a Folder,
    pub(super) shape: &'a Shape,
    /// Positions of the columns that are folders, and of those in the files.
    pub(super) partitions: Vec<usize>,
    pub(super) columns: Vec<usize>,
    /// Schema of the files.
    pub(super) schema: SchemaRef,
    /// Part of the names of all files of this publish, and of no other's.
    pub(super) id: &'a str,
    pub(super) progress: OnProgress<'a>,
}

/// Files that are written, but not there under their names yet.
#[derive(Default)]
pub(super) struct Written {
    pub(super) files: Vec<ManifestFile>,
    /// Where the store can rename: the names that files have until then.
    staged: Vec<String>,
    /// Elsewhere: uploads to complete.
    uploads: Vec<Box<dyn MultipartUpload>>,
}

/// A file that rows go into.
struct Open {
    encoder: Encoder,
    /// Folders of the partition, each with a slash behind it.
    folders: String,
    rows: u64,
    /// Bytes that were encoded.
    bytes: u64,
    buffer: Vec<u8>,
    pieces: mpsc::Sender<Piece>,
    task: JoinHandle<Result<Packed, DataFusionError>>,
    path: String,
    staged: String,
}

enum Encoder {
    Parquet(Box<ParquetFile>),
    Csv,
    Json(Vec<Vec<u8>>),
}

impl Writer<'_> {
    /// Writes all rows, sorted by partition and key.
    pub(super) async fn run(&self, rows: &dyn Rows, written: &mut Written) -> Result<Tally> {
        let mut open = None;
        let done = self.write(rows, &mut open, written).await;
        match (done, open) {
            (Ok(tally), None) => Ok(tally),
            (Ok(tally), Some(file)) => self.close(file, written).await.map(|()| tally),
            (Err(error), open) => {
                if let Some(file) = open {
                    give_up(file).await;
                }
                Err(error)
            }
        }
    }

    async fn write(&self, rows: &dyn Rows, open: &mut Option<Open>, written: &mut Written) -> Result<Tally> {
        let mut tally = Tally::new(self.shape);
        let mut neighbours = Neighbours::default();
        let names = self.partitions.iter().chain(self.shape.key.iter().filter(|at| !self.partitions.contains(at)));
        let order: Vec<String> = names.map(|at| self.shape.fields[*at].name.clone()).collect();
        let stream = batches(rows, &order).await?;
        pin_mut!(stream);
        while let Some(batch) = stream.next().await {
            let chunk = self.shape.convert(self.place, batch?, tally.rows)?;
            neighbours.check(self.place, self.shape, &chunk)?;
            self.chunk(&chunk, open, written).await?;
            tally.add(&chunk);
            (self.progress)(Progress::Rows(tally.rows));
        }
        if open.is_none() && written.files.is_empty() && self.partitions.is_empty() {
            // Readers want a file, if only for the names of its columns.
            *open = Some(self.begin(String::new(), 0).await?);
        }
        Ok(tally)
    }

    /// Writes the rows of a chunk, each to the file of its partition.
    async fn chunk(&self, chunk: &Chunk, open: &mut Option<Open>, written: &mut Written) -> Result<()> {
        let mut start = 0;
        while start < chunk.rows() {
            let mut end = start + 1;
            while end < chunk.rows() && self.same_partition(chunk, start, end) {
                end += 1;
            }
            let folders = self.folders(chunk, start)?;
            while start < end {
                if let Some(full) = open.take_if(|file| file.folders != folders || self.is_full(file)) {
                    self.close(full, written).await?;
                }
                let file = match open {
                    Some(file) => file,
                    None => open.insert(self.begin(folders.clone(), written.files.len()).await?),
                };
                let rows = self.room(file).min((end - start) as u64) as usize;
                self.add(file, chunk, start, rows).await?;
                start += rows;
            }
        }
        Ok(())
    }

    fn same_partition(&self, chunk: &Chunk, one: usize, other: usize) -> bool {
        self.partitions.iter().all(|at| chunk.columns[*at].cell(one) == chunk.columns[*at].cell(other))
    }

    fn is_full(&self, file: &Open) -> bool {
        let pending = match &file.encoder {
            Encoder::Parquet(parquet) => parquet.pending(),
            _ => 0,
        };
        !self.config.single_file && (file.bytes + pending >= self.config.max_file_bytes || self.room(file) == 0)
    }

    /// Rows that a file has room for.
    fn room(&self, file: &Open) -> u64 {
        self.config.max_file_rows.map_or(u64::MAX, |most| most.saturating_sub(file.rows))
    }

    async fn begin(&self, folders: String, number: usize) -> Result<Open> {
        let path = format!("{folders}part-{number:05}-{}.{}", self.id, self.config.extension());
        let staged = match self.folder.renames {
            true => format!("{}/{number:05}", staging(self.id)),
            false => path.clone(),
        };
        let encoder = match self.config.format {
            FileFormat::Parquet => {
                let parquet = ParquetFile::new(self.place, &self.schema, &self.columns, self.config.compression)?;
                Encoder::Parquet(Box::new(parquet))
            }
            FileFormat::Csv => Encoder::Csv,
            FileFormat::Json => Encoder::Json(text::json_keys(self.shape, &self.columns)),
        };
        let upload = self.folder.upload(&staged).await?;
        let (pieces, received) = mpsc::channel(4);
        let compression = match (self.config.format, self.config.compression) {
            (FileFormat::Csv | FileFormat::Json, Compression::Gzip) => FileCompressionType::GZIP,
            (FileFormat::Csv | FileFormat::Json, Compression::Zstd) => FileCompressionType::ZSTD,
            _ => FileCompressionType::UNCOMPRESSED,
        };
        let task = tokio::spawn(pack(upload, received, compression, self.folder.renames));
        let mut buffer = Vec::new();
        if matches!(encoder, Encoder::Csv) && self.config.csv.header {
            text::csv_header(self.shape, &self.columns, &self.config.csv, &mut buffer);
        }
        Ok(Open { encoder, folders, rows: 0, bytes: 0, buffer, pieces, task, path, staged })
    }

    async fn add(&self, file: &mut Open, chunk: &Chunk, start: usize, rows: usize) -> Result<()> {
        let before = file.buffer.len();
        match &mut file.encoder {
            Encoder::Parquet(parquet) => {
                parquet.add(self.place, self.shape, chunk, start, rows, &mut file.buffer)?;
            }
            Encoder::Csv => {
                for row in start..start + rows {
                    text::csv_row(chunk, row, &self.columns, &self.config.csv, &mut file.buffer);
                }
            }
            Encoder::Json(keys) => {
                for row in start..start + rows {
                    text::json_row(self.shape, chunk, row, &self.columns, keys, &mut file.buffer);
                }
            }
        }
        file.rows += rows as u64;
        file.bytes += (file.buffer.len() - before) as u64;
        if file.buffer.len() >= PIECE {
            let piece = std::mem::take(&mut file.buffer);
            // A task that takes nothing any more has failed, which closing the file tells.
            let _ = file.pieces.send(Ok(piece.into())).await;
        }
        if file.task.is_finished() {
            return Err(self.packed(&mut file.task).await.err().unwrap_or_else(ended_early));
        }
        Ok(())
    }

    async fn packed(&self, task: &mut JoinHandle<Result<Packed, DataFusionError>>) -> Result<Packed> {
        match task.await {
            Ok(Ok(packed)) => Ok(packed),
            Ok(Err(error)) => Err(self.folder.failed("a file could not be written", &error)),
            Err(error) => Err(Diagnostic::error(codes::INTERNAL, format!("a file of a publish: {error}"))),
        }
    }

    async fn close(&self, mut file: Open, written: &mut Written) -> Result<()> {
        if let Encoder::Parquet(parquet) = file.encoder {
            file.buffer.append(&mut parquet.finish(self.place)?);
        }
        let _ = file.pieces.send(Ok(file.buffer.into())).await;
        drop(file.pieces);
        let packed = self.packed(&mut file.task).await?;
        match packed.upload {
            Some(upload) => written.uploads.push(upload),
            None => written.staged.push(file.staged),
        }
        let (rows, bytes, sha256) = (file.rows, packed.bytes, packed.sha256);
        written.files.push(ManifestFile { path: file.path, rows, bytes, sha256 });
        Ok(())
    }

    /// The folders of the partition of a row.
    fn folders(&self, chunk: &Chunk, row: usize) -> Result<String> {
        let mut folders = String::new();
        for at in &self.partitions {
            let name = &self.shape.fields[*at].name;
            let value = match chunk.columns[*at].cell(row) {
                Cell::Null => "__HIVE_DEFAULT_PARTITION__".to_string(),
                Cell::Text("") => {
                    let problem = format!("column `{name}` is a folder, and an empty text is no name of one");
                    let error =
                        self.place.unfit(problem).note(self.shape.whereabouts(&chunk.batch, chunk.first_row, row));
                    return Err(error.help("make it NULL in the model, or leave the column out of `partitions`"));
                }
                Cell::Text(text) => text.to_string(),
                other => other.show(),
            };
            folders.push_str(&format!("{}={}/", escaped(name), escaped(&value)));
        }
        Ok(folders)
    }
}

/// Ends a file that is not to be, so that its upload is aborted.
async fn give_up(file: Open) {
    let _ = file.pieces.send(Err(DataFusionError::Execution("the publish has failed".to_string()))).await;
    drop(file.pieces);
    // One that has failed by itself has been asked already.
    if !file.task.is_finished() {
        let _ = file.task.await;
    }
}

/// The folder of files in the making.
pub(super) fn staging(id: &str) -> String {
    format!("{HIDDEN}/new-{id}")
}

/// As Hive and Spark spell names and values of partitions in folders.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\0'..='\u{1f}'
            | '"'
            | '#'
            | '%'
            | '\''
            | '*'
            | '/'
            | ':'
            | '='
            | '?'
            | '\\'
            | '\u{7f}'
            | '{'
            | '}'
            | '['
            | ']'
            | '^' => out.push_str(&format!("%{:02X}", u32::from(c))),
            _ => out.push(c),
        }
    }
    out
}

fn ended_early() -> Box<Diagnostic> {
    Diagnostic::error(codes::INTERNAL, "a file of a publish ended before its rows did")
}

impl Written {
    /// Gives the files their names, and looks whether they are there in full.
    pub(super) async fn show(&mut self, folder: &Folder, place: &Place) -> Result<()> {
        let paths: Vec<String> = self.files.iter().map(|file| file.path.clone()).collect();
        if folder.renames {
            folder.sync(&self.staged)?;
            folder.rename(self.staged.iter().cloned().zip(paths.clone()).collect()).await?;
            self.staged.clear();
        }
        for upload in &mut self.uploads {
            let done = upload.complete().await;
            done.map_err(|error| folder.failed("a file could not be completed", &error))?;
        }
        self.uploads.clear();
        for (file, size) in self.files.iter().zip(folder.sizes(&paths).await?) {
            if size != Some(file.bytes) {
                let there = size.map_or("is not there".to_string(), |size| format!("has {size} bytes"));
                let problem = format!("`{}` {there}, and {} were sent", file.path, file.bytes);
                return Err(place
                    .failed(codes::PUBLISH_MISMATCH, problem)
                    .help("look for another writer of the folder"));
            }
        }
        Ok(())
    }

    /// Removes what was written.
    pub(super) async fn remove(mut self, folder: &Folder) {
        for upload in &mut self.uploads {
            let _ = upload.abort().await;
        }
        let mut paths: Vec<String> = self.files.iter().map(|file| file.path.clone()).collect();
        paths.append(&mut self.staged);
        folder.delete(&paths).await;
    }
}

#[cfg(test)]
mod tests {
    use super::escaped;

    #[test]
    fn folders_are_named_as_hive_names_them() {
        assert_eq!(escaped("2022-04-01 12:30"), "2022-04-01 12%3A30");
        assert_eq!(escaped("a/b=c%"), "a%2Fb%3Dc%25");
        assert_eq!(escaped("Thể Thao"), "Thể Thao");
    }
}
