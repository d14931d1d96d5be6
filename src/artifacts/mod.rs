//! Files that other programs read: `manifest.json` (dbt's schema v12) and `run_results.json` (v6), `sources.json` (v3),
//! `catalog.json` (v1); and our own: `runs.json`.
//!
//! The types here are the schemas' shapes, not the program's: each evolves on its own clock. Same inputs give the same
//! bytes, but for the fields that are times and ids of the invocation. Maps are sorted by unique id; results stand in the
//! order in which they ended, as dbt's do.

mod catalog;
mod diff;
mod lineage;
mod manifest;
mod plans;
mod run_results;
mod runs;
mod samples;
mod source_files;
mod sources;
#[cfg(test)]
mod tests;
mod write;

use std::collections::BTreeMap;

use chrono::{DateTime, SecondsFormat, Utc};
use serde::Serialize;

pub use catalog::{Catalog, CatalogColumn, CatalogStat, CatalogTable, TableMetadata, catalog};
pub use diff::{Affected, Change, ColumnDiff, Diff, ExposureDiff, NodeDiff, Pair, PublishDiff, RowsDiff};
pub use lineage::{
    LINEAGE_SCHEMA, LineageColumn, LineageDescription, LineageDoc, LineageInput, LineageMetadata, LineageNode, lineage,
};
pub use manifest::{Compiled, ManifestMeta, config, manifest};
pub use plans::plans;
pub use run_results::{RunMeta, run_results};
pub use runs::{NodeRun, PastRun, Runs};
pub use samples::{Sample, samples};
pub use source_files::{ListedSourceFile, SourceListing, missing, source_files};
pub use sources::{Age, SourceFreshness, sources};
pub use write::write;

/// The version of dbt whose artifacts these are.
pub const DBT_VERSION: &str = "1.11.0";

/// What artifacts say of the invocation that made them.
#[derive(Debug, Clone)]
pub struct Made {
    /// When the artifact was made.
    pub at: DateTime<Utc>,
    /// When the invocation started.
    pub started_at: DateTime<Utc>,
    /// Id of the invocation.
    pub invocation_id: String,
    /// `DBT_ENV_CUSTOM_ENV_X` and `C360_ENV_CUSTOM_ENV_X`, by `X`.
    pub env: BTreeMap<String, String>,
}

/// `metadata`, as far as all artifacts have it.
#[derive(Debug, Serialize)]
struct Metadata<'a> {
    dbt_schema_version: &'static str,
    dbt_version: &'static str,
    generated_at: String,
    invocation_id: &'a str,
    invocation_started_at: String,
    env: &'a BTreeMap<String, String>,
}

impl<'a> Metadata<'a> {
    fn new(schema: &'static str, made: &'a Made) -> Metadata<'a> {
        Metadata {
            dbt_schema_version: schema,
            dbt_version: DBT_VERSION,
            generated_at: stamp(made.at),
            invocation_id: &made.invocation_id,
            invocation_started_at: stamp(made.started_at),
            env: &made.env,
        }
    }
}

/// A time as dbt writes it: UTC, microseconds, `Z`.
fn stamp(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Micros, true)
}
