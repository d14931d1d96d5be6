//! Sources that are tables of databases: MySQL (or MariaDB), PostgreSQL, SQLite.
//!
//! [`open`] takes a [`DatabaseSpec`], asks the server what the table is, and gives a table that DataFusion scans. The
//! server does what it does surely as we would: it leaves out columns that nobody asked for and rows that a filter of
//! exactly the same meaning excludes. Everything else is DataFusion's, on this side.
//!
//! | module | what |
//! |---|---|
//! | `spec` | the declaration, and the connections of a profile |
//! | `find`, `column` | which table is meant; its columns and how they are read and compared |
//! | `mysql`, `postgres`, `sqlite` | the servers: what their types become, how their bytes are decoded |
//! | `server` | a connection to any of them |
//! | `predicate`, `statement`, `ranges` | filters that may be sent; the SQL; ranges of the key |
//! | `table`, `scan` | the table and the operator, as DataFusion sees them |
//! | `value`, `collect` | values into columns; rows into batches |
//! | `failure` | what errors mean |
//!
//! A range that broke is not read again: its rows are on their way through the plan already, and would be there twice.

mod collect;
mod column;
mod failure;
mod find;
mod mysql;
mod postgres;
mod predicate;
mod ranges;
mod scan;
mod server;
mod spec;
mod sqlite;
mod statement;
mod table;
#[cfg(test)]
mod tests;
mod value;

use std::sync::Arc;

use datafusion::arrow::compute::can_cast_types;
use datafusion::arrow::datatypes::DataType;
use datafusion::catalog::TableProvider;

use self::column::{Column, Compare, Read, Table};
use self::failure::{Doing, diagnose};
use self::server::{Server, dialect, no_database};
use self::statement::Dialect;
use self::table::DatabaseTable;
use super::formats::parse_data_type;
use crate::diag::{Diagnostic, Result, codes};
use crate::stdx::closest;

pub(super) use self::spec::is_database;
pub use self::spec::{Connections, DatabaseSpec, TableName, ZeroDates};

/// Asks the server for the table and its columns. Columns that are added later are not seen.
///
/// # Errors
/// C5020 if there is no connection, no such table or no right to read it; C5004 and C5005 if declaration and table do not
/// fit together.
pub(super) async fn open(spec: Arc<DatabaseSpec>) -> Result<Arc<dyn TableProvider>> {
    let dialect = dialect(&spec.config).ok_or_else(|| spec.placed(no_database(&spec)))?;
    let failed = |doing, stop| {
        let unwanted = || Diagnostic::error(codes::INTERNAL, "a question that nobody asked was stopped");
        diagnose(&spec, doing, stop).unwrap_or_else(unwanted)
    };
    let mut server = Server::connect(&spec).await.map_err(|stop| failed(Doing::Connecting, stop))?;
    let mut table = server.describe(&spec).await.map_err(|stop| failed(Doing::Describing, stop))?;
    declare(&spec, dialect, &mut table).map_err(|found| spec.placed(found))?;
    let key = key_of(&spec, &table).map_err(|found| spec.placed(found))?;
    Ok(Arc::new(DatabaseTable::new(Arc::clone(&spec), table, dialect, key)))
}

/// Gives columns their declared types.
fn declare(spec: &DatabaseSpec, dialect: Dialect, table: &mut Table) -> Result<()> {
    let server_types: Vec<(String, String)> =
        table.columns.iter().map(|column| (column.name.clone(), column.server_type.clone())).collect();
    for declared in &spec.columns {
        let Some(at) = position(table, &declared.name) else {
            return Err(no_column(table, &declared.name));
        };
        let wanted = parse_data_type(&declared.data_type)
            .map_err(|error| error.note(format!("it is the type of the column `{}`", declared.name)))?;
        let column = &mut table.columns[at];
        if wanted == column.data_type {
            continue;
        }
        if wanted == DataType::Utf8View {
            as_text(column, dialect);
        } else if dialect == Dialect::Mysql && column.data_type == DataType::Boolean && wanted.is_integer() {
            // It was a number all along.
            column.data_type = wanted;
            column.compare = Compare::Null;
        } else if can_cast_types(&column.data_type, &wanted) {
            column.wanted = Some(wanted);
        } else {
            let message = format!("column `{}` cannot become {}", column.name, declared.data_type);
            return Err(Diagnostic::error(codes::BAD_SOURCE, message)
                .note(format!("its type is `{}` there", server_types[at].1))
                .help("declare it as varchar and convert it in SQL"));
        }
    }
    Ok(())
}

/// The server's own text is what people know the value by.
fn as_text(column: &mut Column, dialect: Dialect) {
    column.data_type = DataType::Utf8View;
    // Postgres has JSON for what it has no other text for.
    if !(dialect == Dialect::Postgres && column.read == Read::Json) {
        column.read = Read::Text;
    }
    column.compare = Compare::Null;
}

/// The column whose ranges are read side by side: the declared one, or the key if it has a suitable type.
fn key_of(spec: &DatabaseSpec, table: &Table) -> Result<Option<usize>> {
    let Some(name) = &spec.partition_column else {
        let suits = |at: &usize| table.columns[*at].is_key() && table.columns[*at].wanted.is_none();
        return Ok(table.key.filter(suits));
    };
    let Some(at) = position(table, name) else { return Err(no_column(table, name)) };
    let column = &table.columns[at];
    if column.is_key() && column.wanted.is_none() {
        return Ok(Some(at));
    }
    let message =
        format!("`{}` cannot be the partition column: its type is `{}` there", column.name, column.server_type);
    Err(Diagnostic::error(codes::BAD_SOURCE, message).help("name a column of whole numbers, dates or timestamps"))
}

/// The column of that name: as it is spelled, or else whatever its case.
fn position(table: &Table, name: &str) -> Option<usize> {
    let exact = table.columns.iter().position(|column| column.name == name);
    exact.or_else(|| table.columns.iter().position(|column| column.name.to_lowercase() == name.to_lowercase()))
}

fn no_column(table: &Table, name: &str) -> Box<Diagnostic> {
    let near = closest(name, table.columns.iter().map(|column| column.name.as_str()));
    Diagnostic::error(codes::SCHEMA_MISMATCH, format!("`{table}` has no column `{name}`"))
        .maybe_help(near.map(|near| format!("a column named `{near}` exists")))
}
