//! Lineage of queries over small tables: what every construct of SQL gives (golden files), and whether it is true
//! (queries that are run on rows with a column taken away).

mod constructs;
mod property;

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, BooleanArray, Date32Array, Int64Array, ListArray, RecordBatch, StringArray, StructArray,
};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{DataType, Field, Fields, Schema};
use datafusion::common::TableReference;
use datafusion::logical_expr::LogicalPlan;
use datafusion::prelude::{SessionConfig, SessionContext};

use super::{Kind, Names, PlanLineage, Source, of_plan};
use crate::diag::SourceFile;
use crate::engine::{functions, sql};

type Tables = Vec<(&'static str, RecordBatch)>;

/// Every table of the tests is a node, called as it is; `__dbt__cte__x` is one called `x`.
struct TestNames;

impl Names for TestNames {
    fn relation(&self, table: &TableReference) -> Option<Arc<str>> {
        let known = tables().iter().any(|(name, _)| *name == table.table());
        (known || table.schema().is_some()).then(|| Arc::from(table.table()))
    }

    fn ephemeral(&self, cte: &str) -> Option<Arc<str>> {
        cte.strip_prefix("__dbt__cte__").map(Arc::from)
    }
}

struct TestCatalog(Tables);

impl sql::Catalog for TestCatalog {
    fn columns(&self, table: &[String]) -> Option<Vec<(String, DataType)>> {
        let name = table.last()?;
        let (_, batch) = self.0.iter().find(|(other, _)| other == name)?;
        Some(sql::columns_of(&batch.schema()))
    }
}

fn batch(columns: Vec<(&str, ArrayRef)>) -> RecordBatch {
    let fields: Vec<Field> =
        columns.iter().map(|(name, array)| Field::new(*name, array.data_type().clone(), true)).collect();
    let arrays = columns.into_iter().map(|(_, array)| array).collect();
    RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays).expect("columns of one length")
}

fn text(values: &[&str]) -> ArrayRef {
    Arc::new(StringArray::from(values.to_vec()))
}

fn numbers(values: &[i64]) -> ArrayRef {
    Arc::new(Int64Array::from(values.to_vec()))
}

fn structure(fields: Vec<(&str, ArrayRef)>) -> ArrayRef {
    let (names, arrays): (Vec<Field>, Vec<ArrayRef>) =
        fields.into_iter().map(|(name, array)| (Field::new(name, array.data_type().clone(), true), array)).unzip();
    Arc::new(StructArray::new(Fields::from(names), arrays, None))
}

fn list(values: ArrayRef, lengths: &[usize]) -> ArrayRef {
    let field = Arc::new(Field::new_list_field(values.data_type().clone(), true));
    Arc::new(ListArray::new(field, OffsetBuffer::from_lengths(lengths.iter().copied()), values, None))
}

fn tables() -> Tables {
    let source = structure(vec![
        ("Contract", text(&["A1", "B2", "A1", "C3"])),
        ("Deep", structure(vec![("Value", numbers(&[1, 2, 3, 4]))])),
    ]);
    let items = structure(vec![("Name", text(&["x", "y", "z", "x"])), ("Qty", numbers(&[1, 2, 3, 4]))]);
    vec![
        (
            "orders",
            batch(vec![
                ("id", numbers(&[1, 2, 3, 4, 5, 6])),
                ("customer_id", numbers(&[10, 10, 20, 20, 30, 40])),
                ("amount", numbers(&[100, 250, 75, 310, 60, 45])),
                ("tax", numbers(&[7, 11, 13, 17, 19, 23])),
                ("status", text(&["paid", "open", "paid", "paid", "open", "void"])),
                ("day", Arc::new(Date32Array::from(vec![19_000, 19_001, 19_001, 19_003, 19_004, 19_006]))),
            ]),
        ),
        (
            "customers",
            batch(vec![
                ("id", numbers(&[10, 20, 30, 50])),
                ("name", text(&["Ann", "Bob", "Cid", "Dee"])),
                ("email", text(&["a@x", "b@x", "c@y", "d@y"])),
                ("region", text(&["n", "s", "n", "w"])),
                ("active", Arc::new(BooleanArray::from(vec![true, false, true, true]))),
            ]),
        ),
        (
            "events",
            batch(vec![
                ("_source", source),
                ("Items", list(items, &[2, 0, 1, 1])),
                ("tags", list(text(&["p", "q", "r", "p"]), &[1, 1, 1, 1])),
                ("seq", numbers(&[4, 3, 2, 1])),
            ]),
        ),
        (
            "edges",
            batch(vec![("src", numbers(&[1, 2, 3])), ("dst", numbers(&[2, 3, 4])), ("cost", numbers(&[5, 7, 9]))]),
        ),
    ]
}

fn session(tables: &Tables) -> SessionContext {
    let mut config = SessionConfig::new().with_target_partitions(1).with_information_schema(false);
    config.options_mut().sql_parser.enable_ident_normalization = false;
    let context = SessionContext::new_with_config(config);
    functions::register(&context).expect("functions");
    for (name, batch) in tables {
        context.register_batch(TableReference::bare(*name), batch.clone()).expect("a free name");
    }
    context
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime")
}

async fn plan(context: &SessionContext, query: &str) -> Result<LogicalPlan, String> {
    let file = SourceFile::new("model.sql", query);
    sql::plan(&context.state(), &file, &TestCatalog(tables())).await.map_err(|error| error.to_string())
}

fn lineage(query: &str) -> PlanLineage {
    let context = session(&tables());
    let plan = runtime().block_on(plan(&context, query)).unwrap_or_else(|error| panic!("{query}: {error}"));
    of_plan(&plan, &TestNames).unwrap_or_else(|error| panic!("{query}: {error}"))
}

fn shown(source: &Source) -> String {
    let path: String =
        source.path.iter().map(|step| if step == "[]" { step.clone() } else { format!(".{step}") }).collect();
    format!("{}.{}{path}", source.node, source.column)
}

/// The lineage as lines: a column, its expression, its inputs.
fn drawn(lineage: &PlanLineage) -> String {
    let mut out = String::new();
    for column in &lineage.columns {
        let expression = column.expression.as_ref().map(|text| format!(" = {text}")).unwrap_or_default();
        let copy = if column.is_copy { " (copy)" } else { "" };
        out.push_str(&format!("  {}{expression}{copy}\n", column.name));
        for input in &column.inputs {
            let stops = if input.carries || !input.kind.is_direct() { "" } else { ", no values" };
            out.push_str(&format!("      {} {}{stops}\n", input.kind.as_str(), shown(&input.source)));
        }
    }
    if !lineage.rows.is_empty() {
        let rows: Vec<String> =
            lineage.rows.iter().map(|(source, kind)| format!("{} {}", kind.as_str(), shown(source))).collect();
        out.push_str(&format!("  rows: {}\n", rows.join(", ")));
    }
    out
}

#[test]
fn kinds_are_ordered_by_what_counts() {
    assert!(Kind::Condition < Kind::Window && Kind::Window < Kind::Copied);
    assert!(Kind::Copied < Kind::Transformed && Kind::Transformed < Kind::Aggregated);
}
