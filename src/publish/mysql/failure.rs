//! What MySQL's errors mean: which may pass, which concern a value, and what can be done about the rest.

use std::io;

use sqlx::mysql::MySqlDatabaseError;

use super::super::place::Place;
use super::super::server::{CERTIFICATE_HELP, TLS_HELP, unreached};
use super::super::shape::{Chunk, Shape};
use crate::diag::{Code, Diagnostic, codes};

/// A failure of one load.
#[derive(Debug)]
pub(super) enum Failure {
    /// Trying again may help.
    Passing(Box<Diagnostic>),
    /// It will not.
    Final(Box<Diagnostic>),
}

impl From<Box<Diagnostic>> for Failure {
    fn from(diagnostic: Box<Diagnostic>) -> Failure {
        Failure::Final(diagnostic)
    }
}

/// What an error says, whichever driver it comes from.
#[derive(Debug, Clone)]
pub(super) struct Said {
    /// The server's number for it.
    pub(super) number: Option<u16>,
    /// The server's words, or the driver's.
    pub(super) words: String,
    cause: Cause,
}

/// Where an error arose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cause {
    Server,
    Io(io::ErrorKind),
    Tls,
    Settings,
    Other,
}

impl Said {
    /// Words of the server about a value or row.
    pub(super) fn by_server(number: u16, words: String) -> Said {
        Said { number: Some(number), words, cause: Cause::Server }
    }

    /// The connection is of no use any more.
    pub(super) fn lost(words: impl Into<String>) -> Said {
        Said { number: None, words: words.into(), cause: Cause::Io(io::ErrorKind::ConnectionAborted) }
    }

    /// A setting that cannot be kept.
    pub(super) fn settings(words: impl Into<String>) -> Said {
        Said { number: None, words: words.into(), cause: Cause::Settings }
    }

    fn io(error: &io::Error) -> Said {
        let words = match error.kind() {
            io::ErrorKind::UnexpectedEof => "the server closed the connection".to_string(),
            _ => error.to_string(),
        };
        Said { number: None, words, cause: Cause::Io(error.kind()) }
    }

    fn tls(error: impl std::fmt::Display) -> Said {
        Said { number: None, words: format!("no TLS connection: {error}"), cause: Cause::Tls }
    }
}

impl From<&sqlx::Error> for Said {
    fn from(error: &sqlx::Error) -> Said {
        match error {
            sqlx::Error::Database(error) => Said {
                number: error.try_downcast_ref::<MySqlDatabaseError>().map(MySqlDatabaseError::number),
                words: error.message().to_string(),
                cause: Cause::Server,
            },
            sqlx::Error::Io(error) => Said::io(error),
            sqlx::Error::Tls(error) => Said::tls(error),
            sqlx::Error::Configuration(error) => {
                Said { number: None, words: error.to_string(), cause: Cause::Settings }
            }
            other => Said { number: None, words: other.to_string(), cause: Cause::Other },
        }
    }
}

impl From<&mysql_async::Error> for Said {
    fn from(error: &mysql_async::Error) -> Said {
        use mysql_async::{DriverError, Error, IoError, LocalInfileError};
        match error {
            Error::Server(error) => Said::by_server(error.code, error.message.clone()),
            Error::Io(IoError::Io(error)) => Said::io(error),
            Error::Io(IoError::Tls(error)) => Said::tls(error),
            Error::Driver(DriverError::LocalInfile(LocalInfileError::ReadError(error))) => Said::io(error),
            Error::Driver(DriverError::ConnectionClosed) => Said::lost("the server closed the connection"),
            Error::Driver(DriverError::NoClientSslFlagFromServer) => Said::tls("the server does not support TLS"),
            other => Said { number: None, words: other.to_string(), cause: Cause::Other },
        }
    }
}

/// The server's number for an error.
pub(super) fn number(error: impl Into<Said>) -> Option<u16> {
    error.into().number
}

/// A statement was undone by the server because of another one, and may simply be run again.
pub(super) fn is_conflict(error: impl Into<Said>) -> bool {
    matches!(number(error), Some(1205 | 1213))
}

/// The server, or the user, has no connection left.
pub(super) fn is_full(error: impl Into<Said>) -> bool {
    matches!(number(error), Some(1040 | 1203 | 1226))
}

/// What `error` means for a load that was going on.
pub(super) fn judge(place: &Place, error: impl Into<Said>) -> Failure {
    let said = error.into();
    let (code, help) = meaning(&said);
    let diagnostic = place.failed(code, &said.words).maybe_help(help);
    let passing = match said.cause {
        // What a TLS handshake fails with stays as it is; a broken connection may be mended.
        Cause::Io(kind) => kind != io::ErrorKind::InvalidData,
        _ => matches!(
            said.number,
            // Too many connections, shutdown, lost packets, lock waits, deadlocks, an interrupted statement, a table that
            // changed under a prepared statement, a killed connection (which is how MariaDB says that it goes down).
            Some(
                1040 | 1053 | 1077..=1080 | 1152 | 1158..=1161 | 1184 | 1203 | 1205 | 1213 | 1317 | 1412 | 1615 | 1927,
            )
        ),
    };
    if passing { Failure::Passing(diagnostic) } else { Failure::Final(diagnostic) }
}

/// What `error` means for a first login: nothing was tried before, so a refusal is told at once.
pub(super) fn no_connection(place: &Place, error: impl Into<Said>) -> Box<Diagnostic> {
    let said = error.into();
    let (_, help) = meaning(&said);
    let help = match said.cause {
        Cause::Io(kind) => {
            Some(unreached(kind, "it listens but hangs up: is it a MySQL server, and does it allow this host?"))
        }
        Cause::Tls => Some(TLS_HELP),
        Cause::Settings => Some(CERTIFICATE_HELP),
        Cause::Server | Cause::Other => help,
    };
    place.failed(codes::DESTINATION_UNREACHABLE, &said.words).maybe_help(help)
}

/// The code of an error and what to do about it.
fn meaning(said: &Said) -> (Code, Option<&'static str>) {
    use codes::{DESTINATION_UNREACHABLE, PUBLISH_FAILED};
    let (code, help) = match said.number {
        Some(1045 | 1698) => (DESTINATION_UNREACHABLE, "look at `user` and `password` of the destination"),
        Some(1044) => (DESTINATION_UNREACHABLE, "let the user use the database: GRANT ALL ON database.* TO user"),
        Some(1049) => (DESTINATION_UNREACHABLE, "look at `database` of the destination, or create the database"),
        Some(1040 | 1203 | 1226) => {
            (DESTINATION_UNREACHABLE, "the server has no connection left; set fewer `connections`")
        }
        Some(1130) => (DESTINATION_UNREACHABLE, "the server does not allow logins from this host"),
        Some(1142 | 1143 | 1227 | 1370) => {
            (PUBLISH_FAILED, "the user needs SELECT, INSERT, CREATE, ALTER, DROP and INDEX on the database")
        }
        Some(1021 | 1114 | 1026 | 3) => (PUBLISH_FAILED, "look at the server's disk: it may be full"),
        Some(1153) => (PUBLISH_FAILED, "raise the server's max_allowed_packet"),
        Some(1205 | 1213) => (PUBLISH_FAILED, "another client holds locks on the table; publish when it is quieter"),
        Some(1290 | 1836 | 3100) => (PUBLISH_FAILED, "the server is read-only: is it a replica?"),
        Some(1118) => (PUBLISH_FAILED, "declare shorter types under `columns`, or publish fewer columns"),
        Some(1071) => (PUBLISH_FAILED, "make the key or index shorter"),
        Some(3750) => (PUBLISH_FAILED, "the server wants a primary key in every table: set `key`"),
        Some(1064) => (PUBLISH_FAILED, "look at the types under `columns`"),
        Some(1148 | 3948 | 4166) => {
            (PUBLISH_FAILED, "the server forbids LOAD DATA LOCAL: set `bulk: insert` or `auto`")
        }
        Some(1317) => (PUBLISH_FAILED, "somebody, or a limit of the server, stopped the statement"),
        Some(1969 | 3024) => (PUBLISH_FAILED, "raise the server's limit of time for a statement"),
        Some(3159) => (DESTINATION_UNREACHABLE, "the server wants TLS: set `ssl_mode: required`"),
        Some(1273 | 1253) => (PUBLISH_FAILED, "look at `collation` of the destination"),
        _ => return (PUBLISH_FAILED, None),
    };
    (code, Some(help))
}

/// What `error` means for the statement that moves rows from the loaded table to the published one.
pub(super) fn refused_merge(place: &Place, error: impl Into<Said>) -> Failure {
    let said = error.into();
    let help = match said.number {
        Some(1062) => "rows that are added have keys that are there already: use `mode: upsert`",
        Some(1048 | 1264..=1265 | 1292 | 1364 | 1366..=1367 | 1406 | 4025) => {
            "the table's columns do not hold the new rows: run with --full-refresh to build the table again"
        }
        _ => return judge(place, said),
    };
    place.unfit(said.words).help(help).into()
}

/// The message for a value that the server refused, if that is what it said about rows `run` of `chunk`.
pub(super) fn refused_value(
    place: &Place,
    shape: &Shape,
    chunk: &Chunk,
    run: std::ops::Range<usize>,
    said: impl Into<Said>,
) -> Option<Box<Diagnostic>> {
    let Said { number, words: said, .. } = said.into();
    let number = number?;
    if number == 1062 {
        let names = shape.key_names().join("`, `");
        return Some(
            place
                .failed(codes::PUBLISH_FAILED, format!("two rows have the same key: {said}"))
                .help(format!("the key is `{names}`, and the server takes some different texts for equal")),
        );
    }
    if !REFUSALS.contains(&number) {
        return None;
    }
    let row = said.rsplit_once(" at row ").and_then(|(_, row)| row.trim().parse::<usize>().ok());
    let row = row.and_then(|row| run.clone().nth(row.checked_sub(1)?));
    let field = shape.fields.iter().position(|field| names_column(&said, &field.name));
    let problem = match (field, row) {
        (Some(at), Some(row)) => {
            let cell = chunk.columns[at].cell(row);
            format!("column `{}` cannot hold {}: {said}", shape.fields[at].name, cell.show())
        }
        _ => said,
    };
    let error =
        place.unfit(problem).help("change the column's type under `columns` of `publish`, or the value in the model");
    Some(match row {
        Some(row) => error.note(shape.whereabouts(&chunk.batch, chunk.first_row, row)),
        None => error,
    })
}

/// Numbers of errors and warnings about a value that its column cannot hold: no nulls, out of range, cut, no number or date,
/// too long, no JSON, a broken check.
const REFUSALS: [u16; 14] = [1048, 1263, 1264, 1265, 1292, 1300, 1366, 1367, 1406, 1411, 3140, 3141, 3819, 4025];

/// True if the server's sentence is about column `name`: it is quoted there, alone or after database and table.
fn names_column(said: &str, name: &str) -> bool {
    let Some((_, rest)) = said.rsplit_once("olumn ") else { return false };
    let quoted = rest.split(" at row ").next().unwrap_or(rest);
    [format!("'{name}'"), format!("`{name}`")].iter().any(|end| quoted.trim_end_matches('.').contains(end.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_found_in_the_servers_words() {
        assert!(names_column("Data too long for column 'Taste' at row 3", "Taste"));
        assert!(names_column("Incorrect integer value: 'x' for column `db`.`t`.`n` at row 1", "n"));
        assert!(names_column("Column 'a' cannot be null", "a"));
        assert!(!names_column("Data too long for column 'Taste' at row 3", "T"));
        assert!(!names_column("Lock wait timeout exceeded", "a"));
    }
}
