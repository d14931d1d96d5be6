//! A connection to a server of any kind, for the few things that a scan does with it.

use std::time::Duration;

use sqlx::mysql::MySqlConnection;
use sqlx::postgres::PgConnection;
use sqlx::sqlite::SqliteConnection;

use super::collect::{Collector, Stop};
use super::column::Table;
use super::failure::is_passing;
use super::spec::DatabaseSpec;
use super::statement::{Dialect, Statement};
use super::{mysql, postgres, sqlite};
use crate::diag::{Diagnostic, codes};
use crate::publish::DestinationConfig;

/// Logins that are tried while a server has no connection left.
const LOGINS: u32 = 6;

/// A connection.
pub(super) enum Server {
    Mysql(MySqlConnection),
    Postgres(PgConnection),
    Sqlite(SqliteConnection),
}

/// The SQL that the server of `config` speaks; none if nothing can be read from there.
pub(super) fn dialect(config: &DestinationConfig) -> Option<Dialect> {
    match config {
        DestinationConfig::Mysql(_) => Some(Dialect::Mysql),
        DestinationConfig::Postgres(_) => Some(Dialect::Postgres),
        DestinationConfig::Sqlite(_) => Some(Dialect::Sqlite),
        DestinationConfig::Files(_) => None,
    }
}

/// C5005 for a connection that nothing can be read from with SQL.
pub(super) fn no_database(spec: &DatabaseSpec) -> Box<Diagnostic> {
    let message = format!("`{}` is of the type `{}`, which is no database", spec.connection, spec.config.kind());
    Diagnostic::error(codes::BAD_SOURCE, message).help("sources that are files have a `location` and no `connection`")
}

impl Server {
    /// Logs in; waits a little for a server that is full.
    pub(super) async fn connect(spec: &DatabaseSpec) -> Result<Server, Stop> {
        let mut attempt = 1;
        loop {
            let connected = match &spec.config {
                DestinationConfig::Mysql(config) => mysql::connect(config).await.map(Server::Mysql),
                DestinationConfig::Postgres(config) => postgres::connect(config).await.map(Server::Postgres),
                DestinationConfig::Sqlite(config) => sqlite::connect(config).await.map(Server::Sqlite),
                DestinationConfig::Files(_) => return Err(no_database(spec).into()),
            };
            match connected {
                Err(error) if is_passing(&error) && attempt < LOGINS => {
                    tokio::time::sleep(Duration::from_millis(100 << attempt)).await;
                    attempt += 1;
                }
                other => return other.map_err(Stop::Server),
            }
        }
    }

    /// Finds the table.
    pub(super) async fn describe(&mut self, spec: &DatabaseSpec) -> Result<Table, Stop> {
        match self {
            Server::Mysql(connection) => mysql::describe(connection, spec).await,
            Server::Postgres(connection) => postgres::describe(connection, spec).await,
            Server::Sqlite(connection) => sqlite::describe(connection, spec).await,
        }
    }

    /// Starts a transaction whose queries all see one state: that of `snapshot`, if there is one.
    pub(super) async fn begin(&mut self, snapshot: Option<&str>) -> Result<(), Stop> {
        match self {
            Server::Mysql(connection) => mysql::begin(connection).await?,
            Server::Postgres(connection) => postgres::begin(connection, snapshot).await?,
            Server::Sqlite(connection) => sqlite::begin(connection).await?,
        }
        Ok(())
    }

    /// The name under which other connections can see what this transaction sees, where servers have that.
    pub(super) async fn export(&mut self) -> Result<Option<String>, Stop> {
        match self {
            Server::Postgres(connection) => Ok(postgres::export(connection).await?),
            Server::Mysql(_) | Server::Sqlite(_) => Ok(None),
        }
    }

    /// Streams the rows of `statement`.
    pub(super) async fn fetch(
        &mut self,
        spec: &DatabaseSpec,
        statement: Statement,
        collector: &mut Collector,
    ) -> Result<(), Stop> {
        match self {
            Server::Mysql(connection) => mysql::fetch(connection, statement, spec.zero_dates, collector).await,
            Server::Postgres(connection) => postgres::fetch(connection, statement, collector).await,
            Server::Sqlite(connection) => sqlite::fetch(connection, statement, collector).await,
        }
    }
}
