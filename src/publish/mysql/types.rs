//! MySQL's types for our kinds, with lengths from the data and MySQL's limits kept.
//!
//! Texts get `VARCHAR(n)`, where n is the longest text in characters rounded up to a power of two, so that a table keeps its
//! shape while its texts grow a little. Three limits make that less simple: a row has at most 65535 bytes (at four a
//! character, whatever is stored), a key or index at most 3072, and a `VARCHAR` beyond 16000 characters leaves no room for
//! anything else. So the longest texts become `TEXT`, key columns get the exact length where the round one is too
//! long, and indexes of long texts keep a prefix.

use super::super::kind::Kind;
use super::super::place::Place;
use super::super::shape::{FieldShape, Shape};
use super::super::survey::Measure;
use crate::diag::{Result, codes};

/// Bytes of one row, without what `TEXT` and `BLOB` keep elsewhere. The limit is 65535; the rest is for null bits.
const ROW_LIMIT: usize = 65_000;
/// Bytes of a key or index.
const KEY_LIMIT: usize = 3072;
/// Characters of a text beyond which it is no `VARCHAR`.
const VARCHAR_LIMIT: usize = 16_000;
/// Characters of a prefix in an index of long texts.
const PREFIX: usize = 255;

/// A column's type, and what it costs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ColumnType {
    /// As in `CREATE TABLE`, without `NOT NULL`.
    pub(super) sql: String,
    /// Bytes that count against the row's limit.
    row_bytes: usize,
    /// Bytes in a key; none if only a prefix can be in one.
    key_bytes: Option<usize>,
    /// True for types whose index can have a prefix in characters.
    text: bool,
}

impl ColumnType {
    fn fixed(sql: impl Into<String>, bytes: usize) -> ColumnType {
        ColumnType { sql: sql.into(), row_bytes: bytes, key_bytes: Some(bytes), text: false }
    }

    fn varchar(chars: usize) -> ColumnType {
        let bytes = 4 * chars;
        ColumnType { sql: format!("VARCHAR({chars})"), row_bytes: bytes + 2, key_bytes: Some(bytes), text: true }
    }

    fn varbinary(bytes: usize) -> ColumnType {
        let sql = format!("VARBINARY({bytes})");
        ColumnType { sql, row_bytes: bytes + 2, key_bytes: Some(bytes), text: false }
    }

    fn large(sql: &str, text: bool) -> ColumnType {
        ColumnType { sql: sql.to_string(), row_bytes: 12, key_bytes: None, text }
    }

    fn text(bytes: usize) -> ColumnType {
        ColumnType::large(by_size(bytes, ["TEXT", "MEDIUMTEXT", "LONGTEXT"]), true)
    }

    fn blob(bytes: usize) -> ColumnType {
        ColumnType::large(by_size(bytes, ["BLOB", "MEDIUMBLOB", "LONGBLOB"]), false)
    }
}

fn by_size(bytes: usize, types: [&'static str; 3]) -> &'static str {
    match bytes {
        0..=65_535 => types[0],
        65_536..=16_777_215 => types[1],
        _ => types[2],
    }
}

/// The type of every column. `collation` is for texts in the key.
pub(super) fn columns(place: &Place, shape: &Shape, measures: &[Measure], collation: &str) -> Result<Vec<ColumnType>> {
    let mut types = Vec::with_capacity(shape.fields.len());
    for (field, measure) in shape.fields.iter().zip(measures) {
        types.push(column(place, field, measure)?);
    }
    fit_key(place, shape, measures, &mut types)?;
    fit_row(shape, measures, &mut types);
    for at in &shape.key {
        if shape.fields[*at].kind == Kind::Text && shape.fields[*at].declared.is_none() {
            types[*at].sql.push_str(&format!(" CHARACTER SET utf8mb4 COLLATE {collation}"));
        }
    }
    Ok(types)
}

fn column(place: &Place, field: &FieldShape, measure: &Measure) -> Result<ColumnType> {
    if let Some(declared) = &field.declared {
        return Ok(self::declared(declared));
    }
    Ok(match field.kind {
        Kind::Null => ColumnType::varchar(1),
        Kind::Bool => ColumnType::fixed("TINYINT(1)", 1),
        Kind::Int { bits, signed } => {
            let (name, bytes) = match bits {
                8 => ("TINYINT", 1),
                16 => ("SMALLINT", 2),
                32 => ("INT", 4),
                _ => ("BIGINT", 8),
            };
            ColumnType::fixed(format!("{name}{}", if signed { "" } else { " UNSIGNED" }), bytes)
        }
        Kind::Float { bits: 32 } => ColumnType::fixed("FLOAT", 4),
        Kind::Float { .. } => ColumnType::fixed("DOUBLE", 8),
        Kind::Decimal { precision, scale } if precision <= 65 && scale <= 30 => {
            ColumnType::fixed(format!("DECIMAL({}, {scale})", precision.max(1)), usize::from(precision) / 2 + 1)
        }
        Kind::Decimal { precision, scale } => {
            let problem =
                format!("column `{}` is decimal({precision}, {scale}), and MySQL's end at (65, 30)", field.name);
            return Err(place
                .unfit(problem)
                .help("cast the column to a smaller decimal, to double or to text in the model"));
        }
        Kind::Date => ColumnType::fixed("DATE", 3),
        Kind::Timestamp => ColumnType::fixed("DATETIME(6)", 8),
        Kind::Time => ColumnType::fixed("TIME(6)", 6),
        Kind::Text if measure.chars > VARCHAR_LIMIT => ColumnType::text(measure.bytes),
        Kind::Text => ColumnType::varchar(round(measure.chars)),
        Kind::Binary if measure.bytes > VARCHAR_LIMIT => ColumnType::blob(measure.bytes),
        Kind::Binary => ColumnType::varbinary(round(measure.bytes)),
        Kind::Json => ColumnType::large("JSON", false),
    })
}

/// What a type that the job declares costs, as far as its name tells.
fn declared(sql: &str) -> ColumnType {
    let lower = sql.to_lowercase();
    let length = |prefix: &str| {
        let rest = lower.strip_prefix(prefix)?.trim_start().strip_prefix('(')?;
        rest.split(')').next()?.trim().parse::<usize>().ok()
    };
    let known = match (length("varchar").or_else(|| length("char")), length("varbinary").or_else(|| length("binary"))) {
        (Some(chars), _) => ColumnType::varchar(chars),
        (_, Some(bytes)) => ColumnType::varbinary(bytes),
        _ if lower.contains("text") => ColumnType::large("", true),
        _ if lower.contains("blob") || lower.starts_with("json") => ColumnType::large("", false),
        _ => ColumnType::fixed("", 8),
    };
    ColumnType { sql: sql.to_string(), ..known }
}

/// 16, 32, 64 and so on; the limit itself above the last power of two below it.
fn round(length: usize) -> usize {
    length.next_power_of_two().clamp(16, VARCHAR_LIMIT)
}

/// Takes the exact length for key columns if the round ones are too long together.
fn fit_key(place: &Place, shape: &Shape, measures: &[Measure], types: &mut [ColumnType]) -> Result<()> {
    let total =
        |types: &[ColumnType]| shape.key.iter().map(|at| types[*at].key_bytes.unwrap_or(KEY_LIMIT + 1)).sum::<usize>();
    if total(types) <= KEY_LIMIT {
        return Ok(());
    }
    for at in &shape.key {
        let (field, measure) = (&shape.fields[*at], &measures[*at]);
        match field.kind {
            Kind::Text if field.declared.is_none() => types[*at] = ColumnType::varchar(measure.chars.max(1)),
            Kind::Binary if field.declared.is_none() => types[*at] = ColumnType::varbinary(measure.bytes.max(1)),
            _ => {}
        }
    }
    let needed = total(types);
    if needed <= KEY_LIMIT {
        return Ok(());
    }
    let longest = shape.key.iter().copied().max_by_key(|at| types[*at].key_bytes.unwrap_or(usize::MAX)).unwrap_or(0);
    let (field, measure) = (&shape.fields[longest], &measures[longest]);
    let problem = format!("column `{}` is too long for a key: MySQL's keys end at {KEY_LIMIT} bytes", field.name);
    let error = place.unfit(problem).help("use a shorter key, such as a number or a hash of the text");
    Err(match measure.longest.is_empty() {
        true => error,
        false => error.note(format!("its longest value has {} characters: {}", measure.chars, measure.longest)),
    })
}

/// Makes the longest texts outside of key and indexes `TEXT` until a row fits.
fn fit_row(shape: &Shape, measures: &[Measure], types: &mut [ColumnType]) {
    let indexed = |at: &usize| shape.key.contains(at) || shape.indexes.iter().any(|index| index.contains(at));
    while types.iter().map(|column| column.row_bytes).sum::<usize>() > ROW_LIMIT {
        let movable = |at: &usize| {
            let sized = shape.fields[*at].kind.is_sized() && shape.fields[*at].declared.is_none();
            sized && types[*at].row_bytes > 12
        };
        let longest = |keep: bool| {
            let all = (0..types.len()).filter(movable).filter(|at| indexed(at) == keep && !shape.key.contains(at));
            all.max_by_key(|at| types[*at].row_bytes)
        };
        let Some(at) = longest(false).or_else(|| longest(true)) else { return };
        let bytes = measures[at].bytes;
        types[at] =
            if shape.fields[at].kind == Kind::Binary { ColumnType::blob(bytes) } else { ColumnType::text(bytes) };
    }
}

/// The columns of an index, quoted by `quote`, with prefixes where a column is too long.
pub(super) fn index_columns(
    place: &Place,
    shape: &Shape,
    types: &[ColumnType],
    index: &[usize],
    quote: impl Fn(&str) -> String,
) -> Result<String> {
    let budget = KEY_LIMIT / index.len().max(1);
    let mut parts = Vec::with_capacity(index.len());
    for at in index {
        let (field, column) = (&shape.fields[*at], &types[*at]);
        let name = quote(&field.name);
        parts.push(match column.key_bytes {
            Some(bytes) if bytes <= budget => name,
            _ if field.kind == Kind::Json && field.declared.is_none() => {
                let problem = format!("column `{}` is JSON, which an index cannot have", field.name);
                return Err(place.failed(codes::PUBLISH_CONFIG, problem).help("take it out of `indexes`"));
            }
            _ if column.text => format!("{name}({})", PREFIX.min(budget / 4)),
            _ => format!("{name}({})", PREFIX.min(budget)),
        });
    }
    Ok(parts.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place() -> Place {
        Place { destination: "bi".into(), server: "mysql".into(), table: "t".into(), node: "m".into() }
    }

    fn shape(kinds: &[Kind], key: &[usize], indexes: &[&[usize]]) -> Shape {
        let field = |(at, kind): (usize, &Kind)| FieldShape { name: format!("c{at}"), kind: *kind, declared: None };
        Shape {
            fields: kinds.iter().enumerate().map(field).collect(),
            key: key.to_vec(),
            indexes: indexes.iter().map(|index| index.to_vec()).collect(),
        }
    }

    fn texts(chars: &[usize]) -> Vec<Measure> {
        chars.iter().map(|chars| Measure { chars: *chars, bytes: chars * 2, longest: "'x...'".into() }).collect()
    }

    fn sql(shape: &Shape, measures: &[Measure]) -> Vec<String> {
        let types = columns(&place(), shape, measures, "utf8mb4_bin").expect("fits");
        types.into_iter().map(|column| column.sql).collect()
    }

    #[test]
    fn numbers_keep_width_and_sign() {
        let kinds = [
            Kind::Int { bits: 8, signed: true },
            Kind::Int { bits: 64, signed: false },
            Kind::Float { bits: 32 },
            Kind::Decimal { precision: 38, scale: 10 },
            Kind::Timestamp,
            Kind::Bool,
        ];
        let expected = ["TINYINT", "BIGINT UNSIGNED", "FLOAT", "DECIMAL(38, 10)", "DATETIME(6)", "TINYINT(1)"];
        assert_eq!(sql(&shape(&kinds, &[], &[]), &vec![Measure::default(); 6]), expected);
    }

    #[test]
    fn texts_are_rounded_up() {
        let shape = shape(&[Kind::Text; 5], &[0], &[]);
        let expected = [
            "VARCHAR(16) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin",
            "VARCHAR(32)",
            "VARCHAR(1024)",
            "TEXT",
            "MEDIUMTEXT",
        ];
        assert_eq!(sql(&shape, &texts(&[0, 17, 1000, 16_001, 40_000])), expected);
    }

    #[test]
    fn a_wide_row_moves_its_longest_texts_out() {
        let shape = shape(&[Kind::Text; 4], &[], &[&[1]]);
        let expected = ["VARCHAR(4096)", "VARCHAR(8192)", "TEXT", "TEXT"];
        assert_eq!(sql(&shape, &texts(&[3000, 8000, 9000, 5000])), expected);
    }

    #[test]
    fn a_long_key_gets_its_exact_length_or_is_refused() {
        let two = shape(&[Kind::Text; 2], &[0, 1], &[]);
        let expected =
            ["VARCHAR(300)", "VARCHAR(400)"].map(|text| format!("{text} CHARACTER SET utf8mb4 COLLATE utf8mb4_bin"));
        assert_eq!(sql(&two, &texts(&[300, 400])), expected);
        let error = columns(&place(), &two, &texts(&[300, 500]), "utf8mb4_bin").expect_err("too long");
        assert!(error.message.contains("column `c1` is too long for a key"), "{error:?}");
        assert!(error.notes.iter().any(|note| note.contains("500 characters: 'x...'")), "{error:?}");
    }

    #[test]
    fn long_texts_are_indexed_by_prefix() {
        let shape = shape(&[Kind::Text, Kind::Date], &[], &[&[0, 1]]);
        let types = columns(&place(), &shape, &texts(&[5000, 0]), "utf8mb4_bin").expect("fits");
        let index = index_columns(&place(), &shape, &types, &[0, 1], |name| name.to_string());
        assert_eq!(index.expect("fits"), "c0(255), c1");
    }
}
