//! The end of a run: what was built, tested, skipped, quarantined and published.

use indexmap::IndexMap;

use super::lines::{shown, word};
use super::measure::{counted, cut_end, pad_left, pad_right, width};
use super::paint::{Palette, Tone};
use crate::run::{Quarantined, RunResult, Status, UnitInfo, UnitResult};
use crate::stdx::grouped;
use crate::stdx::human_duration;

/// Width of the labels on the left.
const LABEL: usize = 12;
/// How many skipped units are named.
const NAMED: usize = 6;

/// What has happened so far.
#[derive(Debug, Default)]
pub(super) struct Tally {
    built: IndexMap<String, u64>,
    passed: u64,
    warned: u64,
    failed_tests: u64,
    failed: u64,
    fresh: u64,
    skipped: Vec<String>,
    failures: Vec<Failure>,
}

/// A failure, in short.
#[derive(Debug)]
struct Failure {
    word: &'static str,
    name: String,
    message: String,
    place: Option<String>,
}

impl Tally {
    /// Counts a unit that ended.
    pub(super) fn add(&mut self, unit: &UnitInfo, result: &UnitResult) {
        match result.status {
            Status::Success if matches!(unit.action.as_str(), "publish" | "operation") => {}
            Status::Success => *self.built.entry(unit.action.clone()).or_default() += 1,
            Status::NoOp if unit.action == "exposure" => {}
            Status::NoOp => self.fresh += 1,
            Status::Pass => self.passed += 1,
            Status::Warn => self.warned += 1,
            Status::Skipped => self.skipped.push(unit.name.clone()),
            Status::Fail => self.failed_tests += 1,
            Status::Error | Status::PartialSuccess => {}
        }
        if result.status.is_failure() {
            self.failed += 1;
            self.failures.push(Failure::new(unit, result));
        }
    }

    /// The closing lines, each with a newline. `repeat_failures` lists the failures again; `columns` cuts those lines.
    pub(super) fn text(&self, run: &RunResult, palette: Palette, repeat: bool, columns: Option<usize>) -> String {
        let mut lines = Vec::new();
        if repeat {
            lines.extend(self.repeated(palette, columns));
        }
        let built: Vec<String> = self.built.iter().map(|(action, count)| counted(*count, action)).collect();
        lines.extend((!built.is_empty()).then(|| labelled("Built", &built.join(", "))));
        lines.extend(self.tested());
        lines.extend((self.fresh > 0).then(|| labelled("Fresh", &format!("{}, not run again", grouped(self.fresh)))));
        lines.extend(self.skipped_line());
        lines.extend(quarantined(&run.quarantined, palette, columns));
        lines.extend(published(&run.published));
        lines.push(self.last(run, palette));
        lines.join("\n") + "\n"
    }

    fn tested(&self) -> Option<String> {
        let tests = self.passed + self.warned + self.failed_tests;
        let text = |count, word| format!("{} {word}", grouped(count));
        let parts = [text(self.passed, "passed"), text(self.warned, "warned"), text(self.failed_tests, "failed")];
        (tests > 0).then(|| labelled("Tested", &parts.join(", ")))
    }

    fn skipped_line(&self) -> Option<String> {
        let more = self.skipped.len().saturating_sub(NAMED);
        let mut names = self.skipped[..self.skipped.len() - more].join(", ");
        if more > 0 {
            names += &format!(" and {} more", grouped(more as u64));
        }
        (!self.skipped.is_empty())
            .then(|| labelled("Skipped", &format!("{}: {names}", grouped(self.skipped.len() as u64))))
    }

    fn repeated(&self, palette: Palette, columns: Option<usize>) -> Vec<String> {
        let line = |(index, failure): (usize, &Failure)| {
            let place = failure.place.as_ref().map_or(String::new(), |place| format!(" ({place})"));
            let text = format!("{}: {}{place}", failure.name, failure.message);
            let room = columns.map(|columns| columns.saturating_sub(LABEL + 8));
            let text = room.map_or(text.clone(), |room| cut_end(&text, room));
            let label = if index == 0 { "Failures" } else { "" };
            format!("{}{}  {text}", pad_right(label, LABEL), palette.paint(Tone::Bad, &pad_right(failure.word, 5)))
        };
        self.failures.iter().enumerate().map(line).collect()
    }

    fn last(&self, run: &RunResult, palette: Palette) -> String {
        let (head, tone) = match (run.interrupted, self.failed, self.warned) {
            (true, ..) => ("Interrupted after", Tone::Warn),
            (_, 1.., _) => ("Failed in", Tone::Bad),
            (_, _, 1..) => ("Done in", Tone::Warn),
            _ => ("Done in", Tone::Good),
        };
        let mut parts = vec![
            format!("{} built", grouped(self.built.values().sum())),
            format!("{} passed", counted(self.passed, "test")),
            format!("{} warned", grouped(self.warned)),
            format!("{} failed", grouped(self.failed)),
            format!("{} skipped", grouped(self.skipped.len() as u64)),
        ];
        if self.fresh > 0 {
            parts.insert(1, format!("{} fresh", grouped(self.fresh)));
        }
        format!("{} {}: {}", palette.paint(tone, head), human_duration(run.elapsed), parts.join(", "))
    }
}

impl Failure {
    fn new(unit: &UnitInfo, result: &UnitResult) -> Failure {
        let first = result.diagnostics.iter().find(|found| found.is_error()).or(result.diagnostics.first());
        let message = first.map(|found| found.message.clone()).or_else(|| result.message.clone());
        Failure {
            word: word(unit, result.status).0,
            name: shown(unit).to_string(),
            message: message.and_then(|text| text.lines().next().map(str::to_string)).unwrap_or_default(),
            place: first.and_then(|found| found.labels.first()).map(|label| label.span.to_string()),
        }
    }
}

fn labelled(label: &str, text: &str) -> String {
    format!("{}{text}", pad_right(label, LABEL))
}

/// `label` before the first of `lines`, blanks before the others.
fn block(label: &str, lines: impl IntoIterator<Item = String>) -> Vec<String> {
    let line = |(index, text): (usize, String)| labelled(if index == 0 { label } else { "" }, &text);
    lines.into_iter().enumerate().map(line).collect()
}

/// A line for each source, with the command that shows its records; on a line of its own where it would not fit.
fn quarantined(all: &[Quarantined], palette: Palette, columns: Option<usize>) -> Vec<String> {
    let (kept, dropped): (Vec<&Quarantined>, Vec<&Quarantined>) =
        all.iter().filter(|one| one.records > 0).partition(|one| one.relation.is_some());
    let mut lines = rejected("Quarantined", &kept, palette, columns);
    lines.extend(rejected("Dropped", &dropped, palette, columns));
    lines
}

fn rejected(label: &str, all: &[&Quarantined], palette: Palette, columns: Option<usize>) -> Vec<String> {
    let name = all.iter().map(|one| width(&one.source)).max().unwrap_or(0);
    let count = all.iter().map(|one| width(&counted(one.records, "record"))).max().unwrap_or(0);
    let lines = |one: &&Quarantined| {
        let records = palette.paint(Tone::Warn, &pad_left(&counted(one.records, "record"), count));
        let head = format!("{}  {records}", pad_right(&one.source, name));
        let Some(relation) = &one.relation else { return vec![head] };
        let rest = format!("c360 show --inline \"select * from {relation}\"");
        match columns {
            Some(columns) if LABEL + name + count + 4 + width(&rest) > columns => vec![head, format!("  {rest}")],
            _ => vec![format!("{head}  {rest}")],
        }
    };
    block(label, all.iter().flat_map(lines))
}

fn published(all: &[(String, u64)]) -> Vec<String> {
    let name = all.iter().map(|(table, _)| width(table)).max().unwrap_or(0);
    let count = all.iter().map(|(_, rows)| width(&counted(*rows, "row"))).max().unwrap_or(0);
    let line = |(table, rows): &(String, u64)| {
        format!("{}  {}", pad_right(table, name), pad_left(&counted(*rows, "row"), count))
    };
    block("Published", all.iter().map(line))
}
