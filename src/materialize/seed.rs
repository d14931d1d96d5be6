//! `seed`: the rows of a file of the project become a table.

use std::sync::Arc;

use datafusion::arrow::datatypes::{Fields, SchemaRef};
use datafusion::catalog::TableProvider;
use datafusion::common::ScalarValue;
use datafusion::datasource::provider_as_source;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, cast, ident, lit};

use super::{Job, Materialized, overwrite};
use crate::diag::{Diagnostic, Result, codes};
use crate::engine::execution_error;
use crate::engine::formats::{self, Format, NoRejects, ScanSpec};
use crate::node::plain;
use crate::warehouse::Stored;

pub(super) async fn build(job: &Job<'_>) -> Result<Materialized> {
    let provider = open(job).await?;
    let plan = plan(job, provider)?;
    let plan = if job.full_refresh { plan } else { like_before(job, plan).await? };
    overwrite(job, &plan, job.progress).await
}

async fn open(job: &Job<'_>) -> Result<Arc<dyn TableProvider>> {
    let path = job
        .seed_file
        .as_ref()
        .ok_or_else(|| Diagnostic::error(codes::INTERNAL, format!("seed `{}` has no file", job.node.name)))?;
    let extension = path.extension().map(|extension| extension.to_string_lossy().to_lowercase()).unwrap_or_default();
    let format = match extension.as_str() {
        "tsv" => Format::Csv,
        "jsonl" => Format::Json,
        other => other.parse::<Format>()?,
    };
    let mut spec = ScanSpec::new(format!("seed {}", job.node.name), path.to_string_lossy(), format);
    // dbt's manners: digits are a number also behind a zero, and the word means what it says.
    spec.options.csv.zeros_lead_numbers = true;
    spec.options.csv.null_value = Some("null".into());
    let delimiter = job.node.config.str("delimiter").map(|text| text.replace("\\t", "\t"));
    match delimiter.as_deref().map(str::as_bytes) {
        Some([byte]) => spec.options.csv.delimiter = *byte,
        Some(_) => {
            return Err(Diagnostic::error(codes::BAD_CONFIG, "`delimiter` has to be one ASCII character")
                .of_node(&job.node.unique_id));
        }
        None if extension == "tsv" => spec.options.csv.delimiter = b'\t',
        None => {}
    }
    Ok(formats::open(&job.meter.state, Arc::new(spec), Arc::new(NoRejects)).await?.provider)
}

/// The file's rows, with the types of `column_types`.
fn plan(job: &Job<'_>, provider: Arc<dyn TableProvider>) -> Result<LogicalPlan> {
    let types = job.node.config.get("column_types").and_then(|types| types.as_object()).cloned().unwrap_or_default();
    let schema = provider.schema();
    for name in types.keys() {
        if !schema.fields().iter().any(|field| field.name().eq_ignore_ascii_case(name)) {
            let names: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
            return Err(Diagnostic::error(codes::BAD_CONFIG, format!("`column_types` names a column `{name}`"))
                .label(job.node.config.span("column_types").cloned().unwrap_or(job.node.place()), "set here")
                .note(format!("columns of the seed: {}", names.join(", ")))
                .of_node(&job.node.unique_id));
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
async fn like_before(job: &Job<'_>, plan: LogicalPlan) -> Result<LogicalPlan> {
    let Some(old) = table_schema(job).await? else { return Ok(plan) };
    let find = |fields: &Fields, name: &str| {
        fields.iter().find(|field| field.name().eq_ignore_ascii_case(name)).map(|field| field.name().clone())
    };
    let new = plan.schema().fields().clone();
    if let Some(field) = new.iter().find(|field| find(old.fields(), field.name()).is_none()) {
        let message = format!("`{}` is a new column of seed `{}`", field.name(), job.node.name);
        return Err(Diagnostic::error(codes::SCHEMA_CHANGED, message)
            .label(job.node.place(), "its table was made without that column")
            .help("run with --full-refresh to make the table anew")
            .of_node(&job.node.unique_id));
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

async fn table_schema(job: &Job<'_>) -> Result<Option<SchemaRef>> {
    match job.engine.warehouse.load(job.relation).await? {
        Some(Stored::Table(_)) => job.engine.schema_of(job.relation).await,
        _ => Ok(None),
    }
}
