//! The pages of `tests/spec`: what an analyst reads about how c360 behaves, and every example on them runs.
//!
//! How a page is written: `tests/spec/README.md`. `C360_BLESS=1` writes what c360 says and the rows that it gives into the
//! pages: read the difference, and ask of each line whether dbt would do the same. `C360_PAGES="snapshots seeds"` plays these
//! alone.

mod page;
mod play;

use std::path::PathBuf;

use page::Page;

use crate::harness::repository;

/// The pages, each of which is a test of its own below.
const PAGES: &[&str] = &[
    "configuration",
    "contracts",
    "data-tests",
    "hooks",
    "incremental",
    "microbatch",
    "seeds",
    "selection",
    "snapshots",
    "sources",
    "state",
    "unit-tests",
];

fn folder() -> PathBuf {
    repository().join("tests/spec")
}

fn play(name: &str) {
    let wanted = std::env::var("C360_PAGES").unwrap_or_default();
    if !wanted.is_empty() && !wanted.split([' ', ',']).any(|one| one == name) {
        return;
    }
    let path = folder().join(format!("{name}.md"));
    let result = Page::read(&path).and_then(|page| play::play(&page));
    if let Err(error) = result {
        panic!("tests/spec/{name}.md\n{error}");
    }
}

#[test]
fn every_page_is_played_and_linked() {
    let mut found: Vec<String> = std::fs::read_dir(folder())
        .expect("a folder")
        .flatten()
        .filter_map(|entry| entry.file_name().to_string_lossy().strip_suffix(".md").map(str::to_string))
        .filter(|name| name != "README")
        .collect();
    found.sort();
    assert_eq!(found, PAGES);
    let index = std::fs::read_to_string(folder().join("README.md")).expect("an index");
    for name in PAGES {
        assert!(index.contains(&format!("({name}.md)")), "README.md does not name {name}.md");
    }
}

#[test]
fn configuration() {
    play("configuration");
}

#[test]
fn contracts() {
    play("contracts");
}

#[test]
fn data_tests() {
    play("data-tests");
}

#[test]
fn hooks() {
    play("hooks");
}

#[test]
fn incremental() {
    play("incremental");
}

#[test]
fn microbatch() {
    play("microbatch");
}

#[test]
fn seeds() {
    play("seeds");
}

#[test]
fn selection() {
    play("selection");
}

#[test]
fn snapshots() {
    play("snapshots");
}

#[test]
fn sources() {
    play("sources");
}

#[test]
fn state() {
    play("state");
}

#[test]
fn unit_tests() {
    play("unit-tests");
}
