//! The doors to stdout and stderr.

use std::io::Write;

use crate::diag::{Diagnostic, Diagnostics, Style, render};
use crate::jinja::LogLine;
use crate::report::{LogFormat, ReportOptions, Reporter, reporter};

/// Writes messages to stderr and data to stdout.
pub(super) struct Printer {
    options: ReportOptions,
}

impl Printer {
    pub(super) fn new(options: ReportOptions) -> Printer {
        Printer { options }
    }

    /// Columns of the terminal, if there is one.
    pub(super) fn width(&self) -> Option<usize> {
        self.options.width
    }

    /// Use colours.
    pub(super) fn colour(&self) -> bool {
        self.options.colour
    }

    /// A reporter of a run.
    pub(super) fn reporter(&self) -> Box<dyn Reporter> {
        reporter(self.options)
    }

    /// One finding; warnings are left out when quiet.
    pub(super) fn diagnostic(&self, diagnostic: &Diagnostic) {
        if self.options.quiet && !diagnostic.is_error() {
            return;
        }
        if self.options.format == LogFormat::Json {
            let event = crate::run::RunEvent::Found(Box::new(diagnostic.clone()));
            self.reporter().event(&event);
            return;
        }
        let style = if self.options.colour { Style::Colour } else { Style::Plain };
        self.message(&format!("{}\n", render(diagnostic, style)));
    }

    /// All findings: warnings first, so that errors stand at the end.
    pub(super) fn diagnostics(&self, diagnostics: &Diagnostics) {
        for diagnostic in diagnostics.iter().filter(|diagnostic| !diagnostic.is_error()) {
            self.diagnostic(diagnostic);
        }
        for diagnostic in diagnostics.iter().filter(|diagnostic| diagnostic.is_error()) {
            self.diagnostic(diagnostic);
        }
    }

    /// A line for people, on stderr.
    pub(super) fn note(&self, text: &str) {
        if !self.options.quiet {
            self.message(text);
        }
    }

    /// Writes what templates log: what they print is data, what they log with `info=true` is for people.
    pub(super) fn log(&self) -> impl FnMut(LogLine) + Send + '_ {
        |line| match line {
            LogLine { print: true, message, .. } => self.data(&message),
            LogLine { info: true, message, .. } => self.note(&message),
            LogLine { message, .. } => tracing::debug!("{message}"),
        }
    }

    fn message(&self, text: &str) {
        // A closed pipe is no reason to fail.
        let _ = writeln!(std::io::stderr().lock(), "{text}");
    }

    /// A line of data, on stdout.
    pub(super) fn data(&self, text: &str) {
        let _ = writeln!(std::io::stdout().lock(), "{text}");
    }
}
