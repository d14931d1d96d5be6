//! `partitions` as MySQL's clause.
//!
//! Parts by time are made for the days, months or years that the data has, and a last one, `p_rest`, for what comes later.
//! Rows that are added beyond the last part find new ones cut from `p_rest` before they come.

use arrow::datatypes::Schema;
use chrono::{Datelike, Months, NaiveDate};
use futures::{StreamExt, pin_mut};
use sqlx::mysql::MySqlConnection;
use sqlx::{AssertSqlSafe, Executor, Row};

use super::super::column::{Cell, Column};
use super::super::fields::CONFIG;
use super::super::kind::Kind;
use super::super::place::Place;
use super::super::rows::{Projected, Rows, batches};
use super::super::statement::quoted;
use super::super::{Every, Partitions, PublishJob};
use super::failure::{Failure, judge};
use super::table::Table;
use crate::diag::{Diagnostic, Result};

/// The part for what comes after the others.
const REST: &str = "p_rest";
/// MySQL's own limit is 8192, and each part is a file.
const MOST: usize = 4096;

/// Refuses `partitions` that MySQL cannot have.
pub(super) fn check(place: &Place, job: &PublishJob, schema: &Schema) -> Result<()> {
    let Some(parts) = &job.partitions else { return Ok(()) };
    let refuse = |problem: String, help: &str| Err(place.failed(CONFIG, problem).help(help));
    if parts.every.is_none() && parts.count.is_none() {
        let help = "say how: `partitions: {column: day, every: month}`, or `partitions: {columns: [id], count: 16}`";
        return refuse("`partitions` names columns alone, which is for files".to_string(), help);
    }
    for name in &parts.columns {
        let same = |other: &str| other.to_lowercase() == name.to_lowercase();
        let Some(field) = schema.fields().iter().find(|field| same(field.name())) else {
            let names: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
            let help = format!("its columns are {}", names.join(", "));
            return refuse(format!("`partitions` names column `{name}`, which the model does not have"), &help);
        };
        if !job.key.is_empty() && !job.key.iter().any(|key| same(key)) {
            let help = "add the column to `key`: MySQL wants every column of `partitions` there";
            return refuse(format!("column `{name}` of `partitions` is not in `key`"), help);
        }
        let is_time = matches!(Kind::of(field.data_type()), Some(Kind::Date | Kind::Timestamp));
        if parts.every.is_some() && !is_time {
            let help = "name a date or a timestamp, or use `count`";
            return refuse(format!("`every` of `partitions` needs a date, and column `{name}` is none"), help);
        }
    }
    Ok(())
}

/// The clause of `CREATE TABLE` for a table of `rows`; empty without `partitions`.
pub(super) async fn clause(place: &Place, job: &PublishJob, rows: &dyn Rows) -> Result<String> {
    let Some(parts) = &job.partitions else { return Ok(String::new()) };
    let names: Vec<String> = parts.columns.iter().map(|name| quoted(name, '`')).collect();
    if let Some(count) = parts.count {
        return Ok(format!(" PARTITION BY KEY ({}) PARTITIONS {count}", names.join(", ")));
    }
    let Some(every) = parts.every else { return Ok(String::new()) };
    let mut list = Vec::new();
    if let Some((first, last)) = span(place, parts, rows).await? {
        list = ranges(place, every, first, last)?;
    }
    list.push(format!("PARTITION {REST} VALUES LESS THAN (MAXVALUE)"));
    Ok(format!(" PARTITION BY RANGE COLUMNS ({}) ({})", names.join(", "), list.join(", ")))
}

/// Cuts parts for `rows` from the last one of a table that is cut by time.
pub(super) async fn extend(
    place: &Place,
    job: &PublishJob,
    table: &Table,
    rows: &dyn Rows,
    connection: &mut MySqlConnection,
) -> Result<(), Failure> {
    let Some(parts) = &job.partitions else { return Ok(()) };
    let Some(every) = parts.every else { return Ok(()) };
    let Some((first, last)) = span(place, parts, rows).await? else { return Ok(()) };
    let sql = "select partition_description from information_schema.partitions where table_schema = ? and table_name = ? \
               and partition_name is not null and partition_name <> ? order by partition_ordinal_position desc limit 1";
    let query = sqlx::query(sql).bind(&table.database).bind(&table.name).bind(REST);
    let row = query.fetch_optional(&mut *connection).await.map_err(|error| judge(place, &error))?;
    let limit: Option<String> = row.and_then(|row| row.try_get_unchecked(0).ok());
    let limit = limit.and_then(|text| NaiveDate::parse_from_str(text.trim_matches('\'').get(..10)?, "%Y-%m-%d").ok());
    let from = limit.map_or(first, |limit| limit.max(first.min(last)));
    if last < from {
        return Ok(());
    }
    let mut list = ranges(place, every, limit.unwrap_or(from), last)?;
    list.push(format!("PARTITION {REST} VALUES LESS THAN (MAXVALUE)"));
    let sql = format!("ALTER TABLE {} REORGANIZE PARTITION {REST} INTO ({})", table.own_name(), list.join(", "));
    connection.execute(AssertSqlSafe(sql)).await.map(drop).map_err(|error| judge(place, &error))
}

/// The parts from the one that `first` is in to that of `last`.
fn ranges(place: &Place, every: Every, first: NaiveDate, last: NaiveDate) -> Result<Vec<String>> {
    let mut list = Vec::new();
    let mut at = start(every, first);
    while at <= last {
        let Some(next) = after(every, at) else { break };
        let (name, limit) = (name(every, at), next.format("%Y-%m-%d"));
        list.push(format!("PARTITION {name} VALUES LESS THAN ('{limit}')"));
        at = next;
        if list.len() > MOST {
            return Err(too_many(place, every, first, last));
        }
    }
    Ok(list)
}

fn too_many(place: &Place, every: Every, first: NaiveDate, last: NaiveDate) -> Box<Diagnostic> {
    let problem = format!("`partitions` from {first} to {last} would be more than {MOST} parts");
    let help = if every == Every::Year { "leave `partitions` out" } else { "use a longer `every`" };
    place.failed(CONFIG, problem).help(help)
}

fn start(every: Every, day: NaiveDate) -> NaiveDate {
    let start = match every {
        Every::Day => Some(day),
        Every::Month => day.with_day(1),
        Every::Year => NaiveDate::from_ymd_opt(day.year(), 1, 1),
    };
    start.unwrap_or(day)
}

fn after(every: Every, start: NaiveDate) -> Option<NaiveDate> {
    match every {
        Every::Day => start.succ_opt(),
        Every::Month => start.checked_add_months(Months::new(1)),
        Every::Year => start.checked_add_months(Months::new(12)),
    }
}

fn name(every: Every, start: NaiveDate) -> String {
    match every {
        Every::Day => format!("p{}", start.format("%Y%m%d")),
        Every::Month => format!("p{}", start.format("%Y%m")),
        Every::Year => format!("p{}", start.format("%Y")),
    }
}

/// The first and the last day of the column that decides; none if it has no values.
async fn span(place: &Place, parts: &Partitions, rows: &dyn Rows) -> Result<Option<(NaiveDate, NaiveDate)>> {
    let schema = rows.schema();
    let wanted = parts.columns.first().map(|name| name.to_lowercase());
    let at = schema.fields().iter().position(|field| Some(field.name().to_lowercase()) == wanted);
    let Some((at, kind)) = at.and_then(|at| Some((at, Kind::of(schema.field(at).data_type())?))) else {
        return Ok(None);
    };
    let column = Projected { rows, columns: vec![at] };
    let stream = batches(&column, &[]).await?;
    pin_mut!(stream);
    let mut found: Option<(String, String)> = None;
    while let Some(batch) = stream.next().await {
        let batch = batch?;
        // A value that does not fit is told with its row when it is loaded.
        let Ok(values) = Column::new(schema.field(at).name(), kind, batch.column(0)) else { continue };
        for row in 0..batch.num_rows() {
            let Cell::Text(text) = values.cell(row) else { continue };
            // Dates in this form sort as text does.
            match &mut found {
                None => found = Some((text.to_string(), text.to_string())),
                Some((low, _)) if text < low.as_str() => *low = text.to_string(),
                Some((_, high)) if text > high.as_str() => *high = text.to_string(),
                Some(_) => {}
            }
        }
    }
    let day = |text: &str| NaiveDate::parse_from_str(text.get(..10).unwrap_or(text), "%Y-%m-%d");
    let Some((low, high)) = found else { return Ok(None) };
    match (day(&low), day(&high)) {
        (Ok(low), Ok(high)) => Ok(Some((low, high))),
        _ => Err(place.failed(CONFIG, "`partitions` names a column whose dates cannot be read")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        NaiveDate::parse_from_str(text, "%Y-%m-%d").expect("a day")
    }

    #[test]
    fn parts_cover_the_days() {
        let place = Place { destination: "bi".into(), server: "m".into(), table: "t".into(), node: "m".into() };
        let months = ranges(&place, Every::Month, day("2022-11-30"), day("2023-01-01")).expect("fine");
        let expected = [
            "PARTITION p202211 VALUES LESS THAN ('2022-12-01')",
            "PARTITION p202212 VALUES LESS THAN ('2023-01-01')",
            "PARTITION p202301 VALUES LESS THAN ('2023-02-01')",
        ];
        assert_eq!(months, expected);
        let years = ranges(&place, Every::Year, day("2022-11-30"), day("2022-12-31")).expect("fine");
        assert_eq!(years, ["PARTITION p2022 VALUES LESS THAN ('2023-01-01')"]);
        assert!(ranges(&place, Every::Day, day("0001-01-01"), day("9999-12-31")).is_err());
    }
}
