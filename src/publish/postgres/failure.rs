//! What PostgreSQL's errors mean: which may pass, which concern a value, and what can be done about the rest.

use std::sync::Arc;

use sqlx::postgres::PgDatabaseError;

use super::super::place::Place;
use super::super::server::{self, CERTIFICATE_HELP, TLS_HELP, unreached};
use super::super::shape::{Chunk, Shape};
use crate::diag::{Code, Diagnostic, codes};

/// A failure of one load.
#[derive(Debug)]
pub(super) enum Failure {
    /// Trying again may help.
    Passing(Box<Diagnostic>),
    /// The server is lost, and with it the connection: not even a goodbye gets there.
    Lost(Box<Diagnostic>),
    /// It will not.
    Final(Box<Diagnostic>),
}

impl From<Box<Diagnostic>> for Failure {
    fn from(diagnostic: Box<Diagnostic>) -> Failure {
        Failure::Final(diagnostic)
    }
}

fn database(error: &sqlx::Error) -> Option<&PgDatabaseError> {
    error.as_database_error()?.try_downcast_ref::<PgDatabaseError>()
}

/// The server's five characters for an error (SQLSTATE).
pub(super) fn state(error: &sqlx::Error) -> Option<String> {
    database(error).map(|error| error.code().to_string())
}

/// The server's words, or the driver's.
fn words(error: &sqlx::Error) -> String {
    match error {
        sqlx::Error::Database(_) => match database(error) {
            Some(error) => match error.detail().filter(|detail| !error.message().contains(detail)) {
                // Details of a refused row repeat all of its values.
                Some(detail) if !detail.starts_with("Failing row") => format!("{} ({detail})", error.message()),
                _ => error.message().to_string(),
            },
            None => error.to_string(),
        },
        other => server::words(other),
    }
}

/// What `error` means for a load that was going on.
pub(super) fn judge(place: &Place, error: &sqlx::Error) -> Failure {
    let (code, help) = meaning(error);
    let diagnostic = place.failed(code, words(error)).maybe_help(help);
    let passing = match error {
        sqlx::Error::Io(_) => true,
        _ => state(error).is_some_and(|state| is_passing(&state)),
    };
    if passing { Failure::Passing(diagnostic) } else { Failure::Final(diagnostic) }
}

/// Lost connections (class 08), deadlocks and lost races, too many connections, servers that stop or start, and objects
/// that somebody made or dropped under our hands.
fn is_passing(state: &str) -> bool {
    let others = ["40001", "40P01", "53300", "57P01", "57P02", "57P03", "57P05", "2BP01", "55006"];
    state.starts_with("08") || others.contains(&state)
}

/// What `error` means for a first login: nothing was tried before, so a refusal is told at once.
pub(super) fn no_connection(place: &Place, error: &sqlx::Error) -> Box<Diagnostic> {
    let (_, help) = meaning(error);
    let help = match error {
        sqlx::Error::Io(error) => Some(unreached(
            error.kind(),
            "it listens but hangs up: is it a PostgreSQL server, and does it allow this host?",
        )),
        sqlx::Error::Tls(_) => Some(TLS_HELP),
        sqlx::Error::Configuration(_) => Some(CERTIFICATE_HELP),
        _ => help,
    };
    place.failed(codes::DESTINATION_UNREACHABLE, words(error)).maybe_help(help)
}

/// The code of an error and what to do about it.
fn meaning(error: &sqlx::Error) -> (Code, Option<&'static str>) {
    of_state(&state(error).unwrap_or_default())
}

/// The same, by the server's five characters.
fn of_state(state: &str) -> (Code, Option<&'static str>) {
    use codes::{DESTINATION_UNREACHABLE, PUBLISH_FAILED};
    let (code, help) = match state {
        "28P01" => (DESTINATION_UNREACHABLE, "look at `user` and `password` of the destination"),
        "28000" => (DESTINATION_UNREACHABLE, "look at `user`, `ssl_mode` and the server's pg_hba.conf"),
        "3D000" => (DESTINATION_UNREACHABLE, "look at `database` of the destination, or create the database"),
        "53300" => (DESTINATION_UNREACHABLE, "the server has no connection left"),
        "57P03" => (DESTINATION_UNREACHABLE, "the server is starting or stopping; try again"),
        "42501" => (
            PUBLISH_FAILED,
            "the user needs CONNECT on the database, USAGE and CREATE on the schema, and to own the table or to have \
             SELECT, INSERT and DELETE on it",
        ),
        "3F000" => (PUBLISH_FAILED, "look at `schema` of the destination, or create the schema"),
        "22023" | "42704" => (PUBLISH_FAILED, "look at `role` of the destination and at the types under `columns`"),
        "53100" => (PUBLISH_FAILED, "look at the server's disk: it is full"),
        "53200" => (PUBLISH_FAILED, "the server is short of memory"),
        "25006" => (PUBLISH_FAILED, "the server is read-only: is it a replica?"),
        "40001" | "40P01" | "55P03" => {
            (PUBLISH_FAILED, "another client holds locks on the table; publish when it is quieter")
        }
        "57014" => (PUBLISH_FAILED, "somebody cancelled the statement; try again"),
        "42601" => (PUBLISH_FAILED, "look at the types under `columns`"),
        "54000" | "54001" | "54011" | "54023" => {
            (PUBLISH_FAILED, "publish fewer columns, or shorter values in the key and indexes")
        }
        "42P07" => (PUBLISH_FAILED, "somebody else made a table of that name; drop it, or set another `table`"),
        _ => return (PUBLISH_FAILED, None),
    };
    (code, Some(help))
}

/// The message for a value that the server refused, if `error` is about one of the rows of `chunks`, which one COPY sent.
pub(super) fn refused_value(
    place: &Place,
    shape: &Shape,
    chunks: &[Arc<Chunk>],
    error: &sqlx::Error,
) -> Option<Box<Diagnostic>> {
    let found = database(error)?;
    // Class 22 is about data, class 23 about constraints that somebody put on the table.
    if !found.code().starts_with("22") && !found.code().starts_with("23") {
        return None;
    }
    // What reads JSON puts a line of its own before that of COPY.
    let context = found.r#where().unwrap_or_default();
    let context = context.find("COPY ").map_or("", |at| &context[at..]);
    let said = words(error);
    let row = line_of(context).and_then(|line| row_at(chunks, line));
    let field = column_of(context, shape).or_else(|| {
        let name = found.column()?;
        shape.fields.iter().position(|field| field.name == name)
    });
    let problem = match (field, row) {
        (Some(at), Some((chunk, row))) => {
            let cell = chunk.columns[at].cell(row);
            format!("column `{}` cannot hold {}: {said}", shape.fields[at].name, cell.show())
        }
        (Some(at), None) => format!("column `{}` cannot hold a value: {said}", shape.fields[at].name),
        _ => said,
    };
    let help = match found.code() {
        "22P05" => "PostgreSQL's `jsonb` holds no NUL character; use `json` under `columns`, or clean the text",
        _ => "change the column's type under `columns` of `publish`, or the value in the model",
    };
    let error = place.unfit(problem).help(help);
    Some(match row {
        Some((chunk, row)) => error.note(shape.whereabouts(&chunk.batch, chunk.first_row, row)),
        None => error,
    })
}

/// The row of the COPY's line `line`, from 1.
fn row_at(chunks: &[Arc<Chunk>], line: usize) -> Option<(&Chunk, usize)> {
    let mut before = 1;
    for chunk in chunks {
        if line >= before && line < before + chunk.rows() {
            return Some((chunk, line - before));
        }
        before += chunk.rows();
    }
    None
}

/// The number in `COPY mart__c360_new, line 3, column Taste: "long enough"`.
fn line_of(context: &str) -> Option<usize> {
    let (_, rest) = context.split_once(", line ")?;
    rest.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

/// The column in the same sentence: the longest of our names that it goes on with.
fn column_of(context: &str, shape: &Shape) -> Option<usize> {
    let (_, rest) = context.split_once(", line ")?;
    let (_, rest) = rest.split_once(", column ")?;
    let matching = shape.fields.iter().enumerate().filter(|(_, field)| {
        rest.strip_prefix(field.name.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with([':', ',']))
    });
    matching.max_by_key(|(_, field)| field.name.len()).map(|(at, _)| at)
}

#[cfg(test)]
mod tests {
    use super::super::super::kind::Kind;
    use super::super::super::shape::FieldShape;
    use super::*;

    #[test]
    fn full_disks_and_replicas_are_explained() {
        for (state, word) in
            [("53100", "disk"), ("25006", "replica"), ("28P01", "`password`"), ("42501", "the user needs")]
        {
            assert!(of_state(state).1.is_some_and(|help| help.contains(word)), "{state}");
        }
        assert!(is_passing("08006") && is_passing("40P01") && !is_passing("53100") && !is_passing("28P01"));
    }

    #[test]
    fn lines_and_columns_are_found_in_the_servers_words() {
        let field = |name: &str| FieldShape { name: name.into(), kind: Kind::Text, declared: None };
        let fields = vec![field("T"), field("Taste"), field("Taste: x")];
        let shape = Shape { fields, key: Vec::new(), indexes: Vec::new() };
        let context = "COPY mart__c360_new, line 3, column Taste: \"long, line 7, column T\"";
        assert_eq!((line_of(context), column_of(context, &shape)), (Some(3), Some(1)));
        assert_eq!(column_of("COPY t, line 12, column Taste: x: \"1\"", &shape), Some(2));
        assert_eq!(line_of("COPY t, line 12: \"1\""), Some(12));
        assert_eq!(line_of("SQL function \"f\" statement 1"), None);
    }
}
