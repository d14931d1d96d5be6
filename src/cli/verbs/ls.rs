//! `ls`.

use super::{loaded, plain_options};
use crate::cli::args::{GlobalArgs, ListOutput, SelectArgs};
use crate::cli::printer::Printer;
use crate::cli::settings::Environment;
use crate::cli::{FINE, WRONG};
use crate::diag::{Diagnostics, Result};
use crate::ops::{Listed, list};

pub(in crate::cli) fn ls(
    global: &GlobalArgs,
    select: &SelectArgs,
    output: ListOutput,
    output_keys: Vec<String>,
    env: &Environment,
    printer: &Printer,
) -> Result<u8> {
    let options = plain_options("list", global, select, env)?;
    let Some(loaded) = loaded(&options, printer)? else { return Ok(WRONG) };
    let form = match output {
        ListOutput::Selector => Listed::Selector,
        ListOutput::Name => Listed::Name,
        ListOutput::Path => Listed::Path,
        ListOutput::Json => {
            Listed::Json(output_keys.iter().flat_map(|keys| keys.split([' ', ','])).map(str::to_string).collect())
        }
    };
    let mut diagnostics = Diagnostics::default();
    let lines = list(&options, &loaded, &form, &mut diagnostics)?;
    printer.diagnostics(&diagnostics);
    for line in &lines {
        printer.data(line);
    }
    if lines.is_empty() {
        printer.note("no node is selected");
    }
    Ok(FINE)
}
