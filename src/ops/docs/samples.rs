//! `samples.json`: the first rows of each relation.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::util::display::{ArrayFormatter, FormatOptions};
use datafusion::common::Column as ColumnName;
use datafusion::execution::{SessionState, SessionStateBuilder};
use datafusion::logical_expr::{Expr, LogicalPlanBuilder};
use datafusion::physical_plan::execute_stream;
use futures::{StreamExt, TryStreamExt};

use crate::artifacts::{Sample, samples, write as write_artifact};
use crate::diag::{Result, SourceFile};
use crate::engine::{Engine, execution_error};
use crate::node::{Node, Relation, ResourceType};

use super::super::artifacts::made;
use super::super::{Loaded, Session};
use super::hidden::Hidden;

/// Rows of a relation.
const ROWS: usize = 20;
/// Characters of a value; a longer one is cut.
const WIDTH: usize = 300;
/// A view that takes longer is not worth its first rows.
const PATIENCE: Duration = Duration::from_secs(5);
/// For all relations together; those that are left have no rows.
const BUDGET: Duration = Duration::from_secs(90);
/// Relations that are read at once.
const AT_ONCE: usize = 4;

/// Reads the first rows of what is built and of the sources. What cannot be read, or not soon, has none.
///
/// # Errors
/// C5006 if the artifact cannot be written.
pub(super) async fn write(loaded: &Loaded, session: &Session, artifacts: &Path) -> Result<()> {
    let hidden = Hidden::new(&loaded.manifest, artifacts);
    let start = Instant::now();
    let nodes = loaded.manifest.nodes.iter().filter(|node| has_rows(node) && !hidden.is_node(node));
    let mut reads = Vec::new();
    for node in nodes {
        let hidden = &hidden;
        reads.push(async move {
            let relation = node.relation.as_ref().filter(|_| start.elapsed() < BUDGET)?;
            let read = sample(&session.engine, node, relation, hidden);
            let sample = tokio::time::timeout(PATIENCE, read).await.ok()?.ok()??;
            Some((node.unique_id.clone(), sample))
        });
    }
    let found: Vec<_> = futures::stream::iter(reads).buffered(AT_ONCE).collect().await;
    let found: BTreeMap<String, Sample> = found.into_iter().flatten().collect();
    write_artifact(&artifacts.join("samples.json"), &samples(&found, &made(loaded)))
}

fn has_rows(node: &Node) -> bool {
    match node.resource_type {
        ResourceType::Model => !node.is_ephemeral(),
        ResourceType::Seed | ResourceType::Snapshot | ResourceType::Source => true,
        _ => false,
    }
}

/// The first rows of `relation`; none if there is no such relation.
async fn sample(engine: &Engine, node: &Node, relation: &Relation, hidden: &Hidden) -> Result<Option<Sample>> {
    if node.as_source().is_none() && engine.warehouse.load(relation).await?.is_none() {
        return Ok(None);
    }
    let meter = engine.meter()?;
    let state = one_by_one(&meter.state);
    let query = SourceFile::new(format!("sample of {}", node.name), format!("select * from {}", relation.render()));
    let plan = engine.plan(&state, &query).await?;
    let fields: Vec<ColumnName> = plan.schema().columns();
    let (kept, dropped): (Vec<_>, Vec<_>) =
        fields.into_iter().partition(|column| !hidden.is_column(node, &column.name));
    let names = |columns: &[ColumnName]| columns.iter().map(|column| column.name.clone()).collect();
    let mut sample = Sample { columns: names(&kept), hidden: names(&dropped), rows: Vec::new() };
    if kept.is_empty() {
        return Ok(Some(sample));
    }
    let plan = LogicalPlanBuilder::from(plan)
        .project(kept.into_iter().map(Expr::Column))
        .and_then(|plan| plan.limit(0, Some(ROWS)))
        .and_then(LogicalPlanBuilder::build)
        .map_err(|error| execution_error(&error))?;
    let physical = engine.physical(&state, &plan).await?;
    let stream = execute_stream(physical, state.task_ctx()).map_err(|error| execution_error(&error))?;
    let batches: Vec<RecordBatch> = stream.try_collect().await.map_err(|error| execution_error(&error))?;
    for batch in &batches {
        sample.rows.extend(texts(batch));
    }
    Ok(Some(sample))
}

/// A session that reads one file after the other: the same rows each time.
fn one_by_one(state: &SessionState) -> SessionState {
    let config = state.config().clone().with_target_partitions(1);
    SessionStateBuilder::new_from_existing(state.clone()).with_config(config).build()
}

/// The rows of a batch as text.
fn texts(batch: &RecordBatch) -> Vec<Vec<Option<String>>> {
    let options = FormatOptions::new().with_display_error(true).with_null("null");
    let formatters: Vec<_> =
        batch.columns().iter().map(|column| ArrayFormatter::try_new(column, &options).ok()).collect();
    let cell = |row: usize| {
        formatters.iter().zip(batch.columns()).map(move |(formatter, column)| {
            let formatter = formatter.as_ref().filter(|_| !column.is_null(row))?;
            Some(cut(formatter.value(row).to_string()))
        })
    };
    (0..batch.num_rows()).map(|row| cell(row).collect()).collect()
}

fn cut(text: String) -> String {
    match text.char_indices().nth(WIDTH) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}
