//! `check`: everything that can be known to be wrong, without running anything. A build looks at what it selected in the
//! same way before it starts.

use std::time::{Duration, Instant};

use super::build::check_selected;
use super::state::selection;
use super::{Loaded, Options, Session};
use crate::analyze::lineage::Lineage;
use crate::analyze::{Analysis, Scope, Visitor, analyze};
use crate::diag::{Diagnostic, Diagnostics, Result};
use crate::manifest::NodeId;
use crate::schedule::Mode;

/// What `check` finds.
pub struct Checked {
    /// The nodes that were selected.
    pub selected: Vec<NodeId>,
    /// What is known of them, and of those above them.
    pub analysis: Analysis,
    /// Where the columns of all that was analyzed come from.
    pub lineage: Lineage,
    /// How long it took.
    pub took: Duration,
}

/// Analyzes the selected nodes. What is wrong is in `diagnostics`, by file and line; `visit` receives their plans.
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
    let selection = selection(options, loaded, diagnostics)?;
    check_selected(loaded, &selection, Mode::Build, diagnostics);
    let selected = selection.nodes;
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
    let mut found: Vec<&Diagnostic> = findings(&analysis, &selected).collect();
    found.sort_by_key(|diagnostic| place(diagnostic));
    found.retain(|diagnostic| diagnostic.is_error() || !options.warn_error.silences(diagnostic.code));
    found.into_iter().for_each(|diagnostic| diagnostics.push(Box::new(diagnostic.clone())));
    for diagnostic in diagnostics.iter_mut() {
        options.warn_error.apply(diagnostic);
    }
    Ok(Checked { selected, analysis, lineage, took: start.elapsed() })
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

/// True if a run of `mode` looks for mistakes first: one that writes, unless the command line, the environment or
/// `flags: {check: false}` of the project say otherwise.
pub(super) fn is_wanted(options: &Options, loaded: &Loaded, mode: Mode) -> bool {
    let flags = &loaded.project.root.config.flags;
    let by_project = || flags.get("check").and_then(|value| value.to_json().as_bool());
    matches!(mode, Mode::Build | Mode::Run) && options.check.or_else(by_project).unwrap_or(true)
}

/// Looks for mistakes in the nodes of a run that is about to start. Only errors count: a warning is no news to whoever
/// builds every night.
pub(super) async fn before_run(
    options: &Options,
    loaded: &Loaded,
    session: &Session,
    nodes: Vec<NodeId>,
    mode: Mode,
    diagnostics: &mut Diagnostics,
) -> Result<()> {
    let scope = Scope::Run { full_refresh: options.full_refresh, publishes: mode == Mode::Build };
    let analysis = analyze(session.analysis(options, loaded, &nodes, scope)).await?;
    let mut errors: Vec<&Diagnostic> = findings(&analysis, &nodes).filter(|found| found.is_error()).collect();
    errors.sort_by_key(|diagnostic| place(diagnostic));
    errors.into_iter().for_each(|diagnostic| diagnostics.push(Box::new(diagnostic.clone())));
    Ok(())
}

/// What was found in `nodes`.
fn findings<'a>(analysis: &'a Analysis, nodes: &'a [NodeId]) -> impl Iterator<Item = &'a Diagnostic> {
    nodes.iter().filter_map(|id| analysis.nodes.get(id)).flat_map(|analyzed| &analyzed.diagnostics)
}

fn place(diagnostic: &Diagnostic) -> Option<(String, usize, usize)> {
    let span = &diagnostic.labels.first()?.span;
    let (line, column) = span.line_col();
    Some((span.file.path.clone(), line, column))
}

#[cfg(test)]
#[path = "check_tests.rs"]
mod tests;
