//! As much of types as it takes to find fields: structs, and what holds them.

use arrow::datatypes::{DataType, Field, Fields};
use datafusion::sql::sqlparser::ast::{ArrayElemTypeDef, DataType as SqlType};

use super::scope::best;

/// The elements of a list, or the values of a map.
pub(super) fn element(data_type: &DataType) -> Option<&DataType> {
    match data_type {
        DataType::List(field)
        | DataType::LargeList(field)
        | DataType::ListView(field)
        | DataType::LargeListView(field)
        | DataType::FixedSizeList(field, _) => Some(field.data_type()),
        DataType::Map(entries, _) => match entries.data_type() {
            DataType::Struct(fields) => fields.get(1).map(|value| value.data_type()),
            _ => None,
        },
        _ => None,
    }
}

/// True if a dot below such a value may mean a field of it.
pub(super) fn has_fields(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Struct(_) | DataType::Map(..))
}

/// Exact name and type of a field of a struct; the keys of a map are what they are.
pub(super) fn field(data_type: &DataType, name: &str) -> Option<(String, DataType)> {
    match data_type {
        DataType::Struct(fields) => {
            let field = best(name, fields.iter(), |field| field.name()).ok()?;
            Some((field.name().clone(), field.data_type().clone()))
        }
        DataType::Map(..) => Some((name.to_string(), element(data_type)?.clone())),
        _ => None,
    }
}

/// A list of `element`s.
pub(super) fn list_of(element: DataType) -> DataType {
    DataType::new_list(element, true)
}

/// The type that a cast makes, for structs and lists of them; other types have nothing below them to find.
pub(super) fn cast_type(sql: &SqlType) -> Option<DataType> {
    match sql {
        SqlType::Struct(fields, _) => {
            let field = |field: &datafusion::sql::sqlparser::ast::StructField| {
                let name = field.field_name.as_ref()?.value.clone();
                Some(Field::new(name, cast_type(&field.field_type).unwrap_or(DataType::Null), true))
            };
            Some(DataType::Struct(fields.iter().map(field).collect::<Option<Fields>>()?))
        }
        SqlType::Array(ArrayElemTypeDef::AngleBracket(inner) | ArrayElemTypeDef::SquareBracket(inner, _)) => {
            Some(list_of(cast_type(inner)?))
        }
        _ => None,
    }
}
