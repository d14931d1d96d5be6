//! Makes a lake: the raw files of the Customer360 job, of any size, for trying, testing and measuring.
//!
//! ```text
//! cargo run --release --example lake -- --out DIR --scale 1 --seed 42 [--dirty]
//! ```
//!
//! Scale 1 is a million viewing rows and a million searches. What it writes:
//!
//! | file | what |
//! |---|---|
//! | `log_content/YYYYMMDD.json` | viewing log of April 2022: a JSON object a line, `_source.{Contract, Mac, TotalDuration, AppName}` |
//! | `log_search/{202206,202207}/part-*.parquet` | search log of June and July 2022, ten columns |
//! | `mapping/keyword_category.{csv,xlsx}` | the category of keywords; some are there twice, at times with another category |
//! | `mapping/contract_user.csv` | which users belong to which contract |
//! | `log_content_dirty/20220415.json` | with `--dirty`: that day with nine broken lines among the good ones |
//! | `manifest.json` | seed, scale and counts |
//!
//! The same seed and scale give the same bytes on one kind of machine, whatever the number of threads: each file has
//! a random stream of its own (`rng.rs`). Rows are streamed, so memory grows with customers (eight bytes each) and not with rows. The
//! statistics are those of a real operator in rough: most contracts watch on a day or two, few watch thousands of
//! times; people search for what is popular, type it in many ways (`keywords.rs`), and their clients write dates in many
//! ways (`dates.rs`).

mod content;
mod contracts;
mod dates;
mod dirty;
mod keywords;
mod mapping;
mod rng;
mod sample;
mod search;
mod titles;

use std::error::Error;
use std::fs::{self, File};
use std::io::{BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Instant;

use clap::Parser;
use serde_json::json;

use content::{Content, DAYS};
use contracts::Contracts;
use keywords::Vocabulary;
use search::{MONTHS, Part, Search, Users};

pub(crate) type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

const FOLDERS: [&str; 4] = ["log_content", "log_content_dirty", "log_search", "mapping"];
const MANIFEST: &str = "manifest.json";

/// Make the raw files of the Customer360 job.
#[derive(Parser)]
#[command(name = "lake")]
struct Args {
    /// Folder to write to; an earlier lake there is replaced
    #[arg(long)]
    out: PathBuf,
    /// Size: 1 is a million viewing rows and a million searches
    #[arg(long, default_value_t = 1.0, value_parser = scale)]
    scale: f64,
    /// Same seed and scale, same lake
    #[arg(long, default_value_t = 42)]
    seed: u64,
    /// Also write log_content_dirty/, a day with broken lines
    #[arg(long)]
    dirty: bool,
    /// Files written at the same time [default: one for each core]
    #[arg(long)]
    threads: Option<usize>,
}

fn scale(text: &str) -> std::result::Result<f64, String> {
    let scale: f64 = text.parse().map_err(|_| "not a number".to_string())?;
    if scale > 0.0 && scale <= 500.0 { Ok(scale) } else { Err("must be more than 0 and at most 500".to_string()) }
}

/// A file, or a few small ones, that a thread can make alone.
enum Job {
    Day(u32),
    Part(Part),
    Labels,
    Bridge,
}

/// All that the jobs share.
struct Lake<'a> {
    out: &'a Path,
    seed: u64,
    contracts: &'a Contracts,
    users: &'a Users,
    vocabulary: &'a Vocabulary,
    content: Content<'a>,
    search: Search<'a>,
    content_rows: AtomicU64,
    content_bytes: AtomicU64,
    labels: AtomicU64,
    bridged: AtomicU64,
}

fn main() -> Result<()> {
    let args = Args::parse();
    let started = Instant::now();
    prepare(&args.out)?;

    let rows = ((1e6 * args.scale) as u64).max(1);
    let contracts = Contracts::new(args.seed, rows);
    let users = Users::new(args.seed, rows);
    let vocabulary = Vocabulary::new(args.seed);
    let lake = Lake {
        out: &args.out,
        seed: args.seed,
        contracts: &contracts,
        users: &users,
        vocabulary: &vocabulary,
        content: Content::new(&contracts, args.seed, rows),
        search: Search::new(args.seed, &users, &vocabulary),
        content_rows: AtomicU64::new(0),
        content_bytes: AtomicU64::new(0),
        labels: AtomicU64::new(0),
        bridged: AtomicU64::new(0),
    };
    let mut jobs: Vec<Job> = search::parts(rows).into_iter().map(Job::Part).collect();
    jobs.extend((0..DAYS).map(Job::Day));
    jobs.extend([Job::Labels, Job::Bridge]);
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    run_all(&lake, &jobs, args.threads.unwrap_or(cores).max(1))?;

    if args.dirty {
        let day = "20220415.json";
        let mut from = BufReader::new(File::open(args.out.join("log_content").join(day))?);
        let mut to = create(&args.out.join("log_content_dirty").join(day))?;
        dirty::copy(&mut from, &mut to)?;
        to.flush()?;
    }
    lake.write_manifest(args.scale, rows)?;
    let content = lake.content_rows.load(Ordering::Relaxed);
    let seconds = started.elapsed().as_secs_f64();
    writeln!(std::io::stderr(), "{content} viewings and {rows} searches in {} ({seconds:.2} s)", args.out.display())?;
    Ok(())
}

/// Makes room: an earlier lake goes, any other folder with something in it is left alone.
fn prepare(out: &Path) -> Result<()> {
    fs::create_dir_all(out)?;
    let empty = fs::read_dir(out)?.next().is_none();
    if !empty && !out.join(MANIFEST).exists() {
        return Err(format!("{} is not empty and holds no lake ({MANIFEST} is missing)", out.display()).into());
    }
    for folder in FOLDERS.map(|folder| out.join(folder)) {
        if folder.exists() {
            fs::remove_dir_all(folder)?;
        }
    }
    Ok(())
}

/// Runs the jobs on threads; the first error of a thread ends it, and is the answer.
fn run_all(lake: &Lake<'_>, jobs: &[Job], threads: usize) -> Result<()> {
    let next = AtomicUsize::new(0);
    let work = || -> Result<()> {
        while let Some(job) = jobs.get(next.fetch_add(1, Ordering::Relaxed)) {
            lake.run(job)?;
        }
        Ok(())
    };
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        workers.into_iter().try_for_each(|worker| worker.join().map_err(|_| "a thread panicked")?)
    })
}

impl Lake<'_> {
    fn run(&self, job: &Job) -> Result<()> {
        match job {
            Job::Day(day) => {
                let mut out = create(&self.out.join(format!("log_content/202204{:02}.json", day + 1)))?;
                let (rows, bytes) = self.content.write_day(*day, &mut out)?;
                self.content_rows.fetch_add(rows, Ordering::Relaxed);
                self.content_bytes.fetch_add(bytes, Ordering::Relaxed);
                out.flush()?;
            }
            Job::Part(part) => {
                let month = MONTHS[part.month];
                let path = format!("log_search/2022{month:02}/part-{:05}.snappy.parquet", part.number);
                let mut out = create(&self.out.join(path))?;
                self.search.write_part(*part, &mut out)?;
                out.flush()?;
            }
            Job::Labels => {
                let labels = mapping::labels(self.vocabulary, self.seed);
                self.labels.store(labels.len() as u64, Ordering::Relaxed);
                let mut out = create(&self.out.join("mapping/keyword_category.csv"))?;
                mapping::write_csv(&labels, &mut out)?;
                out.flush()?;
                mapping::write_xlsx(&labels, &self.out.join("mapping/keyword_category.xlsx"))?;
            }
            Job::Bridge => {
                let mut out = create(&self.out.join("mapping/contract_user.csv"))?;
                let rows = mapping::write_bridge(self.contracts, self.users, self.seed, &mut out)?;
                self.bridged.store(rows, Ordering::Relaxed);
                out.flush()?;
            }
        }
        Ok(())
    }

    fn write_manifest(&self, scale: f64, searches: u64) -> Result<()> {
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let manifest = json!({
            "seed": self.seed,
            "scale": scale,
            "content": {
                "rows": count(&self.content_rows),
                "bytes": count(&self.content_bytes),
                "contracts": self.contracts.len(),
                "files": DAYS,
            },
            "search": {"rows": searches, "users": self.users.len(), "keywords": self.vocabulary.keywords.len()},
            "mapping": {"labels": count(&self.labels), "bridge": count(&self.bridged)},
        });
        fs::write(self.out.join(MANIFEST), format!("{manifest:#}\n"))?;
        Ok(())
    }
}

/// A new file behind a buffer, in a folder that is made if need be.
fn create(path: &Path) -> Result<BufWriter<File>> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    Ok(BufWriter::with_capacity(1 << 20, File::create(path)?))
}
