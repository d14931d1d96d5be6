//! A table of a database as DataFusion sees it.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::Statistics;
use datafusion::common::stats::Precision;
use datafusion::datasource::TableType;
use datafusion::error::Result as DataFusionResult;
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown};
use datafusion::physical_plan::ExecutionPlan;

use super::collect::schema_of;
use super::column::Table;
use super::predicate::predicate;
use super::scan::{DatabaseScan, Job};
use super::spec::DatabaseSpec;
use super::statement::{Dialect, Query};

/// Rows from which on it is worth to read with several connections.
const MANY_ROWS: u64 = 100_000;
/// Connections that read a large table unless `partitions` says otherwise.
const PARTITIONS: usize = 4;
/// A query for so few rows needs one connection alone.
const FEW_ROWS: usize = 10_000;

/// The table.
pub(super) struct DatabaseTable {
    spec: Arc<DatabaseSpec>,
    table: Arc<Table>,
    dialect: Dialect,
    key: Option<usize>,
    schema: SchemaRef,
}

impl DatabaseTable {
    pub(super) fn new(spec: Arc<DatabaseSpec>, table: Table, dialect: Dialect, key: Option<usize>) -> DatabaseTable {
        let schema = schema_of(&table.columns);
        DatabaseTable { spec, table: Arc::new(table), dialect, key, schema }
    }

    fn partitions(&self, limit: Option<usize>) -> usize {
        let is_large = self.table.rows.is_some_and(|rows| rows >= MANY_ROWS);
        match (self.key, limit, self.spec.partitions) {
            (None, ..) => 1,
            (_, Some(limit), _) if limit <= FEW_ROWS => 1,
            (_, _, Some(partitions)) => partitions,
            _ if is_large => PARTITIONS,
            _ => 1,
        }
    }
}

impl fmt::Debug for DatabaseTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DatabaseTable({})", self.spec.name)
    }
}

#[async_trait]
impl TableProvider for DatabaseTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn supports_filters_pushdown(&self, filters: &[&Expr]) -> DataFusionResult<Vec<TableProviderFilterPushDown>> {
        let support = |filter: &&Expr| match predicate(filter, &self.table.columns) {
            Some(_) => TableProviderFilterPushDown::Exact,
            None => TableProviderFilterPushDown::Unsupported,
        };
        Ok(filters.iter().map(support).collect())
    }

    fn statistics(&self) -> Option<Statistics> {
        let rows = usize::try_from(self.table.rows?).ok()?;
        Some(Statistics::new_unknown(&self.schema).with_num_rows(Precision::Inexact(rows)))
    }

    async fn scan(
        &self,
        _: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> DataFusionResult<Arc<dyn ExecutionPlan>> {
        let all = || (0..self.table.columns.len()).collect();
        let query = Query {
            dialect: self.dialect,
            projection: projection.cloned().unwrap_or_else(all),
            predicates: filters.iter().filter_map(|filter| predicate(filter, &self.table.columns)).collect(),
            limit,
        };
        Ok(Arc::new(DatabaseScan::new(Job {
            spec: Arc::clone(&self.spec),
            table: Arc::clone(&self.table),
            query,
            key: self.key,
            partitions: self.partitions(limit),
        })))
    }
}
