//! `source:crm`, `source:crm.accounts`, `source:acme.crm.accounts`: source tables.

use super::{Call, Mask, Pattern, Result, Scope};
use crate::diag::{Diagnostic, codes};

pub(super) fn find(call: &Call<'_>, scope: &Scope<'_>) -> Result<Mask> {
    let parts: Vec<&str> = call.value.split('.').collect();
    let (package, source, table) = match parts[..] {
        [source] => ("*", source, "*"),
        [source, table] => ("*", source, table),
        [package, source, table] => (package, source, table),
        _ => {
            return Err(Diagnostic::error(codes::BAD_SELECTOR, format!("`{}` names no source", call.value))
                .label(call.span.clone(), "too many dots")
                .help("write `source`, `source.table` or `package.source.table`"));
        }
    };
    let (package, source, table) = (Pattern::new(package), Pattern::new(source), Pattern::new(table));
    Ok(scope.filter(|node| {
        node.as_source().is_some_and(|parts| {
            package.matches(&node.package) && source.matches(&parts.source_name) && table.matches(&node.name)
        })
    }))
}
