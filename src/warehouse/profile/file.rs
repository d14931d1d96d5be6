//! Profiles beside their tables.
//!
//! The file is `_c360/profile.json` in the folder of the table: readers of Delta tables and `vacuum` leave alone what
//! begins with an underscore. It is written after the commit and says which version it describes; a table that was
//! written by others since then, or by a write without a profile, is at another version, and its profile is stale. That
//! it cannot be written or read is never a reason for a build to fail.

use chrono::{DateTime, Utc};
use datafusion::arrow::datatypes::{DataType, SchemaRef};
use object_store::{ObjectStoreExt, path::Path as StorePath};
use serde::{Deserialize, Serialize};

use super::column::Column;
use super::kept::Kept;
use super::profiler::{Columns, merged};
use super::{ColumnProfile, EVERY_COLUMN, Profiler, Profiling};
use crate::diag::{Diagnostic, Result, codes};
use crate::node::Relation;
use crate::warehouse::Warehouse;

/// What this program writes; another number is not read.
const FORMAT: u32 = 1;

/// The profile of one version of a table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TableProfile {
    format: u32,
    /// The version.
    pub version: u64,
    /// When it was written.
    pub made_at: DateTime<Utc>,
    /// Who wrote it.
    pub invocation_id: String,
    /// Rows of the table.
    pub rows: u64,
    columns: Vec<Named>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Named {
    name: String,
    #[serde(rename = "type")]
    data_type: String,
    profile: ColumnProfile,
    kept: Kept,
}

impl TableProfile {
    /// Columns by name, in the order of the table.
    pub fn columns(&self) -> impl Iterator<Item = (&str, &ColumnProfile)> {
        self.columns.iter().map(|column| (column.name.as_str(), &column.profile))
    }

    /// The profile of the column `name`.
    pub fn column(&self, name: &str) -> Option<&ColumnProfile> {
        self.columns().find(|(other, _)| *other == name).map(|(_, profile)| profile)
    }

    fn named(&self, name: &str) -> Option<&Named> {
        self.columns.iter().find(|column| column.name == name)
    }
}

/// A write whose rows were counted.
pub(in crate::warehouse) struct Counted<'a> {
    pub(in crate::warehouse) profiler: &'a Profiler,
    pub(in crate::warehouse) profiling: &'a Profiling,
    pub(in crate::warehouse) invocation_id: &'a str,
    /// The version that rows were added to; none if they replaced it.
    pub(in crate::warehouse) added_to: Option<u64>,
    /// The version that came of it.
    pub(in crate::warehouse) version: u64,
    /// Rows that were written.
    pub(in crate::warehouse) rows: u64,
}

impl Warehouse {
    /// The profile of a table, of whichever version; none if it has none.
    ///
    /// # Errors
    /// C5006 if the store cannot be reached, C5007 if it is not readable.
    pub async fn profile(&self, relation: &Relation) -> Result<Option<TableProfile>> {
        let bytes = match self.store.get(&self.profile_path(relation)).await {
            Ok(found) => found.bytes().await.map_err(|error| self.store_failed(relation, &error))?,
            Err(object_store::Error::NotFound { .. }) => return Ok(None),
            Err(error) => return Err(self.store_failed(relation, &error)),
        };
        let profile: TableProfile = serde_json::from_slice(&bytes).map_err(|error| {
            Diagnostic::error(codes::WAREHOUSE_ERROR, format!("the profile of `{relation}` cannot be read: {error}"))
                .help("build the table again")
        })?;
        Ok(Some(profile).filter(|profile| profile.format == FORMAT))
    }

    fn profile_path(&self, relation: &Relation) -> StorePath {
        self.folder(relation).join("_c360").join("profile.json")
    }

    /// Writes the profile of a table whose rows were counted while they were written.
    pub(in crate::warehouse) async fn keep_profile(&self, relation: &Relation, write: Counted<'_>) {
        let version = write.version;
        if let Err(error) = self.try_keep_profile(relation, write).await {
            tracing::warn!("the profile of version {version} of `{relation}` was not written: {error}");
        }
    }

    async fn try_keep_profile(&self, relation: &Relation, write: Counted<'_>) -> Result<()> {
        let asks = write.added_to.is_some() || matches!(write.profiling, Profiling::AsBefore);
        let before = if asks { self.profile(relation).await? } else { None };
        let hidden: Vec<String> = match (write.profiling, &before) {
            (Profiling::Off, _) | (Profiling::AsBefore, None) => return Ok(()),
            (Profiling::On { hidden }, _) => hidden.clone(),
            (Profiling::AsBefore, Some(before)) => before.hidden(),
        };
        let columns = write.profiler.finish();
        let schema = write.profiler.schema();
        let seen = columns.iter().flatten().map(|column| column.rows).next();
        if seen.is_some_and(|rows| rows != write.rows) {
            tracing::debug!("{seen:?} of {} rows of `{relation}` were counted", write.rows);
            return Ok(());
        }
        let mut made = TableProfile {
            format: FORMAT,
            version: write.version,
            made_at: Utc::now(),
            invocation_id: write.invocation_id.to_string(),
            rows: write.rows,
            columns: named(schema, &columns, &hidden),
        };
        if let Some(added_to) = write.added_to {
            let fits = |before: &TableProfile| before.version == added_to && write.version == added_to + 1;
            // Somebody else wrote in between, or what was there has no profile: nothing true can be said.
            let Some(before) = before.filter(fits) else { return Ok(()) };
            made = before.with(made, schema, columns, &hidden);
        }
        let bytes = serde_json::to_vec(&made)
            .map_err(|error| Diagnostic::error(codes::INTERNAL, format!("a profile cannot be written: {error}")))?;
        self.store
            .put(&self.profile_path(relation), bytes.into())
            .await
            .map_err(|error| self.store_failed(relation, &error))?;
        Ok(())
    }
}

fn named(schema: &SchemaRef, columns: &Columns, hidden: &[String]) -> Vec<Named> {
    let fields = schema.fields().iter().zip(columns);
    let known = fields.filter_map(|(field, column)| Some((field, column.as_ref()?)));
    known
        .map(|(field, column)| describe(field.name(), field.data_type(), column, is_in(hidden, field.name())))
        .collect()
}

fn is_in(hidden: &[String], name: &str) -> bool {
    hidden.iter().any(|other| other == EVERY_COLUMN || other.to_lowercase() == name.to_lowercase())
}

fn describe(name: &str, data_type: &DataType, column: &Column, hidden: bool) -> Named {
    Named {
        name: name.to_string(),
        data_type: data_type.to_string(),
        profile: ColumnProfile::new(column, data_type, hidden),
        kept: Kept::new(column, data_type, hidden),
    }
}

impl TableProfile {
    /// Columns of which no value is kept.
    fn hidden(&self) -> Vec<String> {
        self.columns.iter().filter(|column| column.profile.hidden).map(|column| column.name.clone()).collect()
    }

    /// This profile with the rows that were added. A column that one of both lacks is null there. What was hidden stays
    /// so, since its values were not kept.
    fn with(self, added: TableProfile, schema: &SchemaRef, mut columns: Columns, hidden: &[String]) -> TableProfile {
        let mut whole = Vec::new();
        for before in &self.columns {
            let known = schema.fields().iter().position(|field| *field.name() == before.name);
            let Some(index) = known else {
                whole.extend(before.with_nulls(added.rows));
                continue;
            };
            let data_type = schema.field(index).data_type();
            let same = data_type.to_string() == before.data_type;
            let old = before.kept.column(data_type, before.profile.rows, before.profile.nulls).filter(|_| same);
            if let Some(column) = merged(old, columns[index].take()) {
                let hidden = before.profile.hidden || is_in(hidden, &before.name);
                whole.push(describe(&before.name, data_type, &column, hidden));
            }
        }
        for (field, column) in schema.fields().iter().zip(columns) {
            if self.named(field.name()).is_none() {
                let nulls = Column::of_nulls(field.data_type(), self.rows);
                let column = merged(column, Some(nulls));
                let hidden = is_in(hidden, field.name());
                whole.extend(column.map(|column| describe(field.name(), field.data_type(), &column, hidden)));
            }
        }
        TableProfile { rows: self.rows + added.rows, columns: whole, ..added }
    }
}

impl Named {
    /// The column with rows that have no value.
    fn with_nulls(&self, rows: u64) -> Option<Named> {
        let mut more = self.clone();
        more.profile.rows += rows;
        more.profile.nulls += rows;
        Some(more)
    }
}
