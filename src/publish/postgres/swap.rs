//! What follows a load: key and indexes, grants, and the new table's way to its name.

use std::time::{Duration, Instant};

use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Executor, Row};

use super::super::place::Place;
use super::super::shape::Shape;
use super::super::statement::quoted;
use super::config::PostgresConfig;
use super::failure::{Failure, judge, state};
use super::load::Longest;
use super::table::{Old, Table, short};
use crate::diag::codes;

/// How long one try to get hold of the table lasts. Whoever comes after us waits as long, so it is short.
const PATIENCE: Duration = Duration::from_secs(2);

/// The loaded table, on its way.
pub(super) struct Swap<'a> {
    pub(super) config: &'a PostgresConfig,
    pub(super) place: &'a Place,
    pub(super) shape: &'a Shape,
    pub(super) table: &'a Table,
}

impl Swap<'_> {
    async fn execute(&self, sql: String, connection: &mut PgConnection) -> Result<(), Failure> {
        connection.execute(AssertSqlSafe(sql)).await.map(drop).map_err(|error| judge(self.place, &error))
    }

    /// Adds the key and the indexes to the loaded table, and lets the planner have a look at it.
    pub(super) async fn add_indexes(&self, longest: &Longest, connection: &mut PgConnection) -> Result<(), Failure> {
        let new = self.table.new_name();
        if !self.shape.key.is_empty() {
            let name = quoted(&short(&self.table.new, "_pkey"), '"');
            let sql = format!("alter table {new} add constraint {name} primary key ({})", self.names(&self.shape.key));
            self.add_index("the key", sql, &self.shape.key, longest, connection).await?;
        }
        for (number, index) in self.shape.indexes.iter().enumerate() {
            let name = quoted(&short(&self.table.new, &format!("_ix{}", number + 1)), '"');
            let columns = self.names(index);
            let sql = format!("create index {name} on {new} ({columns})");
            self.add_index(&format!("the index on {columns}"), sql, index, longest, connection).await?;
        }
        self.execute(format!("analyze {new}"), connection).await
    }

    async fn add_index(
        &self,
        what: &str,
        sql: String,
        columns: &[usize],
        longest: &Longest,
        connection: &mut PgConnection,
    ) -> Result<(), Failure> {
        let error = match connection.execute(AssertSqlSafe(sql)).await {
            Ok(_) => return Ok(()),
            Err(error) => error,
        };
        let long = longest.of(columns).filter(|_| state(&error).as_deref() == Some("54000"));
        let Some((at, value)) = long else { return Err(judge(self.place, &error)) };
        let problem = format!(
            "column `{}` holds {}, which is too long for {what}: {} bytes",
            self.shape.fields[at].name, value.shown, value.bytes
        );
        let help = "take a shorter column, such as a number or a hash of the text; PostgreSQL's indexes end at 2704 bytes a row";
        Err(self.place.unfit(problem).note(value.whereabouts.clone()).help(help).into())
    }

    fn names(&self, positions: &[usize]) -> String {
        positions.iter().map(|at| quoted(&self.shape.fields[*at].name, '"')).collect::<Vec<_>>().join(", ")
    }

    /// Gives the loaded table the rights, the owner and the comments of the old one.
    pub(super) async fn inherit(&self, old: &Old, connection: &mut PgConnection) -> Result<(), Failure> {
        let failed = |error: sqlx::Error| judge(self.place, &error);
        let (new, oid) = (self.table.new_name(), old.oid);
        // The name is text inside of these queries; the answers are statements.
        let text = format!("'{}'", new.replace('\'', "''"));
        let grantee = "case a.grantee when 0 then 'public' else quote_ident(pg_get_userbyid(a.grantee)) end";
        let option = "case when a.is_grantable then ' with grant option' else '' end";
        let sql = format!(
            "select 1, 'revoke all on ' || {text} || ' from ' || {grantee} \
             from pg_class c, aclexplode(c.relacl) a where c.oid = {text}::regclass and a.grantee <> c.relowner \
             union select 2, 'grant ' || a.privilege_type || ' on ' || {text} || ' to ' || {grantee} || {option} \
             from pg_class c, aclexplode(c.relacl) a where c.oid = {oid} and a.grantee <> c.relowner \
             union select 2, 'grant ' || a.privilege_type || ' (' || quote_ident(t.attname) || ') on ' || {text} || ' to ' \
               || {grantee} || {option} \
             from pg_attribute t join pg_attribute n on n.attrelid = {text}::regclass and n.attname = t.attname, \
               aclexplode(t.attacl) a where t.attrelid = {oid} and not t.attisdropped \
             union select 3, 'comment on table ' || {text} || ' is ' || quote_literal(obj_description({oid}, 'pg_class')) \
             union select 3, 'comment on column ' || {text} || '.' || quote_ident(t.attname) || ' is ' \
               || quote_literal(col_description({oid}, t.attnum)) \
             from pg_attribute t join pg_attribute n on n.attrelid = {text}::regclass and n.attname = t.attname \
             where t.attrelid = {oid} and not t.attisdropped order by 1"
        );
        let mut statements = Vec::new();
        for row in sqlx::query(AssertSqlSafe(sql)).fetch_all(&mut *connection).await.map_err(failed)? {
            statements.extend(row.try_get::<Option<String>, _>(1).map_err(failed)?);
        }
        if !old.ours {
            statements.push(format!("alter table {new} owner to {}", quoted(&old.owner, '"')));
        }
        for statement in statements {
            self.execute(statement, connection).await?;
        }
        Ok(())
    }

    /// The new table takes the name; the old one goes. Readers see one or the other, by the commit that follows.
    pub(super) async fn swap(&self, old: Option<&Old>, connection: &mut PgConnection) -> Result<(), Failure> {
        if let Some(old) = old {
            self.hold(old, connection).await?;
            self.execute(format!("drop table {}", self.table.sql_name()), connection).await?;
        }
        let name = quoted(&self.table.name, '"');
        self.execute(format!("alter table {} rename to {name}", self.table.new_name()), connection).await?;
        let mut suffixes: Vec<String> = (1..=self.shape.indexes.len()).map(|number| format!("_ix{number}")).collect();
        if !self.shape.key.is_empty() {
            suffixes.push("_pkey".to_string());
        }
        for suffix in suffixes {
            let (from, to) = (short(&self.table.new, &suffix), short(&self.table.name, &suffix));
            // A name that somebody else's relation has costs us the nice name, not the publish.
            if !self.is_taken(&to, connection).await.map_err(|error| judge(self.place, &error))? {
                let schema = quoted(&self.table.schema, '"');
                let sql = format!("alter index {schema}.{} rename to {}", quoted(&from, '"'), quoted(&to, '"'));
                self.execute(sql, connection).await?;
            }
        }
        Ok(())
    }

    async fn is_taken(&self, name: &str, connection: &mut PgConnection) -> Result<bool, sqlx::Error> {
        let sql = "select count(*) from pg_class c join pg_namespace n on n.oid = c.relnamespace \
                   where n.nspname = $1 and c.relname = $2";
        let row = sqlx::query(sql).bind(&self.table.schema).bind(name).fetch_one(connection).await?;
        Ok(row.try_get::<i64, _>(0)? > 0)
    }

    /// Locks the old table against everybody. Between short tries those who queued behind us get their turn.
    async fn hold(&self, old: &Old, connection: &mut PgConnection) -> Result<(), Failure> {
        let started = Instant::now();
        loop {
            let left =
                self.config.lock_timeout.saturating_sub(started.elapsed()).clamp(Duration::from_millis(1), PATIENCE);
            let sql = format!(
                "savepoint hold; set local lock_timeout = {}; lock table {} in access exclusive mode",
                left.as_millis(),
                self.table.sql_name()
            );
            match connection.execute(AssertSqlSafe(sql)).await {
                Ok(_) => break,
                Err(error) if state(&error).as_deref() == Some("55P03") => {
                    self.execute("rollback to savepoint hold".to_string(), connection).await?;
                }
                Err(error) => return Err(judge(self.place, &error)),
            }
            if started.elapsed() >= self.config.lock_timeout {
                let problem = "the new table is loaded, but clients with open transactions keep hold of the old one";
                let help = "end long transactions on it (see pg_stat_activity), or set a longer `lock_timeout`";
                return Err(self.place.failed(codes::PUBLISH_FAILED, problem).help(help).into());
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        let sql = format!(
            "select count(*) from pg_class where oid = {} and oid = '{}'::regclass",
            old.oid,
            self.table.sql_name().replace('\'', "''")
        );
        let row = sqlx::query(AssertSqlSafe(sql)).fetch_one(connection).await;
        match row.and_then(|row| row.try_get::<i64, _>(0)).map_err(|error| judge(self.place, &error))? {
            1 => Ok(()),
            _ => {
                let problem = "somebody else replaced the table meanwhile";
                Err(Failure::Passing(self.place.failed(codes::PUBLISH_FAILED, problem)))
            }
        }
    }
}
