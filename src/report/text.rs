//! Events as text: what the plain reporter writes, and what the live one writes above its moving lines.

use super::ReportOptions;
use super::lines::{Layout, local_time};
use super::measure::counted;
use super::paint::{Palette, Tone};
use super::summary::Tally;
use crate::diag::{Diagnostic, Style, render};
use crate::run::{RunEvent, UnitResult};

/// Failures that scrolled further than this are told again at the end.
const SCREEN: usize = 24;

/// Turns events into text. It remembers what the summary needs.
#[derive(Debug)]
pub(super) struct Text {
    palette: Palette,
    layout: Layout,
    tally: Tally,
    columns: Option<usize>,
    done: usize,
    /// Lines written since the first failure.
    since_failure: Option<usize>,
}

impl Text {
    /// Text for the terminal or file that `options` describe.
    pub(super) fn new(options: ReportOptions) -> Text {
        let palette = Palette { colour: options.colour };
        let columns = if options.is_terminal { options.width.or(Some(80)) } else { None };
        let layout = Layout::new(palette, columns, local_time);
        Text { palette, layout, tally: Tally::default(), columns, done: 0, since_failure: None }
    }

    /// The same with times of day in UTC.
    #[cfg(test)]
    pub(super) fn in_utc(mut self) -> Text {
        self.layout = Layout::new(self.palette, self.columns, |at| at.format("%H:%M:%S").to_string());
        self
    }

    /// What `event` adds to stderr: whole lines, or nothing.
    pub(super) fn render(&mut self, event: &RunEvent) -> String {
        let text = match event {
            RunEvent::Started { command, project, target, total, counts, threads, .. } => {
                self.layout.settle(*total, counts);
                let head = self.palette.paint(Tone::Strong, &format!("c360 {command}"));
                let units: Vec<String> = counts.iter().map(|(action, count)| counted(*count as u64, action)).collect();
                let units = if units.is_empty() { "nothing to run".to_string() } else { units.join(", ") };
                format!("{head} {project}, target {target}, {}: {units}\n", counted(*threads as u64, "thread"))
            }
            RunEvent::UnitStarted { .. } | RunEvent::UnitProgress { .. } | RunEvent::Log { print: true, .. } => {
                return String::new();
            }
            RunEvent::UnitFinished { unit, result, at } => {
                self.done += 1;
                self.tally.add(unit, result);
                let line = self.layout.unit(self.done, unit, result, *at);
                if result.status.is_failure() {
                    self.since_failure.get_or_insert(0);
                }
                format!("{line}\n{}", self.findings(result))
            }
            RunEvent::Found(diagnostic) => format!("{}\n", self.drawn(diagnostic)),
            RunEvent::Log { message, print: false } => format!("{message}\n"),
            RunEvent::Interrupted => {
                let text = "interrupted: what runs is finished first; once more stops at once";
                format!("{}\n", self.palette.paint(Tone::Warn, text))
            }
            RunEvent::Finished { result } => {
                let repeat = self.since_failure.is_some_and(|lines| lines > SCREEN);
                format!("\n{}", self.tally.text(result, self.palette, repeat, self.columns))
            }
        };
        if let Some(lines) = &mut self.since_failure {
            *lines += text.matches('\n').count();
        }
        text
    }

    /// How many units have ended.
    pub(super) fn done(&self) -> usize {
        self.done
    }

    /// What was found in a unit, below its line.
    fn findings(&self, result: &UnitResult) -> String {
        let mut text: String = result.diagnostics.iter().map(|found| format!("{}\n", self.drawn(found))).collect();
        let is_bare =
            result.diagnostics.is_empty() && (result.status.is_failure() || result.status == crate::run::Status::Warn);
        if let Some(message) = result.message.as_deref().filter(|_| is_bare) {
            for line in message.lines() {
                text += &format!("  {line}\n");
            }
        }
        text
    }

    fn drawn(&self, diagnostic: &Diagnostic) -> String {
        let style = if self.palette.colour { Style::Colour } else { Style::Plain };
        format!("{}\n", render(diagnostic, style))
    }
}
