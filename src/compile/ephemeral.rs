//! Ephemeral models: their queries become common table expressions of those who read them.

use std::ops::Range;
use std::sync::Arc;

use crate::diag::{Diagnostic, Result, codes};
use crate::jinja::{EPHEMERAL_PREFIX, SourceMap, World, cte_name};

/// A common table expression.
pub(super) struct Cte {
    /// Its name.
    pub(super) name: String,
    /// Its query.
    pub(super) query: String,
    /// Where the query comes from: the map of the text that it was cut out of, and where it begins there. Rows of a unit
    /// test have none.
    pub(super) from: Option<(SourceMap, usize)>,
}

/// A common table expression that was put into a text, and where its query stands there.
#[derive(Debug, Clone)]
pub(super) struct Injected {
    pub(super) range: Range<usize>,
    pub(super) from: Option<(SourceMap, usize)>,
}

/// What was put into a text: from where on, how many bytes, and which queries these hold.
#[derive(Debug, Clone)]
pub(super) struct Injection {
    pub(super) at: usize,
    pub(super) len: usize,
    pub(super) queries: Vec<Injected>,
}

/// The expressions for `wanted` and for what they read themselves, parents first.
pub(super) fn collect(world: &Arc<World>, wanted: Vec<String>) -> Result<Vec<Cte>> {
    let mut done = Vec::new();
    let mut ctes = Vec::new();
    for id in wanted {
        visit(world, &id, &mut done, &mut ctes)?;
    }
    Ok(ctes)
}

fn visit(world: &Arc<World>, id: &str, done: &mut Vec<String>, ctes: &mut Vec<Cte>) -> Result<()> {
    if done.iter().any(|other| other == id) {
        return Ok(());
    }
    done.push(id.to_string());
    let found = world.resolved.as_ref().and_then(|resolved| resolved.manifest.find(id));
    let node = found.ok_or_else(|| Diagnostic::error(codes::INTERNAL, format!("ephemeral model `{id}` is gone")))?;
    let (rendered, parents, _) = super::render(world, node, None)?;
    for parent in parents {
        visit(world, &parent, done, ctes)?;
    }
    let query = rendered.text.trim().trim_end_matches(';').to_string();
    let start = rendered.text.len() - rendered.text.trim_start().len();
    let name = format!("{EPHEMERAL_PREFIX}{}", cte_name(node));
    ctes.push(Cte { name, query, from: Some((rendered.map, start)) });
    Ok(())
}

/// `sql` with `ctes` in front: a `with` of its own, or the first entries of the one that is there. Also says where they
/// were put.
pub(super) fn inject(sql: String, ctes: Vec<Cte>) -> (String, Option<Injection>) {
    if ctes.is_empty() {
        return (sql, None);
    }
    let (at, before, after) = match after_with(&sql) {
        Some(at) => (at, " ", ","),
        None => (start_of_query(&sql), "with ", " "),
    };
    let mut text = before.to_string();
    let mut queries = Vec::with_capacity(ctes.len());
    for (index, Cte { name, query, from }) in ctes.into_iter().enumerate() {
        let comma = if index == 0 { "" } else { ", " };
        text.push_str(&format!("{comma}{name} as (\n"));
        let start = at + text.len();
        text.push_str(&query);
        queries.push(Injected { range: start..at + text.len(), from });
        text.push_str("\n)");
    }
    text.push_str(after);
    let mut out = sql;
    out.insert_str(at, &text);
    (out, Some(Injection { at, len: text.len(), queries }))
}

/// The offset behind `with` or `with recursive`, if the query starts with one.
fn after_with(sql: &str) -> Option<usize> {
    let start = start_of_query(sql);
    let with_end = word_end(sql, start, "with")?;
    let next = skip_blanks(sql, with_end);
    Some(word_end(sql, next, "recursive").unwrap_or(with_end))
}

fn start_of_query(sql: &str) -> usize {
    skip_blanks(sql, 0)
}

/// The end of `word` at `start`, if it stands there as a whole word.
fn word_end(sql: &str, start: usize, word: &str) -> Option<usize> {
    let end = start + word.len();
    let text = sql.get(start..end)?;
    let next = sql[end..].chars().next();
    let is_whole = next.is_none_or(|c| !(c.is_alphanumeric() || c == '_'));
    (text.eq_ignore_ascii_case(word) && is_whole).then_some(end)
}

/// The first offset from `at` that is neither blank nor comment.
fn skip_blanks(sql: &str, mut at: usize) -> usize {
    loop {
        let rest = &sql[at..];
        let trimmed = rest.trim_start();
        at += rest.len() - trimmed.len();
        if trimmed.starts_with("--") {
            at += trimmed.find('\n').map_or(trimmed.len(), |end| end + 1);
        } else if trimmed.starts_with("/*") {
            at += trimmed.find("*/").map_or(trimmed.len(), |end| end + 2);
        } else {
            return at;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn injected(sql: &str) -> String {
        let cte = Cte { name: "__dbt__cte__a".into(), query: "select 1".into(), from: None };
        inject(sql.to_string(), vec![cte]).0
    }

    #[test]
    fn joins_the_with_that_is_there() {
        assert_eq!(
            injected("-- with x\nWITH b as (select 2) select * from b"),
            "-- with x\nWITH __dbt__cte__a as (\nselect 1\n), b as (select 2) select * from b"
        );
        assert_eq!(
            injected("with recursive b as (select 2) select 1"),
            "with recursive __dbt__cte__a as (\nselect 1\n), b as (select 2) select 1"
        );
    }

    #[test]
    fn makes_one_where_there_is_none() {
        assert_eq!(injected("/* x */ select 3"), "/* x */ with __dbt__cte__a as (\nselect 1\n) select 3");
        assert_eq!(injected("within_x"), "with __dbt__cte__a as (\nselect 1\n) within_x");
    }
}
