//! The state of the parser, and bodies. The grammar is Jinja2's with the extensions `do` and loop controls, and dbt's
//! blocks.

use std::collections::HashMap;
use std::sync::Arc;

use crate::diag::{Diagnostic, Result as DiagResult, SourceFile, Span, codes};

use super::ast::{Expr, Loc, Macro, Stmt, Template};
use super::lexer::{Kind, LexError, Lexer, Token};

/// How deep expressions and blocks may nest. Keeps the native stack small.
const MAX_NESTING: u32 = 160;

/// What went wrong while parsing.
#[derive(Debug)]
pub(crate) struct ParseError {
    pub(crate) message: String,
    pub(crate) at: Loc,
    pub(crate) opened: Option<(String, Loc)>,
    pub(crate) help: Option<String>,
}

impl From<LexError> for Box<ParseError> {
    fn from(error: LexError) -> Box<ParseError> {
        Box::new(ParseError { message: error.message, at: error.at, opened: None, help: None })
    }
}

impl ParseError {
    /// The diagnostic for people.
    pub(crate) fn diagnostic(self, file: &Arc<SourceFile>) -> Box<Diagnostic> {
        let mut out = Diagnostic::error(codes::JINJA_SYNTAX, self.message).label(self.at.span(file), "");
        if let Some((what, at)) = self.opened {
            out = out.label(at.span(file), what);
        }
        out.maybe_help(self.help)
    }
}

pub(crate) type Result<T, E = Box<ParseError>> = std::result::Result<T, E>;

/// Names that change how a macro is called, if its body uses them.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Uses {
    pub(crate) varargs: bool,
    pub(crate) kwargs: bool,
    pub(crate) caller: bool,
    pub(crate) looped: bool,
}

/// Reads statements and expressions from a range of a file.
pub(crate) struct Parser<'a> {
    pub(crate) file: &'a Arc<SourceFile>,
    pub(super) package: Arc<str>,
    lexer: Lexer<'a>,
    current: Token,
    peeked: Option<Token>,
    /// End of the token before the current one.
    pub(crate) last_end: u32,
    names: HashMap<&'a str, Arc<str>>,
    depth: u32,
    pub(super) loops: u32,
    pub(crate) uses: Uses,
    /// The block statements that are open: their keyword and place.
    pub(super) open: Vec<(&'static str, Loc)>,
}

impl<'a> Parser<'a> {
    /// A parser for `range` of `file`; macros in it belong to `package`.
    pub(crate) fn new(file: &'a Arc<SourceFile>, package: &Arc<str>, start: usize, end: usize) -> Result<Parser<'a>> {
        let mut lexer = Lexer::new(&file.text, start, end);
        let current = lexer.next()?;
        Ok(Parser {
            file,
            package: Arc::clone(package),
            lexer,
            current,
            peeked: None,
            last_end: start as u32,
            names: HashMap::new(),
            depth: 0,
            loops: 0,
            uses: Uses::default(),
            open: Vec::new(),
        })
    }

    /// A parser for an expression alone, without tags around it.
    pub(crate) fn text_of(&self, token: Token) -> &'a str {
        &self.file.text[token.at.range()]
    }

    pub(crate) fn current(&self) -> Token {
        self.current
    }

    pub(crate) fn advance(&mut self) -> Result<Token> {
        let next = match self.peeked.take() {
            Some(token) => token,
            None => self.lexer.next()?,
        };
        self.last_end = self.current.at.end;
        Ok(std::mem::replace(&mut self.current, next))
    }

    pub(crate) fn peek(&mut self) -> Result<Token> {
        if self.peeked.is_none() {
            self.peeked = Some(self.lexer.next()?);
        }
        Ok(self.peeked.unwrap_or(self.current))
    }

    /// True if the current token is the operator `op`.
    pub(crate) fn is_op(&self, op: &str) -> bool {
        self.current.kind == Kind::Op && self.text_of(self.current) == op
    }

    /// True if the current token is the word `word`.
    pub(crate) fn is_word(&self, word: &str) -> bool {
        self.current.kind == Kind::Name && self.text_of(self.current) == word
    }

    pub(crate) fn skip_op(&mut self, op: &str) -> Result<bool> {
        let found = self.is_op(op);
        if found {
            self.advance()?;
        }
        Ok(found)
    }

    pub(crate) fn skip_word(&mut self, word: &str) -> Result<bool> {
        let found = self.is_word(word);
        if found {
            self.advance()?;
        }
        Ok(found)
    }

    pub(crate) fn expect_op(&mut self, op: &str) -> Result<Token> {
        if self.is_op(op) { self.advance() } else { Err(self.unexpected(Some(op))) }
    }

    pub(crate) fn error(&self, message: impl Into<String>, at: Loc) -> Box<ParseError> {
        Box::new(ParseError { message: message.into(), at, opened: None, help: None })
    }

    /// "unexpected 'x', expected 'y'" at the current token.
    pub(crate) fn unexpected(&self, expected: Option<&str>) -> Box<ParseError> {
        let token = self.current;
        let what = match token.kind {
            Kind::PrintEnd => "end of print statement",
            Kind::BlockEnd => "end of statement block",
            Kind::Eof => "end of template",
            Kind::PrintBegin => "begin of print statement",
            Kind::BlockBegin => "begin of statement block",
            Kind::Text => "template data",
            _ => self.text_of(token),
        };
        let message = match expected {
            Some(expected) => format!("unexpected '{what}', expected '{expected}'"),
            None => format!("unexpected '{what}'"),
        };
        self.error(message, token.at)
    }

    /// A shared copy of a name.
    pub(crate) fn intern(&mut self, name: &'a str) -> Arc<str> {
        Arc::clone(self.names.entry(name).or_insert_with(|| Arc::from(name)))
    }

    pub(crate) fn expect_name(&mut self) -> Result<(Arc<str>, Loc)> {
        if self.current.kind != Kind::Name {
            return Err(self.unexpected(Some("name")));
        }
        let token = self.advance()?;
        let text = self.text_of(token);
        Ok((self.intern(text), token.at))
    }

    /// Runs `parse` one level deeper.
    pub(crate) fn nested<T>(&mut self, parse: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        if self.depth >= MAX_NESTING {
            return Err(self.error(format!("nested more than {MAX_NESTING} levels deep"), self.current.at));
        }
        self.depth += 1;
        let result = parse(self);
        self.depth -= 1;
        result
    }

    /// The whole range as a template.
    pub(crate) fn template(mut self) -> Result<Template> {
        let body = self.body(&[])?;
        Ok(Template { file: Arc::clone(self.file), body, plain: false })
    }

    /// Statements up to a tag that starts with one of `ends`, or the end of the range if there are none. The parser
    /// then stands at that word.
    fn body(&mut self, ends: &[&str]) -> Result<Vec<Stmt>> {
        let mut out = Vec::new();
        loop {
            match self.current.kind {
                Kind::Text => {
                    out.push(Stmt::Text(self.current.at));
                    self.advance()?;
                }
                Kind::PrintBegin => {
                    let start = self.advance()?.at;
                    let expr = self.tuple(true, &[])?;
                    if self.current.kind != Kind::PrintEnd {
                        return Err(self.unexpected(Some("end of print statement")));
                    }
                    let end = self.advance()?.at;
                    out.push(Stmt::Emit(expr, start.to(end)));
                }
                Kind::BlockBegin => {
                    self.advance()?;
                    if self.current.kind != Kind::Name {
                        return Err(self.unexpected(Some("tag name")));
                    }
                    if ends.contains(&self.text_of(self.current)) {
                        return Ok(out);
                    }
                    let statement = self.nested(Self::statement)?;
                    out.push(statement);
                    self.block_end()?;
                }
                Kind::Eof if ends.is_empty() => return Ok(out),
                Kind::Eof => return Err(self.unclosed(ends)),
                _ => return Err(self.unexpected(None)),
            }
        }
    }

    fn unclosed(&self, ends: &[&str]) -> Box<ParseError> {
        let end = ends.last().copied().unwrap_or("end");
        let mut error = self.error(format!("`{{% {end} %}}` is missing"), self.current.at);
        if let Some((word, at)) = self.open.last() {
            error.message = format!("`{{% {word} %}}` is not closed: `{{% {end} %}}` is missing");
            error.at = *at;
        }
        error
    }

    pub(super) fn block_end(&mut self) -> Result<Token> {
        if self.current.kind == Kind::BlockEnd {
            self.advance()
        } else {
            Err(self.unexpected(Some("end of statement block")))
        }
    }

    /// Body of the block statement `word` that starts at `at`, up to one of `ends`.
    pub(super) fn block_body(&mut self, word: &'static str, at: Loc, ends: &[&str]) -> Result<Vec<Stmt>> {
        // A colon before the body is allowed, as in `{% if x: %}`.
        self.skip_op(":")?;
        self.block_end()?;
        self.open.push((word, at));
        let body = self.body(ends)?;
        self.open.pop();
        Ok(body)
    }

    /// Remembers that a body uses `name`.
    pub(crate) fn note_name(&mut self, name: &str) {
        match name {
            "loop" => self.uses.looped = true,
            "caller" => self.uses.caller = true,
            "varargs" => self.uses.varargs = true,
            "kwargs" => self.uses.kwargs = true,
            _ => {}
        }
    }
}

/// Parses all of `file` as a template. Text without any tag is recognised without work.
pub(crate) fn parse_template(file: &Arc<SourceFile>) -> DiagResult<Template> {
    parse_range(file, &Arc::from(""), 0, file.text.len())
}

/// Parses the bytes `start..end` of `file` as a template. As in Jinja2, one newline at the end is dropped.
pub(crate) fn parse_range(
    file: &Arc<SourceFile>,
    package: &Arc<str>,
    start: usize,
    end: usize,
) -> DiagResult<Template> {
    if file.text.len() > u32::MAX as usize {
        return Err(
            Diagnostic::error(codes::JINJA_SYNTAX, "the file is larger than 4 GB").label(Span::start_of(file), "")
        );
    }
    let text = &file.text[start..end];
    let trimmed = text.strip_suffix('\n').map_or(text, |text| text.strip_suffix('\r').unwrap_or(text));
    let end = start + trimmed.len();
    if super::lexer::find_tag(file.text.as_bytes(), start, end).is_none() {
        let whole = Loc { start: start as u32, end: end as u32 };
        return Ok(Template { file: Arc::clone(file), body: vec![Stmt::Text(whole)], plain: true });
    }
    Parser::new(file, package, start, end).and_then(Parser::template).map_err(|error| error.diagnostic(file))
}

/// Parses `range` of `file`, which is a whole macro, test or materialization block.
pub(crate) fn parse_definition(file: &Arc<SourceFile>, package: &Arc<str>, at: Loc) -> DiagResult<Macro> {
    Parser::new(file, package, at.start as usize, at.end as usize)
        .and_then(Parser::definition)
        .map_err(|error| error.diagnostic(file))
}

/// Parses all of `file` as one expression, without tags around it.
pub(crate) fn parse_expression(file: &Arc<SourceFile>) -> DiagResult<Expr> {
    let wrapped = |error: Box<ParseError>| error.diagnostic(file);
    let mut parser = Parser::new(file, &Arc::from(""), 0, 0).map_err(wrapped)?;
    parser.lexer = Lexer::expression(&file.text);
    parser.current = parser.lexer.next().map_err(|error| Box::<ParseError>::from(error).diagnostic(file))?;
    let expr = parser.tuple(true, &[]).map_err(wrapped)?;
    if parser.current.kind == Kind::Eof { Ok(expr) } else { Err(parser.unexpected(Some("end")).diagnostic(file)) }
}
