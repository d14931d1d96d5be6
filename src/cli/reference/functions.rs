//! `functions.md`: the functions that c360 adds, from their catalogue.

use super::{check, table};
use crate::engine::functions::{Entry, catalog};

#[test]
fn functions_are_listed() {
    let mut entries: Vec<&Entry> = catalog().collect();
    entries.sort_by_key(|entry| entry.name);
    let code = |text: &str| format!("`{text}`");
    let row =
        |entry: &&Entry| vec![code(entry.signature), entry.doc.to_string(), code(entry.example), code(entry.result)];
    let rows: Vec<_> = entries.iter().map(row).collect();
    let out = format!(
        "# Functions\n\nSQL is planned by DataFusion, so its [scalar](https://datafusion.apache.org/user-guide/sql/scalar_functions.html), \
         [aggregate](https://datafusion.apache.org/user-guide/sql/aggregate_functions.html) and \
         [window functions](https://datafusion.apache.org/user-guide/sql/window_functions.html) are there, and those of Spark \
         where DataFusion has none of that name. These are added, or spelled as elsewhere, so that SQL of Spark, MySQL, \
         Postgres and DuckDB runs. Each example is run as a test.\n\n\
         Whole numbers never wrap around: a result that does not fit is an error ([C4007](../codes/C4007.md)).\n\n{}",
        table(&["function", "what", "example", "result"], rows)
    );
    check("functions.md", &out);
}
