//! `plans.json` and `lineage.json`: what the engine makes of each node's query, and where its columns come from. Both
//! are read from plans, which are made once.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use crate::analyze::{Scope, Visit, analyze};
use crate::artifacts::{plans, write as write_artifact};
use crate::diag::Result;
use crate::node::ResourceType;

use super::super::artifacts::made;
use super::super::lineage::{collector, write_lineage};
use super::super::{Loaded, Options, Session};

/// Bytes of a plan; a longer one is cut.
const LENGTH: usize = 32 * 1024;

/// Plans everything against what its parents will be. What cannot be planned has neither plan nor lineage here; `check`
/// says why.
///
/// # Errors
/// C5006 if an artifact cannot be written, C9001 if planning crashed.
pub(super) async fn write(options: &Options, loaded: &Loaded, session: &Session, artifacts: &Path) -> Result<()> {
    let manifest = &loaded.manifest;
    let is_data = |kind: ResourceType| {
        matches!(kind, ResourceType::Model | ResourceType::Snapshot | ResourceType::Seed | ResourceType::Source)
    };
    let selected: Vec<_> = manifest.ids().filter(|id| is_data(manifest.node(*id).resource_type)).collect();
    let found: Arc<Mutex<BTreeMap<String, String>>> = Arc::default();
    let mut request = session.analysis(options, loaded, &selected, Scope::Project);
    let collector = collector(loaded, session);
    let (sink, columns) = (Arc::clone(&found), collector.visitor());
    request.visit = Some(Arc::new(move |visit: &Visit<'_>| {
        columns(visit);
        let has_page = matches!(visit.node.resource_type, ResourceType::Model | ResourceType::Snapshot);
        if has_page && !visit.increment {
            let text = cut(visit.plan.display_indent().to_string());
            sink.lock().unwrap_or_else(PoisonError::into_inner).insert(visit.node.unique_id.clone(), text);
        }
    }));
    let analysis = analyze(request).await?;
    write_lineage(artifacts, loaded, &collector.finish(manifest, &analysis))?;
    let found = std::mem::take(&mut *found.lock().unwrap_or_else(PoisonError::into_inner));
    write_artifact(&artifacts.join("plans.json"), &plans(&found, &made(loaded)))
}

fn cut(mut text: String) -> String {
    if text.len() > LENGTH {
        let end = (0..=LENGTH).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
        text.truncate(end);
        text.push_str("\n…");
    }
    text
}
