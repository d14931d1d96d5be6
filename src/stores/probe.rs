//! Trying a store out: can it be reached, read, written, and how fast; and does it keep two writers apart.

use std::fmt;
use std::time::{Duration, Instant};

use std::sync::Arc;

use futures::TryStreamExt;
use object_store::path::Path;
use object_store::{Error, GetOptions, ObjectStore, ObjectStoreExt, PutMode, PutPayload};

use super::{Cause, clean, explain};
use crate::diag::{Diagnostic, Result, codes};

/// Bytes that are written and read to see how fast that goes.
const SIZE: usize = 4 * 1024 * 1024;
/// How long all of it may take.
const LIMIT: Duration = Duration::from_secs(120);

/// What a store is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Use {
    /// Tables are committed there: of two writers of one file, one has to be refused.
    Warehouse,
    /// Files are put there.
    Destination,
}

/// What was found out.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// The place.
    pub place: String,
    /// The shortest time of a request.
    pub round_trip: Duration,
    /// Bytes per second, written.
    pub write: Option<f64>,
    /// Bytes per second, read.
    pub read: Option<f64>,
    /// What there is to say beside.
    pub remark: Option<String>,
}

impl Report {
    /// Milliseconds of a round trip.
    pub fn milliseconds(&self) -> f64 {
        self.round_trip.as_secs_f64() * 1000.0
    }
}

/// All but the place.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.1} ms a round trip", self.milliseconds())?;
        for (speed, what) in [(self.write, "written"), (self.read, "read")] {
            if let Some(speed) = speed {
                write!(f, ", {what} at {:.0} MB/s", speed / 1e6)?;
            }
        }
        self.remark.as_ref().map_or(Ok(()), |remark| write!(f, ", {remark}"))
    }
}

/// Writes files under `folder` of `store`, reads them back and deletes them.
///
/// # Errors
/// C5006 for the first thing that does not work, `place` being how messages name the folder.
pub async fn write(store: &Arc<dyn ObjectStore>, folder: &Path, place: &str, purpose: Use) -> Result<Report> {
    let place = clean(place);
    limited(&place, async {
        let name = format!("_c360_probe_{}", uuid::Uuid::new_v4().simple());
        let found = write_files(store, folder, &name, &place, purpose).await;
        // Whatever happened, nothing is left there.
        for path in [folder.clone().join(name.as_str()), folder.clone().join(format!("{name}.lock"))] {
            match (store.delete(&path).await, &found) {
                (Err(error), Ok(_)) if !matches!(error, Error::NotFound { .. }) => {
                    return Err(cannot("deleted in", &place, &error));
                }
                _ => {}
            }
        }
        found
    })
    .await
}

async fn write_files(
    store: &Arc<dyn ObjectStore>,
    folder: &Path,
    name: &str,
    place: &str,
    purpose: Use,
) -> Result<Report> {
    let (path, lock) = (folder.clone().join(name), folder.clone().join(format!("{name}.lock")));
    match purpose {
        Use::Warehouse => exclusive(store, &lock, place).await?,
        Use::Destination => write_small(store, &lock, place).await?,
    }
    let round_trip = round_trip(store, &lock).await.map_err(|error| cannot("read in", place, &error))?;
    let mut remarks: Vec<&str> = (purpose == Use::Warehouse).then_some("commits are atomic").into_iter().collect();
    let content: Vec<u8> = (0..SIZE).map(|at| (at * 31 % 251) as u8).collect();
    let mut report = Report { place: place.to_string(), round_trip, write: None, read: None, remark: None };
    let start = Instant::now();
    match store.put(&path, content.clone().into()).await {
        Ok(_) => {
            report.write = speed(start.elapsed());
            let start = Instant::now();
            let got = read_whole(store, &path).await.map_err(|error| cannot("read in", place, &error))?;
            report.read = speed(start.elapsed());
            if got != content {
                return Err(different(place));
            }
        }
        // A small file was possible: the store works, for now.
        Err(error) if matches!(Cause::of(&error), Cause::Full | Cause::Quota) => {
            remarks.push("hardly any space is left");
        }
        Err(error) => return Err(cannot("written in", place, &error)),
    }
    report.remark = (!remarks.is_empty()).then(|| remarks.join(", "));
    Ok(report)
}

fn speed(took: Duration) -> Option<f64> {
    Some(SIZE as f64 / took.as_secs_f64().max(1e-6))
}

async fn read_whole(store: &Arc<dyn ObjectStore>, path: &Path) -> object_store::Result<bytes::Bytes> {
    store.get(path).await?.bytes().await
}

fn different(place: &str) -> Box<Diagnostic> {
    Diagnostic::error(codes::STORE_ERROR, format!("what is read in `{place}` is not what was written"))
}

async fn write_small(store: &Arc<dyn ObjectStore>, path: &Path, place: &str) -> Result<()> {
    store.put(path, "c360".into()).await.map_err(|error| cannot("written in", place, &error))?;
    match read_whole(store, path).await {
        Ok(there) if there == "c360" => Ok(()),
        Ok(_) => Err(different(place)),
        Err(error) => Err(cannot("read in", place, &error)),
    }
}

/// Of two files that must be new under one name, the second has to be refused.
async fn exclusive(store: &Arc<dyn ObjectStore>, path: &Path, place: &str) -> Result<()> {
    let create =
        |text: &'static str| store.put_opts(path, PutPayload::from_static(text.as_bytes()), PutMode::Create.into());
    create("first").await.map_err(|error| cannot("written in", place, &error))?;
    match create("second").await {
        Err(Error::AlreadyExists { .. }) => Ok(()),
        Err(error) => Err(cannot("written in", place, &error)),
        Ok(_) => Err(Diagnostic::error(
            codes::STORE_ERROR,
            format!("the store of `{place}` does not keep two writers apart: a second file replaced the first"),
        )
        .help("it needs conditional writes (S3: `If-None-Match`); without them two builds at once would lose rows")),
    }
}

/// Lists the first file under `folder`, and reads the start of it.
///
/// # Errors
/// C5006 if that cannot be done; that there is no file is no error.
pub async fn read(store: &Arc<dyn ObjectStore>, folder: &Path, place: &str) -> Result<Report> {
    let place = clean(place);
    limited(&place, async {
        let start = Instant::now();
        let first = match store.head(folder).await {
            Ok(file) if file.size > 0 => Some(file),
            _ => store.list(Some(folder)).try_next().await.map_err(|error| cannot("listed in", &place, &error))?,
        };
        let listed = start.elapsed();
        let Some(file) = first.filter(|file| file.size > 0) else {
            let remark = Some("no file is there".to_string());
            return Ok(Report { place: place.clone(), round_trip: listed, write: None, read: None, remark });
        };
        let size = file.size.min(SIZE as u64);
        let start = Instant::now();
        store.get_range(&file.location, 0..size).await.map_err(|error| cannot("read in", &place, &error))?;
        let took = start.elapsed();
        let round_trip = round_trip(store, &file.location).await.map_err(|error| cannot("read in", &place, &error))?;
        // The speed of a small file is that of the round trip.
        let read = (size > 256 * 1024).then(|| size as f64 / took.as_secs_f64().max(1e-6));
        Ok(Report { place: place.clone(), round_trip, write: None, read, remark: None })
    })
    .await
}

/// The shortest of three looks at a file.
async fn round_trip(store: &Arc<dyn ObjectStore>, path: &Path) -> object_store::Result<Duration> {
    let mut shortest = Duration::MAX;
    for _ in 0..3 {
        let start = Instant::now();
        store.get_opts(path, GetOptions { head: true, ..Default::default() }).await?;
        shortest = shortest.min(start.elapsed());
    }
    Ok(shortest)
}

async fn limited(place: &str, work: impl Future<Output = Result<Report>>) -> Result<Report> {
    let late = || {
        let what = format!("the store of `{place}` did not answer within {} s", LIMIT.as_secs());
        Err(Diagnostic::error(codes::STORE_ERROR, what))
    };
    tokio::time::timeout(LIMIT, work).await.unwrap_or_else(|_| late())
}

fn cannot(what: &str, place: &str, error: &Error) -> Box<Diagnostic> {
    explain(Diagnostic::error(codes::STORE_ERROR, format!("nothing can be {what} `{place}`")), error)
}
