//! Declared columns.

use serde_json::{Map, Value as Json};

use crate::diag::Span;

/// A column as a properties file declares it.
#[derive(Debug, Clone)]
pub struct Column {
    /// Name.
    pub name: String,
    /// Description.
    pub description: String,
    /// SQL type, if declared.
    pub data_type: Option<String>,
    /// Keys of the user's own.
    pub meta: Map<String, Json>,
    /// Tags.
    pub tags: Vec<String>,
    /// Quote the name in SQL.
    pub quote: Option<bool>,
    /// Constraints of a contract.
    pub constraints: Vec<Constraint>,
    /// Where the entry stands.
    pub span: Span,
}

/// A constraint of a contract, as dbt spells it.
#[derive(Debug, Clone, PartialEq)]
pub struct Constraint {
    /// `not_null`, `unique`, `primary_key`, `foreign_key`, `check` or `custom`.
    pub kind: String,
    /// Name, if it has one.
    pub name: Option<String>,
    /// Expression of a check.
    pub expression: Option<String>,
    /// Columns, on the level of a model.
    pub columns: Vec<String>,
}
