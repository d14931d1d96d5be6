//! `create`, `alter` and `drop`.

use datafusion::sql::sqlparser::ast::{
    AlterColumnOperation, AlterTable, AlterTableOperation, CreateTable, CreateView, ObjectName, ObjectType,
    RenameTableNameKind,
};

use super::Executor;
use super::trail::TEMPORARY;
use crate::diag::{Diagnostic, Result, SourceFile, codes};
use crate::node::{Relation, quote};
use crate::warehouse::{Commit, Profiling, Stored, View};

impl Executor<'_> {
    pub(super) async fn create_table(&self, table: CreateTable) -> Result<()> {
        let relation = self.relation(&table.name).await?;
        let replaces = table.or_replace || table.temporary && self.is_left_behind(&relation).await?;
        if !self.may_create(&relation, table.if_not_exists, replaces).await? {
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
        if !table.temporary {
            return self.rewrite(&relation, &sql).await;
        }
        let commit = Commit { node: TEMPORARY.into(), ..self.commit.clone().profiled(Profiling::Off) };
        Executor { commit, ..*self }.rewrite(&relation, &sql).await?;
        self.trail.made_temporary(relation);
        Ok(())
    }

    /// True for a temporary table of a process that is gone, or of an earlier statement.
    async fn is_left_behind(&self, relation: &Relation) -> Result<bool> {
        let newest = self.engine.warehouse.history(relation, 1).await?;
        Ok(newest.iter().flatten().any(|commit| commit.node.as_deref() == Some(TEMPORARY)))
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
        if let [AlterTableOperation::RenameTable { table_name }] = alter.operations.as_slice() {
            let (RenameTableNameKind::To(name) | RenameTableNameKind::As(name)) = table_name;
            let from = self.relation(&alter.name).await?;
            let mut to = self.relation(name).await?;
            if name.0.len() == 1 {
                to.schema.clone_from(&from.schema);
                to = self.engine.warehouse.spelled(&to).await?;
            }
            return self.rename(&from, &to).await;
        }
        let relation = self.table(&alter.name).await?;
        let schema = self.engine.schema_of(&relation).await?;
        let names = schema.iter().flat_map(|schema| schema.fields().iter()).map(|field| field.name());
        let mut columns: Vec<Column> = names.map(|name| (name.clone(), quote(name))).collect();
        for operation in &alter.operations {
            altered(&relation, &mut columns, operation)?;
        }
        let columns = columns.iter().map(|(name, value)| format!("{value} as {}", quote(name)));
        let columns = columns.collect::<Vec<_>>().join(", ");
        self.rewrite(&relation, &format!("select {columns} from {}", relation.render())).await
    }

    /// Gives a table or view another name, under which there must be nothing.
    ///
    /// # Errors
    /// C4006 if `from` is not there, C4002 if `to` is.
    pub async fn rename(&self, from: &Relation, to: &Relation) -> Result<()> {
        if self.engine.warehouse.load(to).await?.is_some() {
            return Err(Diagnostic::error(
                codes::SQL_PLAN,
                format!("`{from}` cannot be renamed: `{to}` exists already"),
            ));
        }
        match self.engine.warehouse.load(from).await? {
            None => Err(Diagnostic::error(codes::TABLE_NOT_FOUND, format!("`{from}` not found"))),
            Some(Stored::View(view)) => {
                self.engine.warehouse.put_view(to, &view).await?;
                self.engine.forget(to);
                self.remove(from).await
            }
            Some(Stored::Table(_)) => self.rename_table(from, to).await,
        }
    }

    /// A local folder gets another name in one step. Elsewhere the new name appears with all rows before the old one
    /// goes.
    async fn rename_table(&self, from: &Relation, to: &Relation) -> Result<()> {
        if !self.engine.warehouse.move_table(from, to)? {
            self.rewrite(to, &format!("select * from {}", from.render())).await?;
            return self.remove(from).await;
        }
        self.engine.forget(from);
        self.engine.forget(to);
        Ok(())
    }
}

/// A column: its name, and what its value is made from.
type Column = (String, String);

/// Changes the columns of a table as `operation` says.
fn altered(relation: &Relation, columns: &mut Vec<Column>, operation: &AlterTableOperation) -> Result<()> {
    let refuse = |message: String| Err(Diagnostic::error(codes::SQL_PLAN, message));
    let place = |columns: &[Column], wanted: &str| {
        columns
            .iter()
            .position(|(name, _)| name.eq_ignore_ascii_case(wanted))
            .ok_or_else(|| Diagnostic::error(codes::COLUMN_NOT_FOUND, format!("`{relation}` has no column `{wanted}`")))
    };
    match operation {
        AlterTableOperation::AddColumn { column_def, if_not_exists, .. } => {
            let added = &column_def.name.value;
            match place(columns, added) {
                Ok(_) if *if_not_exists => {}
                Ok(_) => return refuse(format!("`{relation}` has a column `{added}`")),
                Err(_) => columns.push((added.clone(), format!("cast(null as {})", column_def.data_type))),
            }
        }
        AlterTableOperation::DropColumn { column_names, if_exists, .. } => {
            for name in column_names {
                match place(columns, &name.value) {
                    Ok(at) => drop(columns.remove(at)),
                    Err(_) if *if_exists => {}
                    Err(error) => return Err(error),
                }
            }
        }
        AlterTableOperation::RenameColumn { old_column_name, new_column_name } => {
            let at = place(columns, &old_column_name.value)?;
            columns[at].0.clone_from(&new_column_name.value);
        }
        AlterTableOperation::AlterColumn {
            column_name,
            op: AlterColumnOperation::SetDataType { data_type, using, .. },
        } => {
            let at = place(columns, &column_name.value)?;
            let value = using.as_ref().map_or_else(|| columns[at].1.clone(), ToString::to_string);
            columns[at].1 = format!("cast({value} as {data_type})");
        }
        other => {
            return Err(Diagnostic::error(codes::SQL_PLAN, format!("`alter table ... {other}` is not supported"))
                .help("columns can be added, dropped, renamed and given another type, and tables renamed"));
        }
    }
    Ok(())
}
