//! Expressions, by precedence: `if else`, `or`, `and`, `not`, comparison, `+ -`, `~`, `* / // %`, `**`, unary, postfix
//! and filters.

use std::sync::Arc;

use super::ast::{Arg, BinaryOp, Call, CompareOp, Expr, ExprKind, Filter, IfElse, Loc, Slice, Test};
use super::lexer::Kind;
use super::parser::{Parser, Result};
use super::strings::unescape;

impl<'a> Parser<'a> {
    /// An expression without commas at its top.
    pub(crate) fn expression(&mut self) -> Result<Expr> {
        self.nested(Self::conditional)
    }

    /// One expression, or several with commas between them as a tuple. `conditional`: `if else` is allowed.
    pub(crate) fn tuple(&mut self, conditional: bool, ends: &[&str]) -> Result<Expr> {
        let part = |parser: &mut Self| if conditional { parser.expression() } else { parser.nested(Self::or) };
        let first = part(self)?;
        if !self.is_op(",") {
            return Ok(first);
        }
        let start = first.at;
        let mut items = vec![first];
        while self.skip_op(",")? {
            let ended = matches!(self.current().kind, Kind::PrintEnd | Kind::BlockEnd | Kind::Eof)
                || self.is_op(")")
                || self.is_op("]")
                || ends.iter().any(|end| self.is_word(end));
            if ended {
                break;
            }
            items.push(part(self)?);
        }
        Ok(Expr { kind: ExprKind::Tuple(items), at: self.since(start) })
    }

    /// From the start of `start` to the end of what was read.
    fn since(&self, start: Loc) -> Loc {
        Loc { start: start.start, end: self.last_end.max(start.start) }
    }

    fn conditional(&mut self) -> Result<Expr> {
        let mut expr = self.or()?;
        while self.skip_word("if")? {
            let start = expr.at;
            let condition = self.or()?;
            let other = if self.skip_word("else")? { Some(self.nested(Self::conditional)?) } else { None };
            let kind = ExprKind::IfElse(Box::new(IfElse { then: expr, condition, other }));
            expr = Expr { kind, at: self.since(start) };
        }
        Ok(expr)
    }

    fn or(&mut self) -> Result<Expr> {
        let first = self.and()?;
        if !self.is_word("or") {
            return Ok(first);
        }
        let start = first.at;
        let mut items = vec![first];
        while self.skip_word("or")? {
            items.push(self.and()?);
        }
        Ok(Expr { kind: ExprKind::Or(items), at: self.since(start) })
    }

    fn and(&mut self) -> Result<Expr> {
        let first = self.not()?;
        if !self.is_word("and") {
            return Ok(first);
        }
        let start = first.at;
        let mut items = vec![first];
        while self.skip_word("and")? {
            items.push(self.not()?);
        }
        Ok(Expr { kind: ExprKind::And(items), at: self.since(start) })
    }

    fn not(&mut self) -> Result<Expr> {
        if !self.is_word("not") {
            return self.compare();
        }
        let start = self.advance()?.at;
        let inner = self.nested(Self::not)?;
        Ok(Expr { kind: ExprKind::Not(Box::new(inner)), at: self.since(start) })
    }

    fn compare(&mut self) -> Result<Expr> {
        let first = self.sum()?;
        let start = first.at;
        let mut rest = Vec::new();
        while let Some(op) = self.compare_op()? {
            rest.push((op, self.sum()?));
        }
        if rest.is_empty() {
            return Ok(first);
        }
        Ok(Expr { kind: ExprKind::Compare(Box::new(first), rest), at: self.since(start) })
    }

    fn compare_op(&mut self) -> Result<Option<CompareOp>> {
        let token = self.current();
        let op = match (token.kind, self.text_of(token)) {
            (Kind::Op, "==") => CompareOp::Eq,
            (Kind::Op, "!=") => CompareOp::Ne,
            (Kind::Op, "<") => CompareOp::Lt,
            (Kind::Op, "<=") => CompareOp::Le,
            (Kind::Op, ">") => CompareOp::Gt,
            (Kind::Op, ">=") => CompareOp::Ge,
            (Kind::Name, "in") => CompareOp::In,
            (Kind::Name, "not") => {
                let next = self.peek()?;
                if next.kind != Kind::Name || self.text_of(next) != "in" {
                    return Ok(None);
                }
                self.advance()?;
                CompareOp::NotIn
            }
            _ => return Ok(None),
        };
        self.advance()?;
        Ok(Some(op))
    }

    /// A chain of operators of one precedence.
    fn chain(&mut self, part: fn(&mut Self) -> Result<Expr>, operator: fn(&str) -> Option<BinaryOp>) -> Result<Expr> {
        let first = part(self)?;
        let start = first.at;
        let mut rest = Vec::new();
        while self.current().kind == Kind::Op
            && let Some(op) = operator(self.text_of(self.current()))
        {
            self.advance()?;
            rest.push((op, part(self)?));
        }
        if rest.is_empty() {
            return Ok(first);
        }
        Ok(Expr { kind: ExprKind::Binary(Box::new(first), rest), at: self.since(start) })
    }

    fn sum(&mut self) -> Result<Expr> {
        self.chain(Self::concat, |op| match op {
            "+" => Some(BinaryOp::Add),
            "-" => Some(BinaryOp::Sub),
            _ => None,
        })
    }

    fn concat(&mut self) -> Result<Expr> {
        let first = self.product()?;
        if !self.is_op("~") {
            return Ok(first);
        }
        let start = first.at;
        let mut items = vec![first];
        while self.skip_op("~")? {
            items.push(self.product()?);
        }
        Ok(Expr { kind: ExprKind::Concat(items), at: self.since(start) })
    }

    fn product(&mut self) -> Result<Expr> {
        self.chain(Self::power, |op| match op {
            "*" => Some(BinaryOp::Mul),
            "/" => Some(BinaryOp::Div),
            "//" => Some(BinaryOp::FloorDiv),
            "%" => Some(BinaryOp::Mod),
            _ => None,
        })
    }

    fn power(&mut self) -> Result<Expr> {
        self.chain(|parser| parser.unary(true), |op| (op == "**").then_some(BinaryOp::Pow))
    }

    /// A sign binds tighter than filters, as in Jinja2: `-1|abs` is `(-1)|abs`.
    fn unary(&mut self, filters: bool) -> Result<Expr> {
        let mut expr = if self.is_op("-") || self.is_op("+") {
            let sign = self.advance()?;
            let inner = self.nested(|parser| parser.unary(false))?;
            let negative = self.text_of(sign) == "-";
            let kind = if negative { ExprKind::Neg(Box::new(inner)) } else { ExprKind::Pos(Box::new(inner)) };
            Expr { kind, at: self.since(sign.at) }
        } else {
            self.primary()?
        };
        expr = self.postfix(expr)?;
        if filters { self.filters(expr) } else { Ok(expr) }
    }

    fn primary(&mut self) -> Result<Expr> {
        let token = self.current();
        let text = self.text_of(token);
        let kind = match token.kind {
            Kind::Name => {
                self.advance()?;
                self.name(text)
            }
            Kind::Str => return self.string(),
            Kind::Int => {
                self.advance()?;
                ExprKind::Int(parse_int(text).ok_or_else(|| self.error("the number is too large", token.at))?)
            }
            Kind::Float => {
                self.advance()?;
                let number = text.replace('_', "").parse();
                ExprKind::Float(number.map_err(|_| self.error("not a number", token.at))?)
            }
            Kind::Op if text == "(" => return self.parenthesised(),
            Kind::Op if text == "[" => self.list()?,
            Kind::Op if text == "{" => self.dict()?,
            _ => return Err(self.unexpected(None)),
        };
        Ok(Expr { kind, at: self.since(token.at) })
    }

    fn name(&mut self, text: &'a str) -> ExprKind {
        match text {
            "true" | "True" => ExprKind::Bool(true),
            "false" | "False" => ExprKind::Bool(false),
            "none" | "None" => ExprKind::None,
            _ => {
                self.note_name(text);
                ExprKind::Name(self.intern(text))
            }
        }
    }

    fn string(&mut self) -> Result<Expr> {
        let start = self.current().at;
        let mut joined: Option<String> = None;
        let mut first: Option<Arc<str>> = None;
        while self.current().kind == Kind::Str {
            let token = self.advance()?;
            let raw = self.text_of(token);
            let inner = &raw[1..raw.len() - 1];
            let value: Arc<str> = if inner.contains('\\') { unescape(inner).into() } else { inner.into() };
            match (&first, &mut joined) {
                (None, _) => first = Some(value),
                (Some(one), None) => joined = Some(format!("{one}{value}")),
                (Some(_), Some(all)) => all.push_str(&value),
            }
        }
        let value = joined.map(Arc::from).or(first).unwrap_or_else(|| Arc::from(""));
        Ok(Expr { kind: ExprKind::Str(value), at: self.since(start) })
    }

    fn parenthesised(&mut self) -> Result<Expr> {
        let start = self.advance()?.at;
        if self.skip_op(")")? {
            return Ok(Expr { kind: ExprKind::Tuple(Vec::new()), at: self.since(start) });
        }
        let mut inner = self.nested(|parser| parser.tuple(true, &[]))?;
        self.expect_op(")")?;
        inner.at = self.since(start);
        Ok(inner)
    }

    fn list(&mut self) -> Result<ExprKind> {
        self.advance()?;
        let mut items = Vec::new();
        while !self.is_op("]") {
            if !items.is_empty() {
                self.expect_op(",")?;
                if self.is_op("]") {
                    break;
                }
            }
            items.push(self.expression()?);
        }
        self.expect_op("]")?;
        Ok(ExprKind::List(items))
    }

    fn dict(&mut self) -> Result<ExprKind> {
        self.advance()?;
        let mut items = Vec::new();
        while !self.is_op("}") {
            if !items.is_empty() {
                self.expect_op(",")?;
                if self.is_op("}") {
                    break;
                }
            }
            let key = self.expression()?;
            self.expect_op(":")?;
            items.push((key, self.expression()?));
        }
        self.expect_op("}")?;
        Ok(ExprKind::Dict(items))
    }

    fn postfix(&mut self, mut expr: Expr) -> Result<Expr> {
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
    fn filters(&mut self, mut expr: Expr) -> Result<Expr> {
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

/// A literal with an optional `0x`, `0o` or `0b` and `_` between digits.
fn parse_int(text: &str) -> Option<i64> {
    let clean = text.replace('_', "");
    let radix = match clean.get(..2) {
        Some("0x" | "0X") => 16,
        Some("0o" | "0O") => 8,
        Some("0b" | "0B") => 2,
        _ => return clean.parse().ok(),
    };
    i64::from_str_radix(&clean[2..], radix).ok()
}
