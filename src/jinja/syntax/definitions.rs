//! Macros, tests and materializations.

use std::sync::Arc;

use super::ast::{ExprKind, Loc, Macro, MacroKind, Param, Stmt};
use super::parser::{Parser, Result, Uses};

impl<'a> Parser<'a> {
    /// `{% macro name(params) %}body{% endmacro %}`, from after the word `macro`.
    pub(super) fn macro_block(&mut self, at: Loc) -> Result<Macro> {
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
    pub(super) fn finish_macro(
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
    pub(super) fn signature(&mut self) -> Result<Vec<Param>> {
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

    /// A whole `{% macro %}`, `{% test %}` or `{% materialization %}` block; the parser stands at its `{%`.
    pub(crate) fn definition(mut self) -> Result<Macro> {
        let begin = self.current().at;
        self.advance()?;
        let word_at = self.current().at;
        let word = self.text_of(self.current());
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
