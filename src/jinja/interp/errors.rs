//! Errors with places: the expression, and the macro calls that led there.

use crate::diag::{Diagnostic, Label, codes};
use crate::jinja::stop::Stop;
use crate::jinja::syntax::ast::Loc;
use crate::jinja::value::{Undefined, Value};

use super::Interpreter;

/// How many calls of the chain are shown.
const SHOWN_CALLS: usize = 6;

impl Interpreter<'_> {
    /// Adds a place to an error that has none, with the chain of calls.
    #[cold]
    pub(super) fn place(&self, stop: Stop, at: Loc) -> Stop {
        match stop {
            Stop::Error(diagnostic) if diagnostic.labels.is_empty() => {
                let placed = diagnostic.label(at.span(&self.frame.file), "");
                Stop::Error(self.with_chain(placed))
            }
            other => other,
        }
    }

    fn with_chain(&self, mut diagnostic: Box<Diagnostic>) -> Box<Diagnostic> {
        let mut shown = 0;
        for call in self.calls.iter().rev() {
            let label = Label { span: call.at.span(&call.file), text: format!("in macro `{}` called here", call.name) };
            // A macro that calls itself stands in one place, however often.
            if diagnostic.labels.contains(&label) {
                continue;
            }
            shown += 1;
            if shown <= SHOWN_CALLS {
                diagnostic.labels.push(label);
            }
        }
        match shown.checked_sub(SHOWN_CALLS) {
            None | Some(0) => diagnostic,
            Some(more) => diagnostic.note(format!("and {more} more macro calls around these")),
        }
    }

    /// An error at the call that is being evaluated, with the chain of calls: for `exceptions.raise_compiler_error` and
    /// its kin.
    pub fn raised(&self, message: impl Into<String>) -> Stop {
        Stop::Error(self.with_chain(Diagnostic::error(codes::JINJA_RAISED, message).label(self.site(), "raised here")))
    }

    /// A warning at the call that is being evaluated, with the chain of calls: for `exceptions.warn` and its kin.
    pub fn warning(&self, code: crate::diag::Code, message: impl Into<String>) -> Box<Diagnostic> {
        self.with_chain(Diagnostic::warning(code, message).label(self.site(), ""))
    }

    /// The error for a use of something that is not there, with what was probably meant.
    #[cold]
    pub(super) fn undefined_error(&self, undefined: &Undefined, called: bool) -> Stop {
        let bare = undefined.message == format!("'{}' is undefined", undefined.name);
        let code = if called && bare { codes::MACRO_NOT_FOUND } else { codes::JINJA_UNDEFINED };
        let mut diagnostic = Diagnostic::error(code, undefined.message.clone());
        if bare {
            let names = self.known_names();
            diagnostic = match crate::stdx::closest(&undefined.name, names.iter().map(String::as_str)) {
                Some(near) => diagnostic.help(format!("did you mean `{near}`?")),
                None if called => {
                    diagnostic.help("a macro is called by its name, or as `package.name` if it belongs to a package")
                }
                None => diagnostic,
            };
        }
        Stop::Error(diagnostic)
    }

    /// Everything that a name could have meant here.
    fn known_names(&self) -> Vec<String> {
        let mut names: Vec<String> = self.frame.vars.iter().map(|(name, _)| name.to_string()).collect();
        names.extend(self.context.names());
        for package in [&*self.options.package, self.env.root(), crate::jinja::env::BUILTIN_PACKAGE] {
            names.extend(self.env.macros_of(package).map(|item| item.name.to_string()));
        }
        names.extend(self.env.packages().map(|package| package.to_string()));
        names.extend(crate::jinja::functions::NAMES.iter().map(|name| name.to_string()));
        names.sort();
        names.dedup();
        names
    }

    /// What an attribute or item that is not there gives.
    pub(super) fn missing(&self, base: &Value, name: &Value) -> Value {
        let kind = match base {
            Value::None => "None".to_string(),
            _ => format!("{} object", base.type_name()),
        };
        let message = match name {
            Value::Str(name) => format!("'{kind}' has no attribute '{name}'"),
            _ => format!("{kind} has no element {}", name.repr()),
        };
        Value::undefined_because(&name.text(), message)
    }
}
