//! The dispatcher: the only writer of run state and the only source of events.
//!
//! It starts units whose edges are done, up to the number of threads, as tasks of one runtime; they answer through one
//! channel. A unit that fails takes everything below it out. The first interrupt lets what runs end and starts nothing
//! else; the second drops what runs: commits are atomic, so that loses work and nothing else.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::Utc;
use serde_json::{Map, Value as Json, json};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

use super::executor::RunContext;
use super::{RunEvent, RunResult, Status, UnitInfo, UnitResult};
use crate::diag::{Diagnostic, codes};
use crate::jinja::LogLine;
use crate::manifest::{Manifest, NodeId};
use crate::schedule::{Schedule, UnitKind, unaudited};
use crate::warehouse::Progress;

/// How often running units say how far they are.
const TICK: Duration = Duration::from_millis(200);

/// How to run.
pub struct RunOptions {
    /// Units at the same time.
    pub threads: usize,
    /// Start nothing after the first failure.
    pub fail_fast: bool,
    /// The verb and its settings, for artifacts.
    pub args: Map<String, Json>,
    /// Counts interrupts: 1 drains, 2 drops.
    pub interrupts: watch::Receiver<u32>,
    /// Lines that templates log.
    pub logs: mpsc::UnboundedReceiver<LogLine>,
}

/// Runs `schedule` and reports to `events`.
pub async fn run(
    context: Arc<RunContext>,
    schedule: &Schedule,
    options: RunOptions,
    events: &mut (dyn FnMut(RunEvent) + Send),
) -> RunResult {
    let start = Instant::now();
    events(started(&context, schedule, &options));
    let mut dispatcher = Dispatcher::new(context, schedule, options, events);
    let may_run = dispatcher.operations(&schedule.before).await || !dispatcher.context.skips_after_failed_start();
    if !may_run {
        dispatcher.draining = Some("an on-run-start hook failed");
    }
    dispatcher.dispatch().await;
    dispatcher.operations(&schedule.after).await;
    let (quarantined, failures) = dispatcher.context.store_quarantine().await;
    for failure in failures {
        (dispatcher.events)(RunEvent::Found(failure));
    }
    let result = RunResult {
        results: std::mem::take(&mut dispatcher.results),
        quarantined,
        published: std::mem::take(&mut dispatcher.published),
        elapsed: start.elapsed(),
        interrupted: dispatcher.interrupted,
        args: std::mem::take(&mut dispatcher.options.args),
        invocation_id: dispatcher.context.world.invocation.id.clone(),
    };
    (dispatcher.events)(RunEvent::Finished { result: Box::new(result.clone()) });
    result
}

fn started(context: &RunContext, schedule: &Schedule, options: &RunOptions) -> RunEvent {
    let invocation = &context.world.invocation;
    RunEvent::Started {
        invocation_id: invocation.id.clone(),
        command: invocation.command.clone(),
        project: context.manifest.project_name.clone(),
        target: invocation.target.name.clone(),
        total: schedule.units.len() + schedule.before.len() + schedule.after.len(),
        counts: schedule.counts(&context.manifest),
        threads: options.threads,
        at: Utc::now(),
    }
}

/// Where a unit stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Waiting,
    Running,
    Done,
}

struct Dispatcher<'a> {
    context: Arc<RunContext>,
    schedule: &'a Schedule,
    options: RunOptions,
    events: &'a mut (dyn FnMut(RunEvent) + Send),
    states: Vec<State>,
    /// Parents that are not done.
    missing: Vec<usize>,
    /// Units that can start, by their place in the order.
    ready: BTreeSet<(usize, u32)>,
    rank: Vec<usize>,
    /// Name of the unit that keeps a unit from running.
    blocked_by: HashMap<u32, String>,
    running: HashMap<u32, (UnitInfo, Arc<Progress>)>,
    tasks: JoinSet<()>,
    results: Vec<UnitResult>,
    published: Vec<(String, u64)>,
    next_index: usize,
    interrupted: bool,
    draining: Option<&'static str>,
}

impl<'a> Dispatcher<'a> {
    fn new(
        context: Arc<RunContext>,
        schedule: &'a Schedule,
        options: RunOptions,
        events: &'a mut (dyn FnMut(RunEvent) + Send),
    ) -> Dispatcher<'a> {
        let count = schedule.units.len();
        let missing: Vec<usize> = (0..count as u32).map(|unit| schedule.dag.parents(unit).len()).collect();
        let mut rank = vec![0; count];
        for (place, unit) in schedule.order.iter().enumerate() {
            rank[*unit as usize] = place;
        }
        let ready = (0..count as u32).filter(|unit| missing[*unit as usize] == 0);
        Dispatcher {
            ready: ready.map(|unit| (rank[unit as usize], unit)).collect(),
            states: vec![State::Waiting; count],
            blocked_by: HashMap::new(),
            running: HashMap::new(),
            tasks: JoinSet::new(),
            results: Vec::new(),
            published: Vec::new(),
            next_index: 0,
            interrupted: false,
            draining: None,
            context,
            schedule,
            options,
            events,
            missing,
            rank,
        }
    }

    /// Runs operations one after the other; false if one failed. What stands behind a failed one is skipped.
    async fn operations(&mut self, operations: &[NodeId]) -> bool {
        let mut fine = true;
        for id in operations {
            let node = self.context.manifest.node(*id);
            self.next_index += 1;
            let unit = UnitInfo {
                index: self.next_index,
                unique_id: node.unique_id.clone(),
                name: node.name.clone(),
                resource_type: node.resource_type,
                action: "operation".into(),
                relation: None,
            };
            let result = if fine {
                (self.events)(RunEvent::UnitStarted { unit: unit.clone(), at: Utc::now() });
                self.context.operation(*id, &self.results).await
            } else {
                let mut skipped = empty_result(&self.context.manifest, *id, Status::Skipped);
                skipped.message = Some("an operation before it failed".into());
                skipped
            };
            while let Ok(line) = self.options.logs.try_recv() {
                self.log(line);
            }
            fine &= !result.status.is_failure();
            (self.events)(RunEvent::UnitFinished { unit, result: Box::new(result.clone()), at: Utc::now() });
            self.results.push(result);
        }
        fine
    }

    async fn dispatch(&mut self) {
        let (sender, mut done) = mpsc::unbounded_channel::<(u32, UnitResult)>();
        let mut tick = tokio::time::interval(TICK);
        loop {
            self.start_ready(&sender);
            if self.running.is_empty() && self.ready.is_empty() {
                break;
            }
            tokio::select! {
                Some((unit, result)) = done.recv() => self.finished(unit, result),
                Some(line) = self.options.logs.recv() => self.log(line),
                _ = tick.tick() => self.progress(),
                Ok(()) = self.options.interrupts.changed() => {
                    if !self.interrupt() {
                        break;
                    }
                }
            }
        }
        while let Ok(line) = self.options.logs.try_recv() {
            self.log(line);
        }
    }

    fn start_ready(&mut self, sender: &mpsc::UnboundedSender<(u32, UnitResult)>) {
        while self.running.len() < self.options.threads {
            let Some((_, unit)) = self.ready.pop_first() else { return };
            let blocked = self.blocked_by.get(&unit).cloned();
            match (blocked, self.draining) {
                (Some(by), _) => self.skip(unit, format!("because {by} failed")),
                (None, Some(why)) => self.skip(unit, why.to_string()),
                (None, None) => match self.not_audited(unit) {
                    Some(why) => self.skip(unit, why),
                    None => self.start(unit, sender),
                },
            }
        }
    }

    /// A publish whose model has tests that are not part of this run does not happen: nothing reaches a destination
    /// before its tests have passed.
    fn not_audited(&self, unit: u32) -> Option<String> {
        let unit = &self.schedule.units[unit as usize];
        if unit.kind != UnitKind::Publish {
            return None;
        }
        let missing = unaudited(&self.context.manifest, self.schedule, unit.node);
        (!missing.is_empty()).then(|| format!("because its tests are not part of this run: {}", missing.join(", ")))
    }

    fn start(&mut self, unit: u32, sender: &mpsc::UnboundedSender<(u32, UnitResult)>) {
        let info = self.info(unit);
        let progress = Arc::new(Progress::default());
        (self.events)(RunEvent::UnitStarted { unit: info.clone(), at: Utc::now() });
        self.states[unit as usize] = State::Running;
        self.running.insert(unit, (info, Arc::clone(&progress)));
        let context = Arc::clone(&self.context);
        let work = self.schedule.units[unit as usize].clone();
        let sender = sender.clone();
        self.tasks.spawn(async move {
            let inner = tokio::spawn({
                let context = Arc::clone(&context);
                let work = work.clone();
                async move { context.execute(&work, progress).await }
            });
            let aborter = AbortOnDrop(inner.abort_handle());
            let result = match inner.await {
                Ok(result) => result,
                Err(error) => crashed(&context.manifest, work.node, &error.to_string()),
            };
            drop(aborter);
            // The dispatcher has gone only if the run was dropped; then nobody waits for the result.
            let _ = sender.send((unit, result));
        });
    }

    fn info(&mut self, unit: u32) -> UnitInfo {
        self.next_index += 1;
        let work = &self.schedule.units[unit as usize];
        let node = self.context.manifest.node(work.node);
        let relation = match work.kind {
            UnitKind::Test | UnitKind::Nothing => None,
            UnitKind::Build | UnitKind::Clone => node.relation.as_ref().map(ToString::to_string),
            UnitKind::Publish => super::publisher::jobs(node).ok().map(|jobs| {
                let names: Vec<String> = jobs.iter().map(|job| format!("{}.{}", job.to, job.table)).collect();
                names.join(", ")
            }),
        };
        UnitInfo {
            index: self.next_index,
            unique_id: node.unique_id.clone(),
            name: node.search_name(),
            resource_type: node.resource_type,
            action: work.action(&self.context.manifest),
            relation,
        }
    }

    fn skip(&mut self, unit: u32, why: String) {
        let work = self.schedule.units[unit as usize].clone();
        let info = self.info(unit);
        let mut result = empty_result(&self.context.manifest, work.node, Status::Skipped);
        result.message = Some(why);
        self.end(unit, info, result);
    }

    fn finished(&mut self, unit: u32, result: UnitResult) {
        let Some((info, _)) = self.running.remove(&unit) else { return };
        self.end(unit, info, result);
    }

    /// Notes how a unit ended, tells it, and frees or blocks what waits for it.
    fn end(&mut self, unit: u32, info: UnitInfo, result: UnitResult) {
        self.states[unit as usize] = State::Done;
        let failed = result.status.is_failure();
        let node = self.context.manifest.node(self.schedule.units[unit as usize].node);
        let goes_on = failed && node.config.str("on_error") == Some("continue");
        let blocks = (failed && !goes_on) || result.status == Status::Skipped;
        let name = info.name.clone();
        (self.events)(RunEvent::UnitFinished { unit: info, result: Box::new(result.clone()), at: Utc::now() });
        self.keep(unit, result);
        if failed && self.options.fail_fast {
            self.draining.get_or_insert("because of an earlier failure (--fail-fast)");
        }
        for child in self.schedule.dag.children(unit).to_vec() {
            if blocks {
                // What is blocked by a skipped unit names the one that failed.
                let by = self.blocked_by.get(&unit).cloned().unwrap_or_else(|| name.clone());
                self.blocked_by.entry(child).or_insert(by);
            }
            self.missing[child as usize] -= 1;
            if self.missing[child as usize] == 0 {
                self.ready.insert((self.rank[child as usize], child));
            }
        }
    }

    /// A publish is part of its model's result; everything else is a result of its own.
    fn keep(&mut self, unit: u32, result: UnitResult) {
        let work = &self.schedule.units[unit as usize];
        if work.kind != UnitKind::Publish {
            self.results.push(result);
            return;
        }
        let status = result.status;
        for table in result.response.get("tables").and_then(Json::as_array).into_iter().flatten() {
            let text = |key: &str| table.get(key).and_then(Json::as_str).unwrap_or_default();
            // Other publishes of the model may have failed, or had nothing to do.
            if text("status") == Status::Success.as_str() {
                let rows = table.get("rows").and_then(Json::as_u64).unwrap_or_default();
                self.published.push((format!("{}.{}", text("destination"), text("table")), rows));
            }
        }
        let Some(model) = self.results.iter_mut().find(|other| other.unique_id == result.unique_id) else { return };
        let mut facts = result.response;
        facts.insert("status".into(), json!(status.as_str()));
        facts.insert("seconds".into(), json!(result.execute_time.as_secs_f64()));
        if status != Status::Success {
            facts.insert("message".into(), json!(result.message));
        }
        model.response.insert("publish".into(), Json::Object(facts));
        if status.is_failure() {
            model.status = status;
            model.message = result.message;
            model.diagnostics.extend(result.diagnostics);
        }
    }

    fn progress(&mut self) {
        for (info, progress) in self.running.values() {
            (self.events)(RunEvent::UnitProgress { index: info.index, rows: progress.rows() });
        }
    }

    fn log(&mut self, line: LogLine) {
        if line.info {
            (self.events)(RunEvent::Log { message: line.message, print: line.print });
        } else {
            tracing::debug!("{}", line.message);
        }
    }

    /// False if the run is to be dropped at once.
    fn interrupt(&mut self) -> bool {
        let count = *self.options.interrupts.borrow();
        self.interrupted = true;
        self.draining.get_or_insert("because the run was interrupted");
        if count > 1 {
            self.tasks.abort_all();
            let running: Vec<u32> = self.running.keys().copied().collect();
            for unit in running {
                let node = self.schedule.units[unit as usize].node;
                let mut result = empty_result(&self.context.manifest, node, Status::Error);
                let found = Diagnostic::error(codes::INTERRUPTED, "interrupted while it ran");
                result.message = Some(found.message.clone());
                result.diagnostics.push(*found);
                self.finished(unit, result);
            }
            let waiting: Vec<u32> =
                (0..self.states.len() as u32).filter(|unit| self.states[*unit as usize] == State::Waiting).collect();
            for unit in waiting {
                self.skip(unit, "because the run was interrupted".into());
            }
            return false;
        }
        (self.events)(RunEvent::Interrupted);
        true
    }
}

/// Aborts a task when its owner is dropped.
struct AbortOnDrop(tokio::task::AbortHandle);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

fn empty_result(manifest: &Manifest, node: NodeId, status: Status) -> UnitResult {
    let node = manifest.node(node);
    let relation_name = node.relation.as_ref().map(crate::node::Relation::render);
    UnitResult { relation_name, ..UnitResult::new(&node.unique_id, status) }
}

/// A unit whose task panicked: a bug of ours, and no reason for the others to stop.
fn crashed(manifest: &Manifest, node: NodeId, why: &str) -> UnitResult {
    let mut result = empty_result(manifest, node, Status::Error);
    let found = Diagnostic::error(codes::INTERNAL, format!("the node crashed: {why}"))
        .help("this is a bug of c360: please report it with the node's SQL");
    result.message = Some(found.message.clone());
    result.diagnostics.push(*found);
    result
}
