//! Long chains of operators.
//!
//! `a + b + c` and `q union all r union all s` are trees as deep as the chain is long, and everything that walks a tree, in
//! the planner and before it, goes down on the stack. Nesting in parentheses is bounded by the parser; this bounds chains,
//! on the text's tokens, because even dropping such a tree goes down it.

use std::sync::Arc;

use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::tokenizer::{Token, Tokenizer};

use super::dialect::AnalystDialect;
use super::span::text_span;
use crate::diag::{self, Diagnostic, SourceFile, Span, codes};

/// What the stacks of our threads bear, with room to spare.
const LONGEST: usize = 1_500;

/// Operators in a row, at one level of parentheses.
#[derive(Default)]
struct Level {
    expression: usize,
    sets: usize,
}

/// Refuses a text with a chain that is too long. What is no SQL at all is left to the parser.
///
/// # Errors
/// C4001 with the place of the operator that is too many.
pub(super) fn check(sql: &Arc<SourceFile>) -> diag::Result<()> {
    // Each operator has an operand.
    if sql.text.len() < 2 * LONGEST {
        return Ok(());
    }
    let Ok(tokens) = Tokenizer::new(&AnalystDialect, &sql.text).tokenize_with_location() else { return Ok(()) };
    // The innermost level is at hand, those around it wait.
    let (mut level, mut around) = (Level::default(), Vec::new());
    for token in &tokens {
        match &token.token {
            Token::LParen | Token::LBracket | Token::LBrace => around.push(std::mem::take(&mut level)),
            Token::RParen | Token::RBracket | Token::RBrace => level = around.pop().unwrap_or_default(),
            token => level.see(token),
        }
        if level.expression > LONGEST || level.sets > LONGEST {
            return Err(too_long(text_span(sql, token.span).unwrap_or_else(|| Span::start_of(sql))));
        }
    }
    Ok(())
}

impl Level {
    fn see(&mut self, token: &Token) {
        match token {
            Token::Comma | Token::SemiColon => self.expression = 0,
            Token::Word(word) => match word.keyword {
                Keyword::AND | Keyword::OR => self.expression += 1,
                Keyword::UNION | Keyword::EXCEPT | Keyword::INTERSECT | Keyword::MINUS => {
                    self.sets += 1;
                    self.expression = 0;
                }
                Keyword::SELECT | Keyword::FROM | Keyword::WHERE | Keyword::WHEN | Keyword::THEN | Keyword::ELSE => {
                    self.expression = 0;
                }
                _ => {}
            },
            token if is_operator(token) => self.expression += 1,
            _ => {}
        }
    }
}

fn is_operator(token: &Token) -> bool {
    matches!(
        token,
        Token::Plus
            | Token::Minus
            | Token::Mul
            | Token::Div
            | Token::Mod
            | Token::StringConcat
            | Token::DoubleColon
            | Token::Arrow
            | Token::LongArrow
            | Token::Ampersand
            | Token::Pipe
            | Token::Caret
    )
}

fn too_long(place: Span) -> Box<Diagnostic> {
    Diagnostic::error(codes::SQL_SYNTAX, format!("more than {LONGEST} operators in a row"))
        .label(place, "this one is too many")
        .help("values belong into a list (`x in (...)`) or a seed, queries into a model that is read once")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(text: String) -> Option<String> {
        check(&SourceFile::new("m.sql", text)).err().map(|error| error.message)
    }

    #[test]
    fn chains_are_bounded_and_lists_are_not() {
        let too_many = Some("more than 1500 operators in a row".to_string());
        for chain in [" + 1", " and 1 = 1", " || 'x'", "::int", " union all select 1"] {
            assert_eq!(message(format!("select 1{}", chain.repeat(1_501))), too_many, "{chain}");
            assert_eq!(message(format!("select 1{}", chain.repeat(1_500))), None, "{chain}");
            assert_eq!(message(format!("select (1{})", chain.repeat(20_000))), too_many, "{chain}");
        }
        assert_eq!(message(format!("select {}1", "1 + 1, ".repeat(5_000))), None);
        assert_eq!(message(format!("select 1 in ({}1)", "-1, ".repeat(5_000))), None);
        assert_eq!(message(format!("select case {} end", "when a + 1 = 2 then 3 + 4 ".repeat(5_000))), None);
        assert_eq!(message(format!("values {}(1)", "(1 - 2), ".repeat(5_000))), None);
        assert_eq!(message(")".repeat(10_000)), None);
    }
}
