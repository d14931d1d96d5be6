//! Names, the advisory lock, what is there already, and the new table.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Executor, Row};

use super::super::place::Place;
use super::super::shape::{FieldShape, Shape};
use super::super::statement::{name_parts, quoted};
use super::config::PostgresConfig;
use super::failure::{Failure, judge, state};
use super::types::NAME_LIMIT;
use crate::diag::{Result, codes};

/// A table and the names that a replacement of it uses.
#[derive(Debug, Clone)]
pub(super) struct Table {
    pub(super) schema: String,
    pub(super) name: String,
    /// The table that is loaded.
    pub(super) new: String,
    /// The advisory lock.
    pub(super) lock: i64,
}

/// The table that has the name already.
#[derive(Debug, Clone)]
pub(super) struct Old {
    pub(super) oid: i64,
    pub(super) owner: String,
    /// True if it belongs to the very user that publishes.
    pub(super) ours: bool,
    /// Why it cannot be dropped: something else holds on to it. Its rows are replaced then.
    pub(super) tie: Option<String>,
    /// What keeps even its rows from being replaced.
    pub(super) block: Option<String>,
}

impl Table {
    /// The table that `place` names; in the destination's schema unless the name has one.
    pub(super) fn new(config: &PostgresConfig, place: &Place) -> Result<Table> {
        let mut parts = name_parts(&place.node, &place.table)?;
        let name = parts.pop().unwrap_or_default();
        let schema = parts.pop().unwrap_or_else(|| config.schema.clone());
        for (what, text) in [("its name", &name), ("the name of its schema", &schema)] {
            if text.len() > NAME_LIMIT {
                let problem = format!("{what} has more than {NAME_LIMIT} bytes");
                return Err(place.failed(codes::PUBLISH_CONFIG, problem).help("set a shorter `table`"));
            }
        }
        let hash = Sha256::digest(format!("c360:{schema}.{name}").as_bytes());
        let lock = hash.iter().take(8).fold(0_i64, |number, byte| number << 8 | i64::from(*byte));
        Ok(Table { new: short(&name, "__c360_new"), schema, name, lock })
    }

    fn qualified(&self, name: &str) -> String {
        format!("{}.{}", quoted(&self.schema, '"'), quoted(name, '"'))
    }

    /// The table, quoted.
    pub(super) fn sql_name(&self) -> String {
        self.qualified(&self.name)
    }

    /// The table that is loaded, quoted.
    pub(super) fn new_name(&self) -> String {
        self.qualified(&self.new)
    }

    /// Makes the schema if it is not there, as dbt does.
    pub(super) async fn make_schema(
        &self,
        config: &PostgresConfig,
        place: &Place,
        connection: &mut PgConnection,
    ) -> Result<(), Failure> {
        let failed = |error: sqlx::Error| judge(place, &error);
        let sql = "select count(*) from pg_namespace where nspname = $1";
        let row = sqlx::query(sql).bind(&self.schema).fetch_one(&mut *connection).await.map_err(failed)?;
        if row.try_get::<i64, _>(0).map_err(failed)? > 0 {
            return Ok(());
        }
        let owner = config.role.as_ref().map(|role| format!(" authorization {}", quoted(role, '"')));
        let sql = format!("create schema {}{}", quoted(&self.schema, '"'), owner.unwrap_or_default());
        match connection.execute(AssertSqlSafe(sql)).await {
            Ok(_) => Ok(()),
            // Another publish was faster.
            Err(error) if matches!(state(&error).as_deref(), Some("42P06" | "23505")) => Ok(()),
            Err(error) => Err(judge(place, &error)),
        }
    }

    /// Takes the advisory lock, which is this transaction's until it ends. `waiting` is told if it has to wait.
    pub(super) async fn lock(
        &self,
        config: &PostgresConfig,
        place: &Place,
        connection: &mut PgConnection,
        waiting: impl Fn(String),
    ) -> Result<(), Failure> {
        let failed = |error: sqlx::Error| judge(place, &error);
        let row = sqlx::query("select pg_try_advisory_xact_lock($1)").bind(self.lock).fetch_one(&mut *connection).await;
        if row.and_then(|row| row.try_get(0)).map_err(failed)? {
            return Ok(());
        }
        let holder = self.holder(connection).await.map_err(failed)?;
        let who = format!("another publish of it holds its advisory lock{holder}");
        waiting(who.clone());
        let sql = format!("set local lock_timeout = {}", config.lock_timeout.as_millis().max(1));
        connection.execute(AssertSqlSafe(sql)).await.map_err(failed)?;
        match sqlx::query("select pg_advisory_xact_lock($1)").bind(self.lock).execute(connection).await {
            Ok(_) => Ok(()),
            Err(error) if state(&error).as_deref() == Some("55P03") => {
                let problem = format!("{who}, for more than {} s", config.lock_timeout.as_secs());
                let help = "wait for it and try again, or set a longer `lock_timeout`";
                Err(place.failed(codes::PUBLISH_FAILED, problem).help(help).into())
            }
            Err(error) => Err(judge(place, &error)),
        }
    }

    /// Who has the lock, as far as we may see that.
    async fn holder(&self, connection: &mut PgConnection) -> Result<String, sqlx::Error> {
        let sql = "select ' (' || usename || ' from ' || coalesce(host(client_addr), 'the server itself') || ', process ' || pid \
                   || ', since ' || to_char(xact_start, 'YYYY-MM-DD HH24:MI:SS') || ' UTC)' \
                   from pg_stat_activity join pg_locks using (pid) where locktype = 'advisory' and granted and objsubid = 1 \
                   and (classid::bigint << 32 | objid::bigint) = $1 limit 1";
        let row = sqlx::query(sql).bind(self.lock).fetch_optional(connection).await?;
        Ok(row.and_then(|row| row.try_get::<Option<String>, _>(0).ok().flatten()).unwrap_or_default())
    }

    /// The table that has the name already. Refuses what can be neither replaced nor filled.
    pub(super) async fn find(&self, place: &Place, connection: &mut PgConnection) -> Result<Option<Old>, Failure> {
        let failed = |error: sqlx::Error| judge(place, &error);
        let sql = "select c.oid::bigint, c.relkind::text, pg_get_userbyid(c.relowner)::text, \
                   pg_get_userbyid(c.relowner) = current_user, pg_has_role(c.relowner, 'usage') \
                   from pg_class c join pg_namespace n on n.oid = c.relnamespace where n.nspname = $1 and c.relname = $2";
        let query = sqlx::query(sql).bind(&self.schema).bind(&self.name);
        let Some(row) = query.fetch_optional(&mut *connection).await.map_err(failed)? else { return Ok(None) };
        let kind: String = row.try_get(1).map_err(failed)?;
        let owner: String = row.try_get(2).map_err(failed)?;
        let (oid, ours) = (row.try_get(0).map_err(failed)?, row.try_get(3).map_err(failed)?);
        let mut old = Old { oid, ours, owner, tie: None, block: None };
        let may_drop: bool = row.try_get(4).map_err(failed)?;
        match kind.as_str() {
            "r" if may_drop => self.look_for_ties(place, &mut old, connection).await?,
            "r" => old.tie = Some(format!("it belongs to `{}`", old.owner)),
            "p" => old.tie = Some("it is partitioned".to_string()),
            _ => {
                let what = match kind.as_str() {
                    "v" => "a view",
                    "m" => "a materialized view",
                    "f" => "a foreign table",
                    _ => "something that is no table",
                };
                let error = place.failed(codes::PUBLISH_FAILED, format!("{what} has that name there"));
                return Err(error.help("drop it, or set another `table`").into());
            }
        }
        Ok(Some(old))
    }

    /// What would vanish with the table, or keeps it from being dropped. Foreign keys of other tables cannot be kept even if
    /// rows are replaced.
    async fn look_for_ties(&self, place: &Place, old: &mut Old, connection: &mut PgConnection) -> Result<(), Failure> {
        let oid = old.oid;
        let sql = format!(
            "select true, 'the foreign key ' || quote_ident(conname) || ' of table ' || conrelid::regclass::text \
             from pg_constraint where confrelid = {oid} and contype = 'f' and conrelid <> {oid} \
             union all select false, case c.relkind when 'm' then 'the materialized view ' when 'v' then 'the view ' \
               else 'a rule of ' end || c.oid::regclass::text || ' depends on it' \
             from pg_depend d join pg_rewrite r on r.oid = d.objid join pg_class c on c.oid = r.ev_class \
             where d.classid = 'pg_rewrite'::regclass and d.refclassid = 'pg_class'::regclass and d.refobjid = {oid} \
             union all select false, 'the ' || pg_describe_object(d.classid, d.objid, d.objsubid) || ' depends on it' \
             from pg_depend d join pg_type t on t.oid = d.refobjid \
             where d.refclassid = 'pg_type'::regclass and t.typrelid = {oid} and d.deptype = 'n' \
             union all select false, 'it has the trigger ' || quote_ident(tgname) from pg_trigger \
             where tgrelid = {oid} and not tgisinternal \
             union all select false, 'it has row security' from pg_class where oid = {oid} and relrowsecurity \
             union all select false, 'it is in the publication ' || quote_ident(p.pubname) \
             from pg_publication_rel r join pg_publication p on p.oid = r.prpubid where r.prrelid = {oid} \
             union all select false, 'it is tied to ' || (case inhparent when {oid} then inhrelid else inhparent end)::regclass::text \
             from pg_inherits where {oid} in (inhparent, inhrelid) \
             order by 1 desc limit 1"
        );
        let failed = |error: sqlx::Error| judge(place, &error);
        let row = sqlx::query(AssertSqlSafe(sql)).fetch_optional(connection).await.map_err(failed)?;
        let Some(row) = row else { return Ok(()) };
        let words: String = row.try_get(1).map_err(failed)?;
        match row.try_get::<bool, _>(0).map_err(failed)? {
            true => old.block = Some(words),
            false => old.tie = Some(words),
        }
        Ok(())
    }

    /// Makes the empty new table.
    pub(super) async fn create(
        &self,
        place: &Place,
        shape: &Shape,
        types: &[String],
        connection: &mut PgConnection,
    ) -> Result<(), Failure> {
        let sql = format!("create table {} ({})", self.new_name(), lines(shape, types));
        connection.execute(AssertSqlSafe(sql)).await.map(drop).map_err(|error| judge(place, &error))
    }

    /// Refuses a table whose columns cannot take ours. Its own further columns are filled by their defaults.
    pub(super) async fn compare(
        &self,
        place: &Place,
        shape: &Shape,
        types: &[String],
        old: &Old,
        connection: &mut PgConnection,
    ) -> Result<(), Failure> {
        let failed = |error: sqlx::Error| judge(place, &error);
        create_temporary(place, "c360_new", shape, types, connection).await?;
        let ours = columns("'pg_temp.c360_new'::regclass", connection).await.map_err(failed)?;
        let theirs = columns(&old.oid.to_string(), connection).await.map_err(failed)?;
        connection.execute("drop table pg_temp.c360_new").await.map_err(failed)?;
        for field in &shape.fields {
            let (ours, theirs) = (ours.get(&field.name), theirs.get(&field.name));
            if ours == theirs {
                continue;
            }
            let had = theirs.map_or("is not in it".to_string(), |sql| format!("is {sql} in it"));
            let problem = format!(
                "column `{}` {had} and {} now, and it cannot be replaced: {}",
                field.name,
                ours.map_or("a column", String::as_str),
                old.tie.as_deref().unwrap_or_default()
            );
            let help = "change that, drop what depends on the table, or set another `table`";
            return Err(place.failed(codes::PUBLISH_FAILED, problem).help(help).into());
        }
        Ok(())
    }
}

/// Makes an empty table for this transaction alone.
pub(super) async fn create_temporary(
    place: &Place,
    name: &str,
    shape: &Shape,
    types: &[String],
    connection: &mut PgConnection,
) -> Result<(), Failure> {
    let sql = format!("create temporary table {name} ({}) on commit drop", lines(shape, types));
    connection.execute(AssertSqlSafe(sql)).await.map(drop).map_err(|error| judge(place, &error))
}

fn lines(shape: &Shape, types: &[String]) -> String {
    let line = |(at, (field, sql_type)): (usize, (&FieldShape, &String))| {
        let not_null = if shape.key.contains(&at) { " not null" } else { "" };
        format!("{} {sql_type}{not_null}", quoted(&field.name, '"'))
    };
    shape.fields.iter().zip(types).enumerate().map(line).collect::<Vec<_>>().join(", ")
}

/// Types of a table's columns, by name, as the server spells them. The table is an oid.
pub(super) async fn columns(
    table: &str,
    connection: &mut PgConnection,
) -> Result<BTreeMap<String, String>, sqlx::Error> {
    let sql = format!(
        "select attname::text, format_type(atttypid, atttypmod) from pg_attribute \
         where attrelid = {table} and attnum > 0 and not attisdropped and attgenerated = ''"
    );
    let rows = sqlx::query(AssertSqlSafe(sql)).fetch_all(connection).await?;
    rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
}

/// `name` and `suffix`; a name that gets too long so is cut and told apart by a hash of the whole.
pub(super) fn short(name: &str, suffix: &str) -> String {
    if name.len() + suffix.len() <= NAME_LIMIT {
        return format!("{name}{suffix}");
    }
    let hash: String = Sha256::digest(name.as_bytes()).iter().take(4).map(|byte| format!("{byte:02x}")).collect();
    let room = NAME_LIMIT - suffix.len() - hash.len() - 1;
    let end = (0..=room).rev().find(|end| name.is_char_boundary(*end)).unwrap_or(0);
    format!("{}_{hash}{suffix}", &name[..end])
}

#[cfg(test)]
mod tests {
    use super::short;

    #[test]
    fn long_names_are_cut_and_told_apart() {
        assert_eq!(short("t", "__c360_new"), "t__c360_new");
        let (a, b) = ("bảng".repeat(10) + "aaaa", "bảng".repeat(10) + "aaab");
        assert!(short(&a, "__c360_new").len() <= 63);
        assert_ne!(short(&a, "__c360_new"), short(&b, "__c360_new"));
    }
}
