//! Does what a page says, each section in a project of its own.

use std::ops::Range;

use regex::Regex;

use super::page::{Page, Section, Step};
use crate::harness::Project;

const PROJECT: &str = "name: shop\nversion: '1.0'\nprofile: shop\n";
/// One thread: what is said comes in one order.
const PROFILE: &str = "\
shop:
  target: dev
  outputs:
    dev: {type: datafusion, warehouse: warehouse, schema: main, threads: 1, memory_limit: 1GB}
";

/// Other lines for the page.
type News = Vec<(Range<usize>, Vec<String>)>;

/// Plays a page; the error is for whoever maintains it.
pub(super) fn play(page: &Page) -> Result<(), String> {
    let bless = std::env::var_os("C360_BLESS").is_some();
    let (mut news, mut wrong) = (News::new(), Vec::new());
    if page.start.iter().any(|step| !matches!(step, Step::File { .. })) {
        return Err("only files may stand before the first `##`".into());
    }
    for section in &page.sections {
        let stage = Stage::new(&page.start)?;
        for (at, new, why) in stage.play(section)? {
            wrong.push(format!("## {} (line {})\n{why}", section.title, at.start));
            news.push((at, new));
        }
    }
    if wrong.is_empty() {
        return Ok(());
    }
    if bless {
        return std::fs::write(&page.path, page.with(&news)).map_err(|error| error.to_string());
    }
    Err(format!("{}\nC360_BLESS=1 writes what c360 says into the page", wrong.join("\n")))
}

struct Stage {
    project: Project,
    /// Holds the name `c360`.
    bin: tempfile::TempDir,
}

/// Where the page is not right, the lines that would be, and why.
type Wrong = (Range<usize>, Vec<String>, String);

impl Stage {
    fn new(start: &[Step]) -> Result<Stage, String> {
        let project = Project::empty().file("dbt_project.yml", PROJECT).file("profiles.yml", PROFILE);
        let bin = tempfile::tempdir().map_err(|error| error.to_string())?;
        let stage = Stage { project, bin };
        for step in start {
            if let Step::File { path, text } = step {
                stage.project.write(path, text);
            }
        }
        Ok(stage)
    }

    fn play(&self, section: &Section) -> Result<Vec<Wrong>, String> {
        let mut wrong = Vec::new();
        for step in &section.steps {
            match step {
                Step::File { path, text } => self.project.write(path, text),
                Step::Run { command, said, lines } => {
                    let now = self.run(command);
                    if !matches(said, &now) {
                        let why = format!("$ {command}\n{}\n-- the page has\n{}", now.join("\n"), said.join("\n"));
                        wrong.push((lines.clone(), now, why));
                    }
                }
                Step::Rows { of, columns, rows, lines } => {
                    let now = self.rows(of, columns)?;
                    let (mut sorted, mut expected) = (now.clone(), rows.clone());
                    sorted.sort();
                    expected.sort();
                    if sorted != expected {
                        let new: Vec<String> = now.iter().map(|row| format!("| {} |", row.join(" | "))).collect();
                        let why = format!("the rows of {of} are\n{}\n-- the page has {rows:?}", new.join("\n"));
                        wrong.push((lines.clone(), new, why));
                    }
                }
            }
        }
        Ok(wrong)
    }

    /// What a command says, without what varies, and its exit code if it is not 0.
    fn run(&self, command: &str) -> Vec<String> {
        let output = self.project.finish(&mut self.project.shell(&format!("exec 2>&1\n{command}"), self.bin.path()));
        let mut said = self.scrub(&output.stdout);
        if output.code != Some(0) {
            said.push(format!("(exit code {})", output.code.unwrap_or(-1)));
        }
        said
    }

    /// The rows of a node; a name with a dot is a relation.
    fn rows(&self, of: &str, columns: &[String]) -> Result<Vec<Vec<String>>, String> {
        let names: Vec<String> = columns.iter().map(|name| format!("\"{name}\"")).collect();
        let from = if of.contains('.') { of.to_string() } else { format!("{{{{ ref('{of}') }}}}") };
        let sql = format!("select {} from {from}", names.join(", "));
        let output = self.project.run(&["show", "--inline", &sql, "--limit", "-1", "--quiet"]);
        if output.code != Some(0) {
            return Err(format!("the rows of {of} cannot be shown:\n{}", output.stderr));
        }
        let lines = output.stdout.lines().skip(2).filter(|line| !line.is_empty() && *line != "(no rows)");
        Ok(lines.map(|line| line.split('│').map(|cell| cell.trim().to_string()).collect()).collect())
    }

    fn scrub(&self, text: &str) -> Vec<String> {
        let root = self.project.path("").to_string_lossy().trim_end_matches('/').to_string();
        let pattern = |text: &str| Regex::new(text).expect("a pattern");
        let clock = pattern(r"^\d\d:\d\d:\d\d +");
        let (size, took) = (pattern(r" +[\d.]+ (B|KB|MB)$"), pattern(r" +[\d.]+(ms|s)$"));
        let total = pattern(r"^(Done|Failed|Interrupted|checked .*) in [\d.]+(ms|s)");
        let id = pattern(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b");
        let mut lines = Vec::new();
        for line in text.replace(&root, "/srv/shop").lines() {
            let mut line = line.trim_end().to_string();
            if clock.is_match(&line) {
                line = clock.replace(&line, "").into_owned();
                line = size.replace(&took.replace(&line, ""), "").into_owned();
                line = pattern(r" {2,}").replace_all(&line, "  ").into_owned();
            }
            line = total.replace(&line, "$1").into_owned();
            line = id.replace_all(&line, "1b4e28ba-2fa1-41d2-883f-0016d3cca427").into_owned();
            lines.push(line);
        }
        lines.dedup_by(|second, first| first.is_empty() && second.is_empty());
        while lines.last().is_some_and(String::is_empty) {
            lines.pop();
        }
        lines
    }
}

/// A line `...` stands for any lines, `[..]` in a line for any text.
fn matches(expected: &[String], found: &[String]) -> bool {
    match (expected.split_first(), found.split_first()) {
        (None, None) => true,
        (Some((line, rest)), _) if line == "..." => (0..=found.len()).any(|skip| matches(rest, &found[skip..])),
        (Some((line, rest)), Some((first, others))) => is_like(line, first) && matches(rest, others),
        _ => false,
    }
}

fn is_like(expected: &str, found: &str) -> bool {
    let parts: Vec<String> = expected.split("[..]").map(regex::escape).collect();
    Regex::new(&format!("^{}$", parts.join(".*"))).expect("a pattern").is_match(found)
}
