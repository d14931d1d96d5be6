//! Destinations as a profile describes them.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;
use sqlx::mysql::MySqlSslMode;

use super::fields::{CONFIG, Fields};
use super::files::FilesConfig;
use super::postgres::PostgresConfig;
use super::server::{Tls, address};
use crate::diag::{Diagnostic, Result};
use crate::stdx::closest;
use crate::stores::StoreOptions;

/// Text that is never shown: `Debug` prints stars, and there is no `Display`.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Secret(String);

impl Secret {
    /// Keeps `text`.
    pub fn new(text: impl Into<String>) -> Secret {
        Secret(text.into())
    }

    /// The text itself, for the one place that logs in with it.
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// One entry of a profile's `destinations:`.
#[derive(Debug, Clone)]
pub enum DestinationConfig {
    /// A file; nothing to install.
    Sqlite(SqliteConfig),
    /// MySQL 8 or MariaDB.
    Mysql(Box<MysqlConfig>),
    /// Files in a store.
    Files(Box<FilesConfig>),
    /// PostgreSQL.
    Postgres(Box<PostgresConfig>),
}

/// `type: sqlite`.
#[derive(Debug, Clone)]
pub struct SqliteConfig {
    /// The database file. Its folder is made when it is missing.
    pub path: PathBuf,
    /// How long to wait for another writer.
    pub lock_timeout: Duration,
}

/// `type: mysql` (also `mariadb`).
#[derive(Debug, Clone)]
pub struct MysqlConfig {
    /// Name or address of the server.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// Unix socket; used instead of host and port.
    pub socket: Option<PathBuf>,
    /// Who logs in.
    pub user: String,
    /// With what.
    pub password: Secret,
    /// The database of tables whose name has none.
    pub database: String,
    /// How much TLS is asked of the server.
    pub ssl_mode: SslMode,
    /// Certificate authority (PEM file) for `verify_ca` and `verify_identity`.
    pub ssl_ca: Option<PathBuf>,
    /// Certificate (PEM file) with which the client proves who it is.
    pub ssl_cert: Option<PathBuf>,
    /// The key of `ssl_cert`.
    pub ssl_key: Option<PathBuf>,
    /// Connections that load one table side by side.
    pub connections: usize,
    /// How rows travel.
    pub bulk: Bulk,
    /// Collation of columns that are not in a key; the server's default for utf8mb4 if absent.
    pub collation: Option<String>,
    /// How long to wait for the server to accept a connection.
    pub connect_timeout: Duration,
    /// How long to wait for another publish of the same table, and for readers at the swap.
    pub lock_timeout: Duration,
    /// After so long without an answer it is asked over a new connection whether the server is still at work.
    pub read_timeout: Duration,
    /// How often a load that failed for a passing reason starts again.
    pub retries: u32,
}

impl MysqlConfig {
    /// The settings of its TLS connections.
    pub(super) fn tls(&self) -> Tls<'_> {
        let MysqlConfig { ssl_ca: ca, ssl_cert: cert, ssl_key: key, .. } = self;
        Tls { ca, cert, key, verifies: matches!(self.ssl_mode, SslMode::VerifyCa | SslMode::VerifyIdentity) }
    }
}

/// `bulk`: how rows travel to the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bulk {
    /// By `LOAD DATA LOCAL` where the server allows it, else by inserts (the default).
    Auto,
    /// By inserts of many rows.
    Insert,
    /// By `LOAD DATA LOCAL`, or not at all.
    LoadData,
}

impl Bulk {
    const WORDS: [(&'static str, Bulk); 3] =
        [("auto", Bulk::Auto), ("insert", Bulk::Insert), ("load_data", Bulk::LoadData)];
}

/// `ssl_mode`, in the words of MySQL's own clients.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SslMode {
    /// Never.
    Disabled,
    /// If the server can (the default).
    Preferred,
    /// Always, whoever the server is.
    Required,
    /// Always, and the server's certificate must come from `ssl_ca`.
    VerifyCa,
    /// As `VerifyCa`, and it must be the certificate of `host`.
    VerifyIdentity,
}

impl SslMode {
    const WORDS: [(&'static str, SslMode); 5] = [
        ("disabled", SslMode::Disabled),
        ("preferred", SslMode::Preferred),
        ("required", SslMode::Required),
        ("verify_ca", SslMode::VerifyCa),
        ("verify_identity", SslMode::VerifyIdentity),
    ];

    pub(super) fn to_sqlx(self) -> MySqlSslMode {
        match self {
            SslMode::Disabled => MySqlSslMode::Disabled,
            SslMode::Preferred => MySqlSslMode::Preferred,
            SslMode::Required => MySqlSslMode::Required,
            SslMode::VerifyCa => MySqlSslMode::VerifyCa,
            SslMode::VerifyIdentity => MySqlSslMode::VerifyIdentity,
        }
    }
}

impl DestinationConfig {
    /// Reads the entry `name` of a profile's `destinations:`.
    ///
    /// Errors are C6006 and name the destination and the key, never its value where that may be a secret.
    pub fn parse(name: &str, value: &Value) -> Result<DestinationConfig> {
        let mut fields = Fields::new(format!("destination `{name}`"), CONFIG, value)?;
        let kind = fields.required("type")?;
        let config = match kind.to_lowercase().as_str() {
            "sqlite" => DestinationConfig::Sqlite(sqlite(&mut fields)?),
            "mysql" | "mariadb" => DestinationConfig::Mysql(Box::new(mysql(&mut fields)?)),
            "files" => DestinationConfig::Files(Box::new(FilesConfig::parse(&mut fields)?)),
            "postgres" | "postgresql" => DestinationConfig::Postgres(Box::new(PostgresConfig::parse(&mut fields)?)),
            other => return Err(unknown_type(name, other)),
        };
        fields.finish()?;
        Ok(config)
    }

    /// Makes paths that are relative start at `root`, the project's folder.
    #[must_use]
    pub fn rooted_at(mut self, root: &Path) -> DestinationConfig {
        match &mut self {
            DestinationConfig::Sqlite(config) => config.path = root.join(&config.path),
            DestinationConfig::Mysql(config) => {
                for path in [&mut config.ssl_ca, &mut config.ssl_cert, &mut config.ssl_key].into_iter().flatten() {
                    *path = root.join(&*path);
                }
            }
            DestinationConfig::Files(config) => config.root(root),
            DestinationConfig::Postgres(config) => config.paths().for_each(|path| *path = root.join(&*path)),
        }
        self
    }

    /// Lets it use stores as the profile's target says.
    #[must_use]
    pub fn with_stores(mut self, options: &StoreOptions) -> DestinationConfig {
        if let DestinationConfig::Files(config) = &mut self {
            config.stores = options.clone();
        }
        self
    }

    /// Where it is, for people: a path, or `user@host:port/database`.
    pub fn place(&self) -> String {
        match self {
            DestinationConfig::Sqlite(config) => config.path.display().to_string(),
            DestinationConfig::Mysql(config) => {
                address(&config.user, config.socket.as_deref(), &config.host, config.port, &config.database)
            }
            DestinationConfig::Files(config) => config.place(),
            DestinationConfig::Postgres(config) => config.place(),
        }
    }

    /// Its `type`.
    pub fn kind(&self) -> &'static str {
        match self {
            DestinationConfig::Sqlite(_) => "sqlite",
            DestinationConfig::Mysql(_) => "mysql",
            DestinationConfig::Files(_) => "files",
            DestinationConfig::Postgres(_) => "postgres",
        }
    }
}

fn sqlite(fields: &mut Fields<'_>) -> Result<SqliteConfig> {
    Ok(SqliteConfig {
        path: PathBuf::from(fields.required("path")?),
        lock_timeout: seconds(fields, "lock_timeout", 60)?,
    })
}

fn mysql(fields: &mut Fields<'_>) -> Result<MysqlConfig> {
    let config = MysqlConfig {
        host: fields.text("host")?.unwrap_or_else(|| "localhost".to_string()),
        port: fields.number("port", 1..=u64::from(u16::MAX))?.map_or(3306, |port| port as u16),
        socket: fields.text("socket")?.map(PathBuf::from),
        user: fields.required("user")?,
        password: Secret::new(fields.text("password")?.unwrap_or_default()),
        database: fields.required("database")?,
        ssl_mode: fields.word("ssl_mode", &SslMode::WORDS)?.unwrap_or(SslMode::Preferred),
        ssl_ca: fields.text("ssl_ca")?.map(PathBuf::from),
        ssl_cert: fields.text("ssl_cert")?.map(PathBuf::from),
        ssl_key: fields.text("ssl_key")?.map(PathBuf::from),
        connections: fields.number("connections", 1..=64)?.map_or(4, |count| count as usize),
        bulk: fields.word("bulk", &Bulk::WORDS)?.unwrap_or(Bulk::Auto),
        collation: fields.text("collation")?,
        connect_timeout: seconds(fields, "connect_timeout", 15)?,
        lock_timeout: seconds(fields, "lock_timeout", 60)?,
        read_timeout: seconds(fields, "read_timeout", 30)?.max(Duration::from_secs(1)),
        retries: fields.number("retries", 0..=1000)?.map_or(7, |count| count as u32),
    };
    if fields.text("charset")?.is_some_and(|charset| !charset.eq_ignore_ascii_case("utf8mb4")) {
        return Err(fields.bad("charset", "can only be utf8mb4").help("leave `charset` out"));
    }
    if let Some(collation) = &config.collation {
        let word = collation.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        if !word || !collation.to_ascii_lowercase().starts_with("utf8mb4_") {
            return Err(fields.bad("collation", format!("is `{collation}`, which is no collation of utf8mb4")));
        }
    }
    config.tls().check(fields)?;
    Ok(config)
}

/// A setting in whole seconds.
pub(super) fn seconds(fields: &mut Fields<'_>, key: &'static str, default: u64) -> Result<Duration> {
    Ok(Duration::from_secs(fields.number(key, 0..=86_400)?.unwrap_or(default)))
}

fn unknown_type(name: &str, kind: &str) -> Box<Diagnostic> {
    let message = format!("`type` of destination `{name}` is `{kind}`, which c360 cannot publish to");
    let near = closest(kind, ["sqlite", "mysql", "mariadb", "postgres", "files"])
        .map(|near| format!("did you mean `{near}`?"));
    Diagnostic::error(CONFIG, message)
        .help(near.unwrap_or_else(|| "use `sqlite`, `mysql`, `mariadb`, `postgres` or `files`".to_string()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn message(value: Value) -> String {
        DestinationConfig::parse("bi", &value).expect_err("refused").to_string()
    }

    #[test]
    fn reads_mysql_with_defaults_and_numbers_as_text() {
        let value = json!({"type": "mysql", "host": "db", "port": "3307", "user": "u", "password": 1234,
            "database": "d", "ssl_mode": "verify-identity", "ssl_ca": "ca.pem"});
        let config = DestinationConfig::parse("bi", &value).expect("fine").rooted_at(Path::new("/project"));
        assert_eq!(config.place(), "u@db:3307/d");
        let DestinationConfig::Mysql(config) = config else { panic!("mysql") };
        assert_eq!((config.ssl_mode, config.connections), (SslMode::VerifyIdentity, 4));
        assert_eq!(config.ssl_ca, Some(PathBuf::from("/project/ca.pem")));
        assert_eq!(config.password.reveal(), "1234");
    }

    #[test]
    fn secrets_do_not_print() {
        let value = json!({"type": "mysql", "user": "u", "password": "hunter2", "database": "d"});
        let config = DestinationConfig::parse("bi", &value).expect("fine");
        assert!(!format!("{config:?}").contains("hunter2"));
    }

    #[test]
    fn complaints_name_destination_and_key() {
        assert_eq!(message(json!({"type": "sqlite"})), "`path` of destination `bi` is missing");
        assert_eq!(
            message(json!({"type": "mysql", "user": "u", "database": ""})),
            "`database` of destination `bi` is empty"
        );
        let unknown = json!({"type": "sqlite", "path": "x", "pth": "y"});
        assert_eq!(message(unknown), "destination `bi` has an unknown key `pth`");
        let port = json!({"type": "mysql", "user": "u", "database": "d", "port": 0});
        assert_eq!(message(port), "`port` of destination `bi` is 0, not a whole number from 1 to 65535");
        assert!(message(json!({"type": "mysq", "path": "x"})).contains("cannot publish to"));
        assert_eq!(message(json!("sqlite")), "destination `bi` is text, not a map of settings");
        let useless = json!({"type": "mysql", "user": "u", "database": "d", "ssl_ca": "ca.pem"});
        assert!(message(useless).contains("has no effect"));
    }
}
