//! Runs one data test.

use std::sync::Arc;

use datafusion::arrow::array::{Array, RecordBatch};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::DataType;
use datafusion::common::cast::{as_boolean_array, as_int64_array};
use datafusion::execution::SessionState;
use futures::TryStreamExt;

use crate::diag::{Diagnostic, Result, SourceFile, codes};
use crate::engine::{Engine, Meter, execution_error};
use crate::node::Config;

/// What the wrapped query of a test says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Value of `fail_calc`.
    pub failures: u64,
    /// `warn_if` holds.
    pub should_warn: bool,
    /// `error_if` holds.
    pub should_error: bool,
}

/// Runs the test whose compiled query is `sql`.
///
/// # Errors
/// C4001 to C4006 if the query cannot be planned (with places in `sql`), C4003 if it fails, C7001 if `fail_calc` is null.
pub async fn run_data_test(engine: &Engine, meter: &Meter, sql: &Arc<SourceFile>, config: &Config) -> Result<Found> {
    // The query is planned on its own first, so that its mistakes are reported at their places.
    engine.plan(&meter.state, sql).await?;
    let file = SourceFile::new(sql.path.clone(), wrapped(&sql.text, config));
    let batches: Vec<RecordBatch> =
        engine.query(&meter.state, &file).await?.try_collect().await.map_err(|error| execution_error(&error))?;
    let row = batches.iter().find(|batch| batch.num_rows() > 0);
    row.and_then(read).ok_or_else(|| {
        Diagnostic::error(codes::TEST_FAILED, "the test gave no number of failures")
            .help("`fail_calc` has to be a number that is not null: `coalesce(sum(n), 0)`")
    })
}

/// Plans what is around the query of a test, if its settings say anything about that.
///
/// # Errors
/// C4001 to C4006 for expressions in `fail_calc`, `warn_if` or `error_if` that do not fit the rows of the test.
pub async fn check_data_test(
    engine: &Engine,
    state: &SessionState,
    sql: &Arc<SourceFile>,
    config: &Config,
) -> Result<()> {
    let is_set = |key: &str| config.setting(key).is_some_and(|setting| setting.span.is_some());
    if !["fail_calc", "warn_if", "error_if"].into_iter().any(is_set) {
        return Ok(());
    }
    let file = SourceFile::new("settings of the test", wrapped(&sql.text, config));
    engine.plan(state, &file).await.map(drop).map_err(|mut error| {
        // Places in a text that nobody wrote say nothing to anybody.
        error.labels.clear();
        error
    })
}

/// The query around a test's query: one row with the number of failures and what it means.
fn wrapped(sql: &str, config: &Config) -> String {
    let fail_calc = config.str("fail_calc").unwrap_or("count(*)");
    let warn_if = config.str("warn_if").unwrap_or("!= 0");
    let error_if = config.str("error_if").unwrap_or("!= 0");
    let limit = config.get("limit").map_or(String::new(), |limit| format!("\nlimit {}", crate::node::plain(limit)));
    let sql = sql.trim().trim_end_matches(';');
    format!(
        "select {fail_calc} as failures, {fail_calc} {warn_if} as should_warn, {fail_calc} {error_if} as should_error\n\
         from (\n{sql}{limit}\n) as dbt_internal_test"
    )
}

fn read(batch: &RecordBatch) -> Option<Found> {
    let failures = cast(batch.column(0), &DataType::Int64).ok()?;
    let failures = as_int64_array(&failures).ok()?;
    if failures.is_null(0) {
        return None;
    }
    let flag =
        |index: usize| as_boolean_array(batch.column(index)).ok().map(|array| array.is_valid(0) && array.value(0));
    Some(Found { failures: failures.value(0).max(0) as u64, should_warn: flag(1)?, should_error: flag(2)? })
}
