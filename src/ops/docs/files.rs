//! `source_files.json`: what lies where sources say it does.

use std::collections::BTreeMap;
use std::path::Path;

use crate::artifacts::{ListedSourceFile, SourceListing, source_files, write as write_artifact};
use crate::diag::{Diagnostics, Result, Severity};
use crate::engine::formats::{ListedFile, list_files};
use crate::engine::{SourceSpec, source_spec};
use crate::node::{External, Node};

use super::super::artifacts::made;
use super::super::session::connections;
use super::super::{Loaded, Session};

/// Lists the files of all sources. One that cannot be listed is a warning, and has none.
///
/// # Errors
/// C5006 if the artifact cannot be written.
pub(super) async fn write(
    loaded: &Loaded,
    session: &Session,
    artifacts: &Path,
    diagnostics: &mut Diagnostics,
) -> Result<()> {
    let known = connections(loaded);
    let mut listings = BTreeMap::new();
    for node in &loaded.manifest.nodes {
        let Some(external) = node.as_source().and_then(|source| source.external.as_ref()) else { continue };
        let spec = source_spec(node, external, &loaded.project.root.root, &known);
        // What is wrong with a declaration is told by those who read the source.
        let Ok(SourceSpec::Files(spec)) = spec else { continue };
        let meter = session.engine.meter()?;
        let files = match list_files(&meter.state, &spec).await {
            Ok(files) => files,
            Err(mut error) => {
                error.severity = Severity::Warning;
                diagnostics.push(error.of_node(&node.unique_id));
                Vec::new()
            }
        };
        let format = spec.format.name().to_string();
        listings.insert(node.unique_id.clone(), listing(loaded, node, external, format, files));
    }
    write_artifact(&artifacts.join("source_files.json"), &source_files(&listings, &made(loaded)))
}

fn listing(
    loaded: &Loaded,
    _node: &Node,
    external: &External,
    format: String,
    files: Vec<ListedFile>,
) -> SourceListing {
    // Paths below the project are told from there: a site is read elsewhere.
    let root = std::path::absolute(&loaded.project.root.root).unwrap_or_default();
    let shown = |path: String| match Path::new(&path).strip_prefix(&root) {
        Ok(below) => below.to_string_lossy().replace('\\', "/"),
        Err(_) => path,
    };
    let file = |file: ListedFile| ListedSourceFile {
        path: shown(file.path),
        bytes: file.bytes,
        modified: file.modified,
        date: file.date,
    };
    SourceListing { location: shown(external.location.clone()), format, files: files.into_iter().map(file).collect() }
}
