//! `type: postgres` of a profile's destinations.

use std::path::PathBuf;
use std::time::Duration;

use sqlx::postgres::PgSslMode;

use super::super::config::{Secret, seconds};
use super::super::fields::Fields;
use super::super::server::{Tls, address};
use crate::diag::Result;

/// `type: postgres` (also `postgresql`).
#[derive(Debug, Clone)]
pub struct PostgresConfig {
    /// Name or address of the server.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// Folder of the Unix socket; used instead of the host.
    pub socket: Option<PathBuf>,
    /// Who logs in.
    pub user: String,
    /// With what.
    pub password: Secret,
    /// The database.
    pub database: String,
    /// The schema of tables whose name has none.
    pub schema: String,
    /// The role that tables belong to (`SET ROLE`); the user itself if absent.
    pub role: Option<String>,
    /// How much TLS is asked of the server.
    pub ssl_mode: PostgresSslMode,
    /// Certificate authority (PEM file) for the modes that verify.
    pub ssl_ca: Option<PathBuf>,
    /// Certificate (PEM file) with which the client proves who it is.
    pub ssl_cert: Option<PathBuf>,
    /// The key of `ssl_cert`.
    pub ssl_key: Option<PathBuf>,
    /// How long to wait for the server to accept a connection.
    pub connect_timeout: Duration,
    /// How long to wait for another publish of the same table, and for readers at the swap.
    pub lock_timeout: Duration,
    /// How long to wait for a sign of life before the server is asked whether it is still there.
    pub read_timeout: Duration,
}

/// `ssl_mode`, in the words of MySQL's clients or of PostgreSQL's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PostgresSslMode {
    /// `disabled`, `disable`: never.
    Disabled,
    /// `allow`: only if the server wants it.
    Allow,
    /// `preferred`, `prefer`: if the server can (the default).
    Preferred,
    /// `required`, `require`: always, whoever the server is.
    Required,
    /// `verify_ca`, `verify-ca`: always, and the server's certificate must come from a trusted authority.
    VerifyCa,
    /// `verify_identity`, `verify-full`: as `VerifyCa`, and it must be the certificate of `host`.
    VerifyIdentity,
}

impl PostgresSslMode {
    const WORDS: [(&'static str, PostgresSslMode); 10] = [
        ("disabled", PostgresSslMode::Disabled),
        ("preferred", PostgresSslMode::Preferred),
        ("required", PostgresSslMode::Required),
        ("verify_ca", PostgresSslMode::VerifyCa),
        ("verify_identity", PostgresSslMode::VerifyIdentity),
        ("disable", PostgresSslMode::Disabled),
        ("allow", PostgresSslMode::Allow),
        ("prefer", PostgresSslMode::Preferred),
        ("require", PostgresSslMode::Required),
        ("verify_full", PostgresSslMode::VerifyIdentity),
    ];

    /// `allow` begins without TLS, and the caller tries again with it.
    pub(super) fn to_sqlx(self) -> PgSslMode {
        match self {
            PostgresSslMode::Disabled | PostgresSslMode::Allow => PgSslMode::Disable,
            PostgresSslMode::Preferred => PgSslMode::Prefer,
            PostgresSslMode::Required => PgSslMode::Require,
            PostgresSslMode::VerifyCa => PgSslMode::VerifyCa,
            PostgresSslMode::VerifyIdentity => PgSslMode::VerifyFull,
        }
    }

    /// True for modes that look at the server's certificate.
    pub(super) fn verifies(self) -> bool {
        matches!(self, PostgresSslMode::VerifyCa | PostgresSslMode::VerifyIdentity)
    }
}

impl PostgresConfig {
    /// Reads the settings. The names that dbt and libpq have for some of them are understood too.
    pub(in super::super) fn parse(fields: &mut Fields<'_>) -> Result<PostgresConfig> {
        let config = PostgresConfig {
            host: fields.text("host")?.unwrap_or_else(|| "localhost".to_string()),
            port: fields.number("port", 1..=u64::from(u16::MAX))?.map_or(5432, |port| port as u16),
            socket: fields.text("socket")?.map(PathBuf::from),
            user: fields.required("user")?,
            password: Secret::new(either(fields, "password", "pass")?.unwrap_or_default()),
            database: match fields.text("dbname")? {
                Some(name) if !name.is_empty() => {
                    fields.text("database")?;
                    name
                }
                _ => fields.required("database")?,
            },
            schema: fields.text("schema")?.filter(|name| !name.is_empty()).unwrap_or_else(|| "public".to_string()),
            role: fields.text("role")?.filter(|name| !name.is_empty()),
            ssl_mode: match fields.word("ssl_mode", &PostgresSslMode::WORDS)? {
                Some(mode) => mode,
                None => fields.word("sslmode", &PostgresSslMode::WORDS)?.unwrap_or(PostgresSslMode::Preferred),
            },
            ssl_ca: either(fields, "ssl_ca", "sslrootcert")?.map(PathBuf::from),
            ssl_cert: either(fields, "ssl_cert", "sslcert")?.map(PathBuf::from),
            ssl_key: either(fields, "ssl_key", "sslkey")?.map(PathBuf::from),
            connect_timeout: seconds(fields, "connect_timeout", 15)?,
            lock_timeout: seconds(fields, "lock_timeout", 60)?,
            read_timeout: seconds(fields, "read_timeout", 30)?.max(Duration::from_secs(1)),
        };
        config.tls().check(fields)?;
        Ok(config)
    }

    /// The settings of its TLS connections.
    pub(super) fn tls(&self) -> Tls<'_> {
        let PostgresConfig { ssl_ca: ca, ssl_cert: cert, ssl_key: key, .. } = self;
        Tls { ca, cert, key, verifies: self.ssl_mode.verifies() }
    }

    /// The paths in it.
    pub(in super::super) fn paths(&mut self) -> impl Iterator<Item = &mut PathBuf> {
        [&mut self.ssl_ca, &mut self.ssl_cert, &mut self.ssl_key].into_iter().flatten()
    }

    /// `user@host:port/database`.
    pub(in super::super) fn place(&self) -> String {
        address(&self.user, self.socket.as_deref(), &self.host, self.port, &self.database)
    }
}

/// A setting that has two names.
fn either(fields: &mut Fields<'_>, name: &'static str, other: &'static str) -> Result<Option<String>> {
    let found = fields.text(name)?;
    let same = fields.text(other)?;
    Ok(found.or(same))
}
