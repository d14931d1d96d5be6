//! Column lineage of the whole project: for `lineage`, `check`, `diff`, the docs, and selection by column.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{Loaded, Options, Session};
use crate::analyze::lineage::{Collector, Lineage, NotFound, ProjectNames, Target};
use crate::analyze::{Scope, analyze};
use crate::artifacts;
use crate::diag::{Diagnostic, Result, codes};
use crate::manifest::NodeId;
use crate::node::ResourceType;
use crate::select::ColumnGraph;
use crate::stdx::closest;

/// The file in the artifact folder.
pub const LINEAGE_FILE: &str = "lineage.json";

/// Plans every model, and says where its columns come from. Nothing runs and nothing is written.
///
/// # Errors
/// The engine cannot start.
pub async fn lineage(options: &Options, loaded: &Loaded) -> Result<Lineage> {
    let manifest = &loaded.manifest;
    let is_data = |id: &NodeId| {
        matches!(
            manifest.node(*id).resource_type,
            ResourceType::Model | ResourceType::Snapshot | ResourceType::Seed | ResourceType::Source
        )
    };
    let nodes: Vec<NodeId> = manifest.ids().filter(is_data).collect();
    // What is read from elsewhere is not known here.
    let options = Options { defer: false, ..options.clone() };
    let session = Session::open(&options, loaded, Vec::new()).await?;
    let mut request = session.analysis(&options, loaded, &nodes, Scope::Project);
    let collector = collector(loaded, &session);
    request.visit = Some(collector.visitor());
    let analysis = analyze(request).await?;
    Ok(collector.finish(manifest, &analysis))
}

/// A collector of plans that `session` makes.
pub(super) fn collector(loaded: &Loaded, session: &Session) -> Arc<Collector> {
    let default_schema = &loaded.invocation.target.schema;
    Collector::new(ProjectNames::new(&loaded.manifest, &session.world.deferred, default_schema))
}

/// Writes `lineage.json` into the artifact folder, and says where it is.
///
/// # Errors
/// C5006 if it cannot be written.
pub fn write_lineage(folder: &Path, loaded: &Loaded, lineage: &Lineage) -> Result<PathBuf> {
    let path = folder.join(LINEAGE_FILE);
    artifacts::write(&path, &artifacts::lineage(lineage, &super::artifacts::made(loaded)))?;
    Ok(path)
}

/// What `text` names.
///
/// # Errors
/// C1010 for a node that is not there, C4004 for a column, C4002 if nothing is known of the node.
pub fn lineage_target(text: &str, loaded: &Loaded, lineage: &Lineage) -> Result<Target> {
    Target::find(text, &loaded.manifest, lineage).map_err(|error| match error {
        NotFound::Node { name, near } => {
            Diagnostic::error(codes::BAD_ARGUMENT, format!("there is no node `{name}`"))
                .maybe_help(near.map(|near| format!("`{near}` exists")))
                .help("name a node, a column or a field: `mart_totals`, `mart_totals.Total_Duration`, `lake.log_content._source.Mac`")
        }
        NotFound::Column { node, column, available } => {
            let near = closest(&column, available.iter().map(String::as_str));
            Diagnostic::error(codes::COLUMN_NOT_FOUND, format!("`{node}` has no column `{column}`"))
                .maybe_help(near.map(|near| format!("`{near}` was probably meant")))
                .help(format!("it has {}", available.join(", ")))
        }
        NotFound::Unknown { node, why } => {
            let why = why.unwrap_or_else(|| "it is disabled or gives no rows".to_string());
            Diagnostic::error(codes::SQL_PLAN, format!("the columns of `{node}` are not known: {why}"))
                .help("`c360 check` says what is wrong")
        }
    })
}

/// The graph of columns that `column:` walks. It is made anew for every invocation that asks: a file from before may tell
/// of other models.
///
/// # Errors
/// As [`lineage`].
pub(super) fn column_graph(options: &Options, loaded: &Loaded) -> Result<ColumnGraph> {
    let lineage = apart(options, loaded)?;
    let manifest = &loaded.manifest;
    let mut graph = ColumnGraph::default();
    for (id, node) in &lineage.nodes {
        let Some(id) = manifest.id(id) else { continue };
        for (name, column) in &node.columns {
            let to = graph.add(id, name);
            for input in &column.inputs {
                if let Some(from) = manifest.id(&input.source.node) {
                    let from = graph.add(from, &input.source.column);
                    graph.edge(from, to);
                }
            }
        }
        for (source, _) in &node.rows {
            if let Some(from) = manifest.id(&source.node) {
                let from = graph.add(from, &source.column);
                graph.rows(from, id);
            }
        }
    }
    Ok(graph)
}

/// [`lineage`] for callers that cannot wait: on a thread and a runtime of its own, since the caller may be on one already.
fn apart(options: &Options, loaded: &Loaded) -> Result<Lineage> {
    let crashed = |what: &dyn std::fmt::Display| {
        Diagnostic::error(codes::INTERNAL, format!("the lineage of columns cannot be made: {what}"))
    };
    std::thread::scope(|scope| {
        let thread = scope.spawn(|| {
            let runtime = tokio::runtime::Builder::new_multi_thread()
                .worker_threads(2)
                .enable_all()
                .thread_stack_size(64 << 20)
                .build()
                .map_err(|error| crashed(&error))?;
            runtime.block_on(lineage(options, loaded))
        });
        thread.join().map_err(|_| crashed(&"a thread died"))?
    })
}
