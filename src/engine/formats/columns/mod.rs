//! Columns under construction that can roll back a row.
//!
//! Readers of text append field by field and learn only at the end of a record whether it is good. So every column can
//! be cut back to a length ([`Column::truncate`]), at any depth: a struct cuts its children to the same length, a list
//! cuts its items to where the last list that stays ended. A record that turns out bad leaves no trace.
//!
//! The tree has all *declared* columns. What a query wants ([`Wanted`]) decides which of them keep values; the others
//! check what they are given and count, so that whether a record is bad never depends on who asks.

mod nested;
mod scalar;

use std::collections::BTreeMap;
use std::sync::Arc;

use datafusion::arrow::array::ArrayRef;
use datafusion::arrow::datatypes::{DataType, Field, Fields};
use datafusion::arrow::error::ArrowError;

pub(super) use nested::{ListColumn, MapColumn, StructColumn};
pub(super) use scalar::ScalarColumn;

/// What a query wants of a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Wanted {
    /// Its values are only checked.
    Nothing,
    /// All of it.
    All,
    /// These fields of a struct.
    Fields(BTreeMap<String, Wanted>),
}

impl Wanted {
    /// What is wanted of the field `name`.
    fn field(&self, name: &str) -> &Wanted {
        match self {
            Wanted::Fields(fields) => fields.get(name).unwrap_or(&Wanted::Nothing),
            other => other,
        }
    }

    /// Adds the wish for `path` below this column (an empty path: all of it).
    pub(super) fn add(&mut self, path: &[&str]) {
        let Some((first, rest)) = path.split_first() else {
            *self = Wanted::All;
            return;
        };
        if *self == Wanted::Nothing {
            *self = Wanted::Fields(BTreeMap::new());
        }
        if let Wanted::Fields(fields) = self {
            fields.entry((*first).to_string()).or_insert(Wanted::Nothing).add(rest);
        }
    }

    /// The type that is left of `data_type`.
    pub(super) fn prune(&self, data_type: &DataType) -> DataType {
        match (self, data_type) {
            (Wanted::Fields(_), DataType::Struct(fields)) => DataType::Struct(
                fields
                    .iter()
                    .filter(|field| *self.field(field.name()) != Wanted::Nothing)
                    .map(|field| {
                        let pruned = self.field(field.name()).prune(field.data_type());
                        Arc::new(field.as_ref().clone().with_data_type(pruned))
                    })
                    .collect::<Fields>(),
            ),
            _ => data_type.clone(),
        }
    }

    /// The same wish, with a path into something that is no struct widened to all of it.
    pub(super) fn fit(self, data_type: &DataType) -> Wanted {
        let Wanted::Fields(wanted) = self else { return self };
        let DataType::Struct(fields) = data_type else { return Wanted::All };
        let fitting: BTreeMap<String, Wanted> = wanted
            .into_iter()
            .filter_map(|(name, wanted)| {
                let field = fields.iter().find(|field| *field.name() == name)?;
                Some((name, wanted.fit(field.data_type())))
            })
            .collect();
        if fitting.is_empty() { Wanted::All } else { Wanted::Fields(fitting) }
    }
}

/// A column under construction.
pub(super) enum Column {
    /// Single values.
    Scalar(ScalarColumn),
    /// Structs.
    Struct(StructColumn),
    /// Lists.
    List(Box<ListColumn>),
    /// Maps with text as keys.
    Map(Box<MapColumn>),
}

impl Column {
    /// An empty column, or the type for which there is no reader.
    pub(super) fn new(data_type: &DataType, wanted: &Wanted) -> Result<Column, DataType> {
        match data_type {
            DataType::Struct(fields) => StructColumn::new(fields, wanted).map(Column::Struct),
            DataType::List(item) => ListColumn::new(item, wanted).map(Box::new).map(Column::List),
            DataType::Map(entries, false) => MapColumn::new(entries, wanted).map(Box::new).map(Column::Map),
            other => match ScalarColumn::new(other, *wanted != Wanted::Nothing) {
                Some(column) => Ok(Column::Scalar(column)),
                None => Err(other.clone()),
            },
        }
    }

    /// How many values it has.
    pub(super) fn len(&self) -> usize {
        match self {
            Column::Scalar(column) => column.len(),
            Column::Struct(column) => column.len(),
            Column::List(column) => column.len(),
            Column::Map(column) => column.len(),
        }
    }

    /// Appends NULL.
    pub(super) fn append_null(&mut self) {
        match self {
            Column::Scalar(column) => column.append_null(),
            Column::Struct(column) => column.append_null(),
            Column::List(column) => column.append_null(),
            Column::Map(column) => column.append_null(),
        }
    }

    /// Forgets everything after the first `len` values.
    pub(super) fn truncate(&mut self, len: usize) {
        match self {
            Column::Scalar(column) => column.truncate(len),
            Column::Struct(column) => column.truncate(len),
            Column::List(column) => column.truncate(len),
            Column::Map(column) => column.truncate(len),
        }
    }

    /// The array of all values; the column is empty afterwards.
    pub(super) fn finish(&mut self) -> Result<ArrayRef, ArrowError> {
        match self {
            Column::Scalar(column) => column.finish(),
            Column::Struct(column) => column.finish(),
            Column::List(column) => column.finish(),
            Column::Map(column) => column.finish(),
        }
    }
}

/// An error for a declared column whose type no text can be read into.
pub(super) fn unsupported(field: &Field, data_type: &DataType) -> Box<crate::diag::Diagnostic> {
    crate::diag::Diagnostic::error(
        crate::diag::codes::BAD_SOURCE,
        format!(
            "column `{}` has the type {}, which cannot be read from text",
            field.name(),
            super::types::sql_name(data_type)
        ),
    )
    .help("declare it as varchar and convert it in SQL")
}
