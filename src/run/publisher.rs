//! The publish of a mart: reads the tested relation and hands it to a destination.

use std::sync::Arc;

use super::executor::{Outcome, RunContext};
use crate::diag::{Diagnostic, Result, SourceFile, codes};
use crate::manifest::NodeId;
use crate::node::Node;
use crate::publish::{DestinationConfig, FrameRows, Mode, Progress as PublishProgress, PublishJob, publish};
use crate::stdx::closest;
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

    async fn publish_all(&self, id: NodeId, progress: &Arc<Progress>) -> Result<Outcome> {
        let node = self.manifest.node(id);
        let jobs = jobs(node)?;
        let mut done = Vec::new();
        for job in jobs {
            done.push(self.publish_one(node, &job, progress).await?);
        }
        Ok(Outcome::Published(done))
    }

    async fn publish_one(
        &self,
        node: &Node,
        job: &PublishJob,
        progress: &Arc<Progress>,
    ) -> Result<crate::publish::Published> {
        let config = self.destination(node, &job.to)?;
        let relation = node
            .relation
            .as_ref()
            .ok_or_else(|| Diagnostic::error(codes::INTERNAL, format!("`{}` has no relation", node.name)))?;
        let file = SourceFile::new("publish", format!("select * from {}", relation.render()));
        let meter = self.engine.meter()?;
        let plan = self.engine.plan(&meter.state, &file).await?;
        let rows = FrameRows(datafusion::dataframe::DataFrame::new(meter.state.clone(), plan));
        let seen = std::sync::atomic::AtomicU64::new(0);
        let tell = |event: PublishProgress| match event {
            PublishProgress::Rows(rows) => {
                let before = seen.swap(rows, std::sync::atomic::Ordering::Relaxed);
                progress.add(rows.saturating_sub(before) as usize, 0);
            }
            PublishProgress::Loading(how) => tracing::info!("{}: {how}", node.name),
            PublishProgress::Waiting(why) | PublishProgress::Retrying(why) => tracing::warn!("{}: {why}", node.name),
        };
        publish(config, &job.to, job, &rows, &tell).await.map_err(|error| error.of_node(&node.unique_id))
    }

    fn destination(&self, node: &Node, name: &str) -> Result<&DestinationConfig> {
        match self.destinations.iter().find(|(other, _)| other == name) {
            Some((_, Ok(config))) => Ok(config),
            Some((_, Err(diagnostic))) => Err(diagnostic.clone()),
            None => Err(unknown_destination(node, name, self.destinations.iter().map(|(name, _)| name.as_str()))),
        }
    }
}

/// The publishes that a node's configuration asks for.
///
/// # Errors
/// C6006 with the place of the setting.
pub(crate) fn jobs(node: &Node) -> Result<Vec<PublishJob>> {
    let Some(value) = node.config.get("publish") else { return Ok(Vec::new()) };
    let table = node.relation.as_ref().map_or(node.name.as_str(), |relation| relation.identifier.as_str());
    let jobs = PublishJob::parse(&node.unique_id, table, value).and_then(|jobs| {
        match jobs.iter().find(|job| job.mode != Mode::Replace) {
            Some(job) => {
                Err(Diagnostic::error(codes::PUBLISH_CONFIG, format!("`mode: {}` is not there yet", job.mode.word()))
                    .help("use `mode: replace`"))
            }
            None => Ok(jobs),
        }
    });
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
