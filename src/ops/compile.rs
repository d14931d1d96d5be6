//! `compile`: SQL of the selected nodes, or of a text, into the artifact folder.

use std::path::PathBuf;
use std::sync::Arc;

use super::state::selection;
use super::{Loaded, Options, Session};
use crate::compile::{CompiledNode, compile as compile_node, compiled_path};
use crate::diag::{Diagnostic, Diagnostics, Result, codes};
use crate::jinja::LogLine;
use crate::node::{Node, ResourceType};

/// A compiled node and where its SQL was written.
pub struct Compiled {
    /// The node.
    pub node: Node,
    /// Its SQL and where that comes from.
    pub compiled: CompiledNode,
    /// The file, if one was written.
    pub path: Option<PathBuf>,
}

/// Compiles the selected nodes, or `inline` alone. Mistakes are in `diagnostics`; `log` receives what templates log.
///
/// # Errors
/// The selection cannot be read, the engine cannot start, or a file cannot be written.
pub async fn compile(
    options: &Options,
    loaded: &Loaded,
    inline: Option<&str>,
    log: &mut dyn FnMut(LogLine),
    diagnostics: &mut Diagnostics,
) -> Result<Vec<Compiled>> {
    let nodes: Vec<Node> = match inline {
        Some(sql) => vec![super::show::inline_node(loaded, sql)],
        None => {
            let selection = selection(options, loaded, diagnostics)?;
            selection.nodes.iter().map(|id| loaded.manifest.node(*id).clone()).filter(has_sql).collect()
        }
    };
    let selected = nodes.iter().map(|node| node.unique_id.clone()).collect();
    let mut session = Session::open(options, loaded, selected).await?;
    let target_path = loaded.project.target_path(options.target_path.as_deref());
    let world = Arc::clone(&session.world);
    let compiled = tokio::task::spawn_blocking(move || {
        let compiled = nodes.into_iter().map(|node| (compile_node(&world, &node), node)).collect::<Vec<_>>();
        world.end_session();
        compiled
    });
    let compiled = compiled
        .await
        .map_err(|error| Diagnostic::error(codes::INTERNAL, format!("templates could not be rendered: {error}")))?;
    session.drain(log);
    let mut out = Vec::new();
    for (result, node) in compiled {
        let Some(compiled) = diagnostics.take(result) else { continue };
        for warning in &compiled.warnings {
            diagnostics.push(Box::new(warning.clone()));
        }
        let path = match inline {
            Some(_) => None,
            None => Some(write(&target_path.join("compiled").join(compiled_path(&node)), &compiled.sql.text)?),
        };
        out.push(Compiled { node, compiled, path });
    }
    let code = |one: &Compiled| {
        let path = one.path.as_ref().map(|path| path.to_string_lossy().into_owned());
        let code = one.compiled.sql.text.clone();
        (one.node.unique_id.clone(), crate::artifacts::Compiled { code, path, ctes: Vec::new() })
    };
    super::write_manifest(&target_path, loaded, &out.iter().map(code).collect())?;
    Ok(out)
}

fn has_sql(node: &Node) -> bool {
    let kinds = [ResourceType::Model, ResourceType::Snapshot, ResourceType::Test, ResourceType::Analysis];
    kinds.contains(&node.resource_type) && !node.is_empty()
}

fn write(path: &std::path::Path, text: &str) -> Result<PathBuf> {
    let written = || -> std::io::Result<()> {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        std::fs::write(path, text)
    };
    written().map(|()| path.to_path_buf()).map_err(|error| {
        Diagnostic::error(codes::STORE_ERROR, format!("`{}` cannot be written: {error}", path.display()))
    })
}
