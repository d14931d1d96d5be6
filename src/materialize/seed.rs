//! `seed`: the rows of a file of the project become a table.

use std::path::Path;
use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field, Fields, SchemaRef};
use datafusion::catalog::TableProvider;
use datafusion::common::ScalarValue;
use datafusion::datasource::provider_as_source;
use datafusion::execution::SessionState;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, cast, ident, lit};

use super::{Job, Materialized, overwrite};
use crate::diag::{Diagnostic, Result, codes};
use crate::engine::formats::{self, ColumnSpec, Format, NoRejects, ScanSpec};
use crate::engine::{execution_error, type_name};
use crate::node::{Node, plain};
use crate::warehouse::Base;

pub(super) async fn build(job: &Job<'_>) -> Result<Materialized> {
    let old = if job.full_refresh { None } else { job.engine.table_schema(job.relation).await? };
    let path = job
        .seed_file
        .as_ref()
        .ok_or_else(|| Diagnostic::error(codes::INTERNAL, format!("seed `{}` has no file", job.node.name)))?;
    let plan = seed_plan(&job.meter.state, job.node, path, old.as_ref()).await?;
    overwrite(job, &plan, job.progress, Base::Any).await
}

/// The rows of the file at `path` as the table of the seed `node`; `old` are the columns of the table that is loaded again.
///
/// # Errors
/// C2011 for settings that do not fit the file, C5011 if it has a column that its table lacks, what reading it fails with.
pub async fn seed_plan(state: &SessionState, node: &Node, path: &Path, old: Option<&SchemaRef>) -> Result<LogicalPlan> {
    let provider = open(state, node, path, old).await?;
    let plan = plan(node, provider)?;
    match old {
        Some(old) => like_before(node, plan, old),
        None => Ok(plan),
    }
}

async fn open(
    state: &SessionState,
    node: &Node,
    path: &Path,
    old: Option<&SchemaRef>,
) -> Result<Arc<dyn TableProvider>> {
    let extension = path.extension().map(|extension| extension.to_string_lossy().to_lowercase()).unwrap_or_default();
    let format = match extension.as_str() {
        "tsv" => Format::Csv,
        "jsonl" => Format::Json,
        other => other.parse::<Format>()?,
    };
    let mut spec = ScanSpec::new(format!("seed {}", node.name), path.to_string_lossy(), format);
    // dbt's manners: digits are a number also behind a zero, and the word means what it says.
    spec.options.csv.zeros_lead_numbers = true;
    spec.options.csv.empty_columns_are_integers = true;
    spec.options.csv.null_value = Some("null".into());
    let delimiter = node.config.str("delimiter").map(|text| text.replace("\\t", "\t"));
    match delimiter.as_deref().map(str::as_bytes) {
        Some([byte]) => spec.options.csv.delimiter = *byte,
        Some(_) => {
            return Err(Diagnostic::error(codes::BAD_CONFIG, "`delimiter` has to be one ASCII character")
                .of_node(&node.unique_id));
        }
        None if extension == "tsv" => spec.options.csv.delimiter = b'\t',
        None => {}
    }
    let provider = formats::open(state, Arc::new(spec.clone()), Arc::new(NoRejects)).await?.provider;
    let texts = text_columns(node, old);
    let is_text = |name: &str| texts.iter().any(|text| text.eq_ignore_ascii_case(name));
    if format != Format::Csv || !provider.schema().fields().iter().any(|field| is_text(field.name())) {
        return Ok(provider);
    }
    // What is to be text is read as text: a number would have lost its zeros by the time it becomes one.
    let column = |field: &Arc<Field>| match is_text(field.name()) {
        true => ColumnSpec::new(field.name(), "varchar"),
        false => ColumnSpec::new(field.name(), type_name(field.data_type())),
    };
    spec.columns = Some(provider.schema().fields().iter().map(column).collect());
    Ok(formats::open(state, Arc::new(spec), Arc::new(NoRejects)).await?.provider)
}

/// Names of columns that are text, by `column_types` or because they are in the table that is loaded again.
fn text_columns(node: &Node, old: Option<&SchemaRef>) -> Vec<String> {
    let is_text = |data_type: &DataType| matches!(data_type, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View);
    let types = node.config.get("column_types").and_then(|types| types.as_object());
    let declared = types
        .into_iter()
        .flatten()
        .filter(|(_, text)| formats::parse_data_type(&plain(text)).is_ok_and(|data_type| is_text(&data_type)));
    let mut names: Vec<String> = declared.map(|(name, _)| name.clone()).collect();
    let stored = old.into_iter().flat_map(|old| old.fields().iter()).filter(|field| is_text(field.data_type()));
    names.extend(stored.map(|field| field.name().clone()));
    names
}

/// The file's rows, with the types of `column_types`.
fn plan(node: &Node, provider: Arc<dyn TableProvider>) -> Result<LogicalPlan> {
    let types = node.config.get("column_types").and_then(|types| types.as_object()).cloned().unwrap_or_default();
    let schema = provider.schema();
    for name in types.keys() {
        if !schema.fields().iter().any(|field| field.name().eq_ignore_ascii_case(name)) {
            let names: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
            return Err(Diagnostic::error(codes::BAD_CONFIG, format!("`column_types` names a column `{name}`"))
                .label(node.config.span("column_types").cloned().unwrap_or(node.place()), "set here")
                .note(format!("columns of the seed: {}", names.join(", ")))
                .of_node(&node.unique_id));
        }
    }
    let mut columns = Vec::new();
    for field in schema.fields() {
        let wanted = types.iter().find(|(name, _)| name.eq_ignore_ascii_case(field.name()));
        let column = ident(field.name().as_str());
        columns.push(match wanted {
            Some((_, text)) => cast(column, formats::parse_data_type(&plain(text))?).alias(field.name()),
            None => column,
        });
    }
    LogicalPlanBuilder::scan("seed", provider_as_source(provider), None)
        .and_then(|builder| builder.project(columns))
        .and_then(LogicalPlanBuilder::build)
        .map_err(|error| execution_error(&error))
}

/// A seed that is loaded again keeps the columns of its table and their types, as in dbt: who reads it relies on them.
fn like_before(node: &Node, plan: LogicalPlan, old: &SchemaRef) -> Result<LogicalPlan> {
    let find = |fields: &Fields, name: &str| {
        fields.iter().find(|field| field.name().eq_ignore_ascii_case(name)).map(|field| field.name().clone())
    };
    let new = plan.schema().fields().clone();
    if let Some(field) = new.iter().find(|field| find(old.fields(), field.name()).is_none()) {
        let message = format!("`{}` is a new column of seed `{}`", field.name(), node.name);
        return Err(Diagnostic::error(codes::SCHEMA_CHANGED, message)
            .label(node.place(), "its table was made without that column")
            .help("run with --full-refresh to make the table anew")
            .of_node(&node.unique_id));
    }
    let columns = old.fields().iter().map(|field| match find(&new, field.name()) {
        Some(name) => cast(ident(name), field.data_type().clone()).alias(field.name()),
        None => cast(lit(ScalarValue::Null), field.data_type().clone()).alias(field.name()),
    });
    let columns: Vec<Expr> = columns.collect();
    LogicalPlanBuilder::from(plan)
        .project(columns)
        .and_then(LogicalPlanBuilder::build)
        .map_err(|error| execution_error(&error))
}
