//! `delete`, `update` and `truncate`: the rows that stay, and what becomes of them.

use datafusion::sql::sqlparser::ast::{
    Assignment, Delete, FromTable, ObjectName, TableFactor, TableWithJoins, Truncate, Update,
};

use super::Executor;
use super::names::sets;
use crate::diag::{Diagnostic, Result, codes};
use crate::node::quote;

impl Executor<'_> {
    /// Keeps the rows for which the condition is not true.
    pub(super) async fn delete(&self, delete: Delete) -> Result<()> {
        let (FromTable::WithFromKeyword(from) | FromTable::WithoutKeyword(from)) = &delete.from;
        let target = one_table(from, "delete")?;
        let relation = self.table(target).await?;
        let from = from.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        let rows = self.columns(&relation, |_| None).await?;
        let sql = match (&delete.using, &delete.selection) {
            (None, None) => format!("select {rows} from {from} where false"),
            (None, Some(condition)) => format!("select {rows} from {from} where ({condition}) is not true"),
            (Some(using), condition) => {
                let using = using.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
                let condition = condition.as_ref().map_or_else(|| "true".to_string(), ToString::to_string);
                format!("select {rows} from {from} where not exists (select 1 from {using} where {condition})")
            }
        };
        self.rewrite(&relation, &sql).await
    }

    /// Gives columns new values where the condition is true.
    pub(super) async fn update(&self, update: Update) -> Result<()> {
        if let Some(from) = &update.from {
            return self.update_from(&update, from).await;
        }
        let from = std::slice::from_ref(&update.table);
        let relation = self.table(one_table(from, "update")?).await?;
        let condition = update.selection.as_ref().map_or_else(|| "true".to_string(), ToString::to_string);
        let assigned = |name: &str| {
            let found = update.assignments.iter().find(|assignment| sets(assignment, name))?;
            Some(format!("case when {condition} then {} else {} end", found.value, quote(name)))
        };
        if let Some(assignment) = self.unknown_assignment(&relation, &update.assignments).await? {
            return Err(Diagnostic::error(
                codes::COLUMN_NOT_FOUND,
                format!("`{relation}` has no column `{}`", assignment.target),
            ));
        }
        let rows = self.columns(&relation, assigned).await?;
        self.rewrite(&relation, &format!("select {rows} from {}", update.table)).await
    }

    pub(super) async fn truncate(&self, truncate: Truncate) -> Result<()> {
        for target in &truncate.table_names {
            let relation = self.table(&target.name).await?;
            self.rewrite(&relation, &format!("select * from {} where false", relation.render())).await?;
        }
        Ok(())
    }

    async fn unknown_assignment<'a>(
        &self,
        relation: &crate::node::Relation,
        assignments: &'a [Assignment],
    ) -> Result<Option<&'a Assignment>> {
        let schema = self.engine.schema_of(relation).await?;
        let has = |assignment: &&Assignment| {
            schema.iter().flat_map(|schema| schema.fields().iter()).any(|field| sets(assignment, field.name()))
        };
        Ok(assignments.iter().find(|assignment| !has(assignment)))
    }

    /// The columns of a table and their types.
    pub(super) async fn column_types(&self, relation: &crate::node::Relation) -> Result<Vec<(String, String)>> {
        let schema = self.engine.schema_of(relation).await?;
        let fields = schema.iter().flat_map(|schema| schema.fields().iter());
        Ok(fields.map(|field| (field.name().clone(), field.data_type().to_string())).collect())
    }

    /// The columns of a table, each as it is or as `value` says, in the types that they have.
    async fn columns(
        &self,
        relation: &crate::node::Relation,
        value: impl Fn(&str) -> Option<String>,
    ) -> Result<String> {
        let schema = self.engine.schema_of(relation).await?;
        let columns = schema.iter().flat_map(|schema| schema.fields().iter()).map(|field| {
            let name = quote(field.name());
            match value(field.name()) {
                Some(value) => format!("arrow_cast({value}, '{}') as {name}", field.data_type()),
                None => name,
            }
        });
        Ok(columns.collect::<Vec<_>>().join(", "))
    }
}

/// The one table that a statement changes.
fn one_table<'a>(from: &'a [TableWithJoins], verb: &str) -> Result<&'a ObjectName> {
    match from {
        [TableWithJoins { relation: TableFactor::Table { name, .. }, joins }] if joins.is_empty() => Ok(name),
        _ => Err(Diagnostic::error(codes::SQL_PLAN, format!("`{verb}` changes one table, named directly"))
            .help("put other tables into a subquery of the condition")),
    }
}
