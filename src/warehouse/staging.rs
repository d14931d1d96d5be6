//! Tables beside a relation, for rows on their way into it.
//!
//! Each has a name of its own, because two processes may build the same relation at the same time. The name begins with an
//! underscore, so it is not listed among the relations of its schema. A process that is killed leaves its table behind;
//! who builds the relation a day later removes it.

use chrono::{Duration, Utc};
use futures::TryStreamExt;

use super::{Warehouse, segment};
use crate::diag::Result;
use crate::node::Relation;

/// For how long a table may be in use: longer than any build takes.
const IN_USE: Duration = Duration::days(1);

fn prefix(relation: &Relation) -> String {
    format!("_c360_new_{}_", relation.identifier)
}

/// True for the name of a table beside some relation.
pub(super) fn is_staging(name: &str) -> bool {
    name.strip_prefix("_c360_new_").and_then(|rest| rest.rsplit_once('_')).is_some_and(|(_, unique)| unique.len() == 12)
}

/// A new table beside `relation`.
pub fn staging(relation: &Relation) -> Relation {
    let unique = &uuid::Uuid::new_v4().simple().to_string()[..12];
    Relation::new(&relation.database, &relation.schema, &format!("{}{unique}", prefix(relation)))
}

impl Warehouse {
    /// Removes tables beside `relation` that no living process can use any more. That it fails is nobody's concern.
    pub async fn drop_left_behind(&self, relation: &Relation) {
        if let Err(error) = self.try_drop_left_behind(relation).await {
            tracing::warn!("staged rows were left behind: {error}");
        }
    }

    async fn try_drop_left_behind(&self, relation: &Relation) -> Result<()> {
        let prefix = prefix(relation);
        for name in self.folders(&self.prefix.clone().join(segment(&relation.schema))).await? {
            let own = name.strip_prefix(&prefix).is_some_and(|unique| unique.len() == 12);
            let left = Relation::new(&relation.database, &relation.schema, &name);
            if own && self.is_old(&left).await {
                self.drop_relation(&left).await?;
            }
        }
        Ok(())
    }

    /// True if none of the files of a table was written lately.
    async fn is_old(&self, relation: &Relation) -> bool {
        let mut files = self.store.list(Some(&self.folder(relation)));
        let limit = Utc::now() - IN_USE;
        loop {
            match files.try_next().await {
                Ok(Some(file)) if file.last_modified < limit => {}
                Ok(None) => return true,
                Ok(Some(_)) | Err(_) => return false,
            }
        }
    }
}
