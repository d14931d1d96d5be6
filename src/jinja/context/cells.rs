//! The values of a query's result as templates see them, and a result as text for people.

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Utc};
use serde_json::Value as Json;

use super::adapter::QueryTable;
use crate::jinja::value::Value;

/// The value of a cell of this SQL type: dates, times and decimals are Python's, so that `value.strftime(..)` works.
pub(super) fn value(data_type: &str, cell: &Json) -> Value {
    let Json::String(text) = cell else { return Value::from_json(cell) };
    typed(data_type, text).unwrap_or_else(|| Value::from_json(cell))
}

fn typed(data_type: &str, text: &str) -> Option<Value> {
    if data_type.starts_with("timestamp") {
        if data_type.ends_with("with time zone") {
            let moment = DateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S%.f%#z").ok()?;
            return Some(Value::utc_datetime(moment.with_timezone(&Utc)));
        }
        return NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S%.f").ok().map(Value::datetime);
    }
    match data_type {
        "date" => NaiveDate::parse_from_str(text, "%Y-%m-%d").ok().map(Value::date),
        "time" => NaiveTime::parse_from_str(text, "%H:%M:%S%.f").ok().map(Value::time),
        _ if data_type.starts_with("decimal") => Some(Value::decimal(text)),
        _ => None,
    }
}

/// How much of a result is printed.
pub(super) struct Limits {
    pub(super) rows: usize,
    pub(super) columns: usize,
    pub(super) width: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { rows: 20, columns: 6, width: 20 }
    }
}

/// The result as a table of text: what `print_table()` writes.
pub(super) fn drawn(table: &QueryTable, limits: &Limits) -> String {
    let cut = table.columns.len() > limits.columns;
    let columns: Vec<usize> = (0..table.columns.len().min(limits.columns)).collect();
    let mut lines: Vec<Vec<String>> = vec![columns.iter().map(|i| clipped(&table.columns[*i].name, limits)).collect()];
    for row in table.rows.iter().take(limits.rows) {
        lines.push(columns.iter().map(|i| clipped(&text(&row[*i]), limits)).collect());
    }
    if table.rows.len() > limits.rows {
        lines.push(columns.iter().map(|_| "...".to_string()).collect());
    }
    if cut {
        lines.iter_mut().for_each(|line| line.push("...".to_string()));
    }
    let width_of = |i: usize| lines.iter().map(|line| line[i].chars().count()).max().unwrap_or_default();
    let widths: Vec<usize> = (0..lines[0].len()).map(width_of).collect();
    let is_number =
        |i: usize| table.columns.get(i).is_some_and(|column| numeric(&column.data_type)) && i < columns.len();
    let draw = |line: &Vec<String>| {
        let cells = line.iter().zip(&widths).enumerate().map(|(i, (cell, width))| match is_number(i) {
            true => format!("{cell:>width$}"),
            false => format!("{cell:<width$}"),
        });
        format!("| {} |", cells.collect::<Vec<_>>().join(" | "))
    };
    let rule: Vec<String> = widths.iter().map(|width| "-".repeat(*width)).collect();
    let mut out = vec![draw(&lines[0]), format!("| {} |", rule.join(" | "))];
    out.extend(lines[1..].iter().map(draw));
    out.join("\n")
}

/// The result as comma-separated values: what `print_csv()` writes.
pub(super) fn csv(table: &QueryTable) -> String {
    let quoted = |text: String| match text.contains([',', '"', '\n']) {
        true => format!("\"{}\"", text.replace('"', "\"\"")),
        false => text,
    };
    let mut lines = vec![table.columns.iter().map(|column| quoted(column.name.clone())).collect::<Vec<_>>()];
    for row in &table.rows {
        let plain = |cell: &Json| match cell {
            Json::Null => String::new(),
            Json::String(text) => text.clone(),
            other => other.to_string(),
        };
        lines.push(row.iter().map(|cell| quoted(plain(cell))).collect());
    }
    lines.iter().map(|line| line.join(",")).collect::<Vec<_>>().join("\n")
}

fn numeric(data_type: &str) -> bool {
    ["tinyint", "smallint", "integer", "bigint", "float", "double", "decimal"]
        .iter()
        .any(|word| data_type.starts_with(word) && !data_type.ends_with("[]"))
}

/// A cell for people: numbers with three decimals at most, booleans as Python spells them.
fn text(cell: &Json) -> String {
    match cell {
        Json::Null => String::new(),
        Json::Bool(true) => "True".into(),
        Json::Bool(false) => "False".into(),
        Json::String(text) => text.clone(),
        Json::Number(number) if number.is_f64() => shortened(number.as_f64().unwrap_or_default()),
        other => other.to_string(),
    }
}

fn shortened(number: f64) -> String {
    let text = format!("{number:.3}");
    let short = text.trim_end_matches('0').trim_end_matches('.').to_string();
    if short.parse() == Ok(number) { short } else { format!("{short}…") }
}

fn clipped(text: &str, limits: &Limits) -> String {
    if text.chars().count() <= limits.width {
        return text.to_string();
    }
    text.chars().take(limits.width.saturating_sub(3)).chain("...".chars()).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::adapter::AdapterColumn;
    use super::*;

    fn table(columns: &[(&str, &str)], rows: Vec<Vec<Json>>) -> QueryTable {
        let column = |(name, data_type): &(&str, &str)| AdapterColumn {
            name: (*name).to_string(),
            data_type: (*data_type).to_string(),
        };
        QueryTable { columns: columns.iter().map(column).collect(), rows, affected: None }
    }

    #[test]
    fn values_of_time_and_decimals_are_pythons() {
        let repr = |data_type: &str, cell: &str| value(data_type, &json!(cell)).repr();
        assert_eq!(repr("date", "2018-01-09"), "datetime.date(2018, 1, 9)");
        assert_eq!(repr("timestamp", "2018-01-09 10:11:12"), "datetime.datetime(2018, 1, 9, 10, 11, 12)");
        assert!(repr("timestamp with time zone", "2018-01-09 10:11:12Z").contains("UTC"));
        assert_eq!(repr("decimal(10, 2)", "1.50"), "Decimal('1.50')");
        assert_eq!(repr("varchar", "2018-01-09"), "'2018-01-09'");
        assert_eq!(repr("date", "no date"), "'no date'");
    }

    #[test]
    fn a_result_is_drawn_as_a_table() {
        let rows = vec![vec![json!(1234), json!("a")], vec![json!(2.5), Json::Null]];
        let found = drawn(&table(&[("n", "bigint"), ("name", "varchar")], rows), &Limits::default());
        assert_eq!(found, "|    n | name |\n| ---- | ---- |\n| 1234 | a    |\n|  2.5 |      |");
    }

    #[test]
    fn what_is_too_much_is_cut() {
        let rows = vec![vec![json!("abcdefgh"), json!(1)], vec![json!("b"), json!(2)]];
        let limits = Limits { rows: 1, columns: 1, width: 6 };
        let found = drawn(&table(&[("x", "varchar"), ("y", "bigint")], rows), &limits);
        assert_eq!(found, "| x      | ... |\n| ------ | --- |\n| abc... | ... |\n| ...    | ... |");
    }

    #[test]
    fn csv_quotes_what_needs_it() {
        let found = csv(&table(&[("x", "varchar")], vec![vec![json!("a,b")], vec![json!("c")]]));
        assert_eq!(found, "x\n\"a,b\"\nc");
    }
}
