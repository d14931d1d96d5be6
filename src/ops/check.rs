//! `check`: everything that can be known to be wrong, without running anything.

use std::time::{Duration, Instant};

use super::state::selection;
use super::{Loaded, Options, Session};
use crate::analyze::{Analysis, Scope, Visitor, analyze};
use crate::diag::{Diagnostics, Result};
use crate::manifest::NodeId;

/// What `check` finds.
pub struct Checked {
    /// The nodes that were selected.
    pub selected: Vec<NodeId>,
    /// What is known of them, and of those above them.
    pub analysis: Analysis,
    /// How long it took.
    pub took: Duration,
}

/// Analyzes the selected nodes. What is wrong is in `diagnostics`; `visit` receives their plans.
///
/// # Errors
/// The selection cannot be read, or the engine cannot start.
pub async fn check(
    options: &Options,
    loaded: &Loaded,
    visit: Option<Visitor>,
    diagnostics: &mut Diagnostics,
) -> Result<Checked> {
    let start = Instant::now();
    let selected = selection(options, loaded, diagnostics)?.nodes;
    let names = selected.iter().map(|id| loaded.manifest.node(*id).unique_id.clone()).collect();
    let session = Session::open(options, loaded, names).await?;
    let mut request = session.analysis(options, loaded, &selected, Scope::Project);
    let collector = super::lineage::collector(loaded, &session);
    request.visit = Some(both(collector.visitor(), visit));
    let analysis = analyze(request).await?;
    let lineage = collector.finish(&loaded.manifest, &analysis);
    super::forbidden::check_tags(options, loaded, &selected, &lineage, diagnostics)?;
    // The file tells of the whole project or is not written.
    if selected.len() == loaded.manifest.nodes.len() {
        super::write_lineage(&loaded.project.target_path(options.target_path.as_deref()), loaded, &lineage)?;
    }
    for id in &selected {
        let found = analysis.nodes.get(id).into_iter().flat_map(|analyzed| &analyzed.diagnostics);
        found.for_each(|diagnostic| diagnostics.push(Box::new(diagnostic.clone())));
    }
    for diagnostic in diagnostics.iter_mut() {
        options.warn_error.apply(diagnostic);
    }
    Ok(Checked { selected, analysis, took: start.elapsed() })
}

/// One visitor after the other.
fn both(first: Visitor, second: Option<Visitor>) -> Visitor {
    match second {
        None => first,
        Some(second) => std::sync::Arc::new(move |visit| {
            first(visit);
            second(visit);
        }),
    }
}
