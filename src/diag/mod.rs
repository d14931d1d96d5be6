//! What goes wrong, as plain data.
//!
//! A [`Diagnostic`] says what, where and what to do; drawing it is someone else's job (`diag::render`). Front-end stages
//! collect diagnostics and go on; later stages return one as their error. The [`Code`] decides on which of the three
//! shelves a failure stands: the user's project, the world (a file, a server), or a bug of ours.

pub mod codes;
pub mod pages;
mod promote;
mod render;
mod source;

pub use codes::{Code, Shelf};
pub use promote::WarnError;
pub use render::{Style, render};
pub use source::{SourceFile, Span};

/// How bad it is. Warnings never change the exit code unless the user asks for that.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Worth knowing; nothing is wrong.
    Note,
    /// Probably not what was meant; the run goes on.
    Warning,
    /// The stage could not do what was asked.
    Error,
}

/// A place that a diagnostic points at, with a few words on why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// Where.
    pub span: Span,
    /// What about it; may be empty.
    pub text: String,
}

/// One finding: a code, a lowercase fragment, places, notes and helps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// The entry of the registry in [`codes`].
    pub code: Code,
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong: a lowercase fragment without a full stop.
    pub message: String,
    /// Where; the first is the primary place.
    pub labels: Vec<Label>,
    /// Facts that help to understand it.
    pub notes: Vec<String>,
    /// Things that the reader can do about it.
    pub helps: Vec<String>,
    /// Unique id of the node that it is about, if one is known.
    pub node: Option<String>,
}

/// A result whose error is one diagnostic (boxed: diagnostics are large and rare).
pub type Result<T, E = Box<Diagnostic>> = std::result::Result<T, E>;

impl Diagnostic {
    /// An error with `code` and `message`.
    pub fn error(code: Code, message: impl Into<String>) -> Box<Diagnostic> {
        Box::new(Diagnostic::new(code, Severity::Error, message))
    }

    /// A warning with `code` and `message`.
    pub fn warning(code: Code, message: impl Into<String>) -> Box<Diagnostic> {
        Box::new(Diagnostic::new(code, Severity::Warning, message))
    }

    fn new(code: Code, severity: Severity, message: impl Into<String>) -> Diagnostic {
        Diagnostic {
            code,
            severity,
            message: message.into(),
            labels: Vec::new(),
            notes: Vec::new(),
            helps: Vec::new(),
            node: None,
        }
    }

    /// Adds a place; the first one added is the primary one.
    #[must_use]
    pub fn label(mut self: Box<Self>, span: Span, text: impl Into<String>) -> Box<Self> {
        self.labels.push(Label { span, text: text.into() });
        self
    }

    /// Adds a fact.
    #[must_use]
    pub fn note(mut self: Box<Self>, text: impl Into<String>) -> Box<Self> {
        self.notes.push(text.into());
        self
    }

    /// Adds something that the reader can do.
    #[must_use]
    pub fn help(mut self: Box<Self>, text: impl Into<String>) -> Box<Self> {
        self.helps.push(text.into());
        self
    }

    /// Adds a help if there is one.
    #[must_use]
    pub fn maybe_help(self: Box<Self>, text: Option<impl Into<String>>) -> Box<Self> {
        match text {
            Some(text) => self.help(text),
            None => self,
        }
    }

    /// Says which node it is about, unless that is known already.
    #[must_use]
    pub fn of_node(mut self: Box<Self>, unique_id: &str) -> Box<Self> {
        self.node.get_or_insert_with(|| unique_id.to_string());
        self
    }

    /// True for errors.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

impl std::fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.message)
    }
}

impl std::error::Error for Diagnostic {}

/// Collects what the front end finds while it goes on.
#[derive(Debug, Default)]
pub struct Diagnostics {
    items: Vec<Diagnostic>,
}

impl Diagnostics {
    /// Keeps one finding, unless the very same one is there already.
    pub fn push(&mut self, diagnostic: Box<Diagnostic>) {
        if !self.items.contains(&diagnostic) {
            self.items.push(*diagnostic);
        }
    }

    /// Keeps the error of `result`, if it is one, and gives back its value.
    pub fn take<T>(&mut self, result: Result<T>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(diagnostic) => {
                self.push(diagnostic);
                None
            }
        }
    }

    /// Moves all of `other` in.
    pub fn extend(&mut self, other: Diagnostics) {
        for item in other.items {
            self.push(Box::new(item));
        }
    }

    /// True if one of them is an error.
    pub fn has_errors(&self) -> bool {
        self.items.iter().any(Diagnostic::is_error)
    }

    /// All of them, in the order in which they were found.
    pub fn iter(&self) -> impl Iterator<Item = &Diagnostic> {
        self.items.iter()
    }

    /// The same, mutable.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut Diagnostic> {
        self.items.iter_mut()
    }

    /// True if nothing was found.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }
}

impl IntoIterator for Diagnostics {
    type Item = Diagnostic;
    type IntoIter = std::vec::IntoIter<Diagnostic>;

    fn into_iter(self) -> Self::IntoIter {
        self.items.into_iter()
    }
}
