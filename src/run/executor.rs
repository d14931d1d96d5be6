//! Runs one unit: compiles its node, hands it to a materialization, a test or a destination, and says how it ended.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use serde_json::{Map, Value as Json, json};

use super::{Status, UnitResult};
use crate::check::{run_data_test, verdict};
use crate::compile::{CompiledNode, compile, compiled_path};
use crate::diag::{Diagnostic, Result, SourceFile, codes};
use crate::engine::{Engine, Meter};
use crate::jinja::World;
use crate::manifest::{Manifest, NodeId};
use crate::materialize::{Job, Materialized, materialize};
use crate::node::{Node, ResourceType};
use crate::project::Project;
use crate::publish::{DestinationConfig, Published};
use crate::schedule::{Unit, UnitKind};
use crate::stdx::{grouped, plural};
use crate::warehouse::{Commit, Progress};

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
}

/// A unit's parts of a result, before it is known how it ended.
struct Attempt {
    started_at: DateTime<Utc>,
    start: Instant,
    compile_time: Duration,
    compiled: Option<CompiledNode>,
    meter: Option<Meter>,
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
        };
        let outcome = match unit.kind {
            UnitKind::Publish => self.publish(unit.node, &progress).await,
            UnitKind::Test => self.test(unit.node, &mut attempt).await,
            UnitKind::Build if node.resource_type == ResourceType::Exposure => Ok(Outcome::Nothing),
            UnitKind::Build => self.build(unit.node, &mut attempt, &progress).await,
        };
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
        result
    }

    /// Compiles `node` on a thread that may block, since its template may run queries.
    async fn compile(&self, id: NodeId, attempt: &mut Attempt) -> Result<Arc<SourceFile>> {
        let start = Instant::now();
        let world = Arc::clone(&self.world);
        let manifest = Arc::clone(&self.manifest);
        let compiled = tokio::task::spawn_blocking(move || compile(&world, manifest.node(id))).await;
        attempt.compile_time = start.elapsed();
        let compiled = compiled.map_err(|error| {
            Diagnostic::error(codes::INTERNAL, format!("a template could not be rendered: {error}"))
        })??;
        let sql = Arc::clone(&compiled.sql);
        self.write_compiled(id, &sql.text)?;
        attempt.compiled = Some(compiled);
        Ok(sql)
    }

    fn write_compiled(&self, id: NodeId, sql: &str) -> Result<()> {
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

    async fn build(&self, id: NodeId, attempt: &mut Attempt, progress: &Arc<Progress>) -> Result<Outcome> {
        let node = self.manifest.node(id);
        let relation = node
            .relation
            .as_ref()
            .ok_or_else(|| Diagnostic::error(codes::INTERNAL, format!("`{}` has no relation", node.name)))?;
        let sql = match node.resource_type {
            ResourceType::Seed => SourceFile::new(node.original_path.clone(), ""),
            _ => self.compile(id, attempt).await?,
        };
        let meter = attempt.meter.insert(self.engine.meter()?);
        let job = Job {
            engine: &self.engine,
            meter,
            node,
            relation,
            sql: &sql,
            seed_file: (node.resource_type == ResourceType::Seed).then(|| self.file_of(node)),
            progress,
            commit: Commit { node: node.unique_id.clone(), invocation_id: self.world.invocation.id.clone() },
            full_refresh: node.config.bool("full_refresh").unwrap_or(self.full_refresh),
        };
        materialize(&job).await.map(Outcome::Built)
    }

    fn file_of(&self, node: &Node) -> PathBuf {
        let package = self.project.all().find(|package| package.name() == node.package);
        package.map_or(&self.project.root, |package| package).root.join(&node.original_path)
    }

    async fn test(&self, id: NodeId, attempt: &mut Attempt) -> Result<Outcome> {
        let node = self.manifest.node(id);
        if node.resource_type == ResourceType::UnitTest {
            return Err(Diagnostic::error(codes::BAD_VALUE, "unit tests cannot be run yet")
                .label(node.place(), "declared here")
                .help("leave it out: `--exclude test_type:unit`"));
        }
        let sql = self.compile(id, attempt).await?;
        let meter = attempt.meter.insert(self.engine.meter()?);
        let found = run_data_test(&self.engine, meter, &sql, &node.config).await?;
        let verdict = verdict(&node.config, &found);
        let path = self.target_path.join("compiled").join(compiled_path(node));
        let diagnostic = test_diagnostic(node, verdict.status, found.failures, &path);
        Ok(Outcome::Tested { verdict, diagnostic })
    }
}

/// How a unit ended well, or as a test may.
pub(super) enum Outcome {
    /// There was nothing to do.
    Nothing,
    Built(Materialized),
    Tested {
        verdict: crate::check::Verdict,
        diagnostic: Option<Box<Diagnostic>>,
    },
    Published(Vec<Published>),
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
            Outcome::Tested { verdict, diagnostic } => {
                result.status = verdict.status;
                result.failures = Some(verdict.failures);
                result.message = diagnostic.as_ref().map(|diagnostic| diagnostic.message.clone());
                result.diagnostics.extend(diagnostic.map(|diagnostic| *diagnostic));
            }
            Outcome::Published(all) => {
                let told =
                    |done: &Published| format!("{}.{}: {}", done.destination, done.table, plural(done.rows, "row"));
                result.rows = all.iter().map(|done| done.rows).max();
                result.bytes = Some(all.iter().map(|done| done.bytes).sum());
                result.message = Some(all.iter().map(told).collect::<Vec<_>>().join(", "));
                let tables = all.iter().map(|done| Json::Object(published_json(done))).collect();
                result.response.insert("tables".into(), Json::Array(tables));
            }
        }
    }
}

fn published_json(done: &Published) -> Map<String, Json> {
    let mut map = Map::new();
    map.insert("destination".into(), json!(done.destination));
    map.insert("table".into(), json!(done.table));
    map.insert("rows".into(), json!(done.rows));
    map.insert("bytes".into(), json!(done.bytes));
    map.insert("attempts".into(), json!(done.attempts));
    map
}

fn blank(node: &Node, attempt: &Attempt) -> UnitResult {
    let is_test = matches!(node.resource_type, ResourceType::Test | ResourceType::UnitTest);
    UnitResult {
        started_at: attempt.started_at,
        compile_time: attempt.compile_time,
        relation_name: node.relation.as_ref().filter(|_| !is_test).map(crate::node::Relation::render),
        ..UnitResult::new(&node.unique_id, if is_test { Status::Pass } else { Status::Success })
    }
}

fn test_diagnostic(node: &Node, status: Status, failures: u64, path: &std::path::Path) -> Option<Box<Diagnostic>> {
    let found = match failures {
        1 => "found 1 row that it should not find".to_string(),
        failures => format!("found {} rows that it should not find", grouped(failures)),
    };
    let message = format!("test `{}` {found}", node.name);
    let diagnostic = match status {
        Status::Fail => Diagnostic::error(codes::TEST_FAILED, message),
        Status::Warn => Diagnostic::warning(codes::TEST_WARNED, message),
        _ => return None,
    };
    Some(
        diagnostic
            .label(node.place(), "")
            .note(format!("its query is in {}", path.display()))
            .help(format!("`c360 show --select {}` shows the rows", node.name))
            .of_node(&node.unique_id),
    )
}
