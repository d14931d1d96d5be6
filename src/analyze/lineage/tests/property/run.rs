//! Rows of queries over tables of which some columns were changed.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Date32Array, Int64Array, ListArray, StringArray, StructArray,
    new_null_array,
};
use arrow::datatypes::{DataType, Date32Type, Int64Type};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use datafusion::logical_expr::LogicalPlan;
use datafusion::prelude::SessionContext;

use super::super::{Tables, plan, runtime, session, tables};

/// A column of a table, or a field of one.
#[derive(Debug, Clone)]
pub(super) struct Leaf {
    pub(super) table: &'static str,
    pub(super) column: String,
    pub(super) path: Vec<String>,
    data_type: DataType,
}

impl Leaf {
    /// True if [`Leaf::marked`] can be told from the text of a value.
    pub(super) fn has_marks(&self) -> bool {
        matches!(self.data_type, DataType::Int64 | DataType::Utf8)
    }

    /// What [`Change::Marked`] makes of a value that is shown as `value`.
    pub(super) fn marked(&self, value: &str) -> String {
        match &self.data_type {
            _ if value == "NULL" => value.to_string(),
            DataType::Int64 => (value.parse::<i64>().expect("a number") * 1000 + 7).to_string(),
            DataType::Utf8 => format!("{value}~"),
            _ => value.to_string(),
        }
    }
}

/// What is done with a column.
#[derive(Debug, Clone, Copy)]
pub(super) enum Change {
    /// Every value is null.
    Empty,
    /// Other values, in another order.
    Other,
    /// Every number and text is another one; equal ones stay equal.
    Marked,
}

/// Every leaf of every table. Lists count as one.
pub(super) fn leaves() -> Vec<Leaf> {
    let mut out = Vec::new();
    for (table, batch) in tables() {
        for field in batch.schema().fields() {
            add(table, field.name(), Vec::new(), field.data_type(), &mut out);
        }
    }
    out
}

fn add(table: &'static str, column: &str, path: Vec<String>, data_type: &DataType, out: &mut Vec<Leaf>) {
    match data_type {
        DataType::Struct(fields) => {
            for field in fields {
                let path = path.iter().chain([field.name()]).cloned().collect();
                add(table, column, path, field.data_type(), out);
            }
        }
        _ => out.push(Leaf { table, column: column.to_string(), path, data_type: data_type.clone() }),
    }
}

pub(super) struct Tester {
    runtime: tokio::runtime::Runtime,
    context: SessionContext,
    tables: Tables,
}

impl Tester {
    pub(super) fn new() -> Tester {
        Tester { runtime: runtime(), context: session(&tables()), tables: tables() }
    }

    pub(super) fn plan(&self, sql: &str) -> Result<LogicalPlan, String> {
        self.runtime.block_on(plan(&self.context, sql))
    }

    /// The rows of `sql` as text, sorted, with `leaves` changed.
    pub(super) fn rows(&self, sql: &str, leaves: &[Leaf], change: Change) -> Result<Vec<Vec<String>>, String> {
        let tables: Tables =
            self.tables.iter().map(|(name, batch)| (*name, changed(name, batch, leaves, change))).collect();
        for (name, batch) in &tables {
            self.context.deregister_table(*name).expect("the table");
            self.context.register_batch(*name, batch.clone()).expect("a free name");
        }
        let batches = self.runtime.block_on(async {
            let plan = plan(&self.context, sql).await?;
            let rows = async { self.context.execute_logical_plan(plan).await?.collect().await };
            rows.await.map_err(|error| error.to_string())
        })?;
        let mut rows = Vec::new();
        let options = FormatOptions::default().with_null("NULL");
        for batch in &batches {
            let shown = batch.columns().iter().map(|column| ArrayFormatter::try_new(column.as_ref(), &options));
            let shown = shown.collect::<Result<Vec<_>, _>>().map_err(|error| error.to_string())?;
            for row in 0..batch.num_rows() {
                rows.push(shown.iter().map(|cells| cells.value(row).to_string()).collect());
            }
        }
        rows.sort();
        Ok(rows)
    }
}

fn changed(
    table: &str,
    batch: &arrow::array::RecordBatch,
    leaves: &[Leaf],
    change: Change,
) -> arrow::array::RecordBatch {
    let mut columns = batch.columns().to_vec();
    for leaf in leaves.iter().filter(|leaf| leaf.table == table) {
        let at = batch.schema().index_of(&leaf.column).expect("a column");
        columns[at] = inside(&columns[at], &leaf.path, change);
    }
    arrow::array::RecordBatch::try_new(batch.schema(), columns).expect("the same schema")
}

fn inside(array: &ArrayRef, path: &[String], change: Change) -> ArrayRef {
    let Some((field, rest)) = path.split_first() else { return altered(array, change) };
    let parts = array.as_struct();
    let at = parts.column_names().iter().position(|name| name == field).expect("a field");
    let mut columns = parts.columns().to_vec();
    columns[at] = inside(&columns[at], rest, change);
    Arc::new(StructArray::new(parts.fields().clone(), columns, parts.nulls().cloned()))
}

fn altered(array: &ArrayRef, change: Change) -> ArrayRef {
    if let (Change::Empty, _) | (Change::Other, DataType::List(_)) = (change, array.data_type()) {
        return new_null_array(array.data_type(), array.len());
    }
    let is_marked = matches!(change, Change::Marked);
    match array.data_type() {
        DataType::Int64 => {
            let values = array.as_primitive::<Int64Type>().values();
            let number =
                |at: usize| if is_marked { values[at] * 1000 + 7 } else { 3 * values[values.len() - 1 - at] + 1 };
            Arc::new(Int64Array::from_iter_values((0..values.len()).map(number)))
        }
        DataType::Date32 => {
            let values = array.as_primitive::<Date32Type>().values();
            let day = |at: usize| if is_marked { values[at] + 1000 } else { values[values.len() - 1 - at] - 40 };
            Arc::new(Date32Array::from_iter_values((0..values.len()).map(day)))
        }
        DataType::Utf8 => {
            let values: Vec<&str> = array.as_string::<i32>().iter().flatten().collect();
            let word = |at: usize| {
                if is_marked { format!("{}~", values[at]) } else { format!("other {}", values[values.len() - 1 - at]) }
            };
            Arc::new(StringArray::from_iter_values((0..values.len()).map(word)))
        }
        DataType::Boolean => {
            Arc::new(BooleanArray::from_iter(array.as_boolean().iter().map(|value| value.map(|value| !value))))
        }
        DataType::List(field) => {
            let list = array.as_list::<i32>();
            let values = match list.values().data_type() {
                DataType::Struct(fields) => {
                    let name = fields[0].name().clone();
                    inside(list.values(), &[name], change)
                }
                _ => altered(list.values(), change),
            };
            Arc::new(ListArray::new(Arc::clone(field), list.offsets().clone(), values, list.nulls().cloned()))
        }
        other => panic!("no values for {other}"),
    }
}
