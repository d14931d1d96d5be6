//! Plain lines: for logs, pipes and continuous integration.

use std::io::Write;

use super::text::Text;
use super::{Out, ReportOptions, Reporter};
use crate::run::RunEvent;

/// Writes a line when a unit ends, diagnostics where they happen, and a summary.
pub struct PlainReporter {
    text: Text,
    err: Out,
    out: Out,
}

impl PlainReporter {
    /// A reporter on `err`; what templates print goes to `out`.
    pub fn new(options: ReportOptions, err: Out, out: Out) -> PlainReporter {
        PlainReporter { text: Text::new(options), err, out }
    }

    #[cfg(test)]
    pub(super) fn with_text(text: Text, err: Out, out: Out) -> PlainReporter {
        PlainReporter { text, err, out }
    }
}

impl Reporter for PlainReporter {
    fn event(&mut self, event: &RunEvent) {
        if let RunEvent::Log { message, print: true } = event {
            write(&mut self.out, &format!("{message}\n"));
        }
        let text = self.text.render(event);
        write(&mut self.err, &text);
    }
}

/// Writes and flushes `text`. A reader that went away is no reason to stop a run, so errors are left alone.
pub(super) fn write(out: &mut Out, text: &str) {
    if !text.is_empty() {
        let _closed = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    }
}
