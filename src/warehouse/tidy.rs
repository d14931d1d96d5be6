//! Removing what a table no longer needs.

use chrono::Duration;
use deltalake::checkpoints::create_checkpoint;

use super::{Stored, Warehouse, failed};
use crate::diag::Result;
use crate::node::Relation;

/// For how long a file that is no part of the table any more may be read: longer than any query takes.
const READ: Duration = Duration::days(1);

impl Stored {
    /// Files of a table.
    pub(crate) fn files(&self) -> Option<usize> {
        match self {
            Stored::Table(table) => table.snapshot().ok().map(|state| state.log_data().num_files()),
            Stored::View(_) => None,
        }
    }
}

impl Warehouse {
    /// Makes `relation` quick to open (a checkpoint of its log) and removes files that nobody can be reading.
    ///
    /// Only for tables whose earlier versions nobody asks for.
    ///
    /// # Errors
    /// C5007 if the table cannot be read or its files not be removed.
    pub(crate) async fn tidy(&self, relation: &Relation) -> Result<()> {
        let Some(Stored::Table(table)) = self.load(relation).await? else { return Ok(()) };
        let what = format!("table `{relation}` cannot be tidied up");
        create_checkpoint(&table, None).await.map_err(|error| failed(&what, &error))?;
        let vacuum = table.vacuum().with_retention_period(READ).with_enforce_retention_duration(false);
        vacuum.await.map(drop).map_err(|error| failed(&what, &error))
    }
}
