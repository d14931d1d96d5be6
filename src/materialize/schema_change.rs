//! `on_schema_change`: what happens when the query's columns are no longer the table's.

use datafusion::arrow::datatypes::{Field, SchemaRef};

use super::Job;
use super::input::Staged;
use crate::diag::{Diagnostic, Result, codes};
use crate::node::quote;

/// The columns of the target after this run, and where each comes from.
pub(super) struct Columns {
    /// Name, whether the old rows have it, whether the new ones do, and the type to cast to (SQL of `arrow_cast`).
    columns: Vec<Column>,
    /// True if the target's schema stays what it is.
    keeps_schema: bool,
}

struct Column {
    name: String,
    in_old: bool,
    in_new: bool,
    data_type: String,
}

impl Columns {
    /// True if the table's schema does not change.
    pub(super) fn keeps_schema(&self) -> bool {
        self.keeps_schema
    }

    /// The target's columns of an old row.
    pub(super) fn of_old(&self, row: &str) -> String {
        self.list(|column| if column.in_old { column.of(row) } else { column.null() })
    }

    /// The target's columns of a new row.
    pub(super) fn of_new(&self, row: &str) -> String {
        self.list(|column| if column.in_new { column.of(row) } else { column.null() })
    }

    /// The target's columns of an old row that a new one may have updated.
    pub(super) fn merged(&self, old: &str, new: &str, updates: &dyn Fn(&str) -> bool) -> String {
        self.list(|column| {
            let kept = if column.in_old { column.of(old) } else { column.null() };
            match column.in_new && updates(&column.name) {
                true => format!("case when {new}.__c360_new then {} else {kept} end", column.of(new)),
                false => kept,
            }
        })
    }

    fn list(&self, value: impl Fn(&Column) -> String) -> String {
        let items = self.columns.iter().map(|column| format!("{} as {}", value(column), quote(&column.name)));
        items.collect::<Vec<_>>().join(", ")
    }
}

impl Column {
    fn of(&self, row: &str) -> String {
        format!("arrow_cast({row}.{}, '{}')", quote(&self.name), self.data_type)
    }

    fn null(&self) -> String {
        format!("arrow_cast(null, '{}')", self.data_type)
    }
}

/// Compares the staged rows with the target and applies `on_schema_change`.
pub(super) async fn reconcile(job: &Job<'_>, staged: &Staged) -> Result<Columns> {
    let old = schema(job, job.relation).await?;
    let new = schema(job, &staged.relation).await?;
    let find = |schema: &SchemaRef, name: &str| {
        schema.fields().iter().find(|field| field.name().eq_ignore_ascii_case(name)).cloned()
    };
    let added: Vec<String> = names(&new).into_iter().filter(|name| find(&old, name).is_none()).collect();
    let gone: Vec<String> = names(&old).into_iter().filter(|name| find(&new, name).is_none()).collect();
    let retyped: Vec<String> = new
        .fields()
        .iter()
        .filter(|field| find(&old, field.name()).is_some_and(|other| other.data_type() != field.data_type()))
        .map(|field| field.name().clone())
        .collect();
    let policy = job.node.config.str("on_schema_change").unwrap_or("ignore");
    let (keep_gone, take_added, take_types) = match policy {
        "ignore" => (true, false, false),
        "append_new_columns" => (true, true, false),
        "sync_all_columns" => (false, true, true),
        "fail" if added.is_empty() && gone.is_empty() && retyped.is_empty() => (true, false, false),
        "fail" => return Err(changed(job, &added, &gone, &retyped)),
        other => {
            let span = job.node.config.span("on_schema_change").cloned().unwrap_or_else(|| job.node.place());
            return Err(Diagnostic::error(codes::BAD_CONFIG, format!("`on_schema_change` is `{other}`"))
                .label(span, "set here")
                .help("it can be ignore, fail, append_new_columns or sync_all_columns")
                .of_node(&job.node.unique_id));
        }
    };
    let mut columns = Vec::new();
    for field in old.fields() {
        let twin = find(&new, field.name());
        if twin.is_some() || keep_gone {
            let typed: &Field = if take_types { twin.as_deref().unwrap_or(field) } else { field };
            let data_type = typed.data_type().to_string();
            columns.push(Column { name: field.name().clone(), in_old: true, in_new: twin.is_some(), data_type });
        }
    }
    for name in added.iter().filter(|_| take_added) {
        if let Some(field) = find(&new, name) {
            let data_type = field.data_type().to_string();
            columns.push(Column { name: name.clone(), in_old: false, in_new: true, data_type });
        }
    }
    let keeps_schema =
        (added.is_empty() || !take_added) && (gone.is_empty() || keep_gone) && (retyped.is_empty() || !take_types);
    Ok(Columns { columns, keeps_schema })
}

async fn schema(job: &Job<'_>, relation: &crate::node::Relation) -> Result<SchemaRef> {
    job.engine.schema_of(relation).await?.ok_or_else(|| {
        Diagnostic::error(codes::RELATION_NOT_BUILT, format!("`{relation}` is gone")).of_node(&job.node.unique_id)
    })
}

fn names(schema: &SchemaRef) -> Vec<String> {
    schema.fields().iter().map(|field| field.name().clone()).collect()
}

fn changed(job: &Job<'_>, added: &[String], gone: &[String], retyped: &[String]) -> Box<Diagnostic> {
    let mut diagnostic =
        Diagnostic::error(codes::SCHEMA_CHANGED, format!("the columns of `{}` changed", job.node.name))
            .label(job.node.place(), "its query has other columns than its table");
    for (what, names) in [("new", added), ("gone", gone), ("of another type", retyped)] {
        if !names.is_empty() {
            diagnostic = diagnostic.note(format!("{what}: {}", names.join(", ")));
        }
    }
    diagnostic
        .help("run with --full-refresh to rebuild the table, or set on_schema_change to append_new_columns or sync_all_columns")
        .of_node(&job.node.unique_id)
}
