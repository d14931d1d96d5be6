//! What follows an operand: attributes, items, calls, filters and tests.

use std::sync::Arc;

use super::ast::{Arg, Call, Expr, ExprKind, Filter, Loc, Slice, Test};
use super::expr::parse_int;
use super::lexer::Kind;
use super::parser::{Parser, Result};

impl<'a> Parser<'a> {
    pub(super) fn postfix(&mut self, mut expr: Expr) -> Result<Expr> {
        let mut length = 0;
        loop {
            let start = expr.at;
            let kind = if self.is_op(".") {
                self.attribute(expr)?
            } else if self.is_op("[") {
                self.subscript(expr)?
            } else if self.is_op("(") {
                let args = self.arguments()?;
                ExprKind::Call(Box::new(Call { callee: expr, args }))
            } else {
                return Ok(expr);
            };
            expr = Expr { kind, at: self.since(start) };
            length = self.longer(length)?;
        }
    }

    /// Counts links of a chain that nests in the tree.
    fn longer(&self, length: u32) -> Result<u32> {
        if length >= 100 {
            return Err(self.error("more than 100 attributes, calls or filters in a row", self.current().at));
        }
        Ok(length + 1)
    }

    fn attribute(&mut self, base: Expr) -> Result<ExprKind> {
        self.advance()?;
        let token = self.current();
        let text = self.text_of(token);
        match token.kind {
            Kind::Name => {
                self.advance()?;
                Ok(ExprKind::Attr(Box::new(base), self.intern(text)))
            }
            Kind::Int => {
                self.advance()?;
                let index = parse_int(text).ok_or_else(|| self.error("the number is too large", token.at))?;
                let index = Expr { kind: ExprKind::Int(index), at: token.at };
                Ok(ExprKind::Item(Box::new(base), Box::new(index)))
            }
            _ => Err(self.unexpected(Some("name or number"))),
        }
    }

    fn subscript(&mut self, base: Expr) -> Result<ExprKind> {
        self.advance()?;
        let start = if self.is_op(":") { None } else { Some(self.nested(|parser| parser.tuple(true, &[]))?) };
        if !self.skip_op(":")? {
            self.expect_op("]")?;
            let index = start.ok_or_else(|| self.unexpected(None))?;
            return Ok(ExprKind::Item(Box::new(base), Box::new(index)));
        }
        let stop = if self.is_op(":") || self.is_op("]") { None } else { Some(self.expression()?) };
        let step = if self.skip_op(":")? && !self.is_op("]") { Some(self.expression()?) } else { None };
        self.expect_op("]")?;
        Ok(ExprKind::Slice(Box::new(Slice { base, start, stop, step })))
    }

    /// `(a, *b, c=d, **e)`.
    pub(crate) fn arguments(&mut self) -> Result<Vec<Arg>> {
        self.expect_op("(")?;
        let mut args: Vec<Arg> = Vec::new();
        while !self.is_op(")") {
            if !args.is_empty() {
                self.expect_op(",")?;
                if self.is_op(")") {
                    break;
                }
            }
            let arg = self.argument(&args)?;
            args.push(arg);
        }
        self.expect_op(")")?;
        Ok(args)
    }

    fn argument(&mut self, before: &[Arg]) -> Result<Arg> {
        if self.skip_op("**")? {
            return Ok(Arg::KeywordSplat(self.expression()?));
        }
        if self.skip_op("*")? {
            return Ok(Arg::Splat(self.expression()?));
        }
        if self.current().kind == Kind::Name {
            let next = self.peek()?;
            if next.kind == Kind::Op && self.text_of(next) == "=" {
                let (name, at) = self.expect_name()?;
                if before.iter().any(|arg| matches!(arg, Arg::Keyword(other, _) if *other == name)) {
                    return Err(self.error(format!("the argument `{name}` is there twice"), at));
                }
                self.advance()?;
                return Ok(Arg::Keyword(name, self.expression()?));
            }
        }
        if before.iter().any(|arg| matches!(arg, Arg::Keyword(..) | Arg::KeywordSplat(_))) {
            return Err(self.error("a positional argument follows a keyword argument", self.current().at));
        }
        Ok(Arg::Positional(self.expression()?))
    }

    /// Filters, tests and calls of their results.
    pub(super) fn filters(&mut self, mut expr: Expr) -> Result<Expr> {
        let mut length = 0;
        loop {
            if self.is_op("|") {
                self.advance()?;
                expr = self.one_filter(Some(expr))?;
            } else if self.is_word("is") {
                expr = self.test(expr)?;
            } else if self.is_op("(") {
                let start = expr.at;
                let args = self.arguments()?;
                expr = Expr { kind: ExprKind::Call(Box::new(Call { callee: expr, args })), at: self.since(start) };
            } else {
                return Ok(expr);
            }
            length = self.longer(length)?;
        }
    }

    /// `| a | b(1)` after `first`; nothing if there is neither.
    pub(crate) fn filter_chain(&mut self, first: Option<Expr>) -> Result<Option<Expr>> {
        let mut expr = first;
        let mut length = 0;
        while self.skip_op("|")? {
            expr = Some(self.one_filter(expr)?);
            length = self.longer(length)?;
        }
        Ok(expr)
    }

    /// A filter from its name on.
    pub(crate) fn one_filter(&mut self, input: Option<Expr>) -> Result<Expr> {
        let start = input.as_ref().map_or(self.current().at, |input| input.at);
        let (name, name_at) = self.dotted_name()?;
        let args = if self.is_op("(") { self.arguments()? } else { Vec::new() };
        let kind = ExprKind::Filter(Box::new(Filter { input, name, name_at, args }));
        Ok(Expr { kind, at: self.since(start) })
    }

    fn dotted_name(&mut self) -> Result<(Arc<str>, Loc)> {
        let (name, at) = self.expect_name()?;
        if !self.is_op(".") {
            return Ok((name, at));
        }
        let mut full = name.to_string();
        while self.skip_op(".")? {
            full.push('.');
            full.push_str(&self.expect_name()?.0);
        }
        Ok((full.into(), self.since(at)))
    }

    fn test(&mut self, input: Expr) -> Result<Expr> {
        let start = input.at;
        self.advance()?;
        let negated = self.skip_word("not")?;
        let (name, name_at) = self.dotted_name()?;
        let args = if self.is_op("(") {
            self.arguments()?
        } else if self.starts_test_argument() {
            let primary = self.primary()?;
            vec![Arg::Positional(self.postfix(primary)?)]
        } else {
            Vec::new()
        };
        let kind = ExprKind::Test(Box::new(Test { input, name, name_at, args, negated }));
        Ok(Expr { kind, at: self.since(start) })
    }

    /// `is divisibleby 3`: an argument without parentheses.
    fn starts_test_argument(&self) -> bool {
        let token = self.current();
        let text = self.text_of(token);
        match token.kind {
            Kind::Name => !matches!(text, "else" | "or" | "and" | "if" | "is" | "in" | "not" | "recursive"),
            Kind::Str | Kind::Int | Kind::Float => true,
            Kind::Op => matches!(text, "[" | "{"),
            _ => false,
        }
    }
}
