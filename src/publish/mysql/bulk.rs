//! The second driver: `mysql_async`, for `LOAD DATA LOCAL` alone, which sqlx cannot send.
//!
//! A setting of the destination means the same here as in `connect`. Where the driver cannot keep that promise (TLS over a
//! Unix socket; certificates whose names do not match, which `verify_ca` allows) it is helped, or refused.
//!
//! `LOAD DATA LOCAL` is lenient: the server has no way to stop the client in the middle of a file, so what is an error of
//! an `INSERT` is a warning here, and the value is bent or the row skipped. So every warning ends the load. The
//! harmless kind, digits that a declared type rounds away, is a note, and notes are switched off.

use std::time::Duration;

use bytes::Bytes;
use futures::StreamExt;
use mysql_async::prelude::Queryable;
use mysql_async::{ClientIdentity, Conn, DriverError, Error, IoError, OptsBuilder, SslOpts, TlsError};
use rustls::CertificateError;

use super::super::config::{MysqlConfig, SslMode};
use super::super::server::{install_crypto, patient};
use super::connect::session;
use super::failure::Said;

/// Bytes of the packets that carry a file. Every server takes packets of this size.
const PACKET: usize = 128 * 1024;

/// A connection that can load data.
pub(super) struct Bulk {
    connection: Conn,
}

impl Bulk {
    /// Logs in and sets the session up.
    pub(super) async fn connect(config: &MysqlConfig) -> Result<Bulk, Said> {
        install_crypto();
        config.tls().find_files().map_err(|error| Said::from(&error))?;
        let connection = patient(config.connect_timeout, login(config)).await.map_err(|error| Said::from(&error))??;
        Ok(Bulk { connection })
    }

    /// The server's number for the connection.
    pub(super) async fn id(&mut self) -> Result<u64, Said> {
        let id: Option<u64> = self.connection.query_first("select connection_id()").await.map_err(said)?;
        Ok(id.unwrap_or_default())
    }

    /// Runs `statement`, a `LOAD DATA LOCAL`, with `file` as the file's content, whatever name the statement says.
    ///
    /// # Errors
    /// The server's error, or its first warning: a value was bent, or a row was not taken.
    pub(super) async fn load(&mut self, statement: &str, file: Bytes) -> Result<(), Said> {
        let pieces = (0..file.len().div_ceil(PACKET))
            .map(move |piece| Ok(file.slice(piece * PACKET..file.len().min((piece + 1) * PACKET))));
        self.connection.set_infile_handler(async move { Ok(futures::stream::iter(pieces).boxed()) });
        self.connection.query_drop(statement).await.map_err(said)?;
        if self.connection.get_warnings() == 0 {
            return Ok(());
        }
        let warnings: Vec<(String, u16, String)> = self.connection.query("show warnings").await.map_err(said)?;
        let worst = warnings.into_iter().find(|(level, ..)| level != "Note");
        let (number, words) = worst.map_or((0, "the server warned".to_string()), |(_, number, words)| (number, words));
        Err(Said::by_server(number, words))
    }

    /// Says goodbye.
    pub(super) async fn close(self) {
        let _ = self.connection.disconnect().await;
    }
}

fn said(error: Error) -> Said {
    Said::from(&error)
}

async fn login(config: &MysqlConfig) -> Result<Conn, Said> {
    let mut connection = match config.ssl_mode {
        SslMode::Disabled => Conn::new(options(config, None)).await.map_err(said)?,
        // A socket does not leave the machine, and the driver knows no TLS there.
        SslMode::Preferred if config.socket.is_some() => Conn::new(options(config, None)).await.map_err(said)?,
        _ if config.socket.is_some() => {
            return Err(Said::settings("LOAD DATA LOCAL over a Unix socket has no TLS, which `ssl_mode` demands"));
        }
        SslMode::Preferred => match Conn::new(options(config, Some(tls(config)))).await {
            Err(Error::Driver(DriverError::NoClientSslFlagFromServer)) => {
                Conn::new(options(config, None)).await.map_err(said)?
            }
            other => other.map_err(said)?,
        },
        SslMode::VerifyCa => verify_ca(config).await?,
        SslMode::Required | SslMode::VerifyIdentity => {
            Conn::new(options(config, Some(tls(config)))).await.map_err(said)?
        }
    };
    connection.query_drop(session(config)).await.map_err(said)?;
    // Room for the warnings that a load looks at, and none for notes.
    connection.query_drop("SET SESSION max_error_count = 64, sql_notes = 0").await.map_err(said)?;
    Ok(connection)
}

/// `verify_ca` takes any name in a certificate of the right authority. The driver's own switch for that has no effect with
/// this version of rustls, so a refused name is replaced by one that the (then verified) certificate has.
async fn verify_ca(config: &MysqlConfig) -> Result<Conn, Said> {
    let error = match Conn::new(options(config, Some(tls(config)))).await {
        Ok(connection) => return Ok(connection),
        Err(error) => error,
    };
    let Some(name) = presented_name(&error) else { return Err(said(error)) };
    let tls = tls(config).with_danger_tls_hostname_override(Some(name));
    Conn::new(options(config, Some(tls))).await.map_err(said)
}

/// A name that the server's certificate has, if its name is what was refused.
fn presented_name(error: &Error) -> Option<String> {
    let refused = match error {
        Error::Io(IoError::Tls(TlsError::Tls(error))) => error,
        Error::Io(IoError::Io(error)) => error.get_ref()?.downcast_ref::<rustls::Error>()?,
        _ => return None,
    };
    let rustls::Error::InvalidCertificate(CertificateError::NotValidForNameContext { presented, .. }) = refused else {
        return None;
    };
    presented.iter().find_map(|name| plain_name(name))
}

/// `DnsName("*.db.example")` is `x.db.example`, `IpAddress(127.0.0.1)` is 127.0.0.1: rustls keeps the names as it prints them.
fn plain_name(printed: &str) -> Option<String> {
    let inner = printed.split_once('(')?.1.strip_suffix(')')?.trim_matches('"');
    let name = match inner.strip_prefix("*.") {
        Some(rest) => format!("x.{rest}"),
        None => inner.to_string(),
    };
    rustls::pki_types::ServerName::try_from(name.clone()).is_ok().then_some(name)
}

fn options(config: &MysqlConfig, tls: Option<SslOpts>) -> OptsBuilder {
    let password = config.password.reveal();
    OptsBuilder::default()
        .ip_or_hostname(config.host.as_str())
        .tcp_port(config.port)
        .user(Some(config.user.as_str()))
        .pass((!password.is_empty()).then_some(password))
        .db_name(Some(config.database.as_str()))
        .socket(config.socket.as_ref().map(|path| path.to_string_lossy().into_owned()))
        // The driver would leave the asked way for a socket that it thinks it shares with the server.
        .prefer_socket(false)
        .tcp_keepalive(Some(Duration::from_secs(60)))
        .ssl_opts(tls)
}

fn tls(config: &MysqlConfig) -> SslOpts {
    let verifies = matches!(config.ssl_mode, SslMode::VerifyCa | SslMode::VerifyIdentity);
    let identity = match (&config.ssl_cert, &config.ssl_key) {
        (Some(cert), Some(key)) => Some(ClientIdentity::new(cert.clone().into(), key.clone().into())),
        _ => None,
    };
    SslOpts::default()
        .with_root_certs(config.ssl_ca.iter().map(|path| path.clone().into()).collect())
        .with_client_identity(identity)
        .with_danger_accept_invalid_certs(!verifies)
}

#[cfg(test)]
mod tests {
    use super::plain_name;

    #[test]
    fn names_are_taken_out_of_what_rustls_prints() {
        assert_eq!(plain_name("DnsName(\"db.example\")").as_deref(), Some("db.example"));
        assert_eq!(plain_name("DnsName(\"*.db.example\")").as_deref(), Some("x.db.example"));
        assert_eq!(plain_name("IpAddress(127.0.0.1)").as_deref(), Some("127.0.0.1"));
        assert_eq!(plain_name("DirectoryName"), None);
        assert_eq!(plain_name("DnsName(\"no name\")"), None);
    }
}
