//! The analysis of one node after the other, on several threads.

use std::collections::BTreeMap;
use std::sync::Arc;

use datafusion::arrow::datatypes::{Field, Schema, SchemaRef};
use datafusion::execution::SessionState;
use parking_lot::Mutex;
use tokio::runtime::Handle;

use super::generic::tests_are_plain;
use super::queue::Queue;
use super::{Analyzed, Request, Scope, State, columns};
use crate::diag::{Diagnostic, Result, Shelf};
use crate::engine::formats;
use crate::graph::Direction;
use crate::manifest::NodeId;
use crate::materialize::seed_plan;
use crate::node::{Node, ResourceType};
use crate::warehouse::{scanned_schema, storable_schema};

/// What the threads of an analysis share.
pub(super) struct Analyzer {
    pub(super) request: Request,
    pub(super) runtime: Handle,
    /// One session for all plans: nothing runs, so nothing has to be metered.
    pub(super) session: SessionState,
    selected: Vec<bool>,
    queue: Queue,
    done: Mutex<BTreeMap<NodeId, Analyzed>>,
    /// Hooks may make relations that nobody references.
    pub(super) has_hooks: bool,
    /// The macros behind `not_null` and `unique` are dbt's.
    pub(super) plain_tests: bool,
}

impl Analyzer {
    pub(super) fn new(request: Request, runtime: Handle) -> Analyzer {
        let dag = &request.manifest.dag;
        let mut mask = dag.reach(&request.selected, Direction::Upstream, None);
        let mut selected = vec![false; dag.len()];
        for id in &request.selected {
            mask[*id as usize] = true;
            selected[*id as usize] = true;
        }
        let queue = Queue::new(dag, &mask);
        let session = request.engine.state();
        let has_hooks = request.manifest.nodes.iter().any(runs_hooks);
        let plain_tests = tests_are_plain(&request.manifest);
        Analyzer { request, runtime, session, selected, queue, done: Mutex::default(), has_hooks, plain_tests }
    }

    /// Analyzes nodes until there are none left.
    pub(super) fn work(&self) {
        let manifest = Arc::clone(&self.request.manifest);
        while let Some(turn) = self.queue.next(&manifest.dag) {
            let node = manifest.node(turn.node);
            let mut analyzed = self.node(turn.node, node);
            analyzed.diagnostics.sort_by_key(|diagnostic| !diagnostic.is_error());
            if let (State::Known(schema), Some(relation)) = (&analyzed.state, &node.relation)
                && !node.is_ephemeral()
            {
                let is_view = node.resource_type == ResourceType::Model && node.materialized() == "view";
                self.request.engine.predict(relation, Arc::clone(schema), is_view);
            }
            self.done.lock().insert(turn.node, analyzed);
            turn.finish();
        }
    }

    /// What was found; to be asked once, at the end.
    pub(super) fn take(&self) -> BTreeMap<NodeId, Analyzed> {
        std::mem::take(&mut *self.done.lock())
    }

    /// The columns of a node that is done, if they are known.
    pub(super) fn schema(&self, id: NodeId) -> Option<SchemaRef> {
        self.done.lock().get(&id).and_then(Analyzed::schema).cloned()
    }

    pub(super) fn is_selected(&self, id: NodeId) -> bool {
        self.selected[id as usize]
    }

    fn node(&self, id: NodeId, node: &Node) -> Analyzed {
        if self.is_given(id, node) {
            return Analyzed::default();
        }
        if node.resource_type == ResourceType::Exposure {
            return self.exposure(id, node);
        }
        if let Some(why) = self.blocked(id) {
            return self.promised(node).unwrap_or_else(|| Analyzed::unknown(why));
        }
        let found = match node.resource_type {
            ResourceType::Source => self.source(node),
            ResourceType::Seed => self.seed(node),
            ResourceType::Test if self.is_plainly_right(node) => Analyzed::default(),
            ResourceType::Model | ResourceType::Snapshot | ResourceType::Test | ResourceType::Analysis => {
                self.query(id, node)
            }
            ResourceType::UnitTest => self.unit_test(node),
            ResourceType::Exposure | ResourceType::Operation => Analyzed::default(),
        };
        match self.promised(node) {
            Some(promised) if found.has_errors() => Analyzed { diagnostics: found.diagnostics, ..promised },
            _ => found,
        }
    }

    /// True for what a run does not touch: it is what the warehouse holds.
    fn is_given(&self, id: NodeId, node: &Node) -> bool {
        let deferred = self.request.world.deferred.contains_key(&node.unique_id);
        let run = matches!(self.request.scope, Scope::Run { .. });
        let built = matches!(node.resource_type, ResourceType::Model | ResourceType::Seed | ResourceType::Snapshot);
        // An ephemeral model is looked at in the queries of those who read it.
        !self.is_selected(id) && (deferred || (run && built))
    }

    /// Why a node cannot be checked, if one of its parents is not known.
    fn blocked(&self, id: NodeId) -> Option<String> {
        let done = self.done.lock();
        let parents = self.request.manifest.dag.parents(id).iter();
        let unknown = parents.filter_map(|parent| match done.get(parent) {
            Some(found @ Analyzed { state: State::Unknown(why), .. }) => Some((*parent, found.has_errors(), why)),
            _ => None,
        });
        // A parent with errors says more than one that was not checked because of it.
        let (parent, has_errors, why) = unknown.min_by_key(|(parent, has_errors, _)| (!has_errors, *parent))?;
        let parent = self.request.manifest.node(parent);
        if has_errors {
            return Some(format!("{} `{}` has errors", parent.resource_type, parent.search_name()));
        }
        match why.starts_with("because of ") || parent.resource_type == ResourceType::Source {
            true => Some(why.clone()),
            false => Some(format!("because of `{}`: {why}", parent.search_name())),
        }
    }

    /// The columns that a contract promises, for a node whose query does not say.
    fn promised(&self, node: &Node) -> Option<Analyzed> {
        if node.resource_type != ResourceType::Model || !crate::check::has_contract(node) {
            return None;
        }
        let schema = crate::check::contract_schema(node).ok()?;
        Some(Analyzed::known(stored(node, &schema)))
    }

    /// The columns of a source: a mistake in its declaration is an error, files that are not there are none.
    fn source(&self, node: &Node) -> Analyzed {
        let Some(relation) = &node.relation else { return Analyzed::default() };
        match self.runtime.block_on(self.request.engine.schema_of(relation)) {
            Ok(Some(schema)) => Analyzed::known(schema),
            Ok(None) => match declared(node) {
                Some(schema) => Analyzed::known(schema),
                None => Analyzed::unknown(format!(
                    "source `{}` is not in the warehouse, and its columns are not declared",
                    node.search_name()
                )),
            },
            Err(error) => failed(node, error, format!("source `{}`", node.search_name())),
        }
    }

    fn seed(&self, node: &Node) -> Analyzed {
        match self.runtime.block_on(self.seed_schema(node)) {
            Ok(schema) => {
                let mut found = Analyzed::known(Arc::clone(&schema));
                columns::check(node, &schema, self.request.scope, &mut found);
                found
            }
            Err(error) => failed(node, error, format!("seed `{}`", node.name)),
        }
    }

    async fn seed_schema(&self, node: &Node) -> Result<SchemaRef> {
        let engine = &self.request.engine;
        let old = match (self.request.scope, &node.relation) {
            (Scope::Run { full_refresh: false, .. }, Some(relation))
                if node.config.bool("full_refresh") != Some(true) =>
            {
                engine.table_schema(relation).await?
            }
            _ => None,
        };
        let file = self.request.project.file_of(node);
        let plan = seed_plan(&self.session, node, &file, old.as_ref()).await?;
        Ok(stored(node, plan.schema().as_arrow()))
    }
}

/// True for a node that runs statements beside its own query.
fn runs_hooks(node: &Node) -> bool {
    let hooks =
        |key: &str| node.config.get(key).is_some_and(|hooks| hooks.as_array().is_none_or(|list| !list.is_empty()));
    node.resource_type == ResourceType::Operation || hooks("pre_hook") || hooks("post_hook")
}

/// What a node's relation holds after a build: the types that the warehouse stores, unless it is a view.
pub(super) fn stored(node: &Node, schema: &Schema) -> SchemaRef {
    match node.resource_type == ResourceType::Model && matches!(node.materialized(), "view" | "ephemeral") {
        true => Arc::new(schema.clone()),
        false => scanned_schema(&storable_schema(schema)),
    }
}

/// A failure as the user's error, or as the reason why nothing is known.
pub(super) fn failed(node: &Node, error: Box<Diagnostic>, what: String) -> Analyzed {
    if error.code.shelf == Shelf::World {
        return Analyzed::unknown(format!("{what}: {}", error.message));
    }
    let mut analyzed = Analyzed::unknown(format!("{what} has errors"));
    analyzed.push(error.of_node(&node.unique_id));
    analyzed
}

/// The declared columns of a source that is a relation of the warehouse, if all of them have types.
fn declared(node: &Node) -> Option<SchemaRef> {
    let fields = node.columns.iter().map(|column| {
        let data_type = formats::parse_data_type(column.data_type.as_deref()?).ok()?;
        Some(Field::new(&column.name, data_type, true))
    });
    let fields: Vec<_> = fields.collect::<Option<_>>()?;
    (!fields.is_empty()).then(|| Arc::new(Schema::new(fields)))
}
