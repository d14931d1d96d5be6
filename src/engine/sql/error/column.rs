//! Columns and fields that are not there.

use datafusion::common::Column;

use super::labelled;
use super::text::Words;
use crate::diag::{Diagnostic, Span, codes};
use crate::stdx::closest;

/// How many names of columns a note lists.
const LISTED: usize = 12;

/// A column that none of `valid` is.
pub(super) fn not_found(field: &Column, valid: &[Column], span: Option<Span>, words: &Words<'_>) -> Box<Diagnostic> {
    let relation = field.relation.as_ref().map(|relation| relation.table());
    let span = span.or_else(|| words.column(relation, &field.name));
    let similar: Vec<&str> = valid.iter().map(Column::name).filter(|name| same(name, &field.name)).collect();
    if similar.len() > 1 && similar.iter().any(|name| *name != similar[0]) {
        return labelled(ambiguous(field.name(), &similar), span);
    }
    let Some(relation) = relation else {
        return labelled(missing(field.name(), None, valid.iter().map(Column::name)), span);
    };
    let belongs = |column: &&Column| column.relation.as_ref().is_some_and(|other| same(other.table(), relation));
    let columns: Vec<&str> = valid.iter().filter(belongs).map(Column::name).collect();
    if !columns.is_empty() {
        return labelled(missing(field.name(), Some(relation), columns), span);
    }
    let mut relations: Vec<&str> = Vec::new();
    for table in valid.iter().filter_map(|column| column.relation.as_ref()).map(|relation| relation.table()) {
        if !relations.contains(&table) {
            relations.push(table);
        }
    }
    let structs = valid.iter().any(|column| same(column.name(), relation));
    let message = match structs {
        true => format!("`{relation}` has no field `{}`", field.name()),
        false => format!("`{}.{}` not found: no relation `{relation}` is in sight", relation, field.name()),
    };
    let help =
        closest(relation, relations.iter().copied()).map(|other| format!("did you mean `{other}.{}`?", field.name()));
    let diagnostic = labelled(Diagnostic::error(codes::COLUMN_NOT_FOUND, message), span).maybe_help(help);
    if relations.is_empty() || structs {
        diagnostic
    } else {
        diagnostic.note(format!("in sight: {}", list(&relations)))
    }
}

/// A field that a struct does not have.
pub(super) fn field_not_found(name: &str, span: Option<Span>, words: &Words<'_>) -> Box<Diagnostic> {
    let span = span.or_else(|| words.column(None, name)).or_else(|| words.text(name));
    labelled(Diagnostic::error(codes::COLUMN_NOT_FOUND, format!("the struct has no field `{name}`")), span)
}

fn missing<'a>(name: &str, relation: Option<&str>, valid: impl IntoIterator<Item = &'a str>) -> Box<Diagnostic> {
    let mut names: Vec<&str> = Vec::new();
    for other in valid {
        if !names.contains(&other) {
            names.push(other);
        }
    }
    let of = relation.map(|relation| format!(" in `{relation}`")).unwrap_or_default();
    let diagnostic = Diagnostic::error(codes::COLUMN_NOT_FOUND, format!("column `{name}` not found{of}"));
    let help = closest(name, names.iter().copied()).map(|other| format!("did you mean `{other}`?"));
    if names.is_empty() { diagnostic } else { diagnostic.note(format!("there are: {}", list(&names))) }.maybe_help(help)
}

fn ambiguous(name: &str, similar: &[&str]) -> Box<Diagnostic> {
    let message = format!("column `{name}` is ambiguous: names differ by case alone");
    Diagnostic::error(codes::COLUMN_NOT_FOUND, message)
        .note(format!("there are: {}", list(similar)))
        .help("spell the name exactly as it is")
}

fn list(names: &[&str]) -> String {
    let mut list = names.iter().take(LISTED).map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    if names.len() > LISTED {
        list.push_str(&format!(" and {} more", names.len() - LISTED));
    }
    list
}

fn same(a: &str, b: &str) -> bool {
    a.to_lowercase() == b.to_lowercase()
}
