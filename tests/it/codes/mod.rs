//! A page per code under `docs/codes`, and every page is a test: its project is made, its command is run, what c360 says is
//! what the page says, the exit code is the one of the code's shelf, and after the fix the code is gone.
//!
//! `C360_BLESS=1` writes what c360 says into the pages (look at the difference: it is the product); `C360_PAGES="C2001
//! C4004"` runs these alone. How a page is written: [`page`].

mod page;
mod replay;

use std::path::PathBuf;

use page::Page;

use crate::harness::{Project, repository};

fn folder() -> PathBuf {
    repository().join("docs/codes")
}

/// Every code of the program and the exit code of its shelf.
fn codes() -> Vec<(String, i32)> {
    c360::diag::codes::ALL
        .iter()
        .map(|code| (code.id.to_string(), if code.shelf == c360::diag::Shelf::User { 2 } else { 1 }))
        .collect()
}

/// Runs the pages whose code starts with one of `families`.
fn replay(families: &[&str]) {
    let wanted = std::env::var("C360_PAGES").unwrap_or_default();
    let is_wanted = |code: &str| wanted.is_empty() || wanted.split([' ', ',']).any(|one| one == code);
    let mut wrong = Vec::new();
    for (code, exit) in codes() {
        if !families.iter().any(|family| code.starts_with(family)) || !is_wanted(&code) {
            continue;
        }
        let path = folder().join(format!("{code}.md"));
        let result = if path.exists() {
            Page::read(&path).and_then(|page| replay::replay(&page, exit))
        } else {
            Err("there is no page: copy one of its family, change the example, and run with C360_BLESS=1".to_string())
        };
        wrong.extend(result.err().map(|error| format!("== docs/codes/{code}.md\n{error}\n")));
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn pages_of_projects() {
    replay(&["C1"]);
}

#[test]
fn pages_of_nodes() {
    replay(&["C2"]);
}

#[test]
fn pages_of_templates() {
    replay(&["C3"]);
}

#[test]
fn pages_of_sql() {
    replay(&["C4"]);
}

#[test]
fn pages_of_files_and_the_warehouse() {
    replay(&["C5"]);
}

#[test]
fn pages_of_destinations() {
    replay(&["C6"]);
}

#[test]
fn pages_of_tests_and_the_rest() {
    replay(&["C7", "C8", "C9"]);
}

#[test]
fn every_page_has_a_code() {
    let codes = codes();
    for entry in std::fs::read_dir(folder()).expect("a folder").flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let is_known = name == "README.md" || codes.iter().any(|(code, _)| name == format!("{code}.md"));
        assert!(is_known, "docs/codes/{name} is about no code");
    }
}

#[test]
fn few_codes_have_no_example() {
    let told: Vec<String> = codes()
        .into_iter()
        .filter_map(|(code, _)| Page::read(&folder().join(format!("{code}.md"))).ok())
        .filter(Page::is_told)
        .map(|page| page.code)
        .collect();
    assert_eq!(told, ["C5013", "C8001", "C9001"]);
}

#[test]
fn explain_prints_pages() {
    let project = Project::empty();
    let all = project.ok(&["explain"]).stdout;
    for (code, _) in codes() {
        assert!(all.lines().any(|line| line.trim_start().starts_with(&code)), "{code} is not listed");
        let page = Page::read(&folder().join(format!("{code}.md"))).expect("a page");
        let shown = project.ok(&["explain", &code.to_lowercase()]).stdout;
        assert!(shown.starts_with(&format!("{code}: ")), "{shown}");
        assert!(page.is_told() || shown.contains("Fix"), "`c360 explain {code}` shows another page: build again");
        assert!(!shown.contains("```") && !shown.contains('\x1b'), "{shown}");
    }
    let two = project.ok(&["explain", "C2001", "c4004"]).stdout;
    assert!(two.contains("C2001: ") && two.contains("C4004: "), "{two}");
}
