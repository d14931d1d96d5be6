//! What the errors of servers mean to who reads from them, and what can be done.

use std::io;

use sqlx::mysql::MySqlDatabaseError;

use super::collect::Stop;
use super::spec::DatabaseSpec;
use crate::diag::{Diagnostic, codes};
use crate::publish::driver_words;

/// What was being done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Doing {
    /// Logging in.
    Connecting,
    /// Asking what the table is.
    Describing,
    /// Reading; so many rows had come.
    Reading(u64),
}

/// The diagnostic for what stopped a scan; none if nobody wants to know.
pub(super) fn diagnose(spec: &DatabaseSpec, doing: Doing, stop: Stop) -> Option<Box<Diagnostic>> {
    match stop {
        Stop::Unwanted => None,
        Stop::Found(found) => Some(spec.placed(found)),
        Stop::Server(error) => Some(spec.placed(refused(spec, doing, &error))),
    }
}

fn refused(spec: &DatabaseSpec, doing: Doing, error: &sqlx::Error) -> Box<Diagnostic> {
    let name = &spec.name;
    let what = match doing {
        Doing::Connecting => format!("no connection for source `{name}`"),
        Doing::Describing => format!("the table of source `{name}` cannot be looked at"),
        Doing::Reading(rows) => format!("source `{name}` could not be read to its end ({rows} rows had come)"),
    };
    let lost = is_lost(error) && matches!(doing, Doing::Reading(_));
    Diagnostic::error(codes::SOURCE_DATABASE, format!("{what}: {}", driver_words(error)))
        // Rows that were sent are on their way through the plan; reading them again would double them.
        .maybe_help(lost.then_some("run it again: nothing of what came was kept"))
        .maybe_help(help(error))
}

/// MySQL's number, Postgres' five characters, or SQLite's number.
fn code(error: &sqlx::Error) -> String {
    let Some(error) = error.as_database_error() else { return String::new() };
    match error.try_downcast_ref::<MySqlDatabaseError>() {
        Some(error) => error.number().to_string(),
        None => error.code().unwrap_or_default().into_owned(),
    }
}

/// True if the connection is gone, and not just the question refused.
fn is_lost(error: &sqlx::Error) -> bool {
    let gone = ["1053", "1152", "1927", "2006", "2013", "57P01", "57P02"];
    matches!(error, sqlx::Error::Io(_)) || gone.contains(&code(error).as_str())
}

/// True if another login may succeed a moment later.
pub(super) fn is_passing(error: &sqlx::Error) -> bool {
    ["1040", "1203", "1226", "53300", "57P03"].contains(&code(error).as_str())
}

fn help(error: &sqlx::Error) -> Option<&'static str> {
    if let sqlx::Error::Io(error) = error {
        return match error.kind() {
            io::ErrorKind::ConnectionRefused => {
                Some("nothing listens there: is the server running, are host and port right?")
            }
            io::ErrorKind::TimedOut => Some("the server does not answer: look at host, port and firewalls"),
            io::ErrorKind::NotFound => Some("look at `socket` of the connection: there is no such file"),
            io::ErrorKind::InvalidData => {
                Some("look at `ssl_mode` and `ssl_ca` of the connection: the server's certificate is not trusted")
            }
            _ => None,
        };
    }
    if matches!(error, sqlx::Error::Tls(_)) {
        return Some("look at `ssl_mode` and `ssl_ca` of the connection");
    }
    Some(match code(error).as_str() {
        "1045" | "1698" | "28P01" | "28000" => "look at `user` and `password` of the connection",
        "1044" | "1142" | "1143" | "42501" => "the user needs SELECT on the table",
        "1049" | "3D000" => "look at `database` of the connection",
        "1040" | "1203" | "1226" | "53300" => "the server has no connection left; set fewer `partitions`",
        "1130" => "the server does not allow logins from this host",
        "1146" | "42P01" => "the table is gone: was it dropped while the run went on?",
        "1054" | "42703" => "a column is gone: was the table altered while the run went on?",
        "1356" => "the view reads what is not there, or what its definer may not read",
        "1412" => "the table was altered while it was read; run it again",
        "14" => "look at `path` of the connection: the file has to be there and readable",
        "26" | "11" => "the file is no SQLite database",
        "5" | "6" | "261" | "262" => "another program holds the file; close it, or set a longer `lock_timeout`",
        _ => return None,
    })
}
