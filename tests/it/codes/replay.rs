//! Does what a page says.

use regex::Regex;

use super::page::{Page, Step};
use crate::cluster::Cluster;
use crate::harness::{Output, Project, skip};

/// Where the projects of the pages are, as their readers see it.
const ROOT: &str = "/srv/shop";

/// What a page needs beside the program.
struct Stage {
    project: Project,
    /// Holds the name `c360`.
    bin: tempfile::TempDir,
    /// What the page calls the scheduler, and what it is.
    scheduler: Option<Cluster>,
}

/// Plays a page whose code's shelf has the exit code `shelf`; the error is for whoever maintains it.
pub(super) fn replay(page: &Page, shelf: i32) -> Result<(), String> {
    if page.is_told() {
        return Ok(());
    }
    let scheduler = match page.setting("needs") {
        None => None,
        Some("scheduler") if std::env::var_os("C360_TEST_CLUSTER").is_none() => Some(Cluster::scheduler_alone()),
        Some("scheduler") => {
            skip("all projects run on a cluster already");
            return Ok(());
        }
        Some(other) => return Err(format!("nobody knows what `needs: {other}` is")),
    };
    let bin = tempfile::tempdir().map_err(|error| error.to_string())?;
    let stage = Stage { project: Project::new(), bin, scheduler };
    let last = stage.example(page, shelf)?;
    stage.fix(page, last)
}

impl Stage {
    /// Plays the example; gives its last command, which is the one that fails.
    fn example<'a>(&self, page: &'a Page, shelf: i32) -> Result<&'a str, String> {
        let mut said_now = Vec::new();
        let mut seen = None;
        for step in &page.example {
            let Step::Run { command, said, lines } = step else {
                self.write(step);
                continue;
            };
            let output = self.run(command);
            let now = diagnostics(&self.scrub(&output.stdout));
            let found = severity(&now, &page.code);
            let expected = match found {
                None | Some("warning") => 0,
                Some(_) => shelf,
            };
            let expected = page.setting("exit").filter(|_| found.is_some()).map_or(Ok(expected), str::parse);
            if output.code != Some(expected.map_err(|_| "`exit` is no number".to_string())?) {
                return Err(format!("`{command}` ends with {:?}:\n{}", output.code, output.stdout));
            }
            seen = found.map(|_| command.as_str());
            said_now.push((lines.clone(), said, now, command));
        }
        let last = seen.ok_or_else(|| {
            let (_, _, now, command) = said_now.last().expect("a command");
            format!("`{command}` does not say {}; it says\n{now}", page.code)
        })?;
        if said_now.iter().all(|(_, said, now, _)| *said == now) {
            return Ok(last);
        }
        if std::env::var_os("C360_BLESS").is_some() {
            let blessed: Vec<_> = said_now.into_iter().map(|(lines, _, now, _)| (lines, now)).collect();
            std::fs::write(&page.path, page.with(&blessed)).map_err(|error| error.to_string())?;
            return Ok(last);
        }
        let differs = said_now.iter().filter(|(_, said, now, _)| *said != now);
        let texts: Vec<_> =
            differs.map(|(_, said, now, line)| format!("$ {line}\n{now}\n-- the page has\n{said}")).collect();
        Err(format!("what c360 says is not on the page; C360_BLESS=1 writes it there\n{}", texts.join("\n")))
    }

    /// Does what mends it, and runs the last command again unless the fix has commands of its own.
    fn fix(&self, page: &Page, last: &str) -> Result<(), String> {
        let mut commands: Vec<&str> = Vec::new();
        for step in &page.fix {
            match step {
                Step::File { .. } => self.write(step),
                Step::Run { command, .. } => {
                    self.heals(page, command)?;
                    commands.push(command);
                }
            }
        }
        // A fix that only puts things in order is followed by the command that failed.
        if commands.iter().any(|command| command.contains("c360 ")) { Ok(()) } else { self.heals(page, last) }
    }

    fn heals(&self, page: &Page, command: &str) -> Result<(), String> {
        let output = self.run(command);
        if output.code != Some(0) || severity(&output.stdout, &page.code).is_some() {
            return Err(format!("the fix does not help: `{command}` ends with {:?}\n{}", output.code, output.stdout));
        }
        Ok(())
    }

    fn write(&self, step: &Step) {
        if let Step::File { path, text } = step {
            self.project.write(path, self.actual(text));
        }
    }

    fn run(&self, command: &str) -> Output {
        let line = format!("exec 2>&1\n{}", self.actual(command));
        self.project.finish(&mut self.project.shell(&line, self.bin.path()))
    }

    /// A text of the page with the addresses of what runs here.
    fn actual(&self, text: &str) -> String {
        let text = text.replace(ROOT, &self.root());
        match &self.scheduler {
            Some(cluster) => text.replace("df://scheduler:50050", &cluster.url()),
            None => text,
        }
    }

    /// What c360 said, as the page has it.
    fn scrub(&self, text: &str) -> String {
        let mut text = text.replace(&self.root(), ROOT);
        if let Some(cluster) = &self.scheduler {
            text = text.replace(cluster.url().trim_start_matches("df://"), "scheduler:50050");
        }
        let uuid = Regex::new(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b").expect("a pattern");
        uuid.replace_all(&text, "1b4e28ba-2fa1-41d2-883f-0016d3cca427").into_owned()
    }

    fn root(&self) -> String {
        let root = self.project.path("");
        root.to_string_lossy().trim_end_matches('/').to_string()
    }
}

/// The diagnostics in `text`, with an empty line between two: everything else is progress, and not what pages are about.
fn diagnostics(text: &str) -> String {
    let mut out: Vec<Vec<&str>> = Vec::new();
    let mut is_inside = false;
    for line in text.lines() {
        if is_title(line) {
            is_inside = true;
            out.push(Vec::new());
        }
        is_inside &= !line.is_empty();
        if let Some(last) = out.last_mut().filter(|_| is_inside) {
            last.push(line.trim_end());
        }
    }
    out.iter().map(|lines| lines.join("\n")).collect::<Vec<_>>().join("\n\n")
}

/// `error[C2001]: ...`
fn is_title(line: &str) -> bool {
    ["error[C", "warning[C", "note[C"].iter().any(|start| line.starts_with(start))
}

/// How bad a diagnostic with `code` is, if `text` has one.
fn severity<'a>(text: &'a str, code: &str) -> Option<&'a str> {
    let title = text.lines().filter(|line| is_title(line)).find(|line| line.contains(&format!("[{code}]")))?;
    title.split('[').next()
}
