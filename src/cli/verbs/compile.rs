//! `compile`.

use serde_json::json;

use super::{loaded, plain_options, runtime};
use crate::cli::args::{CompileOutput, GlobalArgs, SelectArgs};
use crate::cli::printer::Printer;
use crate::cli::settings::Environment;
use crate::cli::{FINE, WRONG};
use crate::diag::{Diagnostics, Result};
use crate::node::Node;
use crate::ops;

/// What is compiled, and how.
pub(in crate::cli) struct CompileRequest {
    pub(in crate::cli) inline: Option<String>,
    pub(in crate::cli) full_refresh: bool,
    pub(in crate::cli) empty: bool,
    pub(in crate::cli) output: CompileOutput,
}

pub(in crate::cli) fn compile(
    global: &GlobalArgs,
    select: &SelectArgs,
    request: CompileRequest,
    env: &Environment,
    printer: &Printer,
) -> Result<u8> {
    let CompileRequest { inline, full_refresh, empty, output } = request;
    let mut options = plain_options("compile", global, select, env)?;
    options.full_refresh |= full_refresh;
    options.empty |= empty;
    let Some(loaded) = loaded(&options, printer)? else { return Ok(WRONG) };
    let mut diagnostics = Diagnostics::default();
    let compiled = runtime()?.block_on(ops::compile(
        &options,
        &loaded,
        inline.as_deref(),
        &mut printer.log(),
        &mut diagnostics,
    ))?;
    printer.diagnostics(&diagnostics);
    // As in dbt, nodes that were named are printed, and not the tests that came along.
    let first = options.criteria.select.first();
    let is_named = |node: &Node| first.is_some_and(|text| compiled.len() == 1 || text.contains(&node.name));
    let printed: Vec<_> = compiled.iter().filter(|one| inline.is_some() || is_named(&one.node)).collect();
    for one in &printed {
        match output {
            CompileOutput::Text => printer.data(one.compiled.sql.text.trim()),
            CompileOutput::Json => {
                let document = json!({"node": one.node.name, "compiled": one.compiled.sql.text});
                printer.data(&document.to_string());
            }
        }
    }
    if printed.is_empty() {
        let count = crate::stdx::plural(compiled.len() as u64, "node");
        let folder = loaded.project.target_path(options.target_path.as_deref()).join("compiled");
        printer.note(&format!("{count} compiled into {}", folder.display()));
    }
    Ok(if diagnostics.has_errors() { WRONG } else { FINE })
}
