//! PostgreSQL's types for our kinds, and what PostgreSQL says that it has.

use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Row};

use super::super::kind::Kind;
use super::super::place::Place;
use super::super::shape::{FieldShape, Shape};
use super::super::statement::quoted;
use super::super::tally::{Arrived, ArrivedColumn, Sum, Tally};
use crate::diag::Result;

/// Bytes of a name; longer ones would be cut silently.
pub(super) const NAME_LIMIT: usize = 63;

/// The type of each column.
pub(super) fn columns(place: &Place, shape: &Shape) -> Result<Vec<String>> {
    let mut types = Vec::with_capacity(shape.fields.len());
    for (at, field) in shape.fields.iter().enumerate() {
        if field.name.len() > NAME_LIMIT {
            let problem = format!("the name of column `{}` has more than {NAME_LIMIT} bytes", field.name);
            return Err(place.unfit(problem).help("give the column a shorter name in the model"));
        }
        let mut sql = field.declared.clone().unwrap_or_else(|| sql_type(field.kind));
        if field.declared.is_none() && shape.key.contains(&at) && matches!(field.kind, Kind::Text) {
            // Keys compare as bytes.
            sql.push_str(" collate \"C\"");
        }
        types.push(sql);
    }
    Ok(types)
}

fn sql_type(kind: Kind) -> String {
    match kind {
        Kind::Null | Kind::Text => "text".to_string(),
        Kind::Bool => "boolean".to_string(),
        Kind::Int { bits: 8 | 16, signed: true } | Kind::Int { bits: 8, signed: false } => "smallint".to_string(),
        Kind::Int { bits: 32, signed: true } | Kind::Int { bits: 16, signed: false } => "integer".to_string(),
        Kind::Int { bits: 64, signed: false } => "numeric(20,0)".to_string(),
        Kind::Int { .. } => "bigint".to_string(),
        Kind::Float { bits: 32 } => "real".to_string(),
        Kind::Float { .. } => "double precision".to_string(),
        Kind::Decimal { precision, scale } => format!("numeric({},{scale})", precision.max(1)),
        Kind::Date => "date".to_string(),
        Kind::Timestamp => "timestamp(6)".to_string(),
        Kind::Time => "time(6)".to_string(),
        Kind::Binary => "bytea".to_string(),
        Kind::Json => "jsonb".to_string(),
    }
}

/// Columns that are asked about at once; a result has at most 1664.
const ASKED_AT_ONCE: usize = 500;

/// Sums of absolute values beyond which adding doubles may overflow, which is an error there.
const LARGE: f64 = 1e300;

/// Counts and sums of `table` (quoted), as far as `sent` has something to compare them with.
pub(super) async fn arrived(
    connection: &mut PgConnection,
    shape: &Shape,
    sent: &Tally,
    table: &str,
) -> std::result::Result<Arrived, sqlx::Error> {
    let mut all = Arrived { rows: 0, columns: Vec::with_capacity(shape.fields.len()) };
    let columns: Vec<_> = shape.fields.iter().zip(&sent.columns).collect();
    for columns in columns.chunks(ASKED_AT_ONCE) {
        let mut asked = vec!["count(*)".to_string()];
        for (field, sent) in columns {
            let name = quoted(&field.name, '"');
            let sum =
                adding(field, &sent.sum).map_or("null::text".to_string(), |cast| format!("sum({name}{cast})::text"));
            asked.push(format!("count({name}), {sum}"));
        }
        let sql = format!("select {} from {table}", asked.join(", "));
        let row = sqlx::query(AssertSqlSafe(sql)).fetch_one(&mut *connection).await?;
        all.rows = row.try_get::<i64, _>(0)?.unsigned_abs();
        for (at, (field, sent)) in columns.iter().enumerate() {
            let values: i64 = row.try_get(1 + 2 * at)?;
            let sum: Option<String> = row.try_get(2 + 2 * at)?;
            let asked = adding(field, &sent.sum).is_some();
            // The sum of no values is null.
            let sum = asked.then(|| sum.unwrap_or_else(|| "0".to_string()));
            let exact = !matches!(field.kind, Kind::Float { .. });
            all.columns.push(ArrivedColumn { values: values.unsigned_abs(), sum, exact });
        }
    }
    Ok(all)
}

/// How a column is cast before it is added up; none if it is not. A declared type may round.
fn adding(field: &FieldShape, sent: &Sum) -> Option<&'static str> {
    if field.declared.is_some() {
        return None;
    }
    match (field.kind, sent) {
        (Kind::Bool, _) => Some("::int"),
        (Kind::Int { .. } | Kind::Decimal { .. }, _) => Some(""),
        (Kind::Float { .. }, Sum::Float { absolute, .. }) if *absolute < LARGE => Some("::double precision"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unsigned_numbers_get_room_for_all_of_them() {
        let sql = |bits, signed| sql_type(Kind::Int { bits, signed });
        assert_eq!([8, 16, 32, 64].map(|bits| sql(bits, true)), ["smallint", "smallint", "integer", "bigint"]);
        assert_eq!([8, 16, 32, 64].map(|bits| sql(bits, false)), ["smallint", "integer", "bigint", "numeric(20,0)"]);
        assert_eq!(sql_type(Kind::Decimal { precision: 76, scale: 76 }), "numeric(76,76)");
    }
}
