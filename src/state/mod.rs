//! What an earlier invocation left behind: its manifest, its results, its source freshness.
//!
//! The artifacts may come from any tool that writes dbt's schemas, of any version of them, so reading is tolerant: a
//! missing field is empty, an unknown one is skipped. [`Comparison`] says what changed since then.
//!
//! Texts come in as values; reading the files is the caller's.

mod artifacts;
mod compare;
#[cfg(test)]
mod tests;
mod values;

pub use artifacts::{
    PreviousColumn, PreviousManifest, PreviousNode, PreviousResult, PreviousResults, SourceResult, SourceResults,
};
pub use compare::{Change, Comparison, SeedChecksum, seed_checksum};

use crate::diag::Result;

/// The texts of a state folder; each may be missing.
#[derive(Debug, Clone, Default)]
pub struct StateTexts {
    /// The folder, as people know it: messages name it.
    pub folder: String,
    /// `manifest.json`
    pub manifest: Option<String>,
    /// `run_results.json`
    pub run_results: Option<String>,
    /// `sources.json`
    pub sources: Option<String>,
}

/// What is known of an earlier invocation.
#[derive(Debug, Default)]
pub struct PreviousState {
    /// Its manifest.
    pub manifest: Option<PreviousManifest>,
    /// Its results.
    pub results: Option<PreviousResults>,
    /// Its source freshness.
    pub sources: Option<SourceResults>,
}

impl PreviousState {
    /// Reads the texts of a state folder.
    ///
    /// # Errors
    /// C1009 if one of them is no JSON, or not the artifact that its name says.
    pub fn parse(texts: &StateTexts) -> Result<PreviousState> {
        let path = |name: &str| format!("{}/{name}", texts.folder.trim_end_matches('/'));
        let manifest = texts.manifest.as_deref().map(|text| PreviousManifest::parse(text, &path("manifest.json")));
        let results = texts.run_results.as_deref().map(|text| PreviousResults::parse(text, &path("run_results.json")));
        let sources = texts.sources.as_deref().map(|text| SourceResults::parse(text, &path("sources.json")));
        Ok(PreviousState {
            manifest: manifest.transpose()?,
            results: results.transpose()?,
            sources: sources.transpose()?,
        })
    }
}
