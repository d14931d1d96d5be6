//! The artifacts that every verb writes.

use std::collections::HashMap;
use std::path::Path;

use chrono::Utc;

use super::Loaded;
use super::state::checksum_of_seed;
use crate::artifacts::{Compiled, Made, ManifestMeta, SourceFreshness, manifest, run_results, sources, write};
use crate::diag::Result;
use crate::node::Node;
use crate::run::RunResult;

/// Writes `manifest.json`, with the SQL of `compiled` nodes in it.
///
/// # Errors
/// C5006 if it cannot be written.
pub fn write_manifest(folder: &Path, loaded: &Loaded, compiled: &HashMap<String, Compiled>) -> Result<()> {
    let target = &loaded.invocation.target;
    let seed_checksums = seed_checksums(loaded);
    let meta = ManifestMeta {
        made: made(loaded),
        database: &target.database,
        schema: &target.schema,
        compiled,
        seed_checksums: &seed_checksums,
    };
    write(&folder.join("manifest.json"), &manifest(&loaded.manifest, &meta))
}

/// Writes `run_results.json`.
///
/// # Errors
/// C5006 if it cannot be written.
pub fn write_run_results(folder: &Path, loaded: &Loaded, result: &RunResult) -> Result<()> {
    let made = made(loaded);
    write(&folder.join("run_results.json"), &run_results(result, &made))
}

/// Writes `sources.json` to `path`.
///
/// # Errors
/// C5006 if it cannot be written.
pub(super) fn write_sources(
    path: &Path,
    loaded: &Loaded,
    results: &[SourceFreshness],
    elapsed: std::time::Duration,
) -> Result<()> {
    write(path, &sources(results, elapsed, &made(loaded)))
}

pub(super) fn made(loaded: &Loaded) -> Made {
    let prefixes = ["DBT_ENV_CUSTOM_ENV_", "C360_ENV_CUSTOM_ENV_"];
    let custom = |(key, value): (&String, &String)| {
        let name = prefixes.iter().find_map(|prefix| key.strip_prefix(prefix))?;
        Some((name.to_string(), value.clone()))
    };
    Made {
        at: Utc::now(),
        started_at: loaded.invocation.started_at,
        invocation_id: loaded.invocation.id.clone(),
        env: loaded.invocation.env.iter().filter_map(custom).collect(),
    }
}

/// SHA-256 of the files of seeds, which are not in memory.
pub(super) fn seed_checksums(loaded: &Loaded) -> HashMap<String, String> {
    let checksum = |node: &Node| Some((node.unique_id.clone(), checksum_of_seed(loaded, node)?));
    loaded.manifest.nodes.iter().filter_map(checksum).collect()
}
