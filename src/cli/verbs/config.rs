//! `config explain`.

use super::{loaded, plain_options};
use crate::cli::args::{CompileOutput, GlobalArgs, SelectArgs};
use crate::cli::printer::Printer;
use crate::cli::settings::Environment;
use crate::cli::{FINE, WRONG};
use crate::diag::{Diagnostic, Diagnostics, Result, codes};
use crate::ops;

pub(in crate::cli) fn explain_config(
    global: &GlobalArgs,
    node: String,
    output: CompileOutput,
    env: &Environment,
    printer: &Printer,
) -> Result<u8> {
    let mode = Some("empty".to_string());
    let select = SelectArgs { select: vec![node.clone()], indirect_selection: mode, ..SelectArgs::default() };
    let options = plain_options("list", global, &select, env)?;
    let Some(loaded) = loaded(&options, printer)? else { return Ok(WRONG) };
    let mut diagnostics = Diagnostics::default();
    let nodes = ops::explain_config(&options, &loaded, &mut diagnostics)?;
    if nodes.is_empty() {
        return Err(Diagnostic::error(codes::NOTHING_SELECTED, format!("`{node}` selects no node"))
            .help("list what there is: `c360 ls`"));
    }
    match output {
        CompileOutput::Json => {
            let all: Vec<_> = nodes.iter().map(ops::NodeConfig::to_json).collect();
            printer.data(&serde_json::Value::Array(all).to_string());
        }
        CompileOutput::Text => nodes.iter().flat_map(ops::NodeConfig::lines).for_each(|line| printer.data(&line)),
    }
    Ok(FINE)
}
