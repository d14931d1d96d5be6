//! `parse`, `debug`, `clean`, `init`.

use super::{loaded, loaded_where, plain_options, runtime};
use crate::cli::args::{CompileOutput, GlobalArgs, SelectArgs};
use crate::cli::printer::Printer;
use crate::cli::settings::Environment;
use crate::cli::{FAILED, FINE, WRONG};
use crate::diag::{Diagnostic, Result, Severity, codes};
use crate::ops::{self, Check, Found};
use crate::stdx::{human_bytes, plural};

pub(in crate::cli) fn parse(global: &GlobalArgs, env: &Environment, printer: &Printer) -> Result<u8> {
    let options = plain_options("parse", global, &SelectArgs::default(), env)?;
    // A circle can be read, it cannot be run: every other verb refuses it, and so does dbt.
    let judge = |found: &mut Diagnostic| {
        if found.code == codes::CYCLE {
            found.severity = Severity::Warning;
        }
    };
    let Some(loaded) = loaded_where(&options, printer, judge)? else { return Ok(WRONG) };
    // Elsewhere templates say it when they are rendered with everything known.
    loaded.logged.iter().cloned().for_each(printer.log());
    let target_path = loaded.project.target_path(options.target_path.as_deref());
    ops::write_manifest(&target_path, &loaded, &Default::default())?;
    let nodes = plural(loaded.manifest.nodes.len() as u64, "node");
    printer.note(&format!("{nodes} read, {} written", target_path.join("manifest.json").display()));
    Ok(FINE)
}

pub(in crate::cli) fn debug(
    global: &GlobalArgs,
    output: CompileOutput,
    env: &Environment,
    printer: &Printer,
) -> Result<u8> {
    let options = plain_options("debug", global, &SelectArgs::default(), env)?;
    let Some(loaded) = loaded(&options, printer)? else { return Ok(WRONG) };
    let checks = runtime()?.block_on(ops::debug(&options, &loaded));
    if output == CompileOutput::Json {
        let all: Vec<_> = checks.iter().map(Check::json).collect();
        printer.data(&serde_json::json!(all).to_string());
    } else {
        print_checks(&checks, printer);
    }
    Ok(if checks.iter().any(|check| check.found.is_err()) { FAILED } else { FINE })
}

/// Prints the folder of profiles.yml.
pub(in crate::cli) fn config_dir(global: &GlobalArgs, env: &Environment, printer: &Printer) -> Result<u8> {
    let options = plain_options("debug", global, &SelectArgs::default(), env)?;
    let folders = &options.profiles_dirs;
    let found = folders.iter().find(|folder| folder.join("profiles.yml").is_file()).or(folders.first());
    if let Some(folder) = found {
        printer.data(&folder.display().to_string());
    }
    Ok(FINE)
}

/// A line for each check; what is wrong with one follows on stderr.
fn print_checks(checks: &[Check], printer: &Printer) {
    let width = checks.iter().map(|check| check.name.chars().count()).max().unwrap_or(0);
    let places = checks.iter().filter_map(|check| match &check.found {
        Ok(Found::Store(report)) => Some(report.place.chars().count()),
        _ => None,
    });
    let wide = places.max().unwrap_or(0);
    for Check { name, found } in checks {
        match found {
            Ok(Found::Fact(fact)) => printer.data(&format!("{name:width$}  ok      {fact}")),
            Ok(Found::Store(report)) => {
                printer.data(&format!("{name:width$}  ok      {:wide$}  {report}", report.place));
            }
            Err(diagnostic) => {
                printer.data(&format!("{name:width$}  FAILED  {}", diagnostic.message));
                printer.diagnostic(diagnostic);
            }
        }
    }
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

pub(in crate::cli) fn clean_orphans(
    global: &GlobalArgs,
    hours: u32,
    dry_run: bool,
    env: &Environment,
    printer: &Printer,
) -> Result<u8> {
    let options = plain_options("clean", global, &SelectArgs::default(), env)?;
    let Some(loaded) = loaded(&options, printer)? else { return Ok(WRONG) };
    let found = runtime()?.block_on(ops::clean_orphans(&options, &loaded, hours, dry_run))?;
    let verb = if dry_run { "would be deleted" } else { "deleted" };
    printer.note(&format!("{verb}: {}, {}", plural(found.files, "file"), human_bytes(found.bytes)));
    Ok(FINE)
}

pub(in crate::cli) fn init(name: &str, printer: &Printer) -> Result<u8> {
    let root = ops::init(std::path::Path::new("."), name)?;
    printer.note(&format!("made {}: go there and type `c360 build`", root.display()));
    Ok(FINE)
}
