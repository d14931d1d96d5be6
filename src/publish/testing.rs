//! A table of a warehouse in a temporary folder, with as many versions as a test makes.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use datafusion::execution::SessionState;
use datafusion::prelude::SessionContext;
use futures::TryStreamExt;

use super::table::TableSource;
use crate::engine::{Engine, EngineOptions, SessionOptions};
use crate::node::Relation;
use crate::warehouse::{Commit, Stored, TableVersion};

/// Rows by key.
pub(super) type Model = BTreeMap<i64, Option<String>>;

/// A relation `main.mart` with the columns `id` and `name`.
pub(super) struct History {
    engine: Engine,
    relation: Relation,
    state: SessionState,
    folder: tempfile::TempDir,
}

/// `rows` as a batch.
pub(super) fn batch(rows: &Model) -> RecordBatch {
    let ids: ArrayRef = Arc::new(Int64Array::from_iter_values(rows.keys().copied()));
    let names: ArrayRef = Arc::new(StringArray::from_iter(rows.values().map(Option::as_deref)));
    RecordBatch::try_from_iter_with_nullable([("id", ids, true), ("name", names, true)]).expect("a batch")
}

/// A model of pairs.
pub(super) fn model(rows: &[(i64, &str)]) -> Model {
    rows.iter().map(|(id, name)| (*id, Some(name.to_string()))).collect()
}

impl History {
    pub(super) fn new() -> History {
        let folder = tempfile::tempdir().expect("a folder");
        let session = SessionOptions {
            database: "c360".into(),
            schema: "main".into(),
            memory_limit: Some(256 << 20),
            spill_dir: None,
        };
        let engine = Engine::open(EngineOptions {
            cluster: None,
            session,
            warehouse: "warehouse".into(),
            base: folder.path().to_path_buf(),
            storage_options: Default::default(),
            sources: Vec::new(),
            memory: None,
            built_by: Vec::new(),
        });
        let engine = engine.expect("an engine");
        let state = engine.meter().expect("a session").state;
        History { engine, relation: Relation::new("c360", "main", "mart"), state, folder }
    }

    pub(super) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The folder of the table.
    pub(super) fn table(&self) -> std::path::PathBuf {
        self.folder.path().join("warehouse/main/mart")
    }

    /// Replaces all rows.
    pub(super) async fn overwrite(&self, rows: RecordBatch) {
        self.commit(rows, true).await;
    }

    /// Adds rows.
    pub(super) async fn append(&self, rows: RecordBatch) {
        self.commit(rows, false).await;
    }

    async fn commit(&self, rows: RecordBatch, overwrites: bool) {
        let frame = SessionContext::new_with_state(self.state.clone()).read_batch(rows).expect("a frame");
        let plan = frame.create_physical_plan().await.expect("a plan");
        let (progress, commit) = (Default::default(), Commit::new("mart", "run 1"));
        let (state, relation) = (&self.state, &self.relation);
        let written = match overwrites {
            true => self.engine.warehouse.overwrite(state, relation, plan, &progress, &commit).await,
            false => self.engine.warehouse.append(state, relation, plan, &progress, &commit).await,
        };
        written.expect("a commit");
    }

    /// Removes the table.
    pub(super) async fn drop_table(&self) {
        self.engine.warehouse.drop_relation(&self.relation).await.expect("dropped");
    }

    /// Arranges the rows in one file, without changing any.
    pub(super) async fn optimize(&self) {
        let Some(Stored::Table(table)) = self.engine.warehouse.load(&self.relation).await.expect("loads") else {
            panic!("no table")
        };
        table.optimize().await.expect("optimized");
    }

    /// The newest version as a source.
    pub(super) async fn source(&self, full_refresh: bool) -> TableSource {
        let Some(Stored::Table(table)) = self.engine.warehouse.load(&self.relation).await.expect("loads") else {
            panic!("no table")
        };
        let table = TableVersion::new(table, "main.mart".into());
        let state = self.state.clone();
        TableSource::open(table, "main.mart".into(), "run 2".into(), full_refresh, state).await.expect("a source")
    }
}

/// Rows of `source`, as text.
pub(super) async fn read(rows: &dyn super::Rows) -> Vec<String> {
    let batches: Vec<RecordBatch> =
        rows.open(&["id".to_string()]).await.expect("opens").try_collect().await.expect("rows");
    let mut out = Vec::new();
    for batch in batches {
        for row in 0..batch.num_rows() {
            let cell = |at: usize| {
                let column = batch.column(at);
                let text = arrow::util::display::array_value_to_string(column, row).expect("text");
                if column.is_null(row) { "NULL".to_string() } else { text }
            };
            out.push((0..batch.num_columns()).map(cell).collect::<Vec<_>>().join("|"));
        }
    }
    out
}
