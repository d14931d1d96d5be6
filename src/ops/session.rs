//! The back half: the engine over a loaded project.

use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::mpsc;

use super::{Loaded, Options};
use crate::analyze::{self, PredictingAdapter, Scope};
use crate::diag::{Diagnostic, Result};
use crate::engine::databases::Connections;
use crate::engine::{Engine, EngineOptions, SessionOptions, source_spec};
use crate::jinja::{Adapter, LogLine, World};
use crate::manifest::NodeId;
use crate::node::ResourceType;
use crate::publish::DestinationConfig;
use crate::run::EngineAdapter;
use crate::stores::StoreOptions;

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
        let connections = connections(loaded);
        let mut sources = Vec::new();
        for node in &loaded.manifest.nodes {
            let external = node.as_source().and_then(|source| source.external.as_ref());
            if let (Some(external), Some(relation)) = (external, &node.relation) {
                let root = &loaded.project.root.root;
                sources.push((relation.clone(), source_spec(node, external, root, &connections)));
            }
        }
        let built_by = (loaded.manifest.nodes.iter())
            .filter(|node| {
                matches!(node.resource_type, ResourceType::Model | ResourceType::Seed | ResourceType::Snapshot)
            })
            .filter_map(|node| Some((node.relation.clone()?, node.name.clone())))
            .collect();
        let engine = Arc::new(Engine::open(EngineOptions {
            session: SessionOptions {
                database: target.database.clone(),
                schema: target.schema.clone(),
                memory_limit: target.memory_limit,
                spill_dir: spill_dir(loaded),
            },
            warehouse: target.warehouse.clone(),
            base: loaded.project.root.root.clone(),
            storage_options: StoreOptions::of(target),
            cluster: target.cluster.clone(),
            sources,
            memory: Some(loaded.project.target_path(options.target_path.as_deref()).join("cache/schemas")),
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

impl Session {
    /// Hands on what templates have logged so far.
    pub(super) fn drain(&mut self, log: &mut dyn FnMut(LogLine)) {
        while let Ok(line) = self.logs.try_recv() {
            log(line);
        }
    }

    /// What analyzes the nodes `selected` on top of this session, before or instead of a run.
    pub(super) fn analysis(
        &self,
        options: &Options,
        loaded: &Loaded,
        selected: &[NodeId],
        scope: Scope,
    ) -> analyze::Request {
        let engine = Arc::new(self.engine.predicting());
        let runtime = tokio::runtime::Handle::current();
        let real: Arc<dyn Adapter> = Arc::new(EngineAdapter::new(
            Arc::clone(&self.engine),
            runtime.clone(),
            &loaded.invocation.target.database,
            "",
        ));
        let adapter = Arc::new(PredictingAdapter::new(Arc::clone(&engine), real, runtime));
        let world = loaded.world(
            options,
            Some(Arc::clone(&adapter) as Arc<dyn Adapter>),
            self.world.selected.clone(),
            self.world.deferred.clone(),
            // A template says what it says when it runs.
            Box::new(|_: LogLine| {}),
        );
        analyze::Request {
            engine,
            world: Arc::new(world),
            adapter,
            manifest: Arc::clone(&loaded.manifest),
            project: Arc::clone(&loaded.project),
            selected: selected.to_vec(),
            scope,
            visit: None,
            threads: None,
        }
    }
}

/// Databases by name; one that cannot be right is an error for those who use it.
pub(super) type Databases = Vec<(String, Result<DestinationConfig, Box<Diagnostic>>)>;

/// The destinations of the target.
pub(super) fn destinations(loaded: &Loaded) -> Databases {
    databases(loaded, &loaded.invocation.target.destinations)
}

/// The `connections:` of the target, which sources alone use.
pub(super) fn source_connections(loaded: &Loaded) -> Databases {
    databases(loaded, &loaded.invocation.target.connections)
}

/// What sources may read from: connections, and destinations.
/// Where the target wants rows to be spilled to; a relative path starts at the project.
pub(super) fn spill_dir(loaded: &Loaded) -> Option<PathBuf> {
    let folder = loaded.invocation.target.raw.get("spill_dir")?.as_str()?;
    Some(loaded.project.root.root.join(folder))
}

pub(super) fn connections(loaded: &Loaded) -> Connections {
    Connections::new(source_connections(loaded).into_iter().chain(destinations(loaded)).collect())
}

fn databases(loaded: &Loaded, written: &serde_json::Map<String, serde_json::Value>) -> Databases {
    let root = &loaded.project.root.root;
    let stores = StoreOptions::of(&loaded.invocation.target);
    let parse = |name: &String, value| {
        DestinationConfig::parse(name, value).map(|config| config.rooted_at(root).with_stores(&stores))
    };
    written.iter().map(|(name, value)| (name.clone(), parse(name, value))).collect()
}
