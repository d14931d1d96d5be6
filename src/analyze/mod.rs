//! What a project will be, before anything runs.
//!
//! [`analyze`] takes the selected nodes and all that they need above them, parents first. Each is compiled, and planned
//! by the engine against the columns that its parents will have; its own columns become what its children are planned
//! against. Nothing is executed and no relation is written: a parent is a schema without rows
//! ([`Engine::predicting`](crate::engine::Engine::predicting)).
//!
//! | node | its columns |
//! |---|---|
//! | source | as declared; else what footers of files or a sample of them say, remembered by the files' fingerprint |
//! | seed | header and types as a build would load them |
//! | model | those of its plan, in the types that the warehouse stores; a view's and an ephemeral model's as they are |
//! | incremental model | planned as a first build, and as an increment that sees itself as `this` |
//! | snapshot | those of its query, and the columns that a snapshot adds |
//!
//! A node can be in one of three states ([`State`]). What is *unknown* spreads: a child of a node whose columns are not
//! known is not checked, and says because of whom. That is a note and never an error, so that one mistake is one error.
//! A contract stops it: what the model promises is what its children see, whatever its query does.
//!
//! What is said about a node has to be true whatever the warehouse holds. So a template that asks the warehouse
//! ([`adapter`]) gets its answers from the predictions where they know, runs its queries on what is built, and if that is
//! not there the node is not checked.
//!
//! Plans are big. They are handed to the visitor ([`Request::visit`]) while they exist, and not kept.

mod adapter;
mod columns;
mod exposure;
mod generic;
pub mod lineage;
mod model;
mod nodes;
mod queue;
mod unit;
mod warn;

use std::collections::BTreeMap;
use std::sync::Arc;

use datafusion::arrow::datatypes::SchemaRef;
use datafusion::logical_expr::LogicalPlan;

use crate::compile::CompiledNode;
use crate::diag::{Diagnostic, Result, codes};
use crate::engine::Engine;
use crate::jinja::World;
use crate::manifest::{Manifest, NodeId};
use crate::node::Node;
use crate::project::Project;

pub use adapter::PredictingAdapter;

/// What is to be analyzed.
pub struct Request {
    /// An engine that predicts.
    pub engine: Arc<Engine>,
    /// What templates share; its adapter is `adapter`.
    pub world: Arc<World>,
    /// The engine as templates see it.
    pub adapter: Arc<PredictingAdapter>,
    /// The project's nodes.
    pub manifest: Arc<Manifest>,
    /// Files of seeds.
    pub project: Arc<Project>,
    /// The nodes that were asked for.
    pub selected: Vec<NodeId>,
    /// What the analysis is for.
    pub scope: Scope,
    /// Receives every plan while it exists, from several threads.
    pub visit: Option<Visitor>,
    /// How many nodes at the same time; none: as many as there are cores.
    pub threads: Option<usize>,
}

/// What an analysis is for. It decides what parents are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// The project as it is written: every parent is predicted as if all of it were built from nothing.
    Project,
    /// A run that is about to start: what is not selected is what the warehouse holds.
    Run {
        /// Incremental models are built from nothing.
        full_refresh: bool,
        /// What is built is published.
        publishes: bool,
    },
}

/// Receives plans; see [`Request::visit`].
pub type Visitor = Arc<dyn Fn(&Visit<'_>) + Send + Sync>;

/// A plan, for a [`Visitor`].
pub struct Visit<'a> {
    /// The node.
    pub id: NodeId,
    /// The same.
    pub node: &'a Node,
    /// Its SQL and where that comes from.
    pub compiled: &'a CompiledNode,
    /// Its query, as it is planned from the text. Parents are table scans of their relations, ephemeral ones subquery
    /// aliases `__dbt__cte__name`.
    pub plan: &'a LogicalPlan,
    /// The same after the analyzer, with implicit casts.
    pub analyzed: &'a LogicalPlan,
    /// Which one of an incremental model's two queries it is.
    pub increment: bool,
}

/// What is known of a node.
#[derive(Debug, Clone, Default)]
pub struct Analyzed {
    /// Its columns.
    pub state: State,
    /// What is wrong with it, and what probably is; errors first.
    pub diagnostics: Vec<Diagnostic>,
}

/// What is known of the columns of a node.
#[derive(Debug, Clone, Default)]
pub enum State {
    /// They will be these.
    Known(SchemaRef),
    /// They are those of a relation in the warehouse, which this run does not touch; or the node has none.
    #[default]
    Given,
    /// They are not known, and why. The node was not checked, or it has errors.
    Unknown(String),
}

impl Analyzed {
    fn known(schema: SchemaRef) -> Analyzed {
        Analyzed { state: State::Known(schema), ..Analyzed::default() }
    }

    fn unknown(why: impl Into<String>) -> Analyzed {
        Analyzed { state: State::Unknown(why.into()), ..Analyzed::default() }
    }

    /// The columns, if they are known.
    pub fn schema(&self) -> Option<&SchemaRef> {
        match &self.state {
            State::Known(schema) => Some(schema),
            _ => None,
        }
    }

    /// True if one of the diagnostics is an error.
    pub fn has_errors(&self) -> bool {
        self.diagnostics.iter().any(Diagnostic::is_error)
    }

    /// Why it was not checked, if it was not. A node with errors was.
    pub fn unchecked(&self) -> Option<&str> {
        match &self.state {
            State::Unknown(why) if !self.has_errors() => Some(why),
            _ => None,
        }
    }

    fn push(&mut self, diagnostic: Box<Diagnostic>) {
        if !self.diagnostics.contains(&diagnostic) {
            self.diagnostics.push(*diagnostic);
        }
    }
}

/// What [`analyze`] finds.
#[derive(Debug, Default)]
pub struct Analysis {
    /// The selected nodes and those above them.
    pub nodes: BTreeMap<NodeId, Analyzed>,
}

impl Analysis {
    /// The columns that a node will have, if they are known.
    pub fn schema(&self, id: NodeId) -> Option<&SchemaRef> {
        self.nodes.get(&id)?.schema()
    }

    /// The selected nodes that were not checked, and why.
    pub fn unchecked<'a>(&'a self, selected: &'a [NodeId]) -> impl Iterator<Item = (NodeId, &'a str)> {
        selected.iter().filter_map(|id| Some((*id, self.nodes.get(id)?.unchecked()?)))
    }
}

/// Analyzes what is asked for. It has to be called inside of a runtime.
///
/// # Errors
/// C9001 if a thread died; what is wrong with nodes is in the analysis.
pub async fn analyze(request: Request) -> Result<Analysis> {
    let threads = request.threads.unwrap_or_else(default_threads);
    let analyzer = Arc::new(nodes::Analyzer::new(request, tokio::runtime::Handle::current()));
    let mut workers = tokio::task::JoinSet::new();
    for _ in 0..threads.max(1) {
        let analyzer = Arc::clone(&analyzer);
        // Templates block while they ask, and rendering and planning are work for a core.
        workers.spawn_blocking(move || analyzer.work());
    }
    while let Some(ended) = workers.join_next().await {
        ended.map_err(|error| Diagnostic::error(codes::INTERNAL, format!("the analysis crashed: {error}")))?;
    }
    Ok(Analysis { nodes: analyzer.take() })
}

fn default_threads() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}
