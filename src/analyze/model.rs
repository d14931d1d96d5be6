//! Nodes that are queries: models, snapshots, data tests, analyses.

use std::sync::Arc;

use datafusion::logical_expr::LogicalPlan;
use serde_json::json;

use super::nodes::{Analyzer, stored};
use super::{Analyzed, Scope, State, Visit};
use crate::check::keep_contract;
use crate::compile::{CompiledNode, compile_with};
use crate::diag::{Diagnostic, Result, Shelf};
use crate::engine::sql::plan_error;
use crate::jinja::Overrides;
use crate::manifest::NodeId;
use crate::materialize::snapshot_schema;
use crate::node::{Node, Relation, ResourceType};

/// A query that was planned.
pub(super) struct Planned {
    pub(super) compiled: CompiledNode,
    pub(super) plan: LogicalPlan,
    /// With implicit casts.
    pub(super) analyzed: LogicalPlan,
}

/// How a node's template is rendered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pass {
    /// As the warehouse says.
    AsIs,
    /// Nothing is built.
    First,
    /// The node is built, and gets new rows.
    Increment,
}

/// Why a query was not planned.
enum Stop {
    /// Mistakes.
    Errors(Vec<Box<Diagnostic>>),
    /// It cannot be known whether it is right.
    Unknown(String),
}

impl Analyzer {
    /// Analyzes a node with a template.
    pub(super) fn query(&self, id: NodeId, node: &Node) -> Analyzed {
        if node.is_empty() {
            return Analyzed::unknown(format!("`{}` is empty", node.name));
        }
        let mut found = Analyzed::default();
        let is_incremental = node.resource_type == ResourceType::Model && node.materialized() == "incremental";
        match (is_incremental, self.request.scope) {
            (true, Scope::Project) => {
                self.pass(id, node, Pass::First, &mut found);
                if let State::Known(schema) = &found.state {
                    // The increment reads itself as `this`.
                    if let Some(relation) = &node.relation {
                        self.request.engine.predict(relation, Arc::clone(schema), false);
                    }
                    let first = found.state.clone();
                    self.pass(id, node, Pass::Increment, &mut found);
                    found.state = first;
                }
            }
            _ => self.pass(id, node, Pass::AsIs, &mut found),
        }
        found
    }

    fn pass(&self, id: NodeId, node: &Node, pass: Pass, found: &mut Analyzed) {
        match self.planned(node, pass) {
            Ok(planned) => {
                for warning in &planned.compiled.warnings {
                    found.push(Box::new(warning.clone()));
                }
                if let Some(visit) = &self.request.visit {
                    visit(&Visit {
                        id,
                        node,
                        compiled: &planned.compiled,
                        plan: &planned.plan,
                        analyzed: &planned.analyzed,
                        increment: pass == Pass::Increment,
                    });
                }
                self.finish(node, &planned, found);
            }
            Err(Stop::Unknown(why)) => found.state = State::Unknown(why),
            Err(Stop::Errors(errors)) => {
                errors.into_iter().for_each(|error| found.push(error));
                found.state = State::Unknown(format!("`{}` has errors", node.search_name()));
            }
        }
    }

    /// The columns of a planned query, with what the node's configuration makes of them.
    fn finish(&self, node: &Node, planned: &Planned, found: &mut Analyzed) {
        let schema = match node.resource_type {
            ResourceType::Model => keep_contract(node, planned.analyzed.clone(), &self.session)
                .map(|plan| stored(node, plan.schema().as_arrow())),
            ResourceType::Snapshot => {
                self.runtime.block_on(snapshot_schema(&self.request.engine, &self.session, node, &planned.compiled.sql))
            }
            _ => return,
        };
        match schema {
            Ok(schema) => found.state = State::Known(schema),
            Err(error) => {
                found.push(planned.compiled.locate(error));
                found.state = State::Unknown(format!("`{}` has errors", node.search_name()));
            }
        }
    }

    fn planned(&self, node: &Node, pass: Pass) -> Result<Planned, Stop> {
        let compiled = self.compiled(node, pass)?;
        let engine = &self.request.engine;
        let planned = self.runtime.block_on(engine.plan_reading(&self.session, &compiled.sql));
        let planned = planned.map_err(|error| stop(&compiled, error))?;
        if let Some(relation) = planned.reads.iter().find(|relation| self.is_stranger(node, relation)) {
            let why = format!("it reads `{}.{}` without `ref`", relation.schema, relation.identifier);
            return Err(Stop::Unknown(why));
        }
        let config = self.session.config().options();
        let analyzed = self.session.analyzer().execute_and_check(planned.plan.clone(), config, |_, _| {});
        let analyzed = analyzed.map_err(|error| stop(&compiled, plan_error(&error, &compiled.sql)))?;
        Ok(Planned { compiled, plan: planned.plan, analyzed })
    }

    /// Renders the template; what it asks the warehouse may have no answer.
    fn compiled(&self, node: &Node, pass: Pass) -> Result<CompiledNode, Stop> {
        let exists = match pass {
            Pass::AsIs => None,
            Pass::First => Some(false),
            Pass::Increment => Some(true),
        };
        let adapter = &self.request.adapter;
        adapter.begin(node.relation.clone().zip(exists));
        let overrides = exists.map(|exists| {
            let mut overrides = Overrides::default();
            overrides.macros.insert("is_incremental".into(), json!(exists));
            Arc::new(overrides)
        });
        let compiled = compile_with(&self.request.world, node, overrides);
        let trace = adapter.end();
        if let Some(why) = trace.unanswered {
            return Err(Stop::Unknown(why));
        }
        // What a template finds in relations that this run builds anew may be something else by then.
        if let (Scope::Run { .. }, Some(relation)) =
            (self.request.scope, trace.queried.iter().find(|relation| self.is_rebuilt(relation)))
        {
            return Err(Stop::Unknown(format!("its template queries `{relation}`, which this run builds")));
        }
        compiled.map_err(|error| match error.code.shelf {
            Shelf::World => Stop::Unknown(error.message),
            _ => Stop::Errors(vec![error]),
        })
    }

    /// True for a relation that a selected node builds.
    fn is_rebuilt(&self, relation: &Relation) -> bool {
        self.request.engine.prediction(relation).is_some()
    }

    /// True for a relation of a node of the project that `node` does not depend on: whether it is predicted by now is
    /// chance.
    fn is_stranger(&self, node: &Node, relation: &Relation) -> bool {
        self.request.engine.builder_of(relation).is_some()
            && !node.relation.as_ref().is_some_and(|own| own.is(relation))
            && !self.reads(node, relation)
    }

    /// True if `relation` is that of a parent of `node`, also through ephemeral models.
    fn reads(&self, node: &Node, relation: &Relation) -> bool {
        let manifest = &self.request.manifest;
        let mut parents = node.depends_on.iter().filter_map(|id| manifest.find(id));
        parents.any(|parent| match parent.is_ephemeral() {
            true => self.reads(parent, relation),
            false => {
                let deferred = self.request.world.deferred.get(&parent.unique_id);
                [deferred, parent.relation.as_ref()].into_iter().flatten().any(|other| other.is(relation))
            }
        })
    }
}

/// A failure of the planner, with its place in the file that a person wrote.
fn stop(compiled: &CompiledNode, error: Box<Diagnostic>) -> Stop {
    match error.code.shelf {
        Shelf::World => Stop::Unknown(error.message),
        _ => Stop::Errors(vec![compiled.locate(error)]),
    }
}
