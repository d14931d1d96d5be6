//! Logging in, and what a session is set to.

use std::time::Duration;

use sqlx::mysql::{MySqlConnectOptions, MySqlConnection};
use sqlx::{AssertSqlSafe, ConnectOptions, Executor, Row};

use super::super::config::MysqlConfig;
use super::super::server::{install_crypto, patient};

/// A server, as far as it matters.
#[derive(Debug, Clone)]
pub(super) struct Server {
    /// `MariaDB 10.11.6` or `MySQL 8.4.2`.
    pub(super) version: String,
    /// Bytes of the largest statement.
    pub(super) max_packet: usize,
    /// A collation of utf8mb4 that compares bytes; without padding where the server has one.
    pub(super) binary_collation: String,
    /// True if names of tables do not differ by case alone.
    pub(super) folds_case: bool,
    /// True if clients may load files of theirs.
    pub(super) local_infile: bool,
}

/// Logs in and sets the session up: strict, in UTC, and patient.
pub(crate) async fn connect(config: &MysqlConfig) -> Result<MySqlConnection, sqlx::Error> {
    install_crypto();
    config.tls().find_files()?;
    let login = async {
        let mut connection = options(config).connect().await?;
        connection.execute(AssertSqlSafe(session(config))).await?;
        Ok(connection)
    };
    patient(config.connect_timeout, login).await?
}

fn options(config: &MysqlConfig) -> MySqlConnectOptions {
    let mut options = MySqlConnectOptions::new()
        .host(&config.host)
        .port(config.port)
        .username(&config.user)
        .database(&config.database)
        .ssl_mode(config.ssl_mode.to_sqlx())
        .charset("utf8mb4")
        .pipes_as_concat(false)
        .no_engine_substitution(false)
        .timezone(None)
        .disable_statement_logging();
    let password = config.password.reveal();
    if !password.is_empty() {
        options = options.password(password);
    }
    if let Some(socket) = &config.socket {
        options = options.socket(socket);
    }
    if let Some(ca) = &config.ssl_ca {
        options = options.ssl_ca(ca);
    }
    if let (Some(cert), Some(key)) = (&config.ssl_cert, &config.ssl_key) {
        options = options.ssl_client_cert(cert).ssl_client_key(key);
    }
    options
}

/// The statement that sets a session up: strict, so that no value is cut or changed silently. Idle connections may wait for
/// slow rows for hours; a swap must not wait for a reader as long as that, since other readers wait behind it.
pub(super) fn session(config: &MysqlConfig) -> String {
    let lock_wait = config.lock_timeout.max(Duration::from_secs(1)).as_secs();
    format!(
        "SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_ZERO_DATE,NO_ZERO_IN_DATE,ERROR_FOR_DIVISION_BY_ZERO,\
         NO_ENGINE_SUBSTITUTION', time_zone = '+00:00', autocommit = 1, wait_timeout = 28800, \
         lock_wait_timeout = {lock_wait}"
    )
}

/// Asks the server what it is.
pub(super) async fn server(connection: &mut MySqlConnection) -> Result<Server, sqlx::Error> {
    let sql = "select version(), cast(@@max_allowed_packet as unsigned), cast(@@lower_case_table_names as unsigned), \
               cast(@@global.local_infile as unsigned)";
    let row = sqlx::query(sql).fetch_one(&mut *connection).await?;
    let version: String = row.try_get_unchecked(0)?;
    let max_packet: u64 = row.try_get_unchecked(1)?;
    let lower_names: u64 = row.try_get_unchecked(2)?;
    let local_infile: u64 = row.try_get_unchecked(3)?;
    let sql = "select collation_name from information_schema.collations \
               where collation_name in ('utf8mb4_nopad_bin', 'utf8mb4_0900_bin')";
    let mut collations = Vec::new();
    for row in sqlx::query(sql).fetch_all(connection).await? {
        collations.push(row.try_get_unchecked::<String, _>(0)?);
    }
    let best =
        ["utf8mb4_nopad_bin", "utf8mb4_0900_bin"].into_iter().find(|name| collations.iter().any(|has| has == name));
    Ok(Server {
        version: product(&version),
        max_packet: usize::try_from(max_packet).unwrap_or(usize::MAX),
        binary_collation: best.unwrap_or("utf8mb4_bin").to_string(),
        folds_case: lower_names != 0,
        local_infile: local_infile != 0,
    })
}

/// `10.11.6-MariaDB-0+deb12u1` is MariaDB 10.11.6; old ones put `5.5.5-` before it.
fn product(version: &str) -> String {
    let name = if version.contains("MariaDB") { "MariaDB" } else { "MySQL" };
    let number = version.strip_prefix("5.5.5-").unwrap_or(version);
    format!("{name} {}", number.split('-').next().unwrap_or(number))
}

#[cfg(test)]
mod tests {
    #[test]
    fn products_are_named() {
        assert_eq!(super::product("10.11.6-MariaDB-0+deb12u1"), "MariaDB 10.11.6");
        assert_eq!(super::product("5.5.5-10.4.2-MariaDB"), "MariaDB 10.4.2");
        assert_eq!(super::product("8.4.2"), "MySQL 8.4.2");
    }
}
