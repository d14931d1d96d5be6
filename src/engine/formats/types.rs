//! SQL type text to Arrow types: the spellings of dbt's adapters, DuckDB, Spark, Postgres and MySQL.
//!
//! Text is `Utf8View`, the type DataFusion itself gives to `varchar`; timestamps have microseconds, as Delta Lake and
//! Parquet keep them. Unsigned types become the next wider signed one, because Delta Lake has none.

use std::borrow::Cow;
use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field, Fields, TimeUnit};

use crate::diag::{self, Diagnostic, codes};
use crate::engine::types::precision;
use crate::stdx::closest;

/// How deep a type may nest: deeper ones are mistakes, readers recurse along the type, and a table's log could not hold them.
pub(super) const MAX_DEPTH: usize = 32;

/// The Arrow type that `text` names: `bigint`, `decimal(10,2)`, `varchar[]`, `struct<"Contract" varchar, n int>`, ...
///
/// # Errors
/// C5005, with what was expected where.
pub fn parse_data_type(text: &str) -> diag::Result<DataType> {
    let mut parser = Parser { text, rest: text };
    let parsed = parser.data_type(0).and_then(|data_type| match parser.peek() {
        None => Ok(data_type),
        Some(_) => Err(format!("unexpected `{}`", parser.rest.trim())),
    });
    parsed.map_err(|problem| {
        Diagnostic::error(codes::BAD_SOURCE, format!("cannot read the data type `{text}`: {problem}"))
            .maybe_help(closest(text, NAMES.iter().copied()).map(|near| format!("did you mean `{near}`?")))
            .help("types are for example varchar, bigint, double, boolean, date, timestamp, decimal(10,2), varchar[], struct<a int, b varchar>")
    })
}

/// Names worth suggesting.
const NAMES: &[&str] = &[
    "varchar",
    "string",
    "text",
    "tinyint",
    "smallint",
    "int",
    "integer",
    "bigint",
    "double",
    "float",
    "real",
    "boolean",
    "date",
    "time",
    "timestamp",
    "datetime",
    "decimal",
    "numeric",
    "binary",
    "struct",
    "list",
    "array",
    "map",
];

/// Walks the text; `rest` is what has not been read.
struct Parser<'a> {
    text: &'a str,
    rest: &'a str,
}

impl<'a> Parser<'a> {
    fn peek(&mut self) -> Option<char> {
        self.rest = self.rest.trim_start();
        self.rest.chars().next()
    }

    fn eat(&mut self, wanted: char) -> bool {
        if self.peek() == Some(wanted) {
            self.rest = &self.rest[wanted.len_utf8()..];
            return true;
        }
        false
    }

    fn expect(&mut self, wanted: char) -> Result<(), String> {
        if self.eat(wanted) {
            return Ok(());
        }
        match self.peek() {
            Some(found) => Err(format!("expected `{wanted}` before `{found}`")),
            None => Err(format!("expected `{wanted}` at the end")),
        }
    }

    /// An unquoted word in lower case, or nothing.
    fn word(&mut self) -> Option<String> {
        self.peek()?;
        let end = self.rest.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        (!word.is_empty()).then(|| word.to_lowercase())
    }

    /// Eats `words` if they all come next, in any case.
    fn eat_words(&mut self, words: &[&str]) -> bool {
        let before = self.rest;
        for wanted in words {
            if self.word().as_deref() != Some(*wanted) {
                self.rest = before;
                return false;
            }
        }
        true
    }

    /// A field's name: a word with its case, or quoted with `"`, a backtick or `'`.
    fn field_name(&mut self) -> Result<String, String> {
        let Some(first) = self.peek() else { return Err("expected a field's name at the end".to_string()) };
        if !matches!(first, '"' | '`' | '\'') {
            let end = self.rest.find(|c: char| c.is_whitespace() || ":,<>()[]".contains(c)).unwrap_or(self.rest.len());
            let (name, rest) = self.rest.split_at(end);
            self.rest = rest;
            return match name.is_empty() {
                true => Err(format!("expected a field's name before `{first}`")),
                false => Ok(name.to_string()),
            };
        }
        let mut name = String::new();
        let mut chars = self.rest.char_indices().skip(1).peekable();
        while let Some((at, c)) = chars.next() {
            if c != first {
                name.push(c);
            } else if chars.next_if(|(_, next)| *next == first).is_some() {
                name.push(first);
            } else {
                self.rest = &self.rest[at + first.len_utf8()..];
                return Ok(name);
            }
        }
        Err(format!("a field's name misses its closing {first}"))
    }

    /// The numbers of `(10, 2)`, if there are any.
    fn arguments(&mut self) -> Result<Vec<u32>, String> {
        let mut numbers = Vec::new();
        if !self.eat('(') {
            return Ok(numbers);
        }
        loop {
            let word = self.word().unwrap_or_default();
            numbers.push(word.parse().map_err(|_| format!("expected a number in parentheses, not `{word}`"))?);
            if self.eat(')') {
                return Ok(numbers);
            }
            self.expect(',')?;
        }
    }

    fn data_type(&mut self, depth: usize) -> Result<DataType, String> {
        if depth > MAX_DEPTH {
            return Err(format!("it nests deeper than {MAX_DEPTH} levels"));
        }
        let Some(word) = self.word() else {
            return Err(if self.text.trim().is_empty() { "it is empty" } else { "expected a type" }.to_string());
        };
        let mut data_type = match word.as_str() {
            "struct" | "row" => self.structure(depth)?,
            "list" | "array" | "map" => self.container(&word, depth)?,
            _ => self.scalar(&word)?,
        };
        while self.eat('[') {
            self.word(); // a fixed length, which is not kept
            self.expect(']')?;
            data_type = list_of(data_type);
        }
        Ok(data_type)
    }

    /// What follows `list`, `array` or `map`.
    fn container(&mut self, word: &str, depth: usize) -> Result<DataType, String> {
        let close = self.open()?;
        let first = self.data_type(depth + 1)?;
        if word != "map" {
            self.expect(close)?;
            return Ok(list_of(first));
        }
        self.expect(',')?;
        let value = self.data_type(depth + 1)?;
        self.expect(close)?;
        Ok(map_of(first, value))
    }

    /// What follows `struct`: `<name type, ...>`, also with parentheses, and with a colon after names.
    fn structure(&mut self, depth: usize) -> Result<DataType, String> {
        let close = self.open()?;
        let mut fields: Vec<Field> = Vec::new();
        loop {
            let name = self.field_name()?;
            self.eat(':');
            let data_type = self.data_type(depth + 1)?;
            self.eat_words(&["not", "null"]);
            if fields.iter().any(|field| *field.name() == name) {
                return Err(format!("the field `{name}` is there twice"));
            }
            fields.push(Field::new(name, data_type, true));
            if self.eat(close) {
                return Ok(DataType::Struct(Fields::from(fields)));
            }
            self.expect(',')?;
        }
    }

    /// Eats `<` or `(` and says what will close it.
    fn open(&mut self) -> Result<char, String> {
        if self.eat('<') {
            return Ok('>');
        }
        self.expect('(').map(|()| ')').map_err(|_| "expected `<` or `(` after it".to_string())
    }

    fn scalar(&mut self, word: &str) -> Result<DataType, String> {
        if matches!(word, "double" | "character" | "char" | "national") {
            self.eat_words(&["precision"]);
            self.eat_words(&["varying"]);
        }
        let arguments = self.arguments()?;
        let unsigned = self.eat_words(&["unsigned"]);
        Ok(match word {
            "varchar" | "string" | "text" | "char" | "character" | "nvarchar" | "nchar" | "bpchar" | "tinytext"
            | "mediumtext" | "longtext" | "uuid" | "json" | "enum" | "utf8" | "clob" => DataType::Utf8View,
            "tinyint" | "int1" | "byte" => integer(0, unsigned),
            "smallint" | "int2" | "short" => integer(1, unsigned),
            "int" | "integer" | "int4" | "mediumint" | "signed" => integer(2, unsigned),
            "bigint" | "long" | "int8" | "int64" => integer(3, unsigned),
            "int16" => DataType::Int16,
            "int32" => DataType::Int32,
            "utinyint" | "uint8" => integer(0, true),
            "usmallint" | "uint16" => integer(1, true),
            "uinteger" | "uint32" => integer(2, true),
            "ubigint" | "uint64" => integer(3, true),
            "hugeint" | "uhugeint" => DataType::Decimal128(38, 0),
            "double" | "float8" | "float64" => DataType::Float64,
            "float" | "real" | "float4" | "float32" => DataType::Float32,
            "boolean" | "bool" | "logical" => DataType::Boolean,
            "date" | "date32" => DataType::Date32,
            "time" => {
                self.eat_words(&["without", "time", "zone"]);
                DataType::Time64(TimeUnit::Microsecond)
            }
            "timestamp" | "datetime" | "timestamp_ntz" | "timestamptz" | "timestamp_ltz" | "timestamp_s"
            | "timestamp_ms" | "timestamp_us" | "timestamp_ns" => self.timestamp(word, &arguments)?,
            "decimal" | "numeric" | "dec" | "number" => decimal(&arguments)?,
            "binary" | "bytea" | "blob" | "varbinary" | "bytes" | "longblob" | "mediumblob" | "tinyblob" => {
                DataType::Binary
            }
            _ => return Err(format!("there is no type `{word}`")),
        })
    }

    fn timestamp(&mut self, word: &str, arguments: &[u32]) -> Result<DataType, String> {
        let unit = match (word, arguments.first()) {
            ("timestamp_s", _) | (_, Some(0)) => TimeUnit::Second,
            ("timestamp_ms", _) | (_, Some(1..=3)) => TimeUnit::Millisecond,
            ("timestamp_ns", _) | (_, Some(7..=9)) => TimeUnit::Nanosecond,
            (_, None | Some(4..=6)) => TimeUnit::Microsecond,
            (_, Some(more)) => return Err(format!("a timestamp has at most 9 digits after the second, not {more}")),
        };
        let zoned = matches!(word, "timestamptz" | "timestamp_ltz") || self.eat_words(&["with", "time", "zone"]);
        self.eat_words(&["with", "local", "time", "zone"]);
        self.eat_words(&["without", "time", "zone"]);
        Ok(DataType::Timestamp(unit, zoned.then(|| Arc::from("UTC"))))
    }
}

/// The signed integer of `size` (0: 1 byte .. 3: 8 bytes) that holds it.
fn integer(size: u8, unsigned: bool) -> DataType {
    match size + u8::from(unsigned) {
        0 => DataType::Int8,
        1 => DataType::Int16,
        2 => DataType::Int32,
        3 => DataType::Int64,
        _ => DataType::Decimal128(20, 0),
    }
}

fn decimal(arguments: &[u32]) -> Result<DataType, String> {
    let (precision, scale) = match arguments {
        [] => (38, 10),
        [precision] => (*precision, 0),
        [precision, scale, ..] => (*precision, *scale),
    };
    if !(1..=38).contains(&precision) || scale > precision {
        return Err("a decimal has 1 to 38 digits, and no more of them after the point than in all".to_string());
    }
    Ok(DataType::Decimal128(precision as u8, scale as i8))
}

/// The list type over `item`, as all readers here build it.
pub(super) fn list_of(item: DataType) -> DataType {
    DataType::List(Arc::new(Field::new("item", item, true)))
}

/// The map type from `key` to `value`, as all readers here build it.
pub(super) fn map_of(key: DataType, value: DataType) -> DataType {
    let entries = Fields::from(vec![Field::new("key", key, false), Field::new("value", value, true)]);
    DataType::Map(Arc::new(Field::new("entries", DataType::Struct(entries), false)), false)
}

/// The SQL spelling of an Arrow type, for messages.
pub(super) fn sql_name(data_type: &DataType) -> String {
    match data_type {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => "varchar".to_string(),
        DataType::Int8 => "tinyint".to_string(),
        DataType::Int16 => "smallint".to_string(),
        DataType::Int32 => "int".to_string(),
        DataType::Int64 => "bigint".to_string(),
        DataType::Float32 => "float".to_string(),
        DataType::Float64 => "double".to_string(),
        DataType::Boolean => "boolean".to_string(),
        DataType::Date32 | DataType::Date64 => "date".to_string(),
        DataType::Time32(_) | DataType::Time64(_) => "time".to_string(),
        DataType::Timestamp(unit, zone) => {
            let zone = if zone.is_some() { " with time zone" } else { "" };
            format!("timestamp{}{zone}", precision(*unit))
        }
        DataType::Decimal128(precision, scale) => format!("decimal({precision},{scale})"),
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView => "binary".to_string(),
        DataType::List(item) | DataType::LargeList(item) => format!("{}[]", sql_name(item.data_type())),
        DataType::Struct(fields) => {
            let fields: Vec<String> = fields
                .iter()
                .map(|field| format!("{} {}", quoted(field.name()), sql_name(field.data_type())))
                .collect();
            format!("struct<{}>", fields.join(", "))
        }
        DataType::Map(entries, _) => match entries.data_type() {
            DataType::Struct(fields) if fields.len() == 2 => {
                format!("map<{}, {}>", sql_name(fields[0].data_type()), sql_name(fields[1].data_type()))
            }
            other => format!("map<{}>", sql_name(other)),
        },
        other => other.to_string().to_lowercase(),
    }
}

/// A field's name as a type spells it.
fn quoted(name: &str) -> Cow<'_, str> {
    let is_plain = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '_');
    if is_plain { name.into() } else { format!("\"{}\"", name.replace('"', "\"\"")).into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> DataType {
        parse_data_type(text).expect(text)
    }

    #[test]
    fn scalars_of_all_dialects() {
        for (text, expected) in [
            ("varchar", DataType::Utf8View),
            ("VARCHAR(255)", DataType::Utf8View),
            ("character varying(10)", DataType::Utf8View),
            ("int", DataType::Int32),
            ("INT8", DataType::Int64),
            ("tinyint", DataType::Int8),
            ("int unsigned", DataType::Int64),
            ("ubigint", DataType::Decimal128(20, 0)),
            ("double precision", DataType::Float64),
            ("float", DataType::Float32),
            ("bool", DataType::Boolean),
            ("date", DataType::Date32),
            ("timestamp", DataType::Timestamp(TimeUnit::Microsecond, None)),
            ("timestamp(9)", DataType::Timestamp(TimeUnit::Nanosecond, None)),
            ("timestamp with time zone", DataType::Timestamp(TimeUnit::Microsecond, Some(Arc::from("UTC")))),
            ("timestamp without time zone", DataType::Timestamp(TimeUnit::Microsecond, None)),
            ("decimal(10,2)", DataType::Decimal128(10, 2)),
            ("numeric", DataType::Decimal128(38, 10)),
            ("bytea", DataType::Binary),
            ("time", DataType::Time64(TimeUnit::Microsecond)),
        ] {
            assert_eq!(parsed(text), expected, "{text}");
        }
    }

    #[test]
    fn nested_types_in_all_spellings() {
        let expected = parsed(r#"struct<"Contract" varchar, n bigint>"#);
        assert_eq!(parsed("STRUCT(`Contract` varchar, n bigint)"), expected);
        assert_eq!(parsed("struct<Contract: string, n: long>"), expected);
        assert_eq!(parsed("row(Contract varchar, n int8)"), expected);
        assert_eq!(parsed("array<int>"), list_of(DataType::Int32));
        assert_eq!(parsed("int[][3]"), list_of(list_of(DataType::Int32)));
        assert_eq!(parsed("map<varchar, list<double>>"), map_of(DataType::Utf8View, list_of(DataType::Float64)));
        assert_eq!(sql_name(&parsed("struct<a int, b varchar[]>")), "struct<a int, b varchar[]>");
    }

    #[test]
    fn mistakes_say_what_and_suggest() {
        let error = parse_data_type("varchr").expect_err("no type");
        assert_eq!(error.code, codes::BAD_SOURCE);
        assert_eq!(error.helps[0], "did you mean `varchar`?");
        for text in
            ["", "struct<a int", "struct<>", "decimal(50)", "list<", "int)", "struct<a int, a int>", "timestamp(x)"]
        {
            assert!(parse_data_type(text).is_err(), "{text}");
        }
        assert!(parse_data_type(&"list<".repeat(100_000)).is_err());
    }
}
