//! The grammar of the command line: blanks are unions, commas are intersections, a term is
//! `[@][N+][method[.argument]:]value[+N]`.
//!
//! A term is never refused for its shape alone: what cannot be an operator is part of the value (`a+b` is a value,
//! `a+2` is `a` and two steps of children). Only an unknown method and `@` together with a `+` behind are errors.

use std::fmt;
use std::sync::Arc;

use serde_json::Value as Json;

use super::Indirect;
use super::methods::{self, Method};
use crate::diag::{Diagnostic, Result, SourceFile, Span, codes};
use crate::stdx::closest;

/// An expression.
#[derive(Debug, Clone)]
pub(super) enum Expr {
    /// Every node: what `--exclude` alone subtracts from.
    All,
    /// One term.
    Term(Box<Term>),
    /// A set operation.
    Group {
        op: Op,
        parts: Vec<Expr>,
        /// How the group as a whole takes in tests whose parents its parts select only together.
        indirect: Indirect,
        /// The expression of the command line that it is: reported if it matches nothing.
        origin: Option<Span>,
    },
    /// All that a YAML selector selects: `--selector`.
    Selector { name: String, span: Span },
}

/// A set operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Op {
    Union,
    Intersection,
    /// The first part without the others.
    Difference,
}

/// One term: a method, its value, and how far to walk from the nodes that it means.
#[derive(Debug, Clone)]
pub(super) struct Term {
    /// `@`: also children, and everything that they need.
    pub(super) childrens_parents: bool,
    /// `N+` before it.
    pub(super) parents: Option<Steps>,
    /// `+N` behind it.
    pub(super) children: Option<Steps>,
    /// What finds its nodes.
    pub(super) method: &'static Method,
    /// What stands between the method's name and the `:`, without dots.
    pub(super) arguments: Vec<String>,
    /// The text behind the `:`.
    pub(super) value: String,
    /// The value, if a YAML file spells it as a number or boolean.
    pub(super) typed: Option<Json>,
    /// How it takes in tests.
    pub(super) indirect: Indirect,
    /// Where it stands.
    pub(super) span: Span,
}

/// How far to walk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Steps {
    /// To the end.
    All,
    /// At most so many edges.
    Most(usize),
}

impl Steps {
    /// As [`crate::graph::Dag::reach`] wants it.
    pub(super) fn depth(self) -> Option<usize> {
        match self {
            Steps::All => None,
            Steps::Most(steps) => Some(steps),
        }
    }

    fn read(digits: &str) -> Steps {
        match digits {
            "" => Steps::All,
            // More digits than a number holds are more steps than a graph has.
            digits => Steps::Most(digits.parse().unwrap_or(usize::MAX)),
        }
    }
}

impl fmt::Display for Steps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Steps::All => Ok(()),
            Steps::Most(steps) => write!(f, "{steps}"),
        }
    }
}

impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.childrens_parents {
            f.write_str("@")?;
        }
        if let Some(steps) = self.parents {
            write!(f, "{steps}+")?;
        }
        f.write_str(self.method.name)?;
        for argument in &self.arguments {
            write!(f, ".{argument}")?;
        }
        write!(f, ":{}", self.value)?;
        match self.children {
            Some(steps) => write!(f, "+{steps}"),
            None => Ok(()),
        }
    }
}

/// Reads all arguments of a flag. Each argument is a file of its own called `flag`, so that places are places in what
/// was typed.
pub(super) fn parse_union(arguments: &[String], flag: &str, indirect: Indirect) -> Result<Expr> {
    let mut parts = Vec::new();
    for argument in arguments {
        let file = SourceFile::new(flag, argument.as_str());
        for (start, text) in pieces(argument, 0, char::is_whitespace) {
            if !text.is_empty() {
                parts.push(parse_intersection(&file, start, text, indirect)?);
            }
        }
    }
    Ok(Expr::Group { op: Op::Union, parts, indirect, origin: None })
}

fn parse_intersection(file: &Arc<SourceFile>, start: usize, text: &str, indirect: Indirect) -> Result<Expr> {
    let parts = pieces(text, start, |c| c == ',')
        .into_iter()
        .map(|(at, part)| Ok(Expr::Term(Box::new(parse_term(part, Span::new(file, at..at + part.len()), indirect)?))))
        .collect::<Result<Vec<Expr>>>()?;
    let origin = Some(Span::new(file, start..start + text.len()));
    Ok(Expr::Group { op: Op::Intersection, parts, indirect, origin })
}

/// The pieces of `text` between separators, each with its place.
fn pieces(text: &str, start: usize, separates: impl Fn(char) -> bool) -> Vec<(usize, &str)> {
    let mut from = 0;
    let mut found = Vec::new();
    for (at, c) in text.char_indices().filter(|(_, c)| separates(*c)) {
        found.push((start + from, &text[from..at]));
        from = at + c.len_utf8();
    }
    found.push((start + from, &text[from..]));
    found
}

/// Reads one term; `span` is its place.
///
/// # Errors
/// C2009 for an unknown method and for `@` with a `+` behind.
pub(super) fn parse_term(text: &str, span: Span, indirect: Indirect) -> Result<Term> {
    let (childrens_parents, rest) = match text.strip_prefix('@') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (parents, rest) = split_parents(rest);
    let (method, rest) = split_method(rest);
    let (value, children) = split_children(rest);
    if childrens_parents && children.is_some() {
        return Err(Diagnostic::error(codes::BAD_SELECTOR, "`@` before and `+` behind do not go together")
            .label(span, "`@` includes the children already")
            .help("leave the `+` out, or the `@`"));
    }
    let (method, arguments) = match method {
        Some(name) => find_method(name, &span)?,
        None => (default_method(value), Vec::new()),
    };
    Ok(Term {
        childrens_parents,
        parents,
        children,
        method,
        arguments,
        value: value.to_string(),
        typed: None,
        indirect,
        span,
    })
}

/// The method called `name` (`config.meta.owner`: `config` with two arguments).
///
/// # Errors
/// C2009, with the nearest name.
pub(super) fn find_method(name: &str, span: &Span) -> Result<(&'static Method, Vec<String>)> {
    let mut parts = name.split('.');
    let head = parts.next().unwrap_or_default();
    if let Some(method) = methods::find(head) {
        return Ok((method, parts.map(str::to_string).collect()));
    }
    let names: Vec<&str> = methods::METHODS.iter().map(|method| method.name).collect();
    let at = span.text().find(head).unwrap_or(0) + span.start as usize;
    Err(Diagnostic::error(codes::BAD_SELECTOR, format!("there is no selection method `{head}`"))
        .label(Span::new(&span.file, at..at + head.len()), "")
        .maybe_help(closest(head, names.iter().copied()).map(|near| format!("`{near}` was probably meant")))
        .help(format!("methods are {}", names.join(", "))))
}

/// What a value without a method means: a path if it has a `/`, a file by its extension, a name otherwise.
fn default_method(value: &str) -> &'static Method {
    let lower = value.to_lowercase();
    if value.contains('/') {
        &methods::PATH
    } else if [".sql", ".py", ".csv"].iter().any(|extension| lower.ends_with(extension)) {
        &methods::FILE
    } else {
        &methods::FQN
    }
}

/// `2+rest`
fn split_parents(text: &str) -> (Option<Steps>, &str) {
    match text.split_once('+') {
        Some((digits, rest)) if is_digits(digits) => (Some(Steps::read(digits)), rest),
        _ => (None, text),
    }
}

/// `method:rest`; a method is made of word characters and dots, anything else belongs to a value.
fn split_method(text: &str) -> (Option<&str>, &str) {
    match text.split_once(':') {
        Some((method, rest))
            if !method.is_empty() && method.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '.') =>
        {
            (Some(method), rest)
        }
        _ => (None, text),
    }
}

/// `value+2`
fn split_children(text: &str) -> (&str, Option<Steps>) {
    match text.rsplit_once('+') {
        Some((value, digits)) if is_digits(digits) => (value, Some(Steps::read(digits))),
        _ => (text, None),
    }
}

/// True for digits, also none.
fn is_digits(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn term(text: &str) -> Result<Term> {
        let file = SourceFile::new("--select", text);
        parse_term(text, Span::new(&file, 0..text.len()), Indirect::Eager)
    }

    #[test]
    fn terms_are_read_as_dbt_reads_them() {
        for (text, printed) in [
            ("stg_orders", "fqn:stg_orders"),
            ("2+a.b+3", "2+fqn:a.b+3"),
            ("@int_funnel", "@fqn:int_funnel"),
            ("@+x", "@+fqn:x"),
            ("0+x", "0+fqn:x"),
            ("+tag:x+", "+tag:x+"),
            ("config.meta.owner:finance+1", "config.meta.owner:finance+1"),
            ("config.incremental_strategy:delete+insert", "config.incremental_strategy:delete+insert"),
            ("a+b", "fqn:a+b"),
            ("a+2+3", "fqn:a+2+3"),
            ("models/staging", "path:models/staging"),
            ("x.SQL", "file:x.SQL"),
            ("_marts.yml", "fqn:_marts.yml"),
            (":x", "fqn::x"),
            ("my-method:x", "fqn:my-method:x"),
            ("path:a:b", "path:a:b"),
            ("+", "+fqn:"),
            ("", "fqn:"),
            ("3", "fqn:3"),
            ("99999999999999999999999+x", "18446744073709551615+fqn:x"),
            ("state:modified.body", "state:modified.body"),
        ] {
            assert_eq!(term(text).expect("a term").to_string(), printed, "{text}");
        }
    }

    #[test]
    fn an_unknown_method_is_pointed_at() {
        let error = term("2+tgas:x").expect_err("no method");
        assert_eq!(error.code, codes::BAD_SELECTOR);
        assert_eq!(error.labels[0].span.text(), "tgas");
        assert_eq!(error.helps[0], "`tag` was probably meant");
        assert_eq!(term("foo:bar").expect_err("no method").code, codes::BAD_SELECTOR);
    }

    #[test]
    fn at_and_children_do_not_go_together() {
        let error = term("@x+2").expect_err("both");
        assert_eq!((error.code, error.labels[0].span.text()), (codes::BAD_SELECTOR, "@x+2"));
    }

    #[test]
    fn places_are_places_in_what_was_typed() {
        let error = parse_union(&["a".into(), "tag:x  ä,bad:y b".into()], "--exclude", Indirect::Eager);
        let error = error.expect_err("no method");
        assert_eq!(error.labels[0].span.to_string(), "--exclude:1:10");
    }

    proptest! {
        /// Any text is a term or an error with a place; printing a term and reading it again gives the same term.
        #[test]
        fn printing_and_reading_again_is_the_same(text in "@?([0-9]{0,2}\\+)?((tag|fqn|config\\.a|path|b):)?[a-z*+0-9:.@]{0,8}(\\+[0-9]?)?") {
            if let Ok(first) = term(&text) {
                let printed = first.to_string();
                let second = term(&printed).expect("a printed term is a term");
                prop_assert_eq!(&printed, &second.to_string());
                prop_assert_eq!(first.value, second.value);
                prop_assert_eq!((first.parents, first.children), (second.parents, second.children));
            }
        }

        #[test]
        fn nothing_panics(text in "\\PC{0,20}") {
            if let Err(error) = parse_union(&[text], "--select", Indirect::Eager) {
                prop_assert_eq!(error.code, codes::BAD_SELECTOR);
                prop_assert!(!error.labels.is_empty());
            }
        }
    }
}
