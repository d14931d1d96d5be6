//! Records that scans reject, on their way from executors to the client.
//!
//! A task keeps what its scans reject and writes it, when it ends, into one file of a folder in the warehouse, under a name
//! that starts as the client has said. The client reads these files when the job has ended, and removes them. A task that ran twice told
//! the same twice, which the quarantine does not mind: it knows records by file and line.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::TaskContext;
use datafusion::physical_plan::ExecutionPlan;
use futures::TryStreamExt;
use object_store::path::Path as StorePath;
use object_store::{ObjectStore, ObjectStoreExt};
use url::Url;

use super::codec::file_scan;
use super::session::Shipped;
use crate::diag::{Diagnostic, codes};
use crate::engine::formats::{RejectEvent, RejectSink, RejectedRecord, rejects_of};
use crate::warehouse::{store_path, store_url};

/// A sink that keeps everything until it is taken.
#[derive(Debug, Default)]
pub(super) struct Spool {
    events: Mutex<Vec<RejectEvent>>,
}

impl Spool {
    fn push(&self, event: RejectEvent) {
        self.events.lock().unwrap_or_else(PoisonError::into_inner).push(event);
    }
}

impl RejectSink for Spool {
    fn reject(&self, record: RejectedRecord) {
        self.push(RejectEvent::Rejected(record));
    }

    fn scanned(&self, source: &str, file: &str, part: std::ops::Range<u64>, size: u64) {
        let (source, file) = (source.to_string(), file.to_string());
        self.push(RejectEvent::Scanned { source, file, part: (part.start, part.end), size });
    }

    fn dropped(&self, source: &str, file: &str, line: u64) {
        self.push(RejectEvent::Dropped { source: source.to_string(), file: file.to_string(), line });
    }

    fn take(&self) -> Vec<RejectEvent> {
        std::mem::take(&mut *self.events.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Writes down what the scans of a task's plan have rejected, if anybody asks for it.
pub(super) async fn write(plan: &Arc<dyn ExecutionPlan>, context: &TaskContext) -> Result<()> {
    let files = match context.session_config().options().extensions.get::<Shipped>() {
        Some(shipped) if !shipped.rejects.is_empty() => shipped.rejects.as_str(),
        _ => return Ok(()),
    };
    let mut events = Vec::new();
    plan.apply(|node| {
        let scan = file_scan(node.as_ref());
        if let Some(sink) = scan.and_then(|scan| rejects_of(scan.file_source().as_ref())) {
            events.extend(sink.take());
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    if events.is_empty() {
        return Ok(());
    }
    let failed = |error: Box<dyn std::error::Error + Send + Sync>| DataFusionError::External(error);
    let url = Url::parse(files).map_err(|error| failed(error.into()))?;
    let bytes = serde_json::to_vec(&events).map_err(|error| failed(error.into()))?;
    let store = context.runtime_env().object_store(store_url(&url)?)?;
    let path = format!("{}-{}.json", store_path(&url)?, uuid::Uuid::new_v4().simple());
    let path = StorePath::parse(path).map_err(|error| failed(error.into()))?;
    store.put(&path, bytes.into()).await.map_err(|error| failed(error.into()))?;
    Ok(())
}

/// The files of one job's rejected records.
pub(super) struct SpoolFiles {
    store: Arc<dyn ObjectStore>,
    folder: StorePath,
    /// What their names start with.
    token: String,
}

impl SpoolFiles {
    /// Files in `folder` that nobody has written yet, and the URL that their own ones start with.
    pub(super) fn new(context: &TaskContext, folder: &Url) -> Result<(SpoolFiles, Url)> {
        let token = uuid::Uuid::new_v4().simple().to_string();
        let url = folder.join(&token).map_err(|error| DataFusionError::External(Box::new(error)))?;
        let store = context.runtime_env().object_store(store_url(folder)?)?;
        Ok((SpoolFiles { store, folder: store_path(folder)?, token }, url))
    }

    /// Reads all that tasks have written, hands it on, and removes it.
    pub(super) async fn collect(&self, sink: &dyn RejectSink, limits: &BTreeMap<String, u64>) -> Result<()> {
        let mut tally = Tally::default();
        for path in self.list().await? {
            let bytes = self.store.get(&path).await?.bytes().await?;
            let events: Vec<RejectEvent> =
                serde_json::from_slice(&bytes).map_err(|error| DataFusionError::External(Box::new(error)))?;
            for event in events {
                tally.count(&event);
                event.tell(sink);
            }
        }
        self.remove().await;
        tally.check(limits).map_err(|found| DataFusionError::External(found))
    }

    async fn list(&self) -> Result<Vec<StorePath>> {
        let listed: Vec<StorePath> =
            match self.store.list(Some(&self.folder)).map_ok(|meta| meta.location).try_collect().await {
                Err(object_store::Error::NotFound { .. }) => return Ok(Vec::new()),
                found => found?,
            };
        let ours = |path: &StorePath| path.filename().is_some_and(|name| name.starts_with(&self.token));
        Ok(listed.into_iter().filter(ours).collect())
    }

    /// Removes what is there.
    pub(super) async fn remove(&self) {
        for path in self.list().await.unwrap_or_default() {
            if let Err(error) = self.store.delete(&path).await {
                tracing::warn!("`{path}` was left behind: {error}");
            }
        }
    }
}

/// Bad records of each source, each counted once.
#[derive(Default)]
struct Tally(BTreeMap<String, BTreeSet<(String, u64)>>);

impl Tally {
    fn count(&mut self, event: &RejectEvent) {
        let (source, file, line) = match event {
            RejectEvent::Rejected(record) => (&record.source, &record.file, record.line),
            RejectEvent::Dropped { source, file, line } => (source, file, *line),
            RejectEvent::Scanned { .. } => return,
        };
        self.0.entry(source.clone()).or_default().insert((file.clone(), line));
    }

    /// A scan sees its own bad records alone; what all of them may leave out is known here.
    fn check(&self, limits: &BTreeMap<String, u64>) -> crate::diag::Result<()> {
        for (source, bad) in &self.0 {
            let Some(max) = limits.get(source).filter(|max| bad.len() as u64 > **max) else { continue };
            let what = format!("source `{source}` has more than {max} bad records");
            let last = bad.last().map(|(file, line)| format!("the last one is at {file}:{line}"));
            let found = Diagnostic::error(codes::TOO_MANY_BAD_RECORDS, what).note(last.unwrap_or_default());
            return Err(found.help("correct the files, or raise `max_bad_records`"));
        }
        Ok(())
    }
}
