//! What MySQL's errors mean: which may pass, which concern a value, and what can be done about the rest.

use std::io;

use sqlx::mysql::MySqlDatabaseError;

use super::super::place::Place;
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

/// The server's number for an error.
pub(super) fn number(error: &sqlx::Error) -> Option<u16> {
    let error = error.as_database_error()?.try_downcast_ref::<MySqlDatabaseError>()?;
    Some(error.number())
}

/// The server's words, or the driver's.
fn words(error: &sqlx::Error) -> String {
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

/// A statement was undone by the server because of another one, and may simply be run again.
pub(super) fn is_conflict(error: &sqlx::Error) -> bool {
    matches!(number(error), Some(1205 | 1213))
}

/// The server, or the user, has no connection left.
pub(super) fn is_full(error: &sqlx::Error) -> bool {
    matches!(number(error), Some(1040 | 1203 | 1226))
}

/// What `error` means for a load that was going on.
pub(super) fn judge(place: &Place, error: &sqlx::Error) -> Failure {
    let (code, help) = meaning(error);
    let diagnostic = place.failed(code, words(error)).maybe_help(help);
    let passing = match error {
        sqlx::Error::Io(_) => true,
        _ => matches!(
            number(error),
            // Too many connections, shutdown, lost packets, lock waits, deadlocks, a table that changed under a
            // prepared statement, a killed connection (which is how MariaDB says that it goes down).
            Some(1040 | 1053 | 1077..=1080 | 1152 | 1158..=1161 | 1184 | 1203 | 1205 | 1213 | 1412 | 1615 | 1927)
        ),
    };
    if passing { Failure::Passing(diagnostic) } else { Failure::Final(diagnostic) }
}

/// What `error` means for a first login: nothing was tried before, so a refusal is told at once.
pub(super) fn no_connection(place: &Place, error: &sqlx::Error) -> Box<Diagnostic> {
    let (_, help) = meaning(error);
    let help = match error {
        sqlx::Error::Io(error) => Some(match error.kind() {
            io::ErrorKind::ConnectionRefused => {
                "nothing listens there: is the server running, are host and port right?"
            }
            io::ErrorKind::TimedOut => "the server does not answer: look at host, port and firewalls",
            io::ErrorKind::NotFound => "look at `socket`: there is no such file",
            // What a TLS handshake fails with.
            io::ErrorKind::InvalidData => "look at `ssl_mode` and `ssl_ca`: the server's certificate is not trusted",
            io::ErrorKind::UnexpectedEof => {
                "it listens but hangs up: is it a MySQL server, and does it allow this host?"
            }
            _ => "look at `host` and `port` of the destination, and at the network",
        }),
        sqlx::Error::Tls(_) => Some("look at `ssl_mode` and `ssl_ca` of the destination"),
        sqlx::Error::Configuration(_) => Some("look at `ssl_ca`, `ssl_cert` and `ssl_key` of the destination"),
        _ => help,
    };
    place.failed(codes::DESTINATION_UNREACHABLE, words(error)).maybe_help(help)
}

/// The code of an error and what to do about it.
fn meaning(error: &sqlx::Error) -> (Code, Option<&'static str>) {
    use codes::{DESTINATION_UNREACHABLE, PUBLISH_FAILED};
    let (code, help) = match number(error) {
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
        Some(1273 | 1253) => (PUBLISH_FAILED, "look at `collation` of the destination"),
        _ => return (PUBLISH_FAILED, None),
    };
    (code, Some(help))
}

/// What `error` means for the statement that moves rows from the loaded table to the published one.
pub(super) fn refused_merge(place: &Place, error: &sqlx::Error) -> Failure {
    let said = words(error);
    let help = match number(error) {
        Some(1062) => "rows that are added have keys that are there already: use `mode: upsert`",
        Some(1048 | 1264..=1265 | 1292 | 1364 | 1366..=1367 | 1406 | 4025) => {
            "the table's columns do not hold the new rows: run with --full-refresh to build the table again"
        }
        _ => return judge(place, error),
    };
    place.unfit(said).help(help).into()
}

/// The message for a value that the server refused, if `error` is about one: the rows are those `from` on of `chunk`.
pub(super) fn refused_value(
    place: &Place,
    shape: &Shape,
    chunk: &Chunk,
    run: std::ops::Range<usize>,
    error: &sqlx::Error,
) -> Option<Box<Diagnostic>> {
    let number = number(error)?;
    let said = words(error);
    if number == 1062 {
        let names = shape.key_names().join("`, `");
        return Some(
            place
                .failed(codes::PUBLISH_FAILED, format!("two rows have the same key: {said}"))
                .help(format!("the key is `{names}`, and the server takes some different texts for equal")),
        );
    }
    if !matches!(number, 1048 | 1264..=1265 | 1292 | 1366..=1367 | 1406 | 1411 | 3140..=3141 | 3819 | 4025) {
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
