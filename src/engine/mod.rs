//! The engine: DataFusion with our catalog, functions, formats and limits.
//!
//! One [`Engine`] serves one invocation. All nodes share its catalog, its caches and its memory pool; each node gets a
//! [`Meter`]ed session of its own, so that what it held and spilled can be told afterwards. Nothing else in the program
//! registers tables, stores or functions.

mod catalog;
#[cfg(feature = "cluster")]
pub mod cluster;
pub mod databases;
mod declared;

pub mod formats;
pub mod functions;
mod operators;
mod plans;
mod pool;
mod predict;
mod quarantine;
mod session;
pub mod sql;
mod stores;
mod types;

use std::path::PathBuf;
use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, SchemaRef};
use datafusion::catalog::{CatalogProviderList, MemoryCatalogProviderList, TableProvider};
#[cfg(feature = "cluster")]
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::execution::memory_pool::MemoryPool;
use datafusion::execution::{SendableRecordBatchStream, SessionState, SessionStateBuilder};
use datafusion::logical_expr::{LogicalPlan, TableType};
use datafusion::physical_plan::{ExecutionPlan, execute_stream};
use datafusion::prelude::{SessionConfig, SessionContext};

use crate::diag::{Diagnostic, Result, SourceFile, Span, codes};
use crate::node::Relation;
use crate::project::ClusterOptions;
use crate::stores::StoreOptions;
use crate::warehouse::{Stored, TableVersion, Warehouse};

use catalog::{Catalog, Relations};

pub use crate::failure::{datafusion_error, diagnostic_of, execution_error};
pub use catalog::Planned;
#[cfg(test)]
pub(crate) use declared::PATH_COLUMN_KEYS;
pub use declared::{SourceSpec, source_spec};
pub use operators::{Operator, operators};
pub use pool::MeteredPool;
pub use quarantine::{Quarantine, Rejected};
pub use session::SessionOptions;

/// What an engine is made from.
#[derive(Debug)]
pub struct EngineOptions {
    /// How it plans and how much memory it has.
    pub session: SessionOptions,
    /// Path or URL of the warehouse.
    pub warehouse: String,
    /// Folder that a relative path of the warehouse starts at.
    pub base: PathBuf,
    /// Options of the stores of sources and of the warehouse.
    pub storage_options: StoreOptions,
    /// The cluster that plans run on; none: they run in this process.
    pub cluster: Option<ClusterOptions>,
    /// Sources that are files or tables of databases, by the relation that queries name.
    pub sources: Vec<(Relation, Result<SourceSpec>)>,
    /// Folder to remember columns of sources in, so that they need not be found out again.
    pub memory: Option<PathBuf>,
    /// Relations that nodes of the project build, with the names of the nodes: for messages about those that were not
    /// built yet.
    pub built_by: Vec<(Relation, String)>,
}

/// The engine of one invocation.
pub struct Engine {
    context: SessionContext,
    pool: Arc<dyn MemoryPool>,
    relations: Arc<Relations>,
    /// Held by whoever reads a table to replace it.
    pub(crate) changes: tokio::sync::Mutex<()>,
    #[cfg(feature = "cluster")]
    cluster: Option<Arc<cluster::Cluster>>,
    /// The tables.
    pub warehouse: Arc<Warehouse>,
    /// Records that scans rejected.
    pub quarantine: Arc<Quarantine>,
}

/// A session for one node, and what it used.
#[derive(Debug)]
pub struct Meter {
    /// The session.
    pub state: SessionState,
    pool: Arc<MeteredPool>,
    ran: parking_lot::Mutex<Vec<Arc<dyn ExecutionPlan>>>,
}

impl Meter {
    /// The most bytes that the node's operators held at a time.
    pub fn peak_memory(&self) -> u64 {
        self.pool.peak() as u64
    }

    /// Takes note of a plan that ran.
    pub fn ran(&self, plan: &Arc<dyn ExecutionPlan>) {
        self.ran.lock().push(Arc::clone(plan));
    }

    /// The operators of each plan that ran.
    pub fn operators(&self) -> Vec<Vec<Operator>> {
        self.ran.lock().iter().map(operators).collect()
    }
}

impl Engine {
    /// Starts the engine and opens the warehouse.
    ///
    /// # Errors
    /// What [`Warehouse::open`] fails with, or C5006 if there is no place to spill to.
    pub fn open(options: EngineOptions) -> Result<Engine> {
        #[cfg(feature = "cluster")]
        let adjust = |config| match &options.cluster {
            Some(cluster) => cluster::client_config(config, cluster, &options.storage_options),
            None => Ok(config),
        };
        #[cfg(not(feature = "cluster"))]
        let adjust = |config| no_cluster(&options.cluster, config);
        let memory = options.memory.as_deref().map(|folder| Arc::new(formats::Remembered::new(folder)));
        let adjust = |config| {
            adjust(config).map(|config: SessionConfig| match memory {
                Some(memory) => config.with_extension(memory),
                None => config,
            })
        };
        let registry = Arc::new(stores::StoreRegistry::new(options.storage_options.clone()));
        let (context, pool) = session::open(&options.session, adjust, registry, options.cluster.is_none())?;
        let warehouse = Arc::new(Warehouse::open(&options.warehouse, &options.base, options.storage_options)?);
        functions::register(&context).map_err(|error| {
            Diagnostic::error(codes::INTERNAL, format!("the functions cannot be registered: {error}"))
        })?;
        let quarantine = Arc::new(Quarantine::default());
        let relations = Relations::new(
            &options.session.database,
            &options.session.schema,
            Arc::clone(&warehouse),
            options.sources,
            options.built_by,
            Arc::clone(&quarantine) as Arc<dyn catalog::RejectSinkDebug>,
        );
        relations.attach(context.state_weak_ref());
        context.register_catalog(&options.session.database, Arc::new(Catalog(Arc::clone(&relations))));
        let changes = tokio::sync::Mutex::default();
        #[cfg(feature = "cluster")]
        let cluster =
            options.cluster.map(|cluster| cluster::Cluster::new(cluster, warehouse.root(), Arc::clone(&quarantine)));
        Ok(Engine {
            context,
            pool,
            relations,
            changes,
            #[cfg(feature = "cluster")]
            cluster,
            warehouse,
            quarantine,
        })
    }

    /// An engine over the same warehouse for an analysis: it plans against relations that are predicted
    /// ([`Engine::predict`]) and writes nothing.
    pub fn predicting(&self) -> Engine {
        let relations = self.relations.predicting();
        let state = self.context.state();
        let catalogs = Arc::new(MemoryCatalogProviderList::new());
        if let Some(name) = state.catalog_list().catalog_names().first() {
            catalogs.register_catalog(name.clone(), Arc::new(Catalog(Arc::clone(&relations))));
        }
        // Rules that change how results are computed and not their types: nothing runs here.
        let rules = state.analyzer().rules.iter().filter(|rule| !functions::KEEP_TYPES.contains(&rule.name()));
        let rules = rules.cloned().collect();
        let state = SessionStateBuilder::new_from_existing(state)
            .with_catalog_list(catalogs)
            .with_analyzer_rules(rules)
            .build();
        let context = SessionContext::new_with_state(state);
        relations.attach(context.state_weak_ref());
        Engine {
            context,
            pool: Arc::clone(&self.pool),
            relations,
            changes: tokio::sync::Mutex::default(),
            #[cfg(feature = "cluster")]
            cluster: None,
            warehouse: Arc::clone(&self.warehouse),
            quarantine: Arc::clone(&self.quarantine),
        }
    }

    /// The session that nodes share; for what is planned and not run.
    pub fn state(&self) -> SessionState {
        self.context.state()
    }

    /// Says which columns `relation` will have. It does nothing but in an engine for an analysis.
    pub fn predict(&self, relation: &Relation, schema: SchemaRef, is_view: bool) {
        self.relations.predict(relation, schema, is_view);
    }

    /// The columns that `relation` was predicted to have, and `table` or `view`.
    pub fn prediction(&self, relation: &Relation) -> Option<(SchemaRef, &'static str)> {
        let provider = self.relations.prediction(relation)?;
        Some((provider.schema(), if provider.table_type() == TableType::View { "view" } else { "table" }))
    }

    /// The name of the node that builds `relation`, if one of the project does.
    pub fn builder_of(&self, relation: &Relation) -> Option<&str> {
        self.relations.builder(relation)
    }

    /// A session of its own for one node.
    ///
    /// # Errors
    /// C5006 if there is no place to spill to.
    pub fn meter(&self) -> Result<Meter> {
        let pool = Arc::new(MeteredPool::new(Arc::clone(&self.pool)));
        let state = self.context.state();
        let mut runtime = (**state.runtime_env()).clone();
        runtime.memory_pool = Arc::clone(&pool) as Arc<dyn MemoryPool>;
        let state = SessionStateBuilder::new_from_existing(state).with_runtime_env(Arc::new(runtime)).build();
        Ok(Meter { state, pool, ran: parking_lot::Mutex::default() })
    }

    /// Plans one query. A statement that changes something is none: tables change through the warehouse alone.
    ///
    /// # Errors
    /// C4001 to C4006 with a place in `sql`, or what a source or table that it names fails with.
    pub async fn plan(&self, state: &SessionState, sql: &Arc<SourceFile>) -> Result<LogicalPlan> {
        let plan = self.relations.plan(state, sql, 0).await?;
        only_reads(&plan, sql)?;
        Ok(plan)
    }

    /// As [`Engine::plan`], and says what the query reads; or all that is wrong with it.
    ///
    /// # Errors
    /// As [`Engine::plan`]; several, if several names are not there.
    pub async fn plan_reading(&self, state: &SessionState, sql: &Arc<SourceFile>) -> Result<Planned, Vec<Diagnostic>> {
        let planned = self.relations.plan_reading(state, sql).await?;
        only_reads(&planned.plan, sql).map_err(|error| vec![*error])?;
        Ok(planned)
    }

    /// Optimises `plan` and makes it executable.
    ///
    /// # Errors
    /// What DataFusion's planner refuses, as C4002 or C4003.
    pub async fn physical(&self, state: &SessionState, plan: &LogicalPlan) -> Result<Arc<dyn ExecutionPlan>> {
        #[cfg(feature = "cluster")]
        if let Some(cluster) = self.cluster.as_ref().filter(|_| reads_tables(plan)) {
            let config = cluster.tune(state.config().clone()).await?;
            let state = SessionStateBuilder::new_from_existing(state.clone()).with_config(config).build();
            let plan = state.create_physical_plan(plan).await.map_err(|error| execution_error(&error))?;
            return Ok(cluster.wrap(plan));
        }
        let physical = state.create_physical_plan(plan).await.map_err(|error| execution_error(&error))?;
        match plans::spilling(state, &physical) {
            None => Ok(physical),
            Some(state) => state.create_physical_plan(plan).await.map_err(|error| execution_error(&error)),
        }
    }

    /// Runs what a template asks for (`run_query`, hooks), which may be any statement, and streams its rows.
    ///
    /// # Errors
    /// As [`Engine::plan`], but for its refusal; errors of the execution come through the stream.
    pub async fn query(&self, state: &SessionState, sql: &Arc<SourceFile>) -> Result<SendableRecordBatchStream> {
        let plan = self.relations.plan(state, sql, 0).await?;
        let physical = self.physical(state, &plan).await?;
        execute_stream(physical, state.task_ctx()).map_err(|error| execution_error(&error))
    }

    /// The schema of a relation, if there is such a relation.
    ///
    /// # Errors
    /// What opening it fails with.
    pub async fn schema_of(&self, relation: &Relation) -> Result<Option<SchemaRef>> {
        let parts = [relation.schema.clone(), relation.identifier.clone()];
        Ok(self.relations.provider(&parts, 0).await?.map(|provider| provider.schema()))
    }

    /// The schema of the table that the warehouse holds under `relation`, if it holds one and it is no view.
    ///
    /// # Errors
    /// What opening it fails with.
    pub async fn table_schema(&self, relation: &Relation) -> Result<Option<SchemaRef>> {
        match self.warehouse.load(relation).await? {
            Some(Stored::Table(_)) => self.schema_of(relation).await,
            _ => Ok(None),
        }
    }

    /// The version of the table `relation` that queries of this invocation read, though others may have written since; none if
    /// it is no table.
    ///
    /// # Errors
    /// What opening it fails with.
    pub async fn version_of(&self, relation: &Relation) -> Result<Option<TableVersion>> {
        self.relations.version(relation).await
    }

    /// The place in the warehouse that a name of one to three parts means; none if it is in another database.
    pub fn relation(&self, parts: &[String]) -> Option<Relation> {
        self.relations.place(parts)
    }

    /// Offers tables that are stored nowhere under `schema`, to queries that find no others of these names. Their database
    /// is `c360`, and the target's.
    pub fn offer(&self, schema: &str, tables: Vec<(&str, Arc<dyn TableProvider>)>) {
        if !tables.is_empty() && self.context.catalog(catalog::OWN).is_none() {
            self.context.register_catalog(catalog::OWN, Arc::new(Catalog(Arc::clone(&self.relations))));
        }
        for (identifier, table) in tables {
            self.relations.offer(schema, identifier, table);
        }
    }

    /// Forgets what was opened under `relation`: it was written.
    pub fn forget(&self, relation: &Relation) {
        self.relations.forget(relation);
    }
}

/// Refuses a statement that changes something: tables change through the warehouse alone.
fn only_reads(plan: &LogicalPlan, sql: &Arc<SourceFile>) -> Result<()> {
    if !matches!(plan, LogicalPlan::Dml(_) | LogicalPlan::Ddl(_) | LogicalPlan::Copy(_) | LogicalPlan::Statement(_)) {
        return Ok(());
    }
    let start = sql.text.len() - sql.text.trim_start().len();
    Err(Diagnostic::error(codes::SQL_PLAN, "a query is expected here, not a statement that changes something")
        .label(Span::new(sql, start..start), "")
        .help("models and `show` read with select; what a model selects becomes its table"))
}

/// True if `plan` reads any table.
#[cfg(feature = "cluster")]
fn reads_tables(plan: &LogicalPlan) -> bool {
    let mut reads = false;
    // The closure never fails.
    let _ = plan.apply_with_subqueries(|node| {
        reads |= matches!(node, LogicalPlan::TableScan(_));
        Ok(if reads { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
    });
    reads
}

/// The configuration as it is, or an error if a cluster is asked for.
#[cfg(not(feature = "cluster"))]
fn no_cluster(cluster: &Option<ClusterOptions>, config: SessionConfig) -> Result<SessionConfig> {
    match cluster {
        None => Ok(config),
        Some(_) => Err(Diagnostic::error(codes::BAD_VALUE, "this program was built without clusters")
            .help("remove `cluster:` from the profile, or build with the feature `cluster`")),
    }
}

/// Bytes that the operators of `plan` spilled to disk, after it ran.
pub fn spilled_bytes(plan: &Arc<dyn ExecutionPlan>) -> u64 {
    let own = plan.metrics().and_then(|metrics| metrics.spilled_bytes()).unwrap_or(0) as u64;
    own + plan.children().into_iter().map(spilled_bytes).sum::<u64>()
}

/// The name of a type as analysts write it.
pub fn type_name(data_type: &DataType) -> String {
    types::type_name(data_type)
}
