//! Statements that change the warehouse: what hooks, operations and queries of templates run besides queries.
//!
//! The warehouse knows one way of changing a table: a query whose rows become its next version, in one Delta commit. So
//! each statement is respelled as such a query: `delete` keeps the rows that it does not delete, `update` is a `case`
//! in every column that it sets, `alter table` is another list of columns, `merge` is all of these at once. There are no transactions over several
//! statements; `begin` and `commit` are accepted and do nothing.

mod change;
mod define;
mod insert;
mod merge;
mod names;
#[cfg(test)]
mod tests;
mod trail;

use std::borrow::Cow;
use std::sync::{Arc, LazyLock};

use datafusion::execution::SendableRecordBatchStream;
use datafusion::sql::sqlparser::ast::{ObjectName, Statement as Sql};
use regex::Regex;

use crate::diag::{Diagnostic, Result, SourceFile, codes};
use crate::engine::sql::{Statement, parse_file, split};
use crate::engine::{Engine, Meter};
use crate::node::Relation;
use crate::warehouse::{Base, Commit, Stored};

pub use trail::Trail;

/// What the execution of a statement needs.
pub struct Executor<'a> {
    /// The engine.
    pub engine: &'a Engine,
    /// The session.
    pub meter: &'a Meter,
    /// What goes into the log of tables that are changed.
    pub commit: Commit,
    /// What the statements leave behind.
    pub trail: &'a Trail,
}

impl Executor<'_> {
    /// Runs the statements of `text`, one after the other; `name` is what messages call it. Rows of the last one, if
    /// it is a query.
    ///
    /// # Errors
    /// The first that fails; what ran before it stays.
    pub async fn run(&self, name: &str, text: &str) -> Result<Option<SendableRecordBatchStream>> {
        let mut last = None;
        for statement in split(&SourceFile::new(name, respelled(text)))? {
            let file = SourceFile::new(name, statement);
            if let Some(rows) = last.replace(self.one(&file).await?).flatten() {
                drain(rows).await?;
            }
        }
        Ok(last.flatten())
    }

    /// Runs one statement; the rows of a query are still to be read.
    ///
    /// # Errors
    /// C4001 to C4006 for a statement that cannot be read or planned, C4002 for one that there is no way to do here, and
    /// what its execution fails with.
    pub async fn one(&self, file: &Arc<SourceFile>) -> Result<Option<SendableRecordBatchStream>> {
        let Statement::Statement(statement) = parse_file(file)? else {
            return self.engine.query(&self.meter.state, file).await.map(Some);
        };
        if matches!(*statement, Sql::Query(_) | Sql::Explain { .. } | Sql::ExplainTable { .. }) {
            return self.engine.query(&self.meter.state, file).await.map(Some);
        }
        // What reads a table and replaces it has to be alone with it.
        let _alone = self.engine.changes.lock().await;
        self.change(*statement).await.map(|()| None)
    }

    async fn change(&self, statement: Sql) -> Result<()> {
        match statement {
            Sql::Insert(insert) => self.insert(insert).await,
            Sql::Delete(delete) => self.delete(delete).await,
            Sql::Update(update) => self.update(update).await,
            Sql::Truncate(truncate) => self.truncate(truncate).await,
            Sql::Merge(merge) => self.merge(merge).await,
            Sql::CreateTable(table) => self.create_table(table).await,
            Sql::CreateView(view) => self.create_view(view).await,
            Sql::AlterTable(alter) => self.alter_table(alter).await,
            Sql::Drop { object_type, if_exists, names, .. } => self.drop_all(object_type, if_exists, &names).await,
            // Schemas are folders that appear with their first table, and every statement is its own transaction.
            Sql::CreateSchema { .. } | Sql::StartTransaction { .. } | Sql::Commit { .. } => Ok(()),
            // What a database keeps to be faster, or to be read about: a Delta table has it already, or needs it not.
            Sql::CreateIndex(_) | Sql::Comment { .. } | Sql::Analyze { .. } => {
                tracing::info!("nothing to do for: {statement}");
                Ok(())
            }
            other => {
                let text = other.to_string();
                let words: Vec<&str> = text.split_whitespace().take(2).collect();
                Err(Diagnostic::error(
                    codes::SQL_PLAN,
                    format!("`{}` is not supported", words.join(" ").to_lowercase()),
                )
                .help("c360 runs insert, update, delete, merge, truncate, create, alter and drop of tables and views"))
            }
        }
    }

    /// The relation that `name` means, in the spelling under which it is stored.
    async fn relation(&self, name: &ObjectName) -> Result<Relation> {
        let parts: Vec<String> =
            name.0.iter().filter_map(|part| part.as_ident()).map(|ident| ident.value.clone()).collect();
        let relation = self.engine.relation(&parts).ok_or_else(|| {
            Diagnostic::error(codes::TABLE_NOT_FOUND, format!("`{name}` is no place in the warehouse"))
        })?;
        self.engine.warehouse.spelled(&relation).await
    }

    /// The relation that `name` means, which has to be a table.
    async fn table(&self, name: &ObjectName) -> Result<Relation> {
        let relation = self.relation(name).await?;
        match self.engine.warehouse.load(&relation).await? {
            Some(Stored::Table(_)) => Ok(relation),
            Some(Stored::View(_)) => Err(Diagnostic::error(
                codes::SQL_PLAN,
                format!("`{relation}` is a view, and its rows cannot be changed"),
            )),
            None => Err(Diagnostic::error(codes::TABLE_NOT_FOUND, format!("table `{relation}` not found"))),
        }
    }

    /// Rows of `sql` become the next version of `relation`.
    async fn rewrite(&self, relation: &Relation, sql: &str) -> Result<()> {
        self.write(relation, sql, false).await
    }

    async fn write(&self, relation: &Relation, sql: &str, append: bool) -> Result<()> {
        let file = SourceFile::new(format!("statement on {relation}"), sql);
        let state = &self.meter.state;
        // The rows are computed from this version, and may only replace it.
        let base = Base::of(self.engine.warehouse.load(relation).await?.as_ref());
        self.engine.forget(relation);
        let plan = self.engine.plan(state, &file).await?;
        let physical = self.engine.physical(state, &plan).await?;
        let warehouse = &self.engine.warehouse;
        let progress = Default::default();
        let written = if append {
            warehouse.append(state, relation, physical, &progress, &self.commit).await?
        } else {
            warehouse.overwrite_on(base, state, relation, physical, &progress, &self.commit).await?
        };
        self.trail.wrote(written.rows);
        self.engine.forget(relation);
        Ok(())
    }

    /// True if `query` gives any row.
    async fn any_row(&self, relation: &Relation, query: &str) -> Result<bool> {
        use futures::TryStreamExt;
        let file = SourceFile::new(format!("statement on {relation}"), format!("{query} limit 1"));
        let mut rows = self.engine.query(&self.meter.state, &file).await?;
        while let Some(batch) = rows.try_next().await.map_err(|error| crate::engine::execution_error(&error))? {
            if batch.num_rows() > 0 {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Removes a relation that was needed for a while; that this fails is no reason to fail.
    async fn drop_quietly(&self, relation: &Relation) {
        if let Err(error) = self.engine.warehouse.drop_relation(relation).await {
            tracing::warn!("staged rows were left behind: {error}");
        }
        self.engine.forget(relation);
    }
}

/// `alter view a rename to b` as the parser knows it: of a table.
fn respelled(text: &str) -> Cow<'_, str> {
    static RENAMED: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(r"(?i)\balter\s+view(\s+(?:if\s+exists\s+)?[^\s;]+\s+rename\s+to\b)").ok());
    match &*RENAMED {
        Some(pattern) => pattern.replace_all(text, "alter table$1"),
        None => Cow::Borrowed(text),
    }
}

/// Reads rows that nobody wants, for what reading them does.
///
/// # Errors
/// What the query fails with.
pub async fn drain(mut rows: SendableRecordBatchStream) -> Result<()> {
    use futures::TryStreamExt;
    while rows.try_next().await.map_err(|error| crate::engine::execution_error(&error))?.is_some() {}
    Ok(())
}
