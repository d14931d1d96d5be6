//! Names, and the statements around a load.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};
use sqlx::mysql::MySqlConnection;
use sqlx::{AssertSqlSafe, Executor, Row};

use super::super::config::MysqlConfig;
use super::super::kind::Kind;
use super::super::place::Place;
use super::super::shape::{FieldShape, Shape};
use super::super::statement::{name_parts, quoted};
use super::super::tally::{Arrived, ArrivedColumn};
use super::connect::Server;
use super::failure::{Failure, judge, number};
use crate::diag::{Result, codes};

/// Characters of a name.
const NAME_LIMIT: usize = 64;
/// How often a swap that readers hold up is tried.
const SWAPS: u32 = 3;

/// A table and the names that a publish of it uses.
#[derive(Debug, Clone)]
pub(super) struct Table {
    pub(super) database: String,
    pub(super) name: String,
    /// The table that is loaded.
    new: String,
    /// What the replaced table is called until it is dropped.
    old: String,
    /// Keys of rows to delete.
    gone: String,
    /// The advisory lock.
    pub(super) lock: String,
}

impl Table {
    /// The table that `place` names; in the destination's database unless the name has one.
    pub(super) fn new(config: &MysqlConfig, place: &Place) -> Result<Table> {
        let mut parts = name_parts(&place.node, &place.table)?;
        let name = parts.pop().unwrap_or_default();
        if name.chars().count() > NAME_LIMIT {
            return Err(place.failed(codes::PUBLISH_CONFIG, format!("its name has more than {NAME_LIMIT} characters")));
        }
        let database = parts.pop().unwrap_or_else(|| config.database.clone());
        Ok(Table {
            new: short(&name, "__c360_new"),
            old: short(&name, "__c360_old"),
            gone: short(&name, "__c360_gone"),
            lock: short(&format!("c360:{database}.{name}"), ""),
            database,
            name,
        })
    }

    /// A name in the table's database, quoted.
    pub(super) fn qualified(&self, name: &str) -> String {
        format!("{}.{}", quoted(&self.database, '`'), quoted(name, '`'))
    }

    /// The table itself, quoted.
    pub(super) fn own_name(&self) -> String {
        self.qualified(&self.name)
    }

    /// The table that is loaded, quoted.
    pub(super) fn new_name(&self) -> String {
        self.qualified(&self.new)
    }

    /// The table of keys to delete, quoted.
    pub(super) fn gone_name(&self) -> String {
        self.qualified(&self.gone)
    }

    /// Removes what a killed publish left, and tells whether there is a table then. Call it with the lock held.
    pub(super) async fn prepare(
        &self,
        place: &Place,
        server: &Server,
        connection: &mut MySqlConnection,
    ) -> Result<bool, Failure> {
        let failed = |error: sqlx::Error| judge(place, &error);
        let found = self.existing(server, connection).await.map_err(failed)?;
        if found.get(&self.name).is_some_and(|kind| kind.contains("VIEW")) {
            let error = place.failed(codes::PUBLISH_FAILED, "a view has that name there");
            return Err(error.help("drop the view, or set another `table`").into());
        }
        self.drop_work(connection).await.map_err(failed)?;
        let is_there = found.contains_key(&self.name);
        match (is_there, found.contains_key(&self.old)) {
            // Killed after the swap: the new table is there, the old one is rubbish.
            (true, true) => self.drop_old(connection).await.map_err(failed)?,
            // A server that died within a swap that is not atomic (before MariaDB 10.6): the old table is the last good one.
            (false, true) => {
                let sql = format!("rename table {} to {}", self.qualified(&self.old), self.qualified(&self.name));
                connection.execute(AssertSqlSafe(sql)).await.map_err(failed)?;
                return Ok(true);
            }
            _ => {}
        }
        Ok(is_there)
    }

    /// Which of our three names exist, and as what.
    async fn existing(
        &self,
        server: &Server,
        connection: &mut MySqlConnection,
    ) -> std::result::Result<BTreeMap<String, String>, sqlx::Error> {
        let sql = "select table_name, table_type from information_schema.tables \
                   where table_schema = ? and table_name in (?, ?, ?)";
        let query = sqlx::query(sql).bind(&self.database).bind(&self.name).bind(&self.new).bind(&self.old);
        let mut found = BTreeMap::new();
        for row in query.fetch_all(connection).await? {
            let name: String = row.try_get_unchecked(0)?;
            // The server may compare without case although its tables differ by case.
            let same = |ours: &&String| match server.folds_case {
                true => ours.to_lowercase() == name.to_lowercase(),
                false => **ours == name,
            };
            if let Some(ours) = [&self.name, &self.new, &self.old].into_iter().find(same) {
                found.insert(ours.clone(), row.try_get_unchecked::<String, _>(1)?);
            }
        }
        Ok(found)
    }

    /// Foreign keys and triggers would follow the old table and vanish with it.
    pub(super) async fn refuse_ties(&self, place: &Place, connection: &mut MySqlConnection) -> Result<(), Failure> {
        let sql = "select concat('the foreign key `', constraint_name, '` of table `', table_name, '`') \
                   from information_schema.referential_constraints \
                   where unique_constraint_schema = ? and referenced_table_name = ? \
                   union all select concat('the trigger `', trigger_name, '`') from information_schema.triggers \
                   where event_object_schema = ? and event_object_table = ? limit 1";
        let query = sqlx::query(sql).bind(&self.database).bind(&self.name).bind(&self.database).bind(&self.name);
        let row = query.fetch_optional(connection).await.map_err(|error| judge(place, &error))?;
        let tie: Option<String> = row.and_then(|row| row.try_get_unchecked(0).ok());
        match tie {
            None => Ok(()),
            Some(tie) => {
                let error = place.failed(codes::PUBLISH_FAILED, format!("replacing it would break {tie}"));
                Err(error.help("drop that first, or set another `table`").into())
            }
        }
    }

    /// Makes an empty table.
    pub(super) async fn create(
        &self,
        place: &Place,
        create: &Create<'_>,
        connection: &mut MySqlConnection,
    ) -> Result<(), Failure> {
        let Create { name, shape, types, tail, collation } = create;
        let mut lines = Vec::with_capacity(types.len() + 1);
        for (at, (field, sql_type)) in shape.fields.iter().zip(*types).enumerate() {
            let null = if shape.key.contains(&at) { "NOT NULL" } else { "NULL" };
            lines.push(format!("{} {sql_type} {null}", quoted(&field.name, '`')));
        }
        if !shape.key.is_empty() {
            lines.push(format!("PRIMARY KEY ({})", names(shape, &shape.key)));
        }
        let collation = collation.map(|name| format!(" COLLATE {name}")).unwrap_or_default();
        let sql = format!(
            "CREATE TABLE {name} ({}) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARACTER SET utf8mb4{collation}{tail}",
            lines.join(", ")
        );
        connection.execute(AssertSqlSafe(sql)).await.map(drop).map_err(|error| judge(place, &error))
    }

    /// Adds all secondary indexes in one pass over the loaded table.
    pub(super) async fn add_indexes(
        &self,
        place: &Place,
        indexes: &[String],
        connection: &mut MySqlConnection,
    ) -> Result<(), Failure> {
        if indexes.is_empty() {
            return Ok(());
        }
        let add = |(number, columns): (usize, &String)| format!("ADD INDEX `ix_{}` ({columns})", number + 1);
        let all: Vec<String> = indexes.iter().enumerate().map(add).collect();
        let sql = format!("ALTER TABLE {} {}", self.new_name(), all.join(", "));
        connection.execute(AssertSqlSafe(sql)).await.map(drop).map_err(|error| judge(place, &error))
    }

    /// What is in the table that was loaded.
    pub(super) async fn arrived(
        &self,
        shape: &Shape,
        connection: &mut MySqlConnection,
    ) -> std::result::Result<Arrived, sqlx::Error> {
        let mut asked = vec!["count(*)".to_string()];
        for field in &shape.fields {
            let name = quoted(&field.name, '`');
            let sum = if has_sum(field) { format!("cast(sum({name}) as char)") } else { "null".to_string() };
            asked.push(format!("count({name}), {sum}"));
        }
        let sql = format!("select {} from {}", asked.join(", "), self.new_name());
        let row = sqlx::query(AssertSqlSafe(sql)).fetch_one(connection).await?;
        let rows: i64 = row.try_get_unchecked(0)?;
        let mut columns = Vec::with_capacity(shape.fields.len());
        for (at, field) in shape.fields.iter().enumerate() {
            let values: i64 = row.try_get_unchecked(1 + 2 * at)?;
            // The sum of no values is null.
            let sum: Option<String> = if has_sum(field) {
                Some(row.try_get_unchecked::<Option<String>, _>(2 + 2 * at)?.unwrap_or_else(|| "0".to_string()))
            } else {
                None
            };
            let exact = !matches!(field.kind, Kind::Float { .. });
            columns.push(ArrivedColumn { values: values.unsigned_abs(), sum, exact });
        }
        Ok(Arrived { rows: rows.unsigned_abs(), columns })
    }

    /// The new table takes the name, in one step.
    pub(super) async fn swap(
        &self,
        place: &Place,
        server: &Server,
        connection: &mut MySqlConnection,
    ) -> Result<(), Failure> {
        self.keep_lock(place, connection).await?;
        let found = self.existing(server, connection).await.map_err(|error| judge(place, &error))?;
        let (name, new) = (self.qualified(&self.name), self.new_name());
        let sql = match found.contains_key(&self.name) {
            true => format!("RENAME TABLE {name} TO {}, {new} TO {name}", self.qualified(&self.old)),
            false => format!("RENAME TABLE {new} TO {name}"),
        };
        let mut tried = 1;
        while let Err(error) = connection.execute(AssertSqlSafe(sql.as_str())).await {
            // A reader with an open transaction holds the table. Between tries those who queued behind us get their turn.
            if number(&error) != Some(1205) {
                return Err(judge(place, &error));
            }
            if tried == SWAPS {
                let problem = "the new table is loaded, but clients with open transactions keep hold of the old one";
                let help = "end long transactions on it (see SHOW PROCESSLIST), or set a longer `lock_timeout`";
                return Err(place.failed(codes::PUBLISH_FAILED, problem).help(help).into());
            }
            tried += 1;
        }
        Ok(())
    }

    /// Drops what was loaded beside the table, if it is there.
    pub(super) async fn drop_work(&self, connection: &mut MySqlConnection) -> std::result::Result<(), sqlx::Error> {
        let sql = format!("drop table if exists {}, {}", self.new_name(), self.gone_name());
        connection.execute(AssertSqlSafe(sql)).await.map(drop)
    }

    /// Drops the replaced table if it is there.
    pub(super) async fn drop_old(&self, connection: &mut MySqlConnection) -> std::result::Result<(), sqlx::Error> {
        let sql = format!("drop table if exists {}", self.qualified(&self.old));
        connection.execute(AssertSqlSafe(sql)).await.map(drop)
    }
}

/// A table to make.
pub(super) struct Create<'a> {
    /// Its name, quoted.
    pub(super) name: &'a str,
    pub(super) shape: &'a Shape,
    /// SQL types of the columns.
    pub(super) types: &'a [String],
    /// What stands behind the columns: a comment, partitions.
    pub(super) tail: &'a str,
    /// Collation of texts that are not in the key.
    pub(super) collation: Option<&'a str>,
}

/// A declared type may round, and the sum of decimals with more than 43 digits may not fit into MySQL's 65.
fn has_sum(field: &FieldShape) -> bool {
    let summed = match field.kind {
        Kind::Bool | Kind::Int { .. } | Kind::Float { .. } => true,
        Kind::Decimal { precision, .. } => precision <= 43,
        _ => false,
    };
    summed && field.declared.is_none()
}

/// Quoted names of columns, with commas.
pub(super) fn names(shape: &Shape, positions: &[usize]) -> String {
    positions.iter().map(|at| quoted(&shape.fields[*at].name, '`')).collect::<Vec<_>>().join(", ")
}

/// `name` and `suffix`; a name that gets too long so is cut and told apart by a hash of the whole.
fn short(name: &str, suffix: &str) -> String {
    if name.chars().count() + suffix.len() <= NAME_LIMIT {
        return format!("{name}{suffix}");
    }
    let hash: String = Sha256::digest(name.as_bytes()).iter().take(4).map(|byte| format!("{byte:02x}")).collect();
    let kept: String = name.chars().take(NAME_LIMIT - suffix.len() - hash.len() - 1).collect();
    format!("{kept}_{hash}{suffix}")
}

#[cfg(test)]
mod tests {
    use super::short;

    #[test]
    fn long_names_are_cut_and_told_apart() {
        assert_eq!(short("t", "__c360_new"), "t__c360_new");
        let (a, b) = ("bảng".repeat(15) + "aaaa", "bảng".repeat(15) + "aaab");
        assert_eq!(short(&a, "__c360_new").chars().count(), 64);
        assert_ne!(short(&a, "__c360_new"), short(&b, "__c360_new"));
    }
}
