//! What the adapter answers with queries.

use std::sync::Arc;

use super::adapter::{Adapter, relation_of};
use crate::jinja::stop::{Result, fail};
use crate::jinja::value::{Args, Value};
use crate::node::quote;

/// The schemas of the warehouse.
pub(super) fn schemas(adapter: Option<&Arc<dyn Adapter>>) -> Result<Vec<Value>> {
    let Some(adapter) = adapter else { return Ok(Vec::new()) };
    let table = adapter.query("select distinct schema_name from information_schema.schemata order by 1")?;
    Ok(table.rows.iter().filter_map(|row| row.first()?.as_str().map(Value::str)).collect())
}

/// The query that counts how many rows two relations differ by, and how many of them differ.
pub(super) fn rows_different(adapter: Option<&Arc<dyn Adapter>>, args: Args) -> Result {
    let [a, b, names, operator] =
        args.bind("get_rows_different_sql", ["relation_a", "relation_b", "column_names", "except_operator"])?;
    let (Some(a), Some(b)) = (a.as_ref().and_then(relation_of), b.as_ref().and_then(relation_of)) else {
        return Err(fail("get_rows_different_sql() takes two relations"));
    };
    let mut columns: Vec<String> = match (names, adapter) {
        (Some(names), _) if !names.is_none() => names.items()?.iter().map(|name| quote(&name.text())).collect(),
        (_, Some(adapter)) => adapter.columns(&a)?.iter().map(|column| quote(&column.name)).collect(),
        (_, None) => Vec::new(),
    };
    columns.sort();
    let columns = columns.join(", ");
    let except = operator.map_or_else(|| "except".to_string(), |operator| operator.text().into_owned());
    let (a, b) = (a.render(), b.render());
    Ok(Value::str(format!(
        "with missing as (\n    (select {columns} from {a} {except} select {columns} from {b})\n    union all\n    \
         (select {columns} from {b} {except} select {columns} from {a})\n)\n\
         select (select count(*) from {a}) - (select count(*) from {b}) as row_count_difference, \
         (select count(*) from missing) as num_mismatched"
    )))
}
