//! A table for people.
//!
//! ```text
//!  Contract │ TotalDevices │ MostWatch
//! ──────────┼──────────────┼───────────
//!  HNH00001 │            2 │ Phim truyện
//! ```
//! Numbers stand on the right, NULL is dimmed, what would move the cursor is shown as a sign. On a terminal the widest
//! columns are cut until the table fits (numbers never are); if even narrow columns don't fit, each row becomes a block of
//! lines.

use std::fmt::Write as _;

use arrow::array::Array;
use arrow::datatypes::Schema;
use arrow::error::ArrowError;
use arrow::record_batch::RecordBatch;
use arrow::util::display::{ArrayFormatter, FormatOptions};

use super::super::measure::{cut_end, one_line, pad_left, pad_right, width};
use super::super::paint::{Palette, Tone};
use super::RowWriter;
use super::encode::flattened;

/// Rows that settle the widths of the columns.
const SAMPLE: usize = 1000;
/// The least that is left of a column that is cut.
const LEAST: usize = 6;

/// A value as text; none is NULL.
type Cell = Option<String>;

/// A table in the making.
pub(super) struct Grid {
    palette: Palette,
    terminal: Option<usize>,
    names: Vec<String>,
    is_number: Vec<bool>,
    /// Rows that wait for the widths to be settled.
    waiting: Vec<Vec<Cell>>,
    shape: Option<Shape>,
    rows: usize,
}

/// How rows are written, once it is settled.
enum Shape {
    /// Columns of these widths.
    Columns(Vec<usize>),
    /// A block of lines for each row.
    Blocks,
}

impl Grid {
    pub(super) fn new(colour: bool, terminal: Option<usize>) -> Grid {
        let palette = Palette { colour };
        let (names, is_number, waiting) = (Vec::new(), Vec::new(), Vec::new());
        Grid { palette, terminal, names, is_number, waiting, shape: None, rows: 0 }
    }

    /// Settles the shape by the rows that wait, and writes the head and them.
    fn settle(&mut self, out: &mut Vec<u8>) {
        let values: Vec<usize> = (0..self.names.len())
            .map(|index| self.waiting.iter().map(|row| row[index].as_ref().map_or(4, |text| width(text))).max())
            .map(|widest| widest.unwrap_or(0))
            .collect();
        let natural: Vec<usize> =
            self.names.iter().zip(&values).map(|(name, values)| width(name).max(*values)).collect();
        // A number without its end would be another number: such columns keep the width of their values.
        let least: Vec<usize> = (values.iter().zip(&natural).zip(&self.is_number))
            .map(|((values, natural), is_number)| LEAST.min(*natural).max(if *is_number { *values } else { 0 }))
            .collect();
        // A blank on the left, three columns between two cells, one column free on the right.
        let room = self.terminal.map(|terminal| terminal.saturating_sub(2 + 3 * natural.len().saturating_sub(1)));
        let shape = match room {
            None => Shape::Columns(natural),
            Some(room) => fit(&natural, &least, room).map_or(Shape::Blocks, Shape::Columns),
        };
        if let Shape::Columns(widths) = &shape {
            self.head(widths, out);
        }
        for row in std::mem::take(&mut self.waiting) {
            self.row(&shape, &row, out);
        }
        self.shape = Some(shape);
    }

    fn head(&self, widths: &[usize], out: &mut Vec<u8>) {
        let name = |(index, columns): (usize, &usize)| {
            let name = self.aligned(&cut_end(&self.names[index], *columns), index, *columns);
            self.palette.paint(Tone::Strong, &name)
        };
        let names: Vec<String> = widths.iter().enumerate().map(name).collect();
        let rules: Vec<String> = widths.iter().map(|columns| "─".repeat(columns + 2)).collect();
        line(&format!(" {}", names.join(" │ ")), out);
        line(&rules.join("┼"), out);
    }

    fn row(&mut self, shape: &Shape, cells: &[Cell], out: &mut Vec<u8>) {
        self.rows += 1;
        match shape {
            Shape::Columns(widths) => {
                let cells: Vec<String> =
                    cells.iter().enumerate().map(|(index, cell)| self.cell(cell, index, widths[index])).collect();
                line(&format!(" {}", cells.join(" │ ")), out);
            }
            Shape::Blocks => self.block(cells, out),
        }
    }

    fn block(&self, cells: &[Cell], out: &mut Vec<u8>) {
        let names = self.names.iter().map(|name| width(name)).max().unwrap_or(0);
        let room = self.terminal.map_or(usize::MAX, |terminal| terminal.saturating_sub(names + 5).max(LEAST));
        line(&self.palette.paint(Tone::Strong, &format!("─ row {} ───────", self.rows)), out);
        for ((name, cell), is_number) in self.names.iter().zip(cells).zip(&self.is_number) {
            let value = match cell {
                Some(text) if *is_number => text.clone(),
                Some(text) => cut_end(text, room),
                None => self.palette.paint(Tone::Dim, "NULL"),
            };
            line(&format!(" {} │ {value}", pad_right(name, names)), out);
        }
    }

    fn cell(&self, cell: &Cell, index: usize, columns: usize) -> String {
        match cell {
            Some(text) if self.is_number[index] || self.terminal.is_none() => self.aligned(text, index, columns),
            Some(text) => self.aligned(&cut_end(text, columns), index, columns),
            None => self.palette.paint(Tone::Dim, &self.aligned("NULL", index, columns)),
        }
    }

    fn aligned(&self, text: &str, index: usize, columns: usize) -> String {
        if self.is_number[index] { pad_left(text, columns) } else { pad_right(text, columns) }
    }
}

impl RowWriter for Grid {
    fn start(&mut self, schema: &Schema, _: &mut Vec<u8>) {
        self.names = schema.fields().iter().map(|field| one_line(field.name())).collect();
        self.is_number = schema.fields().iter().map(|field| field.data_type().is_numeric()).collect();
    }

    fn batch(&mut self, batch: &RecordBatch, out: &mut Vec<u8>) -> Result<(), ArrowError> {
        let rows = cells(batch)?;
        match self.shape.take() {
            Some(shape) => {
                for row in rows {
                    self.row(&shape, &row, out);
                }
                self.shape = Some(shape);
            }
            None => {
                self.waiting.extend(rows);
                if self.waiting.len() >= SAMPLE {
                    self.settle(out);
                }
            }
        }
        Ok(())
    }

    fn end(&mut self, out: &mut Vec<u8>) {
        if self.shape.is_none() {
            self.settle(out);
        }
        if self.rows == 0 {
            line("(no rows)", out);
        }
    }
}

/// The values of `batch`, row by row.
fn cells(batch: &RecordBatch) -> Result<Vec<Vec<Cell>>, ArrowError> {
    let batch = flattened(batch)?;
    let options = FormatOptions::new()
        .with_display_error(true)
        .with_datetime_format(Some("%Y-%m-%d"))
        .with_timestamp_format(Some("%Y-%m-%d %H:%M:%S%.f"))
        .with_timestamp_tz_format(Some("%Y-%m-%d %H:%M:%S%.f%:z"));
    let mut rows = vec![Vec::with_capacity(batch.num_columns()); batch.num_rows()];
    for column in batch.columns() {
        let formatter = ArrayFormatter::try_new(column, &options)?;
        let nulls = column.logical_nulls();
        for (index, row) in rows.iter_mut().enumerate() {
            let is_null = nulls.as_ref().is_some_and(|nulls| nulls.is_null(index));
            row.push((!is_null).then(|| {
                let mut text = String::new();
                let _never = write!(text, "{}", formatter.value(index));
                one_line(&text)
            }));
        }
    }
    Ok(rows)
}

/// Widths that sum up to at most `room`: the widest are cut first, none below its `least`. None if that is too much.
fn fit(natural: &[usize], least: &[usize], room: usize) -> Option<Vec<usize>> {
    let widths = |cap: usize| natural.iter().zip(least).map(move |(natural, least)| (*natural).min(cap).max(*least));
    let widest = natural.iter().copied().max().unwrap_or(0);
    let cap = (0..=widest.min(room)).rev().find(|cap| widths(*cap).sum::<usize>() <= room)?;
    let mut left = room - widths(cap).sum::<usize>();
    let mut fitting: Vec<usize> = widths(cap).collect();
    for (columns, natural) in fitting.iter_mut().zip(natural) {
        if *columns < *natural && *columns == cap && left > 0 {
            (*columns, left) = (*columns + 1, left - 1);
        }
    }
    Some(fitting)
}

fn line(text: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(text.trim_end().as_bytes());
    out.push(b'\n');
}
