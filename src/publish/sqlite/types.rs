//! SQLite's types for our kinds, and what SQLite says that it has.

use sqlx::sqlite::{SqliteConnection, SqliteRow};
use sqlx::{AssertSqlSafe, Row};

use super::super::kind::Kind;
use super::super::shape::{FieldShape, Shape};
use super::super::statement::quoted;
use super::super::tally::{Arrived, ArrivedColumn};

/// Digits that a double keeps.
const EXACT_DIGITS: u8 = 15;

/// The declared type of each column. SQLite's types are advice: what matters is the affinity that they have.
pub(super) fn columns(shape: &Shape) -> Vec<String> {
    shape.fields.iter().map(|field| field.declared.clone().unwrap_or_else(|| sql_type(field.kind))).collect()
}

fn sql_type(kind: Kind) -> String {
    match kind {
        Kind::Null | Kind::Text | Kind::Json => "TEXT".to_string(),
        Kind::Bool => "BOOLEAN".to_string(),
        Kind::Int { .. } => "INTEGER".to_string(),
        Kind::Float { .. } => "REAL".to_string(),
        Kind::Decimal { precision, scale: 0 } if precision <= 18 => "INTEGER".to_string(),
        Kind::Decimal { precision, scale } if precision <= EXACT_DIGITS => format!("NUMERIC({precision}, {scale})"),
        // More digits than a double has: text keeps them all.
        Kind::Decimal { .. } => "TEXT".to_string(),
        Kind::Date => "DATE".to_string(),
        Kind::Timestamp => "DATETIME".to_string(),
        Kind::Time => "TIME".to_string(),
        Kind::Binary => "BLOB".to_string(),
    }
}

/// How a column is added up.
enum Adding {
    No,
    /// In two halves of 32 bits: `sum` of SQLite fails when it leaves 64 bits.
    Halves,
    Doubles,
}

fn adding(field: &FieldShape) -> Adding {
    if field.declared.is_some() {
        return Adding::No;
    }
    match field.kind {
        Kind::Bool | Kind::Int { .. } => Adding::Halves,
        Kind::Decimal { precision, scale: 0 } if precision <= 18 => Adding::Halves,
        Kind::Decimal { .. } | Kind::Float { .. } => Adding::Doubles,
        _ => Adding::No,
    }
}

/// Columns that are asked about at once; a result has at most 2000.
const ASKED_AT_ONCE: usize = 500;

/// Counts and sums of `table` (quoted).
pub(super) async fn arrived(
    connection: &mut SqliteConnection,
    shape: &Shape,
    table: &str,
) -> Result<Arrived, sqlx::Error> {
    let mut all = Arrived { rows: 0, columns: Vec::with_capacity(shape.fields.len()) };
    for fields in shape.fields.chunks(ASKED_AT_ONCE) {
        let sql = format!("select {} from {table}", question(fields).join(", "));
        let row = sqlx::query(AssertSqlSafe(sql)).fetch_one(&mut *connection).await?;
        all.rows = row.try_get::<i64, _>(0)?.unsigned_abs();
        let mut at = 1;
        for field in fields {
            all.columns.push(answer(&row, &mut at, field)?);
        }
    }
    Ok(all)
}

fn question(fields: &[FieldShape]) -> Vec<String> {
    let mut asked = vec!["count(*)".to_string()];
    for field in fields {
        let name = quoted(&field.name, '"');
        asked.push(format!("count({name})"));
        match adding(field) {
            Adding::No => {}
            Adding::Halves => asked.push(format!("sum({name} >> 32), sum({name} & 4294967295)")),
            Adding::Doubles => asked.push(format!("total({name})")),
        }
    }
    asked
}

/// Reads what was asked about `field`, from the result's column `at` on.
fn answer(row: &SqliteRow, at: &mut usize, field: &FieldShape) -> Result<ArrivedColumn, sqlx::Error> {
    let values: i64 = row.try_get(*at)?;
    *at += 1;
    let mut column = ArrivedColumn { values: values.unsigned_abs(), sum: None, exact: true };
    match adding(field) {
        Adding::No => {}
        Adding::Halves => {
            let high: Option<i64> = row.try_get(*at)?;
            let low: Option<i64> = row.try_get(*at + 1)?;
            let sum = (i128::from(high.unwrap_or(0)) << 32) + i128::from(low.unwrap_or(0));
            column.sum = Some(sum.to_string());
            *at += 2;
        }
        Adding::Doubles => {
            let sum: f64 = row.try_get(*at)?;
            (column.sum, column.exact) = (Some(sum.to_string()), false);
            *at += 1;
        }
    }
    Ok(column)
}
