//! `parse`, `debug`, `clean`, `init`.

use super::{loaded, loaded_where, plain_options, runtime};
use crate::cli::args::{GlobalArgs, SelectArgs};
use crate::cli::printer::Printer;
use crate::cli::settings::Environment;
use crate::cli::{FAILED, FINE, WRONG};
use crate::diag::{Diagnostic, Result, Severity, codes};
use crate::ops;
use crate::stdx::plural;

pub(in crate::cli) fn parse(global: &GlobalArgs, env: &Environment, printer: &Printer) -> Result<u8> {
    let options = plain_options("parse", global, &SelectArgs::default(), env)?;
    // A circle can be read, it cannot be run: every other verb refuses it, and so does dbt.
    let judge = |found: &mut Diagnostic| {
        if found.code == codes::CYCLE {
            found.severity = Severity::Warning;
        }
    };
    let Some(loaded) = loaded_where(&options, printer, judge)? else { return Ok(WRONG) };
    let target_path = loaded.project.target_path(options.target_path.as_deref());
    ops::write_manifest(&target_path, &loaded, &Default::default())?;
    let nodes = plural(loaded.manifest.nodes.len() as u64, "node");
    printer.note(&format!("{nodes} read, {} written", target_path.join("manifest.json").display()));
    Ok(FINE)
}

pub(in crate::cli) fn debug(global: &GlobalArgs, env: &Environment, printer: &Printer) -> Result<u8> {
    let options = plain_options("debug", global, &SelectArgs::default(), env)?;
    let Some(loaded) = loaded(&options, printer)? else { return Ok(WRONG) };
    let checks = runtime()?.block_on(ops::debug(&options, &loaded));
    let mut code = FINE;
    let width = checks.iter().map(|check| check.name.len()).max().unwrap_or(0);
    for check in &checks {
        match &check.found {
            Ok(found) => printer.data(&format!("{:width$}  ok      {found}", check.name)),
            Err(diagnostic) => {
                printer.data(&format!("{:width$}  FAILED  {}", check.name, diagnostic.message));
                printer.diagnostic(diagnostic);
                code = FAILED;
            }
        }
    }
    Ok(code)
}

pub(in crate::cli) fn clean(global: &GlobalArgs, env: &Environment, printer: &Printer) -> Result<u8> {
    let options = plain_options("clean", global, &SelectArgs::default(), env)?;
    let Some(loaded) = loaded(&options, printer)? else { return Ok(WRONG) };
    let deleted = ops::clean(&loaded.project)?;
    for folder in &deleted {
        printer.note(&format!("deleted {}", folder.display()));
    }
    if deleted.is_empty() {
        printer.note("nothing to delete");
    }
    Ok(FINE)
}

pub(in crate::cli) fn init(name: &str, printer: &Printer) -> Result<u8> {
    let root = ops::init(std::path::Path::new("."), name)?;
    printer.note(&format!("made {}: go there and type `c360 build`", root.display()));
    Ok(FINE)
}
