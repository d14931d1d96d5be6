//! The artifacts of a folder, read into values of this module's own.
//!
//! Readers here are tolerant: a file may be missing, a key may be missing or null, and a manifest may be dbt's own. What
//! cannot be read at all is an error for `manifest.json`, without which there is no site, and a warning for the others.

mod catalog;
mod lineage;
mod manifest;
mod results;
mod sources;
mod value;

use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;

use crate::diag::{Diagnostic, Result, codes};

pub(super) use catalog::{Catalog, CatalogColumn, CatalogTable, Histogram, Profile};
pub(super) use lineage::{ColumnLineage, Input, Lineage, NodeLineage};
pub(super) use manifest::{Column, Constraint, Macro, Manifest, Node, Target};
pub(super) use results::{History, NodeRun, RunResult, RunResults};
pub(super) use sources::{Freshness, Plans, Samples, SourceFile, SourceFiles, SourceListing, Sources, Table};
pub(super) use value::Text;

/// Everything that the site is made from.
#[derive(Debug, Default)]
pub(super) struct Artifacts {
    /// The folder that they were read from.
    pub(super) folder: PathBuf,
    pub(super) manifest: Manifest,
    pub(super) catalog: Option<Catalog>,
    pub(super) run_results: Option<RunResults>,
    pub(super) history: Option<History>,
    pub(super) lineage: Option<Lineage>,
    pub(super) sources: Option<Sources>,
    pub(super) samples: Option<Samples>,
    pub(super) source_files: Option<SourceFiles>,
    pub(super) plans: Option<Plans>,
}

impl Artifacts {
    /// Reads the artifacts in `folder`. What is there and cannot be read is left out, with a warning.
    ///
    /// # Errors
    /// C1009 if there is no manifest that can be read.
    pub(super) fn read(folder: &Path, warnings: &mut Vec<Diagnostic>) -> Result<Artifacts> {
        let Some(mut manifest) = read::<Manifest>(folder, "manifest.json")? else {
            let message = format!("there is no `{}`", folder.join("manifest.json").display());
            return Err(Diagnostic::error(codes::FILE_UNREADABLE, message)
                .help("`c360 docs generate` without --no-compile writes it, and so does `c360 parse`"));
        };
        manifest.add_destinations();
        Ok(Artifacts {
            manifest,
            catalog: optional(folder, "catalog.json", warnings),
            run_results: optional(folder, "run_results.json", warnings),
            history: optional(folder, "runs.json", warnings),
            lineage: optional(folder, "lineage.json", warnings),
            sources: optional(folder, "sources.json", warnings),
            samples: optional(folder, "samples.json", warnings),
            source_files: optional(folder, "source_files.json", warnings),
            plans: optional(folder, "plans.json", warnings),
            folder: folder.to_path_buf(),
        })
    }

    /// The SQL that `node` was compiled to: the manifest's, the last run's, or the file's that `compile` wrote.
    pub(super) fn compiled_code(&self, node: &Node) -> Option<String> {
        if !node.compiled_code.is_empty() {
            return Some(node.compiled_code.to_string());
        }
        let ran = self.run_results.as_ref().and_then(|results| results.of(&node.unique_id));
        if let Some(code) = ran.map(|result| &result.compiled_code).filter(|code| !code.is_empty()) {
            return Some(code.to_string());
        }
        let below = Path::new("compiled").join(&*node.package_name).join(&*node.original_file_path);
        // A path of a manifest is not to lead out of the folder.
        let is_inside = below.components().all(|part| matches!(part, std::path::Component::Normal(_)));
        let is_sql = node.original_file_path.ends_with(".sql");
        std::fs::read_to_string(self.folder.join(below)).ok().filter(|_| is_inside && is_sql)
    }
}

fn optional<T: DeserializeOwned>(folder: &Path, name: &str, warnings: &mut Vec<Diagnostic>) -> Option<T> {
    match read(folder, name) {
        Ok(found) => found,
        Err(error) => {
            let mut warning =
                Diagnostic::warning(error.code, format!("the site goes without {name}: {}", error.message));
            warning.helps = error.helps;
            warnings.push(*warning);
            None
        }
    }
}

/// The artifact `name`, if it is there.
fn read<T: DeserializeOwned>(folder: &Path, name: &str) -> Result<Option<T>> {
    let path = folder.join(name);
    let unreadable = |what: String| {
        Diagnostic::error(codes::FILE_UNREADABLE, format!("`{}` {what}", path.display()))
            .help("delete it: it is written anew when it is needed")
    };
    let bytes = match std::fs::read(&path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(unreadable(format!("cannot be read: {error}"))),
    };
    serde_json::from_slice(&bytes).map(Some).map_err(|error| unreadable(format!("is not what it should be: {error}")))
}
