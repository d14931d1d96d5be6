//! Two writers of one table.
//!
//! A commit of Delta is the file of the next version, which one of two writers makes first. What the other one may do then
//! depends on what it was about to write:
//!
//! - rows that are added whatever the table holds: they are added to the next version;
//! - everything else was computed from a version that is no longer the newest: the table as it was plus rows, minus rows,
//!   or another table in its place. Committing it would undo what the first writer did, or keep both. It is refused
//!   ([`Base`], and no second attempt to commit), and whoever computed it computes it again from what is there now.

use deltalake::DeltaTableError;
use deltalake::kernel::transaction::TransactionError;

use super::{Stored, TableVersion, Warehouse};
use crate::diag::{Diagnostic, codes};
use crate::node::Relation;

/// The version of a table that rows were computed from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Base {
    /// None: they do not depend on what the table holds.
    Any,
    /// This version, or no table at all.
    Version(Option<u64>),
}

impl Base {
    /// For what is computed from `stored`.
    pub fn of(stored: Option<&Stored>) -> Base {
        match stored {
            Some(Stored::Table(table)) => Base::Version(table.version()),
            // Under a view there may be a table that nobody reads.
            Some(Stored::View(_)) => Base::Any,
            None => Base::Version(None),
        }
    }

    /// The version, if the rows depend on one.
    pub(crate) fn seen(self) -> Option<u64> {
        match self {
            Base::Any => None,
            Base::Version(seen) => seen,
        }
    }

    /// True if a table at `version` is not what the rows were computed from.
    pub(super) fn is_stale(self, version: Option<u64>) -> bool {
        matches!(self, Base::Version(seen) if seen != version)
    }
}

/// C5013: what was about to be done to a table that somebody else has written.
pub(super) fn conflict(what: &str) -> Box<Diagnostic> {
    Diagnostic::error(codes::WRITE_CONFLICT, format!("{what}: somebody else has written it at the same time"))
        .note("what they wrote is kept, and nothing of this build")
        .help("another build writes this table: build it again when that one has ended")
}

impl Warehouse {
    /// C5013, with who it was: the first commit to `relation` after version `seen`.
    pub(super) async fn conflict(&self, relation: &Relation, what: &str, seen: Option<u64>) -> Box<Diagnostic> {
        let found = conflict(what);
        let Ok(Some(table)) = self.load_table(relation).await else { return found };
        let theirs = seen.map_or(0, |version| version + 1);
        let told = TableVersion::new(table, relation.to_string()).told(theirs).await;
        found.note(format!("version {theirs} of it is theirs{told}"))
    }
}

/// True if a commit failed because somebody else committed.
pub(super) fn is_conflict(error: &DeltaTableError) -> bool {
    use TransactionError::{CommitConflict, MaxCommitAttempts, VersionAlreadyExists};
    match error {
        DeltaTableError::VersionAlreadyExists(_) => true,
        DeltaTableError::Transaction { source } => {
            matches!(source, CommitConflict(_) | MaxCommitAttempts(_) | VersionAlreadyExists(_))
        }
        _ => false,
    }
}
