//! One line for each unit that ended, in columns that hold for the whole run.
//!
//! ```text
//! 12:01:33   3/14  OK     table  main.customer_content          1,102 rows    35.2 KB    120ms
//! ```
//! Lines are written while the run goes on, so the widths are settled at its start: by the number of units, the actions
//! that the schedule holds, and the terminal. On a terminal names are cut to their column; elsewhere they are whole,
//! because someone will search for them.

use chrono::{DateTime, Utc};

use super::measure::{counted, cut_end, cut_middle, pad_left, pad_right, width};
use super::paint::{Palette, Tone};
use crate::run::{Status, UnitInfo, UnitResult};
use crate::stdx::grouped;
use crate::stdx::{human_bytes, human_duration};

/// Columns of a line when nothing says how wide the terminal is.
const DEFAULT_WIDTH: usize = 110;
const STATUS: usize = 5;
const ROWS: usize = 14;
const BYTES: usize = 9;
const TIME: usize = 7;
/// Two blanks between columns.
const GAP: usize = 2;
const MIN_NAME: usize = 16;
/// A narrower terminal has no column of bytes: names are worth more.
const WIDE_ENOUGH: usize = 100;

/// The columns of a run.
#[derive(Debug, Clone)]
pub(super) struct Layout {
    palette: Palette,
    /// Width of the terminal, if lines are cut to it.
    cut_to: Option<usize>,
    clock: fn(DateTime<Utc>) -> String,
    total: usize,
    action: usize,
    /// Room for the name and, where there are any, rows and bytes behind it.
    room: usize,
}

/// A time of day where the reader is.
pub(super) fn local_time(at: DateTime<Utc>) -> String {
    at.with_timezone(&chrono::Local).format("%H:%M:%S").to_string()
}

impl Layout {
    /// A layout before the size of the run is known. `cut_to` is the width of the terminal, if there is one.
    pub(super) fn new(palette: Palette, cut_to: Option<usize>, clock: fn(DateTime<Utc>) -> String) -> Layout {
        let mut layout = Layout { palette, cut_to, clock, total: 0, action: 0, room: 0 };
        layout.settle(0, &[]);
        layout
    }

    /// Settles the columns for a run of `total` units with these actions.
    pub(super) fn settle(&mut self, total: usize, counts: &[(String, usize)]) {
        self.total = total;
        self.action = counts.iter().map(|(action, _)| width(action)).max().unwrap_or(0).max(5);
        let counter = if total == 0 { 0 } else { 2 * self.digits() + 1 + GAP };
        let fixed = 8 + GAP + counter + STATUS + GAP + self.action + GAP + GAP + TIME;
        let least = MIN_NAME + GAP + ROWS;
        // One column stays free: some terminals wrap when the last one is written.
        self.room = self.cut_to.unwrap_or(DEFAULT_WIDTH).saturating_sub(fixed + 1).max(least);
    }

    fn digits(&self) -> usize {
        self.total.to_string().len()
    }

    /// The line of a unit that ended as number `done` of the run, without a newline.
    pub(super) fn unit(&self, done: usize, unit: &UnitInfo, result: &UnitResult, at: DateTime<Utc>) -> String {
        let (word, tone) = word(unit, result.status);
        let mut line = format!("{}  ", self.palette.paint(Tone::Dim, &(self.clock)(at)));
        if self.total > 0 {
            line += &format!("{done:>digits$}/{}  ", self.total, digits = self.digits());
        }
        line += &self.palette.paint(tone, word);
        line += &" ".repeat(STATUS.saturating_sub(width(word)) + GAP);
        line += &format!("{}  ", pad_right(&unit.action, self.action));
        line += &match result.status {
            Status::Skipped | Status::NoOp => self.not_run(unit, result),
            _ => self.ran(unit, result),
        };
        line.truncate(line.trim_end().len());
        line
    }

    fn ran(&self, unit: &UnitInfo, result: &UnitResult) -> String {
        let right = self.quantities(result);
        let name_room = match width(&right) {
            0 => self.room,
            taken => self.room.saturating_sub(taken + GAP),
        };
        let gap = if right.is_empty() { "" } else { "  " };
        let took = human_duration(result.compile_time + result.execute_time);
        let took = self.palette.paint(Tone::Dim, &pad_left(&took, TIME));
        format!("{}{gap}{right}  {took}", pad_right(&self.fit(shown(unit), name_room), name_room))
    }

    fn not_run(&self, unit: &UnitInfo, result: &UnitResult) -> String {
        let name = self.fit(shown(unit), self.room);
        let Some(why) = &result.message else { return name };
        let left = (self.room + GAP + TIME).saturating_sub(width(&name) + GAP);
        let why = if self.cut_to.is_some() { cut_end(why, left) } else { why.clone() };
        format!("{name}  {}", self.palette.paint(Tone::Dim, &why))
    }

    /// Rows and bytes of what was written, or what a test found; empty if there is neither.
    fn quantities(&self, result: &UnitResult) -> String {
        if matches!(result.status, Status::Fail | Status::Warn) {
            return result.failures.map_or(String::new(), |failures| counted(failures, "failure"));
        }
        if result.rows.is_none() && result.bytes.is_none() {
            return String::new();
        }
        let rows = result.rows.map_or(String::new(), |rows| match rows {
            1 => "1 row ".to_string(),
            _ => format!("{} rows", grouped(rows)),
        });
        if self.cut_to.is_some_and(|columns| columns < WIDE_ENOUGH) {
            return rows;
        }
        let bytes = result.bytes.map_or(String::new(), human_bytes);
        format!("{}  {}", pad_left(&rows, ROWS), pad_left(&bytes, BYTES))
    }

    fn fit(&self, name: &str, columns: usize) -> String {
        if self.cut_to.is_some() { cut_middle(name, columns) } else { name.to_string() }
    }
}

/// What people know a unit by: the relation, or the name of a test.
pub(super) fn shown(unit: &UnitInfo) -> &str {
    unit.relation.as_deref().unwrap_or(&unit.name)
}

/// The word for how a unit ended, and its tone.
pub(super) fn word(unit: &UnitInfo, status: Status) -> (&'static str, Tone) {
    match status {
        Status::Success if unit.action == "publish" => ("PUB", Tone::Good),
        Status::Success => ("OK", Tone::Good),
        Status::Pass => ("PASS", Tone::Good),
        Status::Warn => ("WARN", Tone::Warn),
        Status::Skipped => ("SKIP", Tone::Warn),
        Status::NoOp if unit.action == "exposure" => ("NO-OP", Tone::Dim),
        Status::NoOp => ("FRESH", Tone::Dim),
        Status::PartialSuccess => ("PART", Tone::Bad),
        Status::Error => ("ERROR", Tone::Bad),
        Status::Fail => ("FAIL", Tone::Bad),
    }
}
