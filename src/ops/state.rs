//! What an earlier invocation left behind, for the selection methods that look at it.

use std::path::{Path, PathBuf};

use super::{Loaded, Options};
use crate::diag::{Diagnostic, Diagnostics, Result, codes};
use crate::node::{Node, ResourceType};
use crate::select::{Inputs, Selection, select};
use crate::state::{PreviousState, SourceResults, StateTexts, seed_checksum};

/// Selects nodes of the manifest as the options say.
pub(super) fn selection(options: &Options, loaded: &Loaded, diagnostics: &mut Diagnostics) -> Result<Selection> {
    let previous = previous_state(options, loaded)?;
    let current_sources = match &previous {
        Some(_) => current_sources(options, loaded)?,
        None => None,
    };
    let checksum = |node: &Node| checksum_of_seed(loaded, node);
    let columns = || super::lineage::column_graph(options, loaded);
    let inputs = Inputs {
        manifest: &loaded.manifest,
        previous: previous.as_ref(),
        current_sources: current_sources.as_ref(),
        seed_checksum: Some(&checksum),
        columns: Some(&columns),
    };
    select(&options.criteria, &inputs, diagnostics)
}

/// The artifacts in the folder of `--state`, which is relative to the project, or else to where the program was started.
/// An artifact that is not there is missing only to whoever asks for it.
///
/// # Errors
/// C1009 if an artifact cannot be read.
pub(super) fn previous_state(options: &Options, loaded: &Loaded) -> Result<Option<PreviousState>> {
    let Some(stated) = &options.state else { return Ok(None) };
    let inside = loaded.project.root.root.join(stated);
    let folder = if inside.is_dir() { inside.as_path() } else { stated.as_path() };
    let texts = StateTexts {
        folder: stated.display().to_string(),
        manifest: text(&folder.join("manifest.json"))?,
        run_results: text(&folder.join("run_results.json"))?,
        sources: text(&folder.join("sources.json"))?,
    };
    PreviousState::parse(&texts).map(Some)
}

/// The freshness of sources that this project has measured last.
fn current_sources(options: &Options, loaded: &Loaded) -> Result<Option<SourceResults>> {
    let path = loaded.project.target_path(options.target_path.as_deref()).join("sources.json");
    let parse = |text: String| SourceResults::parse(&text, &path.display().to_string());
    text(&path)?.map(parse).transpose()
}

fn text(path: &Path) -> Result<Option<String>> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => {
            let message = format!("`{}` cannot be read: {error}", path.display());
            Err(Diagnostic::error(codes::FILE_UNREADABLE, message)
                .help("an artifact is written anew by every invocation, for instance `c360 parse`"))
        }
    }
}

/// SHA-256 of a seed's file, which is not in memory; none if it is no seed or cannot be read.
pub(super) fn checksum_of_seed(loaded: &Loaded, node: &Node) -> Option<String> {
    if node.resource_type != ResourceType::Seed {
        return None;
    }
    let package = loaded.project.all().find(|package| package.name() == node.package)?;
    let path: PathBuf = package.root.join(&node.original_path);
    std::fs::read(path).ok().map(|bytes| seed_checksum(&bytes))
}
