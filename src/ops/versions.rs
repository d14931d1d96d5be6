//! `history`, `restore`, `vacuum`: the versions that the tables of nodes have.

use chrono::TimeDelta;

use super::state::selection;
use super::{Loaded, Options, Session};
use crate::diag::{Diagnostic, Diagnostics, Result, codes};
use crate::manifest::NodeId;
use crate::node::{Node, Relation, ResourceType};
use crate::warehouse::{Commit, Stored, TableCommit, Vacuumed, Written};

/// How long files of old versions are kept unless somebody says otherwise: what Delta's own tools keep.
pub const RETENTION_HOURS: u32 = 7 * 24;

/// The commits of the table of the one node that is selected, newest first.
///
/// # Errors
/// C1014 or C1010 if it is not one node, C5010 if it has no table, or what the warehouse fails with.
pub async fn history(
    options: &Options,
    loaded: &Loaded,
    limit: usize,
    diagnostics: &mut Diagnostics,
) -> Result<Vec<TableCommit>> {
    let id = one(options, loaded, diagnostics)?;
    let session = Session::open(options, loaded, Vec::new()).await?;
    let node = loaded.manifest.node(id);
    let relation = table(&session, node).await?;
    session.engine.warehouse.history(&relation, limit).await?.ok_or_else(|| not_built(node))
}

/// Makes an earlier version the newest one of the table of the one node that is selected.
///
/// # Errors
/// As [`history`]; C5014 if the version is not there.
pub async fn restore(
    options: &Options,
    loaded: &Loaded,
    version: u64,
    diagnostics: &mut Diagnostics,
) -> Result<(Node, Written)> {
    let id = one(options, loaded, diagnostics)?;
    let session = Session::open(options, loaded, Vec::new()).await?;
    let node = loaded.manifest.node(id);
    let relation = table(&session, node).await?;
    let commit = Commit::new(&node.unique_id, &loaded.invocation.id);
    let written = session.engine.warehouse.restore(&relation, version, &commit).await?;
    Ok((node.clone(), written))
}

/// Deletes what no version within `retention` needs, of the tables of all selected nodes; with `dry_run` it only tells.
/// A node's own `retention_hours` is obeyed where it is longer.
///
/// # Errors
/// The selection cannot be read, or what the warehouse fails with.
pub async fn vacuum(
    options: &Options,
    loaded: &Loaded,
    hours: u32,
    dry_run: bool,
    diagnostics: &mut Diagnostics,
) -> Result<Vec<(Node, Vacuumed)>> {
    let selection = selection(options, loaded, diagnostics)?;
    let session = Session::open(options, loaded, Vec::new()).await?;
    let mut all = Vec::new();
    for id in selection.nodes {
        let node = loaded.manifest.node(id);
        let Some(relation) = node.relation.as_ref().filter(|_| has_table(node)) else { continue };
        let relation = session.engine.warehouse.spelled(relation).await?;
        let retention = TimeDelta::hours(i64::from(hours.max(own_hours(node)?)));
        if let Some(vacuumed) = session.engine.warehouse.vacuum(&relation, retention, dry_run).await? {
            all.push((node.clone(), vacuumed));
        }
    }
    Ok(all)
}

/// `retention_hours` of a node's configuration.
fn own_hours(node: &Node) -> Result<u32> {
    let Some(value) = node.config.get("retention_hours") else { return Ok(0) };
    let hours = crate::node::plain(value).parse().ok();
    hours.ok_or_else(|| {
        let span = node.config.span("retention_hours").cloned().unwrap_or_else(|| node.place());
        Diagnostic::error(codes::BAD_CONFIG, "`retention_hours` is no whole number")
            .label(span, "set here")
            .of_node(&node.unique_id)
    })
}

/// The one node with a table of its own that is selected.
fn one(options: &Options, loaded: &Loaded, diagnostics: &mut Diagnostics) -> Result<NodeId> {
    let selection = selection(options, loaded, diagnostics)?;
    let tables: Vec<NodeId> =
        selection.nodes.iter().copied().filter(|id| has_table(loaded.manifest.node(*id))).collect();
    match tables.as_slice() {
        [one] => Ok(*one),
        [] => Err(Diagnostic::error(codes::NOTHING_SELECTED, "this selects no model, seed or snapshot")
            .help("name one: `c360 ls` lists them")),
        several => {
            let names: Vec<String> = several.iter().map(|id| loaded.manifest.node(*id).search_name()).collect();
            Err(Diagnostic::error(
                codes::BAD_ARGUMENT,
                format!("this selects {} nodes: {}", names.len(), names.join(", ")),
            )
            .help("name one of them"))
        }
    }
}

fn has_table(node: &Node) -> bool {
    matches!(node.resource_type, ResourceType::Model | ResourceType::Seed | ResourceType::Snapshot)
}

/// The table of `node` as it is stored.
async fn table(session: &Session, node: &Node) -> Result<Relation> {
    let relation = node.relation.as_ref().ok_or_else(|| not_built(node))?;
    match session.engine.warehouse.load(relation).await? {
        None => Err(not_built(node)),
        Some(Stored::View(_)) => {
            Err(Diagnostic::error(codes::BAD_ARGUMENT, format!("`{}` is a view: it has no versions", node.name))
                .help("its rows are those of what it reads; look at the history of that"))
        }
        Some(Stored::Table(_)) => session.engine.warehouse.spelled(relation).await,
    }
}

fn not_built(node: &Node) -> Box<Diagnostic> {
    Diagnostic::error(codes::RELATION_NOT_BUILT, format!("`{}` has no table in the warehouse", node.name))
        .help(format!("build it first: `c360 build --select {}`", node.search_name()))
}
