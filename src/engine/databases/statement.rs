//! The SQL that a server is asked: identifiers quoted, values bound, never spliced.

use chrono::{DateTime, NaiveDate};

use super::column::{Column, Compare, Read, Table};
use super::predicate::{Literal, Op, Predicate};
use super::ranges::Range;

/// Whose SQL it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    Mysql,
    Postgres,
    Sqlite,
}

/// A value that is bound.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Param {
    Int(i64),
    UInt(u64),
    Text(String),
}

/// A query and the values for its placeholders.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Statement {
    pub(super) sql: String,
    pub(super) params: Vec<Param>,
}

impl std::fmt::Display for Statement {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.sql)?;
        for (at, param) in self.params.iter().enumerate() {
            f.write_str(if at == 0 { " with " } else { ", " })?;
            match param {
                Param::Int(value) => write!(f, "{value}")?,
                Param::UInt(value) => write!(f, "{value}")?,
                Param::Text(text) => write!(f, "{text:?}")?,
            }
        }
        Ok(())
    }
}

impl Dialect {
    /// `name` in quotes.
    pub(super) fn quoted(self, name: &str) -> String {
        let quote = if self == Dialect::Mysql { '`' } else { '"' };
        let doubled = name.replace(quote, &format!("{quote}{quote}"));
        format!("{quote}{doubled}{quote}")
    }

    /// The table with its schema.
    pub(super) fn table(self, table: &Table) -> String {
        match &table.schema {
            Some(schema) => format!("{}.{}", self.quoted(schema), self.quoted(&table.name)),
            None => self.quoted(&table.name),
        }
    }

    /// What is selected for `column`.
    fn select(self, column: &Column) -> String {
        let name = self.quoted(&column.name);
        match (self, column.read) {
            (_, Read::Plain) => name,
            (Dialect::Postgres, Read::Text) => format!("{name}::text"),
            (Dialect::Postgres, Read::Json) => format!("to_json({name})::text"),
            (Dialect::Mysql, _) => format!("cast({name} as char)"),
            (Dialect::Sqlite, _) => format!("cast({name} as text)"),
        }
    }
}

/// What is asked of a table, but for the range of the key.
#[derive(Debug, Clone)]
pub(super) struct Query {
    pub(super) dialect: Dialect,
    /// The columns that come back, by position in the table.
    pub(super) projection: Vec<usize>,
    pub(super) predicates: Vec<Predicate>,
    pub(super) limit: Option<usize>,
}

impl Query {
    /// The query for a range of `key`.
    pub(super) fn statement(&self, table: &Table, key: Option<usize>, range: &Range) -> Statement {
        let mut text = Writer::new(self.dialect, table);
        let list: Vec<String> = self.projection.iter().map(|at| self.dialect.select(&table.columns[*at])).collect();
        let list = if list.is_empty() { "1".to_string() } else { list.join(", ") };
        text.push(&format!("select {list} from {}", self.dialect.table(table)));
        text.conditions(&self.predicates);
        if let Some(key) = key {
            text.range(key, range);
        }
        if let Some(limit) = self.limit {
            text.push(&format!(" limit {limit}"));
        }
        text.out
    }

    /// The query for the least and the greatest value of `key`, of the rows that filters on the key alone let through.
    pub(super) fn bounds(&self, table: &Table, key: usize) -> Statement {
        let mut text = Writer::new(self.dialect, table);
        let name = self.dialect.select(&table.columns[key]);
        text.push(&format!("select min({name}), max({name}) from {}", self.dialect.table(table)));
        let is_about_key = |predicate: &&Predicate| {
            let mut only = true;
            predicate.for_columns(&mut |column| only &= column == key);
            only
        };
        text.conditions(self.predicates.iter().filter(is_about_key));
        text.out
    }
}

/// Writes conditions.
struct Writer<'a> {
    dialect: Dialect,
    columns: &'a [Column],
    out: Statement,
    has_where: bool,
}

impl<'a> Writer<'a> {
    fn new(dialect: Dialect, table: &'a Table) -> Writer<'a> {
        Writer { dialect, columns: &table.columns, out: Statement::default(), has_where: false }
    }

    fn push(&mut self, text: &str) {
        self.out.sql.push_str(text);
    }

    fn bind(&mut self, param: Param) {
        self.out.params.push(param);
        match self.dialect {
            Dialect::Postgres => self.push(&format!("${}", self.out.params.len())),
            Dialect::Mysql | Dialect::Sqlite => self.push("?"),
        }
    }

    /// `where` or `and`.
    fn another(&mut self) {
        self.push(if self.has_where { " and " } else { " where " });
        self.has_where = true;
    }

    fn conditions<'p>(&mut self, predicates: impl IntoIterator<Item = &'p Predicate>) {
        for predicate in predicates {
            self.another();
            self.push("(");
            self.predicate(predicate);
            if self.dialect == Dialect::Sqlite {
                self.or_misfits(predicate);
            }
            self.push(")");
        }
    }

    fn range(&mut self, key: usize, range: &Range) {
        let name = self.dialect.quoted(&self.columns[key].name);
        match range {
            Range::All => {}
            Range::Null => {
                self.another();
                self.push(&format!("{name} is null"));
            }
            Range::Between { from, below } => {
                for (op, bound) in [(Op::GtEq, from), (Op::Lt, below)] {
                    if let Some(bound) = bound {
                        self.another();
                        self.compare(key, op, bound);
                    }
                }
            }
        }
    }

    fn predicate(&mut self, predicate: &Predicate) {
        match predicate {
            Predicate::Compare { column, op, value } => self.compare(*column, *op, value),
            Predicate::In { column, values, negated } => self.list(*column, values, *negated),
            Predicate::Null { column, negated } => {
                let name = self.dialect.quoted(&self.columns[*column].name);
                self.push(&name);
                self.push(if *negated { " is not null" } else { " is null" });
            }
            Predicate::True { column } => {
                let name = self.dialect.quoted(&self.columns[*column].name);
                self.push(&name);
                if self.dialect != Dialect::Postgres {
                    self.push(" <> 0");
                }
            }
            Predicate::Not(inner) => {
                self.push("not (");
                self.predicate(inner);
                self.push(")");
            }
            Predicate::And(all) => self.all(all, " and "),
            Predicate::Or(all) => self.all(all, " or "),
        }
    }

    fn all(&mut self, all: &[Predicate], between: &str) {
        for (at, one) in all.iter().enumerate() {
            self.push(if at == 0 { "(" } else { between });
            self.predicate(one);
        }
        self.push(")");
    }

    /// A column compared with a constant. Texts compare by bytes; where a condition on the column as it is follows from
    /// that, it stands beside, for the sake of an index.
    fn compare(&mut self, column: usize, op: Op, value: &Literal) {
        let Literal::Text(text) = value else {
            let name = self.dialect.quoted(&self.columns[column].name);
            self.push(&format!("{name} {} ", op.sql()));
            self.literal(column, value);
            return;
        };
        let indexed = matches!(self.columns[column].compare, Compare::Text { indexed: true, .. }) && op == Op::Eq;
        if indexed {
            let name = self.dialect.quoted(&self.columns[column].name);
            self.push(&format!("({name} = "));
            self.bind(Param::Text(text.clone()));
            self.push(" and ");
        }
        let name = self.bytes_of(column);
        self.push(&format!("{name} {} ", op.sql()));
        self.literal(column, value);
        if indexed {
            self.push(")");
        }
    }

    fn list(&mut self, column: usize, values: &[Literal], negated: bool) {
        let is_text = matches!(values.first(), Some(Literal::Text(_)));
        let name = if is_text { self.bytes_of(column) } else { self.dialect.quoted(&self.columns[column].name) };
        self.push(&name);
        self.push(if negated { " not in (" } else { " in (" });
        for (at, value) in values.iter().enumerate() {
            if at > 0 {
                self.push(", ");
            }
            self.literal(column, value);
        }
        self.push(")");
    }

    /// A text column so that it compares by the bytes of its UTF-8.
    fn bytes_of(&self, column: usize) -> String {
        let name = self.dialect.quoted(&self.columns[column].name);
        match self.dialect {
            Dialect::Mysql => format!("cast(convert({name} using utf8mb4) as binary)"),
            Dialect::Postgres => format!("{name} collate \"C\""),
            Dialect::Sqlite => format!("{name} collate binary"),
        }
    }

    fn literal(&mut self, column: usize, value: &Literal) {
        match (value, self.dialect) {
            (Literal::Int(value), _) => match (i64::try_from(*value), u64::try_from(*value)) {
                (Ok(value), _) => self.bind(Param::Int(value)),
                (Err(_), Ok(value)) if self.dialect == Dialect::Mysql => self.bind(Param::UInt(value)),
                (Err(_), _) => self.bind(Param::Text(value.to_string())),
            },
            (Literal::Decimal { digits, precision, scale }, Dialect::Mysql) => {
                self.wrapped("cast(", digits.clone(), &format!(" as decimal({}, {scale}))", (*precision).max(1)));
            }
            (Literal::Decimal { digits, .. }, Dialect::Postgres) => self.wrapped("", digits.clone(), "::numeric"),
            (Literal::Decimal { digits, .. }, Dialect::Sqlite) => self.bind(Param::Text(digits.clone())),
            (Literal::Date(days), Dialect::Mysql) => self.wrapped("cast(", date(*days), " as date)"),
            (Literal::Date(days), Dialect::Postgres) => self.wrapped("", date(*days), "::date"),
            (Literal::Date(days), Dialect::Sqlite) => self.bind(Param::Text(date(*days))),
            (Literal::Timestamp(micros), Dialect::Mysql) => {
                self.wrapped("cast(", timestamp(*micros), " as datetime(6))");
            }
            (Literal::Timestamp(micros), Dialect::Postgres) => {
                match self.columns[column].compare {
                    Compare::Timestamp { zoned: true } => {
                        self.wrapped("", format!("{}+00", timestamp(*micros)), "::timestamptz");
                    }
                    _ => self.wrapped("", timestamp(*micros), "::timestamp"),
                };
            }
            (Literal::Timestamp(micros), Dialect::Sqlite) => self.bind(Param::Text(timestamp(*micros))),
            (Literal::Text(text), Dialect::Mysql) => self.wrapped("cast(", text.clone(), " as binary)"),
            (Literal::Text(text), _) => self.bind(Param::Text(text.clone())),
        }
    }

    fn wrapped(&mut self, before: &str, text: String, after: &str) {
        self.push(before);
        self.bind(Param::Text(text));
        self.push(after);
    }

    /// SQLite keeps values of any type in any column. One that is none of the column's type has to fail the scan and not
    /// be left out because it compares in some way: such rows pass every filter.
    fn or_misfits(&mut self, predicate: &Predicate) {
        let mut columns = Vec::new();
        predicate.for_columns(&mut |column| columns.push(column));
        columns.sort_unstable();
        columns.dedup();
        for column in columns {
            let name = self.dialect.quoted(&self.columns[column].name);
            let misfit = match self.columns[column].compare {
                _ if self.columns[column].exact => continue,
                Compare::Integer => format!("typeof({name}) not in ('integer', 'null')"),
                Compare::Boolean => format!("{name} not in (0, 1)"),
                Compare::Text { .. } => format!("typeof({name}) not in ('text', 'null')"),
                Compare::Date => {
                    let digit = "[0-9]";
                    let pattern = format!("{}-{}-{}", digit.repeat(4), digit.repeat(2), digit.repeat(2));
                    format!("({name} is not null and (typeof({name}) <> 'text' or {name} not glob '{pattern}'))")
                }
                Compare::Nothing | Compare::Null | Compare::Decimal | Compare::Timestamp { .. } => continue,
            };
            self.push(&format!(" or {misfit}"));
        }
    }
}

/// `2022-04-01`. Predicates and ranges hold days of the years 1 to 9999 alone.
fn date(days: i32) -> String {
    NaiveDate::from_epoch_days(days).map_or_else(String::new, |date| date.format("%Y-%m-%d").to_string())
}

/// `2022-04-01 12:30:00.000000`.
fn timestamp(micros: i64) -> String {
    DateTime::from_timestamp_micros(micros)
        .map_or_else(String::new, |time| time.format("%Y-%m-%d %H:%M:%S%.6f").to_string())
}
