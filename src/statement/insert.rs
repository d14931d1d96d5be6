//! `insert into`.

use datafusion::sql::sqlparser::ast::{Insert, TableObject};

use super::Executor;
use crate::diag::{Diagnostic, Result, SourceFile, codes};
use crate::node::quote;

impl Executor<'_> {
    /// Appends rows; columns that are not named are null.
    pub(super) async fn insert(&self, insert: Insert) -> Result<()> {
        let TableObject::TableName(name) = &insert.table else {
            return Err(Diagnostic::error(codes::SQL_PLAN, "rows are inserted into tables alone"));
        };
        let relation = self.table(name).await?;
        let Some(query) = &insert.source else {
            return Err(Diagnostic::error(codes::SQL_PLAN, format!("`insert into {name}` names no rows")));
        };
        let schema = self
            .engine
            .schema_of(&relation)
            .await?
            .ok_or_else(|| Diagnostic::error(codes::TABLE_NOT_FOUND, format!("table `{relation}` not found")))?;
        let named: Vec<String> = insert
            .columns
            .iter()
            .filter_map(|column| column.0.last()?.as_ident().map(|ident| ident.value.clone()))
            .collect();
        let all = || schema.fields().iter().map(|field| field.name().clone()).collect();
        let named: Vec<String> = if named.is_empty() { all() } else { named };
        if let Some(unknown) =
            named.iter().find(|name| !schema.fields().iter().any(|field| field.name().eq_ignore_ascii_case(name)))
        {
            return Err(Diagnostic::error(codes::COLUMN_NOT_FOUND, format!("`{relation}` has no column `{unknown}`")));
        }
        let query = query.to_string();
        let file = SourceFile::new(format!("rows for {relation}"), query.clone());
        let given = self.engine.plan(&self.meter.state, &file).await?.schema().fields().len();
        if given != named.len() {
            return Err(Diagnostic::error(
                codes::SQL_PLAN,
                format!("{given} values are inserted into {} columns of `{relation}`", named.len()),
            ));
        }
        let names: Vec<String> = (0..given).map(|index| format!("c{index}")).collect();
        let columns = schema.fields().iter().map(|field| {
            let place = named.iter().position(|name| name.eq_ignore_ascii_case(field.name()));
            let value = place.map_or_else(|| "null".to_string(), |place| format!("given.c{place}"));
            format!("arrow_cast({value}, '{}') as {}", field.data_type(), quote(field.name()))
        });
        let columns = columns.collect::<Vec<_>>().join(", ");
        let sql = format!("select {columns} from ({query}) as given({})", names.join(", "));
        self.write(&relation, &sql, !insert.overwrite).await
    }
}
