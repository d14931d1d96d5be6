//! Statements. The grammar is Jinja2's with the extensions `do` and loop controls, and dbt's blocks.

use std::collections::HashMap;
use std::sync::Arc;

use crate::diag::{Diagnostic, Result as DiagResult, SourceFile, Span, codes};

use super::ast::{
    CallBlock, Expr, ExprKind, FilterBlock, For, If, Loc, Macro, MacroKind, Param, SetBlock, Stmt, Target, Template,
    With,
};
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
    varargs: bool,
    kwargs: bool,
    caller: bool,
    pub(crate) looped: bool,
}

/// Reads statements and expressions from a range of a file.
pub(crate) struct Parser<'a> {
    pub(crate) file: &'a Arc<SourceFile>,
    package: Arc<str>,
    lexer: Lexer<'a>,
    current: Token,
    peeked: Option<Token>,
    /// End of the token before the current one.
    pub(crate) last_end: u32,
    names: HashMap<&'a str, Arc<str>>,
    depth: u32,
    loops: u32,
    pub(crate) uses: Uses,
    /// The block statements that are open: their keyword and place.
    open: Vec<(&'static str, Loc)>,
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

    fn block_end(&mut self) -> Result<Token> {
        if self.current.kind == Kind::BlockEnd {
            self.advance()
        } else {
            Err(self.unexpected(Some("end of statement block")))
        }
    }

    /// Body of the block statement `word` that starts at `at`, up to one of `ends`.
    fn block_body(&mut self, word: &'static str, at: Loc, ends: &[&str]) -> Result<Vec<Stmt>> {
        self.block_end()?;
        self.open.push((word, at));
        let body = self.body(ends)?;
        self.open.pop();
        Ok(body)
    }

    fn statement(&mut self) -> Result<Stmt> {
        let at = self.current.at;
        let word = self.text_of(self.current);
        if let Some(what) = unsupported(word) {
            return Err(self.error(format!("`{{% {word} %}}` is not supported: {what}"), at));
        }
        self.advance()?;
        match word {
            "for" => self.for_loop(at),
            "if" => self.if_block(at),
            "set" => self.set(at),
            "with" => self.with(at),
            "filter" => self.filter_block(at),
            "call" => self.call_block(at),
            "macro" => {
                let item = self.macro_block(at)?;
                Ok(Stmt::Macro(Arc::new(item)))
            }
            "do" => Ok(Stmt::Do(self.tuple(true, &[])?)),
            "break" | "continue" if self.loops == 0 => {
                Err(self.error(format!("`{{% {word} %}}` stands outside of a loop"), at))
            }
            "break" => Ok(Stmt::Break),
            "continue" => Ok(Stmt::Continue),
            _ => Err(self.unknown_tag(word, at)),
        }
    }

    fn unknown_tag(&self, word: &str, at: Loc) -> Box<ParseError> {
        const TAGS: [&str; 9] = ["for", "if", "set", "with", "filter", "call", "macro", "do", "raw"];
        let mut error = self.error(format!("unknown tag '{word}'"), at);
        if let Some((open, open_at)) = self.open.last() {
            if word.starts_with("end") || matches!(word, "else" | "elif") {
                error.message =
                    format!("unexpected `{{% {word} %}}`: the innermost block that is open is `{{% {open} %}}`");
            }
            error.opened = Some((format!("`{open}` opened here"), *open_at));
        }
        if let Some(near) = crate::stdx::closest(word, TAGS) {
            error.help = Some(format!("a tag named `{near}` exists"));
        }
        error
    }

    fn for_loop(&mut self, at: Loc) -> Result<Stmt> {
        let target = self.target(false)?;
        if !self.skip_word("in")? {
            return Err(self.unexpected(Some("in")));
        }
        let iter = self.tuple(false, &["recursive"])?;
        let condition = if self.skip_word("if")? { Some(self.expression()?) } else { None };
        let recursive = self.skip_word("recursive")?;
        let outer = std::mem::replace(&mut self.uses.looped, false);
        self.loops += 1;
        let body = self.block_body("for", at, &["else", "endfor"])?;
        self.loops -= 1;
        let uses_loop = std::mem::replace(&mut self.uses.looped, outer) || recursive;
        self.uses.looped |= uses_loop;
        let otherwise = if self.skip_word("else")? { self.block_body("for", at, &["endfor"])? } else { Vec::new() };
        self.advance()?;
        Ok(Stmt::For(Arc::new(For { target, iter, condition, recursive, body, otherwise, uses_loop })))
    }

    fn if_block(&mut self, at: Loc) -> Result<Stmt> {
        let mut branches = Vec::new();
        loop {
            let condition = self.tuple(false, &[])?;
            let body = self.block_body("if", at, &["elif", "else", "endif"])?;
            branches.push((condition, body));
            if !self.skip_word("elif")? {
                break;
            }
        }
        let otherwise = if self.skip_word("else")? { self.block_body("if", at, &["endif"])? } else { Vec::new() };
        self.advance()?;
        Ok(Stmt::If(Box::new(If { branches, otherwise })))
    }

    fn set(&mut self, at: Loc) -> Result<Stmt> {
        let target = self.target(true)?;
        if self.skip_op("=")? {
            return Ok(Stmt::Set(target, self.tuple(true, &[])?));
        }
        let filter = self.filter_chain(None)?;
        if self.current.kind != Kind::BlockEnd {
            return Err(self.unexpected(Some("=")));
        }
        let body = self.block_body("set", at, &["endset"])?;
        self.advance()?;
        Ok(Stmt::SetBlock(Box::new(SetBlock { target, filter, body })))
    }

    fn with(&mut self, at: Loc) -> Result<Stmt> {
        let mut assignments = Vec::new();
        while self.current.kind != Kind::BlockEnd {
            if !assignments.is_empty() {
                self.expect_op(",")?;
            }
            let target = self.single_target(false)?;
            self.expect_op("=")?;
            assignments.push((target, self.expression()?));
        }
        let body = self.block_body("with", at, &["endwith"])?;
        self.advance()?;
        Ok(Stmt::With(Box::new(With { assignments, body })))
    }

    fn filter_block(&mut self, at: Loc) -> Result<Stmt> {
        let first = self.one_filter(None)?;
        let Some(filter) = self.filter_chain(Some(first))? else {
            return Err(self.unexpected(Some("filter")));
        };
        let body = self.block_body("filter", at, &["endfilter"])?;
        self.advance()?;
        Ok(Stmt::FilterBlock(Box::new(FilterBlock { filter, body })))
    }

    fn call_block(&mut self, at: Loc) -> Result<Stmt> {
        let params = if self.is_op("(") { self.signature()? } else { Vec::new() };
        let expr = self.expression()?;
        let call_at = expr.at;
        let ExprKind::Call(call) = expr.kind else {
            return Err(self.error("expected a call", call_at));
        };
        let body = self.block_body("call", at, &["endcall"])?;
        let end = self.advance()?.at;
        let caller = self.finish_macro(Arc::from("caller"), at, at.to(end), params, body, MacroKind::Caller, self.uses);
        Ok(Stmt::CallBlock(Box::new(CallBlock { call: *call, at: call_at, caller: Arc::new(caller) })))
    }

    /// `{% macro name(params) %}body{% endmacro %}`, from after the word `macro`.
    fn macro_block(&mut self, at: Loc) -> Result<Macro> {
        let (name, name_at) = self.expect_name()?;
        let params = self.signature()?;
        let (body, uses, end) = self.macro_body("macro", "endmacro", at)?;
        Ok(self.finish_macro(name, name_at, at.to(end), params, body, MacroKind::Macro, uses))
    }

    fn macro_body(&mut self, word: &'static str, end: &str, at: Loc) -> Result<(Vec<Stmt>, Uses, Loc)> {
        let outer = std::mem::take(&mut self.uses);
        let loops = std::mem::take(&mut self.loops);
        let body = self.block_body(word, at, &[end])?;
        self.loops = loops;
        let uses = std::mem::replace(&mut self.uses, outer);
        let end = self.advance()?.at;
        Ok((body, uses, end))
    }

    #[expect(clippy::too_many_arguments, reason = "one call per block, each argument a part of it")]
    fn finish_macro(
        &self,
        name: Arc<str>,
        name_at: Loc,
        at: Loc,
        params: Vec<Param>,
        body: Vec<Stmt>,
        kind: MacroKind,
        uses: Uses,
    ) -> Macro {
        Macro {
            name,
            package: Arc::clone(&self.package),
            kind,
            file: Arc::clone(self.file),
            at,
            name_at,
            params,
            body,
            uses_varargs: uses.varargs,
            uses_kwargs: uses.kwargs,
            uses_caller: uses.caller,
            languages: Vec::new(),
        }
    }

    /// `(a, b=1)`.
    fn signature(&mut self) -> Result<Vec<Param>> {
        let mut params: Vec<Param> = Vec::new();
        self.expect_op("(")?;
        while !self.is_op(")") {
            if !params.is_empty() {
                self.expect_op(",")?;
                if self.is_op(")") {
                    break;
                }
            }
            let (name, at) = self.expect_name()?;
            if params.iter().any(|param| param.name == name) {
                return Err(self.error(format!("the parameter `{name}` is there twice"), at));
            }
            let default = if self.skip_op("=")? { Some(self.expression()?) } else { None };
            if default.is_none() && params.iter().any(|param| param.default.is_some()) {
                return Err(
                    self.error(format!("the parameter `{name}` without a default follows one with a default"), at)
                );
            }
            params.push(Param { name, default, at });
        }
        self.expect_op(")")?;
        Ok(params)
    }

    /// `a`, `ns.a` (if `dotted`), `(a, b)`, or `a, b`.
    fn target(&mut self, dotted: bool) -> Result<Target> {
        let start = self.current.at;
        let first = self.single_target(dotted)?;
        if !self.is_op(",") {
            return Ok(first);
        }
        let mut items = vec![first];
        while self.skip_op(",")? {
            if self.is_op("=") || self.is_op(")") || self.is_word("in") || self.current.kind == Kind::BlockEnd {
                break;
            }
            items.push(self.single_target(dotted)?);
        }
        Ok(Target::Tuple(items, Loc { start: start.start, end: self.last_end }))
    }

    fn single_target(&mut self, dotted: bool) -> Result<Target> {
        if self.skip_op("(")? {
            let start = self.current.at;
            let inner = self.nested(|parser| parser.target(dotted))?;
            self.expect_op(")")?;
            return Ok(match inner {
                Target::Tuple(..) => inner,
                other => Target::Tuple(vec![other], start),
            });
        }
        let (name, at) = self.expect_name()?;
        if matches!(&*name, "true" | "True" | "false" | "False" | "none" | "None") {
            return Err(self.error(format!("cannot assign to '{name}'"), at));
        }
        if dotted && self.skip_op(".")? {
            let (attr, end) = self.expect_name()?;
            self.note_name(&name);
            return Ok(Target::Attr(name, attr, at.to(end)));
        }
        Ok(Target::Name(name, at))
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

    /// A whole `{% macro %}`, `{% test %}` or `{% materialization %}` block; the parser stands at its `{%`.
    pub(crate) fn definition(mut self) -> Result<Macro> {
        let begin = self.current.at;
        self.advance()?;
        let word_at = self.current.at;
        let word = self.text_of(self.current);
        self.advance()?;
        let mut item = match word {
            "macro" => self.macro_block(word_at)?,
            "test" | "data_test" => self.test_block(word == "test", word_at)?,
            _ => self.materialization(word_at)?,
        };
        let end = self.block_end()?.at;
        item.at = begin.to(end);
        Ok(item)
    }

    fn test_block(&mut self, short: bool, at: Loc) -> Result<Macro> {
        let (name, name_at) = self.expect_name()?;
        let params = self.signature()?;
        let (word, end) = if short { ("test", "endtest") } else { ("data_test", "enddata_test") };
        let (body, uses, end) = self.macro_body(word, end, at)?;
        Ok(self.finish_macro(format!("test_{name}").into(), name_at, at.to(end), params, body, MacroKind::Test, uses))
    }

    /// `{% materialization name, adapter='x', supported_languages=['sql'] %}`.
    fn materialization(&mut self, at: Loc) -> Result<Macro> {
        let (name, name_at) = self.expect_name()?;
        let mut adapter = String::from("default");
        let mut languages = vec![String::from("sql")];
        while self.skip_op(",")? {
            let (key, key_at) = self.expect_name()?;
            match &*key {
                "default" => {}
                "adapter" => {
                    self.expect_op("=")?;
                    adapter = self.literal_text()?;
                }
                "supported_languages" => {
                    self.expect_op("=")?;
                    languages = self.literal_texts()?;
                }
                _ => {
                    return Err(self.error(format!("materialization `{name}` got an unknown argument `{key}`"), key_at));
                }
            }
        }
        let (body, uses, end) = self.macro_body("materialization", "endmaterialization", at)?;
        let full = format!("materialization_{name}_{adapter}").into();
        let mut item = self.finish_macro(full, name_at, at.to(end), Vec::new(), body, MacroKind::Materialization, uses);
        item.languages = languages;
        Ok(item)
    }

    fn literal_text(&mut self) -> Result<String> {
        let expr = self.expression()?;
        match &expr.kind {
            ExprKind::Str(text) => Ok(text.to_string()),
            _ => Err(self.error("expected a string", expr.at)),
        }
    }

    fn literal_texts(&mut self) -> Result<Vec<String>> {
        let expr = self.expression()?;
        let (ExprKind::List(items) | ExprKind::Tuple(items)) = &expr.kind else {
            return Err(self.error("expected a list of strings", expr.at));
        };
        items
            .iter()
            .map(|item| match &item.kind {
                ExprKind::Str(text) => Ok(text.to_string()),
                _ => Err(self.error("expected a string", item.at)),
            })
            .collect()
    }
}

/// Why a tag of Jinja2 does not work here.
fn unsupported(word: &str) -> Option<&'static str> {
    match word {
        "include" | "import" | "from" => Some("macros of all files are visible everywhere, call them by their name"),
        "extends" | "block" => Some("templates do not inherit from each other"),
        "autoescape" => Some("nothing is escaped in SQL; use the filter `e` where HTML is made"),
        "materialization" | "test" | "data_test" | "docs" | "snapshot" => {
            Some("such a block stands at the top level of its own kind of file")
        }
        _ => None,
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
