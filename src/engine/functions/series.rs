//! `from generate_series(..)` and `from range(..)` over timestamps of any precision.
//!
//! DataFusion's table functions take nanoseconds alone, and a timestamp is in microseconds here. So the arguments are
//! turned into nanoseconds, and the column back into what it was asked for as.

use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, TimeUnit};
use datafusion::catalog::{TableFunction, TableFunctionArgs, TableFunctionImpl, TableProvider};
use datafusion::common::{Result, ScalarValue};
use datafusion::datasource::{ViewTable, provider_as_source};
use datafusion::execution::session_state::SessionState;
use datafusion::logical_expr::{Expr, LogicalPlanBuilder, cast, col};

/// Puts the table functions of this module in the place of DataFusion's.
pub(super) fn register(state: &mut SessionState) {
    for name in ["generate_series", "range"] {
        if let Some(inner) = state.table_functions().get(name).cloned() {
            state.register_udtf(name, Arc::new(Series { inner }));
        }
    }
}

#[derive(Debug)]
struct Series {
    inner: Arc<TableFunction>,
}

impl TableFunctionImpl for Series {
    fn call_with_args(&self, args: TableFunctionArgs) -> Result<Arc<dyn TableProvider>> {
        let wanted = args.exprs().iter().find_map(timestamp_type);
        let Some(wanted) = wanted else { return self.inner.create_table_provider_with_args(args) };
        let exprs: Vec<Expr> = args.exprs().iter().map(in_nanoseconds).collect::<Result<_>>()?;
        let provider = self.inner.create_table_provider_with_args(TableFunctionArgs::new(&exprs, args.session()))?;
        if *provider.schema().field(0).data_type() == wanted {
            return Ok(provider);
        }
        let plan = LogicalPlanBuilder::scan(self.inner.name(), provider_as_source(provider), None)?
            .project([cast(col("value"), wanted).alias("value")])?
            .build()?;
        Ok(Arc::new(ViewTable::new(plan, None)))
    }
}

/// The type of a constant timestamp that is not in nanoseconds.
fn timestamp_type(expr: &Expr) -> Option<DataType> {
    let Expr::Literal(value, _) = expr else { return None };
    match value.data_type() {
        DataType::Timestamp(TimeUnit::Nanosecond, _) => None,
        found @ DataType::Timestamp(_, _) => Some(found),
        _ => None,
    }
}

fn in_nanoseconds(expr: &Expr) -> Result<Expr> {
    let Expr::Literal(value, metadata) = expr else { return Ok(expr.clone()) };
    let value: ScalarValue = match value.data_type() {
        DataType::Timestamp(_, zone) => value.cast_to(&DataType::Timestamp(TimeUnit::Nanosecond, zone))?,
        DataType::Date32 => value.cast_to(&DataType::Timestamp(TimeUnit::Nanosecond, None))?,
        _ => value.clone(),
    };
    Ok(Expr::Literal(value, metadata.clone()))
}
