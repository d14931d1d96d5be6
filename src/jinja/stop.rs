//! Why an evaluation does not go on.

use crate::diag::{Code, Diagnostic, codes};

use super::value::{Undefined, Value};

/// Why an evaluation stops: something failed, or a macro returns a value.
#[derive(Debug)]
pub enum Stop {
    /// An error. If it has no label yet, the interpreter adds the place of the innermost expression.
    Error(Box<Diagnostic>),
    /// `return(value)`: unwinds to the call of the macro.
    Return(Box<Value>),
}

/// The result of an evaluation.
pub type Result<T = Value, E = Stop> = std::result::Result<T, E>;

impl From<Box<Diagnostic>> for Stop {
    fn from(diagnostic: Box<Diagnostic>) -> Stop {
        Stop::Error(diagnostic)
    }
}

impl Stop {
    /// An error with a code of its own.
    pub fn error(code: Code, message: impl Into<String>) -> Stop {
        Stop::Error(Diagnostic::error(code, message))
    }

    /// The message, for errors.
    pub fn message(&self) -> &str {
        match self {
            Stop::Error(diagnostic) => &diagnostic.message,
            Stop::Return(_) => "return outside of a macro",
        }
    }

    /// The diagnostic; a `return` that no macro caught is an error of the template.
    pub fn into_diagnostic(self) -> Box<Diagnostic> {
        match self {
            Stop::Error(diagnostic) => diagnostic,
            Stop::Return(_) => Diagnostic::error(codes::JINJA_RUNTIME, "`return` stands outside of a macro"),
        }
    }
}

/// A failed expression.
pub fn fail(message: impl Into<String>) -> Stop {
    Stop::error(codes::JINJA_RUNTIME, message)
}

impl Undefined {
    /// The error that a use of it is answered with.
    pub fn error(&self) -> Stop {
        Stop::error(codes::JINJA_UNDEFINED, self.message.clone())
    }
}
