//! Nodes that are queries: models, snapshots, data tests, analyses.

use std::sync::Arc;

use datafusion::arrow::datatypes::{FieldRef, Schema, SchemaRef};
use datafusion::logical_expr::LogicalPlan;
use serde_json::json;

use super::adapter::Trace;
use super::nodes::{Analyzer, stored};
use super::{Analyzed, Scope, State, Visit, columns, warn};
use crate::check::{check_data_test, keep_contract};
use crate::compile::{CompiledNode, compile_with};
use crate::diag::{Diagnostic, Result, Shelf, codes};
use crate::engine::sql::{Notes, plan_error};
use crate::jinja::{Macro, Overrides};
use crate::manifest::NodeId;
use crate::materialize::{MATERIALIZATIONS, by_macro, check_strategy, snapshot_schema, unknown};
use crate::node::{Node, Relation, ResourceType};

/// A query that was planned.
pub(super) struct Planned {
    pub(super) compiled: CompiledNode,
    pub(super) plan: LogicalPlan,
    /// With implicit casts.
    pub(super) analyzed: LogicalPlan,
    /// What was noticed of its text.
    pub(super) notes: Notes,
}

/// Why the columns of a node that a macro builds are not known.
fn built_by_macro(item: &Macro) -> String {
    format!("it is built by the macro `{}` of `{}`", item.name, item.package)
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
    Errors(Vec<Diagnostic>),
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
        let is_ours = node.resource_type != ResourceType::Model || MATERIALIZATIONS.contains(&node.materialized());
        let by_macro = by_macro(&self.request.project, &self.request.world.environment, node);
        match by_macro {
            // What it makes of the text is its own affair.
            Some(item) if !is_ours => return Analyzed::unknown(built_by_macro(item)),
            None if !is_ours => found.push(unknown(node, node.materialized())),
            _ => {}
        }
        let is_incremental = node.resource_type == ResourceType::Model && node.materialized() == "incremental";
        match (is_incremental, self.request.scope) {
            (true, Scope::Project) => {
                if let Err(error) = check_strategy(node)
                    && by_macro.is_none()
                {
                    found.push(error);
                }
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
        // Most of them keep the columns of the query. That is good enough to look at, and not to refuse a run.
        if let (Some(item), Scope::Run { .. }) = (by_macro, self.request.scope)
            && !found.has_errors()
        {
            found.state = State::Unknown(built_by_macro(item));
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
                if self.request.scope == Scope::Project && self.is_selected(id) {
                    warn::look(node, &planned, &self.session, found);
                }
                self.finish(node, &planned, found);
            }
            Err(Stop::Unknown(why)) => found.state = State::Unknown(why),
            Err(Stop::Errors(errors)) => {
                errors.into_iter().for_each(|error| found.push(Box::new(error)));
                found.state = State::Unknown(format!("`{}` has errors", node.search_name()));
            }
        }
    }

    /// The columns of a planned query, with what the node's configuration makes of them.
    fn finish(&self, node: &Node, planned: &Planned, found: &mut Analyzed) {
        let schema = match node.resource_type {
            ResourceType::Model => {
                // A view is its plan; the rows of a table come out of the analyzed one.
                let plan = if node.materialized() == "view" { &planned.plan } else { &planned.analyzed };
                let kept = keep_contract(node, plan.clone(), &self.session);
                kept.map(|plan| stored(node, plan.schema().as_arrow()))
            }
            ResourceType::Snapshot => {
                let sql = &planned.compiled.sql;
                let schema = self.runtime.block_on(snapshot_schema(&self.request.engine, &self.session, node, sql));
                schema.map(|schema| stored(node, &schema)).map_err(|error| columns::of_setting(node, error))
            }
            ResourceType::Test => {
                let checked = check_data_test(&self.request.engine, &self.session, &planned.compiled.sql, &node.config);
                if let Err(error) = self.runtime.block_on(checked) {
                    found.push(error.label(node.place(), "the settings of this test").of_node(&node.unique_id));
                }
                return;
            }
            _ => return,
        };
        match schema {
            Ok(schema) => {
                columns::check(node, &schema, self.request.scope, found);
                found.state = State::Known(self.with_old(node, schema));
            }
            Err(error) => {
                found.push(planned.compiled.locate(error));
                found.state = State::Unknown(format!("`{}` has errors", node.search_name()));
            }
        }
    }

    /// The columns of a table that is there already and gets new rows: what becomes of the old ones is up to
    /// `on_schema_change`. Only a run looks at them; a project is what it is, whatever was built of it before.
    fn with_old(&self, node: &Node, new: SchemaRef) -> SchemaRef {
        let Scope::Run { full_refresh, .. } = self.request.scope else { return new };
        let snapshot = node.resource_type == ResourceType::Snapshot;
        let refreshed = node.config.bool("full_refresh").unwrap_or(full_refresh) && !snapshot;
        if refreshed || !(snapshot || node.materialized() == "incremental") {
            return new;
        }
        let Some(relation) = &node.relation else { return new };
        let Ok(Some(old)) = self.runtime.block_on(self.request.engine.table_schema(relation)) else { return new };
        let has = |schema: &SchemaRef, name: &str| columns::has(schema, name);
        let policy =
            if snapshot { "append_new_columns" } else { node.config.str("on_schema_change").unwrap_or("ignore") };
        let added = new.fields().iter().filter(|field| !has(&old, field.name())).cloned();
        match policy {
            "sync_all_columns" => new,
            "append_new_columns" => {
                let fields: Vec<FieldRef> = old.fields().iter().cloned().chain(added).collect();
                Arc::new(Schema::new(fields))
            }
            _ => old,
        }
    }

    fn planned(&self, node: &Node, pass: Pass) -> Result<Planned, Stop> {
        let compiled = self.compiled(node, pass)?;
        let engine = &self.request.engine;
        let planned = self.runtime.block_on(engine.plan_reading(&self.session, &compiled.sql));
        let planned = planned.map_err(|errors| self.stop(&compiled, errors))?;
        if let Some(relation) = planned.reads.iter().find(|relation| self.is_stranger(node, relation)) {
            let why = format!("it reads `{}.{}` without `ref`", relation.schema, relation.identifier);
            return Err(Stop::Unknown(why));
        }
        let config = self.session.config().options();
        let analyzed = self.session.analyzer().execute_and_check(planned.plan.clone(), config, |_, _| {});
        let analyzed = analyzed.map_err(|error| self.stop(&compiled, vec![*plan_error(&error, &compiled.sql)]))?;
        Ok(Planned { compiled, plan: planned.plan, analyzed, notes: planned.notes })
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
        let mut trace = adapter.end();
        if let Some(why) = trace.unanswered.take() {
            return Err(Stop::Unknown(why));
        }
        if let (Scope::Run { .. }, Some(why)) = (self.request.scope, self.looked_too_early(&trace)) {
            return Err(Stop::Unknown(why));
        }
        compiled.map_err(|error| match error.code.shelf {
            Shelf::World => Stop::Unknown(error.message),
            // Each batch renders the template anew, with its own times.
            _ if node.config.str("incremental_strategy") == Some("microbatch") => {
                Stop::Unknown(format!("its template cannot be rendered without a batch: {}", error.message))
            }
            _ => Stop::Errors(vec![*error]),
        })
    }

    /// What a template finds in relations that this run builds anew may be something else by then.
    fn looked_too_early(&self, trace: &Trace) -> Option<String> {
        if trace.listed {
            return Some("its template asks which relations there are".into());
        }
        let rebuilt = trace.queried.iter().find(|relation| self.is_rebuilt(relation))?;
        Some(format!("its template queries `{rebuilt}`, which this run builds"))
    }

    /// True for a relation that a selected node builds.
    fn is_rebuilt(&self, relation: &Relation) -> bool {
        let engine = &self.request.engine;
        engine.builder_of(relation).is_some() && engine.prediction(relation).is_some()
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

    /// Failures of the planner, with their places in the files that people wrote.
    fn stop(&self, compiled: &CompiledNode, errors: Vec<Diagnostic>) -> Stop {
        let by_a_hook = |error: &Diagnostic| self.has_hooks && error.code == codes::TABLE_NOT_FOUND;
        match errors.iter().find(|error| error.code.shelf == Shelf::World || by_a_hook(error)) {
            Some(unknown) => Stop::Unknown(unknown.message.clone()),
            None => Stop::Errors(errors.into_iter().map(|error| *compiled.locate(Box::new(error))).collect()),
        }
    }
}
