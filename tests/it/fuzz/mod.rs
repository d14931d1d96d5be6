//! The fuzz targets without a fuzzer: every file of `fuzz/corpus`, and mutations of them from fixed seeds.
//!
//! What a fuzzer found goes into the corpus as a file of its own. `C360_FUZZ=N` makes N mutations a target (5,000 without it),
//! `C360_FUZZ_SEED=N` others, `C360_FUZZ_TARGETS="json csv"` only these targets. The input that is being tried is always in the
//! file that a failure names, so one that overflows the stack or never ends is not lost.

mod mutate;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use c360::fuzzing::{TARGETS, Target, target};

use crate::harness::repository;
use mutate::Mutator;

/// An input that takes longer has hung: the slowest ones take milliseconds.
const PATIENCE: Duration = Duration::from_secs(60);

fn corpus(target: &Target) -> Vec<(PathBuf, Vec<u8>)> {
    let folder = repository().join("fuzz/corpus").join(target.name);
    let entries = std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut files: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    files.sort();
    files.into_iter().map(|path| (path.clone(), std::fs::read(&path).expect("a file"))).collect()
}

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().map_or(default, |text| text.parse().unwrap_or_else(|_| panic!("{name} is no number")))
}

/// Tries inputs one after the other, and tells which one broke.
struct Trial {
    target: &'static Target,
    kept: PathBuf,
    rounds: AtomicU64,
}

impl Trial {
    fn new(target: &'static Target, folder: &Path) -> Trial {
        Trial { target, kept: folder.join(target.name), rounds: AtomicU64::new(0) }
    }

    fn run(&self, what: &str, input: &[u8]) {
        self.rounds.fetch_add(1, Ordering::Relaxed);
        // A stack that overflows and a loop that does not end take the process with them, and leave this file.
        std::fs::write(&self.kept, input).expect("a file");
        let done = std::panic::catch_unwind(|| (self.target.run)(input));
        if done.is_err() {
            let shown = String::from_utf8_lossy(&input[..input.len().min(2000)]).into_owned();
            panic!("{} breaks on {what}:\n{shown}\n(all of it: {})", self.target.name, self.kept.display());
        }
    }

    /// Ends the process if one input takes too long.
    fn watch(&self, is_done: &std::sync::mpsc::Receiver<()>) {
        let (mut last, mut since) = (0, Instant::now());
        while is_done.recv_timeout(Duration::from_millis(500)) == Err(std::sync::mpsc::RecvTimeoutError::Timeout) {
            let now = self.rounds.load(Ordering::Relaxed);
            if now != last {
                (last, since) = (now, Instant::now());
            }
            if since.elapsed() > PATIENCE {
                hung(self.target.name, &self.kept);
            }
        }
    }
}

#[expect(clippy::print_stderr, reason = "the process ends here, since a thread cannot be stopped")]
fn hung(target: &str, kept: &Path) -> ! {
    eprintln!("{target} does not come to an end on the input in {}", kept.display());
    std::process::abort();
}

fn fuzz(name: &str) {
    let wanted = std::env::var("C360_FUZZ_TARGETS").unwrap_or_default();
    if !wanted.is_empty() && !wanted.split([' ', ',']).any(|one| one == name) {
        return;
    }
    let target = target(name).expect("a target");
    let folder = std::env::temp_dir().join(format!("c360-fuzz-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let trial = Trial::new(target, &folder);
    let (tell, is_done) = std::sync::mpsc::channel();
    std::thread::scope(|scope| {
        let watched = &trial;
        scope.spawn(move || watched.watch(&is_done));
        // The stack of the threads that render templates.
        let work = std::thread::Builder::new().stack_size(c360::jinja::STACK_SIZE).spawn_scoped(scope, || {
            let seeds = corpus(target);
            assert!(!seeds.is_empty(), "fuzz/corpus/{name} is empty");
            for (path, input) in &seeds {
                trial.run(&path.display().to_string(), input);
            }
            let inputs: Vec<Vec<u8>> = seeds.into_iter().map(|(_, input)| input).collect();
            let seed = number("C360_FUZZ_SEED", 1);
            let mut mutator = Mutator::new(&inputs, seed);
            for round in 0..number("C360_FUZZ", 5_000) {
                trial.run(&format!("mutation {round} of seed {seed}"), &mutator.next_input());
            }
        });
        let done = work.expect("a thread").join();
        drop(tell);
        if let Err(panic) = done {
            std::panic::resume_unwind(panic);
        }
    });
    std::fs::remove_dir_all(folder).expect("the folder goes");
}

#[test]
fn every_target_is_tried_and_has_a_binary() {
    let tried =
        ["yaml", "project", "profiles", "blocks", "template", "selection", "json", "csv", "path_columns", "data_types"];
    let names: Vec<&str> = TARGETS.iter().map(|target| target.name).collect();
    assert_eq!(names, tried);
    let manifest = std::fs::read_to_string(repository().join("fuzz/Cargo.toml")).expect("a manifest");
    for name in names {
        assert!(repository().join(format!("fuzz/fuzz_targets/{name}.rs")).exists(), "{name}");
        assert!(manifest.contains(&format!("name = \"{name}\"")), "{name}");
    }
}

#[test]
fn yaml() {
    fuzz("yaml");
}

#[test]
fn project() {
    fuzz("project");
}

#[test]
fn profiles() {
    fuzz("profiles");
}

#[test]
fn blocks() {
    fuzz("blocks");
}

#[test]
fn template() {
    fuzz("template");
}

#[test]
fn selection() {
    fuzz("selection");
}

#[test]
fn json() {
    fuzz("json");
}

#[test]
fn csv() {
    fuzz("csv");
}

#[test]
fn path_columns() {
    fuzz("path_columns");
}

#[test]
fn data_types() {
    fuzz("data_types");
}
