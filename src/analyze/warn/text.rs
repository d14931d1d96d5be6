//! What the resolver noticed: tables and columns that nobody reads, wildcards in contracts.

use super::Warnings;
use crate::check::has_contract;
use crate::diag::{Diagnostic, codes};
use crate::engine::sql::text_span;
use crate::jinja::EPHEMERAL_PREFIX;

pub(super) fn look(warnings: &mut Warnings<'_>) {
    let planned = warnings.planned;
    let notes = &planned.notes;
    let file = &planned.compiled.sql;
    for (name, span) in notes.unused_ctes.iter().filter(|(name, _)| !name.starts_with(EPHEMERAL_PREFIX)) {
        let Some(span) = text_span(file, *span) else { continue };
        warnings.warn(
            Diagnostic::warning(codes::UNUSED_CTE, format!("`{name}` is never read"))
                .label(span, "this common table expression")
                .help("remove it, or read it"),
        );
    }
    for (owner, name, span) in &notes.unused_columns {
        let Some(span) = text_span(file, *span) else { continue };
        if owner.starts_with(EPHEMERAL_PREFIX) {
            continue;
        }
        let owner = if owner == "a subquery" { owner.clone() } else { format!("`{owner}`") };
        let message = match name.is_empty() {
            true => format!("a column of {owner} is never used"),
            false => format!("column `{name}` of {owner} is never used"),
        };
        warnings.warn(
            Diagnostic::warning(codes::UNUSED_COLUMN, message)
                .label(span, "computed here")
                .help("leave it out, or use it"),
        );
    }
    if has_contract(warnings.node) {
        for star in notes.stars.iter().filter_map(|star| text_span(file, *star)) {
            let message =
                format!("the contract of `{}` depends on all columns of another relation", warnings.node.name);
            warnings.warn(
                Diagnostic::warning(codes::STAR_IN_CONTRACT, message)
                    .label(star, "a column that is added or renamed there breaks this model")
                    .help("name the columns that the contract promises"),
            );
        }
    }
}
