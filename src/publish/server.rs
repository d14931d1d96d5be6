//! What destinations that are database servers share: settings, logins, and the words of their drivers.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::fields::Fields;
use crate::diag::Result;

/// What can be done about a TLS connection that did not come about.
pub(super) const TLS_HELP: &str = "look at `ssl_mode` and `ssl_ca` of the destination";
/// What can be done about certificates that the driver does not take.
pub(super) const CERTIFICATE_HELP: &str = "look at `ssl_ca`, `ssl_cert` and `ssl_key` of the destination";

/// The files of a TLS connection, and whether its mode looks at the server's certificate.
pub(super) struct Tls<'a> {
    pub(super) ca: &'a Option<PathBuf>,
    pub(super) cert: &'a Option<PathBuf>,
    pub(super) key: &'a Option<PathBuf>,
    pub(super) verifies: bool,
}

impl Tls<'_> {
    /// C6006 for settings that do not go together.
    pub(super) fn check(&self, fields: &Fields<'_>) -> Result<()> {
        if self.cert.is_some() != self.key.is_some() {
            return Err(fields.bad("ssl_cert", "and `ssl_key` belong together; one of them is missing"));
        }
        if self.ca.is_some() && !self.verifies {
            let help = "set `ssl_mode: verify_ca` or `verify_identity`, or leave `ssl_ca` out";
            return Err(fields.bad("ssl_ca", "has no effect unless `ssl_mode` verifies the server").help(help));
        }
        Ok(())
    }

    /// Finds files that are not there: a driver would say that one is missing, but not which.
    pub(super) fn find_files(&self) -> std::result::Result<(), sqlx::Error> {
        for (name, path) in [("ssl_ca", self.ca), ("ssl_cert", self.cert), ("ssl_key", self.key)] {
            if let Some(path) = path
                && let Err(error) = std::fs::File::open(path)
            {
                let message = format!("`{name}` {} cannot be read: {error}", path.display());
                return Err(sqlx::Error::Configuration(message.into()));
            }
        }
        Ok(())
    }
}

/// Drivers verify certificates with the process's provider of cryptography. The program installs one; a test or another
/// program that uses the library may not have.
pub(super) fn install_crypto() {
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        // Another thread may have been faster.
        let _ = rustls::crypto::ring::default_provider().install_default();
    }
}

/// `user@host:port/database`, or with the socket in the place of host and port.
pub(super) fn address(user: &str, socket: Option<&Path>, host: &str, port: u16, database: &str) -> String {
    match socket {
        Some(socket) => format!("{user}@{}/{database}", socket.display()),
        None => format!("{user}@{host}:{port}/{database}"),
    }
}

/// What `login` comes to, unless it takes longer than `limit`.
pub(super) async fn patient<T>(limit: Duration, login: impl Future<Output = T>) -> std::result::Result<T, sqlx::Error> {
    tokio::time::timeout(limit, login).await.map_err(|_| {
        let message = format!("no answer within {} s", limit.as_secs());
        sqlx::Error::Io(io::Error::new(io::ErrorKind::TimedOut, message))
    })
}

/// The server's words, or the driver's.
pub(crate) fn words(error: &sqlx::Error) -> String {
    match error {
        sqlx::Error::Database(error) => error.message().to_string(),
        sqlx::Error::Io(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
            "the server closed the connection".to_string()
        }
        sqlx::Error::Io(error) => error.to_string(),
        sqlx::Error::Configuration(error) => error.to_string(),
        sqlx::Error::Tls(error) => format!("no TLS connection: {error}"),
        other => other.to_string(),
    }
}

/// What can be done about a server that is not reached; `hangs_up`: about one that answers and ends the connection.
pub(super) fn unreached(kind: io::ErrorKind, hangs_up: &'static str) -> &'static str {
    match kind {
        io::ErrorKind::ConnectionRefused => "nothing listens there: is the server running, are host and port right?",
        io::ErrorKind::TimedOut => "the server does not answer: look at host, port and firewalls",
        io::ErrorKind::NotFound => "look at `socket`: there is no such file",
        // What a TLS handshake fails with.
        io::ErrorKind::InvalidData => "look at `ssl_mode` and `ssl_ca`: the server's certificate is not trusted",
        io::ErrorKind::UnexpectedEof => hangs_up,
        _ => "look at `host` and `port` of the destination, and at the network",
    }
}
