//! Errors of the parser, the planner and the engine as diagnostics that point into the SQL text.
//!
//! The planner tells the place of a name where it knows it; otherwise the name is looked for among the words of the
//! text. A diagnostic of ours that went through the engine (a table provider raised it) comes out as it went in.

mod column;
mod text;

use std::error::Error;
use std::sync::Arc;

use arrow::error::ArrowError;
use datafusion::common::{DataFusionError, Diagnostic as PlannerDiagnostic, SchemaError};
use datafusion::sql::sqlparser::parser::ParserError;

use self::text::{Words, between, fragment};
use super::span::planner_span;
use crate::diag::{Diagnostic, SourceFile, Span, codes};
use crate::stdx::closest;

/// How many candidates of an overloaded function are worth a line.
const CANDIDATES: usize = 6;

/// The diagnostic for an error that came from parsing, planning or running `sql`.
pub fn plan_error(error: &DataFusionError, sql: &Arc<SourceFile>) -> Box<Diagnostic> {
    if let Some(ours) = ours(error) {
        return Box::new(ours.clone());
    }
    let mut context = Context { sql, planner: None };
    context.of(error)
}

/// The place where the text calls the function `name`.
pub fn function_span(sql: &Arc<SourceFile>, name: &str) -> Option<Span> {
    Words::of(sql).function(name)
}

/// A diagnostic of ours that an error wraps.
fn ours(error: &DataFusionError) -> Option<&Diagnostic> {
    let mut error: &(dyn Error + 'static) = error;
    loop {
        if let Some(diagnostic) = error.downcast_ref::<Diagnostic>() {
            return Some(diagnostic);
        }
        if let Some(diagnostic) = error.downcast_ref::<Box<Diagnostic>>() {
            return Some(diagnostic);
        }
        error = error.source()?;
    }
}

struct Context<'a> {
    sql: &'a Arc<SourceFile>,
    /// What the planner says about the place; the outermost one that says something.
    planner: Option<&'a PlannerDiagnostic>,
}

impl<'a> Context<'a> {
    fn of(&mut self, error: &'a DataFusionError) -> Box<Diagnostic> {
        match error {
            DataFusionError::Diagnostic(planner, inner) => {
                self.planner.get_or_insert(planner);
                self.of(inner)
            }
            DataFusionError::Context(_, inner) => self.of(inner),
            DataFusionError::Shared(inner) => self.of(inner),
            DataFusionError::Collection(errors) => match errors.first() {
                Some(first) => self.of(first),
                None => Diagnostic::error(codes::INTERNAL, "the engine failed without saying why"),
            },
            DataFusionError::External(inner) => match inner.downcast_ref::<DataFusionError>() {
                Some(inner) => self.of(inner),
                None => Diagnostic::error(codes::SQL_EXECUTION, fragment(&inner.to_string())),
            },
            DataFusionError::ArrowError(inner, _) => self.arrow(inner),
            DataFusionError::SQL(inner, _) => self.syntax(inner),
            DataFusionError::SchemaError(inner, _) => self.schema(inner),
            DataFusionError::Plan(message) => self.plan(message),
            DataFusionError::NotImplemented(message) => self.not_implemented(message),
            DataFusionError::Configuration(message) => Diagnostic::error(codes::SQL_PLAN, fragment(message)),
            DataFusionError::Execution(message) => self.execution(message),
            DataFusionError::ResourcesExhausted(message) => crate::failure::out_of_memory(message),
            DataFusionError::ParquetError(inner) => Diagnostic::error(codes::STORE_ERROR, fragment(&inner.to_string())),
            DataFusionError::ObjectStore(inner) => Diagnostic::error(codes::STORE_ERROR, fragment(&inner.to_string())),
            DataFusionError::IoError(inner) => Diagnostic::error(codes::STORE_ERROR, fragment(&inner.to_string())),
            DataFusionError::Internal(message) => Diagnostic::error(codes::INTERNAL, fragment(first_line(message))),
            other => Diagnostic::error(codes::SQL_EXECUTION, fragment(&other.strip_backtrace())),
        }
    }

    /// The place that the planner knows.
    fn known(&self) -> Option<Span> {
        planner_span(self.sql, &self.planner?.span?)
    }

    fn words(&self) -> Words<'_> {
        Words::of(self.sql)
    }

    fn syntax(&self, error: &ParserError) -> Box<Diagnostic> {
        let message = match error {
            ParserError::TokenizerError(message) | ParserError::ParserError(message) => message,
            ParserError::RecursionLimitExceeded => {
                return Diagnostic::error(codes::SQL_SYNTAX, "expressions or queries are nested too deeply")
                    .label(Span::start_of(self.sql), "");
            }
        };
        let (message, place) = text::split_place(message);
        let message = fragment(message).replacen("expected: ", "expected ", 1).replacen(", found: ", ", found ", 1);
        let message = message.replace("found EOF", "found the end of the text");
        let words = self.words();
        let span = match place {
            Some((line, column)) => words.at(line, column),
            None => words.end(),
        };
        Diagnostic::error(codes::SQL_SYNTAX, message).label(span, "")
    }

    fn schema(&self, error: &SchemaError) -> Box<Diagnostic> {
        match error {
            SchemaError::FieldNotFound { field, valid_fields } => {
                column::not_found(field, valid_fields, self.known(), &self.words())
            }
            SchemaError::AmbiguousReference { field } => {
                let span = self
                    .known()
                    .or_else(|| self.words().column(field.relation.as_ref().map(|r| r.table()), &field.name));
                labelled(Diagnostic::error(codes::SQL_PLAN, format!("column `{}` is ambiguous", field.name)), span)
                    .note("more than one relation of FROM has a column of that name")
                    .help(format!("say which one: `relation.{}`", field.name))
            }
            SchemaError::DuplicateQualifiedField { name, .. } | SchemaError::DuplicateUnqualifiedField { name } => {
                let span = self.known().or_else(|| self.words().column(None, name));
                labelled(Diagnostic::error(codes::SQL_PLAN, format!("two columns have the name `{name}`")), span)
                    .help(format!("give one of them another name: `.. as other_{name}`"))
            }
        }
    }

    fn plan(&self, message: &str) -> Box<Diagnostic> {
        if let Some(name) = between(message, "Invalid function '", "'") {
            return self.function_not_found(name, message);
        }
        if let Some(name) = between(message, "table function '", "' not found") {
            let span = self.words().function(name);
            return labelled(
                Diagnostic::error(codes::FUNCTION_NOT_FOUND, format!("table function `{name}` not found")),
                span,
            );
        }
        if let Some(full) = between(message, "table '", "' not found") {
            // What the planner says about the place has the name as it was written.
            let written = self.planner.and_then(|planner| between(&planner.message, "table '", "' not found"));
            return self.table_not_found(written.unwrap_or(full));
        }
        if let Some(name) = between(message, "Field ", " not found in struct") {
            return column::field_not_found(name, self.known(), &self.words());
        }
        // A message about the arguments of a function is clearer than the sentence around it.
        if let Some(call) = between(message, "No function matches the given name and argument types '", "'") {
            return self.no_match(call, message);
        }
        self.other(message)
    }

    fn function_not_found(&self, name: &str, message: &str) -> Box<Diagnostic> {
        let suggested = between(message, "Did you mean '", "'").and_then(|other| closest(name, [other]));
        let span = self.known().or_else(|| self.words().function(name));
        labelled(Diagnostic::error(codes::FUNCTION_NOT_FOUND, format!("function `{name}` not found")), span)
            .maybe_help(suggested.map(|other| format!("did you mean `{other}`?")))
    }

    fn table_not_found(&self, name: &str) -> Box<Diagnostic> {
        let last = name.rsplit('.').next().unwrap_or(name).trim_matches('"');
        let span = self.words().relation(name).or_else(|| self.words().column(None, last)).or_else(|| self.known());
        labelled(Diagnostic::error(codes::TABLE_NOT_FOUND, format!("relation `{name}` not found")), span).help(format!(
            "a model is referenced with {{{{ ref('{last}') }}}}, a source with {{{{ source(.., '{last}') }}}}"
        ))
    }

    fn no_match(&self, call: &str, message: &str) -> Box<Diagnostic> {
        let name = call.split('(').next().unwrap_or(call);
        let types = call.get(name.len()..).unwrap_or("");
        let span = self.known().or_else(|| self.words().function(name));
        let message_text = format!("function `{name}` does not take arguments of the types {types}");
        let mut diagnostic = labelled(Diagnostic::error(codes::SQL_PLAN, message_text), span);
        let candidates = message.split("Candidate functions:").nth(1).unwrap_or("");
        for line in candidates.lines().map(str::trim).filter(|line| !line.is_empty()).take(CANDIDATES) {
            diagnostic = diagnostic.note(format!("it takes {line}"));
        }
        diagnostic.help("cast the arguments: `expr::type`, or try_cast(expr as type)")
    }

    /// An error whose message says it all.
    fn other(&self, message: &str) -> Box<Diagnostic> {
        let words = self.words();
        let span = self.known().or_else(|| text::quoted_function(message).and_then(|name| words.function(name)));
        let Some(planner) = self.planner else {
            let (first, rest) = message.split_once('\n').unwrap_or((message, ""));
            let mut diagnostic = labelled(Diagnostic::error(codes::SQL_PLAN, fragment(first)), span);
            for line in rest.lines().map(str::trim).filter(|line| !line.is_empty()).take(CANDIDATES) {
                diagnostic = diagnostic.note(line);
            }
            return diagnostic;
        };
        let mut diagnostic = labelled(Diagnostic::error(codes::SQL_PLAN, fragment(&planner.message)), span);
        for note in &planner.notes {
            let place = note.span.and_then(|span| planner_span(self.sql, &span));
            diagnostic = match place {
                Some(place) => diagnostic.label(place, fragment(&note.message)),
                None => diagnostic.note(fragment(&note.message)),
            };
        }
        for help in &planner.helps {
            diagnostic = diagnostic.help(fragment(&help.message));
        }
        diagnostic
    }

    fn not_implemented(&self, message: &str) -> Box<Diagnostic> {
        if message.contains("OuterReferenceColumn(") {
            let name = message.rsplit("name: \"").next().and_then(|rest| rest.split('"').next()).unwrap_or("");
            let text = format!("`{name}` of an outer query cannot be used in this subquery");
            return labelled(Diagnostic::error(codes::SQL_PLAN, text), self.words().column(None, name))
                .help("join the relations instead, or compute the subquery in a common table expression");
        }
        // Messages about a node of the tree end with its dump.
        let message = match message.find("Unsupported ast node") {
            Some(_) => text::unsupported(message),
            None => fragment(first_line(message)),
        };
        let span =
            self.known().or_else(|| text::quoted_function(&message).and_then(|name| self.words().function(name)));
        let supported = message.contains("support") || message.contains("implemented");
        let message = if supported { message } else { format!("{message} is not supported") };
        labelled(Diagnostic::error(codes::SQL_PLAN, message), span)
    }

    fn execution(&self, message: &str) -> Box<Diagnostic> {
        if let Some(name) = between(message, "Field ", " not found in struct") {
            return column::field_not_found(name, self.known(), &self.words());
        }
        let code = if is_overflow(message) { codes::ARITHMETIC_OVERFLOW } else { codes::SQL_EXECUTION };
        labelled(Diagnostic::error(code, fragment(first_line(message))), self.known())
    }

    fn arrow(&self, error: &ArrowError) -> Box<Diagnostic> {
        match error {
            ArrowError::DivideByZero => Diagnostic::error(codes::SQL_EXECUTION, "division by zero")
                .help("guard the divisor: `a / nullif(b, 0)`"),
            ArrowError::ArithmeticOverflow(message) => {
                Diagnostic::error(codes::ARITHMETIC_OVERFLOW, fragment(message)).help("cast to a wider type first")
            }
            ArrowError::CastError(message) => Diagnostic::error(codes::SQL_EXECUTION, fragment(first_line(message)))
                .help("try_cast(expr as type) makes null of what cannot be converted"),
            ArrowError::IoError(message, _) => Diagnostic::error(codes::STORE_ERROR, fragment(message)),
            other => {
                let message = other.to_string();
                let code = if is_overflow(&message) { codes::ARITHMETIC_OVERFLOW } else { codes::SQL_EXECUTION };
                Diagnostic::error(code, fragment(first_line(&message)))
            }
        }
    }
}

fn is_overflow(message: &str) -> bool {
    message.to_lowercase().contains("overflow")
}

fn first_line(message: &str) -> &str {
    message.lines().next().unwrap_or("").trim()
}

/// Adds the place, if one is known.
fn labelled(diagnostic: Box<Diagnostic>, span: Option<Span>) -> Box<Diagnostic> {
    match span {
        Some(span) => diagnostic.label(span, ""),
        None => diagnostic,
    }
}
