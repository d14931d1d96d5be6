//! The ledger as a table of the database that a published table is in.
//!
//! A new table takes an old one's name by `RENAME TABLE`, which is no part of any transaction. So the ledger cannot be
//! changed together with it, and a publish that dies in between must not leave a ledger that tells of a table which
//! is not there. The tables tell themselves which row of the ledger is theirs: every table that c360 makes carries a token in its
//! comment (`c360 5f3a...`), and so does its row. The row of a new table is written before the swap; until the swap it is
//! about no table, and nobody reads it. Whenever the process dies, the table under the name has the row that tells the
//! truth about it. Rows of tables that are gone are removed after the next swap.
//!
//! Where rows are added to a table (append, upsert) the table and its token stay, and the row changes in the transaction
//! that adds them.

use sqlx::mysql::MySqlConnection;
use sqlx::{AssertSqlSafe, Executor, Row};

use super::super::ledger::{COLUMNS, Entry, Found, TABLE};
use super::table::Table;

/// What the comment of a published table begins with.
const COMMENT: &str = "c360 ";

/// The comment of a table whose row in the ledger is `entry`, as a clause.
pub(super) fn comment(entry: &Entry) -> String {
    format!(" COMMENT = '{COMMENT}{}'", entry.token)
}

/// A ledger of one database.
pub(super) struct Ledger {
    database: String,
    table: String,
    /// Its own name, quoted.
    name: String,
}

impl Ledger {
    /// The ledger that tells about `table`.
    pub(super) fn of(table: &Table) -> Ledger {
        Ledger { database: table.database.clone(), table: table.name.clone(), name: table.qualified(TABLE) }
    }

    /// What the ledger says about the table, which exists.
    pub(super) async fn found(&self, connection: &mut MySqlConnection) -> Result<Found, sqlx::Error> {
        let unknown = Found { exists: true, entry: None };
        let sql = "select table_name, table_comment from information_schema.tables \
                   where table_schema = ? and table_name in (?, ?)";
        let query = sqlx::query(sql).bind(&self.database).bind(&self.table).bind(TABLE);
        let (mut token, mut is_there) = (None, false);
        for row in query.fetch_all(&mut *connection).await? {
            let name: String = row.try_get_unchecked(0)?;
            match name.eq_ignore_ascii_case(TABLE) {
                true => is_there = true,
                false => {
                    let comment: String = row.try_get_unchecked(1)?;
                    token = comment.strip_prefix(COMMENT).map(str::to_string);
                }
            }
        }
        let (Some(token), true) = (token, is_there) else { return Ok(unknown) };
        let list = COLUMNS.map(|(name, _)| format!("cast(`{name}` as char)")).join(", ");
        let sql = format!("select {list} from {} where destination_table = ? and token = ?", self.name);
        let row = sqlx::query(AssertSqlSafe(sql)).bind(&self.table).bind(token).fetch_optional(connection).await?;
        let values = row.map(|row| (0..COLUMNS.len()).map(|at| row.try_get_unchecked(at).ok().flatten()).collect());
        Ok(Found { exists: true, entry: values.and_then(Entry::read) })
    }

    /// Makes the ledger if it is missing. This ends a transaction.
    pub(super) async fn create(&self, connection: &mut MySqlConnection) -> Result<(), sqlx::Error> {
        let line = |(name, number): (&str, bool)| match (name, number) {
            ("destination_table", _) => format!("`{name}` VARCHAR(64) COLLATE utf8mb4_bin NOT NULL"),
            ("token", _) => format!("`{name}` CHAR(16) CHARACTER SET ascii NOT NULL"),
            ("columns", _) => format!("`{name}` LONGTEXT"),
            ("published_at", _) => format!("`{name}` DATETIME(6)"),
            (_, true) => format!("`{name}` BIGINT"),
            (_, false) => format!("`{name}` VARCHAR(512)"),
        };
        let sql = format!(
            "CREATE TABLE IF NOT EXISTS {} ({}, PRIMARY KEY (destination_table, token)) \
             ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARACTER SET utf8mb4",
            self.name,
            COLUMNS.map(line).join(", ")
        );
        connection.execute(AssertSqlSafe(sql)).await.map(drop)
    }

    /// Writes the row of a table that has a new token.
    pub(super) async fn insert(&self, entry: &Entry, connection: &mut MySqlConnection) -> Result<(), sqlx::Error> {
        let sql = format!("INSERT INTO {} VALUES ({})", self.name, ["?"; COLUMNS.len()].join(", "));
        let query = entry.values().into_iter().fold(sqlx::query(AssertSqlSafe(sql)), |query, value| query.bind(value));
        query.execute(connection).await.map(drop)
    }

    /// Changes the row of a table that keeps its token.
    pub(super) async fn update(&self, entry: &Entry, connection: &mut MySqlConnection) -> Result<(), sqlx::Error> {
        let sets = COLUMNS.map(|(name, _)| format!("`{name}` = ?")).join(", ");
        let sql = format!("UPDATE {} SET {sets} WHERE destination_table = ? AND token = ?", self.name);
        let query = entry.values().into_iter().fold(sqlx::query(AssertSqlSafe(sql)), |query, value| query.bind(value));
        query.bind(&self.table).bind(&entry.token).execute(connection).await.map(drop)
    }

    /// Removes rows about earlier tables of the name.
    pub(super) async fn forget_others(
        &self,
        entry: &Entry,
        connection: &mut MySqlConnection,
    ) -> Result<(), sqlx::Error> {
        let sql = format!("DELETE FROM {} WHERE destination_table = ? AND token <> ?", self.name);
        let query = sqlx::query(AssertSqlSafe(sql)).bind(&self.table).bind(&entry.token);
        query.execute(connection).await.map(drop)
    }
}
