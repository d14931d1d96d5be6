//! `deps`.

use super::{plain_options, runtime};
use crate::cli::args::{GlobalArgs, SelectArgs};
use crate::cli::printer::Printer;
use crate::cli::settings::Environment;
use crate::cli::{FINE, WRONG};
use crate::diag::{Diagnostics, Result};
use crate::ops;

pub(in crate::cli) fn deps(
    global: &GlobalArgs,
    request: ops::DepsOptions,
    env: &Environment,
    printer: &Printer,
) -> Result<u8> {
    let options = plain_options("deps", global, &SelectArgs::default(), env)?;
    let mut diagnostics = Diagnostics::default();
    let installed = runtime()?.block_on(ops::deps(&options, request, &mut diagnostics));
    for diagnostic in diagnostics.iter_mut() {
        options.warn_error.apply(diagnostic);
    }
    printer.diagnostics(&diagnostics);
    let installed = installed?;
    if diagnostics.has_errors() {
        return Ok(WRONG);
    }
    let width = installed.iter().map(|package| package.name.len()).max().unwrap_or(0);
    for package in &installed {
        let word = match (package.unchanged, request.lock_only) {
            (true, _) => "is there",
            (false, true) => "locked",
            (false, false) => "installed",
        };
        printer.note(&format!("{word}  {:width$}  {}", package.name, package.from));
    }
    if installed.is_empty() {
        printer.note("packages.yml asks for no packages");
    }
    Ok(FINE)
}
