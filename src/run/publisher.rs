//! The publish of a mart: reads the tested relation and hands it to a destination.

use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::executor::{Outcome, RunContext};
use super::{Status, UnitResult};
use crate::diag::{Diagnostic, Result, SourceFile, codes};
use crate::jinja::LogLine;
use crate::manifest::NodeId;
use crate::node::Node;
use crate::publish::{
    DestinationConfig, FrameRows, Mode, Origin, Progress as PublishProgress, PublishJob, Published, Source,
    TableSource, Timeless, publish,
};
use crate::stdx::{closest, plural};
use crate::warehouse::Progress;

impl RunContext {
    /// Publishes the relation of a node to every destination that its configuration names.
    ///
    /// It runs on a thread of its own: the futures of the database library cannot move between threads.
    pub(super) async fn publish(self: &Arc<Self>, id: NodeId, progress: &Arc<Progress>) -> Result<Outcome> {
        let context = Arc::clone(self);
        let progress = Arc::clone(progress);
        let runtime = tokio::runtime::Handle::current();
        let work = move || runtime.block_on(context.publish_all(id, &progress));
        tokio::task::spawn_blocking(work)
            .await
            .map_err(|error| Diagnostic::error(codes::INTERNAL, format!("a publish crashed: {error}")))?
    }

    /// Publishes to one destination after the other. One that fails does not keep the rows from the others.
    async fn publish_all(&self, id: NodeId, progress: &Arc<Progress>) -> Result<Outcome> {
        let node = self.manifest.node(id);
        let jobs = jobs(node)?;
        let source = self.source(node).await?;
        let mut done = Vec::new();
        for job in jobs {
            let published = self.publish_one(node, &job, &*source, progress).await;
            done.push((format!("{}.{}", job.to, job.table), published));
        }
        Ok(Outcome::Published(done))
    }

    /// The rows of a node: the version of its table that its tests have read, or those of a view.
    async fn source(&self, node: &Node) -> Result<Box<dyn Source>> {
        let relation = node
            .relation
            .as_ref()
            .ok_or_else(|| Diagnostic::error(codes::INTERNAL, format!("`{}` has no relation", node.name)))?;
        let meter = self.engine.meter()?;
        let run = self.world.invocation.id.clone();
        let full_refresh = node.config.bool("full_refresh").unwrap_or(self.full_refresh);
        if let Some(table) = self.engine.version_of(relation).await? {
            let source = TableSource::open(table, relation.to_string(), run, full_refresh, meter.state.clone()).await?;
            return Ok(Box::new(source));
        }
        let file = SourceFile::new("publish", format!("select * from {}", relation.render()));
        let plan = self.engine.plan(&meter.state, &file).await?;
        let rows = FrameRows(datafusion::dataframe::DataFrame::new(meter.state.clone(), plan));
        let origin = Origin { relation: relation.to_string(), version: None, run, full_refresh };
        Ok(Box::new(Timeless { origin, rows }))
    }

    async fn publish_one(
        &self,
        node: &Node,
        job: &PublishJob,
        source: &dyn Source,
        progress: &Arc<Progress>,
    ) -> Result<Published> {
        let config = self.destination(node, &job.to)?;
        let seen = std::sync::atomic::AtomicU64::new(0);
        // A run that stands still has to say why.
        let say = |what: String| {
            let message = format!("{}.{}: {what}", job.to, job.table);
            (self.world.log)(LogLine { message, info: true, print: false });
        };
        let tell = |event: PublishProgress| match event {
            PublishProgress::Rows(rows) => {
                let before = seen.swap(rows, std::sync::atomic::Ordering::Relaxed);
                progress.add(rows.saturating_sub(before) as usize, 0);
            }
            PublishProgress::Loading(how) => tracing::info!("{}: {how}", node.name),
            PublishProgress::Waiting(why) => say(format!("waits: {why}")),
            PublishProgress::Retrying(why) => say(format!("begins again: {why}")),
        };
        publish(config, &job.to, job, source, &tell).await.map_err(|error| match error.labels.is_empty() {
            true => error.label(node.place(), "").of_node(&node.unique_id),
            false => error.of_node(&node.unique_id),
        })
    }

    fn destination(&self, node: &Node, name: &str) -> Result<&DestinationConfig> {
        match self.destinations.iter().find(|(other, _)| other == name) {
            Some((_, Ok(config))) => Ok(config),
            Some((_, Err(diagnostic))) => Err(diagnostic.clone()),
            None => Err(unknown_destination(node, name, self.destinations.iter().map(|(name, _)| name.as_str()))),
        }
    }
}

/// Tells in `result` how the publishes of a node have ended: it failed if one of them did, and had nothing to do if none
/// had.
pub(super) fn apply(all: Vec<(String, Result<Published>)>, result: &mut UnitResult) {
    let done = || all.iter().filter_map(|(_, one)| one.as_ref().ok());
    let failed = all.iter().any(|(_, one)| one.is_err());
    let idle = !failed && !all.is_empty() && done().all(|one| one.skipped.is_some());
    result.status = match (failed, idle) {
        (true, _) => Status::Error,
        (_, true) => Status::NoOp,
        _ => Status::Success,
    };
    if !idle {
        result.rows = done().map(|one| one.sent).max();
        result.bytes = Some(done().map(|one| one.bytes).sum());
    }
    let alone = all.len() == 1;
    result.message = Some(all.iter().map(|(name, one)| told(name, one, alone)).collect::<Vec<_>>().join(", "));
    result.response.insert("tables".into(), all.iter().map(|(name, one)| published_json(name, one)).collect());
    result.diagnostics.extend(all.into_iter().filter_map(|(_, one)| one.err()).map(|found| *found));
}

/// One publish in words. Where there is but one, the line that shows them has its name already.
fn told(name: &str, one: &Result<Published>, alone: bool) -> String {
    let words = match one {
        Err(error) => format!("{}: {}", error.code.id, error.message),
        Ok(Published { skipped: Some(why), .. }) => why.clone(),
        Ok(done) if done.mode == Mode::Replace => plural(done.rows, "row"),
        Ok(done) => {
            let deleted = if done.deleted > 0 { format!(", {} deleted", done.deleted) } else { String::new() };
            format!("{} sent{deleted}, {} there", plural(done.sent, "row"), plural(done.rows, "row"))
        }
    };
    let is_done = matches!(one, Ok(done) if done.skipped.is_none());
    if alone && !is_done { words } else { format!("{name}: {words}") }
}

fn published_json(name: &str, one: &Result<Published>) -> Json {
    let (destination, table) = name.split_once('.').unwrap_or((name, ""));
    match one {
        Err(error) => json!({
            "destination": destination, "table": table, "status": Status::Error.as_str(),
            "message": format!("{}: {}", error.code.id, error.message),
        }),
        Ok(Published { skipped: Some(why), rows, mode, .. }) => json!({
            "destination": destination, "table": table, "status": Status::NoOp.as_str(), "mode": mode.word(),
            "message": why, "rows": rows,
        }),
        Ok(done) => json!({
            "destination": destination, "table": table, "status": Status::Success.as_str(), "mode": done.mode.word(),
            "rows": done.rows, "sent": done.sent, "deleted": done.deleted, "bytes": done.bytes,
            "attempts": done.attempts,
        }),
    }
}

/// The publishes that a node's configuration asks for.
///
/// # Errors
/// C6006 with the place of the setting.
pub(crate) fn jobs(node: &Node) -> Result<Vec<PublishJob>> {
    let Some(value) = node.config.get("publish") else { return Ok(Vec::new()) };
    let table = node.relation.as_ref().map_or(node.name.as_str(), |relation| relation.identifier.as_str());
    let jobs = PublishJob::parse(&node.unique_id, table, value);
    jobs.map_err(|diagnostic| match diagnostic.labels.is_empty() {
        true => diagnostic.label(place(node), "set here").of_node(&node.unique_id),
        false => diagnostic.of_node(&node.unique_id),
    })
}

/// C6001 for a destination that the target does not have.
pub(crate) fn unknown_destination<'a>(
    node: &Node,
    name: &str,
    known: impl Iterator<Item = &'a str> + Clone,
) -> Box<Diagnostic> {
    let names: Vec<&str> = known.clone().collect();
    Diagnostic::error(codes::DESTINATION_UNKNOWN, format!("the target has no destination `{name}`"))
        .label(place(node), "published here")
        .maybe_help(closest(name, known).map(|name| format!("a destination named `{name}` exists")))
        .note(match names.is_empty() {
            true => "the profile's target has no `destinations:`".to_string(),
            false => format!("destinations of the target: {}", names.join(", ")),
        })
        .of_node(&node.unique_id)
}

fn place(node: &Node) -> crate::diag::Span {
    node.config.span("publish").cloned().unwrap_or_else(|| node.place())
}
