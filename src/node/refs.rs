//! References as templates spell them.

use serde_json::Value as Json;

use crate::diag::Span;

/// A call `ref([package,] name, version=...)`.
#[derive(Debug, Clone, PartialEq)]
pub struct RefCall {
    /// Package, if the call names one.
    pub package: Option<String>,
    /// Name.
    pub name: String,
    /// Version, if the call names one.
    pub version: Option<Json>,
    /// Where the call stands, if that is known.
    pub span: Option<Span>,
}

/// A call `source(source_name, table_name)`.
#[derive(Debug, Clone, PartialEq)]
pub struct SourceCall {
    /// Name of the source.
    pub source: String,
    /// Name of the table.
    pub table: String,
    /// Where the call stands, if that is known.
    pub span: Option<Span>,
}
