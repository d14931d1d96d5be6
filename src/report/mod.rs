//! What people and tools see of a run.
//!
//! A reporter is a function of [`RunEvent`]s: it asks nobody, decides nothing, and every run can be reported again from
//! its `events.jsonl`. Everything goes to stderr; only what a template `print`s and the rows of `show` ([`table`]) go to
//! stdout. Whether there is a terminal, how wide it is and whether colours are wanted are handed in.

mod diff;
mod json;
pub mod lineage;
mod lines;
mod live;
mod measure;
mod operators;
mod paint;
mod plain;
mod quiet;
mod sarif;
mod summary;
pub mod table;
#[cfg(test)]
mod tests;
mod text;

use std::io::Write;
use std::path::Path;

use crate::diag::{Diagnostic, Result, codes};
use crate::run::RunEvent;

pub use diff::diff_markdown;
pub use json::{JsonReporter, findings};
pub use live::LiveReporter;
pub use operators::operators_text;
pub use paint::colour_wanted;
pub use plain::PlainReporter;
pub use quiet::Quiet;
pub use sarif::sarif;

/// Where a reporter writes.
pub type Out = Box<dyn Write + Send>;

/// Shows the events of a run. A reporter that cannot write (a closed pipe) stays silent: a run does not fail of it.
pub trait Reporter: Send {
    /// Takes the next event.
    fn event(&mut self, event: &RunEvent);
}

/// `--log-format`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LogFormat {
    /// A live view on a terminal, plain lines elsewhere.
    #[default]
    Auto,
    /// Plain lines.
    Text,
    /// A JSON object a line.
    Json,
}

/// What a reporter has to know of its surroundings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ReportOptions {
    /// How to write.
    pub format: LogFormat,
    /// Only failures, and what templates print.
    pub quiet: bool,
    /// stderr is a terminal.
    pub is_terminal: bool,
    /// Colours are wanted (see [`colour_wanted`]).
    pub colour: bool,
    /// Columns of the terminal, if that is known. Lines are cut to it on a terminal alone.
    pub width: Option<usize>,
}

/// The reporter for `options`, on stderr and stdout.
pub fn reporter(options: ReportOptions) -> Box<dyn Reporter> {
    reporter_on(options, Box::new(std::io::stderr()), Box::new(std::io::stdout()))
}

/// The same with writers: `err` for messages, `out` for what templates print.
pub fn reporter_on(options: ReportOptions, err: Out, out: Out) -> Box<dyn Reporter> {
    let inner: Box<dyn Reporter> = match options.format {
        LogFormat::Json => Box::new(JsonReporter::new(err).printing_to(out)),
        LogFormat::Auto if options.is_terminal && !options.quiet => Box::new(LiveReporter::new(options, err, out)),
        LogFormat::Auto | LogFormat::Text => Box::new(PlainReporter::new(options, err, out)),
    };
    if options.quiet { Box::new(Quiet::new(inner)) } else { inner }
}

/// Several reporters that see the same events, in order.
#[derive(Default)]
pub struct Tee(Vec<Box<dyn Reporter>>);

impl Tee {
    /// The reporters `all`.
    pub fn new(all: Vec<Box<dyn Reporter>>) -> Tee {
        Tee(all)
    }
}

impl Reporter for Tee {
    fn event(&mut self, event: &RunEvent) {
        for reporter in &mut self.0 {
            reporter.event(event);
        }
    }
}

/// A reporter that writes `events.jsonl` at `path`, replacing what is there. Its lines are those of `--log-format json`.
///
/// # Errors
/// C5006 if the file cannot be made.
pub fn events_file(path: &Path) -> Result<JsonReporter> {
    let file =
        path.parent().map_or(Ok(()), std::fs::create_dir_all).and_then(|()| std::fs::File::create(path)).map_err(
            |error| Diagnostic::error(codes::STORE_ERROR, format!("cannot write `{}`: {error}", path.display())),
        )?;
    Ok(JsonReporter::new(Box::new(std::io::BufWriter::new(file))))
}
