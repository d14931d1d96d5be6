//! `create`, `alter` and `drop`.

use datafusion::sql::sqlparser::ast::{
    AlterTable, AlterTableOperation, CreateTable, CreateView, ObjectName, ObjectType, RenameTableNameKind,
};

use super::Executor;
use crate::diag::{Diagnostic, Result, SourceFile, codes};
use crate::node::{Relation, quote};
use crate::warehouse::View;

impl Executor<'_> {
    pub(super) async fn create_table(&self, table: CreateTable) -> Result<()> {
        let relation = self.relation(&table.name).await?;
        if !self.may_create(&relation, table.if_not_exists, table.or_replace).await? {
            return Ok(());
        }
        let sql = match &table.query {
            Some(query) => query.to_string(),
            None => {
                let columns = table
                    .columns
                    .iter()
                    .map(|column| format!("cast(null as {}) as {}", column.data_type, quote(&column.name.value)));
                format!("select {} where false", columns.collect::<Vec<_>>().join(", "))
            }
        };
        self.rewrite(&relation, &sql).await
    }

    pub(super) async fn create_view(&self, view: CreateView) -> Result<()> {
        let relation = self.relation(&view.name).await?;
        if !self.may_create(&relation, view.if_not_exists, view.or_replace).await? {
            return Ok(());
        }
        let query = view.query.to_string();
        let sql = match view.columns.as_slice() {
            [] => query,
            columns => {
                let names: Vec<String> = columns.iter().map(|column| column.name.to_string()).collect();
                format!("select * from ({query}) as named({})", names.join(", "))
            }
        };
        self.engine.plan(&self.meter.state, &SourceFile::new(format!("view {relation}"), sql.clone())).await?;
        let view = View { sql, node: self.commit.node.clone(), invocation_id: self.commit.invocation_id.clone() };
        self.engine.warehouse.put_view(&relation, &view).await?;
        self.engine.forget(&relation);
        Ok(())
    }

    /// False if there is something already and that is fine.
    async fn may_create(&self, relation: &Relation, if_not_exists: bool, or_replace: bool) -> Result<bool> {
        if or_replace || self.engine.warehouse.load(relation).await?.is_none() {
            return Ok(true);
        }
        match if_not_exists {
            true => Ok(false),
            false => Err(Diagnostic::error(codes::SQL_PLAN, format!("`{relation}` exists already"))
                .help("write `create or replace` or `if not exists`")),
        }
    }

    pub(super) async fn drop_all(&self, kind: ObjectType, if_exists: bool, names: &[ObjectName]) -> Result<()> {
        for name in names {
            match kind {
                ObjectType::Table | ObjectType::View | ObjectType::MaterializedView => {
                    let relation = self.relation(name).await?;
                    if !if_exists && self.engine.warehouse.load(&relation).await?.is_none() {
                        return Err(Diagnostic::error(codes::TABLE_NOT_FOUND, format!("`{relation}` not found"))
                            .help("write `drop ... if exists`"));
                    }
                    self.remove(&relation).await?;
                }
                ObjectType::Schema => {
                    let schema = name.0.last().and_then(|part| part.as_ident()).map(|ident| ident.value.clone());
                    let schema = schema.unwrap_or_default();
                    for identifier in self.engine.warehouse.identifiers(&schema).await? {
                        self.remove(&Relation::new("", &schema, &identifier)).await?;
                    }
                }
                other => {
                    return Err(Diagnostic::error(codes::SQL_PLAN, format!("a warehouse has no {other} to drop")));
                }
            }
        }
        Ok(())
    }

    async fn remove(&self, relation: &Relation) -> Result<()> {
        self.engine.warehouse.drop_relation(relation).await?;
        self.engine.forget(relation);
        Ok(())
    }

    pub(super) async fn alter_table(&self, alter: AlterTable) -> Result<()> {
        let relation = self.table(&alter.name).await?;
        for operation in &alter.operations {
            match operation {
                AlterTableOperation::RenameTable { table_name } => {
                    let (RenameTableNameKind::To(name) | RenameTableNameKind::As(name)) = table_name;
                    return self.rename(&relation, name).await;
                }
                other => {
                    let columns = self.altered(&relation, other).await?;
                    self.rewrite(&relation, &format!("select {columns} from {}", relation.render())).await?;
                }
            }
        }
        Ok(())
    }

    /// The new name appears with all rows before the old one goes.
    async fn rename(&self, from: &Relation, name: &ObjectName) -> Result<()> {
        let mut to = self.relation(name).await?;
        if name.0.len() == 1 {
            to.schema.clone_from(&from.schema);
        }
        self.rewrite(&to, &format!("select * from {}", from.render())).await?;
        self.remove(from).await
    }

    /// The columns of a table after an operation on one of them.
    async fn altered(&self, relation: &Relation, operation: &AlterTableOperation) -> Result<String> {
        let schema = self.engine.schema_of(relation).await?;
        let names = schema.iter().flat_map(|schema| schema.fields().iter()).map(|field| field.name().clone());
        let names: Vec<String> = names.collect();
        let columns: Vec<String> = match operation {
            AlterTableOperation::AddColumn { column_def, if_not_exists, .. } => {
                let added = &column_def.name.value;
                let known = names.iter().any(|name| name.eq_ignore_ascii_case(added));
                if known && !if_not_exists {
                    return Err(Diagnostic::error(codes::SQL_PLAN, format!("`{relation}` has a column `{added}`")));
                }
                let new = format!("cast(null as {}) as {}", column_def.data_type, quote(added));
                names.iter().map(|name| quote(name)).chain((!known).then_some(new)).collect()
            }
            AlterTableOperation::DropColumn { column_names, .. } => {
                let gone = |name: &String| column_names.iter().any(|other| other.value.eq_ignore_ascii_case(name));
                names.iter().filter(|name| !gone(name)).map(|name| quote(name)).collect()
            }
            AlterTableOperation::RenameColumn { old_column_name, new_column_name } => {
                let renamed = |name: &String| match name.eq_ignore_ascii_case(&old_column_name.value) {
                    true => format!("{} as {}", quote(name), quote(&new_column_name.value)),
                    false => quote(name),
                };
                names.iter().map(renamed).collect()
            }
            other => {
                return Err(Diagnostic::error(codes::SQL_PLAN, format!("`alter table ... {other}` is not supported"))
                    .help("columns can be added, dropped and renamed, and tables renamed"));
            }
        };
        Ok(columns.join(", "))
    }
}
