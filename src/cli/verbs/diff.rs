//! `diff`.

use super::{loaded, plain_options, runtime};
use crate::cli::args::{DiffOutput, GlobalArgs, SelectArgs};
use crate::cli::printer::Printer;
use crate::cli::settings::Environment;
use crate::cli::{FINE, WRONG};
use crate::diag::{Diagnostic, Result, codes};
use crate::ops;
use crate::report::diff_markdown;

pub(in crate::cli) fn diff(
    global: &GlobalArgs,
    state: Option<std::path::PathBuf>,
    output: DiffOutput,
    env: &Environment,
    printer: &Printer,
) -> Result<u8> {
    let select = SelectArgs { state, ..SelectArgs::default() };
    let options = plain_options("diff", global, &select, env)?;
    let Some(loaded) = loaded(&options, printer)? else { return Ok(WRONG) };
    let diff = runtime()?.block_on(ops::diff(&options, &loaded))?;
    let text = match output {
        DiffOutput::Markdown => diff_markdown(&diff),
        DiffOutput::Json => serde_json::to_string_pretty(&diff)
            .map_err(|error| Diagnostic::error(codes::INTERNAL, format!("the diff cannot be written: {error}")))?,
    };
    printer.data(text.trim_end());
    Ok(FINE)
}
