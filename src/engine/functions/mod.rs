//! The functions of c360's SQL, beyond those that DataFusion has.
//!
//! [`catalog`] is the one list: registration, the reference in the docs and the test that runs every example walk it. One
//! family, one file, one `ENTRIES` list. Functions of `datafusion-spark` are registered too, where neither DataFusion nor we
//! have something under the same name.
//!
//! Whole numbers never wrap: `+ - *` and unary minus on them are planned as functions that check ([`checked`]), `sum` is
//! computed in 128 bits ([`aggregate`]). [`overflow_text`] tells such an error from others.

mod aggregate;
mod aliases;
mod checked;
mod dates;
mod digits;
mod far_times;
mod json;
mod lenient;
mod planner;
mod regexp;
mod rewriting;
mod scalar;
mod series;
mod soft_dates;
#[cfg(test)]
mod tests;
mod text;

use std::sync::Arc;

use datafusion::arrow::error::ArrowError;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::FunctionRegistry;
use datafusion::logical_expr::{AggregateUDF, ScalarUDF};
use datafusion::prelude::SessionContext;

/// The names of analyzer rules that leave the types of a plan as they are.
pub(super) const KEEP_TYPES: [&str; 2] = [checked::NAME, far_times::NAME];

/// A function as users know it.
pub struct Entry {
    /// Its name, in lower case.
    pub name: &'static str,
    /// How it is called.
    pub signature: &'static str,
    /// One or two sentences.
    pub doc: &'static str,
    /// What follows `select` in an example.
    pub example: &'static str,
    /// The one value of the example, as text; `NULL` for null.
    pub result: &'static str,
    pub(crate) kind: Kind,
}

/// What is registered for an entry.
pub(crate) enum Kind {
    /// A scalar function of ours.
    Scalar(fn() -> ScalarUDF),
    /// An aggregate of ours.
    Aggregate(fn() -> AggregateUDF),
    /// A second name, which the function with the first brings along.
    Same(#[expect(dead_code, reason = "for people who read the list")] &'static str),
    /// A further name for a scalar function that DataFusion or another entry has.
    Scalars(&'static str),
    /// A further name for an aggregate that DataFusion or another entry has.
    Aggregates(&'static str),
    /// DataFusion or datafusion-spark has it; it is listed so that its example is checked.
    Present,
}

/// Every function that c360 adds, family after family.
pub fn catalog() -> impl Iterator<Item = &'static Entry> {
    [
        aggregate::ENTRIES,
        soft_dates::ENTRIES,
        dates::ENTRIES,
        text::ENTRIES,
        regexp::ENTRIES,
        json::ENTRIES,
        lenient::ENTRIES,
        aliases::ENTRIES,
    ]
    .into_iter()
    .flatten()
}

/// Adds all of it to a session: functions, the planning of arithmetic that does not wrap, and datafusion-spark's functions.
///
/// Call it once for a new session, and on every executor of a cluster ([`register_functions`] is enough there).
pub fn register(ctx: &SessionContext) -> Result<()> {
    {
        let state = ctx.state_ref();
        let mut state = state.write();
        register_functions(&mut *state)?;
        state.register_expr_planner(Arc::new(planner::Planner))?;
        series::register(&mut state);
    }
    ctx.add_analyzer_rule(Arc::new(checked::CheckedArithmetic::new()));
    ctx.add_analyzer_rule(Arc::new(far_times::FarTimes));
    Ok(())
}

/// Adds the functions alone: enough to run plans that were made elsewhere.
pub fn register_functions(registry: &mut dyn FunctionRegistry) -> Result<()> {
    register_spark(registry)?;
    for udf in checked::functions() {
        registry.register_udf(udf)?;
    }
    for entry in catalog() {
        match &entry.kind {
            Kind::Scalar(make) => drop(registry.register_udf(Arc::new(make()))?),
            Kind::Aggregate(make) => drop(registry.register_udaf(Arc::new(make()))?),
            Kind::Scalars(_) | Kind::Aggregates(_) | Kind::Same(_) | Kind::Present => {}
        }
    }
    for entry in catalog() {
        match &entry.kind {
            Kind::Scalars(known) => {
                let udf = registry.udf(known)?.as_ref().clone().with_aliases([entry.name]);
                registry.register_udf(Arc::new(udf))?;
            }
            Kind::Aggregates(known) => {
                let udaf = registry.udaf(known)?.as_ref().clone().with_aliases([entry.name]);
                registry.register_udaf(Arc::new(udaf))?;
            }
            _ => {}
        }
    }
    Ok(())
}

/// Functions of datafusion-spark whose names, aliases included, nobody has. Its `negative` wraps, and its `spark_cast` is
/// for plans that Spark made.
fn register_spark(registry: &mut dyn FunctionRegistry) -> Result<()> {
    let mut taken = registry.udfs();
    taken.extend(registry.udafs());
    taken.extend(["negative", "spark_cast"].map(String::from));
    for udf in datafusion_spark::all_default_scalar_functions() {
        if !taken.contains(udf.name()) && !udf.aliases().iter().any(|alias| taken.contains(alias)) {
            registry.register_udf(udf)?;
        }
    }
    for udaf in datafusion_spark::all_default_aggregate_functions() {
        if !taken.contains(udaf.name()) && !udaf.aliases().iter().any(|alias| taken.contains(alias)) {
            registry.register_udaf(udaf)?;
        }
    }
    Ok(())
}

/// The error for a result that does not fit into its type; `text` is a lowercase fragment.
fn overflow(text: impl Into<String>) -> DataFusionError {
    DataFusionError::ArrowError(Box::new(ArrowError::ArithmeticOverflow(text.into())), None)
}

/// What overflowed, if that is what `error` is about at its root (diagnostic code C4007).
pub fn overflow_text(error: &DataFusionError) -> Option<&str> {
    match error.find_root() {
        DataFusionError::ArrowError(error, _) => match &**error {
            ArrowError::ArithmeticOverflow(text) => Some(text),
            // What DataFusion's `abs` says.
            ArrowError::ComputeError(text) if text.contains("overflow on") => Some(text),
            _ => None,
        },
        _ => None,
    }
}
