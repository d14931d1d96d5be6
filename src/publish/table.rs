//! A table of the warehouse as a source of publishes: it knows its versions.

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::catalog::TableProvider;
use datafusion::dataframe::DataFrame;
use datafusion::datasource::provider_as_source;
use datafusion::error::Result as DataFusionResult;
use datafusion::execution::SessionState;
use datafusion::logical_expr::LogicalPlanBuilder;

use super::difference::{changed, gone, merging, widened};
use super::rows::{FrameRows, Rows};
use super::source::{Added, Changed, Origin, Source, Version};
use crate::diag::Result;
use crate::failure::execution_error;
use crate::warehouse::{Appended, TableVersion};

/// One version of a table of the warehouse.
pub struct TableSource {
    origin: Origin,
    table: TableVersion,
    state: SessionState,
    rows: FrameRows,
}

impl TableSource {
    /// The rows of `table`, called `relation`, read by `state`, for the invocation `run`.
    ///
    /// # Errors
    /// C5007 if the table cannot be read.
    pub async fn open(
        table: TableVersion,
        relation: String,
        run: String,
        full_refresh: bool,
        state: SessionState,
    ) -> Result<TableSource> {
        let version = Some(Version { table_id: table.table_id()?, number: table.number() });
        let rows = frame(&state, table.rows(&state).await?).map_err(|error| execution_error(&error))?;
        Ok(TableSource { origin: Origin { relation, version, run, full_refresh }, table, state, rows: FrameRows(rows) })
    }
}

#[async_trait]
impl Source for TableSource {
    fn origin(&self) -> &Origin {
        &self.origin
    }

    fn rows(&self) -> &dyn Rows {
        &self.rows
    }

    fn count(&self) -> Option<u64> {
        self.table.count()
    }

    async fn added(&self, since: u64) -> Result<Added> {
        let tables = match self.table.appended(&self.state, since).await? {
            Appended::Rows(tables) => tables,
            Appended::Unclear(why) => return Ok(Added::Unclear(why)),
        };
        let rows = self.union(tables).map_err(|error| execution_error(&error))?;
        Ok(Added::Rows(Box::new(FrameRows(rows))))
    }

    async fn changed(&self, since: u64, key: &[String]) -> Result<Option<Changed>> {
        let state = merging(&self.state);
        let Some(difference) = self.table.difference(&state, since).await? else { return Ok(None) };
        let compare = || -> DataFusionResult<Changed> {
            let (old, new) = (frame(&state, difference.old)?, frame(&state, difference.new)?);
            Ok(Changed {
                rows: Box::new(FrameRows(changed(old.clone(), new.clone(), key)?)),
                gone: Box::new(FrameRows(gone(old, new, key)?)),
            })
        };
        compare().map(Some).map_err(|error| execution_error(&error))
    }
}

impl TableSource {
    fn union(&self, tables: Vec<Arc<dyn TableProvider>>) -> DataFusionResult<DataFrame> {
        let schema = self.rows.schema();
        let mut all = self.rows.0.clone().limit(0, Some(0))?;
        for table in tables {
            all = all.union(widened(frame(&self.state, table)?, &schema)?)?;
        }
        Ok(all)
    }
}

fn frame(state: &SessionState, table: Arc<dyn TableProvider>) -> DataFusionResult<DataFrame> {
    let plan = LogicalPlanBuilder::scan("rows", provider_as_source(table), None)?.build()?;
    Ok(DataFrame::new(state.clone(), plan))
}
