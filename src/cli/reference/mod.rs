//! The references under `docs/reference`, made of the code's own lists: options, keys, codes, functions.
//!
//! Each is a test that fails if the file on disk is another; `C360_BLESS=1 cargo test --lib reference` writes it.

mod command_line;
mod config;
mod functions;

use std::path::Path;

use crate::diag::{codes, pages};

/// The text `docs/reference/NAME` has to be.
fn check(name: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/reference").join(name);
    if std::env::var_os("C360_BLESS").is_some() {
        std::fs::write(&path, text).expect("a file");
    }
    let there = std::fs::read_to_string(&path).unwrap_or_default();
    let line = there.lines().zip(text.lines()).position(|(there, here)| there != here);
    let line = line.unwrap_or_else(|| there.lines().count().min(text.lines().count())) + 1;
    assert!(there == text, "docs/reference/{name} is stale from line {line} on; C360_BLESS=1 writes it");
}

/// A table of two columns or more.
fn table(heads: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
    let heads: Vec<String> = heads.iter().map(|head| (*head).to_string()).collect();
    let mut out = line(&heads) + &line(&vec!["---".to_string(); heads.len()]);
    rows.into_iter().for_each(|cells| out.push_str(&line(&cells.iter().map(|cell| escaped(cell)).collect::<Vec<_>>())));
    out
}

/// A bar ends a cell, also inside of code.
fn escaped(cell: &str) -> String {
    cell.replace('|', "\\|").replace('\n', " ")
}

#[test]
fn codes_are_listed() {
    let mut out = String::from(
        "# Codes\n\nEvery message has a code; `c360 explain C2001` prints its page. The failing example of each page is run as \
         a test.\n\nThe exit code is 2 for what is wrong in the project, its configuration or the command line, 1 for a node, a \
         test, a file or a server that failed. Warnings leave it at 0, unless `--warn-error` counts them as errors.\n\nThe \
         examples stand in a project with these two files, if they do not have them themselves:\n\n`dbt_project.yml`\n\n\
         ```yaml\nname: shop\nversion: '1.0'\nprofile: shop\n```\n\n`profiles.yml`\n\n```yaml\nshop:\n  target: dev\n  \
         outputs:\n    dev:\n      type: datafusion\n      warehouse: warehouse\n      schema: main\n      threads: 2\n      \
         memory_limit: 1GB\n      destinations:\n        bi: {type: sqlite, path: bi.db}\n```\n",
    );
    for (start, about) in pages::FAMILIES {
        let of_family = codes::ALL.iter().filter(|code| code.id.starts_with(start));
        let row = |code: &codes::Code| {
            vec![
                format!("[{0}](../codes/{0}.md)", code.id),
                if pages::is_warning(*code) { "warning".to_string() } else { super::exit_code_of(*code).to_string() },
                pages::title(*code).to_string(),
            ]
        };
        let rows: Vec<_> = of_family.map(row).collect();
        out.push_str(&format!("\n## {about}\n\n{}", table(&["code", "exit", "what"], rows)));
    }
    check("codes.md", &out);
}
