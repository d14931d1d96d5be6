//! `build`, `run`, `test`, `seed`: select, schedule, run, write artifacts.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use serde_json::{Map, Value as Json};
use tokio::sync::watch;

use super::docs::hidden::{Hidden, is_anything_declared};
use super::history::remember;
use super::session::destinations;
use super::state::selection;
use super::{Loaded, Options, Session, lineage, write_lineage, write_manifest, write_run_results};
use crate::diag::{Diagnostics, Result};
use crate::engine::source_spec;
use crate::history::Recorder;
use crate::manifest::{Manifest, NodeId};
use crate::openlineage::{Emitter, Settings, Surroundings};
use crate::run::{RunContext, RunEvent, RunOptions, RunResult, Status, UnitResult, run};
use crate::schedule::{Mode, Schedule, UnitKind};
use crate::select::Selection;

/// What a run needs beside the options.
pub struct Build<'a> {
    /// Which nodes run.
    pub mode: Mode,
    /// The settings of the verb, for artifacts.
    pub args: Map<String, Json>,
    /// Receives what happens.
    pub events: &'a mut (dyn FnMut(RunEvent) + Send),
    /// Counts interrupts.
    pub interrupts: watch::Receiver<u32>,
}

/// Runs what is selected of `loaded` and writes `manifest.json` and `run_results.json`.
///
/// # Errors
/// The selection cannot be read, the engine cannot start, or artifacts cannot be written. What fails in a node is in
/// the result.
pub async fn build(
    options: &Options,
    loaded: &Loaded,
    build: Build<'_>,
    diagnostics: &mut Diagnostics,
) -> Result<RunResult> {
    let selection = match &options.leftover {
        Some(leftover) => left(loaded, leftover),
        None => selection(options, loaded, diagnostics)?,
    };
    check_selected(loaded, &selection, build.mode, diagnostics);
    for diagnostic in diagnostics.iter_mut() {
        options.warn_error.apply(diagnostic);
    }
    let schedule = schedule(&loaded.manifest, &selection, build.mode);
    let selected = selection.nodes.iter().map(|id| loaded.manifest.node(*id).unique_id.clone()).collect();
    let session = Session::open(options, loaded, selected).await?;
    let target_path = loaded.project.target_path(options.target_path.as_deref());
    write_manifest(&target_path, loaded, &HashMap::new())?;
    if diagnostics.has_errors() {
        return refused(loaded, &target_path, &schedule, build.args, diagnostics);
    }
    let units: Vec<NodeId> = schedule.units.iter().map(|unit| unit.node).collect();
    if super::check::is_wanted(options, loaded, build.mode) {
        super::check::before_run(options, loaded, &session, units, build.mode, diagnostics).await?;
    }
    if diagnostics.has_errors() {
        return refused(loaded, &target_path, &schedule, build.args, diagnostics);
    }
    let clones = match build.mode {
        Mode::Clone => super::defer::clones(options, loaded)?,
        _ => HashMap::new(),
    };
    let settings = Settings::read(&loaded.invocation.target, &loaded.invocation.env, &loaded.project.root.root)?;
    let context = Arc::new(RunContext {
        project: Arc::clone(&loaded.project),
        manifest: Arc::clone(&loaded.manifest),
        world: session.world,
        engine: session.engine,
        destinations: destinations(loaded),
        target_path: target_path.clone(),
        full_refresh: options.full_refresh,
        store_failures: options.store_failures,
        explain_analyze: options.explain_analyze,
        warn_error: options.warn_error.clone(),
        event_time: options.event_time,
        batches: options.leftover.as_ref().map(|leftover| leftover.batches.clone()).unwrap_or_default(),
        clones,
        hidden: hidden(options, loaded, settings.is_some(), &target_path).await,
    });
    let run_options = RunOptions {
        threads: options.threads.unwrap_or(loaded.invocation.target.threads),
        fail_fast: options.fail_fast,
        args: build.args,
        interrupts: build.interrupts,
        logs: session.logs,
    };
    let engine = Arc::clone(&context.engine);
    let mut recorder = Recorder::new(&loaded.manifest.project_name);
    let emitter = settings.map(|settings| emitter(settings, options, loaded, &context));
    let mut events = |event: RunEvent| {
        recorder.event(&event);
        if let Some(emitter) = &emitter {
            emitter.event(&event);
        }
        (build.events)(event);
    };
    let result = run(context, &schedule, run_options, &mut events).await;
    write_run_results(&target_path, loaded, &result)?;
    remember(&engine, loaded, recorder, &result, diagnostics).await;
    if let Some(emitter) = emitter {
        emitter.close().await.into_iter().for_each(|warning| diagnostics.push(warning));
    }
    Ok(result)
}

/// The result of a run that does not start: nodes with mistakes are errors, the others are skipped.
fn refused(
    loaded: &Loaded,
    target_path: &Path,
    schedule: &Schedule,
    args: Map<String, Json>,
    diagnostics: &Diagnostics,
) -> Result<RunResult> {
    let mut result = RunResult { args, ..RunResult::nothing(&loaded.invocation.id) };
    let units = schedule.order.iter().map(|unit| &schedule.units[*unit as usize]);
    for unit in units.filter(|unit| unit.kind != UnitKind::Publish) {
        let node = loaded.manifest.node(unit.node);
        let own = diagnostics.iter().filter(|found| found.is_error() && found.node.as_ref() == Some(&node.unique_id));
        let own: Vec<_> = own.cloned().collect();
        let status = if own.is_empty() { Status::Skipped } else { Status::Error };
        let mut unit = UnitResult::new(&node.unique_id, status);
        unit.message = own.first().map(|error| format!("{}: {}", error.code.id, error.message));
        unit.relation_name = node.relation.as_ref().map(crate::node::Relation::render);
        unit.diagnostics = own;
        result.results.push(unit);
    }
    write_run_results(target_path, loaded, &result)?;
    Ok(result)
}

/// Columns of which profiles keep no value: those that are made from tagged ones. Where that matters, or events are to
/// tell it (`told`), `lineage.json` is brought up to date first. A project that cannot be analyzed as a whole is built all
/// the same; what is below tagged columns shows nothing then.
async fn hidden(options: &Options, loaded: &Loaded, told: bool, target_path: &Path) -> HashMap<String, Vec<String>> {
    let declared = is_anything_declared(&loaded.manifest);
    if declared || told {
        let written = match lineage(options, loaded).await {
            Ok(lineage) => write_lineage(target_path, loaded, &lineage).map(drop),
            Err(error) => Err(error),
        };
        if let Err(error) = written {
            tracing::warn!("column lineage is not known: {error}");
        }
    }
    if declared { Hidden::new(&loaded.manifest, target_path).by_node() } else { HashMap::new() }
}

/// Who tells a catalogue of what runs.
fn emitter(settings: Settings, options: &Options, loaded: &Loaded, context: &RunContext) -> Emitter {
    let around = Surroundings {
        manifest: Arc::clone(&loaded.manifest),
        engine: Arc::clone(&context.engine),
        target: loaded.invocation.target.clone(),
        root: loaded.project.root.root.clone(),
        target_path: context.target_path.clone(),
        command: options.command.clone(),
        invocation_id: loaded.invocation.id.clone(),
    };
    Emitter::start(settings, around)
}

/// What an earlier invocation left to do, as a selection.
fn left(loaded: &Loaded, leftover: &super::Leftover) -> Selection {
    let mut nodes: Vec<NodeId> = leftover.nodes.iter().filter_map(|id| loaded.manifest.id(id)).collect();
    nodes.sort_unstable();
    Selection { nodes, ..Selection::default() }
}

/// The schedule without running it: the units with their reasons, in order.
///
/// # Errors
/// The selection cannot be read.
pub fn preview(options: &Options, loaded: &Loaded, mode: Mode, diagnostics: &mut Diagnostics) -> Result<Schedule> {
    let selection = selection(options, loaded, diagnostics)?;
    Ok(schedule(&loaded.manifest, &selection, mode))
}

fn schedule(manifest: &Manifest, selection: &Selection, mode: Mode) -> Schedule {
    let publishes = |id: NodeId| manifest.node(id).config.get("publish").is_some();
    Schedule::new(manifest, &selection.nodes, mode, &publishes)
}

/// What can be known to be wrong of the selected nodes before anything runs.
pub(super) fn check_selected(loaded: &Loaded, selection: &Selection, mode: Mode, diagnostics: &mut Diagnostics) {
    let known: Vec<&str> = loaded.invocation.target.destinations.keys().map(String::as_str).collect();
    let connections = super::session::connections(loaded);
    for id in &selection.nodes {
        let node = loaded.manifest.node(*id);
        for parent in loaded.manifest.dag.parents(*id) {
            let source = loaded.manifest.node(*parent);
            if let Some(external) = source.as_source().and_then(|source| source.external.as_ref()) {
                let root = &loaded.project.root.root;
                diagnostics.take(source_spec(source, external, root, &connections));
            }
        }
        if node.resource_type == crate::node::ResourceType::Snapshot {
            diagnostics.take(crate::materialize::check_snapshot(node));
        }
        if node.resource_type != crate::node::ResourceType::Model {
            continue;
        }
        diagnostics.take(crate::run::check_microbatch(node));
        if !matches!(mode, Mode::Build | Mode::Publish) {
            continue;
        }
        for job in diagnostics.take(crate::run::publish_jobs(node)).unwrap_or_default() {
            if !known.contains(&job.to.as_str()) {
                diagnostics.push(crate::run::unknown_destination(node, &job.to, known.iter().copied()));
            }
        }
    }
}
