//! Names of types that people know from elsewhere.

use datafusion::sql::sqlparser::ast::{CharacterLength, DataType, ExactNumberInfo, TimezoneInfo};

/// Respells a type that the planner does not know as the one that holds the same values. Lengths of text are dropped: text
/// has no limit here.
pub(super) fn respell(data_type: &mut DataType) {
    *data_type = match data_type {
        // Tables hold microseconds, and so does `timestamp` elsewhere; nanoseconds end in 2262.
        DataType::Timestamp(None, zone) => DataType::Timestamp(Some(6), *zone),
        DataType::Datetime(precision) | DataType::TimestampNtz(precision) => {
            DataType::Timestamp(Some(precision.unwrap_or(6)), TimezoneInfo::None)
        }
        DataType::Character(_)
        | DataType::CharacterVarying(_)
        | DataType::CharVarying(_)
        | DataType::CharacterLargeObject(_)
        | DataType::CharLargeObject(_)
        | DataType::Nvarchar(_)
        | DataType::Clob(_)
        | DataType::TinyText
        | DataType::MediumText
        | DataType::LongText
        | DataType::JSON
        | DataType::JSONB
        | DataType::Uuid => DataType::Text,
        DataType::Varchar(Some(CharacterLength::Max)) => DataType::Text,
        DataType::Blob(_)
        | DataType::Binary(_)
        | DataType::Varbinary(_)
        | DataType::Bytes(_)
        | DataType::TinyBlob
        | DataType::MediumBlob
        | DataType::LongBlob => DataType::Bytea,
        DataType::MediumInt(_) => DataType::Int(None),
        // A number with more digits than any other.
        DataType::HugeInt => DataType::Decimal(ExactNumberInfo::PrecisionAndScale(38, 0)),
        DataType::Dec(info) => DataType::Decimal(*info),
        DataType::BigNumeric(info) | DataType::BigDecimal(info) => DataType::Decimal(match info {
            ExactNumberInfo::None => ExactNumberInfo::PrecisionAndScale(38, 9),
            known => *known,
        }),
        DataType::Int64 => DataType::BigInt(None),
        DataType::Float64 => DataType::Double(ExactNumberInfo::None),
        DataType::Custom(name, arguments) => match custom(&name.to_string().to_lowercase(), arguments) {
            Some(known) => known,
            None => return,
        },
        _ => return,
    };
}

/// The types of which the parser knows no more than the name.
fn custom(name: &str, arguments: &[String]) -> Option<DataType> {
    let timestamp = |zone| DataType::Timestamp(Some(arguments.first().and_then(|n| n.parse().ok()).unwrap_or(6)), zone);
    Some(match name {
        "timestamp_ntz" | "timestamp_ltz" | "datetime2" | "smalldatetime" => timestamp(TimezoneInfo::None),
        "timestamp_tz" => timestamp(TimezoneInfo::WithTimeZone),
        "timestamp_s" => DataType::Timestamp(Some(0), TimezoneInfo::None),
        "timestamp_ms" => DataType::Timestamp(Some(3), TimezoneInfo::None),
        "timestamp_us" => DataType::Timestamp(Some(6), TimezoneInfo::None),
        "timestamp_ns" => DataType::Timestamp(Some(9), TimezoneInfo::None),
        "int128" => DataType::Decimal(ExactNumberInfo::PrecisionAndScale(38, 0)),
        "long" => DataType::BigInt(None),
        "short" => DataType::SmallInt(None),
        "byte" => DataType::TinyInt(None),
        "number" => match arguments {
            [] => DataType::Decimal(ExactNumberInfo::PrecisionAndScale(38, 0)),
            [precision] => DataType::Decimal(ExactNumberInfo::Precision(precision.parse().ok()?)),
            [precision, scale, ..] => {
                DataType::Decimal(ExactNumberInfo::PrecisionAndScale(precision.parse().ok()?, scale.parse().ok()?))
            }
        },
        "variant" | "object" | "super" | "citext" | "bpchar" | "name" | "ntext" => DataType::Text,
        _ => return None,
    })
}

/// A text that is read as a moment: Postgres takes `-0` and `+7` for an offset of hours, the engine wants all of its digits.
pub(super) fn respell_moment(text: &mut String) {
    let Some(at) = text.rfind(['+', '-']).filter(|at| text[..*at].contains(':')) else { return };
    let hours = &text[at + 1..];
    if matches!(hours.len(), 1 | 2) && hours.bytes().all(|byte| byte.is_ascii_digit()) {
        let offset = format!("{}{hours:0>2}:00", &text[at..=at]);
        text.replace_range(at.., &offset);
    }
}
