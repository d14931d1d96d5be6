//! Reads a page of `docs/codes`.
//!
//! A page is Markdown with a fixed order: a front matter (optional), the title `# C2001: ...`, a few sentences, then the
//! sections `## Example`, `## Fix` and, optionally, others. In the example and the fix
//! - a fenced block under a line that is nothing but a path in backticks is a file with that text;
//! - a fenced block of the kind `console` holds commands (`$ c360 parse`), each with what c360 says about it.
//!
//! The front matter has `example: none` with a `reason` where nothing small and sure can provoke the code, `needs: NAME` for
//! an example that needs a server, and `exit: N` where the exit code is not the one of the code's shelf.

use std::ops::Range;
use std::path::{Path, PathBuf};

use crate::console;

/// A page.
pub(super) struct Page {
    /// Its code, from the name of the file.
    pub(super) code: String,
    pub(super) path: PathBuf,
    lines: Vec<String>,
    /// What stands behind the code in the title.
    pub(super) title: String,
    front: Vec<(String, String)>,
    pub(super) example: Vec<Step>,
    pub(super) fix: Vec<Step>,
}

/// One thing that a reader does.
#[derive(Debug)]
pub(super) enum Step {
    /// Writes a file.
    File { path: String, text: String },
    /// Runs a command, and reads what it says.
    Run { command: String, said: String, lines: Range<usize> },
}

/// The section that a line stands in.
#[derive(Clone, Copy, PartialEq)]
enum Section {
    Head,
    Example,
    Fix,
    Other,
}

impl Page {
    /// Reads a page; the error says what is wrong with it.
    pub(super) fn read(path: &Path) -> Result<Page, String> {
        let code = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let text = std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
        let lines: Vec<String> = text.lines().map(str::to_string).collect();
        let (front, body) = front_matter(&lines);
        let mut page = Page {
            code,
            path: path.to_path_buf(),
            title: String::new(),
            front,
            example: Vec::new(),
            fix: Vec::new(),
            lines: Vec::new(),
        };
        page.read_body(&lines, body)?;
        page.lines = lines;
        page.check()?;
        Ok(page)
    }

    /// A setting of the front matter.
    pub(super) fn setting(&self, name: &str) -> Option<&str> {
        self.front.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// True if there is nothing to run.
    pub(super) fn is_told(&self) -> bool {
        self.setting("example") == Some("none")
    }

    fn read_body(&mut self, lines: &[String], start: usize) -> Result<(), String> {
        let (mut section, mut file, mut at) = (Section::Head, None, start);
        while at < lines.len() {
            let line = &lines[at];
            if let Some(title) = line.strip_prefix("# ") {
                let title = title.strip_prefix(&format!("{}: ", self.code));
                self.title = title.ok_or(format!("the title has to be `# {}: ...`", self.code))?.to_string();
            } else if let Some(name) = line.strip_prefix("## ") {
                section = match name {
                    "Example" => Section::Example,
                    "Fix" => Section::Fix,
                    _ => Section::Other,
                };
            } else if let Some(kind) = line.strip_prefix("```") {
                let length = lines[at + 1..].iter().position(|line| line == "```");
                let block = at + 1..at + 1 + length.ok_or(format!("line {}: the block has no end", at + 1))?;
                at = block.end;
                if matches!(section, Section::Example | Section::Fix) {
                    let steps = steps(lines, block, kind, file.take())?;
                    if section == Section::Example { &mut self.example } else { &mut self.fix }.extend(steps);
                }
            } else if let Some(path) = path_of(line) {
                file = Some(path.to_string());
            } else if !line.is_empty() {
                file = None;
            }
            at += 1;
        }
        Ok(())
    }

    fn check(&self) -> Result<(), String> {
        if self.title.is_empty() {
            return Err(format!("there is no title: `# {}: ...`", self.code));
        }
        if self.is_told() {
            return match self.setting("reason") {
                Some(_) => Ok(()),
                None => Err("`example: none` needs a `reason:`".to_string()),
            };
        }
        let has_run = self.example.iter().any(|step| matches!(step, Step::Run { .. }));
        match (has_run, self.fix.is_empty()) {
            (false, _) => Err("`## Example` has no block of the kind `console`".to_string()),
            (_, true) => Err("`## Fix` has neither a file nor a command".to_string()),
            _ => Ok(()),
        }
    }

    /// The page with other things said; `said` has an entry a command.
    pub(super) fn with(&self, said: &[(Range<usize>, String)]) -> String {
        let mut lines = self.lines.clone();
        for (at, said) in said.iter().rev() {
            lines.splice(at.clone(), said.lines().map(str::to_string));
        }
        lines.join("\n") + "\n"
    }
}

/// The settings between two lines `---`, and where the rest begins.
fn front_matter(lines: &[String]) -> (Vec<(String, String)>, usize) {
    let end = lines.iter().skip(1).position(|line| line == "---");
    match (lines.first().map(String::as_str), end) {
        (Some("---"), Some(end)) => {
            let pairs = lines[1..=end].iter().filter_map(|line| line.split_once(':'));
            (pairs.map(|(key, value)| (key.trim().to_string(), value.trim().to_string())).collect(), end + 2)
        }
        _ => (Vec::new(), 0),
    }
}

/// The path, if the line is one in backticks and nothing else.
fn path_of(line: &str) -> Option<&str> {
    let path = line.strip_prefix('`')?.strip_suffix('`')?;
    (!path.contains(['`', ' '])).then_some(path)
}

fn steps(lines: &[String], block: Range<usize>, kind: &str, file: Option<String>) -> Result<Vec<Step>, String> {
    match (kind, file) {
        ("console", None) => commands(lines, block),
        (_, Some(path)) => Ok(vec![Step::File { path, text: lines[block].join("\n") + "\n" }]),
        (_, None) => Err(format!("line {}: no line with the path of the file stands before the block", block.start)),
    }
}

fn commands(lines: &[String], block: Range<usize>) -> Result<Vec<Step>, String> {
    let step = |(command, said): (String, Range<usize>)| Step::Run {
        command,
        said: lines[said.clone()].join("\n"),
        lines: said,
    };
    Ok(console::commands(lines, block)?.into_iter().map(step).collect())
}
