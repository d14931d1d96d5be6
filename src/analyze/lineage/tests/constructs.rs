//! Golden lineage: a query of each construct, in `queries/*.sql`, statements apart by `;`.

use super::{drawn, lineage};

fn golden(name: &str, queries: &str) {
    let mut out = String::new();
    for query in queries.split(';').map(str::trim).filter(|query| !query.is_empty()) {
        out.push_str(&format!("{query}\n\n{}\n", drawn(&lineage(query))));
    }
    insta::with_settings!({ snapshot_path => "snapshots", prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!(name, out);
    });
}

#[test]
fn expressions() {
    golden("expressions", include_str!("queries/expressions.sql"));
}

#[test]
fn aggregates() {
    golden("aggregates", include_str!("queries/aggregates.sql"));
}

#[test]
fn joins() {
    golden("joins", include_str!("queries/joins.sql"));
}

#[test]
fn subqueries() {
    golden("subqueries", include_str!("queries/subqueries.sql"));
}

#[test]
fn windows() {
    golden("windows", include_str!("queries/windows.sql"));
}

#[test]
fn sets() {
    golden("sets", include_str!("queries/sets.sql"));
}

#[test]
fn nested() {
    golden("nested", include_str!("queries/nested.sql"));
}
