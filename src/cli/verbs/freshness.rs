//! `source freshness`.

use std::path::Path;

use super::{loaded, plain_options, runtime};
use crate::artifacts::SourceFreshness;
use crate::cli::args::{GlobalArgs, SelectArgs};
use crate::cli::printer::Printer;
use crate::cli::settings::Environment;
use crate::cli::{FAILED, FINE, WRONG};
use crate::diag::{Diagnostics, Result};
use crate::ops;
use crate::stdx::human_duration;

pub(in crate::cli) fn freshness(
    global: &GlobalArgs,
    select: &SelectArgs,
    output: Option<&Path>,
    env: &Environment,
    printer: &Printer,
) -> Result<u8> {
    let options = plain_options("freshness", global, select, env)?;
    let Some(loaded) = loaded(&options, printer)? else { return Ok(WRONG) };
    let mut diagnostics = Diagnostics::default();
    let results = runtime()?.block_on(ops::freshness(&options, &loaded, output, &mut diagnostics))?;
    printer.diagnostics(&diagnostics);
    let width = results.iter().map(|result| result.unique_id.len()).max().unwrap_or(0);
    for result in &results {
        printer.note(&format!("{:<13}  {:width$}  {}", result.status.to_uppercase(), result.unique_id, age(result)));
        if let Some(error) = &result.error {
            printer.diagnostic(error);
        }
    }
    if results.is_empty() {
        printer.note("no source with a freshness is selected");
    }
    let failed = results.iter().any(|result| matches!(result.status, "error" | "runtime error"));
    Ok(if failed { FAILED } else { FINE })
}

fn age(result: &SourceFreshness) -> String {
    let age = result.age.map(|age| (age.now - age.newest).to_std().unwrap_or_default());
    age.map_or_else(String::new, |age| format!("newest row {} old", human_duration(age)))
}
