//! `--defer`: what was not built here is read from where another state has it.

use std::collections::HashMap;
use std::path::Path;

use super::{Loaded, Options};
use crate::diag::{Diagnostic, Result, codes};
use crate::engine::Engine;
use crate::node::{Node, Relation};
use crate::state::PreviousManifest;

/// Where references to nodes lead instead, by unique id: nodes that are not selected and, unless the state is favoured,
/// have no relation of their own.
///
/// # Errors
/// C1010 if no state is named, C1009 if it has no manifest.
pub(super) async fn deferred(
    options: &Options,
    loaded: &Loaded,
    engine: &Engine,
    selected: &[String],
) -> Result<HashMap<String, Relation>> {
    let mut out = HashMap::new();
    if !options.defer {
        return Ok(out);
    }
    let folder = options.defer_state.as_ref().or(options.state.as_ref()).ok_or_else(|| {
        Diagnostic::error(codes::BAD_ARGUMENT, "--defer needs a state to defer to")
            .help("pass --state with a folder that holds the manifest.json of an earlier invocation")
    })?;
    let previous = manifest(folder)?;
    let is_read = |node: &&Node| node.resource_type.is_refable() && !node.is_ephemeral();
    for node in loaded.manifest.nodes.iter().filter(is_read) {
        let (Some(own), Some(other)) = (&node.relation, previous.find(&node.unique_id)) else { continue };
        if selected.contains(&node.unique_id) {
            continue;
        }
        let (Some(schema), Some(alias)) = (&other.schema, &other.alias) else { continue };
        if options.favor_state || engine.warehouse.load(own).await?.is_none() {
            let database = other.database.as_deref().unwrap_or(&own.database);
            out.insert(node.unique_id.clone(), Relation::new(database, schema, alias));
        }
    }
    Ok(out)
}

/// Where the state has the nodes of this project, by unique id: for `clone`.
///
/// # Errors
/// C1010 if no state is named, C1009 if it has no manifest.
pub(super) fn clones(options: &Options, loaded: &Loaded) -> Result<HashMap<String, Relation>> {
    let folder = options.state.as_ref().ok_or_else(|| {
        Diagnostic::error(codes::BAD_ARGUMENT, "clone needs a state to clone from")
            .help("pass --state with a folder that holds the manifest.json of an earlier invocation")
    })?;
    let previous = manifest(folder)?;
    let found = loaded.manifest.nodes.iter().filter_map(|node| {
        let (own, other) = (node.relation.as_ref()?, previous.find(&node.unique_id)?);
        let database = other.database.as_deref().unwrap_or(&own.database);
        let relation = Relation::new(database, other.schema.as_deref()?, other.alias.as_deref()?);
        Some((node.unique_id.clone(), relation))
    });
    Ok(found.collect())
}

fn manifest(folder: &Path) -> Result<PreviousManifest> {
    let path = folder.join("manifest.json");
    let text = std::fs::read_to_string(&path).map_err(|error| {
        Diagnostic::error(codes::FILE_UNREADABLE, format!("`{}` cannot be read: {error}", path.display()))
            .help("--state names a folder with the artifacts of an earlier invocation")
    })?;
    PreviousManifest::parse(&text, &path.to_string_lossy())
}
