//! Relations that are not there yet: columns without rows.
//!
//! Before anything runs, a node is planned against what its parents *will* be. A [`Prediction`] stands for such a parent:
//! it has the schema that the parent's relation has after a build, and reading it is a mistake of ours.

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::catalog::{Session, TableProvider};
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::{Expr, TableType};
use datafusion::physical_plan::ExecutionPlan;

/// A relation of which only the columns are known.
#[derive(Debug)]
pub(super) struct Prediction {
    schema: SchemaRef,
    kind: TableType,
}

impl Prediction {
    /// A table, or a view.
    pub(super) fn provider(schema: SchemaRef, is_view: bool) -> Arc<dyn TableProvider> {
        Arc::new(Prediction { schema, kind: if is_view { TableType::View } else { TableType::Base } })
    }
}

#[async_trait]
impl TableProvider for Prediction {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        self.kind
    }

    async fn scan(
        &self,
        _state: &dyn Session,
        _projection: Option<&Vec<usize>>,
        _filters: &[Expr],
        _limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        Err(DataFusionError::Internal("a relation that is only predicted has no rows".into()))
    }
}
