//! Where a publish gets its rows from, and what is known about them: which version of which table they are, and what
//! has changed since an earlier one.
//!
//! A destination asks for all rows, or for what is new or different since the version that its ledger remembers. It never
//! sees the warehouse.

use async_trait::async_trait;

use super::rows::Rows;
use crate::diag::Result;

/// A version of a table of the warehouse.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    /// The table's own id. A table that is dropped and made again has another one, though its versions start at 0 again.
    pub table_id: String,
    /// The number of the commit.
    pub number: u64,
}

/// What the ledger notes about the rows of a publish.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The relation in the warehouse, `schema.identifier`.
    pub relation: String,
    /// Which version of it; none for a view, which has none.
    pub version: Option<Version>,
    /// Id of the invocation that publishes.
    pub run: String,
    /// True if everything is to be sent again, whatever the ledger says (`--full-refresh`).
    pub full_refresh: bool,
}

/// The rows that were added since a version.
pub enum Added {
    /// These, and nothing else has changed.
    Rows(Box<dyn Rows>),
    /// It cannot be told; the words say why, such as "version 8 replaced rows (overwrite)".
    Unclear(String),
}

/// What is different from an earlier version.
pub struct Changed {
    /// Rows that are new or have another value in some column.
    pub rows: Box<dyn Rows>,
    /// Keys that are no longer there: the columns of the key alone.
    pub gone: Box<dyn Rows>,
}

/// Rows that can be published.
#[async_trait]
pub trait Source: Send + Sync {
    /// What they are.
    fn origin(&self) -> &Origin;

    /// All of them.
    fn rows(&self) -> &dyn Rows;

    /// How many there are, if that is known without reading them.
    fn count(&self) -> Option<u64> {
        None
    }

    /// Those that commits have added since version `since` of the same table.
    async fn added(&self, since: u64) -> Result<Added>;

    /// What has changed since version `since` of the same table, by `key`; none if that version's files are gone.
    async fn changed(&self, since: u64, key: &[String]) -> Result<Option<Changed>>;
}

/// Rows without a history, such as those of a view.
pub struct Timeless<R> {
    /// What they are.
    pub origin: Origin,
    /// The rows.
    pub rows: R,
}

#[async_trait]
impl<R: Rows> Source for Timeless<R> {
    fn origin(&self) -> &Origin {
        &self.origin
    }

    fn rows(&self) -> &dyn Rows {
        &self.rows
    }

    async fn added(&self, _: u64) -> Result<Added> {
        Ok(Added::Unclear("the relation has no versions".to_string()))
    }

    async fn changed(&self, _: u64, _: &[String]) -> Result<Option<Changed>> {
        Ok(None)
    }
}

/// `rows` as those of a view.
#[cfg(test)]
pub(super) fn timeless(rows: &dyn Rows) -> Timeless<&dyn Rows> {
    let origin = Origin { relation: "main.mart".into(), version: None, run: "a run".into(), full_refresh: false };
    Timeless { origin, rows }
}
