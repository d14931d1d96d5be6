//! What templates call.

use super::highlight::Class;
use super::sql::Token;

/// A name of a template that is called, with those of its first arguments that are literal texts.
pub(super) struct Calls<'a> {
    pub(super) name: &'a Token,
    pub(super) arguments: Vec<&'a Token>,
}

/// The calls in the Jinja of `text`.
pub(super) fn calls<'a>(text: &str, tokens: &'a [Token]) -> Vec<Calls<'a>> {
    let mut out = Vec::new();
    for (at, name) in tokens.iter().enumerate().filter(|(_, token)| token.class == Class::JinjaName) {
        if !text[name.end..].trim_start().starts_with('(') {
            continue;
        }
        let mut arguments = Vec::new();
        let mut end = name.end;
        for token in &tokens[at + 1..] {
            let between = text[end..token.start].trim();
            let expected = if arguments.is_empty() { "(" } else { "," };
            if token.class != Class::String || between != expected {
                break;
            }
            arguments.push(token);
            end = token.end;
        }
        out.push(Calls { name, arguments });
    }
    out
}
