//! What names in SQL mean: sources, tables and views of the warehouse.
//!
//! Relations are opened when a query names them and kept until something writes to them, so that planning a thousand
//! models does not open a parent a thousand times. A view is its query, planned in place, so that filters and columns of
//! its readers reach its scans.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use async_trait::async_trait;
use datafusion::arrow::datatypes::{DataType, SchemaRef};
use datafusion::catalog::{CatalogProvider, SchemaProvider, TableProvider};
use datafusion::datasource::ViewTable;
use datafusion::error::{DataFusionError, Result as DataFusionResult};
use datafusion::execution::SessionState;
use datafusion::logical_expr::{LogicalPlan, TableType};
use futures::future::BoxFuture;
use parking_lot::RwLock;

use super::databases;
use super::declared::SourceSpec;
use super::formats::{self, RejectSink};
use super::predict::Prediction;
use super::sql;
use crate::diag::{Diagnostic, Result, SourceFile, codes};
use crate::node::Relation;
use crate::warehouse::{Stored, TableVersion, Warehouse};

/// Views that stand in each other: deeper than this is a circle.
const MAX_VIEW_DEPTH: usize = 64;

/// The database under which tables of the project itself can be named.
pub(super) const OWN: &str = "c360";

/// A relation's key: schema and identifier in lower case.
type Name = (String, String);

fn name(schema: &str, identifier: &str) -> Name {
    (schema.to_lowercase(), identifier.to_lowercase())
}

/// A source's declaration, or why it cannot be right: that matters only to who reads the source.
type Declared = Result<SourceSpec>;

/// The relations that queries can name.
#[derive(Debug)]
pub(super) struct Relations {
    database: String,
    default_schema: String,
    warehouse: Arc<Warehouse>,
    sources: Arc<HashMap<Name, Declared>>,
    built_by: Arc<HashMap<Name, String>>,
    rejects: Arc<dyn RejectSinkDebug>,
    open: Mutex<HashMap<Name, Arc<dyn TableProvider>>>,
    /// The versions of the tables in `open`.
    versions: Mutex<HashMap<Name, TableVersion>>,
    listed: Mutex<HashMap<String, Vec<String>>>,
    /// Tables that are stored nowhere, for queries that name them and find nothing else.
    offered: Mutex<HashMap<Name, Arc<dyn TableProvider>>>,
    state: std::sync::OnceLock<Weak<RwLock<SessionState>>>,
    /// What relations will be, if these are the relations of an analysis.
    predictions: Option<Predictions>,
}

/// What relations will be once what is analyzed has been built.
#[derive(Debug)]
struct Predictions {
    relations: Mutex<HashMap<Name, Arc<dyn TableProvider>>>,
    /// The relations as they are. Sources are opened there, so that a build after the analysis need not open them again.
    real: Arc<Relations>,
}

impl Predictions {
    /// The columns of a source: those that are declared, or else what the files say.
    async fn source(
        &self,
        declared: &Declared,
        schema: &str,
        identifier: &str,
    ) -> Result<Option<Arc<dyn TableProvider>>> {
        if let SourceSpec::Files(spec) = declared.as_ref().map_err(Clone::clone)?
            && let Some(schema) = formats::declared_schema(spec)?
        {
            return Ok(Some(Prediction::provider(schema, false)));
        }
        self.real.provider(&[schema.to_string(), identifier.to_string()], 0).await
    }
}

/// A query that was planned.
#[derive(Debug)]
pub struct Planned {
    /// Its plan.
    pub plan: LogicalPlan,
    /// The relations of this database that it names, in no order.
    pub reads: Vec<Relation>,
    /// What was noticed of its text.
    pub notes: sql::Notes,
}

/// A sink that can be printed, so that catalogs can.
pub(super) trait RejectSinkDebug: RejectSink + std::fmt::Debug {}

impl<T: RejectSink + std::fmt::Debug> RejectSinkDebug for T {}

impl Relations {
    pub(super) fn new(
        database: &str,
        default_schema: &str,
        warehouse: Arc<Warehouse>,
        sources: Vec<(Relation, Result<SourceSpec>)>,
        built_by: Vec<(Relation, String)>,
        rejects: Arc<dyn RejectSinkDebug>,
    ) -> Arc<Relations> {
        let sources =
            sources.into_iter().map(|(relation, spec)| (name(&relation.schema, &relation.identifier), spec)).collect();
        let built_by =
            built_by.into_iter().map(|(relation, node)| (name(&relation.schema, &relation.identifier), node)).collect();
        Arc::new(Relations {
            database: database.to_string(),
            default_schema: default_schema.to_string(),
            warehouse,
            sources: Arc::new(sources),
            built_by: Arc::new(built_by),
            rejects,
            open: Mutex::default(),
            versions: Mutex::default(),
            listed: Mutex::default(),
            offered: Mutex::default(),
            state: std::sync::OnceLock::new(),
            predictions: None,
        })
    }

    /// The same relations for an analysis: what is predicted hides what is stored.
    pub(super) fn predicting(self: &Arc<Self>) -> Arc<Relations> {
        Arc::new(Relations {
            database: self.database.clone(),
            default_schema: self.default_schema.clone(),
            warehouse: Arc::clone(&self.warehouse),
            sources: Arc::clone(&self.sources),
            built_by: Arc::clone(&self.built_by),
            rejects: Arc::clone(&self.rejects),
            open: Mutex::default(),
            versions: Mutex::default(),
            listed: Mutex::default(),
            offered: Mutex::default(),
            state: std::sync::OnceLock::new(),
            predictions: Some(Predictions { relations: Mutex::default(), real: Arc::clone(self) }),
        })
    }

    /// Says which columns `relation` will have. It does nothing but in an analysis.
    pub(super) fn predict(&self, relation: &Relation, schema: SchemaRef, is_view: bool) {
        if let Some(predictions) = &self.predictions {
            let key = name(&relation.schema, &relation.identifier);
            let provider = Prediction::provider(schema, is_view);
            predictions.relations.lock().unwrap_or_else(PoisonError::into_inner).insert(key, provider);
        }
    }

    fn predicted(&self, key: &Name) -> Option<Arc<dyn TableProvider>> {
        let predictions = self.predictions.as_ref()?;
        predictions.relations.lock().unwrap_or_else(PoisonError::into_inner).get(key).cloned()
    }

    /// Offers a table that is stored nowhere.
    pub(super) fn offer(&self, schema: &str, identifier: &str, table: Arc<dyn TableProvider>) {
        self.offered.lock().unwrap_or_else(PoisonError::into_inner).insert(name(schema, identifier), table);
    }

    /// What `relation` was predicted to be.
    pub(super) fn prediction(&self, relation: &Relation) -> Option<Arc<dyn TableProvider>> {
        self.predicted(&name(&relation.schema, &relation.identifier))
    }

    /// The name of the node that builds `relation`, if one does.
    pub(super) fn builder(&self, relation: &Relation) -> Option<&str> {
        self.built_by.get(&name(&relation.schema, &relation.identifier)).map(String::as_str)
    }

    pub(super) fn attach(&self, state: Weak<RwLock<SessionState>>) {
        let _ = self.state.set(state);
    }

    /// Forgets what was opened under `relation`, because it was written. The list for `information_schema` stays: a query
    /// on another thread may be reading it, and every such query makes the list anew.
    pub(super) fn forget(&self, relation: &Relation) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        // Views hold the plans of what they read, so every view may be out of date.
        open.retain(|key, provider| {
            *key != name(&relation.schema, &relation.identifier) && provider.get_logical_plan().is_none()
        });
        let key = name(&relation.schema, &relation.identifier);
        self.versions.lock().unwrap_or_else(PoisonError::into_inner).remove(&key);
    }

    /// The version of the table `relation` that queries read, whatever others have written since; none if it is no table.
    pub(super) async fn version(self: &Arc<Self>, relation: &Relation) -> Result<Option<TableVersion>> {
        self.provider(&[relation.schema.clone(), relation.identifier.clone()], 0).await?;
        Ok(self.opened(relation))
    }

    /// The version of the table `relation` that queries have read, if one has.
    pub(super) fn opened(&self, relation: &Relation) -> Option<TableVersion> {
        let key = name(&relation.schema, &relation.identifier);
        self.versions.lock().unwrap_or_else(PoisonError::into_inner).get(&key).cloned()
    }

    /// The provider of a relation named by one to three parts; none if there is no such relation.
    pub(super) fn provider<'a>(
        self: &'a Arc<Self>,
        parts: &'a [String],
        depth: usize,
    ) -> BoxFuture<'a, Result<Option<Arc<dyn TableProvider>>>> {
        Box::pin(async move {
            if let Some(provider) = self.at_hand(parts) {
                return Ok(Some(provider));
            }
            let Some((schema, identifier)) = self.split(parts) else { return Ok(None) };
            let provider = self.open_relation(schema, identifier, depth).await?;
            if let Some(provider) = &provider {
                let key = name(schema, identifier);
                self.open.lock().unwrap_or_else(PoisonError::into_inner).insert(key, Arc::clone(provider));
            }
            Ok(provider)
        })
    }

    /// The relation that a name of one to three parts means, if it is one of this database.
    pub(super) fn place(&self, parts: &[String]) -> Option<Relation> {
        self.split(parts).map(|(schema, identifier)| Relation::new(&self.database, schema, identifier))
    }

    fn split<'a>(&'a self, parts: &'a [String]) -> Option<(&'a str, &'a str)> {
        match parts {
            [identifier] => Some((&self.default_schema, identifier)),
            [schema, identifier] => Some((schema, identifier)),
            [database, schema, identifier] if database.eq_ignore_ascii_case(&self.database) => {
                Some((schema, identifier))
            }
            // Tables of the project itself have this name whatever the target's database is called.
            [database, schema, identifier] if database.eq_ignore_ascii_case(OWN) => {
                let offered = self.offered.lock().unwrap_or_else(PoisonError::into_inner);
                offered.contains_key(&name(schema, identifier)).then_some((schema, identifier))
            }
            _ => None,
        }
    }

    async fn open_relation(
        self: &Arc<Self>,
        schema: &str,
        identifier: &str,
        depth: usize,
    ) -> Result<Option<Arc<dyn TableProvider>>> {
        let state = self.session()?;
        if let Some(declared) = self.sources.get(&name(schema, identifier)) {
            if let Some(predictions) = &self.predictions {
                return predictions.source(declared, schema, identifier).await;
            }
            let rejects: Arc<dyn RejectSink> = Arc::clone(&self.rejects) as Arc<dyn RejectSink>;
            return match declared.as_ref().map_err(Clone::clone)? {
                SourceSpec::Files(spec) => {
                    formats::open(&state, Arc::clone(spec), rejects).await.map(|source| Some(source.provider))
                }
                SourceSpec::Database(spec) => databases::open(Arc::clone(spec)).await.map(Some),
            };
        }
        let relation = Relation::new(&self.database, schema, identifier);
        match self.warehouse.load(&relation).await? {
            None => {
                let offered = self.offered.lock().unwrap_or_else(PoisonError::into_inner);
                Ok(offered.get(&name(schema, identifier)).cloned())
            }
            Some(Stored::Table(table)) => {
                let failed = |error: &dyn std::error::Error| {
                    Diagnostic::error(codes::WAREHOUSE_ERROR, format!("table `{relation}` cannot be read: {error}"))
                };
                let files = match state.config().get_extension::<formats::Ships>() {
                    Some(_) => formats::delta_files(&table, &relation.to_string()).map_err(|error| failed(&error))?,
                    None => None,
                };
                let provider = match files {
                    Some(files) => files,
                    None => {
                        table.update_datafusion_session(&state).map_err(|error| failed(&error))?;
                        table.table_provider().await.map_err(|error| failed(&error))?
                    }
                };
                let version = TableVersion::new(table, relation.to_string());
                let mut versions = self.versions.lock().unwrap_or_else(PoisonError::into_inner);
                versions.insert(name(schema, identifier), version);
                Ok(Some(provider))
            }
            Some(Stored::View(view)) => {
                if depth > MAX_VIEW_DEPTH {
                    return Err(Diagnostic::error(codes::CYCLE, format!("view `{relation}` reads itself")));
                }
                let file = SourceFile::new(format!("view {relation}"), view.sql.clone());
                let plan = self.plan(&state, &file, depth + 1).await?;
                Ok(Some(Arc::new(ViewTable::new(plan, Some(view.sql)))))
            }
        }
    }

    fn session(&self) -> Result<SessionState> {
        let state = self.state.get().and_then(Weak::upgrade);
        state
            .map(|state| state.read().clone())
            .ok_or_else(|| Diagnostic::error(codes::INTERNAL, "the catalog has lost its session"))
    }

    /// Plans one query: opens what it names, resolves its identifiers, hands it to DataFusion.
    pub(super) async fn plan(
        self: &Arc<Self>,
        state: &SessionState,
        file: &Arc<SourceFile>,
        depth: usize,
    ) -> Result<LogicalPlan> {
        let resolved = self.resolved(file, depth).await?;
        sql::plan_statement(state, file, resolved.statement).await
    }

    /// As [`Relations::plan`], and says what the query reads; or all that is wrong with it.
    pub(super) async fn plan_reading(
        self: &Arc<Self>,
        state: &SessionState,
        file: &Arc<SourceFile>,
    ) -> Result<Planned, Vec<Diagnostic>> {
        let Resolved { statement, known, notes } = self.resolved(file, 0).await.map_err(|error| vec![*error])?;
        let reads = known.columns.keys().filter_map(|parts| self.place(parts)).collect();
        let failure = match sql::plan_statement(state, file, statement).await {
            Ok(plan) => return Ok(Planned { plan, reads, notes }),
            Err(failure) => failure,
        };
        // It was read once, so it can be read again.
        let mut statement = sql::parse_file(file).map_err(|error| vec![*error])?;
        sql::resolve(&mut statement, &known);
        Err(sql::further_errors(state, file, statement, failure).await)
    }

    /// Parses one statement, resolves its names and reads its imports in place. Where all that it names is open already, that is one walk over it;
    /// otherwise what it names is opened first.
    async fn resolved(self: &Arc<Self>, file: &Arc<SourceFile>, depth: usize) -> Result<Resolved> {
        let mut statement = sql::parse_file(file)?;
        let at_hand = AtHand { relations: self, known: Mutex::default(), missed: AtomicBool::new(false) };
        let mut notes = sql::resolve_noticing(&mut statement, &at_hand);
        let mut known = at_hand.known.into_inner().unwrap_or_else(PoisonError::into_inner);
        if at_hand.missed.into_inner() {
            // Resolving has changed the statement: it is read once more.
            statement = sql::parse_file(file)?;
            known = self.known(file, &statement, depth).await?;
            notes = sql::resolve_noticing(&mut statement, &known);
        }
        sql::read_imports_in_place(&mut statement);
        Ok(Resolved { statement, known, notes })
    }

    /// The relation named by `parts`, if it is predicted or open.
    fn at_hand(&self, parts: &[String]) -> Option<Arc<dyn TableProvider>> {
        let (schema, identifier) = self.split(parts)?;
        let key = name(schema, identifier);
        self.predicted(&key).or_else(|| self.open.lock().unwrap_or_else(PoisonError::into_inner).get(&key).cloned())
    }

    /// The columns of the relations that `statement` names.
    async fn known(
        self: &Arc<Self>,
        file: &Arc<SourceFile>,
        statement: &sql::Statement,
        depth: usize,
    ) -> Result<Known> {
        let mut known = Known::default();
        for relation in sql::relations(statement) {
            let parts: Vec<String> = relation.parts.clone();
            if parts.iter().any(|part| part.eq_ignore_ascii_case("information_schema")) {
                self.list_everything().await?;
                continue;
            }
            match self.provider(&parts, depth).await? {
                Some(provider) => {
                    known.columns.insert(parts.clone(), sql::columns_of(&provider.schema()));
                }
                None => self.check_built(file, &relation)?,
            }
        }
        Ok(known)
    }

    /// C5010 for a relation that is not there although a node of the project builds it.
    fn check_built(&self, file: &Arc<SourceFile>, relation: &sql::Relation) -> Result<()> {
        let Some((schema, identifier)) = self.split(&relation.parts) else { return Ok(()) };
        let Some(node) = self.built_by.get(&name(schema, identifier)) else { return Ok(()) };
        let message = format!("`{schema}.{identifier}` was never built");
        let diagnostic = Diagnostic::error(codes::RELATION_NOT_BUILT, message);
        let diagnostic = match sql::text_span(file, relation.span) {
            Some(span) => diagnostic.label(span, "read here"),
            None => diagnostic,
        };
        Err(diagnostic.help(format!("build it first: `c360 build --select {node}`")))
    }

    /// Lists all schemas and relations, for `information_schema`.
    async fn list_everything(&self) -> Result<()> {
        let mut listed = HashMap::new();
        for schema in self.warehouse.schemas().await? {
            let names = self.warehouse.identifiers(&schema).await?;
            listed.insert(schema, names);
        }
        *self.listed.lock().unwrap_or_else(PoisonError::into_inner) = listed;
        Ok(())
    }
}

/// The columns of the relations that one statement names.
#[derive(Default)]
struct Known {
    /// By the parts of the name, as the query spells them.
    columns: HashMap<Vec<String>, Vec<(String, DataType)>>,
}

/// A statement whose names are resolved.
struct Resolved {
    statement: sql::Statement,
    known: Known,
    notes: sql::Notes,
}

/// The relations that need not be opened, and what was asked of them.
struct AtHand<'a> {
    relations: &'a Relations,
    known: Mutex<Known>,
    /// Something else was asked for.
    missed: AtomicBool,
}

impl sql::Catalog for AtHand<'_> {
    fn columns(&self, table: &[String]) -> Option<Vec<(String, DataType)>> {
        let Some(provider) = self.relations.at_hand(table) else {
            self.missed.store(true, Ordering::Relaxed);
            return None;
        };
        let columns = sql::columns_of(&provider.schema());
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.columns.insert(table.to_vec(), columns.clone());
        Some(columns)
    }
}

impl sql::Catalog for Known {
    fn columns(&self, table: &[String]) -> Option<Vec<(String, DataType)>> {
        self.columns.get(table).cloned()
    }
}

/// [`Relations`] as DataFusion's catalog.
#[derive(Debug)]
pub(super) struct Catalog(pub(super) Arc<Relations>);

impl CatalogProvider for Catalog {
    fn schema_names(&self) -> Vec<String> {
        let listed = self.0.listed.lock().unwrap_or_else(PoisonError::into_inner);
        let mut names: Vec<String> = listed.keys().cloned().collect();
        names.sort();
        names
    }

    fn schema(&self, name: &str) -> Option<Arc<dyn SchemaProvider>> {
        Some(Arc::new(Schema { relations: Arc::clone(&self.0), name: name.to_string() }))
    }
}

#[derive(Debug)]
struct Schema {
    relations: Arc<Relations>,
    name: String,
}

#[async_trait]
impl SchemaProvider for Schema {
    fn table_names(&self) -> Vec<String> {
        let listed = self.relations.listed.lock().unwrap_or_else(PoisonError::into_inner);
        listed.get(&self.name).cloned().unwrap_or_default()
    }

    async fn table(&self, table: &str) -> DataFusionResult<Option<Arc<dyn TableProvider>>> {
        let parts = [self.name.clone(), table.to_string()];
        self.relations.provider(&parts, 0).await.map_err(|error| DataFusionError::External(error))
    }

    /// What `information_schema.tables` says of a relation; nothing of it is opened, so a view that cannot be planned any
    /// more is listed all the same.
    async fn table_type(&self, table: &str) -> DataFusionResult<Option<TableType>> {
        let relation = Relation::new(&self.relations.database, &self.name, table);
        let stored =
            self.relations.warehouse.load(&relation).await.map_err(|error| DataFusionError::External(error))?;
        Ok(stored.map(|stored| match stored {
            Stored::Table(_) => TableType::Base,
            Stored::View(_) => TableType::View,
        }))
    }

    fn table_exist(&self, table: &str) -> bool {
        self.table_names().iter().any(|name| name.eq_ignore_ascii_case(table))
    }
}
