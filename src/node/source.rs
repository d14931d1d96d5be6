//! Sources: tables that are files, or that are in a database.

use serde_json::{Map, Value as Json};

use crate::diag::Span;

/// A table of a source.
#[derive(Debug, Clone)]
pub struct SourceTable {
    /// Name of the source that it belongs to.
    pub source_name: String,
    /// Description of the source as a whole.
    pub source_description: String,
    /// Its name outside, if that differs from its name here.
    pub identifier: String,
    /// Who loads it.
    pub loader: String,
    /// Column or expression with the time of loading.
    pub loaded_at_field: Option<String>,
    /// Query for the time of loading.
    pub loaded_at_query: Option<String>,
    /// When it is too old.
    pub freshness: Option<Freshness>,
    /// Where its files or its table are, and how to read them.
    pub external: Option<External>,
    /// Meta of the source as a whole.
    pub source_meta: Map<String, Json>,
}

/// The `external:` block.
#[derive(Debug, Clone)]
pub struct External {
    /// Path, glob, folder or URL; empty for a table of a database.
    pub location: String,
    /// Where `location` stands, or the block without one.
    pub span: Span,
    /// The whole block, rendered.
    pub settings: Map<String, Json>,
}

/// Thresholds of `source freshness`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Freshness {
    /// Older than this warns.
    pub warn_after: Option<FreshnessThreshold>,
    /// Older than this is an error.
    pub error_after: Option<FreshnessThreshold>,
    /// Filter on the rows that are looked at.
    pub filter: Option<String>,
}

/// A count of `minute`, `hour` or `day`.
#[derive(Debug, Clone, PartialEq)]
pub struct FreshnessThreshold {
    /// How many.
    pub count: i64,
    /// Of what.
    pub period: String,
}
