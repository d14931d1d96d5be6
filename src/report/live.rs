//! The live view on a terminal: finished units scroll by as plain lines, below them one line for the run and one for each
//! unit that is running, with a spinner, the rows so far and the time since it started.

use std::collections::HashMap;
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::lines::shown;
use super::measure::{counted, cut_middle, pad_right};
use super::plain::write;
use super::text::Text;
use super::{Out, ReportOptions, Reporter};
use crate::run::{RunEvent, UnitInfo};

/// How often spinners turn.
const TICK: Duration = Duration::from_millis(120);
/// The line of the run.
const HEAD: &str = "{spinner} {msg}, {elapsed}";
/// The line of a unit.
const UNIT: &str = "  {spinner} {prefix}  {msg:>16}  {elapsed:>5}";
/// What the line of a unit takes besides its prefix, with one column left free.
const UNIT_REST: usize = 4 + 2 + 16 + 2 + 5 + 1;

/// Moving lines for what runs, plain lines for what has ended.
pub struct LiveReporter {
    text: Text,
    bars: MultiProgress,
    head: Option<ProgressBar>,
    running: HashMap<usize, ProgressBar>,
    total: usize,
    columns: usize,
    tick: Option<Duration>,
    err: Out,
    out: Out,
}

impl LiveReporter {
    /// A live view on the terminal behind stderr. `err` is written to if that cannot be drawn on; what templates print
    /// goes to `out`.
    pub fn new(options: ReportOptions, err: Out, out: Out) -> LiveReporter {
        let bars = MultiProgress::with_draw_target(ProgressDrawTarget::stderr());
        LiveReporter::on(bars, options, Text::new(options), Some(TICK), err, out)
    }

    pub(super) fn on(
        bars: MultiProgress,
        options: ReportOptions,
        text: Text,
        tick: Option<Duration>,
        err: Out,
        out: Out,
    ) -> LiveReporter {
        let columns = options.width.unwrap_or(80);
        LiveReporter { text, bars, head: None, running: HashMap::new(), total: 0, columns, tick, err, out }
    }

    /// Puts `text` (whole lines) above the moving lines.
    fn above(&mut self, text: &str) {
        let Some(lines) = text.strip_suffix('\n') else { return };
        if self.bars.is_hidden() || self.bars.println(lines).is_err() {
            write(&mut self.err, text);
        }
    }

    fn bar(&self, template: &str) -> ProgressBar {
        let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_spinner());
        let bar = self.bars.add(ProgressBar::new_spinner().with_style(style));
        if let Some(tick) = self.tick {
            bar.enable_steady_tick(tick);
        }
        bar
    }

    fn start(&mut self, unit: &UnitInfo) {
        let room = self.columns.saturating_sub(UNIT_REST).max(20);
        let action = pad_right(&unit.action, 5);
        let name = cut_middle(shown(unit), room.saturating_sub(action.chars().count() + 2));
        let bar = self.bar(UNIT);
        bar.set_prefix(pad_right(&format!("{action}  {name}"), room));
        self.running.insert(unit.index, bar);
        self.refresh();
    }

    fn end(&mut self, index: usize) {
        if let Some(bar) = self.running.remove(&index) {
            bar.finish_and_clear();
            self.bars.remove(&bar);
        }
    }

    fn refresh(&self) {
        if let Some(head) = &self.head {
            head.set_message(format!("{}/{} done, {} running", self.text.done(), self.total, self.running.len()));
        }
    }

    fn clear(&mut self) {
        for (_, bar) in self.running.drain() {
            bar.finish_and_clear();
        }
        if let Some(head) = self.head.take() {
            head.finish_and_clear();
        }
    }
}

impl Reporter for LiveReporter {
    fn event(&mut self, event: &RunEvent) {
        let text = self.text.render(event);
        match event {
            RunEvent::Started { total, .. } => {
                self.total = *total;
                self.above(&text);
                self.head = (*total > 0).then(|| self.bar(HEAD));
                self.refresh();
            }
            RunEvent::UnitStarted { unit, .. } => self.start(unit),
            RunEvent::UnitProgress { index, rows } => {
                if let Some(bar) = self.running.get(index) {
                    bar.set_message(counted(*rows, "row"));
                }
            }
            RunEvent::UnitFinished { unit, .. } => {
                self.end(unit.index);
                self.above(&text);
                self.refresh();
            }
            RunEvent::Log { message, print: true } => {
                // The cursor stands below the moving lines: they make room, and come back with the next tick.
                let _closed = self.bars.clear();
                write(&mut self.out, &format!("{message}\n"));
            }
            RunEvent::Finished { .. } => {
                self.clear();
                self.above(&text);
            }
            RunEvent::Found(_) | RunEvent::Log { .. } | RunEvent::Interrupted => self.above(&text),
        }
    }
}

impl Drop for LiveReporter {
    fn drop(&mut self) {
        self.clear();
    }
}
