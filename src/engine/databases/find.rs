//! Which table of a server a declaration means: names match whatever their case.

use super::spec::DatabaseSpec;
use crate::diag::{Diagnostic, Result, codes};
use crate::stdx::closest;

/// A table or view of a server.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Candidate {
    pub(super) schema: Option<String>,
    pub(super) name: String,
    /// About how many rows it has.
    pub(super) rows: Option<u64>,
    /// It is in the schema that the connection uses.
    pub(super) is_default: bool,
}

/// The table that `spec` means.
///
/// # Errors
/// C5020 if there is none, or if several differ by case alone.
pub(super) fn choose(spec: &DatabaseSpec, candidates: Vec<Candidate>) -> Result<Candidate> {
    let wanted = spec.table.schema.as_deref();
    let in_wanted = |candidate: &Candidate| match (wanted, &candidate.schema) {
        (Some(wanted), Some(schema)) => schema.to_lowercase() == wanted.to_lowercase(),
        (Some(_), None) => false,
        (None, _) => candidate.is_default,
    };
    let is_there = candidates.iter().any(in_wanted);
    let chosen = |candidate: &Candidate| match !is_there && spec.table.guessed {
        true => candidate.is_default,
        false => in_wanted(candidate),
    };
    let (near, _): (Vec<Candidate>, Vec<Candidate>) = candidates.into_iter().partition(chosen);
    let name = &spec.table.name;
    if let Some(exact) = near.iter().find(|candidate| candidate.name == *name) {
        return Ok(exact.clone());
    }
    let folded: Vec<&Candidate> = near.iter().filter(|one| one.name.to_lowercase() == name.to_lowercase()).collect();
    match folded.as_slice() {
        [only] => Ok((*only).clone()),
        [] => Err(not_found(spec, &near)),
        [one, other, ..] => {
            let message = format!("`{name}` may be the table `{}` or `{}`", one.name, other.name);
            Err(Diagnostic::error(codes::SOURCE_DATABASE, message).help("spell the one that is meant in its case"))
        }
    }
}

fn not_found(spec: &DatabaseSpec, near: &[Candidate]) -> Box<Diagnostic> {
    let name = match &spec.table.schema {
        Some(schema) if !spec.table.guessed => format!("{schema}.{}", spec.table.name),
        _ => spec.table.name.clone(),
    };
    let message = format!("`{}` has no table `{name}`, or its user may not see it", spec.connection);
    let names: Vec<&str> = near.iter().map(|candidate| candidate.name.as_str()).collect();
    let close = closest(&spec.table.name, names.iter().copied());
    let shown: Vec<&str> = names.iter().copied().take(10).collect();
    let rest = if names.len() > shown.len() { ", ..." } else { "" };
    Diagnostic::error(codes::SOURCE_DATABASE, message)
        .maybe_help(close.map(|near| format!("a table named `{near}` exists")))
        .maybe_help((close.is_none() && !shown.is_empty()).then(|| format!("tables there: {}{rest}", shown.join(", "))))
        .maybe_help(names.is_empty().then_some("the database has no tables that this user may see"))
}
