//! The history of runs: what a run adds to `meta.runs`, and `runs.json`, which is made of it.

use std::path::Path;

use indexmap::IndexMap;

use super::{Loaded, Session};
use crate::artifacts::{NodeRun, PastRun, Runs, write};
use crate::diag::{Diagnostic, Diagnostics, Result};
use crate::engine::Engine;
use crate::history::{History, Recorder, Row, keep, newest, present, relation};
use crate::node::Relation;
use crate::run::RunResult;

/// Runs that `runs.json` has.
const RUNS: usize = 100;
/// Runs of one node, test or publish that it has.
const RUNS_OF_NODE: usize = 30;

/// Adds a run that has ended to the history. That this fails is a warning.
pub(super) async fn remember(
    engine: &Engine,
    loaded: &Loaded,
    recorder: Recorder,
    result: &RunResult,
    diagnostics: &mut Diagnostics,
) {
    let Some(relation) = table(loaded) else { return };
    let history = History { engine, relation, invocation_id: &result.invocation_id };
    if let Err(error) = keep(&history, &recorder.rows(result)).await {
        let message = format!("this run was not added to the history: {}", error.message);
        let mut warning = Diagnostic::warning(error.code, message);
        warning.notes.clone_from(&error.notes);
        diagnostics.push(warning.help("`history: false` in the profile's output switches it off"));
    }
}

/// Where the history of the project is; none if it is switched off, or the project builds something under that name.
fn table(loaded: &Loaded) -> Option<Relation> {
    let target = &loaded.invocation.target;
    let relation = relation(&target.database);
    let is_same = |other: &Relation| {
        other.schema.eq_ignore_ascii_case(&relation.schema)
            && other.identifier.eq_ignore_ascii_case(&relation.identifier)
    };
    let is_taken = loaded.manifest.nodes.iter().filter_map(|node| node.relation.as_ref()).any(is_same);
    (loaded.project.is_on("history", target) && !is_taken).then_some(relation)
}

/// Writes `runs.json` into `folder`: the newest runs that the warehouse knows. Nothing is known if there is no history.
///
/// # Errors
/// C5006 or C5007 if the table cannot be read or the file not be written.
pub async fn write_runs(session: &Session, loaded: &Loaded, folder: &Path) -> Result<()> {
    let runs = match table(loaded) {
        Some(relation) if present(&session.engine, &relation).await? => {
            let project = &loaded.manifest.project_name;
            runs_of(newest(&session.engine, &relation, project, RUNS).await?)
        }
        _ => Runs::default(),
    };
    write(&folder.join("runs.json"), &runs)
}

/// Rows, newest run first, as the artifact.
fn runs_of(rows: Vec<Row>) -> Runs {
    let mut runs: IndexMap<String, PastRun> = IndexMap::new();
    let mut all = Runs::default();
    for row in rows {
        let run = runs.entry(row.invocation_id.clone()).or_insert_with(|| past_run(&row));
        *run.counts.entry(row.status.clone()).or_default() += 1;
        let same = |other: &&NodeRun| other.kind == row.kind && other.destination == row.destination;
        let of_node = all.nodes.entry(row.unique_id.clone()).or_default();
        if row.kind != "operation" && of_node.iter().filter(same).count() < RUNS_OF_NODE {
            of_node.push(node_run(row));
        }
    }
    all.nodes.retain(|_, runs| !runs.is_empty());
    all.runs = runs.into_values().collect();
    all
}

fn past_run(row: &Row) -> PastRun {
    PastRun {
        invocation_id: row.invocation_id.clone(),
        started_at: row.run_started_at.clone(),
        elapsed: row.run_elapsed,
        verb: row.verb.clone(),
        target: row.target.clone(),
        version: row.c360_version.clone(),
        status: row.run_status.clone(),
        counts: IndexMap::new(),
    }
}

fn node_run(row: Row) -> NodeRun {
    NodeRun {
        invocation_id: row.invocation_id,
        started_at: row.started_at,
        status: row.status,
        kind: row.kind,
        duration: row.compile_seconds + row.execute_seconds,
        rows: row.rows,
        bytes: row.bytes,
        peak_memory: row.peak_memory,
        failures: row.failures,
        message: row.message,
        destination: row.destination,
    }
}
