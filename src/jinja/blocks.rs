//! Splits a file into its blocks: macros, tests, materializations, snapshots, docs.
//!
//! The scanner reads tags, so block words inside of strings, comments and `raw` mean nothing. It goes on after a
//! mistake: what it understood comes back together with everything that is wrong.

use std::sync::Arc;

use crate::diag::{Diagnostic, Diagnostics, Result, SourceFile, Span, codes};

use super::syntax::ast::{Loc, Macro, Template};
use super::syntax::lexer::{Kind, LexError, Lexer, Token};
use super::syntax::parser::{parse_definition, parse_range};

/// What sort of block it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BlockKind {
    /// `{% macro %}`
    Macro,
    /// `{% test %}` or `{% data_test %}`
    Test,
    /// `{% materialization %}`
    Materialization,
    /// `{% snapshot %}`
    Snapshot,
    /// `{% docs %}`: text without any Jinja.
    Docs,
}

/// A block at the top level of a file.
#[derive(Debug, Clone)]
pub struct Block {
    /// What it is.
    pub kind: BlockKind,
    /// Its name as written.
    pub name: String,
    /// The file that it stands in.
    pub file: Arc<SourceFile>,
    /// The whole block, tags included.
    pub at: Loc,
    /// Its name.
    pub name_at: Loc,
    /// What stands between its tags.
    pub inner: Loc,
    /// The macro that it defines; absent for snapshots and docs, and where it could not be parsed.
    pub definition: Option<Arc<Macro>>,
}

impl Block {
    /// The place of the whole block.
    pub fn span(&self) -> Span {
        self.at.span(&self.file)
    }

    /// The place of its name.
    pub fn name_span(&self) -> Span {
        self.name_at.span(&self.file)
    }

    /// The text of the whole block.
    pub fn raw(&self) -> &str {
        &self.file.text[self.at.range()]
    }

    /// The text between its tags.
    pub fn inner_text(&self) -> &str {
        &self.file.text[self.inner.range()]
    }

    /// The inside as a template: for snapshots.
    pub fn template(&self) -> Result<Template> {
        parse_range(&self.file, &Arc::from(""), self.inner.start as usize, self.inner.end as usize)
    }
}

/// The blocks of a file and everything that is wrong with it.
#[derive(Debug, Default)]
pub struct Blocks {
    /// In the order of the file.
    pub blocks: Vec<Block>,
    /// With places in the file.
    pub diagnostics: Diagnostics,
}

impl Blocks {
    /// The macros that the blocks define.
    pub fn macros(&self) -> impl Iterator<Item = &Arc<Macro>> {
        self.blocks.iter().filter_map(|block| block.definition.as_ref())
    }
}

/// Finds the blocks of `file`; macros belong to `package`.
pub fn parse_blocks(file: &Arc<SourceFile>, package: &str) -> Blocks {
    let mut scanner = Scanner {
        file,
        package: Arc::from(package),
        lexer: Lexer::new(&file.text, 0, file.text.len()),
        out: Blocks::default(),
    };
    scanner.scan();
    scanner.out
}

/// The kind of block that a word starts, and the word that ends it.
fn opener(word: &str) -> Option<(BlockKind, &'static str)> {
    Some(match word {
        "macro" => (BlockKind::Macro, "endmacro"),
        "test" => (BlockKind::Test, "endtest"),
        "data_test" => (BlockKind::Test, "enddata_test"),
        "materialization" => (BlockKind::Materialization, "endmaterialization"),
        "snapshot" => (BlockKind::Snapshot, "endsnapshot"),
        "docs" => (BlockKind::Docs, "enddocs"),
        _ => return None,
    })
}

const ENDS: [&str; 6] = ["endmacro", "endtest", "enddata_test", "endmaterialization", "endsnapshot", "enddocs"];

struct Scanner<'a> {
    file: &'a Arc<SourceFile>,
    package: Arc<str>,
    lexer: Lexer<'a>,
    out: Blocks,
}

impl<'a> Scanner<'a> {
    fn text(&self, at: Loc) -> &'a str {
        &self.file.text[at.range()]
    }

    fn report(&mut self, diagnostic: Box<Diagnostic>) {
        self.out.diagnostics.push(diagnostic);
    }

    /// Reports a mistake inside of a tag and goes on after that tag.
    fn recover(&mut self, error: LexError) {
        let from = (error.at.end as usize).max(self.lexer.tag_start() + 2).min(self.file.text.len());
        let rest = self.file.text.get(from..).unwrap_or("");
        let end =
            rest.find("%}").into_iter().chain(rest.find("}}")).min().map_or(self.file.text.len(), |at| from + at + 2);
        self.report(Diagnostic::error(codes::JINJA_SYNTAX, error.message).label(error.at.span(self.file), ""));
        self.lexer.resume(end);
    }

    fn next(&mut self) -> Option<Token> {
        loop {
            match self.lexer.next() {
                Ok(token) if token.kind == Kind::Eof => return None,
                Ok(token) => return Some(token),
                Err(error) => self.recover(error),
            }
        }
    }

    fn scan(&mut self) {
        while let Some(token) = self.next() {
            if token.kind == Kind::BlockBegin {
                self.tag(token.at);
            }
        }
    }

    /// A tag of the top level, from after its `{%`.
    fn tag(&mut self, begin: Loc) {
        let Some(word) = self.next() else { return };
        let text = self.text(word.at);
        if word.kind != Kind::Name {
            return;
        }
        if let Some((kind, end)) = opener(text) {
            self.block(kind, end, begin, word.at);
        } else if ENDS.contains(&text) {
            let message = format!("`{{% {text} %}}` closes nothing");
            self.report(Diagnostic::error(codes::JINJA_SYNTAX, message).label(word.at.span(self.file), ""));
        } else if let Some(near) = misspelled(text) {
            let message = format!("unknown tag '{text}'");
            let diagnostic = Diagnostic::error(codes::JINJA_SYNTAX, message).label(word.at.span(self.file), "");
            self.report(diagnostic.help(format!("a tag named `{near}` exists")));
        }
    }

    fn block(&mut self, kind: BlockKind, end: &'static str, begin: Loc, word: Loc) {
        let found = self.out.diagnostics.iter().count();
        let Some(name) = self.next() else { return self.unclosed(word, end) };
        if name.kind != Kind::Name {
            let what = self.text(word);
            let message = format!("`{{% {what} %}}` needs a name");
            return self.report(Diagnostic::error(codes::JINJA_SYNTAX, message).label(name.at.span(self.file), ""));
        }
        let mut token = Some(name);
        while token.is_some_and(|token| token.kind != Kind::BlockEnd) {
            token = self.next();
        }
        let Some(head) = token else { return self.unclosed(word, end) };
        let close = if kind == BlockKind::Docs { self.end_of_docs(head.at.end as usize) } else { self.end_of(end) };
        let Some((inner_end, at_end)) = close else { return self.unclosed(word, end) };
        let at = Loc { start: begin.start, end: at_end };
        let inner = Loc { start: head.at.end, end: inner_end };
        let clean = self.out.diagnostics.iter().count() == found;
        let definition = (clean && !matches!(kind, BlockKind::Snapshot | BlockKind::Docs))
            .then(|| parse_definition(self.file, &self.package, at))
            .and_then(|result| self.out.diagnostics.take(result))
            .map(Arc::new);
        let name_text = self.text(name.at).to_string();
        let file = Arc::clone(self.file);
        self.out.blocks.push(Block { kind, name: name_text, file, at, name_at: name.at, inner, definition });
    }

    fn unclosed(&mut self, word: Loc, end: &str) {
        let what = self.text(word);
        let message = format!("`{{% {what} %}}` is not closed: `{{% {end} %}}` is missing");
        self.report(Diagnostic::error(codes::JINJA_SYNTAX, message).label(word.span(self.file), ""));
    }

    /// Where the tag `end` starts and ends. Nothing if the file or the next block comes first; the scanner then stands
    /// before that block.
    fn end_of(&mut self, end: &str) -> Option<(u32, u32)> {
        loop {
            let token = self.next()?;
            if token.kind != Kind::BlockBegin {
                continue;
            }
            let word = self.next()?;
            let text = self.text(word.at);
            if word.kind == Kind::Name && text == end {
                let start = self.lexer.tag_start() as u32;
                let mut token = word;
                while token.kind != Kind::BlockEnd {
                    token = self.next()?;
                }
                return Some((start, token.at.end));
            }
            if word.kind == Kind::Name && opener(text).is_some() {
                self.lexer.resume(self.lexer.tag_start());
                return None;
            }
        }
    }

    /// The same for docs, whose inside is not Jinja.
    fn end_of_docs(&mut self, from: usize) -> Option<(u32, u32)> {
        let text = &self.file.text;
        let mut at = from;
        while let Some(open) = text[at..].find("{%").map(|found| at + found) {
            let inside = text[open + 2..].trim_start_matches(['-', '+']).trim_start();
            if let Some(after) = inside.strip_prefix("enddocs") {
                let after = after.trim_start().trim_start_matches(['-', '+']);
                if let Some(rest) = after.strip_prefix("%}") {
                    let end = text.len() - rest.len();
                    self.lexer.resume(end);
                    return Some((open as u32, end as u32));
                }
            }
            at = open + 2;
        }
        self.lexer.resume(text.len());
        None
    }
}

/// The word of a block that was probably meant; nothing for tags that Jinja has.
fn misspelled(word: &str) -> Option<&'static str> {
    const KNOWN: [&str; 24] = [
        "set",
        "endset",
        "if",
        "elif",
        "else",
        "endif",
        "for",
        "endfor",
        "do",
        "call",
        "endcall",
        "with",
        "endwith",
        "filter",
        "endfilter",
        "raw",
        "endraw",
        "break",
        "continue",
        "import",
        "from",
        "include",
        "extends",
        "block",
    ];
    if KNOWN.contains(&word) || word == "endblock" {
        return None;
    }
    crate::stdx::closest(
        word,
        ["macro", "test", "data_test", "materialization", "snapshot", "docs"].into_iter().chain(ENDS),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> (Vec<(BlockKind, String)>, Vec<String>) {
        let found = parse_blocks(&SourceFile::new("macros/m.sql", text), "p");
        (
            found.blocks.iter().map(|block| (block.kind, block.name.clone())).collect(),
            found.diagnostics.iter().map(|item| format!("{} {}", item.labels[0].span, item.message)).collect(),
        )
    }

    #[test]
    fn finds_all_kinds() {
        let text = "{# {% macro no() %} #}\n{%- macro a(x, y=[1, 'b']) -%}{{ '{% endmacro %}' }}{% raw %}{% endmacro %}{% endraw %}{%- endmacro -%}\n\
            {% test positive(model, column_name) %}select 1{% endtest %}{% data_test other(model) %}{% enddata_test %}\n\
            {% materialization mat, adapter='duckdb', supported_languages=['sql', 'python'] %}x{% endmaterialization %}\n\
            {% set z = 1 %}{% snapshot snap %}{{ config(a=1) }}select{% endsnapshot %}{% docs d %}a {{ b %} {% c {% enddocs %}";
        let (found, wrong) = names(text);
        let expected = [
            (BlockKind::Macro, "a"),
            (BlockKind::Test, "positive"),
            (BlockKind::Test, "other"),
            (BlockKind::Materialization, "mat"),
            (BlockKind::Snapshot, "snap"),
            (BlockKind::Docs, "d"),
        ];
        assert_eq!(found, expected.map(|(kind, name)| (kind, name.to_string())));
        assert_eq!(wrong, Vec::<String>::new());
        let blocks = parse_blocks(&SourceFile::new("m.sql", text), "p");
        let macros: Vec<&str> = blocks.macros().map(|item| &*item.name).collect();
        assert_eq!(macros, ["a", "test_positive", "test_other", "materialization_mat_duckdb"]);
        assert_eq!(blocks.blocks[0].raw().len(), blocks.blocks[0].at.range().len());
        assert!(
            blocks.blocks[0].raw().starts_with("{%- macro a") && blocks.blocks[0].raw().ends_with("{%- endmacro -%}")
        );
        assert_eq!(blocks.blocks[4].inner_text(), "{{ config(a=1) }}select");
        assert_eq!(blocks.blocks[5].inner_text(), "a {{ b %} {% c ");
        assert_eq!(
            blocks.macros().last().map(|item| item.languages.clone()),
            Some(vec!["sql".into(), "python".into()])
        );
    }

    #[test]
    fn goes_on_after_mistakes() {
        let text = "{% macro a() %}x\n{% macro b() %}{{ 1 + }}{% endmacro %}\n{% macro c() %}{{ 'ok }}{% endmacro %}\n{% macro d() %}d{% endmacro %}{% endtest %}{% marco e() %}";
        let (found, wrong) = names(text);
        assert_eq!(found.iter().map(|(_, name)| name.as_str()).collect::<Vec<_>>(), ["b", "c", "d"]);
        assert_eq!(
            wrong,
            [
                "macros/m.sql:1:4 `{% macro %}` is not closed: `{% endmacro %}` is missing",
                "macros/m.sql:2:23 unexpected 'end of print statement'",
                "macros/m.sql:3:19 a string is not closed",
                "macros/m.sql:4:34 `{% endtest %}` closes nothing",
                "macros/m.sql:4:47 unknown tag 'marco'",
            ]
        );
        let blocks = parse_blocks(&SourceFile::new("m.sql", text), "p");
        assert_eq!(blocks.macros().map(|item| item.name.to_string()).collect::<Vec<_>>(), ["d"]);
    }
}
