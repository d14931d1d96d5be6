//! Logging in, and what a session is set to.

use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgConnection, PgSslMode};
use sqlx::{AssertSqlSafe, ConnectOptions, Executor, Row};

use super::super::server::{install_crypto, patient};
use super::super::statement::quoted;
use super::config::{PostgresConfig, PostgresSslMode};
use super::failure::state;

/// Logs in.
pub(crate) async fn connect(config: &PostgresConfig) -> Result<PgConnection, sqlx::Error> {
    config.tls().find_files()?;
    install_crypto();
    let login = async {
        let options = options(config);
        let connected = options.connect().await;
        let refused = matches!(&connected, Err(error) if state(error).as_deref() == Some("28000"));
        match refused && config.ssl_mode == PostgresSslMode::Allow {
            true => options.ssl_mode(PgSslMode::Require).connect().await,
            false => connected,
        }
    };
    patient(config.connect_timeout.max(Duration::from_millis(100)), login).await?
}

fn options(config: &PostgresConfig) -> PgConnectOptions {
    let mut options = PgConnectOptions::new_without_pgpass()
        .host(&config.host)
        .port(config.port)
        .username(&config.user)
        .database(&config.database)
        .ssl_mode(config.ssl_mode.to_sqlx())
        .application_name("c360")
        // Named statements and a pooler between us and the server do not go together.
        .statement_cache_capacity(0)
        .disable_statement_logging();
    let password = config.password.reveal();
    if !password.is_empty() {
        options = options.password(password);
    }
    if let Some(socket) = &config.socket {
        options = options.socket(socket);
    }
    if let Some(ca) = &config.ssl_ca {
        options = options.ssl_root_cert(ca);
    }
    if let (Some(cert), Some(key)) = (&config.ssl_cert, &config.ssl_key) {
        options = options.ssl_client_cert(cert).ssl_client_key(key);
    }
    options
}

/// Begins the transaction that a publish is. Its rows may be slow to come, so no timeout of the role may end it; settings
/// are the transaction's own, since a pooler gives the session to others later.
pub(super) async fn begin(config: &PostgresConfig, connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    let mut sql = "begin isolation level read committed read write; set local statement_timeout = 0; \
                   set local idle_in_transaction_session_timeout = 0; set local standard_conforming_strings = on; \
                   set local timezone = 'UTC'; set local datestyle = 'ISO, YMD'; set local client_min_messages = error"
        .to_string();
    sql.push_str(&format!("; set local lock_timeout = {}", config.lock_timeout.as_millis().max(1)));
    if let Some(role) = &config.role {
        sql.push_str(&format!("; set local role {}", quoted(role, '"')));
    }
    connection.execute(AssertSqlSafe(sql)).await.map(drop)
}

/// What the server is, such as `PostgreSQL 15.6`.
pub(super) async fn product(connection: &mut PgConnection) -> Result<String, sqlx::Error> {
    let row = sqlx::query("select current_setting('server_version')").fetch_one(connection).await?;
    let version: String = row.try_get(0)?;
    Ok(format!("PostgreSQL {}", version.split(' ').next().unwrap_or(&version)))
}
