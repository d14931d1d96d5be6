//! `check`.

use super::{loaded, plain_options, runtime};
use crate::cli::args::{GlobalArgs, SelectArgs};
use crate::cli::printer::Printer;
use crate::cli::settings::Environment;
use crate::cli::{FINE, WRONG};
use crate::diag::{Diagnostics, Result};
use crate::ops;
use crate::stdx::plural;

pub(in crate::cli) fn check(
    global: &GlobalArgs,
    select: &SelectArgs,
    env: &Environment,
    printer: &Printer,
) -> Result<u8> {
    let options = plain_options("check", global, select, env)?;
    let Some(loaded) = loaded(&options, printer)? else { return Ok(WRONG) };
    let mut diagnostics = Diagnostics::default();
    let checked = runtime()?.block_on(ops::check(&options, &loaded, None, &mut diagnostics))?;
    printer.diagnostics(&diagnostics);
    for (id, why) in checked.analysis.unchecked(&checked.selected) {
        let node = loaded.manifest.node(id);
        printer.note(&format!("not checked: {} {}: {why}", node.resource_type, node.search_name()));
    }
    printer.note(&format!(
        "{} checked in {:.2}s",
        plural(checked.selected.len() as u64, "node"),
        checked.took.as_secs_f64()
    ));
    Ok(if diagnostics.has_errors() { WRONG } else { FINE })
}
