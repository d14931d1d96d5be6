//! Unit tests: the model's query over rows that the test writes down.
//!
//! The inputs become common table expressions, and `ref`, `source` and `this` give their names while the model's template
//! is rendered. Nothing is read from the warehouse but the types of columns, and nothing is written.

mod diff;
mod rows;

use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::logical_expr::{LogicalPlan, LogicalPlanBuilder, ident};
use datafusion::physical_plan::execute_stream;
use futures::TryStreamExt;
use serde_json::{Value as Json, json};

use crate::compile::{CompiledNode, compile, compile_with};
use crate::diag::{Diagnostic, Result, SourceFile, Span, codes};
use crate::engine::{Engine, Meter, execution_error};
use crate::jinja::{EPHEMERAL_PREFIX, Overrides, World, literal_references};
use crate::manifest::Manifest;
use crate::node::{Node, NodeKind, UnitTest};

use rows::Rows;

/// What running a unit test needs.
pub struct UnitJob<'a> {
    /// The engine.
    pub engine: &'a Engine,
    /// The session.
    pub meter: &'a Meter,
    /// What templates share.
    pub world: &'a Arc<World>,
    /// The project.
    pub manifest: &'a Arc<Manifest>,
    /// The unit test.
    pub node: &'a Node,
    /// Finds the text of a fixture's file.
    pub fixture: &'a (dyn Fn(&str) -> Option<String> + Sync),
}

/// What a unit test found.
#[derive(Debug)]
pub struct UnitFound {
    /// Lines that show what differs; none if nothing does.
    pub difference: Option<Vec<String>>,
    /// The query that ran.
    pub compiled: CompiledNode,
}

/// Runs a unit test.
///
/// # Errors
/// C1004 for a test that cannot be right; what the model's template or query fails with.
pub async fn run_unit_test(job: &UnitJob<'_>) -> Result<UnitFound> {
    let (test, compiled) = job.compiled().await?;
    let difference = job.compare(test, &compiled).await.map_err(|error| compiled.locate(error))?;
    Ok(UnitFound { difference, compiled })
}

/// Plans a unit test without running it: its inputs and expected rows name columns that are there, and the model's query
/// fits them.
///
/// # Errors
/// As [`run_unit_test`].
pub async fn check_unit_test(job: &UnitJob<'_>) -> Result<()> {
    let (test, compiled) = job.compiled().await?;
    job.prepare(test, &compiled).await.map(drop).map_err(|error| compiled.locate(error))
}

/// A unit test that is ready to run.
struct Prepared {
    /// The model's query, in the columns that the test names.
    actual: LogicalPlan,
    /// The expected rows; none if the test expects no row.
    expected: Option<LogicalPlan>,
    /// The columns.
    columns: Vec<String>,
}

/// A mistake in the test itself is shown where the test stands.
fn at(node: &Node, error: Box<Diagnostic>) -> Box<Diagnostic> {
    if error.labels.is_empty() { error.label(node.place(), "in this unit test") } else { error }
}

fn model<'a>(job: &UnitJob<'a>, test: &UnitTest) -> Result<&'a Node> {
    let found = job.node.depends_on.iter().filter_map(|id| job.manifest.find(id)).find(|node| node.name == test.model);
    found.ok_or_else(|| {
        Diagnostic::error(codes::REF_NOT_FOUND, format!("model `{}` not found", test.model))
            .label(job.node.place(), "this unit test is about it")
    })
}

async fn blocking(world: &Arc<World>, node: &Node, overrides: Option<Arc<Overrides>>) -> Result<CompiledNode> {
    let (world, node) = (Arc::clone(world), node.clone());
    let compiled = tokio::task::spawn_blocking(move || match overrides {
        Some(overrides) => compile_with(&world, &node, Some(overrides)),
        None => compile(&world, &node),
    });
    compiled
        .await
        .map_err(|error| Diagnostic::error(codes::INTERNAL, format!("a template could not be rendered: {error}")))?
}

impl UnitJob<'_> {
    /// The inputs as common table expressions, and what the test overrides.
    async fn overrides(&self, test: &UnitTest, model: &Node) -> Result<Overrides> {
        let section = |name: &str| test.overrides.get(name).and_then(Json::as_object).cloned().unwrap_or_default();
        let mut overrides = Overrides {
            closed: true,
            macros: section("macros"),
            vars: section("vars"),
            env: section("env_vars"),
            ..Overrides::default()
        };
        // A model under test is not incremental unless the test says so.
        overrides.macros.entry("is_incremental").or_insert(json!(false));
        for given in &test.given {
            let input = given.get("input").and_then(Json::as_str).unwrap_or_default().trim();
            let node = if input == "this" { model } else { self.input(input)? };
            let rows = rows::read(given, self.fixture)?;
            let types = match &rows {
                Rows::Values(_) => self.types(node).await,
                Rows::Query(_) => None,
            };
            let sql = rows.sql(types.as_ref(), true).map_err(|error| error.note(format!("input: {input}")))?;
            let name = format!("{EPHEMERAL_PREFIX}{}", node.unique_id.replace(['.', '-', ' '], "_"));
            if input == "this" {
                overrides.this = Some(name.clone());
            } else {
                overrides.relations.insert(node.unique_id.clone(), name.clone());
            }
            overrides.ctes.push((name, sql));
        }
        Ok(overrides)
    }

    /// The node that `ref('x')` or `source('x', 'y')` of an input means.
    fn input(&self, text: &str) -> Result<&Node> {
        let span = Span::start_of(&SourceFile::new("input", text));
        let (refs, sources) = literal_references(text, &span);
        let lookup = self.world.resolved.as_ref().map(|resolved| &resolved.lookup);
        let found = match (lookup, refs.first(), sources.first()) {
            (Some(lookup), Some(call), _) => lookup.find_ref(call, &self.node.package).map(Some),
            (Some(lookup), _, Some(call)) => lookup.find_source(call, &self.node.package).map(Some),
            _ => Ok(None),
        };
        // Places in the input's own text say nothing to anybody.
        let found = found.map_err(|mut error| {
            error.labels.clear();
            error
        })?;
        found.and_then(|id| self.manifest.find(id)).ok_or_else(|| {
            Diagnostic::error(codes::BAD_VALUE, format!("an input is `{text}`"))
                .help("an input is `ref('..')`, `source('..', '..')` or `this`")
        })
    }

    /// The columns of a node: of its relation, or of its query where it was never built; none if neither is known.
    async fn types(&self, node: &Node) -> Option<SchemaRef> {
        if let Some(relation) = node.relation.as_ref().filter(|_| !node.is_ephemeral())
            && let Ok(Some(schema)) = self.engine.schema_of(relation).await
        {
            return Some(schema);
        }
        if !matches!(node.kind, NodeKind::Model(_)) {
            return None;
        }
        let compiled = blocking(self.world, node, None).await.ok()?;
        let plan = self.engine.plan(&self.meter.state, &compiled.sql).await.ok()?;
        Some(Arc::new(plan.schema().as_arrow().clone()))
    }

    /// The test, and the model's query over its inputs.
    async fn compiled(&self) -> Result<(&UnitTest, CompiledNode)> {
        let NodeKind::UnitTest(test) = &self.node.kind else {
            return Err(Diagnostic::error(codes::INTERNAL, format!("`{}` is no unit test", self.node.name)));
        };
        let model = model(self, test)?;
        let overrides = self.overrides(test, model).await.map_err(|error| at(self.node, error))?;
        Ok((test, blocking(self.world, model, Some(Arc::new(overrides))).await?))
    }

    /// Plans the model's query and the expected rows, in the columns that the test names.
    async fn prepare(&self, test: &UnitTest, compiled: &CompiledNode) -> Result<Prepared> {
        let plan = self.engine.plan(&self.meter.state, &compiled.sql).await?;
        let schema: SchemaRef = Arc::new(plan.schema().as_arrow().clone());
        let expected = rows::read(&test.expect, self.fixture)
            .and_then(|rows| Ok((rows.sql(Some(&schema), false)?, rows)))
            .map_err(|error| at(self.node, error.note("expect")))?;
        let (mut sql, rows) = expected;
        let columns = match rows.columns() {
            Some(columns) if columns.is_empty() => schema.fields().iter().map(|field| field.name().clone()).collect(),
            Some(columns) => columns,
            None => {
                let file = SourceFile::new("expected rows", sql.clone());
                let own = self.engine.plan(&self.meter.state, &file).await?;
                own.schema().fields().iter().map(|field| field.name().clone()).collect()
            }
        };
        let columns = spelled(self.node, &columns, &schema)?;
        if matches!(rows, Rows::Query(_)) {
            sql = cast_to(&sql, &columns, &schema);
        }
        let expected = match rows.columns().is_some_and(|columns| columns.is_empty()) {
            true => None,
            false => Some(self.engine.plan(&self.meter.state, &SourceFile::new("expected rows", sql)).await?),
        };
        Ok(Prepared { actual: project(plan, &columns)?, expected, columns })
    }

    /// Runs the model and compares its rows with the expected ones.
    async fn compare(&self, test: &UnitTest, compiled: &CompiledNode) -> Result<Option<Vec<String>>> {
        let prepared = self.prepare(test, compiled).await?;
        let actual = self.rows(&prepared.actual).await?;
        let expected = match &prepared.expected {
            None => Vec::new(),
            Some(plan) => self.rows(plan).await?,
        };
        let texts = |batches: &[RecordBatch]| {
            diff::texts(batches).map_err(|error| {
                Diagnostic::error(codes::SQL_EXECUTION, format!("rows cannot be shown as text: {error}"))
            })
        };
        Ok(diff::diff(&prepared.columns, &texts(&expected)?, &texts(&actual)?))
    }

    async fn rows(&self, plan: &LogicalPlan) -> Result<Vec<RecordBatch>> {
        let physical = self.engine.physical(&self.meter.state, plan).await?;
        let stream = execute_stream(physical, self.meter.state.task_ctx()).map_err(|error| execution_error(&error))?;
        stream.try_collect().await.map_err(|error| execution_error(&error))
    }
}

/// The columns of the model that the expectation names.
fn spelled(node: &Node, columns: &[String], schema: &SchemaRef) -> Result<Vec<String>> {
    let find = |name: &String| schema.fields().iter().find(|field| field.name().eq_ignore_ascii_case(name));
    let spelled = columns.iter().map(|name| {
        find(name).map(|field| field.name().clone()).ok_or_else(|| {
            Diagnostic::error(codes::BAD_VALUE, format!("the model has no column `{name}`"))
                .label(node.place(), "expected by this unit test")
        })
    });
    spelled.collect()
}

fn cast_to(sql: &str, columns: &[String], schema: &SchemaRef) -> String {
    let list = columns.iter().filter_map(|name| {
        let field = schema.field_with_name(name).ok()?;
        let name = crate::node::quote(name);
        Some(format!("arrow_cast({name}, '{}') as {name}", field.data_type()))
    });
    format!("select {} from ({sql}) as expected", list.collect::<Vec<_>>().join(", "))
}

fn project(plan: LogicalPlan, columns: &[String]) -> Result<LogicalPlan> {
    LogicalPlanBuilder::from(plan)
        .project(columns.iter().map(|name| ident(name.as_str())))
        .and_then(LogicalPlanBuilder::build)
        .map_err(|error| execution_error(&error))
}
