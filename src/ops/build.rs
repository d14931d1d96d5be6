//! `build`, `run`, `test`, `seed`: select, schedule, run, write artifacts.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::{Map, Value as Json};
use tokio::sync::watch;

use super::session::destinations;
use super::state::selection;
use super::{Loaded, Options, Session, write_manifest, write_run_results};
use crate::diag::{Diagnostics, Result};
use crate::engine::source_spec;
use crate::manifest::{Manifest, NodeId};
use crate::run::{RunContext, RunEvent, RunOptions, RunResult, run};
use crate::schedule::{Mode, Schedule};
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
        return Ok(RunResult::nothing(&loaded.invocation.id));
    }
    let units: Vec<NodeId> = schedule.units.iter().map(|unit| unit.node).collect();
    if super::check::is_wanted(options, loaded, build.mode) {
        super::check::before_run(options, loaded, &session, units, build.mode, diagnostics).await?;
    }
    if diagnostics.has_errors() {
        return Ok(RunResult::nothing(&loaded.invocation.id));
    }
    let context = Arc::new(RunContext {
        project: Arc::clone(&loaded.project),
        manifest: Arc::clone(&loaded.manifest),
        world: session.world,
        engine: session.engine,
        destinations: destinations(loaded),
        target_path: target_path.clone(),
        full_refresh: options.full_refresh,
        store_failures: options.store_failures,
        warn_error: options.warn_error.clone(),
        event_time: options.event_time,
        batches: options.leftover.as_ref().map(|leftover| leftover.batches.clone()).unwrap_or_default(),
    });
    let run_options = RunOptions {
        threads: options.threads.unwrap_or(loaded.invocation.target.threads),
        fail_fast: options.fail_fast,
        args: build.args,
        interrupts: build.interrupts,
        logs: session.logs,
    };
    let result = run(context, &schedule, run_options, build.events).await;
    write_run_results(&target_path, loaded, &result)?;
    Ok(result)
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
        if mode != Mode::Build {
            continue;
        }
        for job in diagnostics.take(crate::run::publish_jobs(node)).unwrap_or_default() {
            if !known.contains(&job.to.as_str()) {
                diagnostics.push(crate::run::unknown_destination(node, &job.to, known.iter().copied()));
            }
        }
    }
}
