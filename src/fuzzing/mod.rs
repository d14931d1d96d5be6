//! The doors through which text from outside comes in, as plain functions of bytes: for fuzzers, and for nobody else.
//!
//! Each target takes any bytes. It panics if the program breaks a promise about them: a place in a message that is not in
//! the file, a message that cannot be drawn, a record that is read differently when it arrives in pieces, types inferred
//! from a text that then does not have them. `fuzz/` has a binary of each for `cargo fuzz`, and its corpora; tests replay
//! these, and mutations of them, without nightly tools.

mod front;

use crate::diag::{Diagnostic, Diagnostics, Style, render};
use crate::engine::formats::fuzzing as formats;

/// A door.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// Its name: that of the folder in `fuzz/corpus` and of the binary in `fuzz/fuzz_targets`.
    pub name: &'static str,
    /// Lets bytes in.
    pub run: fn(&[u8]),
}

/// All of them.
pub const TARGETS: &[Target] = &[
    Target { name: "yaml", run: front::yaml },
    Target { name: "project", run: front::project },
    Target { name: "profiles", run: front::profiles },
    Target { name: "blocks", run: front::blocks },
    Target { name: "template", run: front::template },
    Target { name: "selection", run: front::selection },
    Target { name: "json", run: formats::json },
    Target { name: "csv", run: formats::csv },
    Target { name: "path_columns", run: formats::path_columns },
    Target { name: "data_types", run: formats::data_types },
];

/// The target called `name`.
pub fn target(name: &str) -> Option<&'static Target> {
    TARGETS.iter().find(|target| target.name == name)
}

/// Panics unless every message can be drawn, and is about places that exist.
fn check_all(diagnostics: &Diagnostics) {
    diagnostics.iter().for_each(check);
}

fn check(diagnostic: &Diagnostic) {
    assert!(!diagnostic.message.is_empty(), "a message says nothing: {}", diagnostic.code.id);
    for label in &diagnostic.labels {
        let (text, start, end) = (&label.span.file.text, label.span.start as usize, label.span.end as usize);
        assert!(start <= end && text.get(start..end).is_some(), "{}: {start}..{end} is no place", diagnostic.message);
    }
    for style in [Style::Plain, Style::Colour] {
        assert!(render(diagnostic, style).contains(diagnostic.code.id));
    }
}
