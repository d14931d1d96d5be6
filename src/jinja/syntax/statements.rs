//! The statements, one function each.

use std::sync::Arc;

use super::ast::{CallBlock, ExprKind, FilterBlock, For, If, Loc, MacroKind, SetBlock, Stmt, Target, With};
use super::lexer::Kind;
use super::parser::{ParseError, Parser, Result};

impl<'a> Parser<'a> {
    pub(super) fn statement(&mut self) -> Result<Stmt> {
        let at = self.current().at;
        let word = self.text_of(self.current());
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
        if self.current().kind != Kind::BlockEnd {
            return Err(self.unexpected(Some("=")));
        }
        let body = self.block_body("set", at, &["endset"])?;
        self.advance()?;
        Ok(Stmt::SetBlock(Box::new(SetBlock { target, filter, body })))
    }

    fn with(&mut self, at: Loc) -> Result<Stmt> {
        let mut assignments = Vec::new();
        while self.current().kind != Kind::BlockEnd {
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

    /// `a`, `ns.a` (if `dotted`), `(a, b)`, or `a, b`.
    fn target(&mut self, dotted: bool) -> Result<Target> {
        let start = self.current().at;
        let first = self.single_target(dotted)?;
        if !self.is_op(",") {
            return Ok(first);
        }
        let mut items = vec![first];
        while self.skip_op(",")? {
            if self.is_op("=") || self.is_op(")") || self.is_word("in") || self.current().kind == Kind::BlockEnd {
                break;
            }
            items.push(self.single_target(dotted)?);
        }
        Ok(Target::Tuple(items, Loc { start: start.start, end: self.last_end }))
    }

    fn single_target(&mut self, dotted: bool) -> Result<Target> {
        if self.skip_op("(")? {
            let start = self.current().at;
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
