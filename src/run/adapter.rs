//! The engine as templates see it: blocking calls into an asynchronous world.

use std::collections::HashMap;
use std::sync::Arc;
use std::thread::{self, ThreadId};

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::{DataType, Field};
use datafusion::arrow::json::LineDelimitedWriter;
use datafusion::arrow::util::display::{ArrayFormatter, FormatOptions};
use futures::TryStreamExt;
use parking_lot::Mutex;
use serde_json::Value as Json;
use tokio::runtime::Handle;

use crate::diag::{Diagnostic, Result, SourceFile, codes};
use crate::engine::{Engine, execution_error, type_name};
use crate::jinja::{Adapter, AdapterColumn, QueryTable};
use crate::node::Relation;
use crate::statement::{Executor, Trail};
use crate::warehouse::{Commit, Profiling};

/// [`Adapter`] over an [`Engine`]. Its methods block: they are called from threads that may.
pub struct EngineAdapter {
    engine: Arc<Engine>,
    runtime: Handle,
    database: String,
    invocation_id: String,
    /// Temporary tables that templates have made, by the thread that renders them.
    temporary: Mutex<HashMap<ThreadId, Arc<Trail>>>,
}

impl EngineAdapter {
    /// An adapter that waits on `runtime`.
    pub fn new(engine: Arc<Engine>, runtime: Handle, database: &str, invocation_id: &str) -> EngineAdapter {
        let (database, invocation_id) = (database.to_string(), invocation_id.to_string());
        EngineAdapter { engine, runtime, database, invocation_id, temporary: Mutex::default() }
    }

    /// What the template that this thread renders has left behind.
    fn trail(&self) -> Arc<Trail> {
        Arc::clone(self.temporary.lock().entry(thread::current().id()).or_default())
    }

    fn commit(&self) -> Commit {
        Commit::new("a query of a template", &self.invocation_id).profiled(Profiling::AsBefore)
    }
}

impl Adapter for EngineAdapter {
    fn query(&self, sql: &str) -> Result<QueryTable> {
        let file = SourceFile::new("a query of a template", sql.trim().trim_end_matches(';'));
        self.runtime.block_on(async {
            let meter = self.engine.meter()?;
            let trail = self.trail();
            let executor = Executor { engine: &self.engine, meter: &meter, commit: self.commit(), trail: &trail };
            let Some(stream) = executor.run(&file.path, &file.text).await? else {
                return Ok(QueryTable { affected: Some(trail.rows()), ..QueryTable::default() });
            };
            let schema = stream.schema();
            let batches: Vec<RecordBatch> = stream.try_collect().await.map_err(|error| execution_error(&error))?;
            let columns = schema
                .fields()
                .iter()
                .map(|field| AdapterColumn { name: field.name().clone(), data_type: type_name(field.data_type()) });
            let mut table = QueryTable { columns: columns.collect(), ..QueryTable::default() };
            for batch in &batches {
                table.rows.extend(rows(batch)?);
            }
            Ok(table)
        })
    }

    fn relation_kind(&self, relation: &Relation) -> Result<Option<String>> {
        let found = self.runtime.block_on(self.engine.warehouse.load(relation))?;
        Ok(found.map(|stored| stored.kind().to_string()))
    }

    fn columns(&self, relation: &Relation) -> Result<Vec<AdapterColumn>> {
        let schema = self.runtime.block_on(self.engine.schema_of(relation))?;
        let fields = schema.iter().flat_map(|schema| schema.fields().iter());
        let column =
            |field: &Arc<Field>| AdapterColumn { name: field.name().clone(), data_type: type_name(field.data_type()) };
        Ok(fields.map(column).collect())
    }

    fn relations(&self, schema: &str) -> Result<Vec<(Relation, String)>> {
        self.runtime.block_on(async {
            let mut out = Vec::new();
            for name in self.engine.warehouse.identifiers(schema).await? {
                let relation = Relation::new(&self.database, schema, &name);
                if let Some(stored) = self.engine.warehouse.load(&relation).await? {
                    out.push((relation, stored.kind().to_string()));
                }
            }
            Ok(out)
        })
    }

    fn drop_relation(&self, relation: &Relation) -> Result<()> {
        self.runtime.block_on(self.engine.warehouse.drop_relation(relation))?;
        self.engine.forget(relation);
        Ok(())
    }

    fn rename_relation(&self, from: &Relation, to: &Relation) -> Result<()> {
        self.runtime.block_on(async {
            let meter = self.engine.meter()?;
            let _alone = self.engine.changes.lock().await;
            let trail = Trail::default();
            let executor = Executor { engine: &self.engine, meter: &meter, commit: self.commit(), trail: &trail };
            executor.rename(from, to).await
        })
    }

    fn end_session(&self) -> Vec<Relation> {
        let trail = self.temporary.lock().remove(&thread::current().id());
        trail.map(|trail| trail.take_temporary()).unwrap_or_default()
    }
}

/// The rows of a batch as JSON values; what JSON has no type for is text.
fn rows(batch: &RecordBatch) -> Result<Vec<Vec<Json>>> {
    let failed = |error: &dyn std::fmt::Display| {
        Diagnostic::error(codes::SQL_EXECUTION, format!("a result cannot be shown to a template: {error}"))
    };
    let mut columns: Vec<Vec<Json>> = Vec::new();
    for (field, column) in batch.schema().fields().iter().zip(batch.columns()) {
        let is_json = field.data_type().is_nested() || field.data_type().is_numeric();
        let is_json = is_json && !field.data_type().is_decimal() || matches!(field.data_type(), DataType::Boolean);
        let values = if is_json {
            let single = RecordBatch::try_from_iter([("v", Arc::clone(column))]).map_err(|error| failed(&error))?;
            let mut writer = LineDelimitedWriter::new(Vec::new());
            writer.write(&single).and_then(|()| writer.finish()).map_err(|error| failed(&error))?;
            let text = String::from_utf8_lossy(&writer.into_inner()).into_owned();
            let line =
                |line: &str| serde_json::from_str::<Json>(line).ok().and_then(|mut v| v.get_mut("v").map(Json::take));
            text.lines().map(|text| line(text).unwrap_or(Json::Null)).collect()
        } else {
            let options = FormatOptions::default().with_timestamp_format(Some("%Y-%m-%d %H:%M:%S%.f"));
            let formatter = ArrayFormatter::try_new(column, &options).map_err(|error| failed(&error))?;
            (0..batch.num_rows())
                .map(|row| match column.is_null(row) {
                    true => Json::Null,
                    false => Json::String(formatter.value(row).to_string()),
                })
                .collect()
        };
        columns.push(values);
    }
    Ok((0..batch.num_rows()).map(|row| columns.iter().map(|column| column[row].clone()).collect()).collect())
}
