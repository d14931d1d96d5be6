//! Code for pages: the text as it is, and beside it which parts are keywords, strings and links.
//!
//! A page builds the coloured text from these numbers, so nothing of the code is ever HTML. Positions count UTF-16 units,
//! as strings of browsers do.

use serde::Serialize;

use super::jinja::{Calls, calls};
use super::sql::{Token, tokens};

/// What a stretch of code is. The numbers are part of the data contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    Keyword = 0,
    Function = 1,
    String = 2,
    Number = 3,
    Comment = 4,
    JinjaDelimiter = 5,
    JinjaName = 6,
    QuotedIdentifier = 7,
    Type = 8,
}

/// Code with its marks.
#[derive(Debug, Default, Clone, Serialize, PartialEq, Eq)]
pub(crate) struct Code {
    text: String,
    /// Gap from the end of the mark before, length, class; again and again.
    marks: Vec<u32>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    links: Vec<Link>,
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<String>,
}

/// Start, length, `node` or `macro`, number.
#[derive(Debug, Clone, Serialize, PartialEq, Eq)]
struct Link(u32, u32, &'static str, usize);

/// Where a link leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Goal {
    Node(usize),
    Macro(usize),
}

/// What names in code mean.
pub(crate) trait Names {
    /// The node that `ref` or `source` with these arguments means.
    fn referenced(&self, call: &str, arguments: &[&str]) -> Option<usize>;
    /// The macro that a called name means.
    fn called(&self, name: &str) -> Option<usize>;
    /// Relations as SQL spells them, with their nodes.
    fn relations(&self) -> Vec<(String, usize)>;
}

impl Code {
    /// A template, with its references linked.
    pub(crate) fn template(text: &str, path: Option<&str>, names: &impl Names) -> Code {
        let tokens = tokens(text);
        let mut goals = Vec::new();
        for Calls { name, arguments } in calls(text, &tokens) {
            let words: Vec<&str> = arguments.iter().map(|token| unquoted(token.text(text))).collect();
            match names.referenced(name.text(text), &words) {
                Some(node) => goals.extend(arguments.iter().map(|token| (token.start, token.end, Goal::Node(node)))),
                None => {
                    let goal = names.called(name.text(text)).map(Goal::Macro);
                    goals.extend(goal.map(|goal| (name.start, name.end, goal)));
                }
            }
        }
        Code::new(text, &tokens, goals, path)
    }

    /// SQL that was compiled, with the relations that it reads linked.
    pub(crate) fn compiled(text: &str, names: &impl Names) -> Code {
        let tokens = tokens(text);
        let mut goals = Vec::new();
        for (relation, node) in names.relations().iter().filter(|(relation, _)| !relation.is_empty()) {
            let found = text.match_indices(relation.as_str()).map(|(at, _)| (at, at + relation.len()));
            let found = found.filter(|(start, end)| is_whole(text, *start, *end) && lies_well(&tokens, *start, *end));
            goals.extend(found.map(|(start, end)| (start, end, Goal::Node(*node))));
        }
        Code::new(text, &tokens, goals, None)
    }

    /// Text that is not highlighted.
    pub(crate) fn plain(text: &str) -> Code {
        Code { text: text.to_string(), ..Code::default() }
    }

    fn new(text: &str, tokens: &[Token], mut goals: Vec<(usize, usize, Goal)>, path: Option<&str>) -> Code {
        goals.sort_by_key(|(start, end, _)| (*start, std::cmp::Reverse(*end)));
        let mut units = Units::new(text);
        let mut marks = Vec::with_capacity(tokens.len() * 3);
        let mut last = 0;
        for token in tokens {
            let (start, end) = (units.at(token.start), units.at(token.end));
            marks.extend([start - last, end - start, token.class as u32]);
            last = end;
        }
        let mut units = Units::new(text);
        let mut links = Vec::with_capacity(goals.len());
        let mut covered = 0;
        for (start, end, goal) in goals {
            if start < covered {
                continue;
            }
            covered = end;
            let (start, end) = (units.at(start), units.at(end));
            let (kind, number) = match goal {
                Goal::Node(node) => ("node", node),
                Goal::Macro(number) => ("macro", number),
            };
            links.push(Link(start, end - start, kind, number));
        }
        Code { text: text.to_string(), marks, links, path: path.map(str::to_string) }
    }
}

/// A string literal without its quotes.
fn unquoted(text: &str) -> &str {
    text.trim_matches(['\'', '"'])
}

/// True if the names beside it do not go on.
fn is_whole(text: &str, start: usize, end: usize) -> bool {
    let part = |char: char| char.is_alphanumeric() || matches!(char, '_' | '"' | '`' | '$');
    !text[..start].ends_with(part) && !text[end..].starts_with(|char| part(char) || char == '.')
}

/// True if the stretch crosses the border of no token.
fn lies_well(tokens: &[Token], start: usize, end: usize) -> bool {
    let first = tokens.partition_point(|token| token.end <= start);
    match tokens.get(first) {
        Some(token) if token.start < end => {
            token.start <= start && end <= token.end && !matches!(token.class, Class::Comment | Class::String)
        }
        _ => true,
    }
}

/// Counts UTF-16 units while going forward.
struct Units<'a> {
    text: &'a str,
    bytes: usize,
    units: u32,
}

impl<'a> Units<'a> {
    fn new(text: &'a str) -> Units<'a> {
        Units { text, bytes: 0, units: 0 }
    }

    fn at(&mut self, byte: usize) -> u32 {
        let between = &self.text[self.bytes..byte];
        self.units += if between.is_ascii() { between.len() } else { between.encode_utf16().count() } as u32;
        self.bytes = byte;
        self.units
    }
}

#[cfg(test)]
mod tests;
