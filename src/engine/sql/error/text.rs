//! The words of the SQL text, for errors that do not say where they are; and the words of messages.

use std::sync::Arc;

use datafusion::sql::sqlparser::tokenizer::{Token, TokenWithSpan, Tokenizer};

use crate::diag::{SourceFile, Span};
use crate::engine::sql::dialect::AnalystDialect;
use crate::engine::sql::span::{offset, text_span};

/// The tokens of a text, without blanks.
pub(super) struct Words<'a> {
    sql: &'a Arc<SourceFile>,
    tokens: Vec<TokenWithSpan>,
}

impl<'a> Words<'a> {
    /// Reads the text; of a text that cannot be read, the part that can.
    pub(super) fn of(sql: &'a Arc<SourceFile>) -> Words<'a> {
        let mut tokens = Vec::new();
        // The error is reported elsewhere; what was read before it is in `tokens`.
        let _ = Tokenizer::new(&AnalystDialect, &sql.text).tokenize_with_location_into_buf(&mut tokens);
        tokens.retain(|token| !matches!(token.token, Token::Whitespace(_)));
        Words { sql, tokens }
    }

    fn word(&self, index: usize) -> Option<&str> {
        match &self.tokens.get(index)?.token {
            Token::Word(word) => Some(&word.value),
            _ => None,
        }
    }

    fn is(&self, index: usize, name: &str) -> bool {
        self.word(index).is_some_and(|word| word.to_lowercase() == name.to_lowercase())
    }

    fn token_is(&self, index: usize, token: &Token) -> bool {
        self.tokens.get(index).is_some_and(|other| other.token == *token)
    }

    fn span(&self, first: usize, last: usize) -> Option<Span> {
        let start = text_span(self.sql, self.tokens.get(first)?.span)?;
        let end = text_span(self.sql, self.tokens.get(last)?.span)?;
        Some(Span::new(self.sql, start.start as usize..end.end as usize))
    }

    fn find(&self, fits: impl Fn(usize) -> bool) -> Option<usize> {
        (0..self.tokens.len()).find(|index| fits(*index))
    }

    /// `relation.name`, or `name` alone.
    pub(super) fn column(&self, relation: Option<&str>, name: &str) -> Option<Span> {
        if let Some(relation) = relation {
            let qualified =
                |at| self.is(at, relation) && self.token_is(at + 1, &Token::Period) && self.is(at + 2, name);
            if let Some(at) = self.find(qualified) {
                return self.span(at, at + 2);
            }
        }
        let at = self.find(|at| self.is(at, name) && !self.token_is(at + 1, &Token::LParen))?;
        self.span(at, at)
    }

    /// A name before a parenthesis.
    pub(super) fn function(&self, name: &str) -> Option<Span> {
        let at = self.find(|at| self.is(at, name) && self.token_is(at + 1, &Token::LParen))?;
        self.span(at, at)
    }

    /// A dotted name, or as many of its last parts as the text has.
    pub(super) fn relation(&self, name: &str) -> Option<Span> {
        let parts: Vec<&str> = name.split('.').map(|part| part.trim_matches('"')).collect();
        (0..parts.len().saturating_sub(1)).find_map(|skip| {
            let parts = &parts[skip..];
            let fits = |at: usize| {
                parts.iter().enumerate().all(|(index, part)| {
                    self.is(at + 2 * index, part) && (index == 0 || self.token_is(at + 2 * index - 1, &Token::Period))
                })
            };
            let at = self.find(fits)?;
            self.span(at, at + 2 * (parts.len() - 1))
        })
    }

    /// A string literal.
    pub(super) fn text(&self, text: &str) -> Option<Span> {
        let at = self.find(|at| self.token_is(at, &Token::SingleQuotedString(text.to_string())))?;
        self.span(at, at)
    }

    /// The token that begins at a place.
    pub(super) fn at(&self, line: u64, column: u64) -> Span {
        let begins = |token: &&TokenWithSpan| token.span.start.line == line && token.span.start.column == column;
        match self.tokens.iter().find(begins).and_then(|token| text_span(self.sql, token.span)) {
            Some(span) => span,
            None => {
                let at = offset(&self.sql.text, line, column);
                let length = self.sql.text[at..].chars().next().map_or(0, char::len_utf8);
                Span::new(self.sql, at..at + length)
            }
        }
    }

    /// The end of the last token.
    pub(super) fn end(&self) -> Span {
        let at = self.sql.text.trim_end().len();
        Span::new(self.sql, at..at)
    }
}

/// What stands between `start` and the next `end`.
pub(super) fn between<'a>(text: &'a str, start: &str, end: &str) -> Option<&'a str> {
    let rest = &text[text.find(start)? + start.len()..];
    Some(&rest[..rest.find(end)?])
}

/// Splits `.. at Line: 1, Column: 8` off the end of a message.
pub(super) fn split_place(message: &str) -> (&str, Option<(u64, u64)>) {
    let Some(at) = message.rfind(" at Line: ") else { return (message, None) };
    let place = &message[at + " at Line: ".len()..];
    let numbers = place.split_once(", Column: ").and_then(|(line, column)| {
        let digits = column.find(|c: char| !c.is_ascii_digit()).unwrap_or(column.len());
        Some((line.parse().ok()?, column[..digits].parse().ok()?))
    });
    match numbers {
        Some(numbers) => (&message[..at], Some(numbers)),
        None => (message, None),
    }
}

/// A message as a fragment: the first letter small unless it begins a name, no full stop.
pub(super) fn fragment(message: &str) -> String {
    let mut message = message.trim();
    for prefix in ["Error during planning: ", "Execution error: ", "External error: ", "Arrow error: ", "Cast error: "]
    {
        message = message.strip_prefix(prefix).unwrap_or(message);
    }
    let message = message.strip_suffix('.').unwrap_or(message);
    let mut chars = message.chars();
    match (chars.next(), chars.next()) {
        (Some(first), Some(second)) if first.is_uppercase() && !second.is_uppercase() => {
            first.to_lowercase().chain(message.chars().skip(1)).collect()
        }
        _ => message.to_string(),
    }
}

/// The name of the function that a message is about.
pub(super) fn quoted_function(message: &str) -> Option<&str> {
    let quoted = |start: &str, end: &str| between(message, start, end);
    quoted("Function '", "'")
        .or_else(|| quoted("function '", "'"))
        .or_else(|| quoted("call to '", "'"))
        .or_else(|| quoted("call to ", ":"))
        .filter(|name| !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '_'))
}

/// A message about a node of the tree that the planner does not know; the dump of the node is left out.
pub(super) fn unsupported(message: &str) -> String {
    let node = between(message, "Unsupported ast node ", " ").unwrap_or("");
    let node: String = node.chars().take_while(|c| c.is_alphanumeric()).collect();
    let clause = match node.as_str() {
        "Pivot" => "PIVOT over values or columns that are not known beforehand",
        "Unpivot" => "UNPIVOT over columns that are not known beforehand",
        "MatchRecognize" => "MATCH_RECOGNIZE",
        "JsonTable" | "OpenJsonTable" => "JSON_TABLE",
        "TableFunction" => "TABLE(..)",
        "Lambda" => "a lambda here",
        "" => "this expression",
        other => other,
    };
    format!("{clause} is not supported")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_become_fragments() {
        assert_eq!(fragment("Expected a number."), "expected a number");
        assert_eq!(fragment("UNION queries differ"), "UNION queries differ");
        assert_eq!(split_place("Unterminated text at Line: 2, Column: 14"), ("Unterminated text", Some((2, 14))));
        assert_eq!(split_place("no place"), ("no place", None));
    }

    #[test]
    fn words_are_found_whatever_their_case() {
        let sql = SourceFile::new("m.sql", "select T.\"Name\", Sum(x)\nfrom main.Orders t");
        let words = Words::of(&sql);
        assert_eq!(words.column(Some("t"), "name").map(|span| span.text().to_string()).as_deref(), Some("T.\"Name\""));
        assert_eq!(words.function("sum").map(|span| span.line_col()), Some((1, 18)));
        assert_eq!(words.relation("c360.main.orders").map(|span| span.line_col()), Some((2, 6)));
    }
}
