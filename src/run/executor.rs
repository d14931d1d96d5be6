//! Runs one unit: compiles its node, hands it to a materialization, a test or a destination, and says how it ended.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{DateTime, NaiveDateTime, Utc};
use serde_json::json;

use super::hooks::{When, end_session};
use super::microbatch::{Batches, Stretch, is_microbatch};
use super::{Status, UnitResult};
use crate::compile::{CompiledNode, compile, compiled_path};
use crate::diag::{Diagnostic, Result, SourceFile, WarnError, codes};
use crate::engine::{Engine, Meter};
use crate::jinja::World;
use crate::manifest::{Manifest, NodeId};
use crate::materialize::{Job, Materialized, materialize};
use crate::node::{Node, Relation, ResourceType};
use crate::project::Project;
use crate::publish::{DestinationConfig, Published};
use crate::schedule::{Unit, UnitKind};
use crate::statement::Trail;
use crate::stdx::plural;
use crate::warehouse::{Commit, Profiling, Progress, Stored};

/// What the units of a run share.
pub struct RunContext {
    /// Files of seeds.
    pub project: Arc<Project>,
    /// The resolved project.
    pub manifest: Arc<Manifest>,
    /// What templates share.
    pub world: Arc<World>,
    /// The engine.
    pub engine: Arc<Engine>,
    /// Destinations of the target by name, or why one cannot be used.
    pub destinations: Vec<(String, Result<DestinationConfig>)>,
    /// Folder for artifacts.
    pub target_path: PathBuf,
    /// `--full-refresh`.
    pub full_refresh: bool,
    /// `--store-failures`.
    pub store_failures: bool,
    /// `--explain-analyze`.
    pub explain_analyze: bool,
    /// Which warnings are errors.
    pub warn_error: WarnError,
    /// `--event-time-start` and `--event-time-end`.
    pub event_time: (Option<NaiveDateTime>, Option<NaiveDateTime>),
    /// Batches of microbatch models that are run instead of those that the time says, by unique id.
    pub batches: HashMap<String, Vec<Stretch>>,
    /// Where another state has what `clone` takes over, by unique id.
    pub clones: HashMap<String, Relation>,
    /// Columns of which profiles keep no value, by unique id, beside those that a node declares itself.
    pub hidden: HashMap<String, Vec<String>>,
}

/// A unit's parts of a result, before it is known how it ended.
pub(super) struct Attempt {
    started_at: DateTime<Utc>,
    start: Instant,
    compile_time: Duration,
    pub(super) compiled: Option<CompiledNode>,
    pub(super) meter: Option<Meter>,
    /// What statements of its template and its hooks leave behind.
    pub(super) trail: Trail,
}

impl RunContext {
    /// Runs `unit` to its end. Never fails: a failure is a result.
    pub(super) async fn execute(self: &Arc<Self>, unit: &Unit, progress: Arc<Progress>) -> UnitResult {
        let node = self.manifest.node(unit.node);
        let mut attempt = Attempt {
            started_at: Utc::now(),
            start: Instant::now(),
            compile_time: Duration::ZERO,
            compiled: None,
            meter: None,
            trail: Trail::default(),
        };
        let outcome = match unit.kind {
            UnitKind::Publish => self.publish(unit.node, &progress).await,
            UnitKind::Test => self.test(unit.node, &mut attempt).await,
            UnitKind::Build => self.build(unit.node, &mut attempt, &progress).await,
            UnitKind::Clone => self.clone_node(unit.node, &mut attempt, &progress).await.map(Outcome::Cloned),
            UnitKind::Nothing => Ok(Outcome::Nothing),
        };
        attempt.trail.drop_temporary(&self.engine).await;
        let mut result = blank(node, &attempt);
        result.execute_time = attempt.start.elapsed().saturating_sub(attempt.compile_time);
        match outcome {
            Ok(outcome) => outcome.apply(&mut result),
            Err(diagnostic) => {
                // What is wrong with rows has no place in the text; the node's says at least whose rows.
                let diagnostic = match diagnostic.labels.is_empty() {
                    true => diagnostic.label(node.place(), ""),
                    false => diagnostic,
                };
                let diagnostic = match &attempt.compiled {
                    Some(compiled) => compiled.locate(diagnostic),
                    None => diagnostic.of_node(&node.unique_id),
                };
                result.status = Status::Error;
                result.message = Some(format!("{}: {}", diagnostic.code.id, diagnostic.message));
                result.diagnostics.push(*diagnostic);
            }
        }
        if let Some(compiled) = &attempt.compiled {
            result.compiled_code = Some(compiled.sql.text.clone());
            result.diagnostics.extend(compiled.warnings.iter().cloned());
        }
        result.peak_memory = attempt.meter.as_ref().map(Meter::peak_memory);
        if let Some(meter) = attempt.meter.as_ref().filter(|_| self.explain_analyze) {
            result.response.insert("operators".into(), json!(meter.operators()));
        }
        result
    }

    /// True if `node` is built as an increment of what is there.
    async fn is_incremental(&self, node: &Node) -> Result<bool> {
        let refresh = node.config.bool("full_refresh").unwrap_or(self.full_refresh);
        let (Some(relation), "incremental", false) = (&node.relation, node.materialized(), refresh) else {
            return Ok(false);
        };
        Ok(matches!(self.engine.warehouse.load(relation).await?, Some(Stored::Table(_))))
    }

    /// Compiles `node` on a thread that may block, since its template may run queries.
    pub(super) async fn compile(&self, id: NodeId, attempt: &mut Attempt) -> Result<Arc<SourceFile>> {
        let start = Instant::now();
        let world = Arc::clone(&self.world);
        let manifest = Arc::clone(&self.manifest);
        let compiled = tokio::task::spawn_blocking(move || {
            let compiled = compile(&world, manifest.node(id));
            (compiled, end_session(&world))
        });
        let compiled = compiled.await;
        attempt.compile_time = start.elapsed();
        let (compiled, temporary) = compiled.map_err(|error| {
            Diagnostic::error(codes::INTERNAL, format!("a template could not be rendered: {error}"))
        })?;
        attempt.trail.adopt(temporary);
        let compiled = compiled?;
        if let Some(warning) = compiled.warnings.iter().find(|warning| self.warn_error.promotes(warning.code)) {
            let mut error = Box::new(warning.clone());
            self.warn_error.apply(&mut error);
            return Err(error);
        }
        let sql = Arc::clone(&compiled.sql);
        self.write_compiled(id, &sql.text)?;
        attempt.compiled = Some(compiled);
        Ok(sql)
    }

    pub(super) fn write_compiled(&self, id: NodeId, sql: &str) -> Result<()> {
        let path = self.target_path.join("compiled").join(compiled_path(self.manifest.node(id)));
        let write = || -> std::io::Result<()> {
            if let Some(folder) = path.parent() {
                std::fs::create_dir_all(folder)?;
            }
            std::fs::write(&path, sql)
        };
        write().map_err(|error| {
            Diagnostic::error(codes::STORE_ERROR, format!("`{}` cannot be written: {error}", path.display()))
        })
    }

    async fn build(self: &Arc<Self>, id: NodeId, attempt: &mut Attempt, progress: &Arc<Progress>) -> Result<Outcome> {
        let node = self.manifest.node(id);
        let relation = node
            .relation
            .as_ref()
            .ok_or_else(|| Diagnostic::error(codes::INTERNAL, format!("`{}` has no relation", node.name)))?;
        let incremental = self.is_incremental(node).await?;
        if is_microbatch(node) {
            return self.batches(id, incremental, attempt, progress).await;
        }
        let sql = match node.resource_type {
            ResourceType::Seed => SourceFile::new(node.original_path.clone(), ""),
            _ => self.compile(id, attempt).await?,
        };
        if let Some(item) = self.custom_materialization(node) {
            return self.materialize_by_macro(id, item, &sql, incremental, attempt).await;
        }
        let meter = &*attempt.meter.insert(self.engine.meter()?);
        let session = (meter, &attempt.trail);
        self.hooks(node, When::Before, incremental, session).await?;
        let job = Job {
            engine: &self.engine,
            meter,
            node,
            relation,
            sql: &sql,
            seed_file: (node.resource_type == ResourceType::Seed).then(|| self.project.file_of(node)),
            progress,
            commit: self.commit(node),
            full_refresh: node.config.bool("full_refresh").unwrap_or(self.full_refresh),
            batch: None,
        };
        let done = materialize(&job).await?;
        self.hooks(node, When::After, incremental, session).await?;
        Ok(Outcome::Built(done))
    }

    /// What goes into the log with the rows of `node`, and whether they are looked at.
    pub(super) fn commit(&self, node: &Node) -> Commit {
        let is_on = self.project.is_on("column_profiles", &self.world.invocation.target);
        let hidden = self.hidden.get(&node.unique_id).map_or(&[][..], Vec::as_slice);
        let profiling = if is_on { Profiling::of(node).hiding(hidden) } else { Profiling::Off };
        Commit::new(&node.unique_id, &self.world.invocation.id).profiled(profiling)
    }

    async fn batches(
        self: &Arc<Self>,
        id: NodeId,
        incremental: bool,
        attempt: &mut Attempt,
        progress: &Arc<Progress>,
    ) -> Result<Outcome> {
        let node = self.manifest.node(id);
        let meter = &*attempt.meter.insert(self.engine.meter()?);
        let session = (meter, &attempt.trail);
        self.hooks(node, When::Before, incremental, session).await?;
        let mut batches = self.microbatch(id, incremental, meter, progress).await?;
        self.hooks(node, When::After, incremental, session).await?;
        attempt.compiled = batches.compiled.take();
        Ok(Outcome::Batched(Box::new(batches)))
    }
}

/// How a unit ended well, or as a test may.
pub(super) enum Outcome {
    Built(Materialized),
    Tested {
        verdict: crate::check::Verdict,
        diagnostic: Option<Box<Diagnostic>>,
    },
    Batched(Box<Batches>),
    /// None: there was nothing to do.
    Cloned(Option<Materialized>),
    /// The publishes of a node, by `destination.table`.
    Published(Vec<(String, Result<Published>)>),
    Nothing,
}

impl Outcome {
    fn apply(self, result: &mut UnitResult) {
        match self {
            Outcome::Nothing => result.status = Status::NoOp,
            Outcome::Built(done) => {
                result.rows = done.rows;
                result.bytes = done.bytes;
                result.spilled = Some(done.spilled);
                result.message = Some(match done.rows {
                    Some(rows) => format!("OK {}", plural(rows, "row")),
                    None => "OK".into(),
                });
                let facts = [("version", done.version), ("total_rows", done.total_rows)];
                for (key, value) in facts {
                    if let Some(value) = value {
                        result.response.insert(key.into(), json!(value));
                    }
                }
            }
            Outcome::Cloned(None) => result.message = Some("No-op".into()),
            Outcome::Cloned(Some(done)) => Outcome::Built(done).apply(result),
            Outcome::Batched(batches) => batched(*batches, result),
            Outcome::Tested { verdict, diagnostic } => {
                result.status = verdict.status;
                result.failures = Some(verdict.failures);
                result.message = diagnostic.as_ref().map(|diagnostic| diagnostic.message.clone());
                result.diagnostics.extend(diagnostic.map(|diagnostic| *diagnostic));
            }
            Outcome::Published(all) => super::publisher::apply(all, result),
        }
    }
}

/// A microbatch model: some of its batches may have failed.
fn batched(batches: Batches, result: &mut UnitResult) {
    let total = batches.successful.len() + batches.failed.len();
    let json = batches.json();
    let Batches { done, successful, failed, diagnostics, .. } = batches;
    let count = successful.len();
    Outcome::Built(done).apply(result);
    if !failed.is_empty() {
        result.status = if successful.is_empty() { Status::Error } else { Status::PartialSuccess };
        result.message = Some(match diagnostics.first() {
            Some(first) => format!("{count} of {total} batches succeeded; {}: {}", first.code.id, first.message),
            None => format!("{count} of {total} batches succeeded"),
        });
    }
    result.diagnostics.extend(diagnostics);
    result.response.insert("batch_results".into(), json);
}

fn blank(node: &Node, attempt: &Attempt) -> UnitResult {
    UnitResult { compile_time: attempt.compile_time, ..blank_result(node, attempt.started_at) }
}

/// The result of a node that has done nothing yet.
pub(super) fn blank_result(node: &Node, started_at: DateTime<Utc>) -> UnitResult {
    let is_test = matches!(node.resource_type, ResourceType::Test | ResourceType::UnitTest);
    UnitResult {
        started_at,
        relation_name: node.relation.as_ref().filter(|_| node.resource_type.is_refable()).map(Relation::render),
        ..UnitResult::new(&node.unique_id, if is_test { Status::Pass } else { Status::Success })
    }
}
