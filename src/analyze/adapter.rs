//! The engine as templates see it in an analysis.
//!
//! Questions about columns and kinds are answered from the predictions. A query is first planned against them, so that
//! one that cannot be right is an error; then it runs on what is built, as in `compile`. What it finds may be other rows
//! than a build would find: the node is marked as one that has looked ([`Trace::queried`]). If the answer is not there,
//! or if the template would change something, rendering stops, and the node is not checked.

use std::collections::HashMap;
use std::sync::Arc;
use std::thread::{self, ThreadId};

use datafusion::arrow::datatypes::FieldRef;
use parking_lot::Mutex;
use tokio::runtime::Handle;

use crate::diag::{Diagnostic, Result, Shelf, SourceFile, codes};
use crate::engine::{Engine, sql, type_name};
use crate::jinja::{Adapter, AdapterColumn, QueryTable};
use crate::node::Relation;

/// An [`Adapter`] over predictions.
pub struct PredictingAdapter {
    /// Plans against predictions.
    engine: Arc<Engine>,
    /// Answers from what is there.
    real: Arc<dyn Adapter>,
    runtime: Handle,
    /// What the template that a thread renders has asked.
    traces: Mutex<HashMap<ThreadId, Trace>>,
}

/// What one rendering has asked.
#[derive(Debug, Default)]
pub(super) struct Trace {
    /// The node's own relation, and whether the rendering takes it for built; none: it is what the warehouse says.
    this: Option<(Relation, bool)>,
    /// Relations that queries have read.
    pub(super) queried: Vec<Relation>,
    /// It has asked which relations there are.
    pub(super) listed: bool,
    /// Why a question could not be answered.
    pub(super) unanswered: Option<String>,
}

impl PredictingAdapter {
    /// An adapter over `engine`, which predicts, and over `real`, which reads what is built.
    pub fn new(engine: Arc<Engine>, real: Arc<dyn Adapter>, runtime: Handle) -> PredictingAdapter {
        PredictingAdapter { engine, real, runtime, traces: Mutex::default() }
    }

    /// Begins a rendering on this thread.
    pub(super) fn begin(&self, this: Option<(Relation, bool)>) {
        self.traces.lock().insert(thread::current().id(), Trace { this, ..Trace::default() });
    }

    /// Ends the rendering on this thread.
    pub(super) fn end(&self) -> Trace {
        self.traces.lock().remove(&thread::current().id()).unwrap_or_default()
    }

    fn note(&self, change: impl FnOnce(&mut Trace)) {
        if let Some(trace) = self.traces.lock().get_mut(&thread::current().id()) {
            change(trace);
        }
    }

    /// Stops the rendering: what it asks cannot be known.
    fn unanswered<T>(&self, why: String) -> Result<T> {
        let error = Diagnostic::error(codes::RELATION_NOT_BUILT, why.clone());
        self.note(|trace| {
            trace.unanswered.get_or_insert(why);
        });
        Err(error)
    }

    /// Whether the rendering takes `relation`, its own, for built.
    fn this(&self, relation: &Relation) -> Option<bool> {
        let traces = self.traces.lock();
        let (this, exists) = traces.get(&thread::current().id())?.this.as_ref()?;
        this.is(relation).then_some(*exists)
    }
}

impl Adapter for PredictingAdapter {
    fn query(&self, sql: &str) -> Result<QueryTable> {
        let file = SourceFile::new("a query of a template", sql.trim().trim_end_matches(';'));
        if !file.text.is_empty() && !is_query(&file)? {
            return self.unanswered("its template runs a statement that changes something".into());
        }
        match self.runtime.block_on(self.engine.plan_reading(&self.engine.state(), &file)) {
            Ok(planned) => self.note(|trace| trace.queried.extend(planned.reads)),
            Err(errors) => match errors.into_iter().next() {
                Some(error) if error.code.shelf == Shelf::User => return Err(Box::new(error)),
                Some(error) => return self.unanswered(format!("a query of its template cannot be answered: {error}")),
                None => {}
            },
        }
        match self.real.query(sql) {
            Ok(table) => Ok(table),
            Err(error) => self.unanswered(format!("a query of its template cannot be answered: {error}")),
        }
    }

    fn relation_kind(&self, relation: &Relation) -> Result<Option<String>> {
        if let Some(exists) = self.this(relation) {
            return Ok(exists.then(|| "table".to_string()));
        }
        match self.engine.prediction(relation) {
            Some((_, kind)) => Ok(Some(kind.into())),
            None => self.real.relation_kind(relation),
        }
    }

    fn columns(&self, relation: &Relation) -> Result<Vec<AdapterColumn>> {
        if self.this(relation) == Some(false) {
            return Ok(Vec::new());
        }
        let schema = match self.engine.prediction(relation) {
            Some((schema, _)) => Some(schema),
            None => match self.runtime.block_on(self.engine.schema_of(relation)) {
                Ok(schema) => schema,
                Err(error) => return self.unanswered(format!("columns of `{relation}` are not known: {error}")),
            },
        };
        if schema.is_none() && self.engine.builder_of(relation).is_some() {
            return self
                .unanswered(format!("its template asks for the columns of `{relation}`, which was never built"));
        }
        let fields = schema.iter().flat_map(|schema| schema.fields().iter());
        let column =
            |field: &FieldRef| AdapterColumn { name: field.name().clone(), data_type: type_name(field.data_type()) };
        Ok(fields.map(column).collect())
    }

    fn relations(&self, schema: &str) -> Result<Vec<(Relation, String)>> {
        self.note(|trace| trace.listed = true);
        self.real.relations(schema)
    }

    fn drop_relation(&self, _relation: &Relation) -> Result<()> {
        self.unanswered("its template drops a relation".into())
    }

    fn rename_relation(&self, _from: &Relation, _to: &Relation) -> Result<()> {
        self.unanswered("its template renames a relation".into())
    }
}

/// True for a statement that only reads.
fn is_query(file: &Arc<SourceFile>) -> Result<bool> {
    let statement = sql::parse_file(file)?;
    Ok(sql::is_query(&statement))
}
