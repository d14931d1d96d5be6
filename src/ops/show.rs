//! `show`: the rows of a node or of a query.

use std::sync::Arc;

use datafusion::execution::SendableRecordBatchStream;
use datafusion::logical_expr::{LogicalPlan, LogicalPlanBuilder};
use datafusion::physical_plan::execute_stream;

use super::state::selection;
use super::{Loaded, Options, Session};
use crate::compile::{CompiledNode, compile};
use crate::diag::{Diagnostic, Diagnostics, Result, SourceFile, codes};
use crate::engine::{Engine, Meter, execution_error};
use crate::jinja::LogLine;
use crate::node::{Node, NodeKind, ResourceType};

/// Rows of one node, not yet read.
pub struct Shown {
    /// Name for people.
    pub name: String,
    /// The rows.
    pub rows: SendableRecordBatchStream,
    /// The query, to place mistakes that show while rows are read.
    pub compiled: CompiledNode,
    /// Keeps the session alive.
    _meter: Meter,
    /// Keeps the catalog alive: `information_schema` opens relations while its rows are read.
    _engine: Arc<Engine>,
}

/// Rows of the selected nodes, or of `inline`; at most `limit` of each. `log` receives what templates log.
///
/// # Errors
/// The selection matches nothing, or the query cannot be compiled or planned.
pub async fn show(
    options: &Options,
    loaded: &Loaded,
    inline: Option<&str>,
    limit: Option<usize>,
    log: &mut dyn FnMut(LogLine),
    diagnostics: &mut Diagnostics,
) -> Result<Vec<Shown>> {
    let nodes = match inline {
        Some(sql) => vec![inline_node(loaded, sql)],
        None => selected(options, loaded, diagnostics)?,
    };
    let mut session = Session::open(options, loaded, Vec::new()).await?;
    if let Some(sql) = inline {
        super::meta::offer(options, loaded, &session, sql).await?;
    }
    let mut out = Vec::new();
    for node in nodes {
        let shown = open(&session, node, limit).await;
        session.drain(log);
        let shown = shown?;
        for warning in &shown.compiled.warnings {
            diagnostics.push(Box::new(warning.clone()));
        }
        out.push(shown);
    }
    Ok(out)
}

fn selected(options: &Options, loaded: &Loaded, diagnostics: &mut Diagnostics) -> Result<Vec<Node>> {
    let selection = selection(options, loaded, diagnostics)?;
    let all: Vec<&Node> = selection.nodes.iter().map(|id| loaded.manifest.node(*id)).collect();
    let is_data = |node: &&&Node| {
        !matches!(
            node.resource_type,
            ResourceType::Test | ResourceType::UnitTest | ResourceType::Exposure | ResourceType::Operation
        )
    };
    let mut nodes: Vec<Node> = all.iter().filter(is_data).map(|node| (*node).clone()).collect();
    if nodes.is_empty() {
        nodes =
            all.iter().filter(|node| node.resource_type == ResourceType::Test).map(|node| (*node).clone()).collect();
    }
    if nodes.is_empty() {
        return Err(Diagnostic::error(codes::NOTHING_SELECTED, "nothing to show")
            .help("name a node, `c360 show --select mart_totals`, or a query, `c360 show --inline \"select 1\"`"));
    }
    Ok(nodes)
}

async fn open(session: &Session, node: Node, limit: Option<usize>) -> Result<Shown> {
    let name = node.search_name();
    let world = Arc::clone(&session.world);
    let compiled = tokio::task::spawn_blocking(move || {
        let compiled = compile_for_show(&world, &node);
        world.end_session();
        compiled
    });
    let compiled = compiled.await;
    let compiled = compiled
        .map_err(|error| Diagnostic::error(codes::INTERNAL, format!("a template could not be rendered: {error}")))??;
    let meter = session.engine.meter()?;
    let rows = rows(session, &meter, &compiled.sql, limit).await.map_err(|error| compiled.locate(error))?;
    Ok(Shown { name, rows, compiled, _meter: meter, _engine: Arc::clone(&session.engine) })
}

/// Seeds and sources have no query of their own: their rows are read as they are.
fn compile_for_show(world: &Arc<crate::jinja::World>, node: &Node) -> Result<CompiledNode> {
    match (node.resource_type, &node.relation) {
        (ResourceType::Seed | ResourceType::Source | ResourceType::Snapshot, Some(relation)) => {
            let mut copy = node.clone();
            copy.raw_code = format!("select * from {}", relation.render());
            copy.file = SourceFile::new(node.original_path.clone(), copy.raw_code.clone());
            compile(world, &copy)
        }
        _ => compile(world, node),
    }
}

async fn rows(
    session: &Session,
    meter: &Meter,
    sql: &Arc<SourceFile>,
    limit: Option<usize>,
) -> Result<SendableRecordBatchStream> {
    let mut plan = session.engine.plan(&meter.state, sql).await?;
    // A plan that is explained stands at the top.
    let is_explained =
        matches!(plan, LogicalPlan::Explain(_) | LogicalPlan::Analyze(_) | LogicalPlan::DescribeTable(_));
    if let Some(limit) = limit.filter(|_| !is_explained) {
        plan = LogicalPlanBuilder::from(plan)
            .limit(0, Some(limit))
            .and_then(LogicalPlanBuilder::build)
            .map_err(|error| execution_error(&error))?;
    }
    let physical = session.engine.physical(&meter.state, &plan).await?;
    execute_stream(physical, meter.state.task_ctx()).map_err(|error| execution_error(&error))
}

/// A node that stands for the text of `--inline`.
pub(super) fn inline_node(loaded: &Loaded, sql: &str) -> Node {
    let file = SourceFile::new("--inline", sql);
    let kind = ResourceType::Operation;
    Node {
        unique_id: format!("sql_operation.{}.inline_query", loaded.manifest.project_name),
        raw_code: sql.to_string(),
        ..Node::new(&loaded.manifest.project_name, "inline_query", kind, &file, NodeKind::Operation)
    }
}
