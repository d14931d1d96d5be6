//! Expressions, by precedence: `if else`, `or`, `and`, `not`, comparison, `+ -`, `~`, `* / // %`, `**`, unary, postfix
//! and filters.

use std::sync::Arc;

use super::ast::{BinaryOp, CompareOp, Expr, ExprKind, IfElse, Loc};
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
    pub(super) fn since(&self, start: Loc) -> Loc {
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

    pub(super) fn primary(&mut self) -> Result<Expr> {
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
}

/// A literal with an optional `0x`, `0o` or `0b` and `_` between digits.
pub(super) fn parse_int(text: &str) -> Option<i64> {
    let clean = text.replace('_', "");
    let radix = match clean.get(..2) {
        Some("0x" | "0X") => 16,
        Some("0o" | "0O") => 8,
        Some("0b" | "0B") => 2,
        _ => return clean.parse().ok(),
    };
    i64::from_str_radix(&clean[2..], radix).ok()
}
