//! `merge into` and `update ... from`: what becomes of a row depends on rows of another table.
//!
//! A merge is four queries in one: rows that no clause touches, rows that `when matched` updates, rows that `when not
//! matched by source` updates, rows that `when not matched` inserts. Which clause of several takes a row is said in each
//! of them: the first whose condition is true. A source that is no plain table is staged first, so that all four see the
//! same rows of it.

use datafusion::sql::sqlparser::ast::{
    Assignment, Expr, Ident, Merge, MergeAction, MergeClause, MergeClauseKind, MergeInsertExpr, MergeInsertKind,
    ObjectName, TableFactor, TableWithJoins, Update, UpdateTableFromKind,
};

use super::Executor;
use super::names::{Target, sets};
use crate::diag::{Diagnostic, Result, codes};
use crate::node::{Relation, quote};
use crate::warehouse::staging;

/// A number of each row of the target, while it is changed.
const ROW: &str = "__c360_row";

impl Executor<'_> {
    /// Updates, deletes and inserts rows as a source says.
    pub(super) async fn merge(&self, merge: Merge) -> Result<()> {
        let TableFactor::Table { name, alias, .. } = &merge.table else {
            return Err(Diagnostic::error(codes::SQL_PLAN, "`merge into` changes one table, named directly"));
        };
        if merge.output.is_some() {
            return Err(Diagnostic::error(
                codes::SQL_PLAN,
                "`merge into` gives no rows back: leave out its last clause",
            ));
        }
        let relation = self.table(name).await?;
        let target = Target::new(&relation, name, alias.as_ref().map(|alias| &alias.name));
        let staged = self.staged_source(&relation, &merge.source).await?;
        let source = match &staged {
            Some((relation, alias)) => format!("{} as {alias}", relation.render()),
            None => merge.source.to_string(),
        };
        let done = self.merge_from(&merge, &target, &source).await;
        if let Some((relation, _)) = staged {
            self.drop_quietly(&relation).await;
        }
        done
    }

    async fn merge_from(&self, merge: &Merge, target: &Target<'_>, source: &str) -> Result<()> {
        let columns = self.column_types(target.relation).await?;
        let parts = Parts::new(merge, target, source, &columns)?;
        if let Some(twice) = parts.matched_twice() {
            self.once_each(target.relation, &twice).await?;
        }
        self.rewrite(target.relation, &parts.query()).await
    }

    /// The rows of a source that is no plain table, in a table of their own; and its name in the statement.
    async fn staged_source(&self, relation: &Relation, source: &TableFactor) -> Result<Option<(Relation, Ident)>> {
        let alias = match source {
            TableFactor::Derived { alias: Some(alias), .. } => alias.name.clone(),
            _ => return Ok(None),
        };
        let staged = staging(relation);
        self.rewrite(&staged, &format!("select * from {source}")).await?;
        Ok(Some((staged, alias)))
    }

    /// Fails if `query`, which looks for rows that are to be changed twice, finds one.
    async fn once_each(&self, relation: &Relation, query: &str) -> Result<()> {
        match self.any_row(relation, query).await? {
            false => Ok(()),
            true => Err(Diagnostic::error(
                codes::DUPLICATE_MERGE_KEY,
                format!("several rows of the source match one row of `{relation}`"),
            )
            .help("make the source of the merge give one row a key: `qualify row_number() over (...) = 1`")),
        }
    }

    /// Gives columns new values from rows of other tables. If several fit, one of them counts, as in Postgres.
    pub(super) async fn update_from(&self, update: &Update, from: &UpdateTableFromKind) -> Result<()> {
        let (UpdateTableFromKind::BeforeSet(from) | UpdateTableFromKind::AfterSet(from)) = from;
        let TableWithJoins { relation: TableFactor::Table { name, alias, .. }, joins } = &update.table else {
            return Err(Diagnostic::error(codes::SQL_PLAN, "`update` changes one table, named directly"));
        };
        if !joins.is_empty() {
            return Err(Diagnostic::error(codes::SQL_PLAN, "`update` changes one table: join others in its `from`"));
        }
        let relation = self.table(name).await?;
        let target = Target::new(&relation, name, alias.as_ref().map(|alias| &alias.name));
        let columns = self.column_types(&relation).await?;
        let condition = update.selection.as_ref().map_or_else(|| "true".into(), |expr| target.text(expr));
        let from = from.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        let assigned = target.assigned(&columns, &update.assignments)?;
        let names = columns.iter().map(|(name, _)| quote(name)).collect::<Vec<_>>().join(", ");
        let sql = format!(
            "select {own} from {plain} where not exists (select 1 from {from} where {condition})\nunion all\n\
             select {names} from (select {assigned}, row_number() over (partition by {alias}.{ROW}) as __c360_nth \
             from {numbered}, {from} where {condition}) as changed where __c360_nth = 1",
            own = target.own(&columns),
            plain = target.plain(),
            alias = target.alias,
            numbered = target.numbered(),
        );
        self.rewrite(&relation, &sql).await
    }
}

impl Target<'_> {
    /// The table with a number for each row.
    fn numbered(&self) -> String {
        format!("(select *, row_number() over () as {ROW} from {}) as {}", self.relation.render(), self.alias)
    }

    /// Every column with the value that `assignments` gives it, or its own.
    fn assigned(&self, columns: &[(String, String)], assignments: &[Assignment]) -> Result<String> {
        let has = |assignment: &&Assignment| columns.iter().any(|(name, _)| sets(assignment, name));
        if let Some(unknown) = assignments.iter().find(|assignment| !has(assignment)) {
            let message = format!("`{}` has no column `{}`", self.relation, unknown.target);
            return Err(Diagnostic::error(codes::COLUMN_NOT_FOUND, message));
        }
        let value = |(name, data_type): &(String, String)| match assignments.iter().find(|one| sets(one, name)) {
            Some(found) => format!("arrow_cast({}, '{data_type}') as {}", self.text(&found.value), quote(name)),
            None => format!("{}.{name} as {name}", self.alias, name = quote(name)),
        };
        Ok(columns.iter().map(value).collect::<Vec<_>>().join(", "))
    }

    /// Every column as it is.
    fn own(&self, columns: &[(String, String)]) -> String {
        columns.iter().map(|(name, _)| format!("{}.{}", self.alias, quote(name))).collect::<Vec<_>>().join(", ")
    }
}

/// One clause of a merge, with the condition under which it and no earlier one of its kind takes a row.
struct Clause<'a> {
    takes: String,
    action: &'a MergeAction,
}

/// The clauses of one kind, and the condition under which any of them takes a row.
struct Family<'a> {
    clauses: Vec<Clause<'a>>,
    any: String,
}

impl<'a> Family<'a> {
    fn new(merge: &'a Merge, target: &Target<'_>, is_kind: impl Fn(&MergeClauseKind) -> bool) -> Family<'a> {
        let mut family = Family { clauses: Vec::new(), any: "false".into() };
        let mut earlier: Vec<String> = Vec::new();
        for MergeClause { predicate, action, clause_kind, .. } in &merge.clauses {
            if !is_kind(clause_kind) {
                continue;
            }
            let own = predicate.as_ref().map_or_else(|| "true".to_string(), |expr| format!("({})", target.text(expr)));
            let not = earlier.iter().map(|other| format!(" and {other} is not true")).collect::<String>();
            family.clauses.push(Clause { takes: format!("{own}{not}"), action });
            earlier.push(own);
        }
        if !earlier.is_empty() {
            family.any = format!("({})", earlier.join(" or "));
        }
        family
    }

    fn is_empty(&self) -> bool {
        self.clauses.is_empty()
    }
}

/// A merge, taken apart.
struct Parts<'a> {
    target: &'a Target<'a>,
    source: &'a str,
    on: String,
    columns: &'a [(String, String)],
    matched: Family<'a>,
    not_matched: Family<'a>,
    left_over: Family<'a>,
    /// The queries of rows that change or come.
    changes: Vec<String>,
}

impl<'a> Parts<'a> {
    fn new(
        merge: &'a Merge,
        target: &'a Target<'a>,
        source: &'a str,
        columns: &'a [(String, String)],
    ) -> Result<Parts<'a>> {
        use MergeClauseKind::{Matched, NotMatched, NotMatchedBySource, NotMatchedByTarget};
        let mut parts = Parts {
            target,
            source,
            on: target.text(&merge.on),
            columns,
            matched: Family::new(merge, target, |kind| *kind == Matched),
            not_matched: Family::new(merge, target, |kind| matches!(kind, NotMatched | NotMatchedByTarget)),
            left_over: Family::new(merge, target, |kind| *kind == NotMatchedBySource),
            changes: Vec::new(),
        };
        parts.collect()?;
        Ok(parts)
    }

    fn collect(&mut self) -> Result<()> {
        let (plain, source, on) = (self.target.plain(), self.source, &self.on);
        let mut changes = Vec::new();
        for clause in &self.matched.clauses {
            if let Some(rows) = self.updated(clause)? {
                changes.push(format!("select {rows} from {plain} join {source} on {on} where {}", clause.takes));
            }
        }
        for clause in &self.left_over.clauses {
            if let Some(rows) = self.updated(clause)? {
                let alone = format!("not exists (select 1 from {source} where {on})");
                changes.push(format!("select {rows} from {plain} where {alone} and {}", clause.takes));
            }
        }
        for clause in &self.not_matched.clauses {
            let MergeAction::Insert(insert) = clause.action else {
                return Err(Diagnostic::error(
                    codes::SQL_PLAN,
                    "`when not matched` inserts rows, and does nothing else",
                ));
            };
            let rows = self.inserted(insert)?;
            let new = format!("not exists (select 1 from {plain} where {on})");
            changes.push(format!("select {rows} from {source} where {new} and {}", clause.takes));
        }
        self.changes = changes;
        Ok(())
    }

    /// The columns of rows that a clause updates; none if it deletes them.
    fn updated(&self, clause: &Clause<'_>) -> Result<Option<String>> {
        match clause.action {
            MergeAction::Delete { .. } => Ok(None),
            MergeAction::Update(update) if update.update_predicate.is_none() && update.delete_predicate.is_none() => {
                self.target.assigned(self.columns, &update.assignments).map(Some)
            }
            MergeAction::Update(_) => {
                Err(Diagnostic::error(codes::SQL_PLAN, "`update ... where` in a merge is not supported")
                    .help("write the condition into the clause: `when matched and ... then update`"))
            }
            MergeAction::Insert(_) => {
                Err(Diagnostic::error(codes::SQL_PLAN, "only `when not matched` inserts rows in a merge"))
            }
        }
    }

    /// The columns of rows that a clause inserts.
    fn inserted(&self, insert: &MergeInsertExpr) -> Result<String> {
        let MergeInsertKind::Values(values) = &insert.kind else {
            return Err(Diagnostic::error(codes::SQL_PLAN, "`insert row` in a merge is not supported")
                .help("name the columns and their values: `insert (a, b) values (s.a, s.b)`"));
        };
        let [values] = values.rows.as_slice() else {
            return Err(Diagnostic::error(codes::SQL_PLAN, "a merge inserts one row of values at a time"));
        };
        let values: Vec<&Expr> = values.content.iter().collect();
        let named = inserted_columns(insert, self.columns);
        let has = |name: &&String| self.columns.iter().any(|(own, _)| own.eq_ignore_ascii_case(name));
        if let Some(unknown) = named.iter().find(|name| !has(name)) {
            let message = format!("`{}` has no column `{unknown}`", self.target.relation);
            return Err(Diagnostic::error(codes::COLUMN_NOT_FOUND, message));
        }
        if named.len() != values.len() {
            return Err(Diagnostic::error(
                codes::SQL_PLAN,
                format!(
                    "{} values are inserted into {} columns of `{}`",
                    values.len(),
                    named.len(),
                    self.target.relation
                ),
            ));
        }
        let value = |(name, data_type): &(String, String)| {
            let place = named.iter().position(|other| other.eq_ignore_ascii_case(name));
            let text = place.map_or_else(|| "null".to_string(), |place| values[place].to_string());
            format!("arrow_cast({text}, '{data_type}') as {}", quote(name))
        };
        Ok(self.columns.iter().map(value).collect::<Vec<_>>().join(", "))
    }

    /// A query for rows of the target that several rows of the source would change; none if nothing can.
    fn matched_twice(&self) -> Option<String> {
        let (numbered, alias) = (self.target.numbered(), &self.target.alias);
        (!self.matched.is_empty()).then(|| {
            format!(
                "select {alias}.{ROW} from {numbered} join {} on {} where {} group by {alias}.{ROW} having count(*) > 1",
                self.source, self.on, self.matched.any
            )
        })
    }

    /// All rows of the target afterwards.
    fn query(&self) -> String {
        let (source, on) = (self.source, &self.on);
        let mut stays = Vec::new();
        if !self.matched.is_empty() {
            stays.push(format!("not exists (select 1 from {source} where ({on}) and {})", self.matched.any));
        }
        if !self.left_over.is_empty() {
            let found = format!("exists (select 1 from {source} where {on})");
            stays.push(format!("({found} or {} is not true)", self.left_over.any));
        }
        let stays = if stays.is_empty() { String::new() } else { format!(" where {}", stays.join(" and ")) };
        let kept = format!("select {} from {}{stays}", self.target.own(self.columns), self.target.plain());
        std::iter::once(kept).chain(self.changes.iter().cloned()).collect::<Vec<_>>().join("\nunion all\n")
    }
}

/// The columns that an insert names; all, if it names none.
fn inserted_columns(insert: &MergeInsertExpr, columns: &[(String, String)]) -> Vec<String> {
    let last = |name: &ObjectName| Some(name.0.last()?.as_ident()?.value.clone());
    match insert.columns.is_empty() {
        true => columns.iter().map(|(name, _)| name.clone()).collect(),
        false => insert.columns.iter().filter_map(last).collect(),
    }
}
