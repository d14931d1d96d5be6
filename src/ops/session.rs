//! The back half: the engine over a loaded project.

use std::collections::HashMap;
use std::sync::Arc;

use tokio::sync::mpsc;

use super::{Loaded, Options};
use crate::diag::{Diagnostic, Result};
use crate::engine::{Engine, EngineOptions, SessionOptions, scan_spec};
use crate::jinja::{Adapter, LogLine, World};
use crate::node::{ResourceType, plain};
use crate::publish::DestinationConfig;
use crate::run::EngineAdapter;

/// An engine and what templates share, for a loaded project.
pub struct Session {
    /// The engine.
    pub engine: Arc<Engine>,
    /// What templates share.
    pub world: Arc<World>,
    /// Lines that templates log.
    pub logs: mpsc::UnboundedReceiver<LogLine>,
}

impl Session {
    /// Starts the engine for `loaded`. Has to be called inside of a runtime.
    ///
    /// # Errors
    /// What [`Engine::open`] fails with; C1010 or C1009 if the state of `--defer` is not there.
    pub async fn open(options: &Options, loaded: &Loaded, selected: Vec<String>) -> Result<Session> {
        let target = &loaded.invocation.target;
        let mut sources = Vec::new();
        for node in &loaded.manifest.nodes {
            let external = node.as_source().and_then(|source| source.external.as_ref());
            if let (Some(external), Some(relation)) = (external, &node.relation) {
                sources.push((relation.clone(), scan_spec(node, external, &loaded.project.root.root)));
            }
        }
        let built_by = (loaded.manifest.nodes.iter())
            .filter(|node| {
                matches!(node.resource_type, ResourceType::Model | ResourceType::Seed | ResourceType::Snapshot)
            })
            .filter_map(|node| Some((node.relation.clone()?, node.name.clone())))
            .collect();
        let storage: HashMap<String, String> =
            target.storage_options.iter().map(|(key, value)| (key.clone(), plain(value))).collect();
        let engine = Arc::new(Engine::open(EngineOptions {
            session: SessionOptions {
                database: target.database.clone(),
                schema: target.schema.clone(),
                memory_limit: target.memory_limit,
                spill_dir: target.raw.get("spill_dir").and_then(|dir| dir.as_str()).map(Into::into),
            },
            warehouse: target.warehouse.clone(),
            base: loaded.project.root.root.clone(),
            storage_options: storage,
            cluster: target.cluster.clone(),
            sources,
            built_by,
        })?);
        let deferred = super::defer::deferred(options, loaded, &engine, &selected).await?;
        let runtime = tokio::runtime::Handle::current();
        let adapter: Arc<dyn Adapter> =
            Arc::new(EngineAdapter::new(Arc::clone(&engine), runtime, &target.database, &loaded.invocation.id));
        let (sender, logs) = mpsc::unbounded_channel();
        let log = Box::new(move |line: LogLine| {
            // Nobody listens any more only when the program ends.
            let _ = sender.send(line);
        });
        let world = Arc::new(loaded.world(options, Some(adapter), selected, deferred, log));
        Ok(Session { engine, world, logs })
    }
}

/// The destinations of the target; one that cannot be right is an error for those who publish to it.
pub(super) fn destinations(loaded: &Loaded) -> Vec<(String, Result<DestinationConfig, Box<Diagnostic>>)> {
    let root = &loaded.project.root.root;
    let parse = |name: &String, value| DestinationConfig::parse(name, value).map(|config| config.rooted_at(root));
    loaded.invocation.target.destinations.iter().map(|(name, value)| (name.clone(), parse(name, value))).collect()
}
