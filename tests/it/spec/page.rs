//! Reads a page: its sections, and in each the files, commands and tables of rows.

use std::ops::Range;
use std::path::{Path, PathBuf};

use crate::console;

/// A page.
pub(super) struct Page {
    pub(super) path: PathBuf,
    pub(super) lines: Vec<String>,
    /// What stands before the first `##`: every section starts with it.
    pub(super) start: Vec<Step>,
    /// A project each.
    pub(super) sections: Vec<Section>,
}

/// What stands under a `##`.
pub(super) struct Section {
    pub(super) title: String,
    pub(super) steps: Vec<Step>,
}

/// One thing that a reader does, or sees.
#[derive(Debug)]
pub(super) enum Step {
    /// Writes a file.
    File { path: String, text: String },
    /// Runs a command, and reads what it says.
    Run { command: String, said: Vec<String>, lines: Range<usize> },
    /// Looks at the rows of a node or relation.
    Rows { of: String, columns: Vec<String>, rows: Vec<Vec<String>>, lines: Range<usize> },
}

impl Page {
    /// Reads a page; the error says what is wrong with it.
    pub(super) fn read(path: &Path) -> Result<Page, String> {
        let text = std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
        let lines: Vec<String> = text.lines().map(str::to_string).collect();
        let mut page = Page { path: path.to_path_buf(), lines: Vec::new(), start: Vec::new(), sections: Vec::new() };
        page.read_lines(&lines)?;
        page.lines = lines;
        Ok(page)
    }

    fn read_lines(&mut self, lines: &[String]) -> Result<(), String> {
        let (mut last, mut at) = (String::new(), 0);
        while at < lines.len() {
            let line = lines[at].as_str();
            if let Some(title) = line.strip_prefix("## ") {
                self.sections.push(Section { title: title.to_string(), steps: Vec::new() });
            } else if let Some(kind) = line.strip_prefix("```") {
                let length = lines[at + 1..].iter().position(|line| line == "```");
                let block = at + 1..at + 1 + length.ok_or(format!("line {}: the block has no end", at + 1))?;
                at = block.end;
                self.steps().extend(steps(lines, block, kind, &last)?);
            } else if line.starts_with('|') {
                let end = at + lines[at..].iter().take_while(|line| line.starts_with('|')).count();
                self.steps().extend(table(lines, at..end, &last));
                at = end - 1;
            }
            if !lines[at].is_empty() {
                last.clone_from(&lines[at]);
            }
            at += 1;
        }
        Ok(())
    }

    fn steps(&mut self) -> &mut Vec<Step> {
        match self.sections.last_mut() {
            Some(section) => &mut section.steps,
            None => &mut self.start,
        }
    }

    /// The page with other lines; `new` has places in ascending order.
    pub(super) fn with(&self, new: &[(Range<usize>, Vec<String>)]) -> String {
        let mut lines = self.lines.clone();
        for (at, new) in new.iter().rev() {
            lines.splice(at.clone(), new.iter().cloned());
        }
        lines.join("\n") + "\n"
    }
}

/// What a fenced block makes; `last` is the line above it. Blocks without a path above are for the eye alone.
fn steps(lines: &[String], block: Range<usize>, kind: &str, last: &str) -> Result<Vec<Step>, String> {
    if kind == "console" {
        return commands(lines, block);
    }
    let path = last.strip_prefix('`').and_then(|rest| rest.strip_suffix('`')).filter(|path| !path.contains(['`', ' ']));
    Ok(path
        .into_iter()
        .map(|path| Step::File { path: path.into(), text: lines[block.clone()].join("\n") + "\n" })
        .collect())
}

fn commands(lines: &[String], block: Range<usize>) -> Result<Vec<Step>, String> {
    let step = |(command, said): (String, Range<usize>)| Step::Run {
        command,
        said: lines[said.clone()].to_vec(),
        lines: said,
    };
    Ok(console::commands(lines, block)?.into_iter().map(step).collect())
}

/// A table under a line that ends in `name`: and lists rows; other tables are for the eye alone.
fn table(lines: &[String], at: Range<usize>, last: &str) -> Option<Step> {
    let of = last.strip_suffix("`:")?.rsplit('`').next()?.to_string();
    let columns = cells(&lines[at.start]);
    let rows = lines[at.clone()].iter().skip(2).map(|line| cells(line)).collect();
    Some(Step::Rows { of, columns, rows, lines: at.start + 2..at.end })
}

fn cells(line: &str) -> Vec<String> {
    let inner = line.trim().trim_start_matches('|').trim_end_matches('|');
    inner.split('|').map(|cell| cell.trim().to_string()).collect()
}
